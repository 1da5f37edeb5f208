from . import base_partner_merge, crm_customer_class_adjust, crm_lead_class_adjust
