from . import crm_interaction_mixin  # inherited by models that come before it in the alphabet

# isort: split
from . import (
    account_move,
    crm_agreement,
    crm_agreement_deviation,
    crm_agreement_discount,
    crm_interaction,
    crm_interaction_chain,
    crm_interaction_outcome,
    crm_interaction_outcome_retry,
    crm_interaction_participant,
    crm_lead,
    payment_transaction,
    res_company,
    res_config_settings,
    res_partner,
    sale_order,
    sale_order_deviation,
    sale_order_line,
)
