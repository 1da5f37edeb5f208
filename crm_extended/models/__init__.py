from . import (
    crm_interaction,
    crm_interaction_chain,
    crm_interaction_mixin,
    crm_interaction_outcome,
    crm_interaction_outcome_retry,
    crm_interaction_participant,
    crm_lead,
    res_partner,
    sale_order,
)
