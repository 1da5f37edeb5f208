from . import (
    base_partner_merge,
    crm_agreement_deviation_decision,
    crm_agreement_deviation_request,
    crm_interaction_record_outcome,
)
