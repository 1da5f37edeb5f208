from odoo import models


class IrHttp(models.AbstractModel):
    """Send the add-on's JavaScript terms to visitors of the portal in their language."""

    _inherit = "ir.http"

    @classmethod
    def _get_translation_frontend_modules_name(cls):
        return [*super()._get_translation_frontend_modules_name(), "crm_portal"]
