from odoo import api, models
from odoo.exceptions import AccessError

REVIEWED_FIELDS = frozenset({"name", "email", "phone"})


class ResUsers(models.Model):
    """Name, e-mail and telephone of a customer pass the review, on every road.

    Odoo lets each user write these of himself; from the portal they would go straight into the
    card of the contact. It writes them as superuser, lists of other records among them, such as
    the bank accounts of an employee: by those a customer would enter or change a bank account of
    anybody. What this suite adds to a user is for colleagues.
    """

    _inherit = "res.users"

    def write(self, vals):
        if (
            not self.env.su
            and self.env.user._is_portal()
            and any(self._portal_is_reviewed(name) for name in vals)
        ):
            raise AccessError(
                self.env._("Please ask for changes of your data on the page of your company.")
            )
        return super().write(vals)

    @api.model
    def _portal_is_reviewed(self, name):
        """Whether a customer does not write a field of his own user."""
        field = self._fields.get(name)
        return name in REVIEWED_FIELDS or (
            field is not None
            and (
                field.type in ("one2many", "many2many")
                or str(field.related or "").startswith("employee_id.")
                or self._portal_is_ours(field)
            )
        )


class ResPartner(models.Model):
    _inherit = "res.partner"

    def _get_frontend_writable_fields(self):
        """Customers with an account of their own never send tax numbers."""
        names = super()._get_frontend_writable_fields()
        if self.env.user._is_portal():
            names = names - {"vat", "company_name"}
        return names
