from . import crm_portal_mixin, portal_request  # isort: skip  the models below inherit them
from . import (
    crm_agreement,
    crm_agreement_renewal,
    crm_claim,
    crm_claim_filing,
    crm_claim_line,
    crm_interaction_portal,
    ir_http,
    mail_message,
    res_company,
    res_company_portal,
    res_config_settings,
    res_config_settings_portal,
    res_partner_portal,
    res_users_portal,
    sale_order,
    sale_order_portal,
)
