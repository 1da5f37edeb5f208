"""Claims at 1,000,000 rows: board, list, search, reports, the deadlines' job, and creating them.

Board, list and search are asked for as the browser asks, by a handler who reads all claims but
confidential ones of others; every statement is explained afterwards, and one that reads a big
table from end to end fails the benchmark at full size. Reports are asked for by the calls of their
pivots, for one year of three. Bare SQL is what one would write by hand for the same rows under the
same conditions of access; it and ours run in turns.

The job of the deadlines looks at 50,000 open claims with 150,000 deadlines, of which one in fifty
has just become due (a busy night), and must be done within a minute.

Creating claims is compared with creating deals of Odoo's CRM in the same run: on one machine
``crm.lead`` made 226 rows a second in batches of 1,000 while the OCA's ``crm.claim``, which does
less, made 210, that is 0.93 of it.

To measure a report, add a row to ``REPORTS``.
"""

import random
from datetime import datetime

import interactions
from common import Benchmark
from interactions import Screen, multiply, recording

CLAIMS, OPEN, PARTNERS, USERS = 1_000_000, 50_000, 60_000, 20
LIMIT = 3
JOB_SECONDS = 60
OCA_SHARE = 0.93  # of the rows of crm.lead that are made in the same time
BATCH = 1_000
BIG_TABLES = {
    "crm_claim",
    "crm_claim_cost",
    "crm_claim_fault",
    "crm_claim_line",
    "crm_claim_sla_status",
}
NOW = datetime.now().replace(microsecond=0)
YEAR = NOW.year - 1
COMPANIES = "claim.company_id = ANY(%(companies)s)"
# as the record rules have it
READABLE = f"""{COMPANIES}
    AND (claim.user_id = %(uid)s OR NOT claim.confidential OR claim.confidential IS NULL
         OR claim.id IN (SELECT res_id FROM mail_followers
                          WHERE res_model = 'crm.claim' AND partner_id = %(partner)s))
    AND (claim.user_id = %(uid)s OR claim.id NOT IN (
         SELECT claim_id FROM crm_claim_fault WHERE accused_user_id = %(uid)s))"""
SHOWN = """claim.id, claim.name, claim.severity, claim.subject, claim.partner_id, partner.name,
    claim.date_registered, claim.date_promised, claim.sla_state, claim.department_id,
    department.name, claim.user_id, colleague.name, claim.team_id, team.name, claim.cause_id,
    cause.complete_name, claim.amount_claimed, claim.stage_id"""
NAMES = """LEFT JOIN res_partner partner ON partner.id = claim.partner_id
           LEFT JOIN hr_department department ON department.id = claim.department_id
           LEFT JOIN res_users users ON users.id = claim.user_id
           LEFT JOIN res_partner colleague ON colleague.id = users.partner_id
           LEFT JOIN crm_claim_team team ON team.id = claim.team_id
           LEFT JOIN crm_claim_cause cause ON cause.id = claim.cause_id"""
ACTIVITIES = """SELECT res_id, user_id, date_deadline, activity_type_id FROM mail_activity
                 WHERE res_model = 'crm.claim' AND active AND res_id = ANY(%(ids)s)"""
BARE = {
    "board": (
        f"""SELECT stage_id, sla_state, count(*) FROM crm_claim claim
             WHERE {READABLE} AND claim.active AND claim.is_open GROUP BY 1, 2""",
        f"""SELECT {SHOWN} FROM crm_claim_stage stage CROSS JOIN LATERAL (
                SELECT * FROM crm_claim claim
                 WHERE claim.stage_id = stage.id AND claim.active AND claim.is_open AND {READABLE}
              ORDER BY severity DESC, date_promised, id DESC LIMIT 80) claim {NAMES}""",
        ACTIVITIES,
    ),
    "list": (
        f"""SELECT {SHOWN} FROM crm_claim claim {NAMES}
             WHERE {READABLE} AND claim.active AND claim.is_open
          ORDER BY claim.date_registered DESC LIMIT 80""",
        f"""SELECT count(*) FROM (SELECT FROM crm_claim claim
             WHERE {READABLE} AND claim.active AND claim.is_open LIMIT 10001) counted""",
        ACTIVITIES,
    ),
    "number": (
        f"""SELECT {SHOWN} FROM crm_claim claim {NAMES}
             WHERE {READABLE} AND claim.active
               AND (claim.name ILIKE %(number)s OR claim.subject ILIKE %(number)s)
          ORDER BY claim.date_registered DESC LIMIT 80""",
        ACTIVITIES,
    ),
    "structure": (
        f"""SELECT fault.department_id, claim.cause_id, sum(COALESCE(fault.share, 100) / 100),
                   sum(claim.amount_claimed * COALESCE(fault.share, 100) / 100)
              FROM crm_claim claim LEFT JOIN crm_claim_fault fault ON fault.claim_id = claim.id
             WHERE {READABLE} AND claim.date_registered >= %(start)s
               AND claim.date_registered < %(end)s
          GROUP BY GROUPING SETS ((), (1), (2), (1, 2))""",
    ),
    "dynamics": (
        f"""SELECT date_trunc('month', claim.date_registered), fault.department_id,
                   sum(COALESCE(fault.share, 100) / 100)
              FROM crm_claim claim LEFT JOIN crm_claim_fault fault ON fault.claim_id = claim.id
             WHERE {READABLE} AND claim.date_registered >= %(start)s
               AND claim.date_registered < %(end)s
          GROUP BY GROUPING SETS ((), (1), (2), (1, 2))""",
        f"""SELECT date_trunc('month', claim.date_decided), fault.department_id,
                   sum(COALESCE(fault.share, 100) / 100)
              FROM crm_claim claim LEFT JOIN crm_claim_fault fault ON fault.claim_id = claim.id
             WHERE {READABLE} AND claim.date_decided >= %(start)s AND claim.date_decided < %(end)s
          GROUP BY GROUPING SETS ((), (1), (2), (1, 2))""",
        f"""SELECT month, fault.department_id, sum(COALESCE(fault.share, 100) / 100)
              FROM generate_series(%(start)s, %(end)s - interval '1 day', '1 month') month
              JOIN crm_claim claim ON claim.date_registered < month + interval '1 month'
               AND (claim.is_open OR claim.date_decided >= month + interval '1 month')
              LEFT JOIN crm_claim_fault fault ON fault.claim_id = claim.id
             WHERE {READABLE} GROUP BY GROUPING SETS ((), (1), (2), (1, 2))""",
    ),
    "outcome": (
        f"""SELECT claim.cause_id, claim.decision, count(*),
                   avg((claim.decision = 'satisfied')::int), avg(claim.rating_last_value)
              FROM crm_claim claim
             WHERE {READABLE} AND claim.date_registered >= %(start)s
               AND claim.date_registered < %(end)s
          GROUP BY GROUPING SETS ((), (1), (2), (1, 2))""",
    ),
    "recurrence": (
        f"""SELECT line.product_id, line.lot_name, count(DISTINCT claim.id), sum(line.quantity)
              FROM crm_claim_line line JOIN crm_claim claim ON claim.id = line.claim_id
             WHERE {READABLE} AND claim.date_registered >= %(start)s
               AND claim.date_registered < %(end)s AND claim.state <> 'cancelled'
          GROUP BY GROUPING SETS ((), (1), (1, 2))""",
    ),
    "deadlines": (
        f"""SELECT status.sla_id, status.target, sum((status.state = 'met')::int),
                   sum((status.state = 'failed')::int),
                   avg(CASE status.state WHEN 'met' THEN 100.0 WHEN 'failed' THEN 0.0 END)
              FROM crm_claim_sla_status status JOIN crm_claim claim ON claim.id = status.claim_id
             WHERE {READABLE} AND status.date_start >= %(start)s AND status.date_start < %(end)s
          GROUP BY GROUPING SETS ((), (1), (2), (1, 2))""",
    ),
    "cost": (
        f"""SELECT fault.department_id, cost.kind,
                   sum(cost.amount * COALESCE(fault.share, 100) / 100),
                   sum(cost.hours * COALESCE(fault.share, 100) / 100)
              FROM (SELECT claim_id, kind, hours, amount FROM crm_claim_cost
                     WHERE date >= %(start)s::date AND date < %(end)s::date
                     UNION ALL
                    SELECT claim_id, remedy.kind, 0, remedy.amount FROM crm_claim_remedy remedy
                      JOIN crm_claim claim ON claim.id = claim_id
                     WHERE remedy.state NOT IN ('proposed', 'cancelled')
                       AND COALESCE(date_decided, remedy.create_date) >= %(start)s
                       AND COALESCE(date_decided, remedy.create_date) < %(end)s
                     UNION ALL
                    SELECT id, remedy_granted, 0, amount_granted FROM crm_claim claim
                     WHERE amount_granted > 0 AND date_decided >= %(start)s
                       AND date_decided < %(end)s AND NOT EXISTS (
                           SELECT FROM crm_claim_remedy WHERE claim_id = claim.id)) cost
              JOIN crm_claim claim ON claim.id = cost.claim_id
              LEFT JOIN crm_claim_fault fault ON fault.claim_id = claim.id
             WHERE {READABLE} GROUP BY GROUPING SETS ((), (1), (2), (1, 2))""",
    ),
}
#: label, model, field of the date, groupings of the pivot, measures, key of the bare SQL
REPORTS = (
    ("report: structure", "crm.claim.report", "date",
     [[], ["department_id"], ["cause_id"], ["department_id", "cause_id"]],
     ["registered:sum", "amount_claimed:sum"], "structure"),
    ("report: dynamics", "crm.claim.dynamics", "date",
     [[], ["date:month"], ["department_id"], ["date:month", "department_id"]],
     ["registered:sum", "handled:sum", "unhandled:sum"], "dynamics"),
    ("report: outcome", "crm.claim.outcome", "date",
     [[], ["cause_id"], ["decision"], ["cause_id", "decision"]],
     ["__count", "satisfied_percent:avg", "rating:avg"], "outcome"),
    ("report: recurrence", "crm.claim.recurrence", "date",
     [[], ["product_id"], ["product_id", "lot_name"]],
     ["claim_count:count_distinct", "quantity:sum"], "recurrence"),
    ("report: deadlines kept", "crm.claim.sla.report", "date",
     [[], ["sla_id"], ["target"], ["sla_id", "target"]],
     ["kept_count:sum", "missed_count:sum", "kept_percent:avg"], "deadlines"),
    ("report: cost", "crm.claim.cost.report", "date",
     [[], ["department_id"], ["kind"], ["department_id", "kind"]],
     ["amount:sum", "hours:sum"], "cost"),
)  # fmt: skip


# ------------------------------------------------------------
# DATA
# ------------------------------------------------------------


def create_masters(env):
    """Users, departments, causes, products; what the rows refer to."""
    groups = [(4, env.ref("crm_claims.crm_claims_group_user_all").id)]
    users = env["res.users"].create(
        [
            {"name": f"Handler {n}", "login": f"handler{n}", "group_ids": groups}
            for n in range(USERS)
        ]
    )
    departments = env["hr.department"].create([{"name": f"Department {n}"} for n in range(30)])
    causes = env["crm.claim.cause"].create([{"name": f"Cause {n}"} for n in range(60)])
    products = env["product.product"].create(
        [{"name": f"Product {n}", "type": "consu"} for n in range(200)]
    )
    return users, departments, causes, products


def fill(bench, users, departments, causes, products):
    env, cr = bench.env, bench.env.cr
    cr.execute("SELECT setseed(0.5)")
    multiply(
        env["res.partner"].create({"name": "Origin", "lang": "en_US"}),
        bench.rows(PARTNERS),
        name="'Client ' || n",
        complete_name="'Client ' || n",
        email="'client' || n || '@example.com'",
        commercial_partner_id="currval('res_partner_id_seq')",
    )
    cr.execute("SELECT min(id), count(*) FROM res_partner WHERE name LIKE 'Client %'")
    first, count = cr.fetchone()
    stages = {
        state: env["crm.claim"]._get_stage_of_state(state).id
        for state in ("new", "acknowledged", "investigating", "closed")
    }
    origin = env["crm.claim"].create({"subject": "Origin", "partner_id": first})
    origin.sla_status_ids.unlink()
    claims, open_claims = bench.rows(CLAIMS), bench.rows(OPEN)
    is_open = f"n <= {open_claims}"
    registered = (
        f"CASE WHEN {is_open} THEN now() - random() * interval '20 days' "
        "ELSE now() - interval '20 days' - random() * interval '1095 days' END"
    )
    multiply(
        origin,
        claims,
        name="'CLM/BENCH/' || lpad(n::text, 8, '0')",
        subject="(ARRAY['Drill', 'Saw', 'Lamp', 'Delivery', 'Invoice', 'Parcel', 'Engine'])"
        "[1 + n % 7] || ' ' || md5(n::text) || ' does not do'",
        partner_id=f"{first} + floor(random() * {count})",
        commercial_partner_id=f"{first} + n % {count}",
        user_id=f"(ARRAY{users.ids})[1 + floor({USERS} * random())]",
        stage_id=f"CASE WHEN {is_open} THEN (ARRAY[{stages['new']}, {stages['acknowledged']}, "
        f"{stages['investigating']}])[1 + n % 3] ELSE {stages['closed']} END",
        state=f"CASE WHEN {is_open} THEN (ARRAY['new', 'acknowledged', 'investigating'])"
        "[1 + n % 3] ELSE 'closed' END",
        is_open=is_open,
        sla_state=f"CASE WHEN {is_open} THEN 'ok' END",
        severity="(n % 4)::text",
        confidential="n % 100 = 0",
        cause_id=f"(ARRAY{causes.ids})[1 + n % 60]",
        department_id=f"(ARRAY{departments.ids})[1 + n % 30]",
        amount_claimed="100 + n % 900",
        amount_granted=f"CASE WHEN NOT {is_open} AND n % 3 < 2 THEN 50 + n % 400 END",
        remedy_granted=f"CASE WHEN NOT {is_open} AND n % 3 < 2 THEN 'refund' END",
        decision=f"CASE WHEN NOT {is_open} THEN (ARRAY['satisfied', 'partly', 'rejected'])"
        "[1 + n % 3] END",
        date_registered=registered,
        date_promised="(now() + interval '5 days' - (n % 9) * interval '1 day')::date",
        date_decided=f"CASE WHEN NOT {is_open} THEN now() - random() * interval '1000 days' END",
        date_closed=f"CASE WHEN NOT {is_open} THEN now() - random() * interval '1000 days' END",
        access_token="NULL",
        portal_form_key="NULL",
    )
    cr.execute(
        f"""
        INSERT INTO crm_claim_fault (claim_id, company_id, department_id, share, reason)
        SELECT id, company_id, department_id, 100, 'Seen' FROM crm_claim
         WHERE name LIKE 'CLM/BENCH/%%' AND id %% 10 < 6;
        INSERT INTO crm_claim_line (claim_id, company_id, product_id, lot_name, quantity, amount)
        SELECT id, company_id, (ARRAY{products.ids})[1 + id %% 200], 'L' || id %% 500, 1, 100
          FROM crm_claim WHERE name LIKE 'CLM/BENCH/%%' AND id %% 10 < 3;
        INSERT INTO crm_claim_sla_status (claim_id, company_id, target, cycle, unit, amount,
               warn_percent, date_start, date_warning, date_deadline, state, paused_hours)
        SELECT claim.id, company_id, target, 0, 'working_days', 10, 75, date_registered,
               now() + (claim.id %% 100) * interval '1 hour' + interval '10 minutes',
               now() + (claim.id %% 100) * interval '1 hour' + interval '1 day', 'running', 0
          FROM crm_claim claim, unnest(ARRAY['acknowledge', 'answer', 'decide']) target
         WHERE name LIKE 'CLM/BENCH/%%' AND is_open;
        INSERT INTO crm_claim_sla_status (claim_id, company_id, target, cycle, unit, amount, sla_id,
               warn_percent, date_start, date_deadline, date_done, state, paused_hours)
        SELECT id, company_id, 'decide', 0, 'working_days', 10,
               (SELECT min(id) FROM crm_claim_sla) + id %% 3, 75, date_registered,
               date_registered + interval '14 days', date_decided,
               CASE WHEN id %% 7 = 0 THEN 'failed' ELSE 'met' END, 0
          FROM crm_claim WHERE name LIKE 'CLM/BENCH/%%' AND NOT is_open;
        INSERT INTO crm_claim_cost (claim_id, company_id, date, kind, name, hours, amount)
        SELECT id, company_id, date_decided::date, (ARRAY['labour', 'goods'])[1 + id %% 2],
               'Spent', id %% 4, 10 + id %% 90
          FROM crm_claim WHERE name LIKE 'CLM/BENCH/%%' AND NOT is_open AND id %% 4 = 0;
        """,
        [],
    )
    env.invalidate_all()


def use_unaccented_indexes(env):
    """Make ``unaccent`` indexable, as Odoo does in the databases that it creates itself."""
    if env.registry.has_unaccent:
        env.cr.execute("ALTER FUNCTION unaccent(text) IMMUTABLE")
        for column in ("name", "subject"):
            env.cr.execute(
                f"CREATE INDEX bench_{column}_index ON crm_claim "
                f"USING gin (unaccent({column}) gin_trgm_ops)"
            )


# ------------------------------------------------------------
# SCREENS
# ------------------------------------------------------------


class Board(Screen):
    """The board as the action opens it: its columns with their first cards and progress bars."""

    def __init__(self, env, xmlid):
        super().__init__(env, xmlid)
        view_id = next(view_id for view_id, kind in self.action["views"] if kind == "kanban")
        result = self.model.get_views([(view_id, "kanban")])
        self.fields = result["models"][self.model._name]["fields"]
        arch = interactions.etree.fromstring(result["views"]["kanban"]["arch"])
        self.columns = {node.get("name") for node in arch.iter("field")} & set(self.fields)
        self.bar = next(arch.iter("progressbar"))

    def load(self):
        self.model.env.invalidate_all()
        specification = {
            name: {"fields": {"display_name": {}}}
            if self.fields[name]["type"] in ("many2one", "one2many", "many2many")
            else {}
            for name in self.columns
        }
        groups = self.model.web_read_group(
            self.domain(),
            ["stage_id"],
            ["__count"],
            auto_unfold=True,
            unfold_read_specification=specification,
            unfold_read_default_limit=80,
        )
        colors = eval(self.bar.get("colors"))
        self.model.read_progress_bar(
            self.domain(), "stage_id", {"field": self.bar.get("field"), "colors": colors}
        )
        return groups


def check_plans(bench, label, function):
    interactions.BIG_TABLES = BIG_TABLES
    return interactions.check_plans(bench, label, function)


def compare(bench, label, ours, bare, values, check=True):
    """Ratio to bare SQL, and whether no big table is read from end to end."""
    cr = bench.env.cr

    def run_bare():
        for statement in BARE[bare]:
            cr.execute(statement, values)
            cr.fetchall()

    indexed = check_plans(bench, label, ours) if check else True
    peer, seconds = bench.medians((f"{label}: bare SQL", run_bare), (label, ours), repeat=5)
    ratio = seconds / max(peer, 0.004)  # what nobody notices is not divided by
    bench.row("", f"{ratio:.1f}x", f"at most {LIMIT}x")
    return ratio, indexed


def measure_screens(bench, user):
    env = bench.env(user=user)
    values = {
        "uid": user.id,
        "partner": user.partner_id.id,
        "companies": user.company_ids.ids,
        "start": datetime(YEAR, 1, 1),
        "end": datetime(YEAR + 1, 1, 1),
        "number": "%BENCH/00000123%",
    }
    board = Board(env, "crm_claims.crm_claim_action")
    groups = board.load()["groups"]
    ids = [row["id"] for group in groups for row in group.get("__records", [])]
    yield compare(bench, "board", board.load, "board", values | {"ids": ids})
    claims = Screen(env, "crm_claims.crm_claim_action")
    ids = [row["id"] for row in claims.load()["records"]]
    yield compare(bench, "list", claims.load, "list", values | {"ids": ids})

    def search():
        env.invalidate_all()
        domain = ["|", ("name", "ilike", "BENCH/00000123"), ("subject", "ilike", "BENCH/00000123")]
        return claims.model.web_search_read(
            domain, claims.specification(), limit=80, order="date_registered desc"
        )

    ids = [row["id"] for row in search()["records"]]
    yield compare(bench, "search by number", search, "number", values | {"ids": ids})
    for label, model, date, groupings, measures, bare in REPORTS:
        domain = [(date, ">=", f"{YEAR}-01-01"), (date, "<=", f"{YEAR}-12-31")]

        def report(model=model, domain=domain, groupings=groupings, measures=measures):
            env.invalidate_all()
            return env[model].formatted_read_grouping_sets(domain, groupings, measures)

        # a year of three years is read from end to end with good reason
        yield compare(bench, label, report, bare, values, check=False)


# ------------------------------------------------------------
# THE JOB, AND CREATING
# ------------------------------------------------------------


def measure_job(bench):
    env = bench.env
    env["crm.claim"]._cron_deadlines()
    env.cr.execute(
        "UPDATE crm_claim_sla_status SET date_deadline = now() - interval '1 minute' "
        "WHERE state = 'running' AND id % 100 = 0;"
        "UPDATE crm_claim_sla_status SET date_warning = now() - interval '1 minute' "
        "WHERE state = 'running' AND id % 100 = 1"
    )
    env.invalidate_all()
    env.cr.execute("SELECT count(*) FROM crm_claim_sla_status WHERE date_done IS NULL")
    bench.row("deadlines under way", env.cr.fetchone()[0])
    with recording(env.cr) as statements:
        seconds, __ = bench.once("job of the deadlines", env["crm.claim"]._cron_deadlines)
    env.cr.execute("SELECT count(*) FROM mail_activity WHERE res_model = 'crm.claim'")
    bench.row("", f"{len(statements)} statements", f"{env.cr.fetchone()[0]} activities")
    sound = seconds <= JOB_SECONDS
    bench.row(f"job: at most {JOB_SECONDS} s", "holds" if sound else "falls short")
    return sound


def measure_creation(bench):
    env = bench.env
    env.cr.execute("SELECT id FROM res_partner WHERE name LIKE 'Client %' LIMIT 1000")
    partners = [row[0] for row in env.cr.fetchall()]
    rng = random.Random(1)

    def values(name, count):
        return [
            {name: f"Created {n}", "partner_id": rng.choice(partners), "user_id": False}
            for n in range(count)
        ]

    def create(model, name, count, context):
        env[model].with_context(**context).create(values(name, count))
        env.flush_all()
        env.invalidate_all()

    batch = max(bench.rows(BATCH), 50)
    quiet = {"tracking_disable": True}
    leads, claims = bench.medians(
        (f"{batch} deals in a batch", lambda: create("crm.lead", "name", batch, quiet)),
        (f"{batch} claims in a batch", lambda: create("crm.claim", "subject", batch, quiet)),
        repeat=3,
    )
    bench.row("rows a second", f"{batch / claims:.0f} claims", f"{batch / leads:.0f} deals")

    def one_by_one(model, name):
        for __ in range(20):
            create(model, name, 1, {})

    lead, claim = bench.medians(
        ("20 deals one by one", lambda: one_by_one("crm.lead", "name")),
        ("20 claims one by one", lambda: one_by_one("crm.claim", "subject")),
        repeat=3,
    )
    bench.row("rows a second", f"{20 / claim:.0f} claims", f"{20 / lead:.0f} deals")
    sound = leads / claims >= OCA_SHARE
    bench.row(
        f"creating: at least {OCA_SHARE} of the deals in the same time",
        f"{leads / claims:.2f}",
        "holds" if sound else "falls short",
    )
    return sound


def main(bench):
    env = bench.env
    masters = create_masters(env)
    use_unaccented_indexes(env)
    env.cr.execute("SET LOCAL maintenance_work_mem = '256MB'")
    with interactions.without_indexes(env.cr, BIG_TABLES):
        bench.once("fill", lambda: fill(bench, *masters))
    # a transaction does not use an index that it has made over rows it had changed
    env.cr.commit()
    for table in (*BIG_TABLES, "res_partner", "mail_activity", "mail_followers"):
        env.cr.execute(f"ANALYZE {table}")
    results = list(measure_screens(bench, masters[0][0]))
    sound = all(indexed for _ratio, indexed in results)
    sound = measure_creation(bench) and sound
    env.cr.commit()
    sound = measure_job(bench) and sound
    status = bench.verdict(max(ratio for ratio, _indexed in results), 1, limit=LIMIT)
    return status if sound else 1


if __name__ == "__main__":
    Benchmark.run("claims", main, peer="bare SQL")
