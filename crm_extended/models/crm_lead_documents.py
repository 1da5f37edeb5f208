from datetime import datetime

from odoo import api, fields, models
from odoo.tools import format_date


class CrmLead(models.Model):
    """The documents of a deal in one place: what was offered, ordered, invoiced, paid, agreed.

    - Quotations and orders are those of the deal; invoices bill them, payments settle the
      invoices; agreements are those the orders stand under and the client's own ones that are
      not over; supplier orders were made for the deal's orders.
    - Everybody sees the documents that he may read, and no trace of the others. What belongs to
      an application that is not installed is left out.
    - Each kind is described in ``_get_document_kinds``; other add-ons add theirs.
    """

    _inherit = "crm.lead"

    document_count = fields.Integer(string="Documents", compute="_compute_document_count")

    @api.depends_context("uid")
    def _compute_document_count(self):
        # a deal that is being entered has none, one that is being edited those of its record
        stored = self._origin
        counts = dict.fromkeys(stored.ids, 0)
        for kind in stored._get_document_kinds().values() if stored else ():
            if kind["model"] in self.env and self.env[kind["model"]].has_access("read"):
                for lead_id, documents in kind["find"]().items():
                    # a deal that is being entered has no number yet
                    counts[lead_id] = counts.get(lead_id, 0) + len(documents)
        for lead in self:
            lead.document_count = counts.get(lead._origin.id, 0)

    def _get_document_kinds(self):
        """Describe the kinds of documents, in the order in which they are shown.

        :return: kind → dict with ``label``, ``icon`` (Font Awesome), ``model``, ``find`` (a
            callable without arguments that maps ids of the deals in `self` to documents which
            the user may read) and the names of the fields ``date``, ``amount``, ``currency``,
            ``status``; ``colors`` maps statuses to Bootstrap colours, ``detail`` is optional
        :rtype: dict[str, dict]
        """
        order = {
            "model": "sale.order",
            "date": "date_order",
            "amount": "amount_total",
            "currency": "currency_id",
            "status": "state",
            "detail": "client_order_ref",
            "colors": {"draft": "info", "sent": "primary", "sale": "success", "cancel": "muted"},
        }
        return {
            "quotation": order
            | {
                "label": self.env._("Quotations"),
                "icon": "fa-pencil-square-o",
                "find": lambda: self._find_order_documents(["draft", "sent", "cancel"]),
            },
            "order": order
            | {
                "label": self.env._("Orders"),
                "icon": "fa-shopping-cart",
                "find": lambda: self._find_order_documents(["sale"]),
            },
            "invoice": {
                "label": self.env._("Invoices"),
                "icon": "fa-file-text-o",
                "model": "account.move",
                "find": self._find_invoice_documents,
                "date": "invoice_date",
                "amount": "amount_total_in_currency_signed",
                "currency": "currency_id",
                "detail": "ref",
                "status": "status_in_payment",
                "colors": {
                    "draft": "info",
                    "not_paid": "warning",
                    "partial": "warning",
                    "in_payment": "success",
                    "paid": "success",
                    "cancel": "muted",
                },
            },
            "payment": {
                "label": self.env._("Payments"),
                "icon": "fa-money",
                "model": "account.payment",
                "find": self._find_payment_documents,
                "date": "date",
                "amount": "amount_signed",
                "currency": "currency_id",
                "status": "state",
                "detail": "memo",
                "colors": {"draft": "info", "paid": "success", "canceled": "muted"},
            },
            "agreement": {
                "label": self.env._("Agreements"),
                "icon": "fa-handshake-o",
                "model": "crm.agreement",
                "find": self._find_agreement_documents,
                "date": "date_start",
                "amount": None,
                "status": "state",
                "detail": "title",
                "colors": {"draft": "info", "active": "success", "suspended": "warning"},
            },
            "supplier_order": {
                "label": self.env._("Supplier Orders"),
                "icon": "fa-truck",
                "model": "purchase.order",
                "find": self._find_supplier_order_documents,
                "date": "date_order",
                "amount": "amount_total",
                "currency": "currency_id",
                "status": "state",
                "detail": "partner_id",
                "colors": {"draft": "info", "sent": "primary", "purchase": "success"},
            },
        }

    def _find_order_documents(self, states):
        orders = self.env["sale.order"].search(
            [("opportunity_id", "in", self.ids), ("state", "in", states)]
        )
        return orders.grouped(lambda order: order.opportunity_id.id)

    def _find_invoice_documents(self):
        moves = self.env["account.move"].search([("opportunity_ids", "in", self.ids)])
        return {
            lead.id: moves.filtered(lambda m, ld=lead: ld in m.opportunity_ids) for lead in self
        }

    def _find_payment_documents(self):
        payments = {}
        for lead_id, moves in self._find_invoice_documents().items():
            # the rules for payments count, which are not those for invoices
            payments[lead_id] = moves.reconciled_payment_ids._filtered_access("read")
        return payments

    def _get_client_entity(self):
        """The company, or the person without one, who would be party to an agreement."""
        self.ensure_one()
        # Odoo leaves the field of the deal empty where the contact is the company itself
        return self.partner_id.commercial_partner_id or self.commercial_partner_id

    def _find_agreement_documents(self):
        Agreement = self.env["crm.agreement"]
        own = Agreement.search(
            [
                ("kind", "=", "individual"),
                ("commercial_partner_id", "in", [lead._get_client_entity().id for lead in self]),
                ("state", "not in", ["expired", "closed"]),
            ]
        )
        orders = self.env["sale.order"]
        if orders.has_access("read"):
            orders = orders.search([("opportunity_id", "in", self.ids)])
        used = orders.agreement_id._filtered_access("read")
        found = {}
        for lead in self:
            of_lead = orders.filtered(lambda order, ld=lead: order.opportunity_id == ld)
            agreements = of_lead.agreement_id & used
            agreements |= own.filtered(
                lambda agreement, ld=lead: agreement.commercial_partner_id
                == ld._get_client_entity()
                and (not ld.company_id or agreement.company_id == ld.company_id)
            )
            found[lead.id] = agreements
        return found

    def _find_supplier_order_documents(self):
        # sudo: the links only lead to the orders, which are filtered by the user's access
        Link = self.env["crm.supplier.order.link"].sudo()
        found = {}
        for lead, links in Link.search([("lead_id", "in", self.ids)]).grouped("lead_id").items():
            orders_sudo = links._get_purchase_lines().order_id
            found[lead.id] = orders_sudo.sudo(self.env.su)._filtered_access("read")
        return found

    @api.readonly
    def get_documents(self):
        """The documents of this deal that the user may read.

        :return: ``{"name": str, "partner": str, "kinds": [{"kind", "label", "icon", "model",
            "documents": [{"id", "name", "date", "amount", "status", "color", "detail"}]}],
            "can_quote": bool, "can_order_supplies": bool}``; dates and amounts as text in the
            user's language. Kinds without documents are left out.
        :rtype: dict
        """
        self.ensure_one()
        self.check_access("read")
        kinds = []
        for name, kind in self._get_document_kinds().items():
            if kind["model"] not in self.env or not self.env[kind["model"]].has_access("read"):
                continue
            documents = kind["find"]().get(self.id)
            if documents:
                kinds.append(
                    {
                        "kind": name,
                        **{key: kind[key] for key in ("label", "icon", "model")},
                        "documents": [
                            self._prepare_document_values(document, kind) for document in documents
                        ],
                    }
                )
        return {
            "name": self.display_name,
            "partner": self.partner_id.display_name or self.partner_name or "",
            "kinds": kinds,
            "can_quote": self.env["sale.order"].has_access("create"),
            "can_order_supplies": self._can_order_supplies(),
        }

    def _prepare_document_values(self, document, kind):
        """One line of the list of documents."""
        status = document[kind["status"]]
        statuses = dict(document._fields[kind["status"]]._description_selection(self.env))
        date = document[kind["date"]]
        if isinstance(date, datetime):
            date = fields.Datetime.context_timestamp(self, date).date()
        detail = document[kind["detail"]] if kind.get("detail") else ""
        if isinstance(detail, models.BaseModel):
            detail = detail.display_name
        return {
            "id": document.id,
            # a draft has no number yet
            "name": document.name if document.name not in (False, "/") else self.env._("Draft"),
            "date": format_date(self.env, date) if date else "",
            "amount": document[kind["currency"]].format(document[kind["amount"]])
            if kind["amount"]
            else "",
            "status": statuses.get(status, ""),
            "color": kind["colors"].get(status, "secondary"),
            "detail": detail or "",
        }

    def action_view_documents(self):
        """Open the documents of the deal."""
        self.ensure_one()
        action = self.env["ir.actions.actions"]._for_xml_id(
            "crm_extended.crm_lead_documents_action"
        )
        return action | {"context": {"active_id": self.id, "active_model": self._name}}

    def _can_order_supplies(self):
        """Whether the user may order from suppliers what was sold in this deal."""
        self.ensure_one()
        return (
            "purchase.order" in self.env
            and self.env["purchase.order"].has_access("create")
            and self.env["sale.order"].has_access("read")
            and bool(
                self.env["sale.order"].search_count(
                    [("opportunity_id", "=", self.id), ("state", "!=", "cancel")], limit=1
                )
            )
        )

    def action_create_supplier_order(self):
        """Open the dialog in which the deal's order is ordered from suppliers."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Create Supplier Order"),
            "res_model": "crm.supplier.order",
            "view_mode": "form",
            "views": [(False, "form")],
            "target": "new",
            "context": {"default_lead_id": self.id},
        }
