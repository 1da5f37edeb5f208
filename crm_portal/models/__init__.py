from . import crm_portal_mixin  # isort: skip  the models below inherit it
from . import (
    crm_agreement,
    crm_claim,
    crm_claim_filing,
    crm_claim_line,
    ir_http,
    mail_message,
    res_company,
    res_config_settings,
    sale_order,
)
