from . import funnel, managers, portal, sale_deal_report, telephony
