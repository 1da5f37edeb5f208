from . import (
    crm_claim_answer,
    crm_claim_approval_refuse,
    crm_claim_decision,
    crm_claim_decision_remedy,
    crm_claim_promise,
    crm_claim_question,
    crm_claim_report_export,
    crm_claim_report_tables,
    crm_claim_report_tables_more,
    crm_claim_similar,
)
