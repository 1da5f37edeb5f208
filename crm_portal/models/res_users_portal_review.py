from odoo import models
from odoo.exceptions import AccessError

REVIEWED_FIELDS = frozenset({"name", "email", "phone"})


class ResUsers(models.Model):
    """Name, e-mail and telephone of a customer pass the review, on every road.

    Odoo lets each user write these of himself; from the portal they would go straight into the
    card of the contact.
    """

    _inherit = "res.users"

    def write(self, vals):
        if not self.env.su and self.env.user._is_portal() and not REVIEWED_FIELDS.isdisjoint(vals):
            raise AccessError(
                self.env._("Please ask for changes of your data on the page of your company.")
            )
        return super().write(vals)


class ResPartner(models.Model):
    _inherit = "res.partner"

    def _get_frontend_writable_fields(self):
        """Customers with an account of their own never send tax numbers."""
        names = super()._get_frontend_writable_fields()
        if self.env.user._is_portal():
            names = names - {"vat", "company_name"}
        return names
