"""A full refresh of deal scores against one bare UPDATE of the same columns, and against Odoo's
own batch; and one deal's refresh on save.

1,000,000 deals, 300,000 of them open, a scorecard of ten factors, a trained model, history kept.
Each round looks at the deals from another month, so that every score changes and is written,
and nearly every one leaves a row of history. The bare UPDATE writes the same columns of the same
rows: the numbers of every open deal, and the class in the table of deals of those whose class
this round has moved; it writes no history.

Odoo's batch looks at the same fields of the deal as the model of winning does, those that it offers
(source, country, language, phone and e-mail state); it counts the closed deals and estimates the
open ones of the last ten months. It writes every night all there is, whether it changed or not; so
both kinds of our night stand beside it: everything changes, as in the rounds, and nothing does.
"""

import statistics
import time
from datetime import timedelta

from common import Benchmark
from odoo import fields
from odoo.fields import Command
from odoo.tools import SQL

DEALS, OPEN_SHARE = 1_000_000, 0.3
ROUNDS = 3
LIMIT, ODOO_LIMIT, MEMORY_LIMIT = 4, 10, 1024  # times, times, MiB
SAVE_QUERIES, SAVE_SECONDS = 5, 0.010
# Odoo's batch is measured on so many open deals: it never writes more than ten thousand different
# probabilities, a statement and a transaction each, and few deals would make that look dear.
ODOO_DEALS = 100_000
ODOO_FIELDS = ("source_id", "country_id", "lang_id", "phone_state", "email_state")
BARE = """
    UPDATE crm_lead_scoring
       SET scorecard_id = scorecard_id, class_auto = class_auto, score_value = score_value + 0.1,
           score_probability = score_probability + 0.1, sample_size = sample_size + 1,
           score_expected_amount = score_expected_amount + 1, score_peak = score_peak + 0.1,
           peak_date = peak_date + interval '1 second', score_drop = score_drop + 0.1,
           score_drop_percent = score_drop_percent + 0.1, amount_at_risk = amount_at_risk + 1,
           deal_worth = deal_worth + 1, inputs_hash = inputs_hash + 1,
           reasons[1] = reasons[1] + 1
"""
SNAPSHOT = """
    DROP TABLE IF EXISTS class_before;
    CREATE TEMPORARY TABLE class_before AS
    SELECT id, score_class FROM crm_lead WHERE won_status = 'pending'
"""
MOVED = """
    DELETE FROM class_before before USING crm_lead lead
     WHERE before.id = lead.id AND before.score_class IS NOT DISTINCT FROM lead.score_class
"""
BARE_CLASS = """
    UPDATE crm_lead lead SET score_class = before.score_class
      FROM class_before before WHERE before.id = lead.id
"""


def fill(env, deals):
    """Partners, deals, next steps; random, the same at every run."""
    company = env.company
    stages = env["crm.stage"].search([("is_won", "=", False)]).ids
    won_stage = env["crm.stage"].search([("is_won", "=", True)], limit=1).id
    sources = env["utm.source"].create([{"name": f"Source {n}"} for n in range(20)]).ids
    env["res.partner"].create([{"name": f"Client {n}"} for n in range(500)])
    countries = env["res.country"].search([], limit=30).ids
    languages = env["res.lang"].with_context(active_test=False).search([], limit=4).ids
    env.cr.execute("SELECT setseed(0.5)")
    for start in range(0, deals, 100_000):
        env.cr.execute(
            SQL(
                """INSERT INTO crm_lead (name, type, active, won_status, stage_id, company_id,
                       partner_id, source_id, country_id, lang_id, phone_state, email_state,
                       priority, email_from, phone, expected_revenue,
                       probability, automated_probability, create_date, date_closed,
                       date_last_stage_update, date_deadline, class_adjustment)
                   SELECT 'Deal ' || n, 'opportunity', outcome <> 'lost', outcome,
                          CASE WHEN outcome = 'won' THEN %(won_stage)s
                               ELSE (%(stages)s)[1 + n %% %(stage_count)s] END,
                          %(company)s, p.id, (%(sources)s)[1 + (source * 20)::int %% 20],
                          (%(countries)s)[1 + (random() * random() * 30)::int %% 30],
                          (%(languages)s)[1 + (random() * random() * 4)::int %% 4],
                          (ARRAY['correct', 'incorrect', NULL])[1 + n %% 3],
                          (ARRAY['correct', 'incorrect'])[1 + (n %% 5 = 0)::int],
                          (n %% 4)::text,
                          CASE WHEN n %% 5 > 0 THEN 'd' || n || '@example.com' END,
                          CASE WHEN n %% 3 > 0 THEN '+4420' || n END,
                          round((1000 * exp(3 * size))::numeric, 2),
                          CASE outcome WHEN 'won' THEN 100 WHEN 'lost' THEN 0 ELSE 20 END,
                          CASE outcome WHEN 'won' THEN 100 WHEN 'lost' THEN 0 ELSE 20 END,
                          born, CASE WHEN outcome <> 'pending' THEN born + interval '40 days' END,
                          born + interval '5 days', born::date + 60, 0
                     FROM (SELECT n, random() AS source, random() AS size,
                                  now() - (n %% 900) * interval '1 day' AS born,
                                  CASE WHEN n %% 10 < %(open)s THEN 'pending'
                                       WHEN random() < 0.35 THEN 'won' ELSE 'lost' END AS outcome
                             FROM generate_series(%(first)s, %(last)s) AS n) d
                     JOIN (SELECT id, row_number() OVER (ORDER BY id) - 1 AS place
                             FROM res_partner WHERE name LIKE 'Client %%') p
                       ON p.place = d.n %% 500""",
                won_stage=won_stage,
                stages=SQL("%s::int[]", stages),
                stage_count=len(stages),
                company=company.id,
                sources=SQL("%s::int[]", sources),
                countries=SQL("%s::int[]", countries),
                languages=SQL("%s::int[]", languages),
                open=round(10 * OPEN_SHARE),
                first=start + 1,
                last=min(start + 100_000, deals),
            )
        )
        env.cr.commit()
    activity_type = env["mail.activity.type"].search([], limit=1)
    env.cr.execute(
        """INSERT INTO mail_activity (res_model, res_model_id, res_id, activity_type_id, user_id,
                                      date_deadline, active, automated)
           SELECT 'crm.lead', %s, id, %s, %s, current_date + (id %% 40 - 20), TRUE, FALSE
             FROM crm_lead WHERE won_status = 'pending' AND id %% 3 = 0""",
        [env["ir.model"]._get_id("crm.lead"), activity_type.id, env.uid],
    )
    env.cr.commit()
    env.cr._cnx.autocommit = True
    for table in ("crm_lead", "mail_activity", "res_partner"):
        env.cr.execute(f"VACUUM ANALYZE {table}")
    env.cr._cnx.autocommit = False


def create_scorecard(env):
    """Ten factors: five measured fields and five conditions, two of these on other tables."""
    env["crm.scorecard"].search([]).active = False
    measures = {
        "expected_revenue": {2000: 5, 8000: 10, 15000: 20},
        "date_last_stage_update": {14: -5, 60: -10, 365: -15, 500: -20},
        "create_date": {90: -5, 180: -8, 400: -10},
        "date_deadline": {1: -10, 30: -15, 200: -20},
        "day_open": {5: -1, 30: -5},
    }
    conditions = {
        "[('priority', 'in', ['2', '3'])]": 10,
        "[('email_from', '!=', False), ('phone', '!=', False)]": 10,
        "[('email_from', '=', False), ('phone', '=', False)]": -15,
        "[('activity_ids.date_deadline', '<', 'today')]": -10,
        "[('partner_id.name', 'like', 'Client 1')]": 8,
    }
    factors = [
        {
            "name": field,
            "kind": "measure",
            "measure": field,
            "sentence": "{value} days",
            "band_ids": [
                Command.create({"lower_bound": bound, "points": points})
                for bound, points in bands.items()
            ],
        }
        for field, bands in measures.items()
    ]
    factors += [
        {"name": domain, "domain": domain, "points": points}
        for domain, points in conditions.items()
    ]
    env["crm.scorecard"].create(
        {"name": "Benchmark", "base_points": 60, "factor_ids": list(map(Command.create, factors))}
    )
    env.cr.commit()


def refresh(env, now):
    env["crm.lead.scoring.sweep"]._start()
    env["crm.lead.scoring.queue"]._cron_process_queue(now=now)
    env.cr.commit()


def timed(function):
    started = time.perf_counter()
    function()
    return time.perf_counter() - started


def main(bench):
    env = bench.env
    deals = bench.rows(DEALS)
    bench.once(f"{deals} deals written", lambda: fill(env, deals))
    create_scorecard(env)
    seconds, version = bench.once(
        "a model trained", lambda: env["crm.lead.scoring.model"]._train(env.company, force=True)
    )
    bench.row("the model", version.verdict, f"AUC {version.auc:.3f}")
    env.cr.commit()
    now = fields.Datetime.now()
    first, _none = bench.once("first refresh", lambda: refresh(env, now))
    [(opened,)] = env.execute_query(SQL("SELECT count(*) FROM crm_lead_scoring"))
    [(kept,)] = env.execute_query(SQL("SELECT count(*) FROM crm_lead_score"))

    ours, bare, moved = [], [], 0
    for number in range(ROUNDS):
        env.cr.execute(SNAPSHOT)
        moment = now + timedelta(days=31 * (number + 1))
        ours.append(timed(lambda moment=moment: refresh(env, moment)))
        env.cr.execute(MOVED)
        env.cr.execute("SELECT count(*) FROM class_before")
        moved += env.cr.fetchone()[0]
        env.cr.execute("ANALYZE class_before")
        env.cr.commit()
        bare.append(
            timed(lambda: (env.cr.execute(BARE), env.cr.execute(BARE_CLASS), env.cr.commit()))
        )
    [(rows,)] = env.execute_query(SQL("SELECT count(*) FROM crm_lead_score"))
    memory = bench.peak_memory()
    for label, seconds in (("bare UPDATE", bare), ("full refresh", ours)):
        spread = ", ".join(f"{second:.1f}" for second in seconds)
        bench.row(label, f"{statistics.median(seconds):.1f} s", f"{len(seconds)} runs: {spread}")
    bench.row(
        f"full refresh of {opened} open deals",
        f"{statistics.median(ours):.1f} s",
        f"{opened / statistics.median(ours):.0f} deals/s",
        f"{(rows - kept) // ROUNDS} rows of history, {moved // ROUNDS} classes moved",
    )
    refresh(env, moment)  # what the bare UPDATE has changed
    again = timed(lambda: refresh(env, moment))
    bench.row("the same again, nothing changed", f"{again:.1f} s")
    bench.row("memory of the process", f"{memory:.0f} MiB")
    save_queries, save_seconds = measure_save(env)
    bench.row("one deal on save", f"{1000 * save_seconds:.1f} ms", f"{save_queries} queries")
    per_odoo = measure_odoo(bench)
    faster = per_odoo / (statistics.median(ours) / opened)
    bench.row(
        "faster than Odoo's batch, per deal",
        f"{faster:.1f} times where everything changes",
        f"{per_odoo / (again / opened):.1f} times where nothing does",
    )
    sound = (
        memory <= MEMORY_LIMIT
        and faster >= ODOO_LIMIT
        and save_queries <= SAVE_QUERIES
        and save_seconds <= SAVE_SECONDS
    )
    bench.row(
        f"at most {MEMORY_LIMIT} MiB, {ODOO_LIMIT} times faster, {SAVE_QUERIES} queries, "
        f"{1000 * SAVE_SECONDS:.0f} ms",
        "holds" if sound else "falls short",
    )
    status = bench.verdict(statistics.median(ours), statistics.median(bare), limit=LIMIT)
    return status if sound else 1


def measure_save(env):
    """Queries and median seconds of the refresh at the end of a transaction that saved a deal."""
    deal = env["crm.lead"].search([("won_status", "=", "pending")], limit=1)
    times, queries = [], 0
    for number in range(21):
        deal.expected_revenue = 1000 + 7000 * (number % 3)
        env.flush_all()
        before = env.cr.sql_log_count
        times.append(timed(deal._flush_scoring))
        queries = env.cr.sql_log_count - before
    env.cr.rollback()
    return queries, statistics.median(times[1:])


def measure_odoo(bench):
    """Seconds per deal of Odoo's batch, on the youngest open deals and those closed meanwhile."""
    env = bench.env
    [(start,)] = env.execute_query(
        SQL(
            """SELECT min(create_date)::date FROM (
                   SELECT create_date FROM crm_lead WHERE won_status = 'pending'
                 ORDER BY create_date DESC LIMIT %s) youngest""",
            bench.rows(ODOO_DEALS),
        )
    )
    env["ir.config_parameter"].set_param("crm.pls_start_date", str(start))
    env["ir.config_parameter"].set_param("crm.pls_fields", ",".join(ODOO_FIELDS))
    env.cr.commit()
    leads = env["crm.lead"]
    count = leads.search_count([("create_date", ">=", start), ("won_status", "=", "pending")])
    seconds = timed(leads._cron_update_automated_probabilities)
    bench.row(f"Odoo's batch, {count} open deals", f"{seconds:.1f} s", f"{count / seconds:.0f}/s")
    return seconds / count


if __name__ == "__main__":
    Benchmark.run("scoring_speed", main, peer="bare UPDATE of the same columns")
