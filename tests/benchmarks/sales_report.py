"""*Sales by Deal and Agreement* with a million order lines, against SQL written by hand.

What an accountant waits for when the report opens is the first question its pivot asks: all
measures by agreement, through the access rights and company rules of that user. The peer is one
statement that answers the same and nothing else. The list of the newest orders and one client's
orders are shown as well.
"""

from common import Benchmark
from odoo.tests import new_test_user
from odoo.tools import SQL

LINES = 1_000_000
LINES_PER_ORDER = 10
LIMIT = 2
TABLES = (
    "res_partner",
    "crm_lead",
    "crm_agreement",
    "sale_order",
    "sale_order_line",
    "account_move",
    "account_move_line",
    "sale_order_line_invoice_rel",
    "account_partial_reconcile",
    "account_account",
    "crm_agreement_deviation",
)
# By agreement: ordered, invoiced, credited, paid, open, overdue, deviation, in company currency.
BARE = """
WITH share AS (
    SELECT order_line.order_id, line.move_id, SUM(line.price_total) AS amount
      FROM sale_order_line_invoice_rel rel
      JOIN sale_order_line order_line ON order_line.id = rel.order_line_id
      JOIN account_move_line line ON line.id = rel.invoice_line_id
      JOIN account_move move ON move.id = line.move_id
     WHERE move.state = 'posted' AND move.company_id = %(company)s
  GROUP BY order_line.order_id, line.move_id
), by_credit AS (
    SELECT partial.debit_move_id AS line_id, SUM(partial.amount) AS amount
      FROM account_partial_reconcile partial
      JOIN account_move_line other ON other.id = partial.credit_move_id
      JOIN account_move other_move ON other_move.id = other.move_id
     WHERE other_move.move_type IN ('out_invoice', 'out_refund')
  GROUP BY partial.debit_move_id
), by_debit AS (
    SELECT partial.credit_move_id AS line_id, SUM(partial.amount) AS amount
      FROM account_partial_reconcile partial
      JOIN account_move_line other ON other.id = partial.debit_move_id
      JOIN account_move other_move ON other_move.id = other.move_id
     WHERE other_move.move_type IN ('out_invoice', 'out_refund')
  GROUP BY partial.credit_move_id
), due AS (
    SELECT line.move_id, SUM(line.amount_residual) AS residual,
           SUM(line.amount_residual) FILTER (WHERE line.date_maturity < CURRENT_DATE) AS overdue,
           SUM(COALESCE(by_credit.amount, 0) + COALESCE(by_debit.amount, 0)) AS offset_amount
      FROM account_move_line line
      JOIN account_account account ON account.id = line.account_id
 LEFT JOIN by_credit ON by_credit.line_id = line.id
 LEFT JOIN by_debit ON by_debit.line_id = line.id
     WHERE account.account_type = 'asset_receivable'
  GROUP BY line.move_id
), money AS (
    SELECT share.order_id,
           SUM(share.amount) FILTER (WHERE move.move_type = 'out_invoice') AS invoiced,
           SUM(share.amount) FILTER (WHERE move.move_type = 'out_refund') AS credited,
           SUM(share.amount / move.amount_total * (
               move.amount_total_signed - due.residual
               - CASE move.move_type WHEN 'out_refund' THEN -1 ELSE 1 END
                 * COALESCE(due.offset_amount, 0))) AS paid,
           SUM(share.amount / move.amount_total * due.residual)
               FILTER (WHERE move.move_type = 'out_invoice') AS open,
           SUM(share.amount / move.amount_total * due.overdue)
               FILTER (WHERE move.move_type = 'out_invoice') AS overdue
      FROM share
      JOIN account_move move ON move.id = share.move_id
      JOIN due ON due.move_id = share.move_id
  GROUP BY share.order_id
), deviation AS (
    SELECT order_id, SUM(amount) AS amount
      FROM crm_agreement_deviation
     WHERE state IN ('approved', 'recorded') AND kind IN ('price', 'discount')
  GROUP BY order_id
)
    SELECT so.agreement_id, COUNT(*), SUM(so.amount_total / so.currency_rate),
           SUM(money.invoiced), SUM(money.credited), SUM(money.paid), SUM(money.open),
           SUM(money.overdue), SUM(deviation.amount)
      FROM sale_order so
 LEFT JOIN money ON money.order_id = so.id
 LEFT JOIN deviation ON deviation.order_id = so.id
     WHERE so.state = 'sale' AND so.company_id = %(company)s
  GROUP BY so.agreement_id
"""


def fill(bench):
    """Orders of ten lines; nine of ten invoiced, most of these paid, some credited."""
    env = bench.env
    company = env.company
    orders = bench.rows(LINES // LINES_PER_ORDER)
    receivable = env["account.account"].create(
        {"name": "Receivable", "code": "BENCH1", "account_type": "asset_receivable"}
    )
    income = env["account.account"].create(
        {"name": "Income", "code": "BENCH2", "account_type": "income"}
    )
    journal = env["account.journal"].create({"name": "Sales", "code": "BNCH", "type": "sale"})
    env.flush_all()
    values = {
        "company": company.id,
        "currency": company.currency_id.id,
        "orders": orders,
        "clients": max(orders // 10, 1),
        "agreements": max(orders // 100, 1),
        "receivable": receivable.id,
        "income": income.id,
        "journal": journal.id,
        "lines": LINES_PER_ORDER,
        "user": env.user.id,
    }

    def run(query):
        env.cr.execute(query, values)
        return env.cr.rowcount

    run("""INSERT INTO res_partner (id, name, commercial_partner_id, active, autopost_bills,
                                   is_company, type)
           SELECT 1000000 + n, 'Client ' || n, 1000000 + n, TRUE, 'ask', TRUE, 'contact'
             FROM generate_series(1, %(clients)s) n""")
    run("""INSERT INTO crm_agreement (id, name, version, company_id, currency_id, kind, state,
                                     enforcement, price_rule, date_start, partner_id,
                                     commercial_partner_id)
           SELECT 1000000 + n, 'BENCH/' || n, 1, %(company)s, %(currency)s, 'individual',
                  'active', 'warn', 'list', CURRENT_DATE - 900, 1000000 + n, 1000000 + n
             FROM generate_series(1, %(agreements)s) n""")
    run("""INSERT INTO crm_lead (id, name, type, active, company_id, partner_id, user_id)
           SELECT 1000000 + n, 'Deal ' || n, 'opportunity', TRUE, %(company)s,
                  1000000 + 1 + n %% %(clients)s, %(user)s
             FROM generate_series(1, %(orders)s / 2) n""")
    run("""INSERT INTO sale_order (id, name, company_id, partner_id, partner_invoice_id,
                                  partner_shipping_id, date_order, state, amount_total,
                                  amount_untaxed, currency_id, currency_rate, user_id,
                                  opportunity_id, agreement_id)
           SELECT 1000000 + n, 'B' || n, %(company)s, client, client, client,
                  CURRENT_DATE - (n %% 900), CASE WHEN n %% 12 = 0 THEN 'draft' ELSE 'sale' END,
                  1200, 1000, %(currency)s, 1, %(user)s,
                  CASE WHEN n %% 2 = 0 THEN 1000000 + n / 2 END,
                  CASE WHEN n %% 3 > 0 THEN 1000000 + 1 + n %% %(agreements)s END
             FROM (SELECT n, 1000000 + 1 + n %% %(clients)s AS client
                     FROM generate_series(1, %(orders)s) n) numbers""")
    run("""INSERT INTO sale_order_line (id, order_id, company_id, name, product_uom_qty,
                                       price_unit, price_total, price_subtotal, customer_lead,
                                       state)
           SELECT 10000000 + n * 100 + line, 1000000 + n, %(company)s, 'Line', 1, 100, 120, 100, 0,
                  CASE WHEN n %% 12 = 0 THEN 'draft' ELSE 'sale' END
             FROM generate_series(1, %(orders)s) n, generate_series(1, %(lines)s) line""")
    # invoices: all but one of ten confirmed orders; every 30th is credited; payments of the others
    for kind, base, chosen, sign in (
        ("out_invoice", 10_000_000, "n %% 12 > 0 AND n %% 10 > 0", 1),
        ("out_refund", 20_000_000, "n %% 12 > 0 AND n %% 10 > 0 AND n %% 30 = 7", -1),
    ):
        values.update(kind=kind, base=base, sign=sign)
        run(f"""INSERT INTO account_move (id, name, journal_id, company_id, currency_id, state,
                                         move_type, auto_post, date, invoice_date, partner_id,
                                         commercial_partner_id, amount_total, amount_total_signed,
                                         invoice_currency_rate, payment_state)
                SELECT %(base)s + n, %(kind)s || n, %(journal)s, %(company)s, %(currency)s,
                       'posted',
                       %(kind)s, 'no', CURRENT_DATE - (n %% 900), CURRENT_DATE - (n %% 900),
                       client, client, 1200, %(sign)s * 1200, 1, 'not_paid'
                  FROM (SELECT n, 1000000 + 1 + n %% %(clients)s AS client
                          FROM generate_series(1, %(orders)s) n) numbers
                 WHERE {chosen}""")
        run(f"""INSERT INTO account_move_line (id, move_id, journal_id, company_id, currency_id,
                                              display_type, account_id, parent_state, date, balance,
                                              price_total, price_subtotal, quantity, name)
                SELECT %(base)s * 100::bigint %% 1900000000 + n * 12 + line, %(base)s + n,
                       %(journal)s, %(company)s, %(currency)s, 'product', %(income)s, 'posted',
                       CURRENT_DATE - (n %% 900), -%(sign)s * 100, 120, 100, 1, 'Line'
                  FROM generate_series(1, %(orders)s) n, generate_series(1, %(lines)s) line
                 WHERE {chosen}""")
        run(f"""INSERT INTO account_move_line (id, move_id, journal_id, company_id, currency_id,
                                              display_type, account_id, parent_state, date,
                                              date_maturity, partner_id, balance, amount_residual,
                                              reconciled, name)
                SELECT %(base)s * 100::bigint %% 1900000000 + n * 12 + 11, %(base)s + n,
                       %(journal)s,
                       %(company)s, %(currency)s, 'payment_term', %(receivable)s, 'posted',
                       CURRENT_DATE - (n %% 900), CURRENT_DATE - (n %% 900) + 30,
                       1000000 + 1 + n %% %(clients)s, %(sign)s * 1200,
                       CASE WHEN n %% 30 = 7 OR n %% 4 > 0 THEN 0 ELSE 1200 END,
                       n %% 30 = 7 OR n %% 4 > 0, 'Due'
                  FROM generate_series(1, %(orders)s) n
                 WHERE {chosen}""")
        run(f"""INSERT INTO sale_order_line_invoice_rel (order_line_id, invoice_line_id)
                SELECT 10000000 + n * 100 + line,
                       %(base)s * 100::bigint %% 1900000000 + n * 12 + line
                  FROM generate_series(1, %(orders)s) n, generate_series(1, %(lines)s) line
                 WHERE {chosen}""")
    invoice, refund = (base * 100 % 1_900_000_000 for base in (10_000_000, 20_000_000))
    values.update(invoice=invoice, refund=refund)
    run("""INSERT INTO account_partial_reconcile (debit_move_id, credit_move_id, amount, company_id)
           SELECT %(invoice)s + n * 12 + 11, %(refund)s + n * 12 + 11, 1200, %(company)s
             FROM generate_series(1, %(orders)s) n
            WHERE n %% 12 > 0 AND n %% 10 > 0 AND n %% 30 = 7""")
    # payments: one entry, one line each, settled with the invoice
    run("""INSERT INTO account_move (id, name, journal_id, company_id, currency_id, state,
                                    move_type,
                                    auto_post, date)
           SELECT 9000000, 'PAY', %(journal)s, %(company)s, %(currency)s, 'posted', 'entry', 'no',
                  CURRENT_DATE""")
    run("""INSERT INTO account_move_line (id, move_id, journal_id, company_id, currency_id,
                                         display_type, account_id, parent_state, date, partner_id,
                                         balance, amount_residual, reconciled, name)
           SELECT 1900000000 + n, 9000000, %(journal)s, %(company)s, %(currency)s, 'product',
                  %(receivable)s, 'posted', CURRENT_DATE, 1000000 + 1 + n %% %(clients)s, -1200, 0,
                  TRUE, 'Payment'
             FROM generate_series(1, %(orders)s) n
            WHERE n %% 12 > 0 AND n %% 10 > 0 AND n %% 30 != 7 AND n %% 4 > 0""")
    run("""INSERT INTO account_partial_reconcile (debit_move_id, credit_move_id, amount, company_id)
           SELECT %(invoice)s + n * 12 + 11, 1900000000 + n, 1200, %(company)s
             FROM generate_series(1, %(orders)s) n
            WHERE n %% 12 > 0 AND n %% 10 > 0 AND n %% 30 != 7 AND n %% 4 > 0""")
    run("""INSERT INTO crm_agreement_deviation (order_id, agreement_id, company_id, kind,
                                               description,
                                               state, amount)
           SELECT 1000000 + n, 1000000 + 1 + n %% %(agreements)s, %(company)s, 'discount',
                  'Deviation',
                  'approved', 25
             FROM generate_series(1, %(orders)s) n
            WHERE n %% 12 > 0 AND n %% 3 > 0 AND n %% 20 = 1""")
    for table in TABLES:
        env.cr.execute(SQL("ANALYZE %s", SQL.identifier(table)))
    return values


def main(bench):
    env = bench.env
    env.cr.execute("SET LOCAL enable_seqscan = off")  # foreign keys, while the tables are empty
    env.cr.execute("SET LOCAL session_replication_role = replica")
    _seconds, values = bench.once("fill", lambda: fill(bench))
    env.cr.execute("SET LOCAL session_replication_role = origin")
    env.cr.execute("SET LOCAL enable_seqscan = on")
    env.invalidate_all()
    accountant = new_test_user(env, "bench_accountant", "account.group_account_readonly")
    report = env["crm.sale.deal.report"].with_user(accountant)
    names = ("ordered", "invoiced", "credited", "paid", "open", "overdue", "deviation")
    measures = [f"amount_{name}:sum" for name in names]

    def bare():
        env.cr.execute(BARE, values)
        return env.cr.fetchall()

    def opened():
        env.invalidate_all()
        return report.formatted_read_grouping_sets(
            [], [[], ["agreement_id"]], ["__count", *measures]
        )

    peer, ours = bench.medians(("bare SQL by agreement", bare), ("report opened", opened), repeat=5)
    bench.once(
        "list of the newest 80",
        lambda: report.web_search_read([], {"order_id": {}, "amount_paid": {}}, limit=80),
    )
    client = report.env["res.partner"].browse(1_000_001)
    bench.once(
        "one client's orders",
        lambda: report.search_read([("commercial_partner_id", "=", client.id)], ["amount_paid"]),
    )
    total = opened()[0][0]
    sums = [sum(float(row[index] or 0) for row in bare()) for index in range(2, 9)]
    same = all(
        abs(total[measure] - expected) < 1 for measure, expected in zip(measures, sums, strict=True)
    )
    bench.row("same figures", "yes" if same else f"no: {total} {sums}")
    status = bench.verdict(ours, peer, limit=LIMIT)
    return status if same else 1


if __name__ == "__main__":
    Benchmark.run("sales_report", main, peer="bare SQL")
