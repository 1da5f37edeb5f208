from . import (
    base_partner_merge,
    crm_agreement_deviation_decision,
    crm_agreement_deviation_request,
    crm_interaction_chain_merge,
    crm_interaction_hand_over,
    crm_interaction_move,
    crm_interaction_participant_assign,
    crm_interaction_plan,
    crm_interaction_postpone,
    crm_interaction_record_outcome,
)
