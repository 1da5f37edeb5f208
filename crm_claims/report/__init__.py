# days and periods first: the reports inherit them
from . import crm_claim_report_day, crm_claim_report_period  # isort: skip
from . import (
    crm_claim_cost_report,
    crm_claim_dynamics,
    crm_claim_outcome,
    crm_claim_recurrence,
    crm_claim_report,
    crm_claim_sla_report,
)
