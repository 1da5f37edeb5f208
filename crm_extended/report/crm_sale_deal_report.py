import json

from odoo import api, fields, models
from odoo.tools import SQL
from werkzeug.urls import url_encode

from ..tools.workbook import build_workbook


class CrmSaleDealReport(models.Model):
    """What each order was worth and what became of it, by deal and agreement.

    One row per order that is confirmed or has invoices. All amounts are in the currency of the
    company and include taxes, except the untaxed order value:

    - *ordered*: the confirmed order, at the exchange rate of the order;
    - *invoiced*: posted invoices; *credited*: posted credit notes, as a positive amount;
    - *paid*: what settled the invoices other than credit notes, less what was paid back on credit
      notes, at the rate of the invoice;
    - *open*: what is left to pay; *overdue*: the part of it whose due date is over.

    So *invoiced* = *paid* + *open* + what credit notes settled.

    An invoice of several orders is divided by the amounts of its lines with taxes; lines that come
    from no order belong to none. Lines and reconciliations are summed up per invoice before they
    are joined, so that no figure is multiplied by a join.
    """

    _name = "crm.sale.deal.report"
    _description = "Sales by Deal and Agreement"
    _auto = False
    _rec_name = "order_id"
    _order = "date desc, id desc"
    _depends = {
        "sale.order": [
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

    @property
    def _table_query(self):
        return SQL(
            """
            WITH order_move AS (%(order_move)s),
                 move_money AS (%(move_money)s),
                 order_money AS (%(order_money)s)
            SELECT %(select)s
              FROM sale_order so
              JOIN res_company company ON company.id = so.company_id
              JOIN res_currency currency ON currency.id = company.currency_id
              JOIN res_partner partner ON partner.id = so.partner_id
         LEFT JOIN order_money money ON money.order_id = so.id
             WHERE so.state = 'sale' OR money.order_id IS NOT NULL
            """,
            order_move=self._get_order_move_query(),
            move_money=self._get_move_money_query(),
            order_money=self._get_order_money_query(),
            select=SQL(", ").join(
                SQL("%s AS %s", expression, SQL.identifier(name))
                for name, expression in self._get_columns().items()
            ),
        )

    def _get_columns(self):
        """Columns of the report; other add-ons extend it.

        :return: mapping of field names to SQL expressions over `so`, `company`,
            `currency`, `partner`, `money`
        :rtype: dict[str, SQL]
        """
        columns = {
            "id": SQL("so.id"),
            "order_id": SQL("so.id"),
            "date": SQL("so.date_order::date"),
            "state": SQL("so.state"),
            "opportunity_id": SQL("so.opportunity_id"),
            "agreement_id": SQL("so.agreement_id"),
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
        for name in ("invoiced", "credited", "paid", "open", "overdue"):
            columns[f"amount_{name}"] = SQL("COALESCE(money.%s, 0)", SQL.identifier(name))
        return columns

    def _get_order_move_query(self):
        """Share of each order in each posted customer document, in the document's currency.

        A document line that bills lines of several orders counts in equal parts for them.
        """
        return SQL(
            """
            SELECT link.order_id, line.move_id, SUM(line.price_total / link.orders) AS amount
              FROM (
                    SELECT invoice_line_id, order_id,
                           COUNT(*) OVER (PARTITION BY invoice_line_id) AS orders
                      FROM (
                            SELECT DISTINCT rel.invoice_line_id, order_line.order_id
                              FROM sale_order_line_invoice_rel rel
                              JOIN sale_order_line order_line ON order_line.id = rel.order_line_id
                           ) pair
                   ) link
              JOIN account_move_line line ON line.id = link.invoice_line_id
              JOIN account_move move ON move.id = line.move_id
             WHERE move.state = 'posted'
               AND move.move_type IN ('out_invoice', 'out_receipt', 'out_refund')
               AND line.display_type = 'product'
          GROUP BY link.order_id, line.move_id
            """
        )

    def _get_move_money_query(self):
        """Totals of each document that bills an order, in company currency.

        The total is signed: credit notes are negative. `offset_amount` is what invoices and credit
        notes settled among themselves.
        """
        return SQL(
            """
            SELECT move.id AS move_id, move.move_type, move.amount_total, move.amount_total_signed,
                   move.invoice_currency_rate, due.residual, due.overdue, due.offset_amount
              FROM account_move move
              JOIN LATERAL (
                    SELECT SUM(line.amount_residual) AS residual,
                           SUM(line.amount_residual) FILTER (
                               WHERE COALESCE(line.date_maturity, line.date) < CURRENT_DATE
                           ) AS overdue,
                           SUM(settled.amount) AS offset_amount
                      FROM account_move_line line
                      JOIN account_account account ON account.id = line.account_id
                 LEFT JOIN LATERAL (
                            SELECT SUM(partial.amount) AS amount
                              FROM (
                                    SELECT amount, credit_move_id AS other_id
                                      FROM account_partial_reconcile
                                     WHERE debit_move_id = line.id
                                     UNION ALL
                                    SELECT amount, debit_move_id AS other_id
                                      FROM account_partial_reconcile
                                     WHERE credit_move_id = line.id
                                   ) partial
                              JOIN account_move_line other ON other.id = partial.other_id
                              JOIN account_move other_move ON other_move.id = other.move_id
                             WHERE other_move.move_type IN
                                   ('out_invoice', 'out_receipt', 'out_refund')
                           ) settled ON TRUE
                     WHERE line.move_id = move.id AND account.account_type = 'asset_receivable'
                   ) due ON TRUE
             WHERE move.id IN (SELECT move_id FROM order_move)
            """
        )

    def _get_order_money_query(self):
        """Money of each order: its share of each document, and of what became of the document."""
        return SQL(
            """
            SELECT share.order_id,
                   SUM(share.total) FILTER (WHERE money.move_type != 'out_refund') AS invoiced,
                   SUM(-share.total) FILTER (WHERE money.move_type = 'out_refund') AS credited,
                   SUM(share.part * (
                       money.amount_total_signed - COALESCE(money.residual, 0)
                       - CASE WHEN money.move_type = 'out_refund' THEN -1 ELSE 1 END
                         * COALESCE(money.offset_amount, 0)
                   )) AS paid,
                   SUM(share.part * COALESCE(money.residual, 0))
                       FILTER (WHERE money.move_type != 'out_refund') AS open,
                   SUM(share.part * COALESCE(money.overdue, 0))
                       FILTER (WHERE money.move_type != 'out_refund') AS overdue
              FROM move_money money
              JOIN LATERAL (
                    SELECT order_move.order_id,
                           COALESCE(order_move.amount / NULLIF(money.amount_total, 0), 0) AS part,
                           CASE WHEN money.amount_total != 0
                                THEN order_move.amount / money.amount_total
                                     * money.amount_total_signed
                                ELSE CASE WHEN money.move_type = 'out_refund' THEN -1 ELSE 1 END
                                     * order_move.amount
                                     / COALESCE(NULLIF(money.invoice_currency_rate, 0), 1)
                           END AS total
                      FROM order_move
                     WHERE order_move.move_id = money.move_id
                   ) share ON TRUE
          GROUP BY share.order_id
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
