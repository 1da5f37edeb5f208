from . import (
    crm_funnel_report,
    crm_sale_deal_report,
    crm_sale_fact,
)
