# ruff: noqa: RUF001 Cyrillic is meant
import base64
import binascii

from odoo import api, fields, models

from ..tools.contact_text import recognise
from ..tools.legal_numbers import compact
from ..tools.vcard import is_vcard, read_vcards

ENTREPRENEUR = ("ИП ", "индивидуальный предприниматель ")


class CrmPartnerRegister(models.TransientModel):
    """A pasted signature, business card, requisites or vCard fills what is still empty.

    As soon as the field is left, the pieces are in their places and named above; the text itself
    is not kept. With a company in it, the person becomes a contact; without one, the client.
    """

    _inherit = "crm.partner.register"

    text = fields.Text("Paste a Signature, Business Card or Requisites")
    vcard = fields.Binary("vCard File", attachment=False)
    vcard_name = fields.Char()
    recognised = fields.Char(readonly=True)

    @api.onchange("text")
    def _onchange_text(self):
        if (self.text or "").strip():
            self._fill_from_text(self.text)

    @api.onchange("vcard")
    def _onchange_vcard(self):
        if not self.vcard:
            return
        try:
            content = base64.b64decode(self.vcard, validate=True)
        except (binascii.Error, ValueError):
            content = b""
        text = content[: 1024 * 1024].decode("utf-8-sig", errors="replace")
        if is_vcard(text):
            self._fill_from_text(text)
        else:
            self.recognised = self.env._("This file is not a vCard.")

    def _fill_from_text(self, text):
        """Fill the assistant from a text; what is filled in already stays."""
        if is_vcard(text):
            cards = read_vcards(text)
        else:
            cards = [recognise(text, self.country_id.code or self.env.company.country_id.code)]
        names = []
        for card in cards:
            names += [name for name in self._fill_from_card(card) if name not in names]
        labels = self.fields_get(allfields=names, attributes=["string"])
        self.recognised = (
            self.env._(
                "Recognised: %s. Please look it over.",
                ", ".join(labels[name]["string"] for name in names),
            )
            if names
            else self.env._("Nothing new was recognised in this text.")
        )

    def _fill_from_card(self, card):
        """Fill the assistant from what was recognised.

        :param ContactText card: one person or company
        :return: names of the fields that were filled
        """
        is_company = bool(card.company or card.kpp or (self.name and self.kind != "person"))
        person = {
            "name": card.name,
            "function": card.function,
            "email": next(iter(card.emails), False),
            "phone": next(iter(card.phones), False),
        }
        filled = []
        if not self.name and not is_company and card.name and self._is_untouched():
            self.kind = "person"
        if is_company and self._is_untouched():
            self.kind = self._guess_kind(card)
        if self.kind == "person":
            filled += self._fill(person)
        else:
            filled += self._fill({"name": card.company})
            if card.name and self._add_contact(person):
                filled.append("contact_ids")
            # without a person, or when there are more, they are the company's
            used = 1 if card.name else 0
            rest = {
                "email": next(iter(card.emails[used:]), False),
                "phone": next(iter(card.phones[used:]), False),
            }
            filled += self._fill(rest)
        filled += self._fill_place(card)
        return filled + self._fill(
            {
                "website": card.website,
                "vat": card.vat,
                "kpp": card.kpp,
                "company_registry": card.ogrn,
                "bank_bic": card.bic,
                "bank_name": card.bank,
                "acc_number": card.account,
            }
        )

    def _is_untouched(self):
        """Whether nobody has said yet what kind of client this is."""
        return not (self.name or self.vat)

    def _guess_kind(self, card):
        name = card.company.lower()
        is_entrepreneur = (
            len(card.ogrn) == 15
            or (len(card.vat) == 12 and compact(card.vat).isdigit())
            or any(name.startswith(prefix.lower()) for prefix in ENTREPRENEUR)
        )
        return "entrepreneur" if is_entrepreneur else "company"

    def _fill(self, values):
        """Set fields that are empty.

        :return: names of those that were set
        """
        filled = []
        for name, value in values.items():
            if value and not self[name]:
                self[name] = value
                filled.append(name)
        return filled

    def _fill_place(self, card):
        """The country, unless a number of the client has settled it, and an address as a whole."""
        filled = []
        if card.country and (card.vat or not self.vat):
            country = self.env["res.country"].search([("code", "=", card.country)], limit=1)
            if country and country != self.country_id:
                self.country_id = country
                filled.append("country_id")
        has_address = self.street or self.city or self.zip
        if (card.street or card.city) and not has_address:
            filled += self._fill({"street": card.street, "city": card.city, "zip": card.zip})
        return filled

    def _add_contact(self, person):
        """Add a contact, unless there is one of that name or address.

        :return: whether it was added
        """
        for contact in self.contact_ids:
            same_name = (contact.name or "").lower() == person["name"].lower()
            if same_name or (contact.email and contact.email == person["email"]):
                return False
        self.contact_ids = [fields.Command.create(person)]
        return True
