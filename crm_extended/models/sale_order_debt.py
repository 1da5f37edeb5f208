from collections import namedtuple
from datetime import timedelta

from odoo import fields, models
from odoo.tools import SQL, format_amount

# What a client owes, in the currency of the company.
ClientDebt = namedtuple(
    "ClientDebt",
    [
        "unpaid",  # posted invoices and credit notes that are not settled
        "uninvoiced",  # confirmed orders, as far as not invoiced
        "overdue",  # invoices later than the tolerated days
        "days",  # delay of the oldest of these, in days
    ],
)


class SaleOrder(models.Model):
    """The client's debt: invoices later than tolerated, and the credit limit with this order.

    Debt is that of the client's commercial entity in the company of the order, read from unsettled
    receivable entries (invoices, credit notes, payments) and from confirmed orders not yet
    invoiced. An order that somebody else is invoiced for is a debt of both: it was sold under the
    terms of the one, and is claimed from the other. Two orders confirmed at the same moment cannot
    both use the same rest of a limit.
    """

    _inherit = "sale.order"

    def _get_debt_deviations(self, agreement_sudo):
        if not agreement_sudo.overdue_control and not agreement_sudo.credit_limit:
            return []
        debt = self._get_client_debt(agreement_sudo.overdue_days)
        deviations = []
        currency = self.company_id.currency_id
        order_total = self._get_amount_in_company_currency()
        if agreement_sudo.overdue_control and currency.compare_amounts(debt.overdue, 0.0) > 0:
            deviations.append(
                self._prepare_deviation(
                    "overdue",
                    agreement_sudo,
                    expected=self.env._("at most %s days late", agreement_sudo.overdue_days)
                    if agreement_sudo.overdue_days
                    else self.env._("no overdue debt"),
                    actual=self.env._(
                        "%(amount)s, up to %(days)s days late",
                        amount=format_amount(self.env, debt.overdue, currency),
                        days=debt.days,
                    ),
                    difference=format_amount(self.env, debt.overdue, currency),
                    severity=debt.overdue,
                    figures=[round(order_total, 2)],
                )
            )
        exposure = debt.unpaid + debt.uninvoiced
        if self.state != "sale":
            exposure += order_total
        over = exposure - agreement_sudo.credit_limit
        if agreement_sudo.credit_limit and currency.compare_amounts(over, 0.0) > 0:
            deviations.append(
                self._prepare_deviation(
                    "credit",
                    agreement_sudo,
                    expected=self.env._(
                        "at most %s", format_amount(self.env, agreement_sudo.credit_limit, currency)
                    ),
                    actual=self.env._(
                        "%s with this order", format_amount(self.env, exposure, currency)
                    ),
                    difference=format_amount(self.env, over, currency),
                    severity=over,
                    figures=[round(order_total, 2)],
                )
            )
        return deviations

    def _get_amount_in_company_currency(self):
        self.ensure_one()
        return self.company_id.currency_id.round(self.amount_total / (self.currency_rate or 1.0))

    def _get_client_debt(self, tolerated_days):
        """What the client of this order owes its company.

        :param int tolerated_days: invoices may be late by so many days
        :rtype: ClientDebt
        """
        self.ensure_one()
        client = self.partner_id.commercial_partner_id._origin
        self.env["account.move.line"].flush_model(
            ["amount_residual", "date_maturity", "parent_state", "partner_id", "reconciled"]
        )
        self.env["sale.order.line"].flush_model(
            ["price_total", "product_uom_qty", "qty_invoiced", "is_downpayment", "price_unit"]
        )
        self.env["sale.order"].flush_model(
            ["state", "currency_rate", "partner_id", "partner_invoice_id"]
        )
        self.env["res.partner"].flush_model(["commercial_partner_id"])
        today = fields.Date.context_today(self)
        rows = self.env.execute_query(
            SQL(
                """
                WITH entity AS (
                    SELECT id FROM res_partner WHERE commercial_partner_id = %(client)s
                ), invoiced_to_others AS (
                    SELECT DISTINCT move_line.move_id
                      FROM sale_order so
                      JOIN sale_order_line sold ON sold.order_id = so.id
                      JOIN sale_order_line_invoice_rel rel ON rel.order_line_id = sold.id
                      JOIN account_move_line move_line ON move_line.id = rel.invoice_line_id
                     WHERE so.partner_id IN (SELECT id FROM entity)
                       AND so.partner_invoice_id NOT IN (SELECT id FROM entity)
                       AND so.company_id = %(company)s
                       AND so.state = 'sale'
                ), entry AS (
                    SELECT line.amount_residual AS residual, line.date_maturity AS due
                      FROM account_move_line line
                      JOIN account_account account ON account.id = line.account_id
                     WHERE line.id IN (
                           SELECT id FROM account_move_line
                            WHERE partner_id IN (SELECT id FROM entity)
                            UNION
                           SELECT id FROM account_move_line
                            WHERE move_id IN (SELECT move_id FROM invoiced_to_others))
                       AND line.company_id = %(company)s
                       AND line.parent_state = 'posted'
                       AND account.account_type = 'asset_receivable'
                       AND line.reconciled IS NOT TRUE
                ), uninvoiced AS (
                    SELECT CASE
                               WHEN line.is_downpayment THEN -line.price_unit * line.qty_invoiced
                               WHEN line.product_uom_qty != 0
                               THEN line.price_total / line.product_uom_qty
                                    * (line.product_uom_qty - line.qty_invoiced)
                               ELSE 0
                           END / COALESCE(NULLIF(so.currency_rate, 0), 1)::numeric AS amount
                      FROM sale_order so
                      JOIN sale_order_line line ON line.order_id = so.id
                     WHERE so.id IN (
                           SELECT id FROM sale_order
                            WHERE partner_invoice_id IN (SELECT id FROM entity)
                            UNION
                           SELECT id FROM sale_order WHERE partner_id IN (SELECT id FROM entity))
                       AND so.company_id = %(company)s
                       AND so.state = 'sale'
                )
                SELECT COALESCE((SELECT SUM(residual) FROM entry), 0),
                       COALESCE((SELECT SUM(amount) FROM uninvoiced), 0),
                       COALESCE((SELECT SUM(residual) FROM entry
                                  WHERE due < %(last_day)s AND residual > 0), 0),
                       COALESCE((SELECT %(today)s::date - MIN(due) FROM entry
                                  WHERE due < %(last_day)s AND residual > 0), 0)
                """,
                client=client.id,
                company=self.company_id.id,
                today=today,
                last_day=today - timedelta(days=tolerated_days),
            )
        )
        return ClientDebt(*(float(value) for value in rows[0][:3]), int(rows[0][3]))

    # ------------------------------------------------------------------
    # Races
    # ------------------------------------------------------------------

    def _lock_client_credit(self):
        """Let one order of a client at a time use up its credit limit.

        The rows of the clients are written, not only locked: a second confirmation that began
        before the first one was committed then fails to serialise and is run again by the server,
        on the debt as it is by then.
        """
        limited = self.filtered(lambda order: order.agreement_id.sudo().credit_limit)
        if not limited:
            return
        clients = limited.partner_id | limited.partner_invoice_id
        ids = sorted(clients.commercial_partner_id._origin.ids)
        self.env.cr.execute(
            SQL("UPDATE res_partner SET write_date = write_date WHERE id = ANY(%s)", ids)
        )

    def _touch_for_confirmation(self):
        """Make a change of lines collide with a confirmation of the same quotation.

        Both read what the other one writes: a line whose quantity is zero changes no total, so the
        order would be confirmed at the old price and changed at the same time.
        """
        held = self.filtered("agreement_id")
        if held:
            self.env.cr.execute(
                SQL("UPDATE sale_order SET write_date = write_date WHERE id = ANY(%s)", held.ids)
            )
