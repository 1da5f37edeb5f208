"""The comparison of managers at 1,000,000 deals and 5,000,000 interactions.

Thirty metrics of 50 managers in two periods (a year, and the year before: every row counts
somewhere) are told by ``crm.metric`` to a sales administrator, and by bare aggregates in turns:
one statement a table, as one would write it by hand, with the same figures, grouped by manager,
without any condition of access. The figures of both are compared first; a benchmark that is fast
and wrong falls short. So does one that takes more than one statement for each table.
"""

from datetime import date

from common import Benchmark
from interactions import multiply, without_indexes

LEADS, INTERACTIONS, MANAGERS = 1_000_000, 5_000_000, 50
LIMIT = 2
PERIODS = [
    (date(2025, 1, 1), date(2025, 12, 31)),
    (date(2024, 1, 1), date(2024, 12, 31)),
]
# metric: (date, condition, aggregate) as one would write them by hand
DEALS = {
    "leads_new": ("create_date", "TRUE", "COUNT(*)"),
    "deals_new": ("create_date", "type = 'opportunity'", "COUNT(*)"),
    "deals_won": ("date_closed", "won_status = 'won'", "COUNT(*)"),
    "deals_lost": ("date_closed", "won_status = 'lost'", "COUNT(*)"),
    "deals_closed": ("date_closed", "won_status IN ('won', 'lost')", "COUNT(*)"),
    "deals_won_amount": ("date_closed", "won_status = 'won'", "SUM(expected_revenue)"),
    "deals_lost_amount": ("date_closed", "won_status = 'lost'", "SUM(expected_revenue)"),
    "cycle_days": ("date_closed", "won_status = 'won'", "AVG(day_close)"),
    "forecast_due": ("date_deadline", "type = 'opportunity'", "SUM(expected_revenue)"),
    "forecast_kept": (
        "date_deadline", "type = 'opportunity' AND won_status = 'won'", "SUM(expected_revenue)",
    ),
    "own_hot": ("create_date", "priority = '3'", "COUNT(*)"),
    "own_big": ("date_closed", "won_status = 'won' AND expected_revenue > 5000", "COUNT(*)"),
    "own_average": ("date_closed", "won_status = 'won'", "AVG(expected_revenue)"),
}  # fmt: skip
CONTACTS = {
    "interactions": ("state = 'done'", "COUNT(*)"),
    "calls": ("state = 'done' AND kind = 'call'", "COUNT(*)"),
    "meetings": ("state = 'done' AND kind = 'meeting'", "COUNT(*)"),
    "emails_sent": ("state = 'done' AND kind = 'email' AND direction = 'out'", "COUNT(*)"),
    "messages": ("state = 'done' AND kind = 'message'", "COUNT(*)"),
    "calls_tried": (
        "state = 'done' AND kind = 'call' AND direction = 'out' AND outcome_id IS NOT NULL",
        "COUNT(*)",
    ),
    "calls_reached": (
        "state = 'done' AND kind = 'call' AND direction = 'out' AND outcome_id IN "
        "(SELECT id FROM crm_interaction_outcome WHERE reached)",
        "COUNT(*)",
    ),
    "answer_hours": ("date_answered IS NOT NULL", "AVG(answer_hours)"),
    "own_cancelled": ("state = 'cancelled'", "COUNT(*)"),
    "own_minutes": ("state = 'done'", "SUM(duration)"),
    "own_call_minutes": ("state = 'done' AND kind = 'call'", "AVG(duration)"),
    "own_incoming": ("direction = 'in'", "COUNT(*)"),
}
RATIOS = {
    "win_rate": ("deals_won", "deals_closed"),
    "reached_share": ("calls_reached", "calls_tried"),
    "forecast_accuracy": ("forecast_kept", "forecast_due"),
    "own_lost_share": ("deals_lost", "deals_closed"),
    "own_call_share": ("calls", "interactions"),
}
OWN = [
    {"code": "own_hot", "model": "crm.lead", "date_field": "create_date",
     "domain": "[('priority', '=', '3')]"},
    {"code": "own_big", "model": "crm.lead", "date_field": "date_closed",
     "domain": "[('won_status', '=', 'won'), ('expected_revenue', '>', 5000)]"},
    {"code": "own_average", "model": "crm.lead", "date_field": "date_closed",
     "domain": "[('won_status', '=', 'won')]", "aggregate": "avg", "unit": "money",
     "measure": "expected_revenue"},
    {"code": "own_cancelled", "domain": "[('state', '=', 'cancelled')]"},
    {"code": "own_minutes", "domain": "[('state', '=', 'done')]", "aggregate": "sum",
     "measure": "duration"},
    {"code": "own_call_minutes", "domain": "[('state', '=', 'done'), ('kind', '=', 'call')]",
     "aggregate": "avg", "measure": "duration"},
    {"code": "own_incoming", "domain": "[('direction', '=', 'in')]"},
]  # fmt: skip


def create_users(env):
    context = {"no_reset_password": True, "mail_create_nolog": True}
    users = (
        env["res.users"]
        .with_context(**context)
        .create(
            [
                {
                    "name": f"Manager {number}",
                    "login": f"bench_manager_{number}",
                    "tz": "UTC",
                    "group_ids": [(6, 0, env.ref("sales_team.group_sale_salesman").ids)],
                }
                for number in range(MANAGERS)
            ]
        )
    )
    users[0].group_ids |= env.ref("sales_team.group_sale_manager")
    return users


def create_metrics(env):
    """The thirty metrics: ready ones, and some of one's own."""
    Metric = env["crm.metric"]
    for values in OWN:
        defaults = {"name": values["code"], "user_field": "user_id"}
        if "model" not in values:
            defaults |= {"model": "crm.interaction", "date_field": "date_start"}
        else:
            defaults["team_field"] = "team_id"
        Metric.create({**defaults, **values})
    for code in ("own_lost_share", "own_call_share"):
        above, below = (Metric._get_by_code(part).id for part in RATIOS[code])
        Metric.create(
            {
                "name": code,
                "code": code,
                "kind": "ratio",
                "unit": "percent",
                "numerator_id": above,
                "denominator_id": below,
            }
        )
    return Metric.search([("code", "in", [*DEALS, *CONTACTS, *RATIOS])])


def fill(bench, users):
    env = bench.env
    env.cr.execute("SELECT setseed(0.5)")
    env.cr.execute("SET LOCAL work_mem = '256MB'")
    env.cr.execute("SET LOCAL maintenance_work_mem = '256MB'")
    env.cr.execute("SET LOCAL session_replication_role = replica")
    owner = f"(ARRAY{users.ids})[1 + n % {MANAGERS}]"
    moment = "(timestamp '2024-01-01' + (n % 730) * interval '1 day' + interval '9 hours')"
    lead = env["crm.lead"].create(
        {"name": "Origin", "type": "opportunity", "team_id": False, "company_id": env.company.id}
    )
    status = "CASE n % 5 WHEN 0 THEN 'won' WHEN 1 THEN 'pending' ELSE 'lost' END"
    with without_indexes(env.cr, ["crm_lead", "crm_interaction"]):
        multiply(
            lead,
            bench.rows(LEADS),
            name="'Deal ' || n",
            user_id=owner,
            type="CASE WHEN n % 7 = 0 THEN 'lead' ELSE 'opportunity' END",
            create_date=moment,
            won_status=status,
            date_closed=f"CASE WHEN n % 5 != 1 THEN {moment} + (n % 60) * interval '1 day' END",
            date_deadline=f"({moment} + interval '30 days')::date",
            expected_revenue="(n::bigint * 7919 % 10000)::numeric",
            day_close="(n % 60)::float",
            priority="(n % 4)::text",
        )
        outcome = env["crm.interaction.outcome"].search([], limit=4).ids
        interaction = env["crm.interaction"].create(
            {"subject": "Origin", "kind": "call", "company_id": env.company.id}
        )
        multiply(
            interaction,
            bench.rows(INTERACTIONS),
            user_id=owner,
            chain_user_id=owner,
            state="CASE WHEN n % 25 = 0 THEN 'cancelled' ELSE 'done' END",
            kind="(ARRAY['call', 'email', 'meeting', 'message'])[1 + n % 4]",
            direction="CASE WHEN n % 3 = 0 THEN 'in' ELSE 'out' END",
            date_start=moment,
            duration="(n % 30)::numeric",
            outcome_id=f"CASE WHEN n % 8 = 0 THEN (ARRAY{outcome})[1 + n % {len(outcome)}] END",
            date_answered=f"CASE WHEN n % 6 = 0 THEN {moment} END",
            answer_hours="CASE WHEN n % 6 = 0 THEN (n % 40)::numeric / 4 END",
        )
    env.cr.execute("SET LOCAL session_replication_role = origin")
    env.invalidate_all()
    for table in ("crm_lead", "crm_interaction"):
        env.cr.execute(f"ANALYZE {table}")


def get_bare_statements():
    """One statement a table; columns in the order of the metrics, period after period."""

    def build(table, metrics):
        columns = []
        for column, condition, aggregate in metrics:
            for first, last in PERIODS:
                columns.append(
                    f"{aggregate} FILTER (WHERE {column} >= '{first}' AND "
                    f"{column} < '{last}'::date + 1 AND {condition})"
                )
        return f"SELECT user_id, {', '.join(columns)} FROM {table} GROUP BY user_id"

    return [
        build("crm_lead", DEALS.values()),
        build("crm_interaction", [("date_start", *metric) for metric in CONTACTS.values()]),
    ]


def run_bare(env):
    """:return: dict code → list, one for each period, of dicts manager → figure"""
    figures = {}
    for statement, metrics in zip(get_bare_statements(), (DEALS, CONTACTS), strict=True):
        env.cr.execute(statement)
        rows = env.cr.fetchall()
        for place, code in enumerate(metrics):
            figures[code] = [
                {row[0]: row[1 + 2 * place + number] for row in rows} for number in range(2)
            ]
    return figures


def compare(bench, metrics, ours, bare, users):
    """Whether both tell the same."""
    sound, checked = True, 0
    for metric in metrics.filtered(lambda metric: metric.kind == "own"):
        for number in range(2):
            for user in users.ids:
                mine = float(ours[metric.id][number].get(user) or 0)
                theirs = float(bare[metric.code][number].get(user) or 0)
                sound = sound and abs(mine - theirs) <= 1e-6 * max(abs(theirs), 1)
                checked += 1
    bench.row("figures equal the bare ones", "yes" if sound else "NO", f"{checked} figures")
    return sound


def main(bench):
    env = bench.env
    users = create_users(env)
    metrics = create_metrics(env)
    bench.once("fill", lambda: fill(bench, users))
    as_admin = metrics.with_user(users[0]).with_context(allowed_company_ids=env.company.ids)
    ours = as_admin._get_figures(PERIODS, "user")
    sound = compare(bench, metrics, ours, run_bare(env), users)
    before = env.cr.sql_log_count
    as_admin._get_figures(PERIODS, "user")
    statements = env.cr.sql_log_count - before
    bench.row("metrics, managers, periods", f"{len(metrics)}, {MANAGERS}, {len(PERIODS)}")
    bench.row("statements", statements, "one for each of the two tables")
    own, bare = bench.medians(
        ("ours", lambda: as_admin._get_figures(PERIODS, "user")),
        ("bare", lambda: run_bare(env)),
        repeat=5,
    )
    status = bench.verdict(own, bare, limit=LIMIT)
    return status if sound and statements <= 2 and len(metrics) >= 30 else 1


if __name__ == "__main__":
    Benchmark.run("managers", main, peer="bare aggregates")
