import io
import json
import zipfile
from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import html2plaintext

from ..tools.uploads import MAX_NAME_LENGTH
from .crm_claim_filing import MEGABYTE, PortalFormError

MAX_FILES_SIZE = 50 * MEGABYTE
MAX_ROWS = 5000
EXPORTS_PER_HOUR = 3


class CrmPortalExport(models.AbstractModel):
    """What a customer takes away: the data that he may see in the portal, as JSON, with files.

    Everything is read with his own rights, or from what the portal shows him of his own; nothing
    is in the file that no page shows. Files beyond the size that fits are named, not packed.
    """

    _name = "crm.portal.export"
    _description = "Export of a Customer's Own Data"

    @api.model
    def _check_rate(self, user):
        """:raise PortalFormError: when the customer exports faster than three times an hour"""
        # sudo: the log of notices keeps exports, too
        notices = self.env["crm.portal.notice"].sudo()
        recent = notices.search_count(
            [
                ("res_model", "=", "res.users"),
                ("res_id", "=", user.id),
                ("event", "=", "export"),
                ("date", ">", fields.Datetime.now() - timedelta(hours=1)),
            ]
        )
        if recent >= EXPORTS_PER_HOUR:
            raise PortalFormError(
                {"form": self.env._("You have exported your data several times just now. Please"
                                    " try again in an hour.")}
            )  # fmt: skip
        notices._claim(user, "export", fields.Datetime.to_string(fields.Datetime.now()))

    @api.model
    def _make_zip(self):
        """The data of the signed-in customer.

        :rtype: bytes
        """
        data, attachments = self._collect()
        stream = io.BytesIO()
        total, left_out, names = 0, [], set()
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
            for folder, attachment in attachments:
                total += attachment.file_size or 0
                name = self._get_file_name(folder, attachment, names)
                if total > MAX_FILES_SIZE:
                    left_out.append(name)
                else:
                    archive.writestr(name, attachment.raw or b"")
            if left_out:
                data["files_left_out"] = left_out
            archive.writestr(
                "data.json", json.dumps(data, ensure_ascii=False, indent=1, default=str)
            )
        return stream.getvalue()

    @api.model
    def _get_file_name(self, folder, attachment, names):
        """A safe name within the archive, given once."""
        name = "".join(
            char if char.isalnum() or char in "-_. " else "_" for char in attachment.name or "file"
        ).strip(". ")[-MAX_NAME_LENGTH:]
        path = f"files/{folder}/{attachment.id}-{name or 'file'}".replace("//", "/")
        names.add(path)
        return path

    @api.model
    def _collect(self):
        """Gather the data.

        :return: dict for JSON, and list of (folder, ir.attachment as superuser)
        """
        user = self.env.user
        files = []
        data = {
            "exported_on": fields.Datetime.now(),
            "me": self._read(user.partner_id.sudo(), ("name", "email", "phone", "function", "lang",
                                                      "tz", "street", "street2", "zip", "city")),
            "login": user.login,
            "company": self._read(
                user.partner_id.commercial_partner_id.sudo(),
                ("name", "vat", "email", "phone", "website", "street", "street2", "zip", "city"),
            ),
            "orders": self._collect_orders(user),
            "invoices": self._collect_invoices(user, files),
            "agreements": self._collect_agreements(),
            "claims": self._collect_claims(files),
            "appointments": [
                self._read(row, ("subject", "kind", "state", "date_start", "duration"))
                for row in self.env["crm.interaction"].sudo().search(
                    [("portal_request_partner_id", "=", user.partner_id.id)], limit=MAX_ROWS)
            ],
            "surveys": [
                self._read(row, ("trigger", "date_sent", "date_answered", "csi", "nps_mark",
                                 "comment"))
                for row in self.env["crm.portal.feedback"].sudo().search(
                    [("partner_id", "=", user.partner_id.id), ("state", "!=", "skipped")],
                    limit=MAX_ROWS)
            ],
            "requested_changes": [
                self._read(row, ("kind", "state", "create_date", "note", "answer"))
                | {"lines": [self._read(line, ("field_name", "old_value", "new_value"))
                             for line in row.line_ids]}
                for row in self.env["crm.portal.change"].sudo().search(
                    [("requested_by_id", "=", user.partner_id.id)], limit=MAX_ROWS)
            ],
            "notices": [
                self._read(row, ("event", "by_mail", "by_sms"))
                for row in self.env["crm.portal.notice.choice"].sudo().search(
                    [("partner_id", "=", user.partner_id.id)])
            ],
        }  # fmt: skip
        return data, files

    @api.model
    def _read(self, record, names):
        """Plain values of named fields."""
        values = {}
        for name in names:
            value = record[name]
            if record._fields[name].relational:
                value = value.sudo().display_name or None
            values[name] = value if value is not False or record._fields[
                name].type == "boolean" else None  # fmt: skip
        return values

    @api.model
    def _collect_orders(self, user):
        orders = self.env["sale.order"]
        if not orders.has_access("read"):
            return []
        # with his own rights; the lines belong to the orders that these let through
        orders = orders.search(
            [
                ("partner_id", "child_of", user.partner_id.commercial_partner_id.ids),
                "|", ("state", "in", ("sent", "sale")), ("is_portal_request", "=", True),
            ],
            limit=MAX_ROWS,
        )  # fmt: skip
        return [
            self._read(order, ("name", "state", "date_order", "partner_id", "amount_untaxed",
                               "amount_total", "currency_id", "client_order_ref"))
            | {"lines": [self._read(line, ("name", "product_uom_qty", "qty_delivered",
                                           "price_unit", "discount", "price_total"))
                         for line in order.order_line]}
            for order in orders.sudo()
        ]  # fmt: skip

    @api.model
    def _collect_invoices(self, user, files):
        invoices = self.env["account.move"]
        if not invoices.has_access("read"):
            return []
        invoices = invoices.search(
            [
                ("partner_id", "child_of", user.partner_id.commercial_partner_id.ids),
                ("move_type", "in", ("out_invoice", "out_refund", "out_receipt")),
                ("state", "=", "posted"),
            ],
            limit=MAX_ROWS,
        ).sudo()
        files += [("invoices", invoice.invoice_pdf_report_id) for invoice in invoices
                  if invoice.invoice_pdf_report_id]  # fmt: skip
        return [
            self._read(invoice, ("name", "move_type", "invoice_date", "invoice_date_due",
                                 "amount_total", "amount_residual", "currency_id"))
            for invoice in invoices
        ]  # fmt: skip

    @api.model
    def _collect_agreements(self):
        agreements = self.env["crm.agreement"]
        if not agreements.has_access("read"):
            return []
        return [
            {"number": agreement.name, "title": agreement.title or None,
             "terms": agreement._portal_get_terms()}
            for agreement in agreements.search(agreements._portal_get_domain(), limit=MAX_ROWS)
        ]  # fmt: skip

    @api.model
    def _collect_claims(self, files):
        claims = self.env["crm.claim"]
        if not claims.has_access("read"):
            return []
        result = []
        claims = claims.search([], limit=MAX_ROWS)
        messages_sudo = self.env["mail.message"].sudo()
        by_claim = messages_sudo.search(
            claims.sudo()._portal_get_message_domain(), order="id"
        ).grouped("res_id")
        for claim in claims:
            messages = by_claim.get(claim.id, messages_sudo)
            files += [(f"claims/{claim.id}", attachment) for attachment in messages.attachment_ids]
            result.append(
                self._read(claim, ("name", "subject", "remedy", "date_registered", "date_promised",
                                   "date_closed", "customer_answer", "customer_answer_reason"))
                | {
                    "description": html2plaintext(claim.description or ""),
                    "status": claim._portal_get_status()["label"],
                    "messages": [
                        {"date": message.date,
                         # sudo: as the page names us, by the company's setting
                         "author": claim.sudo()._portal_get_author(message)["name"] or None,
                         "text": html2plaintext(message.body or "")}
                        for message in messages
                    ],
                }
            )  # fmt: skip
        return result
