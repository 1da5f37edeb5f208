from dataclasses import asdict

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import clean_context

from ..tools.legal_numbers import compact
from ..tools.registry import Address, Party, choose_status

# found by name, this many are listed; of one number all branches are
MAX_LISTED = 60


class CrmPartnerRegister(models.TransientModel):
    """A button asks the registers by number, or by name while there is no number.

    One organisation or entrepreneur fills what is still empty; branches, and everything found by
    name, are listed to choose from. When no register answers, the reason is shown and everything
    may be filled in by hand.
    """

    _inherit = "crm.partner.register"

    has_register = fields.Boolean(compute="_compute_has_register")
    lookup_message = fields.Char(readonly=True)
    lookup_failed = fields.Boolean(readonly=True)
    party_ids = fields.One2many("crm.partner.register.party", "register_id", "Found")
    # what the register said: the numbers it was said of, the units with their statuses
    found = fields.Json("Answer of the Register", readonly=True)
    found_status = fields.Selection(
        selection=lambda self: self.env["res.partner"]
        ._fields["counterparty_status"]
        ._description_selection(self.env),
        compute="_compute_found_status",
        string="By the Register",
    )
    found_alert = fields.Char(compute="_compute_found_status")

    @api.depends("found", "vat", "kpp", "company_registry", "country_id")
    def _compute_found_status(self):
        for register in self:
            found = register.found or {}
            status = False
            if register._get_number() in found.get("numbers", ()):
                parties = [Party(**values) for values in found["parties"]]
                status = choose_status(parties, compact(register.kpp))
            register.found_status = status
            register.found_alert = self.env["res.partner"]._get_counterparty_alert(status)

    @api.model_create_multi
    def create(self, vals_list):
        if self.env.su:
            return super().create(vals_list)
        self = self.with_context(  # noqa: PLW0642
            {k: v for k, v in self.env.context.items() if k != "default_found"}
        )
        return super().create([vals | {"found": False} for vals in vals_list])

    def write(self, vals):
        if not self.env.su and "found" in vals:
            raise AccessError(self.env._("What a register says is not entered by hand."))
        return super().write(vals)

    def _compute_has_register(self):
        has_register = bool(
            self.env["crm.registry.provider"].search_count(
                [("company_id", "=", self.env.company.id)], limit=1
            )
        )
        for register in self:
            register.has_register = has_register

    def _get_number(self):
        """The number by which a register knows this client."""
        self.ensure_one()
        return compact(
            self.env["res.partner"]._prepare_register_number(
                self.vat, self.company_registry, self.country_id
            )
        )

    def action_look_up(self):
        """Ask a register by number, or by name.

        :return: the action that shows the assistant again
        :raise UserError: if there is nothing to ask by
        """
        self.ensure_one()
        self = self.with_context(clean_context(self.env.context))  # noqa: PLW0642
        number = self._get_number()
        if number:
            method, asked = "find", number
        elif len((self.name or "").strip()) > 2:
            method, asked = "suggest", self.name.strip()
        else:
            raise UserError(
                self.env._("Enter the tax number, the registration number or the name to look up.")
            )
        parties, provider, messages = self.env["crm.registry.provider"]._look_up(
            method,
            number,
            lambda provider: provider._find_parties(number)
            if method == "find"
            else provider._suggest_parties(asked),
        )
        self.party_ids.unlink()
        self.write(
            {
                "lookup_failed": not provider,
                "lookup_message": self._get_lookup_message(parties, provider, messages, asked),
            }
        )
        if method == "find" and parties is not None:
            self._take_parties(parties, provider)
        elif parties:
            self._list_parties(parties)
        return self._get_action()

    def _get_lookup_message(self, parties, provider, messages, asked):
        if not provider:
            return " ".join(messages) or self.env._(
                "No register is set up that knows this number. Fill in by hand."
            )
        if not parties:
            return self.env._(
                "%(register)s knows nobody under “%(asked)s”. Check it, or fill in by hand.",
                register=provider.name,
                asked=asked,
            )
        return self.env._("Found by %(register)s.", register=provider.name)

    def _take_parties(self, parties, provider):
        """Fill from what has one number: the unit with the KPP entered, else the head office."""
        kpp = compact(self.kpp)
        numbers = {self._get_number()}
        for party in parties:
            numbers |= {party.inn, party.ogrn} - {""}
        # sudo: what a register says is written by nobody but here
        self.sudo().found = {
            "numbers": sorted(numbers),
            "provider_id": provider.id,
            "parties": [
                {"kind": party.kind, "kpp": party.kpp, "status": party.status} for party in parties
            ],
        }
        if parties:
            chosen = next((party for party in parties if kpp and party.kpp == kpp), parties[0])
            self._fill_from_party(chosen)
            if len(parties) > 1:
                self._list_parties(parties)

    def _list_parties(self, parties):
        self.env["crm.partner.register.party"].create(
            [
                {
                    "register_id": self.id,
                    "name": party.name,
                    "inn": party.inn,
                    "kpp": party.kpp,
                    "address": party.address.full,
                    "is_branch": party.is_branch,
                    "status": party.status,
                    "data": asdict(party),
                }
                for party in parties[:MAX_LISTED]
            ]
        )

    def _choose_party(self, line):
        """Fill from one that was chosen; it replaces what came from another one."""
        self.ensure_one()
        data = dict(line.data)
        party = Party(**data | {"address": Address(**data["address"])})
        self._fill_from_party(party, replace=True)
        if self._get_number() in (self.found or {}).get("numbers", ()):
            return self._get_action()
        # found by name only: branches and the exact status come with the number
        return self.action_look_up()

    def _fill_from_party(self, party, replace=False):
        """Fill names, numbers, head and address.

        :param bool replace: also what is filled in already (the user has chosen this one)
        """
        country = self.env["res.country"].search(
            [("code", "=", party.address.country_code)], limit=1
        )
        values = {
            "kind": party.kind,
            "name": party.name,
            "legal_name": party.full_name,
            "vat": party.inn,
            "kpp": party.kpp,
            "company_registry": party.ogrn,
            "head_name": party.head_name,
            "head_position": party.head_position,
            "industry_code": party.industry_code,
            "phone": party.phone,
            "email": party.email,
        }
        address = {
            "street": party.address.street,
            "street2": party.address.street2,
            "city": party.address.city,
            "zip": party.address.zip,
        }
        if country:
            address["country_id"] = country.id
            state = party.address.state and self.env["res.country.state"].search(
                [("country_id", "=", country.id), ("name", "ilike", party.address.state)], limit=1
            )
            address["state_id"] = state.id if state else False
        if not replace:
            has_address = self.street or self.city or self.zip
            values = {n: v for n, v in values.items() if n == "kind" or not self[n]}
            address = {} if has_address else address
        self.write({name: value for name, value in values.items() if value})
        if any(address.get(name) for name in ("street", "city", "zip")):
            self.write(address)

    def _keep_status(self, partner):
        """Keep on the client what the register said of its numbers."""
        if self.found_status and partner.commercial_partner_id == partner:
            provider = self.env["crm.registry.provider"].browse(self.found["provider_id"])
            partner._keep_statuses([self.found_status], provider)
