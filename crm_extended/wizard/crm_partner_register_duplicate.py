from markupsafe import Markup
from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import clean_context, email_normalize, html2plaintext

from .crm_partner_register import ADDRESS_FIELDS

# what is compared with the clients that are known
COMPARED = (
    "kind",
    "name",
    "legal_name",
    "country_id",
    "vat",
    "kpp",
    "company_registry",
    "email",
    "phone",
    "website",
    "street",
    "street2",
    "city",
    "zip",
    "acc_number",
    "parent_id",
    "company_id",
    "contact_ids",
    "contact_ids.name",
    "contact_ids.email",
    "contact_ids.phone",
)


class CrmPartnerRegister(models.TransientModel):
    """Before anything is created, similar clients are listed with the reasons.

    The list is live while the assistant is filled. One of them may be opened, or completed with
    what was entered: only what is empty there is filled, contacts, addresses, tags and the account
    are added, and a note on the client says what came. Whoever registers a client that is
    certainly known already gives a reason, which stays on the card; where the company refuses
    duplicates, only those with the right may.
    """

    _inherit = "crm.partner.register"

    # dict as of `res.partner.get_duplicates`, for the widget
    duplicates = fields.Json(compute="_compute_duplicates")
    is_known = fields.Boolean(compute="_compute_duplicates")
    duplicate_reason = fields.Char("Why It Is Another Client")

    @api.depends(*COMPARED)
    @api.depends_context("company", "uid")
    def _compute_duplicates(self):
        for register in self:
            found = register._find_duplicates()
            register.duplicates = found
            register.is_known = found["is_certain"]

    def _find_duplicates(self):
        """Similar clients, as far as the user may see them.

        :return: dict as of `res.partner.get_duplicates`
        """
        self.ensure_one()
        nothing = {"mode": "off", "may_create": True, "is_certain": False, "candidates": []}
        if not any(self[name] for name in ("name", "vat", "email", "phone", "acc_number")):
            return nothing
        Partner = self.env["res.partner"]
        values = self._prepare_client_values()
        if self.acc_number:
            values["bank_accounts"] = [self.acc_number]
        found = Partner.get_duplicates(values)
        for contact in self.contact_ids:
            if not (contact.email or contact.phone) or found["mode"] == "off":
                continue
            others = Partner.get_duplicates(contact._prepare_partner_values())
            listed = {row["id"] for row in found["candidates"]}
            for row in others["candidates"]:
                if row["kind"] == "duplicate" and row["id"] and row["id"] not in listed:
                    # somebody else than the client: to be looked at, not to be completed
                    row["contact"] = contact.name or contact.email or contact.phone
                    row["reasons"] = [f"{row['contact']}: {', '.join(row['reasons'])}"]
                    found["candidates"].append(row)
                    found["is_certain"] = found["is_certain"] or row["is_certain"]
        return found

    def _check_duplicates(self):
        """Refuse a client that is certainly known, unless a reason is given by who may.

        :raise UserError: names the known clients, and what to do
        """
        found = self._find_duplicates()
        if not found["is_certain"]:
            return
        names = "\n".join(
            f"• {row['name']} ({', '.join(row['reasons']) or row['percent']})"
            for row in found["candidates"]
            if row["is_certain"]
        )
        if found["mode"] == "block" and not found["may_create"]:
            remedy = self.env._(
                "Open or complete the known client. If it is somebody else, ask a colleague who "
                "may register duplicates."
            )
        elif not (self.duplicate_reason or "").strip():
            remedy = self.env._(
                "Open or complete the known client, or enter why this is another one."
            )
        else:
            return
        raise UserError(
            self.env._(
                "This client is known already:\n%(names)s\n\n%(remedy)s",
                names=names,
                remedy=remedy,
            )
        )

    # ------------------------------------------------------------
    # COMPLETING A KNOWN CLIENT
    # ------------------------------------------------------------

    def action_complete(self, partner_id):
        """Complete a known client with what was entered, instead of creating another.

        :param int partner_id: one of the clients listed
        :return: the action that follows
        :raise UserError: if there is no such client, or something entered is wrong
        """
        self.ensure_one()
        self = self.with_context(clean_context(self.env.context))  # noqa: PLW0642
        partner = self.env["res.partner"].browse(partner_id).exists()
        if not partner:
            raise UserError(self.env._("This client is not there any more: look again."))
        partner.check_access("write")
        problem = self._get_account_problem()
        if problem:
            raise UserError(problem)
        values = self._prepare_missing_values(partner)
        added = self._prepare_missing_children(partner)
        tags = self.category_ids - partner.category_id
        labels = partner.fields_get(allfields=list(values), attributes=["string"])
        lines = [
            f"{labels[name]['string']}: {self._describe(partner, name, values[name])}"
            for name in values
        ]
        lines += [child["name"] or child["street"] or "" for child in added]
        partner.write(
            values
            | {
                "child_ids": [fields.Command.create(child) for child in added],
                "category_id": [fields.Command.link(tag.id) for tag in tags],
            }
        )
        self._create_account(partner)
        if self.comment and "comment" not in values:
            lines.append(self.comment)
        if lines:
            partner.message_post(
                body=Markup("<p>%s</p><ul>%s</ul>")
                % (
                    self.env._("Completed from a registration:"),
                    Markup().join(Markup("<li>%s</li>") % line for line in lines),
                ),
                subtype_xmlid="mail.mt_note",
            )
        return self._finish(partner)

    def _describe(self, partner, name, value):
        field = partner._fields[name]
        if field.type == "many2one":
            return self.env[field.comodel_name].browse(value).display_name
        return html2plaintext(value) if field.type == "html" else value

    def _prepare_missing_values(self, partner):
        """What was entered and is empty on a known client."""
        entered = self._prepare_client_values()
        for name in ("name", "is_company", "company_id", "crm_duplicate_reason", "parent_id"):
            entered.pop(name, None)
        if any(partner[name] for name in ADDRESS_FIELDS):
            # an address is one whole: half of another one does not complete it
            for name in (*ADDRESS_FIELDS, "state_id"):
                entered.pop(name, None)
        if partner.parent_id and not partner.is_company:
            # its numbers are those of its company
            for name in ("vat", "kpp", "company_registry"):
                entered.pop(name, None)
        if partner.vat and entered.get("vat") and partner.vat != entered["vat"]:
            # another number is another organisation: its other numbers are none of ours
            for name in ("kpp", "company_registry"):
                entered.pop(name, None)
        if not partner.is_company:
            for name in ("crm_legal_name", "crm_head_name", "crm_head_position"):
                entered.pop(name, None)
        return {name: value for name, value in entered.items() if value and not partner[name]}

    def _prepare_missing_children(self, partner):
        """Contacts and addresses that a known client has not got."""
        known = partner.child_ids
        names = {(child.name or "").strip().lower() for child in known}
        emails = set(filter(None, known.mapped("email_normalized")))
        streets = {
            (child.street or "").strip().lower() for child in known if child.type != "contact"
        }
        missing = [
            contact._prepare_partner_values()
            for contact in self.contact_ids
            if (contact.name or "").strip()
            and contact.name.strip().lower() not in names
            and (not contact.email or email_normalize(contact.email) not in emails)
        ]
        return missing + [
            address._prepare_partner_values()
            for address in self.address_ids
            if (address.street or "").strip().lower() not in streets
        ]
