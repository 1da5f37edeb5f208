"""The screens of interactions at 1,000,000 rows, and what recording a mail costs.

Each screen is asked for as the browser asks: the action's filters, the columns of its list, the
calls of the web client, by a salesman who sees his own documents only; the time line by the call
of its own widget, `get_timeline`, which sends the first 40 entries of about 500, what is planned,
and the number of all entries by kind. The statements that are actually issued are explained
afterwards; one that reads a big table from end to end fails the benchmark, and so does a screen
that takes more than three times its bare SQL.

Bare SQL is what one would write by hand for the same screen: the same rows in the same order, all
that the screen shows of them (names of clients, colleagues and documents, participants, files,
counts), under the same conditions of access. It is fetched, and nothing is done with it. It and
the screen are run in turns, so that other work on the machine weighs on both.

A mail is posted on deals with and without its interaction, in turns.
"""

import contextlib
import itertools
import re
import statistics
import time
from datetime import datetime, timedelta
from unittest.mock import patch

from common import Benchmark
from lxml import etree

INTERACTIONS, CHAINS = 1_000_000, 200_000
LEADS, PARTNERS, USERS = 80_000, 60_000, 20
TIME_LINE = 500
LIMIT = 3
MAIL_ROUNDS, TURNS = 2, [(False, True), (True, False)]
MAIL_QUERIES, MAIL_PERCENT, MAILS = 6, 15, 80
BIG_TABLES = {"crm_interaction", "crm_interaction_chain", "crm_interaction_participant"}
NOW = datetime.now().replace(microsecond=0)

A_USER = "(%(users)s)[1 + floor(%(user_count)s * random() ^ 2)]"
FILL = f"""
    INSERT INTO crm_interaction_chain (name, state, res_model, res_id, partner_id, user_id,
                                       company_id, outcome_number, create_date, write_date)
    SELECT lead.name, CASE WHEN random() < 0.3 THEN 'closed' ELSE 'open' END, 'crm.lead', lead.id,
           lead.partner_id, lead.user_id, lead.company_id, 0, %(now)s, %(now)s
      FROM crm_lead lead WHERE lead.name LIKE 'Deal %%'
 UNION ALL
    SELECT partner.name, 'open', 'res.partner', partner.id, partner.id,
           CASE WHEN random() < 0.95 THEN {A_USER} END,
           NULL, 0, %(now)s, %(now)s
      FROM res_partner partner WHERE partner.name LIKE 'Client %%'
 UNION ALL
    SELECT 'Somebody ' || n, 'open', NULL, NULL, NULL,
           CASE WHEN random() < 0.95 THEN {A_USER} END,
           %(company)s, 0, %(now)s, %(now)s
      FROM generate_series(1, %(others)s) n;

    -- a chain has one interaction at least; few have very many
    INSERT INTO crm_interaction (
        subject, kind, direction, state, body, date_start, date_deadline, duration, date_end,
        user_id, chain_user_id, partner_id, company_id, chain_id, res_model, res_id,
        create_uid, create_date, write_uid, write_date)
    SELECT 'About the order of ' || n, kind.kind,
           CASE WHEN state.state = 'new' OR n %% 3 = 0 THEN 'in' ELSE 'out' END, state.state,
           '<p>' || repeat('What was said. ', 8) || '</p>', moment.at, moment.at, 5 + n %% 20,
           moment.at + make_interval(mins => 5 + n %% 20),
           CASE WHEN source.other < 0.9 THEN chain.user_id
                WHEN source.other < 0.99
                THEN (%(users)s)[1 + floor(%(user_count)s * source.any_user)] END,
           chain.user_id, chain.partner_id, COALESCE(chain.company_id, %(company)s), chain.id,
           chain.res_model, chain.res_id, 1, moment.at, 1, moment.at
      FROM (
            SELECT n, random() AS other, random() AS any_user, random() AS fate, random() AS age,
                   CASE WHEN n <= %(chains)s THEN n
                        ELSE 1 + floor(%(chains)s * random() ^ 2) END AS place
              FROM generate_series(1, %(interactions)s) n
           ) source
      JOIN (SELECT row_number() OVER (ORDER BY id %% 9973, id) AS place, *
              FROM crm_interaction_chain) chain ON chain.place = source.place
CROSS JOIN LATERAL (
            SELECT CASE WHEN fate < 0.94 THEN 'done' WHEN fate < 0.97 THEN 'cancelled'
                        WHEN fate < 0.98 THEN 'new' WHEN fate < 0.995 THEN 'planned'
                        ELSE 'postponed' END AS state) state
CROSS JOIN LATERAL (
            SELECT CASE WHEN n %% 20 < 9 THEN 'call' WHEN n %% 20 < 16 THEN 'email'
                        WHEN n %% 20 < 18 THEN 'meeting' ELSE 'message' END AS kind) kind
CROSS JOIN LATERAL (
            SELECT %(now)s::timestamp - make_interval(secs => CASE
                WHEN state.state IN ('done', 'cancelled') THEN 63e6 * age
                WHEN state.state = 'new' THEN 12e5 * age ^ 4
                ELSE 18e5 * age ^ 4 - 12e5 * age END) AS at) moment;

    INSERT INTO crm_interaction_participant (interaction_id, company_id, partner_id, name, role,
                                             email, email_normalized)
    SELECT id, company_id, partner_id, 'Participant', 'to', 'p' || id || '@example.com',
           'p' || id || '@example.com'
      FROM crm_interaction WHERE kind IN ('email', 'message') OR id %% 4 = 0;
"""
# own documents and confidential ones, as the record rules put it
OWN = """(i.user_id = %(uid)s OR i.user_id IS NULL OR i.chain_user_id = %(uid)s)
       AND (i.confidential IS NOT TRUE OR i.user_id = %(uid)s OR i.chain_user_id = %(uid)s)"""
OWN_CHAIN = """(chain.company_id = ANY(%(companies)s) OR chain.company_id IS NULL)
           AND (chain.user_id = %(uid)s OR chain.user_id IS NULL OR chain.id IN (
                SELECT chain_id FROM crm_interaction_chain_guest_rel WHERE user_id = %(uid)s))
           AND (chain.confidential IS NOT TRUE OR chain.user_id = %(uid)s OR chain.id IN (
                SELECT chain_id FROM crm_interaction_chain_guest_rel WHERE user_id = %(uid)s))"""
DUE = """(i.state = 'new' OR i.state IN ('planned', 'postponed')
            AND i.date_deadline < %(tomorrow)s)"""
# What rows refer to is read by the ids found, as many joins cost more to plan than to run. The
# name of a document is shown to whoever may read the document.
NAMES = [
    "SELECT id, complete_name FROM res_partner WHERE id = ANY(%(partners)s)",
    """
    SELECT users.id, partner.name
      FROM res_users users JOIN res_partner partner ON partner.id = users.partner_id
     WHERE users.id = ANY(%(colleagues)s)
    """,
]
DOCUMENTS = [
    """
    SELECT id, name FROM crm_lead
     WHERE id = ANY(%(leads)s) AND (user_id = %(uid)s OR user_id IS NULL)
       AND (company_id = ANY(%(companies)s) OR company_id IS NULL)
    """,
    """
    SELECT id, complete_name FROM res_partner
     WHERE id = ANY(%(clients)s) AND (company_id = ANY(%(companies)s) OR company_id IS NULL)
    """,
]
ENTRIES = f"""
    SELECT i.* FROM crm_interaction i
     WHERE i.chain_id = %(chain)s AND {OWN} AND i.company_id = ANY(%(companies)s)
"""
BARE = {
    "my": [
        f"""
        SELECT chain.id, chain.name, count(*), sum(i.duration), count(*) OVER ()
          FROM crm_interaction i JOIN crm_interaction_chain chain ON chain.id = i.chain_id
         WHERE i.user_id = %(uid)s AND {DUE} AND {OWN} AND i.company_id = ANY(%(companies)s)
           AND i.state IN ('new', 'planned', 'postponed')
      GROUP BY chain.id
      ORDER BY min(i.date_deadline), chain.date_next, chain.date_last DESC, chain.id DESC LIMIT 10
        """,
        f"""
        SELECT i.*, outcome.name
          FROM crm_interaction i
     LEFT JOIN crm_interaction_outcome outcome ON outcome.id = i.outcome_id
         WHERE i.user_id = %(uid)s AND {DUE} AND {OWN} AND i.company_id = ANY(%(companies)s)
           AND i.state IN ('new', 'planned', 'postponed') AND i.chain_id = ANY(%(groups)s)
        """,
        *NAMES,
        *DOCUMENTS,
    ],
    "chains": [
        f"""
        SELECT chain.*
          FROM crm_interaction_chain chain
         WHERE chain.state = 'open' AND {OWN_CHAIN}
      ORDER BY chain.date_next, chain.date_last DESC, chain.id DESC LIMIT 80
        """,
        f"""
        SELECT count(*) FROM (
            SELECT FROM crm_interaction_chain chain
             WHERE chain.state = 'open' AND {OWN_CHAIN}
             LIMIT 10001) found
        """,
        *NAMES,
        *DOCUMENTS,
    ],
    "line": [
        f"""
        SELECT chain.* FROM crm_interaction_chain chain
         WHERE chain.id = %(chain)s AND {OWN_CHAIN}
        """,
        ENTRIES
        + """
           AND i.state NOT IN ('planned', 'postponed')
      ORDER BY i.date_start DESC, i.id DESC LIMIT 41
        """,
        ENTRIES
        + """
           AND i.state IN ('planned', 'postponed')
      ORDER BY i.date_deadline, i.id LIMIT 20
        """,
        """
        SELECT * FROM crm_interaction_participant WHERE interaction_id = ANY(%(entries)s)
        """,
        """
        SELECT rel.interaction_id, file.id, file.name, file.mimetype, file.file_size
          FROM crm_interaction_attachment_rel rel
          JOIN ir_attachment file ON file.id = rel.attachment_id
         WHERE rel.interaction_id = ANY(%(entries)s)
        """,
        f"""
        SELECT i.kind, i.state, count(*)
          FROM crm_interaction i
         WHERE i.chain_id = %(chain)s AND {OWN} AND i.company_id = ANY(%(companies)s)
      GROUP BY i.kind, i.state
        """,
        *NAMES,
        "SELECT id, body FROM mail_message WHERE id = ANY(%(messages)s)",
        """
        SELECT id, location, description, videocall_location FROM calendar_event
         WHERE id = ANY(%(events)s)
        """,
        "SELECT id, name, reached FROM crm_interaction_outcome WHERE id = ANY(%(outcomes)s)",
    ],
    "unhandled": [
        f"""
        SELECT i.user_id,
               CASE WHEN i.date_deadline > %(now)s::timestamp - INTERVAL '1 hour' THEN 1
                    WHEN i.date_deadline > %(now)s::timestamp - INTERVAL '4 hours' THEN 2
                    WHEN i.date_deadline > %(now)s::timestamp - INTERVAL '1 day' THEN 3
                    WHEN i.date_deadline > %(now)s::timestamp - INTERVAL '3 days' THEN 4
                    ELSE 5 END AS band, count(*), avg(%(now)s::timestamp - i.date_deadline)
          FROM crm_interaction i
         WHERE (i.state = 'new' OR i.state IN ('planned', 'postponed')
                AND i.date_deadline < %(now)s)
           AND {OWN} AND i.company_id = ANY(%(companies)s)
      GROUP BY GROUPING SETS ((), (1), (2), (1, 2))
        """,
    ],
}


# ------------------------------------------------------------
# FILL
# ------------------------------------------------------------


def create_users(env):
    """Salespeople who see their own documents; the first one is the busiest."""
    return (
        env["res.users"]
        .with_context(no_reset_password=True, mail_create_nolog=True)
        .create(
            [
                {
                    "name": f"Salesman {number}",
                    "login": f"bench_sales_{number}",
                    "group_ids": [(6, 0, env.ref("sales_team.group_sale_salesman").ids)],
                }
                for number in range(USERS)
            ]
        )
    )


@contextlib.contextmanager
def without_indexes(cr, tables):
    """Rows are filled in faster without the indexes, which are made afterwards at one go.

    The same goes for foreign keys: each is a look-up for each row. They come back unchecked for
    the rows that are there, and hold for what follows.
    """
    cr.execute(
        """
        SELECT conrelid::regclass::text, quote_ident(conname), pg_get_constraintdef(oid)
          FROM pg_constraint
         WHERE contype = 'f' AND conrelid::regclass::text = ANY(%s)
        """,
        [list(tables)],
    )
    keys = cr.fetchall()
    for table, name, _definition in keys:
        cr.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
    cr.execute(
        """
        SELECT i.indexname, i.indexdef FROM pg_indexes i
         WHERE i.tablename = ANY(%s)
           AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conname = i.indexname)
        """,
        [list(tables)],
    )
    indexes = cr.fetchall()
    for name, _definition in indexes:
        cr.execute(f'DROP INDEX "{name}"')
    yield
    for _name, definition in indexes:
        cr.execute(definition)
    for table, name, definition in keys:
        cr.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition} NOT VALID")


def multiply(record, count, **columns):
    """Copy the row of a record, with the columns given as SQL over the number ``n``."""
    cr = record.env.cr
    record.env.flush_all()
    cr.execute("SELECT column_name FROM information_schema.columns WHERE table_name = %s "
               "AND column_name != 'id'", [record._table])  # fmt: skip
    names = [name for (name,) in cr.fetchall()]
    expressions = [columns.get(name, f'origin."{name}"') for name in names]
    quoted = ", ".join(f'"{name}"' for name in names)
    cr.execute(
        f"INSERT INTO {record._table} ({quoted}) SELECT {', '.join(expressions)} "
        f"FROM {record._table} origin, generate_series(1, {count}) n WHERE origin.id = {record.id}"
    )


def fill_documents(bench, users):
    """Clients and deals, each a copy of one made by Odoo."""
    env = bench.env
    multiply(
        env["res.partner"].create({"name": "Origin", "lang": "en_US"}),
        bench.rows(PARTNERS),
        name="'Client ' || n",
        complete_name="'Client ' || n",
        email="'client' || n || '@example.com'",
        email_normalized="'client' || n || '@example.com'",
        commercial_partner_id="currval('res_partner_id_seq')",
    )
    env.cr.execute("SELECT min(id), count(*) FROM res_partner WHERE name LIKE 'Client %'")
    first, count = env.cr.fetchone()
    multiply(
        env["crm.lead"].create({"name": "Origin", "type": "opportunity", "team_id": False}),
        bench.rows(LEADS),
        name="'Deal ' || n",
        partner_id=f"{first} + floor(random() * {count})",
        user_id=A_USER % {"users": f"ARRAY{users.ids}", "user_count": len(users)},
    )


def fill(bench, users):
    env = bench.env
    chains = bench.rows(CHAINS)
    leads, partners = bench.rows(LEADS), bench.rows(PARTNERS)
    env.cr.execute("SELECT setseed(0.5)")
    fill_documents(bench, users)
    env.cr.execute("SET LOCAL work_mem = '256MB'")
    env.cr.execute("SET LOCAL maintenance_work_mem = '256MB'")
    with without_indexes(env.cr, BIG_TABLES):
        env.cr.execute(
            FILL,
            {
                "others": max(chains - partners - leads, 0),
                "chains": max(chains, partners + leads),
                "interactions": bench.rows(INTERACTIONS),
                "users": users.ids,
                "user_count": len(users),
                "company": env.company.id,
                "now": NOW,
            },
        )
    env.invalidate_all()


def summarise(env):
    chains = env["crm.interaction.chain"].search([])
    for name in ("interaction_count", "unhandled_count", "date_first", "date_last", "date_next"):
        env.add_to_compute(chains._fields[name], chains)
    env.flush_all()


# ------------------------------------------------------------
# SCREENS
# ------------------------------------------------------------


class Screen:
    """A list as its action opens it: the domain, the columns and the order."""

    def __init__(self, env, xmlid):
        self.action = env["ir.actions.act_window"]._for_xml_id(xmlid)
        self.model = env[self.action["res_model"]]
        view_id = next(view_id for view_id, kind in self.action["views"] if kind == "list")
        search_id = (self.action["search_view_id"] or [False])[0]
        result = self.model.get_views([(view_id, "list"), (search_id, "search")])
        self.arch = etree.fromstring(result["views"]["list"]["arch"])
        self.search = etree.fromstring(result["views"]["search"]["arch"])
        self.fields = result["models"][self.model._name]["fields"]

    def _evaluate(self, text):
        return eval(text, {"uid": self.model.env.uid})

    def domain(self):
        context = self._evaluate(self.action["context"] or "{}")
        domain = self._evaluate(self.action["domain"] or "[]")
        for key in context:
            name = re.sub("^search_default_", "", key)
            for node in self.search.xpath(f"//filter[@name='{name}'][@domain]"):
                domain = domain + self._evaluate(node.get("domain"))
        return domain

    def names(self):
        return [
            node.get("name")
            for node in self.arch.xpath("/list/field")
            if node.get("name") in self.fields
        ]

    def specification(self):
        return {
            name: {"fields": {"display_name": {}}}
            if self.fields[name]["type"] == "many2one"
            else {}
            for name in self.names()
        }

    def aggregates(self):
        return [
            f"{name}:{self.fields[name]['aggregator']}"
            for name in self.names()
            if self.fields[name].get("aggregator")
            and self.fields[name]["type"] in ("integer", "float", "monetary")
        ]

    def load(self):
        """What the list asks the server for when it is opened."""
        self.model.env.invalidate_all()
        order = self.arch.get("default_order") or ""
        if groupby := self.arch.get("default_group_by"):
            return self.model.web_read_group(
                self.domain(),
                [groupby],
                self.aggregates(),
                limit=10 if self.arch.get("expand") else 80,
                order=order,
                auto_unfold=bool(self.arch.get("expand")),
                unfold_read_specification=self.specification(),
            )
        return self.model.web_search_read(
            self.domain(), self.specification(), limit=80, order=order, count_limit=10001
        )


# ------------------------------------------------------------
# PLANS
# ------------------------------------------------------------


@contextlib.contextmanager
def recording(cr):
    """The statements that are issued, with their values filled in."""
    statements = []
    execute = type(cr).execute

    def record(cursor, *args, **kwargs):
        result = execute(cursor, *args, **kwargs)
        statements.append(cursor.query.decode())
        return result

    with patch.object(type(cr), "execute", record):
        yield statements


def get_scans(cr, statement):
    """Pairs of a kind of scan and a big table which it reads."""
    cr.execute("EXPLAIN (FORMAT JSON) " + statement.replace("%", "%%"), [])
    scans, nodes = set(), [cr.fetchone()[0][0]["Plan"]]
    while nodes:
        node = nodes.pop()
        nodes += node.get("Plans", [])
        if node.get("Relation Name") in BIG_TABLES:
            scans.add((node["Node Type"], node["Relation Name"]))
    return scans


def check_plans(bench, label, function):
    """Print how the big tables are read; False if one is read from end to end at full size."""
    with recording(bench.env.cr) as statements:
        function()
    reads = [s for s in statements if s.lstrip("( \n").upper().startswith(("SELECT", "WITH"))]
    scans = set().union(*(get_scans(bench.env.cr, statement) for statement in reads))
    sequential = any("Seq Scan" in kind for kind, _table in scans)
    found = ", ".join(sorted(f"{kind} on {table}" for kind, table in scans))
    bench.row(
        f"{label}: {len(statements)} statements", "SEQUENTIAL" if sequential else "indexes", found
    )
    if sequential:
        for statement in reads:
            if any("Seq Scan" in kind for kind, _table in get_scans(bench.env.cr, statement)):
                print(statement, end="\n\n")
    # a small table is rightly read from end to end
    return not sequential or bench.scale < 0.5


def compare(bench, label, ours, bare, values):
    """Ratio of a screen to its bare SQL, and whether its plans hold."""
    cr = bench.env.cr

    def run_bare():
        for statement in BARE[bare]:
            cr.execute(statement, values)
            cr.fetchall()

    indexed = check_plans(bench, label, ours)
    peer, seconds = bench.medians((f"{label}: bare SQL", run_bare), (label, ours), repeat=9)
    ratio = seconds / peer
    bench.row("", f"{ratio:.1f}x", f"at most {LIMIT}x")
    return ratio, indexed


def find_time_line(env, user):
    """The conversation of this user that comes nearest to 500 interactions."""
    env.cr.execute(
        "SELECT id FROM crm_interaction_chain WHERE user_id = %s "
        "ORDER BY abs(interaction_count - %s) LIMIT 1",
        [user.id, TIME_LINE],
    )
    return env["crm.interaction.chain"].browse(env.cr.fetchone()[0])


def load_time_line(chain):
    chain.env.invalidate_all()
    return chain.env["crm.interaction"].get_timeline(chain._name, chain.id)


def load_report(env):
    """What the pivot of the report asks for: all groupings of its rows and columns."""
    env.invalidate_all()
    action = env["ir.actions.act_window"]._for_xml_id(
        "crm_extended.crm_interaction_unhandled_action"
    )
    return env["crm.interaction"].formatted_read_grouping_sets(
        eval(action["domain"]),
        [[], ["user_id"], ["age_band"], ["user_id", "age_band"]],
        ["__count", "age_hours:avg"],
    )


def get_references(records, chains=None):
    """Ids of what the rows of a screen refer to, by which bare SQL reads the names."""
    chains = records if chains is None else chains
    partners = records.partner_id
    if records._name == "crm.interaction":
        partners |= records.participant_ids.partner_id
    about = {model: [] for model in ("crm.lead", "res.partner")}
    for chain in chains:
        about.get(chain.res_model, []).append(chain.res_id)
    references = {
        "partners": partners.ids,
        "colleagues": records.user_id.ids,
        "leads": about["crm.lead"],
        "clients": about["res.partner"],
    }
    if records._name == "crm.interaction":
        records_sudo = records.sudo()
        references |= {
            "messages": records_sudo.mail_message_id.ids,
            "events": records_sudo.calendar_event_id.ids,
            "outcomes": records_sudo.outcome_id.ids,
        }
    return references


def measure_screens(bench, user):
    env = bench.env(user=user)
    values = {
        "uid": user.id,
        "companies": user.company_ids.ids,
        "now": NOW,
        "tomorrow": (NOW + timedelta(days=1)).replace(hour=0, minute=0, second=0),
    }
    mine = Screen(env, "crm_extended.crm_interaction_action")
    groups = [group["chain_id"][0] for group in mine.load()["groups"]]
    chains = Screen(env, "crm_extended.crm_interaction_chain_action")
    chain = find_time_line(env, user)
    bench.row("time line", chain.interaction_count, "interactions")
    page = load_time_line(chain)
    entries = [entry["id"] for entry in page["entries"] + page["planned"]]
    values.update(groups=groups, chain=chain.id, entries=entries)
    listed = env["crm.interaction"].search([*mine.domain(), ("chain_id", "in", groups)])
    page_ids = [record["id"] for record in chains.load()["records"]]
    values_of = {
        "my": values | get_references(listed, listed.chain_id),
        "chains": values | get_references(chains.model.browse(page_ids)),
        "line": values | get_references(listed.browse(entries)),
        "unhandled": values,
    }
    yield compare(bench, "My Interactions", mine.load, "my", values_of["my"])
    yield compare(bench, "Conversations", chains.load, "chains", values_of["chains"])
    yield compare(bench, "time line", lambda: load_time_line(chain), "line", values_of["line"])
    yield compare(
        bench,
        "Unhandled and Overdue",
        lambda: load_report(env),
        "unhandled",
        values_of["unhandled"],
    )


# ------------------------------------------------------------
# MAIL
# ------------------------------------------------------------


def post(lead):
    """What the gateway posts when a client writes about his deal.

    :return: seconds and number of queries
    """
    env = lead.env
    client = lead.partner_id
    env.flush_all()
    env.invalidate_all()
    queries, started = env.cr.sql_log_count, time.perf_counter()
    lead.with_context(mail_notify_force_send=False).message_post(
        body="<p>When will it be delivered?</p>",
        subject="Delivery",
        message_type="email",
        subtype_xmlid="mail.mt_comment",
        author_id=client.id,
        email_from=client.email_formatted,
    )
    env.flush_all()
    return time.perf_counter() - started, env.cr.sql_log_count - queries


def measure_mail(bench, user):
    """Post mails of clients on deals, with and without recording them, in turns.

    The same deals take both kinds, so that neither has the richer ones. A deal that is written
    to for the first time gets its conversation with the mail.
    """
    env = bench.env
    Interaction = type(env["crm.interaction"])
    # made by Odoo, so that the salesman follows them and hears of the mail
    clients = env["res.partner"].search([("name", "like", "Client %")], limit=2 * MAILS)
    leads = env["crm.lead"].create(
        [
            {"name": "Mail", "type": "opportunity", "partner_id": client.id, "user_id": user.id}
            for client in clients
        ]
    )
    for lead in leads[:MAILS]:
        post(lead)
    sound = True
    for label, group in (
        ("mail in a conversation", leads.filtered("interaction_chain_id")),
        ("first mail", leads.filtered(lambda lead: not lead.interaction_chain_id)),
    ):
        figures = {True: [], False: []}
        # a first mail comes once; of the others, either kind goes first as often as the other
        orders = [(False, True)] if label == "first mail" else MAIL_ROUNDS * TURNS
        for turns in orders:
            for lead, recorded in itertools.product(group, turns):
                with contextlib.ExitStack() as stack:
                    if not recorded:
                        stack.enter_context(
                            patch.object(
                                Interaction, "_record_message", lambda self, *args: self.browse()
                            )
                        )
                    figures[recorded].append(post(lead))
        seconds = {
            recorded: statistics.median(second for second, _queries in values)
            for recorded, values in figures.items()
        }
        queries = {
            recorded: max(number for _second, number in values)
            for recorded, values in figures.items()
        }
        more = queries[True] - queries[False]
        percent = 100 * (seconds[True] / seconds[False] - 1)
        bench.row(
            label,
            f"+{percent:.0f} %, +{more} queries",
            f"{1000 * seconds[True]:.1f} ms, {queries[True]} queries; not recorded "
            f"{1000 * seconds[False]:.1f} ms, {queries[False]} queries; "
            f"{len(figures[True])} each",
        )
        sound = sound and more <= MAIL_QUERIES and percent <= MAIL_PERCENT
    bench.row(f"mail: at most {MAIL_QUERIES} queries and {MAIL_PERCENT} % more",
              "holds" if sound else "falls short")  # fmt: skip
    return sound


def main(bench):
    env = bench.env
    # the checks of foreign keys are planned while the tables are still empty
    env.cr.execute("SET LOCAL enable_seqscan = off")
    users = create_users(env)
    bench.once("fill", lambda: fill(bench, users))
    env.cr.execute("SET LOCAL enable_seqscan = on")
    for table in (*BIG_TABLES, "crm_lead", "res_partner"):
        env.cr.execute(f"ANALYZE {table}")
    bench.once("summary of all chains", lambda: summarise(env))
    env.cr.execute("ANALYZE crm_interaction_chain")
    env.cr.execute("SELECT count(*) FROM crm_interaction")
    bench.row("interactions", env.cr.fetchone()[0])
    results = list(measure_screens(bench, users[0]))
    sound = all(indexed for _ratio, indexed in results) and measure_mail(bench, users[0])
    status = bench.verdict(max(ratio for ratio, _indexed in results), 1, limit=LIMIT)
    return status if sound else 1


if __name__ == "__main__":
    Benchmark.run("interactions", main, peer="bare SQL")
