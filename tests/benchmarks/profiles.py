"""Refresh of the client profiles against the bare SQL aggregate: full, and 1 % changed.

Generated sales: 1,000,000 lines of 50,000 clients over two years at full scale (four lines a
document, clients of very different rates). The refresh is compared with the aggregate one would
write by hand to get the same figures, not written, without scores, models and classes; the least
one could write (recency, frequency, turnover) is shown beside.
"""

import os
import sys
from datetime import date, timedelta

from common import Benchmark

ROWS, CLIENTS = 1_000_000, 50_000
TODAY = date(2024, 6, 30)
MEMORY_LIMIT = 1024  # MiB
# the least one would write by hand for recency, frequency and turnover
LEAST = """
    SELECT company_id, commercial_partner_id, MIN(date), MAX(date),
           COUNT(DISTINCT document) FILTER (WHERE amount > 0), SUM(amount),
           SUM(amount) FILTER (WHERE date > %(year)s)
      FROM crm_sale_fact
  GROUP BY company_id, commercial_partner_id
"""
# what one would write by hand for the figures of a profile: those, the average purchase, returns,
# two half years, the median interval and the variation of the monthly turnover
BARE = """
    WITH documents AS (
        SELECT company_id, commercial_partner_id AS client, document, MAX(date) AS date,
               SUM(amount) AS amount, SUM(amount) FILTER (WHERE is_return) AS returned
          FROM crm_sale_fact GROUP BY 1, 2, 3
    ), gaps AS (
        SELECT company_id, client, date - LAG(date) OVER (PARTITION BY company_id, client
                                                          ORDER BY date) AS gap
          FROM (SELECT DISTINCT company_id, client, date FROM documents WHERE amount > 0) days
    ), rhythms AS (
        SELECT company_id, client, percentile_cont(0.5) WITHIN GROUP (ORDER BY gap) AS rhythm
          FROM gaps GROUP BY 1, 2
    ), months AS (
        SELECT company_id, client, STDDEV_POP(amount) / NULLIF(AVG(amount), 0) AS variation
          FROM (SELECT company_id, client, SUM(amount) AS amount
                  FROM documents WHERE date > %(year)s
              GROUP BY company_id, client, date_trunc('month', date)) by_month
      GROUP BY 1, 2
    )
    SELECT d.*, r.rhythm, m.variation
      FROM (SELECT company_id, client, MIN(date), MAX(date), COUNT(*) FILTER (WHERE amount > 0),
                   SUM(amount), SUM(amount) FILTER (WHERE date > %(year)s),
                   AVG(amount) FILTER (WHERE amount > 0), SUM(returned),
                   SUM(amount) FILTER (WHERE date > %(half)s),
                   SUM(amount) FILTER (WHERE date > %(year)s AND date <= %(half)s)
              FROM documents GROUP BY 1, 2) d
 LEFT JOIN rhythms r USING (company_id, client)
 LEFT JOIN months m USING (company_id, client)
"""
# clients come at any time and stay for a while of their own
PEOPLE = """
    SELECT setseed(0.5);
    CREATE TABLE bench_client AS
    SELECT id, ROW_NUMBER() OVER (ORDER BY id) - 1 AS place, random() AS start,
           -0.5 * LN(1 - random()) AS life
      FROM res_partner WHERE ref = 'Benchmark';
    CREATE INDEX ON bench_client (place);
    ANALYZE bench_client
"""
LINES = """
    INSERT INTO crm_sale_history
           (date, document, partner_id, commercial_partner_id, quantity, amount, amount_currency,
            currency_id, is_return, source, row_key, company_id)
    SELECT CASE WHEN %(recent)s THEN %(today)s::date - (30 * d.age)::integer
                ELSE %(today)s::date - 730
                     + (730 * (c.start + LEAST(1 - c.start, c.life) * d.age))::integer END,
           %(prefix)s || d.number, c.id, c.id, 1, a.amount, a.amount, %(currency)s, a.amount < 0,
           'Benchmark', %(prefix)s || d.number || '-' || l.line, %(company)s
      FROM (SELECT number, random() AS age, random() AS who
              FROM generate_series(1, %(documents)s) number) d
      JOIN bench_client c ON c.place = FLOOR(%(clients)s * d.who ^ 2.5)::integer
CROSS JOIN generate_series(1, 4) AS l (line)
CROSS JOIN LATERAL (
            SELECT ROUND((EXP(4 * random() + 0 * l.line)
                          * CASE WHEN random() < 0.02 THEN -1 ELSE 1 END)::numeric, 2) AS amount
             WHERE d.number IS NOT NULL
           ) a
"""


def fill(bench, company, rows, prefix, recent=False):
    """Add lines to the sales history, of two years or of the last days."""
    bench.env.cr.execute(
        LINES,
        {
            "today": TODAY,
            "prefix": prefix,
            "currency": company.currency_id.id,
            "company": company.id,
            "documents": max(rows // 4, 1),
            "clients": bench.rows(CLIENTS),
            "recent": recent,
        },
    )


def main(bench):
    env = bench.env
    company = env.company
    env.cr.execute(
        """
        INSERT INTO res_partner (name, complete_name, active, type, ref, is_company,
                                 autopost_bills)
        SELECT 'Client ' || n, 'Client ' || n, TRUE, 'contact', 'Benchmark', TRUE,
               'ask'
          FROM generate_series(1, %s) n
        """,
        (bench.rows(CLIENTS),),
    )
    env.cr.execute("UPDATE res_partner SET commercial_partner_id = id WHERE ref = 'Benchmark'")
    env.cr.execute(PEOPLE)
    bench.once("sales written", lambda: fill(bench, company, bench.rows(ROWS), "S"))
    env.cr.commit()
    env.cr.execute("ANALYZE crm_sale_history; ANALYZE res_partner")
    env.cr.commit()
    profiles = env["crm.customer.profile"]
    before = bench.peak_memory()

    days = {"year": TODAY - timedelta(days=365), "half": TODAY - timedelta(days=182)}

    def least():
        env.cr.execute(LEAST, days)
        while env.cr.fetchmany(10_000):
            pass

    def bare():
        env.cr.execute(BARE, days)
        while env.cr.fetchmany(10_000):
            pass

    def full():
        profiles._refresh(company, today=TODAY, full=True)
        env.cr.commit()

    def forget():
        env.cr.execute("TRUNCATE crm_customer_profile, crm_customer_profile_history CASCADE")
        env["crm.customer.analysis"]._get_for(company)._set_facts(bgnbd=False, gamma_gamma=False)
        env.cr.commit()

    first, beside = bench.medians(
        ("full refresh, every profile new", full),
        ("bare SQL: the figures of a profile", bare),
        repeat=3,
        setup=forget,
    )
    _least, peer, repeated = bench.medians(
        ("bare SQL: recency, frequency, turnover only", least),
        ("bare SQL: the figures of a profile", bare),
        ("full refresh, nothing changed", full),
        repeat=5,
    )
    bench.row("full refresh, times the bare SQL", f"{first / beside:.1f} every profile new",
              f"{repeated / peer:.1f} nothing changed")  # fmt: skip
    bench.row("peak memory", f"{bench.peak_memory():.0f} MiB", f"{before:.0f} MiB before")
    number = iter(range(100))

    def change():
        fill(bench, company, bench.rows(ROWS) // 100, f"N{next(number)}-", recent=True)
        env.cr.commit()

    def incremental():
        written.append(profiles._refresh(company, today=TODAY))
        env.cr.commit()

    written = []
    (changed,) = bench.medians(("incremental, 1% new lines", incremental), repeat=5, setup=change)
    bench.row("", f"{written[-1][0]} profiles written")
    some = env["res.partner"].search([("ref", "=", "Benchmark")], order="id").ids[::100]

    def touch():
        env.cr.execute(
            "UPDATE crm_sale_history SET amount = amount + 1 WHERE commercial_partner_id = ANY(%s)",
            (some,),
        )
        env.cr.commit()

    (of_clients,) = bench.medians(
        ("incremental, 1% of the clients changed", incremental), repeat=5, setup=touch
    )
    (again,) = bench.medians(("full refresh after that", full), repeat=1)
    exact = check(bench, company)
    statuses = [
        bench.verdict(max(first / beside, repeated / peer), 1, limit=2),
        bench.bound(100 * changed / max(first, again, repeated), 10, "% of full (new lines)"),
        bench.bound(100 * of_clients / max(first, again, repeated), 10, "% of full (clients)"),
        bench.bound(bench.peak_memory(), MEMORY_LIMIT, "MiB"),
    ]
    return max(*statuses, 0 if exact else 1)


def check(bench, company):
    """Whether the profiles add up to the facts."""
    env = bench.env
    env.cr.execute(
        """SELECT (SELECT SUM(amount) FROM crm_sale_history),
                  (SELECT SUM(monetary) FROM crm_customer_profile)"""
    )
    facts, profiles = env.cr.fetchone()
    bench.row("turnover of facts and of profiles", facts, profiles)
    return facts == profiles


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    sys.exit(Benchmark.run("profiles", main, peer="bare SQL"))
