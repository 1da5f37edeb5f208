from . import funnel, manager_mail, managers, portal, sale_deal_report, telephony
