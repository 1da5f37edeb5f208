from . import crm_customer_class_adjust, crm_lead_class_adjust
