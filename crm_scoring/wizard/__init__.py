from . import crm_lead_class_adjust
