import json

from odoo import api, fields, models
from odoo.tools import SQL
from werkzeug.urls import url_encode

from ..tools.workbook import build_workbook


class OrderIds:
    """Orders whose money is read; an object of the server, so that no client can send one."""

    def __init__(self, ids):
        self.ids = ids


class CrmSaleDealReport(models.Model):
    """What each order was worth and what became of it, by deal and agreement.

    One row per order that is confirmed or has invoices. All amounts are in the currency of the
    company and include taxes, except the untaxed order value:

    - *ordered*: the confirmed order, at the exchange rate of the order;
    - *invoiced*: posted invoices; *credited*: posted credit notes, as a positive amount;
    - *paid*: what settled the invoices other than credit notes, less what was paid back on credit
      notes, at the rate of the invoice;
    - *open*: what is left to pay; *overdue*: the part of it whose due date is over;
    - *deviation*: what approved and recorded deviations in price and discount gave away, at the
      exchange rate of the order.

    So *invoiced* = *paid* + *open* + what credit notes settled.

    An invoice of several orders is divided by the amounts of its lines with taxes; lines that come
    from no order belong to none. Lines and reconciliations are summed up per invoice before they
    are joined, so that no figure is multiplied by a join.

    The joins of the money are all to sums by order, so that PostgreSQL leaves them out of a
    question that does not ask for money; a page of the list sums up the documents of its own orders
    only.
    """

    _name = "crm.sale.deal.report"
    _description = "Sales by Deal and Agreement"
    _auto = False
    _rec_name = "order_id"
    _order = "date desc, id desc"
    _depends = {
        "sale.order": [
            "agreement_contract_id",
            "agreement_id",
            "amount_total",
            "amount_untaxed",
            "company_id",
            "currency_rate",
            "date_order",
            "opportunity_id",
            "partner_id",
            "state",
            "team_id",
            "user_id",
        ],
        "sale.order.line": ["invoice_lines", "order_id"],
        "account.move": [
            "amount_total",
            "amount_total_signed",
            "invoice_currency_rate",
            "move_type",
            "state",
        ],
        "account.move.line": [
            "account_id",
            "amount_residual",
            "date_maturity",
            "display_type",
            "price_total",
        ],
        "account.partial.reconcile": ["amount", "credit_move_id", "debit_move_id"],
        "crm.agreement.deviation": ["amount", "kind", "order_id", "state"],
        "crm.agreement": ["segment_id"],
        "res.partner": ["commercial_partner_id"],
    }

    order_id = fields.Many2one("sale.order", "Order", readonly=True)
    date = fields.Date("Order Date", readonly=True)
    state = fields.Selection(
        [
            ("draft", "Quotation"),
            ("sent", "Quotation Sent"),
            ("sale", "Sales Order"),
            ("cancel", "Cancelled"),
        ],
        "Order Status",
        readonly=True,
    )
    opportunity_id = fields.Many2one("crm.lead", "Deal", readonly=True)
    agreement_id = fields.Many2one("crm.agreement", "Agreement", readonly=True)
    agreement_contract_id = fields.Many2one("crm.agreement.contract", "Contract", readonly=True)
    segment_id = fields.Many2one("crm.segment", "Segment of the Agreement", readonly=True)
    partner_id = fields.Many2one("res.partner", "Contact", readonly=True)
    commercial_partner_id = fields.Many2one("res.partner", "Client", readonly=True)
    user_id = fields.Many2one("res.users", "Salesperson", readonly=True)
    team_id = fields.Many2one("crm.team", "Sales Team", readonly=True)
    company_id = fields.Many2one("res.company", "Company", readonly=True)
    currency_id = fields.Many2one("res.currency", "Currency", readonly=True)
    amount_ordered_untaxed = fields.Monetary("Ordered, Untaxed", readonly=True)
    amount_ordered = fields.Monetary("Ordered", readonly=True)
    amount_invoiced = fields.Monetary("Invoiced", readonly=True)
    amount_credited = fields.Monetary("Credited", readonly=True)
    amount_paid = fields.Monetary("Paid", readonly=True)
    amount_open = fields.Monetary("Open", readonly=True)
    amount_overdue = fields.Monetary("Overdue", readonly=True)
    amount_deviation = fields.Monetary(
        "Deviation", readonly=True, help="Given away beyond the agreement, by approval or warning."
    )

    @property
    def _table_query(self):
        return SQL(
            """
            SELECT %(select)s
              FROM sale_order so
              JOIN res_company company ON company.id = so.company_id
              JOIN res_currency currency ON currency.id = company.currency_id
              JOIN res_partner partner ON partner.id = so.partner_id
         LEFT JOIN (%(order_money)s) money ON money.order_id = so.id
         LEFT JOIN (%(order_deviation)s) deviation ON deviation.order_id = so.id
         LEFT JOIN crm_agreement agreement ON agreement.id = so.agreement_id
             WHERE so.state = 'sale' OR EXISTS (
                    SELECT 1
                      FROM sale_order_line order_line
                      JOIN sale_order_line_invoice_rel rel ON rel.order_line_id = order_line.id
                      JOIN account_move_line line ON line.id = rel.invoice_line_id
                      JOIN account_move move ON move.id = line.move_id
                     WHERE order_line.order_id = so.id AND %(is_billed)s
                    OFFSET 0  -- look it up for the few other orders, not for all at once
                   )
            """,
            order_money=self._get_order_money_query(),
            order_deviation=self._get_order_deviation_query(),
            is_billed=self._get_billed_condition(),
            select=SQL(", ").join(
                SQL("%s AS %s", expression, SQL.identifier(name))
                for name, expression in self._get_columns().items()
            ),
        )

    # ------------------------------------------------------------------
    # A page of the list reads the money of its own orders only
    # ------------------------------------------------------------------

    @api.model
    def search_fetch(self, domain, field_names=None, offset=0, limit=None, order=None):
        # Rows are found first, which PostgreSQL does without the money unless it is asked about.
        records = super().search_fetch(domain, [], offset=offset, limit=limit, order=order)
        if field_names is None or field_names:
            records.fetch(field_names)
        return records

    def fetch(self, field_names=None):
        narrow = self.with_context(crm_sale_deal_report_orders=OrderIds(self.ids))
        return super(CrmSaleDealReport, narrow).fetch(field_names)

    def _get_narrow_condition(self, column):
        """Condition that a document line belongs to the orders that are being read, if only some.

        Every order of such a line is kept, because the line is divided between them.
        """
        orders = self.env.context.get("crm_sale_deal_report_orders")
        if type(orders) is not OrderIds:
            return SQL("TRUE")
        return SQL(
            """
            %s IN (
                SELECT rel.invoice_line_id
                  FROM sale_order_line_invoice_rel rel
                  JOIN sale_order_line order_line ON order_line.id = rel.order_line_id
                 WHERE order_line.order_id = ANY(%s)
            )
            """,
            column,
            list(orders.ids),
        )

    def _get_columns(self):
        """Columns of the report; other add-ons extend it.

        :return: mapping of field names to SQL expressions over `so`, `company`,
            `currency`, `partner`, `money`, `deviation`, `agreement`
        :rtype: dict[str, SQL]
        """
        columns = {
            "id": SQL("so.id"),
            "order_id": SQL("so.id"),
            "date": SQL("so.date_order::date"),
            "state": SQL("so.state"),
            "opportunity_id": SQL("so.opportunity_id"),
            "agreement_id": SQL("so.agreement_id"),
            "agreement_contract_id": SQL("so.agreement_contract_id"),
            "segment_id": SQL("agreement.segment_id"),
            "partner_id": SQL("so.partner_id"),
            "commercial_partner_id": SQL("partner.commercial_partner_id"),
            "user_id": SQL("so.user_id"),
            "team_id": SQL("so.team_id"),
            "company_id": SQL("so.company_id"),
            "currency_id": SQL("company.currency_id"),
        }
        for name, column in (
            ("amount_ordered_untaxed", "amount_untaxed"),
            ("amount_ordered", "amount_total"),
        ):
            columns[name] = SQL(
                "CASE WHEN so.state = 'sale' "
                "THEN ROUND((so.%s / COALESCE(NULLIF(so.currency_rate, 0), 1))::numeric, "
                "COALESCE(currency.decimal_places, 2)) ELSE 0 END",
                SQL.identifier(column),
            )
        columns["amount_deviation"] = SQL(
            "ROUND((COALESCE(deviation.amount, 0) / COALESCE(NULLIF(so.currency_rate, 0), 1))"
            "::numeric, COALESCE(currency.decimal_places, 2))"
        )
        for name in ("invoiced", "credited", "paid", "open", "overdue"):
            columns[f"amount_{name}"] = SQL("COALESCE(money.%s, 0)", SQL.identifier(name))
        return columns

    def _get_billed_condition(self):
        """What counts as billed, over `move` and `line`: lines of posted customer documents."""
        return SQL(
            "move.state = 'posted' AND line.display_type = 'product' "
            "AND move.move_type IN ('out_invoice', 'out_receipt', 'out_refund')"
        )

    def _get_order_move_query(self):
        """Share of each order in each posted customer document, in the document's currency.

        A document line that bills several order lines counts in equal parts for them.
        """
        return SQL(
            """
            SELECT order_line.order_id, line.move_id,
                   SUM(line.price_total / COALESCE(shared.links, 1)) AS amount
              FROM sale_order_line_invoice_rel rel
              JOIN sale_order_line order_line ON order_line.id = rel.order_line_id
              JOIN account_move_line line ON line.id = rel.invoice_line_id
              JOIN account_move move ON move.id = line.move_id
         LEFT JOIN (
                    SELECT invoice_line_id, COUNT(*) AS links
                      FROM sale_order_line_invoice_rel
                     WHERE %(narrow_shared)s
                  GROUP BY invoice_line_id
                    HAVING COUNT(*) > 1
                   ) shared ON shared.invoice_line_id = rel.invoice_line_id
             WHERE %(is_billed)s AND %(narrow)s
          GROUP BY order_line.order_id, line.move_id
            """,
            is_billed=self._get_billed_condition(),
            narrow=self._get_narrow_condition(SQL("rel.invoice_line_id")),
            narrow_shared=self._get_narrow_condition(SQL("invoice_line_id")),
        )

    def _get_due_query(self):
        """What became of each customer document, in company currency.

        `offset_amount` is what invoices and credit notes settled among themselves.
        """
        orders = self.env.context.get("crm_sale_deal_report_orders")
        narrow = SQL("TRUE")
        if type(orders) is OrderIds:
            narrow = SQL(
                "line.move_id IN (SELECT billed.move_id FROM account_move_line billed WHERE %s)",
                self._get_narrow_condition(SQL("billed.id")),
            )
        return SQL(
            """
            SELECT line.move_id,
                   SUM(line.amount_residual) AS residual,
                   SUM(line.amount_residual) FILTER (
                       WHERE COALESCE(line.date_maturity, line.date) < CURRENT_DATE
                   ) AS overdue,
                   SUM(COALESCE(by_credit.amount, 0) + COALESCE(by_debit.amount, 0))
                       AS offset_amount
              FROM account_move_line line
         LEFT JOIN (%(by_credit)s) by_credit ON by_credit.line_id = line.id
         LEFT JOIN (%(by_debit)s) by_debit ON by_debit.line_id = line.id
             WHERE line.account_id = ANY(%(accounts)s) AND %(narrow)s
          GROUP BY line.move_id
            """,
            narrow=narrow,
            # named one by one, so that PostgreSQL knows how many of the lines they have
            accounts=self._get_receivable_account_ids(),
            by_credit=self._get_offset_query("debit_move_id", "credit_move_id"),
            by_debit=self._get_offset_query("credit_move_id", "debit_move_id"),
        )

    def _get_receivable_account_ids(self):
        # sudo: whoever reads sales need not read the chart of accounts
        Account_sudo = self.env["account.account"].sudo().with_context(active_test=False)
        return Account_sudo.search([("account_type", "=", "asset_receivable")]).ids

    def _get_offset_query(self, own, other):
        """Sums by journal item of what other customer documents settled of it.

        :param str own: column of the reconciliation that names the item
        :param str other: column that names what settled it
        """
        return SQL(
            """
            SELECT partial.%(own)s AS line_id, SUM(partial.amount) AS amount
              FROM account_partial_reconcile partial
              JOIN account_move_line other ON other.id = partial.%(other)s
              JOIN account_move other_move ON other_move.id = other.move_id
             WHERE other_move.move_type IN ('out_invoice', 'out_receipt', 'out_refund')
          GROUP BY partial.%(own)s
            """,
            own=SQL.identifier(own),
            other=SQL.identifier(other),
        )

    def _get_order_money_query(self):
        """Money of each order: its share of each document, and of what became of the document."""
        return SQL(
            """
            SELECT share.order_id,
                   SUM(share.total) FILTER (WHERE share.move_type != 'out_refund') AS invoiced,
                   SUM(-share.total) FILTER (WHERE share.move_type = 'out_refund') AS credited,
                   SUM(share.part * (
                       share.amount_total_signed - COALESCE(share.residual, 0)
                       - CASE WHEN share.move_type = 'out_refund' THEN -1 ELSE 1 END
                         * COALESCE(share.offset_amount, 0)
                   )) AS paid,
                   SUM(share.part * COALESCE(share.residual, 0))
                       FILTER (WHERE share.move_type != 'out_refund') AS open,
                   SUM(share.part * COALESCE(share.overdue, 0))
                       FILTER (WHERE share.move_type != 'out_refund') AS overdue
              FROM (
                    SELECT order_move.order_id, move.move_type, move.amount_total_signed,
                           due.residual, due.overdue, due.offset_amount,
                           COALESCE(order_move.amount / NULLIF(move.amount_total, 0), 0) AS part,
                           CASE WHEN move.amount_total != 0
                                THEN order_move.amount / move.amount_total
                                     * move.amount_total_signed
                                ELSE CASE WHEN move.move_type = 'out_refund' THEN -1 ELSE 1 END
                                     * order_move.amount
                                     / COALESCE(NULLIF(move.invoice_currency_rate, 0), 1)
                           END AS total
                      FROM (%(order_move)s) order_move
                      JOIN account_move move ON move.id = order_move.move_id
                 LEFT JOIN (%(due)s) due ON due.move_id = order_move.move_id
                   ) share
          GROUP BY share.order_id
            """,
            order_move=self._get_order_move_query(),
            due=self._get_due_query(),
        )

    def _get_order_deviation_query(self):
        """What deviations that were let pass gave away on each order, in its currency."""
        return SQL(
            """
            SELECT order_id, SUM(amount) AS amount
              FROM crm_agreement_deviation
             WHERE state IN ('approved', 'recorded') AND kind IN ('price', 'discount')
          GROUP BY order_id
            """
        )

    # ------------------------------------------------------------------
    # Actions
    # ------------------------------------------------------------------

    @api.readonly
    def action_open_order(self):
        """Open the order of this row."""
        self.ensure_one()
        return self.order_id._get_records_action()

    @api.readonly
    def action_open_invoices(self):
        """Open the posted invoices and credit notes behind the figures of these rows."""
        moves = self.order_id.invoice_ids.filtered(lambda move: move.state == "posted")
        return moves._get_records_action(name=self.env._("Invoices"))

    @api.readonly
    def action_export_xlsx(self):
        """Download the marked rows, or all that the search shows, as a workbook."""
        domain = [("id", "in", self.ids)] if self else self.env.context.get("active_domain", [])
        query = url_encode({"domain": json.dumps(domain)})
        return {
            "type": "ir.actions.act_url",
            "url": f"/crm_extended/sales_by_deal.xlsx?{query}",
            "target": "self",
        }

    # ------------------------------------------------------------------
    # Workbook
    # ------------------------------------------------------------------

    @api.model
    def _get_export_fields(self):
        """Fields of the workbook, in the order of its columns."""
        return [
            "date",
            "order_id",
            "state",
            "opportunity_id",
            "agreement_id",
            "agreement_contract_id",
            "commercial_partner_id",
            "user_id",
            "team_id",
            "company_id",
            "currency_id",
            "amount_ordered_untaxed",
            "amount_ordered",
            "amount_invoiced",
            "amount_credited",
            "amount_paid",
            "amount_open",
            "amount_overdue",
            "amount_deviation",
        ]

    def _export_xlsx(self):
        """:return: the rows of `self` as an xlsx file
        :rtype: bytes
        """
        names = self._get_export_fields()
        columns = [
            (
                str(self._fields[name]._description_string(self.env)),
                {"date": "date", "monetary": "money"}.get(self._fields[name].type, "text"),
            )
            for name in names
        ]
        rows = [[record._get_export_value(name) for name in names] for record in self]
        return build_workbook(self.env._("Sales by Deal and Agreement"), columns, rows)

    def _get_export_value(self, name):
        field = self._fields[name]
        # sudo: names of documents are shown in lists as well, whether or not they may be opened
        value = self.sudo()[name]
        if field.type == "many2one":
            return value.display_name or ""
        if field.type == "selection":
            return dict(field._description_selection(self.env)).get(value, "")
        return value
