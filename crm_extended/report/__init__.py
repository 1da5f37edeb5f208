from . import (
    crm_sale_deal_report,
    crm_sale_fact,
)
