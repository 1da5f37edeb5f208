from odoo import api, fields, models
from odoo.tools import clean_context


class CrmPartnerRegisterContact(models.TransientModel):
    """Somebody who works for the client that is being registered."""

    _name = "crm.partner.register.contact"
    _description = "Contact of a Client Being Registered"

    register_id = fields.Many2one("crm.partner.register", required=True, ondelete="cascade")
    name = fields.Char("Contact Name")
    function = fields.Char("Role")
    email = fields.Char()
    phone = fields.Char()

    @api.model
    def default_get(self, fields):
        # the defaults in the context are those of the client
        self = self.with_context(clean_context(self.env.context))  # noqa: PLW0642
        return super().default_get(fields)

    def _prepare_partner_values(self):
        self.ensure_one()
        return {
            "type": "contact",
            "name": (self.name or "").strip(),
            "function": self.function,
            "email": self.email,
            "phone": self.phone,
            "user_id": self.register_id.user_id.id,
            "company_id": self.register_id.company_id.id,
            "crm_duplicate_reason": self.register_id.duplicate_reason,
        }


class CrmPartnerRegisterAddress(models.TransientModel):
    """Where else the client that is being registered is: besides its legal address."""

    _name = "crm.partner.register.address"
    _description = "Address of a Client Being Registered"

    register_id = fields.Many2one("crm.partner.register", required=True, ondelete="cascade")
    type = fields.Selection(
        [
            ("delivery", "Delivery Address"),
            ("invoice", "Invoice Address"),
            ("other", "Other Address"),
        ],
        required=True,
        default="delivery",
    )
    name = fields.Char("Name or Recipient")
    street = fields.Char()
    city = fields.Char()
    zip = fields.Char("ZIP")
    country_id = fields.Many2one("res.country", string="Country")
    phone = fields.Char()

    @api.model
    def default_get(self, fields):
        self = self.with_context(clean_context(self.env.context))  # noqa: PLW0642
        values = super().default_get(fields)
        if "country_id" in fields and not values.get("country_id"):
            values["country_id"] = self.env.company.country_id.id
        return values

    def _prepare_partner_values(self):
        self.ensure_one()
        return {
            "type": self.type,
            "name": self.name,
            "street": self.street,
            "city": self.city,
            "zip": self.zip,
            "country_id": self.country_id.id,
            "phone": self.phone,
        }


class CrmPartnerRegisterParty(models.TransientModel):
    """An organisation or a branch that a register has found, to choose from."""

    _name = "crm.partner.register.party"
    _description = "Client Found in a Register"

    register_id = fields.Many2one("crm.partner.register", required=True, ondelete="cascade")
    name = fields.Char()
    inn = fields.Char("Tax Number")
    kpp = fields.Char("KPP")
    address = fields.Char()
    is_branch = fields.Boolean("Branch")
    status = fields.Selection(
        selection=lambda self: self.env["res.partner"]
        ._fields["counterparty_status"]
        ._description_selection(self.env)
    )
    data = fields.Json()

    def action_choose(self):
        """Fill the assistant from this one."""
        self.ensure_one()
        return self.register_id._choose_party(self)
