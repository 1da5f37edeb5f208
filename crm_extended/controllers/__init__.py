from . import portal, sale_deal_report, telephony
