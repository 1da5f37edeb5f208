from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import clean_context, email_normalize, plaintext2html

from ..tools.legal_numbers import (
    LegalNumberError,
    check_bic,
    check_bik_account,
    check_iban,
    check_tax_number,
    compact,
    is_bik,
    looks_like_iban,
)

ADDRESS_FIELDS = ("street", "street2", "city", "zip")


class CrmPartnerRegister(models.TransientModel):
    """Registers a client whole, in one step: who it is, its numbers, people, addresses and account.

    Everything stands on one screen. It may be filled by hand, from a pasted text
    (`crm_partner_register_text.py`) or from a register (`crm_partner_register_lookup.py`), each of
    which fills only what is still empty. Similar clients are listed while it is filled
    (`crm_partner_register_duplicate.py`): one of them may be opened or completed instead.

    Nothing is kept before *Register* is pressed, then all of it or nothing. Whatever the
    assistant was opened from (a deal, a participant of an interaction, a call) gets the person
    who has its number or address, else the only contact entered, else the client.
    """

    _name = "crm.partner.register"
    _description = "Register a Client"

    kind = fields.Selection(
        [("company", "Company"), ("entrepreneur", "Sole Entrepreneur"), ("person", "Person")],
        required=True,
        default="company",
    )
    company_id = fields.Many2one(
        "res.company", "Visible Only In", help="Empty: the client is one of all our companies."
    )

    # names and numbers
    name = fields.Char()
    legal_name = fields.Char("Full Legal Name")
    country_id = fields.Many2one(
        "res.country", default=lambda self: self.env.company.country_id, string="Country"
    )
    country_code = fields.Char(related="country_id.code")
    vat = fields.Char("Tax Number")
    kpp = fields.Char("KPP")
    company_registry = fields.Char("Registration Number")
    head_name = fields.Char("Head")
    head_position = fields.Char("Position of the Head")
    industry_code = fields.Char()
    number_warning = fields.Char(compute="_compute_number_warning")

    # contacts
    parent_id = fields.Many2one(
        "res.partner", "Works For", domain=[("is_company", "=", True)], check_company=True
    )
    function = fields.Char("Job Position")
    email = fields.Char()
    phone = fields.Char()
    website = fields.Char()
    contact_ids = fields.One2many("crm.partner.register.contact", "register_id", "Contacts")

    # addresses
    street = fields.Char()
    street2 = fields.Char()
    city = fields.Char()
    zip = fields.Char("ZIP")
    state_id = fields.Many2one("res.country.state", domain="[('country_id', '=?', country_id)]")
    address_ids = fields.One2many("crm.partner.register.address", "register_id", "Other Addresses")

    # account
    bank_bic = fields.Char("Bank Code", help="BIK in Russia, SWIFT elsewhere.")
    bank_name = fields.Char("Bank")
    acc_number = fields.Char("Account", help="IBAN, or the number of the account.")

    # ours
    user_id = fields.Many2one(
        "res.users",
        "Responsible",
        default=lambda self: self.env.user,
        domain=[("share", "=", False)],
    )
    category_ids = fields.Many2many(
        "res.partner.category", "crm_partner_register_category_rel", string="Tags"
    )
    comment = fields.Text("Notes")

    # what it was opened from
    lead_id = fields.Many2one("crm.lead")
    participant_ids = fields.Many2many(
        "crm.interaction.participant", "crm_partner_register_participant_rel"
    )
    call_id = fields.Many2one("crm.telephony.call")

    @api.depends("kind", "country_id", "vat", "kpp", "company_registry", "acc_number", "bank_bic")
    def _compute_number_warning(self):
        for register in self:
            register.number_warning = " ".join(register._get_number_problems()) or False

    @api.onchange("country_id")
    def _onchange_country_id(self):
        if self.state_id and self.state_id.country_id != self.country_id:
            self.state_id = False

    # ------------------------------------------------------------
    # CHECKS
    # ------------------------------------------------------------

    def _get_number_problems(self):
        """What cannot be right among the numbers typed in: of which field, why, what to do.

        :return: list of str
        """
        self.ensure_one()
        Partner = self.env["res.partner"]
        problems = []
        if self.country_code == "RU":
            checks = [(Partner._check_inn, self.vat)]
            if self.kind != "person":
                checks.append((Partner._check_ogrn, self.company_registry))
            if self.kind == "company":
                checks.append((lambda kpp: Partner._check_kpp(kpp, self.vat), self.kpp))
            for check, number in checks:
                if number:
                    try:
                        check(number)
                    except ValidationError as error:
                        problems.append(str(error))
        problem = self._get_tax_number_problem() or self._get_kind_problem()
        account_problem = self._get_account_problem()
        return [*problems, *filter(None, [problem, account_problem])]

    def _get_tax_number_problem(self):
        """Of a country whose tax numbers python-stdnum knows, other than Russia."""
        if not self.vat or self.vat == "/" or self.country_code in (False, "RU"):
            return False
        try:
            check_tax_number(self.country_code, self.vat)
        except LegalNumberError:
            return self.env._(
                "Tax number %(number)s does not look like one of %(country)s. Compare it with the "
                "client's papers.",
                number=self.vat,
                country=self.country_id.name,
            )
        return False

    def _get_kind_problem(self):
        digits = compact(self.vat)
        if self.country_code != "RU" or not digits.isdigit():
            return False
        if self.kind == "company" and len(digits) == 12:
            return self.env._(
                "An INN of 12 digits belongs to a person or a sole entrepreneur: choose another "
                "type or enter the INN of the company."
            )
        if self.kind != "company" and len(digits) == 10:
            return self.env._(
                "An INN of 10 digits belongs to a company: choose this type or enter the INN of "
                "the person."
            )
        return False

    def _get_account_problem(self):
        """Of the account by itself, or with the code of its bank."""
        if not self.acc_number:
            return False
        if self.bank_bic:
            try:
                check_bic(self.bank_bic)
            except LegalNumberError:
                return self.env._(
                    "Bank code %s is neither a BIK (nine digits) nor a SWIFT code (8 or 11 "
                    "letters and digits).",
                    self.bank_bic,
                )
        try:
            if is_bik(self.bank_bic):
                check_bik_account(self.bank_bic, self.acc_number)
            elif looks_like_iban(self.acc_number):
                check_iban(self.acc_number)
        except LegalNumberError as error:
            if is_bik(self.bank_bic):
                return self.env["res.partner.bank"]._get_bik_account_error(
                    error.code, self.acc_number, self.bank_bic
                )
            return self.env._(
                "IBAN %s is wrong: its check digits do not fit. Compare it with the client's "
                "papers.",
                self.acc_number,
            )
        return False

    def _check_input(self):
        """Refuse what cannot be registered, with everything that is wrong at once.

        :raise UserError: names each field and what to do
        """
        problems = []
        if not (self.name or "").strip():
            problems.append(self.env._("Enter the name of the client."))
        if self.country_code == "RU":
            problems += self._get_number_problems()
        elif problem := self._get_account_problem():
            # tax numbers of other countries are Odoo's to refuse
            problems.append(problem)
        emails = [self.email, *self.contact_ids.mapped("email")]
        problems += [
            self.env._("%s is not an e-mail address.", email)
            for email in emails
            if email and not email_normalize(email)
        ]
        if any(not (contact.name or "").strip() for contact in self.contact_ids):
            problems.append(self.env._("Enter the name of each contact, or remove the line."))
        if problems:
            raise UserError("\n".join(problems))

    # ------------------------------------------------------------
    # REGISTERING
    # ------------------------------------------------------------

    def action_register(self):
        """Create the client with everything that belongs to it.

        :return: action that opens it, or closes the dialog where it was opened from something
        :raise UserError: if something is wrong or the client is known already
        """
        self.ensure_one()
        # the defaults in the context are those of the assistant
        self = self.with_context(clean_context(self.env.context))  # noqa: PLW0642
        self._check_input()
        self._check_duplicates()
        partner = self.env["res.partner"].create(self._prepare_partner_values())
        self._create_account(partner)
        self._keep_status(partner)
        return self._finish(partner)

    def _prepare_partner_values(self):
        """Values of the client with its contacts and addresses."""
        self.ensure_one()
        lines = [*self.contact_ids, *self.address_ids]
        return self._prepare_client_values() | {
            "child_ids": [fields.Command.create(line._prepare_partner_values()) for line in lines],
            "category_id": [fields.Command.set(self.category_ids.ids)],
        }

    def _prepare_client_values(self):
        """Values of the client itself that are not lists; empty ones among them."""
        self.ensure_one()
        is_company = self.kind != "person"
        values = {name: self[name] for name in ("email", "phone", "website", "vat")}
        values |= {name: self[name] for name in ADDRESS_FIELDS}
        values |= {
            "name": (self.name or "").strip(),
            "is_company": is_company,
            "country_id": self.country_id.id,
            "state_id": self.state_id.id,
            "user_id": self.user_id.id,
            "company_id": self.company_id.id,
            "comment": plaintext2html(self.comment) if self.comment else False,
            "crm_duplicate_reason": self.duplicate_reason,
        }
        if is_company:
            values |= {
                "company_registry": self.company_registry,
                "crm_legal_name": self.legal_name,
                "crm_head_name": self.head_name,
                "crm_head_position": self.head_position,
                "crm_industry_code": self.industry_code,
            }
            if self.kind == "company" and self.country_code == "RU":
                values["kpp"] = self.kpp
        else:
            values |= {"function": self.function, "parent_id": self.parent_id.id}
            if self.parent_id:
                # a contact has the numbers of its company
                values["vat"] = False
        known = self.env["res.partner"]._fields
        return {name: value for name, value in values.items() if name in known}

    def _create_account(self, partner):
        """Create the bank account, unless the client has it."""
        if not self.acc_number:
            return
        # sudo: a salesperson may enter the account that the client has given; it is not trusted
        # for payments until an accountant says so
        Account = self.env["res.partner.bank"].sudo()
        Bank = self.env["res.bank"].sudo()
        number = compact(self.acc_number)
        if Account.search_count(
            [("partner_id", "=", partner.id), ("acc_number", "=", number)], limit=1
        ):
            return
        bank = Bank
        bic = compact(self.bank_bic)
        if bic or self.bank_name:
            bank = Bank.search([("bic", "=", bic)], limit=1) if bic else Bank
            bank = bank or Bank.create(
                {
                    "name": self.bank_name or bic,
                    "bic": bic or False,
                    "country": self.env.ref("base.ru").id if is_bik(bic) else False,
                }
            )
        Account.create(
            {
                "acc_number": number,
                "partner_id": partner.id,
                "bank_id": bank.id,
                "allow_out_payment": False,
            }
        )

    # ------------------------------------------------------------
    # WHERE IT WAS OPENED FROM
    # ------------------------------------------------------------

    def _finish(self, partner):
        """Give the client to what the assistant was opened from.

        :return: the action that follows
        """
        self.ensure_one()
        is_opened_from = False
        if self.call_id:
            call = self.call_id
            number = call._get_operated_sudo().number_sanitized
            call.set_partner(self._get_person(partner, phone=number).id)
            is_opened_from = True
        for participant in self.participant_ids:
            participant.check_access("write")
            person = self._get_person(
                partner, participant.phone_sanitized, participant.email_normalized
            )
            if participant.partner_id != person:
                participant.action_assign_partner(person.id)
            is_opened_from = True
        if self.lead_id:
            lead = self.lead_id
            lead.partner_id = self._get_person(partner, lead.phone_sanitized, lead.email_normalized)
            is_opened_from = True
        if is_opened_from:
            return {"type": "ir.actions.act_window_close"}
        return {
            "type": "ir.actions.act_window",
            "res_model": "res.partner",
            "res_id": partner.id,
            "views": [(False, "form")],
            "target": "current",
        }

    def _get_person(self, partner, phone=False, email=False):
        """Who of a client is meant: who has the number or the address, else its only contact."""
        people = partner.child_ids.filtered(lambda child: child.type == "contact")
        for name, value in (("email_normalized", email), ("phone_sanitized", phone)):
            found = people.filtered(lambda person, n=name, v=value: v and person[n] == v)
            if found:
                return found[0]
        has_it = (phone and partner.phone_sanitized == phone) or (
            email and partner.email_normalized == email
        )
        entered = people if len(self.contact_ids) == 1 and len(people) == 1 else people.browse()
        return partner if has_it or not entered else entered

    def _get_action(self):
        """The action that shows this assistant, again."""
        return self.env["ir.actions.act_window"]._for_xml_id(
            "crm_extended.crm_partner_register_action"
        ) | {"res_id": self.id}
