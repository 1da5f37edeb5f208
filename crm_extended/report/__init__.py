from . import (
    crm_agreement_deviation_report,
    crm_funnel_report,
    crm_funnel_report_chart,
    crm_partner_relation_side,
    crm_sale_deal_report,
    crm_sale_fact,
)
