from . import crm_claim_cost_report, crm_claim_report
