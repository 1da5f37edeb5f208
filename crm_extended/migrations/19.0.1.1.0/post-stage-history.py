from odoo import SUPERUSER_ID, api


def migrate(cr, version):
    """Deals from before 19.0.1.1.0 have no stays yet."""
    api.Environment(cr, SUPERUSER_ID, {})["crm.lead.stage.history"]._fill_from_past()
