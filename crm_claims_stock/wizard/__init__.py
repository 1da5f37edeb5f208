from . import crm_claim_delivery, crm_claim_delivery_line
