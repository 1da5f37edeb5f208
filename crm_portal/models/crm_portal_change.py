import re

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import email_normalize, single_email_re

from .crm_claim_filing import PortalFormError

COMPANY_FIELDS = (
    "name", "street", "street2", "zip", "city", "state_id", "country_id", "phone", "email",
    "website",
)  # fmt: skip
CONTACT_FIELDS = ("name", "function", "email", "phone")
ADDRESS_FIELDS = (
    "name", "street", "street2", "zip", "city", "state_id", "country_id", "phone", "email",
)  # fmt: skip
MAX_VALUE_LENGTH = 200
#: begins like an address that a browser would run or open by something else than the web
FOREIGN_SCHEME = re.compile(r"(?!https?:)[a-z][a-z0-9+-]*:", re.IGNORECASE)


class CrmPortalChange(models.Model):
    """What a customer wants changed in our books, until somebody of ours has looked at it.

    Nothing that a customer sends goes straight into the card of his company, of a contact or of an
    address: it waits here with the old and the new value side by side. Approving writes exactly
    what is shown, with the rights of whoever approves; rejecting says why. Tax numbers, bank
    accounts, terms and salespeople are not among the fields, whatever the form holds. A new request
    about the same card takes the place of the one that still waits.

    An erasure request is handled here, too (`crm_portal_erasure.py`).
    """

    _name = "crm.portal.change"
    _description = "Requested Change of Customer Data"
    _inherit = ["mail.thread", "mail.activity.mixin", "crm.portal.request"]
    _order = "id desc"
    _check_company_auto = True

    name = fields.Char(compute="_compute_name")
    kind = fields.Selection(
        [
            ("company", "Data of the Company"),
            ("contact_edit", "Data of a Contact"),
            ("contact_add", "New Contact"),
            ("contact_remove", "Remove a Contact"),
            ("address_edit", "Change an Address"),
            ("address_add", "New Address"),
            ("address_remove", "Remove an Address"),
            ("erasure", "Erasure of Personal Data"),
        ],
        required=True,
        readonly=True,
    )
    partner_id = fields.Many2one(
        "res.partner",
        "Card",
        required=True,
        readonly=True,
        index=True,
        ondelete="cascade",
        help="The card to be changed; for a new contact or address, the company it belongs to.",
    )
    commercial_partner_id = fields.Many2one(
        related="partner_id.commercial_partner_id", string="Client", store=True, index=True
    )
    company_id = fields.Many2one("res.company", required=True, readonly=True, index=True)
    requested_by_id = fields.Many2one(
        "res.partner", "Requested By", readonly=True, index=True, ondelete="set null"
    )
    address_type = fields.Selection(
        [("invoice", "Invoice"), ("delivery", "Delivery"), ("other", "Other")], readonly=True
    )
    line_ids = fields.One2many("crm.portal.change.line", "change_id", "Changes", readonly=True)
    note = fields.Text("Customer's Note", readonly=True)
    state = fields.Selection(
        [
            ("new", "To Review"),
            ("approved", "Approved"),
            ("rejected", "Rejected"),
            ("cancelled", "Withdrawn"),
        ],
        "Status",
        required=True,
        default="new",
        readonly=True,
        index=True,
        tracking=True,
    )
    answer = fields.Text("Answer to the Customer", tracking=True)
    decided_by_id = fields.Many2one("res.users", "Decided By", readonly=True)
    date_decided = fields.Datetime("Decided On", readonly=True)
    is_stale = fields.Boolean(
        compute="_compute_is_stale", help="The card was changed after the request."
    )

    @api.depends("kind", "partner_id")
    @api.depends_context("lang")
    def _compute_name(self):
        kinds = dict(self._fields["kind"]._description_selection(self.env))
        for change in self:
            change.name = f"{kinds.get(change.kind, '')}: {change.partner_id.display_name or ''}"

    @api.depends("state", "line_ids.old_value")
    def _compute_is_stale(self):
        for change in self:
            change.is_stale = (
                change.state == "new"
                and change.kind in ("company", "contact_edit", "address_edit")
                and any(
                    line.old_value
                    != self._portal_get_display(
                        # in the language in which the old value was taken down
                        change.partner_id.sudo().with_context(lang=change.requested_by_id.lang),
                        line.field_name,
                    )
                    for line in change.line_ids
                )
            )

    # ------------------------------------------------------------
    # From the customer
    # ------------------------------------------------------------

    @api.model
    def _portal_get_fields(self, kind):
        """Names of the fields that a request of a kind may hold."""
        return {
            "company": COMPANY_FIELDS,
            "contact_edit": CONTACT_FIELDS,
            "contact_add": CONTACT_FIELDS,
            "address_edit": (*ADDRESS_FIELDS, "function"),
            "address_add": ADDRESS_FIELDS,
        }.get(kind, ())

    @api.model
    def _portal_get_display(self, partner_sudo, name):
        """What a card says in a field, as a person reads it."""
        value = partner_sudo[name]
        return value.display_name or "" if partner_sudo._fields[name].relational else value or ""

    @api.model
    def _portal_parse_values(self, kind, post):
        """Read the allowed fields of a form.

        :return: field name → (value, text to show)
        :raise PortalFormError: with a message for each wrong field
        """
        values, errors = {}, {}
        clean = self.env["crm.claim"]._portal_clean_text
        for name in self._portal_get_fields(kind):
            if name not in post:
                continue
            text = " ".join(clean(post[name], MAX_VALUE_LENGTH).split())
            if name in ("country_id", "state_id"):
                model = "res.country" if name == "country_id" else "res.country.state"
                records_sudo = self.env[model].sudo()
                if text and not (text.isascii() and text.isdigit() and len(text) < 10):
                    errors[name] = self.env._("Please choose an entry of the list.")
                    continue
                record = records_sudo.browse(int(text)).exists() if text else records_sudo
                if text and not record:
                    errors[name] = self.env._("Please choose an entry of the list.")
                values[name] = (record.id or False, record.display_name or "")
            else:
                values[name] = (text, text)
        if "name" in values and not values["name"][0]:
            errors["name"] = self.env._("Please enter a name.")
        email = values.get("email", ("", ""))[0]
        if email and not (single_email_re.match(email) and email_normalize(email)):
            errors["email"] = self.env._("Please enter an e-mail address like name@example.com.")
        if FOREIGN_SCHEME.match(values.get("website", ("", ""))[0]):
            errors["website"] = self.env._(
                "Please enter a web address like https://www.example.com."
            )
        if errors:
            raise PortalFormError(errors)
        return values

    @api.model
    def _portal_request_change(self, kind, partner_sudo, post, form_key, address_type=False):
        """Take down what the signed-in customer wants changed.

        The caller has checked that the customer may ask about this card.

        :param partner_sudo: res.partner, the card (of a new one: the company it belongs to)
        :param dict post: content of the form, untrusted
        :return: crm.portal.change as superuser; empty when the form changes nothing
        :raise PortalFormError: with a message for each wrong field
        """
        key, previous = self._portal_open_request(form_key)
        if previous:
            return previous
        values = self._portal_parse_values(kind, post)
        is_new = kind in ("contact_add", "address_add")
        lines = []
        for name, (value, text) in values.items():
            old = "" if is_new else self._portal_get_display(partner_sudo, name)
            if old != text:
                lines.append(
                    fields.Command.create(
                        {
                            "field_name": name,
                            "old_value": old,
                            "new_value": text,
                            "res_id": value if name in ("country_id", "state_id") else 0,
                        }
                    )
                )
        removes = kind in ("contact_remove", "address_remove", "erasure")
        if not lines and not removes:
            return self.sudo()
        user = self.env.user
        changes_sudo = self.sudo()
        if not is_new:
            changes_sudo.search(
                [
                    ("partner_id", "=", partner_sudo.id),
                    ("kind", "=", kind),
                    ("state", "=", "new"),
                ]
            )._move_to("cancelled")
        change = changes_sudo.create(
            {
                "kind": kind,
                "partner_id": partner_sudo.id,
                "company_id": user.company_id.id,
                "requested_by_id": user.partner_id.id,
                "address_type": address_type,
                "line_ids": lines,
                "note": self.env["crm.claim"]._portal_clean_text(post.get("note"), 2000),
                "portal_request_key": key,
            }
        )
        if manager := user.partner_id._portal_get_manager(user.company_id):
            change.activity_schedule(
                "mail.mail_activity_data_todo",
                user_id=manager.id,
                summary=self.env._("Check what the customer wants changed"),
            )
        return change

    @api.model
    def _portal_get_open(self, user):
        """Requests of the customer's company that still wait, and those just decided.

        What a contact asks about himself (his own card, erasure) is shown to him alone.
        """
        return self.sudo().search(
            [
                ("commercial_partner_id", "=", user.partner_id.commercial_partner_id.id),
                ("company_id", "in", user.company_ids.ids),
                "|",
                ("requested_by_id", "=", user.partner_id.id),
                "&",
                ("kind", "!=", "erasure"),
                "|",
                ("kind", "!=", "address_edit"),
                ("partner_id.type", "!=", "contact"),
                "|",
                ("state", "=", "new"),
                "&",
                ("state", "in", ("approved", "rejected")),
                ("date_decided", ">", fields.Datetime.subtract(fields.Datetime.now(), days=14)),
            ],
            limit=20,
        )

    def _portal_cancel(self):
        """The customer takes his request back."""
        self._move_to("cancelled")

    # ------------------------------------------------------------
    # Decision
    # ------------------------------------------------------------

    def _move_to(self, state):
        """Decide requests that wait; others stay as they are."""
        changes = self.filtered(lambda change: change.state == "new")
        # sudo: the state is moved by the methods of this model alone
        changes.sudo().write(
            {
                "state": state,
                "decided_by_id": self.env.uid if state != "cancelled" else False,
                "date_decided": fields.Datetime.now(),
            }
        )
        changes.sudo().activity_unlink(["mail.mail_activity_data_todo"])

    @api.model_create_multi
    def create(self, vals_list):
        if not self.env.su:
            raise UserError(self.env._("These requests are made by customers in the portal."))
        return super().create(vals_list)

    def write(self, vals):
        if not self.env.su and set(vals) - {
            "answer", "message_follower_ids", "message_ids", "activity_ids",
        }:  # fmt: skip
            raise UserError(
                self.env._("A request stays as the customer made it: approve or reject it.")
            )
        return super().write(vals)

    def _check_waiting(self):
        self.check_access("write")
        # two people decide at the same time: the second one finds it decided
        self.env.cr.execute(
            "SELECT id FROM crm_portal_change WHERE id = ANY(%s) FOR UPDATE", [self.ids]
        )
        self.invalidate_recordset(["state"])
        if decided := self.filtered(lambda change: change.state != "new"):
            raise UserError(
                self.env._(
                    "Already decided: %(changes)s.", changes=", ".join(decided.mapped("name"))
                )
            )

    def action_approve(self):
        """Write into the cards what the customers asked for, with the rights of the user."""
        self._check_waiting()
        for change in self:
            change._apply()
            change._move_to("approved")
        return True

    def action_reject(self):
        """Leave the cards as they are.

        :raise ValidationError: without an answer for the customer
        """
        self._check_waiting()
        if any(not change.answer for change in self):
            raise ValidationError(
                self.env._("Tell the customer why: fill in “Answer to the Customer”.")
            )
        self._move_to("rejected")
        return True

    def _prepare_partner_values(self):
        """Values of the card by the lines of the request."""
        self.ensure_one()
        allowed = self._portal_get_fields(self.kind)
        return {
            line.field_name: line.res_id or False
            if line.field_name in ("country_id", "state_id")
            else line.new_value or False
            for line in self.line_ids
            if line.field_name in allowed
        }

    def _apply(self):
        self.ensure_one()
        values = self._prepare_partner_values()
        if self.kind in ("company", "contact_edit", "address_edit"):
            self.partner_id.write(values)
        elif self.kind == "contact_add":
            self.env["res.partner"].create(
                {**values, "parent_id": self.partner_id.id, "type": "contact"}
            )
        elif self.kind == "address_add":
            self.env["res.partner"].create(
                {**values, "parent_id": self.partner_id.id, "type": self.address_type or "other"}
            )
        elif self.kind in ("contact_remove", "address_remove"):
            # sudo: who may change the contact closes its door to the portal; nobody of ours
            users_sudo = self.partner_id.sudo().user_ids
            if not all(user.share for user in users_sudo):
                raise UserError(self.env._("This is the card of a colleague."))
            self.partner_id.check_access("write")
            users_sudo.active = False
            self.partner_id.active = False


class CrmPortalChangeLine(models.Model):
    """One field that a customer wants changed: what it says, and what it shall say."""

    _name = "crm.portal.change.line"
    _description = "Requested Change of a Field"
    _order = "id"

    change_id = fields.Many2one(
        "crm.portal.change", required=True, index=True, ondelete="cascade", readonly=True
    )
    field_name = fields.Char(required=True, readonly=True)
    label = fields.Char("Field", compute="_compute_label")
    old_value = fields.Char("Now", readonly=True)
    new_value = fields.Char("Shall Be", readonly=True)
    res_id = fields.Integer(readonly=True)

    @api.depends("field_name")
    @api.depends_context("lang")
    def _compute_label(self):
        partner_fields = self.env["res.partner"]._fields
        for line in self:
            field = partner_fields.get(line.field_name)
            line.label = field._description_string(self.env) if field else line.field_name
