import secrets

from odoo import models


class ResUsers(models.Model):
    """A customer deletes his account on Odoo's page *Security*.

    His door is closed at once, as the page promises. Odoo would then delete the card of the contact
    by a job, wherever nothing forbids it, and with it what his company's history says of him. That
    is an erasure of personal data, which somebody of ours decides (`crm_portal_erasure.py`), so the
    job gets no order and the request is filed in its place. The card of a company is not personal:
    there only the door is closed.
    """

    _inherit = "res.users"

    def _deactivate_portal_user(self, **post):
        for user in self.filtered(lambda user: not user.partner_id.is_company):
            self.env["crm.portal.change"].with_user(user)._portal_request_change(
                "erasure",
                user.partner_id.sudo(),
                {"note": self.env._("The customer has deleted his account in the portal.")},
                secrets.token_urlsafe(16),
            )
        result = super()._deactivate_portal_user(**post)
        # sudo: the customer has no access to Odoo's list of accounts to delete
        self.env["res.users.deletion"].sudo().search(
            [("user_id", "in", self.ids), ("state", "=", "todo")]
        ).unlink()
        return result
