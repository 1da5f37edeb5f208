from odoo import api, models
from odoo.exceptions import UserError
from odoo.tools import format_amount, format_date

from ..tools.document_text import fill_placeholders, find_placeholders


class CrmDocumentSource(models.AbstractModel):
    """A record for which documents are generated from templates: a contract, an offer.

    Every generated document is a new file on the record; earlier ones stay. What a template asks
    for and the record does not have is named first.
    """

    _name = "crm.document.source"
    _description = "Source of Documents"

    @api.model
    def _get_document_kind(self):
        raise NotImplementedError

    @api.model
    def _get_document_labels(self):
        """Placeholders of the templates of this kind.

        :return: mapping of a name to what it stands for, in words
        :rtype: dict[str, str]
        """
        return {
            "company.name": self.env._("Our name"),
            "company.vat": self.env._("Our tax number"),
            "company.address": self.env._("Our address"),
            "client.name": self.env._("Client's name"),
            "client.vat": self.env._("Client's tax number"),
            "client.address": self.env._("Client's address"),
            "client.phone": self.env._("Client's phone"),
            "client.email": self.env._("Client's e-mail"),
            "client.bank": self.env._("Client's bank account"),
            "manager.name": self.env._("Responsible person"),
            "agreement.number": self.env._("Number of the agreement"),
            "agreement.terms": self.env._("Table of the agreed terms"),
            "payment.terms": self.env._("Payment terms"),
            "today": self.env._("Today's date"),
        }

    def _get_document_values(self):
        """What the placeholders stand for on this record; empty where it is not known.

        :rtype: dict
        """
        raise NotImplementedError

    def _prepare_document_values(self, company, client, user, agreement, payment_term):
        client = client.commercial_partner_id
        # sudo: terms of the agreement are printed for the client, like the agreement itself
        agreement_sudo = agreement.sudo()
        # a document shows its author no terms that are a commercial secret for him
        is_open = not self.env["crm.secrecy.rule"]._filter_hidden(agreement)

        def address(partner):
            return partner._display_address(without_company=True).strip().replace("\n", ", ")

        return {
            "company.name": company.name,
            "company.vat": company.vat,
            "company.address": address(company.partner_id),
            "client.name": client.name,
            "client.vat": client.vat,
            "client.address": address(client) if client.city or client.street else "",
            "client.phone": client.phone,
            "client.email": client.email,
            "client.bank": client.bank_ids[:1].display_name,
            "manager.name": user.name,
            "agreement.number": agreement_sudo.name,
            "agreement.terms": self.env["ir.qweb"]._render(
                "crm_extended.crm_document_terms", {"terms": agreement_sudo._get_printed_terms()}
            )
            if agreement_sudo and is_open
            else "",
            "payment.terms": payment_term.sudo().display_name,
            "today": format_date(self.env, self.env.cr.now().date()),
        }

    def _get_missing_data(self, template):
        """What the template asks for and this record does not have, in words."""
        self.ensure_one()
        values = self._get_document_values()
        labels = self._get_document_labels()
        return [labels[name] for name in find_placeholders(template.body) if not values.get(name)]

    def action_generate_document(self):
        """Choose a template and see what is missing."""
        self.ensure_one()
        return self.env["ir.actions.act_window"]._for_xml_id(
            "crm_extended.crm_document_generate_action"
        ) | {
            "context": {
                "default_res_model": self._name,
                "default_res_id": self.id,
                "default_kind": self._get_document_kind(),
            }
        }

    def _check_document_allowed(self):
        """:raise UserError: when the text of this record is settled"""

    def _generate_document(self, template):
        """Print the template for this record and keep the file.

        :return: `ir.attachment` of the PDF (HTML where no printer of PDF is installed)
        """
        self.ensure_one()
        self.check_access("write")
        self._check_document_allowed()
        if template.kind != self._get_document_kind():
            raise UserError(self.env._("Template “%s” is for other documents.", template.name))
        body = fill_placeholders(template.body, self._get_document_values())
        # sudo: reports are read by their definition, the text is made of what the user may read
        content, extension = (
            self.env["ir.actions.report"]
            .sudo()
            ._render_qweb_pdf("crm_extended.report_crm_document", self.ids, data={"body": body})
        )
        Attachment = self.env["ir.attachment"]
        stem = f"{template.name} {self.display_name}".replace("/", "-")
        version = 1 + Attachment.search_count(
            [
                ("res_model", "=", self._name),
                ("res_id", "=", self.id),
                ("description", "=", f"crm.document.template,{template.id}"),
            ]
        )
        attachment = Attachment.create(
            {
                "name": self.env._(
                    "%(name)s, version %(version)s.%(extension)s",
                    name=stem,
                    version=version,
                    extension=extension,
                ),
                "raw": content,
                "res_model": self._name,
                "res_id": self.id,
                "description": f"crm.document.template,{template.id}",
            }
        )
        self.message_post(
            body=self.env._("Document generated: %s", attachment.name),
            attachment_ids=attachment.ids,
            subtype_xmlid="mail.mt_note",
        )
        return attachment


class CrmAgreementContract(models.Model):
    _name = "crm.agreement.contract"
    _inherit = ["crm.agreement.contract", "crm.document.source"]

    @api.model
    def _get_document_kind(self):
        return "contract"

    @api.model
    def _get_document_labels(self):
        return super()._get_document_labels() | {
            "contract.number": self.env._("Number of the contract"),
            "contract.date": self.env._("Date of the contract"),
            "contract.start": self.env._("First day"),
            "contract.end": self.env._("Last day"),
        }

    def _get_document_values(self):
        self.ensure_one()
        return {
            **self._prepare_document_values(
                self.company_id,
                self.partner_id,
                self.user_id,
                self.agreement_id,
                self.payment_term_id or self.agreement_id.sudo().payment_term_id,
            ),
            "contract.number": self.name,
            "contract.date": self.date and format_date(self.env, self.date),
            "contract.start": format_date(self.env, self.date_start),
            "contract.end": self.date_end and format_date(self.env, self.date_end),
        }

    def _check_document_allowed(self):
        if self.state != "draft":
            raise UserError(
                self.env._(
                    "The text of contract %s is settled: return it to draft first.", self.name
                )
            )

    def action_send_to_client(self):
        """Open a letter to the client with the text of an approved contract.

        That is the version which was approved, not whatever was attached afterwards.
        """
        self.ensure_one()
        if self.state not in ("approved", "signed"):
            raise UserError(
                self.env._("Contract %s is sent once it is approved by the lawyers.", self.name)
            )
        document = self.document_id or self._get_approved_file()
        return {
            "type": "ir.actions.act_window",
            "res_model": "mail.compose.message",
            "views": [(False, "form")],
            "target": "new",
            "context": {
                "default_model": self._name,
                "default_res_ids": self.ids,
                "default_composition_mode": "comment",
                "default_partner_ids": self.partner_id.ids,
                "default_subject": self.env._("Contract %s", self.name),
                "default_attachment_ids": document.ids,
            },
        }

    def _get_approved_file(self):
        """The last file that was there when a contract without a chosen text was approved."""
        files = self.attachment_ids.filtered(
            lambda file: not self.approved_on or file.create_date <= self.approved_on
        )
        return files.sorted("id", reverse=True)[:1]

    def _generate_document(self, template):
        attachment = super()._generate_document(template)
        self.document_id = attachment
        return attachment


class SaleOrder(models.Model):
    _name = "sale.order"
    _inherit = ["sale.order", "crm.document.source"]

    @api.model
    def _get_document_kind(self):
        return "offer"

    @api.model
    def _get_document_labels(self):
        return super()._get_document_labels() | {
            "order.number": self.env._("Number of the quotation"),
            "order.date": self.env._("Date of the quotation"),
            "order.valid": self.env._("Offer valid until"),
            "order.total": self.env._("Total with taxes"),
            "order.lines": self.env._("Table of the goods"),
            "deal.name": self.env._("Deal"),
            "contract.number": self.env._("Number of the contract"),
        }

    def _get_document_values(self):
        self.ensure_one()
        return {
            **self._prepare_document_values(
                self.company_id,
                self.partner_id,
                self.user_id,
                self.agreement_id,
                self.payment_term_id,
            ),
            "order.number": self.name,
            "order.date": self.date_order and format_date(self.env, self.date_order),
            "order.valid": self.validity_date and format_date(self.env, self.validity_date),
            "order.total": format_amount(self.env, self.amount_total, self.currency_id),
            "order.lines": self.env["ir.qweb"]._render(
                "crm_extended.crm_document_order_lines", {"order": self}
            )
            if self.order_line
            else "",
            "deal.name": self.opportunity_id.name,
            "contract.number": self.agreement_contract_id.sudo().name,
        }

    def _check_document_allowed(self):
        """An offer past its agreement does not go out, printed or by mail."""
        self._check_sendable()
