"""Refresh of the client profiles against the bare SQL aggregate: full, and 1 % changed.

Generated sales: 1,000,000 lines of 50,000 clients over two years at full scale (four lines a
document, clients of very different rates; ``--scale 10`` is 10,000,000 lines of 500,000 clients).

The peer is what an expert would write by hand to *read* the same columns once: documents, first
and last purchase, frequency, turnover of all time, of the year and of two half years, average
purchase, returns, median interval, last interval, variation by month, fifths for R, F and M, groups
A, B and C by cumulated turnover, XYZ. He writes nothing down, compares with nothing, and takes
NTILE for the fifths, which tears ties apart. Stage, class with its points, chance to be active,
expectations and likeness are ours beyond that. The least one could write (recency, frequency,
turnover) is shown beside.

Judged is the refresh of every night: each row changes, for recency moves with the day; and the same
day again, when nothing has changed. The first ever, which also creates each profile with its
foreign keys and the first row of its history, is shown and not judged: it took more than twice the
time of the peer whenever it was looked at.

Incremental is judged for 1 % of the clients changed. 1 % new lines touch clients with far more than
1 % of the facts, for who buys often buys again, and all facts of a client are read anew: that is
more than a tenth of full, and is judged by the share of the facts instead, which is shown. Both
limits mean the full size: on little data the fixed part of a refresh weighs more.
"""

import itertools
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
# what one would write by hand for the figures of a profile
BARE = """
    WITH documents AS (
        SELECT commercial_partner_id AS client, MAX(date) AS date, SUM(amount) AS amount,
               SUM(amount) FILTER (WHERE is_return) AS returned
          FROM crm_sale_fact
         WHERE company_id = %(company)s AND date <= %(today)s
      GROUP BY 1, EXTRACT(year FROM date), COALESCE(document, date::text)
    ), gaps AS (
        SELECT client, date, date - LAG(date) OVER (PARTITION BY client ORDER BY date) AS gap
          FROM (SELECT DISTINCT client, date FROM documents WHERE amount > 0) days
    ), rhythms AS (
        SELECT client, percentile_cont(0.5) WITHIN GROUP (ORDER BY gap) AS rhythm,
               COUNT(*) AS days, (ARRAY_AGG(gap ORDER BY date DESC))[1] AS gap_last
          FROM gaps GROUP BY 1
    ), months AS (
        SELECT client, 100 * STDDEV_POP(amount) / NULLIF(AVG(amount), 0) AS variation
          FROM (SELECT client, SUM(amount) AS amount FROM documents WHERE date > %(year)s
              GROUP BY client, date_trunc('month', date)) by_month
      GROUP BY 1
    ), sums AS (
        SELECT client, MIN(date) FILTER (WHERE amount > 0) AS date_first,
               MAX(date) FILTER (WHERE amount > 0) AS date_last,
               COUNT(*) FILTER (WHERE amount > 0) AS frequency, SUM(amount) AS monetary,
               SUM(amount) FILTER (WHERE date > %(year)s) AS monetary_year,
               AVG(amount) FILTER (WHERE amount > 0) AS average, SUM(returned) AS returned,
               SUM(amount) FILTER (WHERE date > %(half)s) AS half,
               SUM(amount) FILTER (WHERE date > %(year)s AND date <= %(half)s) AS half_before
          FROM documents GROUP BY 1
    )
    SELECT s.*, r.rhythm, r.days, r.gap_last, m.variation, %(today)s - s.date_last AS recency,
           100 * (s.half / NULLIF(s.half_before, 0) - 1) AS trend,
           CASE WHEN m.variation <= 10 THEN 'X' WHEN m.variation <= 25 THEN 'Y' ELSE 'Z' END AS xyz,
           NTILE(5) OVER (ORDER BY s.date_last) AS r, NTILE(5) OVER (ORDER BY s.frequency) AS f,
           NTILE(5) OVER (ORDER BY s.monetary) AS m,
           CASE WHEN SUM(s.monetary_year) OVER falling - s.monetary_year
                     < 0.8 * SUM(s.monetary_year) OVER () THEN 'A'
                WHEN SUM(s.monetary_year) OVER falling - s.monetary_year
                     < 0.95 * SUM(s.monetary_year) OVER () THEN 'B' ELSE 'C' END AS abc
      FROM sums s
 LEFT JOIN rhythms r USING (client)
 LEFT JOIN months m USING (client)
    WINDOW falling AS (ORDER BY s.monetary_year DESC NULLS LAST)
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

    few = 1 if bench.scale > 1 else 0  # runs, where each takes minutes
    days = {"company": company.id, "today": TODAY, "year": TODAY - timedelta(days=365),
            "half": TODAY - timedelta(days=182)}  # fmt: skip
    dates = itertools.count(1)

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

    def night():
        profiles._refresh(company, today=TODAY + timedelta(days=next(dates)), full=True)
        env.cr.commit()

    def again_full():
        analysis = env["crm.customer.analysis"]._get_for(company)
        profiles._refresh(company, today=analysis.date_refreshed, full=True)
        env.cr.commit()

    def forget():
        env.cr.execute("TRUNCATE crm_customer_profile, crm_customer_profile_history CASCADE")
        env["crm.customer.analysis"]._get_for(company)._set_facts(bgnbd=False, gamma_gamma=False)
        env.cr.commit()

    first, beside = bench.medians(
        ("full refresh, the first ever", full),
        ("bare SQL: the figures of a profile", bare),
        repeat=few or 3,
        setup=forget,
    )
    _least, peer, nightly, repeated = bench.medians(
        ("bare SQL: recency, frequency, turnover only", least),
        ("bare SQL: the figures of a profile", bare),
        ("full refresh of a night, every profile changes", night),
        ("full refresh again, nothing changed", again_full),
        repeat=few or 5,
    )
    beyond = f"{repeated / peer:.2f} nothing changed, {first / beside:.2f} the first ever"
    bench.row("full refresh, times the bare SQL", f"{nightly / peer:.2f} of a night", beyond)
    bench.row("peak memory", f"{bench.peak_memory():.0f} MiB", f"{before:.0f} MiB before")
    full()
    prefixes = []

    def change():
        prefixes.append(f"N{len(prefixes)}-")
        fill(bench, company, bench.rows(ROWS) // 100, prefixes[-1], recent=True)
        env.cr.commit()

    def incremental():
        written.append(profiles._refresh(company, today=TODAY))
        env.cr.commit()

    written = []
    (changed,) = bench.medians(
        ("incremental, 1% new lines", incremental), repeat=few or 5, setup=change
    )
    share = get_share(env, prefixes[-1])
    held = f"of clients with {share:.1f}% of the facts, or judged by them"
    bench.row("", f"{written[-1][0]} profiles written", held)
    some = env["res.partner"].search([("ref", "=", "Benchmark")], order="id").ids[::100]

    def touch():
        env.cr.execute(
            "UPDATE crm_sale_history SET amount = amount + 1 WHERE commercial_partner_id = ANY(%s)",
            (some,),
        )
        env.cr.commit()

    (of_clients,) = bench.medians(
        ("incremental, 1% of the clients changed", incremental), repeat=few or 5, setup=touch
    )
    bench.row("incremental, % of a full refresh of a night", f"{100 * changed / nightly:.1f} lines",
              f"{100 * of_clients / nightly:.1f} clients")  # fmt: skip
    exact = check(bench, company)
    statuses = [
        bench.verdict(max(nightly, repeated), peer, limit=2),
        bench.bound(100 * of_clients / nightly, 10, "% of full (1% of the clients)"),
        bench.bound(100 * changed / nightly, max(share, 10), "% of full (1% new lines)"),
        bench.bound(bench.peak_memory(), MEMORY_LIMIT, "MiB"),
    ]
    return max(*statuses, 0 if exact else 1)


def get_share(env, prefix):
    """Return how much of the facts belongs to clients with documents of a prefix, in percent."""
    env.cr.execute(
        """
        SELECT 100.0 * SUM(facts) FILTER (WHERE touched) / SUM(facts)
          FROM (SELECT COUNT(*) AS facts, BOOL_OR(starts_with(document, %s)) AS touched
                  FROM crm_sale_history GROUP BY commercial_partner_id) held
        """,
        (prefix,),
    )
    return float(env.cr.fetchone()[0] or 0)


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
