from odoo import models


class ResUsers(models.Model):
    """Whether a user may know what is held against him."""

    _inherit = "res.users"

    def _may_see_claims_against_him(self):
        self.ensure_one()
        return self.has_group("crm_claims.crm_claims_group_accused") or self.has_group(
            "crm_claims.crm_claims_group_manager"
        )
