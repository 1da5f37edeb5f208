"""What the managers' figures are made of beside deals and interactions, at 1,000,000 deals.

- Conversion of a step: ``crm.funnel.report`` looks at each stay of each deal, whenever it was.
- New and returned clients: ``client_turn`` looks for an earlier purchase of each order of the
  period, among 500,000 orders of 100,000 clients.
- No contact: the strategy reads 500,000 conversations for clients who were forgotten.
- The sales dashboard, whole, as a sales administrator opens it.

Each figure of a month is held to a fixed time, the funnel of all times to ``LIMIT``; the row of the
slowest says which.
"""

from datetime import date

from common import Benchmark
from interactions import multiply, without_indexes
from managers import MANAGERS, create_users

LEADS, ORDERS, CLIENTS, CONVERSATIONS = 1_000_000, 500_000, 100_000, 500_000
LIMIT = 20  # seconds: for the funnel of a million deals, nightly or on demand
MONTHS = [(date(2025, 11, 1), date(2025, 11, 30)), (date(2025, 10, 1), date(2025, 10, 31))]
MOMENT = "(timestamp '2024-01-01' + (n % 730) * interval '1 day' + interval '9 hours')"


def fill(bench, users):
    env = bench.env
    env.cr.execute("SET LOCAL work_mem = '256MB'")
    env.cr.execute("SET LOCAL maintenance_work_mem = '256MB'")
    env.cr.execute("SET LOCAL session_replication_role = replica")
    owner = f"(ARRAY{users.ids})[1 + n % {MANAGERS}]"
    multiply(
        env["res.partner"].create({"name": "Origin", "is_company": True}),
        bench.rows(CLIENTS),
        name="'Client ' || n",
        commercial_partner_id="currval('res_partner_id_seq')",
    )
    env.cr.execute("SELECT min(id), count(*) FROM res_partner WHERE name LIKE 'Client %'")
    first, clients = env.cr.fetchone()
    client = f"{first} + (n::bigint * 7919 % {clients})::integer"
    stages = env["crm.stage"].search([("is_won", "=", False)]).ids
    lead = env["crm.lead"].create(
        {"name": "Origin", "type": "opportunity", "team_id": False, "stage_id": stages[0]}
    )
    stay = env["crm.lead.stage.history"].search([("lead_id", "=", lead.id)])
    order = env["sale.order"].create({"partner_id": env.user.partner_id.id, "user_id": users[0].id})
    chain = env["crm.interaction.chain"].create({"name": "Origin"})
    # rows that change while their indexes are away make these useless for this transaction
    env.flush_all()
    tables = ("crm_lead", "crm_lead_stage_history")
    with without_indexes(env.cr, tables):
        multiply(
            lead,
            bench.rows(LEADS),
            name="'Deal ' || n",
            user_id=owner,
            stage_id=f"(ARRAY{stages})[1 + n % {len(stages)}]",
            create_date=MOMENT,
            won_status="CASE n % 5 WHEN 0 THEN 'won' WHEN 1 THEN 'pending' ELSE 'lost' END",
            date_closed=f"CASE WHEN n % 5 != 1 THEN {MOMENT} + interval '40 days' END",
            expected_revenue="(n::bigint * 7919 % 10000)::numeric",
        )
        env.cr.execute("SELECT min(id) FROM crm_lead WHERE name LIKE 'Deal %'")
        (deal,) = env.cr.fetchone()
        for number, stage in enumerate(stages):
            last = number == len(stages) - 1
            multiply(
                stay,
                bench.rows(LEADS),
                lead_id=f"{deal} + n - 1",
                stage_id=str(stage),
                user_id=owner,
                date_in=f"{MOMENT} + interval '{9 * number} days'",
                date_out="NULL" if last else f"{MOMENT} + interval '{9 * number + 9} days'",
                result="'open'" if last else "'moved_forward'",
            )
    multiply(
        order,
        bench.rows(ORDERS),
        name="'SO' || n",
        partner_id=client,
        user_id=owner,
        state="'sale'",
        date_order=MOMENT,
        amount_untaxed="(n % 5000)::numeric",
    )
    multiply(
        chain,
        bench.rows(CONVERSATIONS),
        name="'Conversation ' || n",
        partner_id=client,
        date_last=MOMENT,
        date_next=f"CASE WHEN n % 50 = 0 THEN {MOMENT} + interval '900 days' END",
    )
    env.cr.execute("SET LOCAL session_replication_role = origin")
    env.cr.execute("SET LOCAL work_mem TO DEFAULT")
    env.invalidate_all()
    for table in (*tables, "sale_order", "crm_interaction_chain", "res_partner"):
        env.cr.execute(f"ANALYZE {table}")


def main(bench):
    env = bench.env
    users = create_users(env)
    bench.once("fill", lambda: fill(bench, users))
    as_admin = env(user=users[0], context={"allowed_company_ids": env.company.ids})
    Metric = as_admin["crm.metric"]

    def tell(codes):
        metrics = Metric.search([("code", "in", codes)])
        assert len(metrics) == len(codes) and not any(metrics.mapped("problem"))
        return metrics._get_figures(MONTHS, "user")

    strategy = env.ref("crm_extended.crm_strategy_no_contact")
    found = strategy._find_no_contact(env.cr.now())
    bench.row("forgotten clients found", len(found))
    figures = tell(["clients_new", "clients_returned", "steps_passed"])
    bench.row("figures told", sum(len(month) for rows in figures.values() for month in rows))
    options = {
        "period": "custom",
        "date_from": str(MONTHS[0][0]),
        "date_to": str(MONTHS[0][1]),
    }
    board = as_admin["crm.dashboard"]
    before = env.cr.sql_log_count
    board.get_dashboard("sales", options)
    bench.row("queries of the sales dashboard", env.cr.sql_log_count - before)
    seconds = bench.medians(
        ("conversion of a step", lambda: tell(["steps_reached", "steps_passed"])),
        ("new and returned clients", lambda: tell(["clients_new", "clients_returned"])),
        ("no contact", lambda: strategy._find_no_contact(env.cr.now())),
        ("sales dashboard", lambda: board.get_dashboard("sales", options)),
        ("clients dashboard", lambda: board.get_dashboard("clients", options)),
        repeat=3,
    )
    return bench.bound(max(seconds), LIMIT * max(bench.scale, 0.1), "s")


if __name__ == "__main__":
    Benchmark.run("managers_sources", main, peer="a fixed time")
