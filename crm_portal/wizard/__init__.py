from . import crm_claim_link_send
