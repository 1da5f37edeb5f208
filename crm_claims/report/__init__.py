from . import crm_claim_report
