from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..tools.legal_numbers import LegalNumberError, check_inn, check_kpp, check_ogrn, compact

# fields whose change is checked
LEGAL_NUMBERS = ("vat", "kpp", "company_registry", "country_id")


class ResPartner(models.Model):
    """A client is known to the state by numbers, which are right or are refused.

    Odoo has a place for two of them: the Russian INN is the tax number, OGRN and OGRNIP are the
    company registry number, so that searches, Odoo's own warning about twins and electronic
    documents find them. The KPP, of which one organisation may have several (its branches),
    is a field of its own.

    Only a client whose country is Russia is checked, and only numbers that change: what an old
    record has got wrong stays until somebody corrects it, and whatever else is written meanwhile
    is not refused for it. Contacts of a company have its numbers by Odoo's own means; they are
    checked where they belong, on the company. A foreign tax number (DE123456788) may stand on
    a Russian client, and "/" says that there is none.
    """

    _inherit = "res.partner"

    kpp = fields.Char(
        "KPP",
        index="btree_not_null",
        tracking=True,
        help="Reason of tax registration, nine characters. A branch has the INN of its "
        "organisation and a KPP of its own.",
    )
    crm_legal_name = fields.Char("Full Legal Name")
    crm_head_name = fields.Char("Head", help="Who signs for the organisation by the register.")
    crm_head_position = fields.Char("Position of the Head")
    crm_industry_code = fields.Char("Industry Code", help="OKVED, NACE: by the register.")
    is_legal_ru = fields.Boolean(compute="_compute_is_legal_ru")

    @api.depends("country_id", "commercial_partner_id.country_id")
    def _compute_is_legal_ru(self):
        for partner in self:
            partner.is_legal_ru = partner._get_legal_country().code == "RU"

    @api.model_create_multi
    def create(self, vals_list):
        partners = super().create(vals_list)
        checked = {name for vals in vals_list for name in LEGAL_NUMBERS if vals.get(name)}
        if checked:
            partners._check_legal_numbers(checked)
        return partners

    def write(self, vals):
        names = [name for name in LEGAL_NUMBERS if name in vals]
        changed = self.filtered(lambda partner: any(partner._changes(name, vals) for name in names))
        if names and not changed and all(partner.is_legal_ru for partner in self):
            # as an import writes it: Odoo's own check would refuse what has been there already
            vals = {name: value for name, value in vals.items() if name not in names}
        result = super().write(vals)
        if changed:
            changed._check_legal_numbers(names)
        return result

    def _changes(self, name, vals):
        """Whether this field gets another value."""
        value = self[name].id if name == "country_id" else self[name]
        return (value or False) != (vals[name] or False)

    @api.model
    def _commercial_fields(self):
        return [*super()._commercial_fields(), "kpp"]

    @api.model
    def _get_company_registry_labels(self):
        return super()._get_company_registry_labels() | {"RU": self.env._("OGRN")}

    def _get_legal_country(self):
        """The country whose rules hold for the numbers of this client."""
        return self.commercial_partner_id.country_id or self.country_id

    # ------------------------------------------------------------
    # CHECKS
    # ------------------------------------------------------------

    def _check_legal_numbers(self, names):
        """Refuse numbers that cannot be right; write the others as they are written officially.

        :param names: fields that were written
        :raise ValidationError: names the client, the field and what to do
        """
        numbers = set(names) - {"country_id"} or {"vat", "kpp", "company_registry"}
        # sudo: who is the commercial entity does not depend on who writes
        for partner in self.sudo():
            if partner.commercial_partner_id != partner:
                continue
            is_russian = partner.country_id.code == "RU"
            if "vat" in numbers and is_russian:
                self._set_checked(partner, "vat", self._check_inn(partner.vat, partner.name))
            if "kpp" in numbers and partner.kpp:
                self._set_checked(
                    partner, "kpp", self._check_kpp(partner.kpp, partner.vat, partner.name)
                )
            if "company_registry" in numbers and is_russian and partner.company_registry:
                self._set_checked(
                    partner,
                    "company_registry",
                    self._check_ogrn(partner.company_registry, partner.name),
                )

    @api.model
    def _set_checked(self, partner, name, value):
        if value != partner[name]:
            partner[name] = value

    @api.model
    def _check_inn(self, number, partner_name=""):
        """Check the tax number of a Russian client.

        :return: its digits, or `number` as it is when there is none or it is a foreign one
        :raise ValidationError: if it cannot be right
        """
        if not number or number == "/" or self._is_foreign_tax_number(number):
            return number
        try:
            return check_inn(number)
        except LegalNumberError as error:
            raise ValidationError(
                self._get_legal_error("vat", error.code, compact(number), partner_name)
            ) from error

    @api.model
    def _is_foreign_tax_number(self, number):
        prefix = compact(number)[:2]
        return len(prefix) == 2 and prefix.isascii() and prefix.isalpha() and prefix != "RU"

    @api.model
    def _check_kpp(self, number, vat=False, partner_name=""):
        """Check a KPP, which only organisations have.

        :raise ValidationError: if it cannot be right
        """
        try:
            kpp = check_kpp(number)
            if vat and len(compact(vat)) == 12 and compact(vat).isdigit():
                raise LegalNumberError("kind")
        except LegalNumberError as error:
            raise ValidationError(
                self._get_legal_error("kpp", error.code, compact(number), partner_name)
            ) from error
        return kpp

    @api.model
    def _check_ogrn(self, number, partner_name=""):
        """Check an OGRN or OGRNIP.

        :raise ValidationError: if it cannot be right
        """
        try:
            return check_ogrn(number)
        except LegalNumberError as error:
            raise ValidationError(
                self._get_legal_error("company_registry", error.code, compact(number), partner_name)
            ) from error

    @api.model
    def _get_legal_error(self, field_name, code, number, partner_name=""):
        """What to say about a wrong number: of whom, which field, what is wrong, what to do."""
        message = self._get_legal_error_texts()[f"{field_name}_{code}"] % {
            "number": number,
            "length": len(number),
        }
        return f"{partner_name}: {message}" if partner_name else message

    @api.model
    def _get_legal_error_texts(self):
        _ = self.env._
        inn_checksum = _(
            "INN %(number)s has a wrong check digit. Compare it with the client's papers: "
            "a digit is mistyped or two are swapped."
        )
        return {
            "vat_length": _(
                "INN %(number)s has %(length)s digits. An organisation has 10, a person or "
                "a sole entrepreneur 12."
            ),
            "vat_format": _(
                "INN %(number)s must consist of digits only: 10 of an organisation, 12 of a "
                "person or a sole entrepreneur."
            ),
            "vat_checksum": inn_checksum,
            "kpp_length": _(
                "KPP %(number)s has %(length)s characters. It must have nine: copy it from the "
                "client's papers."
            ),
            "kpp_format": _(
                "KPP %(number)s must be four digits, two digits or capital Latin letters and "
                "three digits, such as 770701001."
            ),
            "kpp_kind": _(
                "KPP %(number)s cannot belong to a sole entrepreneur or a person, whose INN has "
                "12 digits. Empty the KPP or enter the INN of the organisation."
            ),
            "company_registry_length": _(
                "OGRN %(number)s has %(length)s digits. The OGRN of an organisation has 13, the "
                "OGRNIP of a sole entrepreneur 15."
            ),
            "company_registry_format": _(
                "OGRN %(number)s must consist of digits only: 13 of an organisation, 15 of a "
                "sole entrepreneur."
            ),
            "company_registry_checksum": _(
                "OGRN %(number)s has a wrong check digit. Compare it with the client's papers."
            ),
            "company_registry_kind": _(
                "%(number)s is the number of a record in the register, not an OGRN. The OGRN of "
                "an organisation begins with 1 or 5, the OGRNIP of an entrepreneur with 3."
            ),
        }

    # ------------------------------------------------------------
    # ODOO'S OWN CHECK OF TAX NUMBERS
    # ------------------------------------------------------------

    def _check_vat(self, validation="error"):
        """Leave contacts to their company, whose number they have, right or not."""
        inherited = self.filtered(
            lambda partner: partner.is_legal_ru
            and partner.commercial_partner_id != partner
            and partner.vat == partner.commercial_partner_id.vat
        )
        return super(ResPartner, self - inherited)._check_vat(validation)

    @api.model
    def _run_vat_checks(self, country, vat, partner_name="", validation="error"):
        """Answer for Russia whether or not `base_vat` is installed: portal and forms ask here."""
        if not country or country.code != "RU" or not vat or vat == "/":
            return super()._run_vat_checks(country, vat, partner_name, validation)
        if self._is_foreign_tax_number(vat):
            return super()._run_vat_checks(country, vat, partner_name, validation)
        try:
            return check_inn(vat), "RU"
        except LegalNumberError:
            if validation == "error":
                self._check_inn(vat, partner_name)
            return ("" if validation == "setnull" else vat), "RU"
