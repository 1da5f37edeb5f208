from . import crm_claim, stock_picking
