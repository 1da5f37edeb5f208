from . import funnel, portal, sale_deal_report, telephony
