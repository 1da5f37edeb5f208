from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Command
from odoo.tools import float_is_zero, plaintext2html

from ..tools import uploads

MAX_SUBJECT_LENGTH = 120
MAX_TEXT_LENGTH = 10_000
MEGABYTE = 1024 * 1024


class PortalFormError(ValidationError):
    """What is wrong with a form sent by a customer: one message for each field."""

    def __init__(self, errors):
        super().__init__("\n".join(errors.values()))
        self.errors = errors


class CrmClaim(models.Model):
    """Filing of a claim by the customer himself.

    The portal passes the raw content of its form; everything in it is checked here against what
    the signed-in user is entitled to, and either a complete claim with its lines, files and
    acknowledgement comes out, or nothing is written and each wrong field has its message. A form
    sent twice (a nervous thumb, a network that answers late) gives one claim.
    """

    _inherit = "crm.claim"

    portal_form_key = fields.Char(
        copy=False,
        readonly=True,
        help="Identifies the portal form from which the claim came, so that it is not filed twice.",
    )

    _portal_form_key_unique = models.UniqueIndex(
        "(portal_form_key) WHERE portal_form_key IS NOT NULL",
        "This claim has already been received.",
    )

    # ------------------------------------------------------------
    # Values of the form
    # ------------------------------------------------------------

    @api.model
    def _portal_get_remedies(self):
        """What a customer may ask for: value and label, in the order of the form."""
        return self._fields["remedy"]._description_selection(self.env)

    @api.model
    def _portal_clean_text(self, value, limit):
        """Trim, drop the characters that a database cannot hold, cut at ``limit``."""
        value = value if isinstance(value, str) else ""
        value = "".join(char for char in value if char >= " " or char in "\n\t")
        return value.strip()[:limit]

    @api.model
    def _portal_parse_quantity(self, value):
        """Read a quantity typed by a person: decimal point or comma.

        :return: a number above zero, or ``None`` when it is not one
        :rtype: float | None
        """
        try:
            quantity = float(str(value).strip().replace(",", "."))
        except ValueError:
            return None
        return quantity if 0 < quantity < 1e9 else None

    @api.model
    def _portal_check_values(self, partner, post):
        """Turn the content of the filing form into values of a claim.

        :param partner: res.partner, contact who files
        :param dict post: untrusted; the keys read are ``subject``, ``description``, ``remedy``,
            ``order_id``, and for each order line concerned its ``quantity_<id>``
        :return: values for ``create``
        :raise PortalFormError: with a message for each wrong field
        """
        errors = {}
        values = {
            "subject": self._portal_clean_text(post.get("subject"), MAX_SUBJECT_LENGTH),
            "remedy": post.get("remedy"),
            "channel": "portal",
            "partner_id": partner.id,
        }
        values["subject"] = " ".join(values["subject"].split())
        if not values["subject"]:
            errors["subject"] = self.env._("Please tell us in a few words what it is about.")
        description = self._portal_clean_text(post.get("description"), MAX_TEXT_LENGTH)
        values["description"] = plaintext2html(description)
        if not description:
            errors["description"] = self.env._("Please describe what happened.")
        if values["remedy"] not in dict(self._portal_get_remedies()):
            errors["remedy"] = self.env._("Please choose what you would like us to do.")
        if post.get("order_id"):
            order_sudo = self._portal_find_order(partner, post["order_id"])
            if order_sudo:
                values["order_id"] = order_sudo.id
                values["company_id"] = order_sudo.company_id.id
                lines, line_errors = self._portal_check_lines(order_sudo, post)
                values["line_ids"] = [Command.create(line) for line in lines]
                errors.update(line_errors)
            else:
                errors["order_id"] = self.env._("Please choose one of your own orders.")
        if not values.get("company_id"):
            values["company_id"] = self.env.user.company_id.id
        if errors:
            raise PortalFormError(errors)
        return values

    @api.model
    def _portal_find_order(self, partner, order_id):
        """Confirmed order of the customer's company by its id as typed; empty when not his."""
        orders_sudo = self.env["sale.order"].sudo()
        order_id = str(order_id)
        if not (order_id.isascii() and order_id.isdigit() and len(order_id) < 10):
            return orders_sudo
        return orders_sudo.search(
            [
                ("id", "=", int(order_id)),
                ("company_id", "in", self.env.user.company_ids.ids),
                *orders_sudo._portal_get_claimable_domain(partner),
            ]
        )

    @api.model
    def _portal_check_lines(self, order_sudo, post):
        """Values of the claim lines for the order lines with a quantity, and the errors."""
        lines, errors = [], {}
        for claimable in order_sudo._portal_get_claimable_lines():
            line_sudo = claimable["line"]
            field = f"quantity_{line_sudo.id}"
            if (post.get(field) or "").strip() in ("", "0"):
                continue
            quantity = self._portal_parse_quantity(post[field])
            rounding = line_sudo.product_uom_id.rounding
            if quantity is None or float_is_zero(quantity, precision_rounding=rounding):
                errors[field] = self.env._("Please enter how many pieces are concerned.")
            elif not line_sudo._portal_is_quantity_claimable(quantity, claimable["available"]):
                errors[field] = self.env._(
                    "You can claim at most %(available)s: %(sold)s bought, %(claimed)s already"
                    " claimed.",
                    available=self._portal_format_quantity(claimable["available"]),
                    sold=self._portal_format_quantity(claimable["sold"]),
                    claimed=self._portal_format_quantity(claimable["claimed"]),
                )
            else:
                lines.append(self._portal_prepare_line_values(line_sudo, quantity))
        return lines, errors

    @api.model
    def _portal_prepare_line_values(self, line_sudo, quantity):
        return {
            "order_line_id": line_sudo.id,
            "product_id": line_sudo.product_id.id,
            "quantity": quantity,
        }

    @api.model
    def _portal_format_quantity(self, quantity):
        """12.0 -> "12", 1.50 -> "1.5"."""
        return f"{quantity:.3f}".rstrip("0").rstrip(".")

    # ------------------------------------------------------------
    # Files
    # ------------------------------------------------------------

    @api.model
    def _portal_check_files(self, files, company):
        """Accept the files of one message, or say what is wrong with them.

        :param files: iterable of werkzeug ``FileStorage``; nothing they say of themselves is
            believed
        :param company: res.company whose limits hold
        :return: ``(name, content, media type)`` of each file
        :raise PortalFormError: under the key ``files``
        """
        max_size = company.sudo().portal_claim_max_file_size * MEGABYTE
        max_files = company.sudo().portal_claim_max_files
        contents = []
        for file in [file for file in files if file and file.filename][: max_files + 1]:
            file.stream.seek(0)  # the request may be a repetition after a database conflict
            contents.append((file.filename, file.stream.read(max_size + 1)))
        return self._portal_check_contents(contents, company)

    @api.model
    def _portal_check_contents(self, contents, company):
        """The same for files that have been read already.

        :param contents: list of ``(name, bytes)``, untrusted
        """
        company = company.sudo()
        max_size = company.portal_claim_max_file_size * MEGABYTE
        max_total = company.portal_claim_max_total_size * MEGABYTE
        problems = []
        if len(contents) > company.portal_claim_max_files:
            problems.append(
                self.env._(
                    "Please send no more than %(count)s files at once.",
                    count=company.portal_claim_max_files,
                )
            )
            contents = []
        accepted, total = [], 0
        for filename, content in contents:
            name = self._portal_clean_text(filename, uploads.MAX_NAME_LENGTH)
            total += len(content)
            mimetype = None
            if len(content) > max_size:
                problems.append(
                    self.env._(
                        "%(name)s is larger than %(size)s MB. Please send a smaller file.",
                        name=name,
                        size=company.portal_claim_max_file_size,
                    )
                )
            elif not content:
                problems.append(self.env._("%(name)s is empty.", name=name))
            elif not (mimetype := uploads.sniff(content)):
                problems.append(
                    self.env._(
                        "%(name)s cannot be accepted. Please send photos, PDF, office documents"
                        " or plain text.",
                        name=name,
                    )
                )
            if mimetype and total <= max_total:
                accepted.append((uploads.safe_name(filename, mimetype), content, mimetype))
        if total > max_total:
            problems.append(
                self.env._(
                    "All files together are larger than %(size)s MB. Please send fewer or smaller"
                    " files.",
                    size=company.portal_claim_max_total_size,
                )
            )
        if problems:
            raise PortalFormError({"files": " ".join(problems)})
        return accepted

    def _portal_attach_files(self, files):
        """Store accepted files, to be handed to the next message of the claim.

        :param files: what :meth:`_portal_check_files` returned
        :return: ir.attachment records, as superuser; the message links them to the claim
        """
        self.ensure_one()
        return (
            self.env["ir.attachment"]
            .sudo()
            .create(
                [
                    {
                        "name": name,
                        "raw": content,
                        "mimetype": mimetype,
                        "res_model": "mail.compose.message",
                        "res_id": 0,
                    }
                    for name, content, mimetype in files
                ]
            )
        )

    def _portal_post_message(self, partner, body, files=()):
        """Post what the customer wrote and sent, under his own name.

        :param partner: res.partner, author
        :param str body: plain text
        :param files: what :meth:`_portal_check_files` returned
        :return: mail.message
        """
        self.ensure_one()
        self._portal_check_post_rate(partner.id)
        claim_sudo = self.sudo().with_context(
            mail_post_autofollow_author_skip=True, mail_post_autofollow=False
        )
        return claim_sudo.message_post(
            body=body,
            author_id=partner.id,
            message_type="comment",
            subtype_xmlid="mail.mt_comment",
            attachment_ids=self._portal_attach_files(files).ids,
        )

    # ------------------------------------------------------------
    # Filing
    # ------------------------------------------------------------

    @api.model
    def _portal_check_rate(self, partner):
        """Refuse a customer who files claims faster than the company allows.

        :raise PortalFormError: under the key ``form``
        """
        limit = self.env.user.company_id.sudo().portal_claims_per_hour
        recent = self.sudo().search_count(
            [
                ("partner_id", "=", partner.id),
                ("create_uid", "=", self.env.uid),
                ("portal_form_key", "!=", False),
                ("create_date", ">", fields.Datetime.now() - timedelta(hours=1)),
            ],
            limit=limit + 1,
        )
        if recent >= limit:
            raise PortalFormError(
                {
                    "form": self.env._(
                        "You have filed %(count)s claims within the last hour, which is as many as"
                        " we accept. Please try again later, or write to us on one of your claims.",
                        count=recent,
                    )
                    if limit
                    else self.env._(
                        "Claims cannot be filed here at the moment. Please write or call us."
                    )
                }
            )

    @api.model
    def _portal_file_claim(self, post, files, form_key):
        """File the claim of the signed-in portal user.

        :param dict post: content of the form, untrusted (see :meth:`_portal_check_values`)
        :param files: iterable of werkzeug ``FileStorage``
        :param str form_key: identifies the form as shown; the same key never gives a second claim
        :return: crm.claim as superuser, new or the one that this form gave before
        :raise PortalFormError: nothing is written then
        """
        user = self.env.user
        key = f"{user.id}:{self._portal_clean_text(form_key, 64)}"
        if form_key and (previous := self.sudo().search([("portal_form_key", "=", key)])):
            subject = self._portal_clean_text(post.get("subject"), MAX_SUBJECT_LENGTH)
            if previous.subject != " ".join(subject.split()):
                raise PortalFormError(
                    {
                        "form": self.env._(
                            "This form has already been sent: it is your claim %(claim)s. For"
                            " another problem please open a new form.",
                            claim=previous.name,
                        )
                    }
                )
            return previous
        # One user's forms are handled one after the other: a second one fails here at once, and
        # the server repeats it when the first is through, with its result in sight.
        self.env.cr.execute(
            "SELECT id FROM res_users WHERE id = %s FOR NO KEY UPDATE NOWAIT", [user.id]
        )
        self._portal_check_rate(user.partner_id)
        errors, values, accepted = {}, {}, []
        try:
            values = self._portal_check_values(user.partner_id, post)
        except PortalFormError as error:
            errors.update(error.errors)
        try:
            accepted = self._portal_check_files(files, user.company_id)
        except PortalFormError as error:
            errors.update(error.errors)
        if not form_key:
            errors["form"] = self.env._("This page is out of date. Please send the form again.")
        if errors:
            raise PortalFormError(errors)
        claim_sudo = self.sudo().create(values | {"portal_form_key": key})
        if accepted:
            claim_sudo._portal_post_message(
                user.partner_id, self.env._("Files sent with the claim"), accepted
            )
        claim_sudo._send_acknowledgement()
        return claim_sudo
