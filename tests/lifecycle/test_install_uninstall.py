"""The add-ons arrive on a database that already lives, alone and together, and leave no trace.

Runs Odoo's own ``module`` command on throw-away copies of the template database: an install inside
the test's own process would prove little, because the registry there already knows every model.
"""

import os
import subprocess
import sys
import uuid

import psycopg2
import pytest
from odoo.tools import config
from psycopg2 import sql

TEMPLATE = os.environ.get("SANDBOX_TEMPLATE")
ALL = ["crm_extended", "crm_scoring", "crm_claims", "crm_portal"]

pytestmark = pytest.mark.skipif(
    not TEMPLATE, reason="needs the sandbox's template database: python3 -m sandbox test"
)

# What a company has before the suite arrives: an open and a won deal, a confirmed order.
OLD_DATA = """
partner = env["res.partner"].create(
    {"name": "Old Client", "is_company": True, "phone": "+44 20 7946 0999"}
)
product = env["product.product"].create({"name": "Old Product", "list_price": 10, "type": "consu"})
deal = {"partner_id": partner.id, "type": "opportunity", "expected_revenue": 500}
open_deal, won_deal = env["crm.lead"].create(
    [deal | {"name": "Old open deal"}, deal | {"name": "Old won deal"}]
)
won_deal.action_set_won()
line = {"product_id": product.id, "product_uom_qty": 3}
order = env["sale.order"].create(
    {"partner_id": partner.id, "opportunity_id": won_deal.id, "order_line": [(0, 0, line)]}
)
order.action_confirm()
env.cr.commit()
"""

# What must still be true with the suite, without it, and after it has gone.
ODOO_WORKS = """
partner = env["res.partner"].search([("name", "=", "Old Client")])
assert len(partner) == 1, partner
order = env["sale.order"].search([("partner_id", "=", partner.id)], limit=1)
assert order.state == "sale" and order.amount_untaxed == 30, (order.state, order.amount_untaxed)
deals = env["crm.lead"].search([("partner_id", "=", partner.id)])
assert sorted(deals.mapped("won_status")) == ["pending", "won"], deals.mapped("won_status")
for model in ("res.partner", "crm.lead", "sale.order", "account.move", "res.users", "project.task"):
    views = env[model].get_views([(False, "form"), (False, "list"), (False, "search")])
    env[model].search_read([], list(views["models"][model]["fields"])[:60], limit=2)
new = order.copy()
new.action_confirm()
assert new.state == "sale"
env.cr.rollback()
"""


def _connect(dbname):
    return psycopg2.connect(
        dbname=dbname,
        host=config["db_host"] or None,
        port=config["db_port"] or None,
        user=config["db_user"] or None,
        password=config["db_password"] or None,
    )


class Database:
    """A copy of the template that speaks Odoo's command line."""

    def __init__(self, conf):
        self.conf = conf
        self.name = f"lifecycle_{uuid.uuid4().hex[:8]}"

    def _admin(self, statement):
        connection = _connect("postgres")
        connection.autocommit = True
        try:
            with connection.cursor() as cursor:
                cursor.execute(statement)
        finally:
            connection.close()

    def create(self):
        self._admin(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
                sql.Identifier(self.name), sql.Identifier(TEMPLATE)
            )
        )

    def drop(self):
        self._admin(
            sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(self.name))
        )

    def odoo(self, *arguments, script=None):
        done = subprocess.run(
            [
                sys.executable,
                "-W",
                "ignore",
                "-m",
                "odoo",
                *arguments,
                "-c",
                str(self.conf),
                "-d",
                self.name,
            ],
            input=script,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        output = done.stdout + done.stderr
        assert done.returncode == 0, output[-4000:]
        for sign in (" ERROR ", " CRITICAL "):
            assert sign not in output, output[-4000:]
        return output

    def install(self, *modules):
        self.odoo("module", "install", *modules)

    def uninstall(self, *modules):
        self.odoo("module", "uninstall", *modules)

    def run(self, script):
        self.odoo("shell", "--no-http", script=f"{script}\nprint('DONE')\n").index("DONE")

    def rows(self, query):
        connection = _connect(self.name)
        try:
            with connection.cursor() as cursor:
                cursor.execute(query)
                return cursor.fetchall()
        finally:
            connection.close()

    def schema(self):
        """Every table, view and column, without the sequence behind its default."""
        return set(
            self.rows(
                "SELECT table_name, column_name, data_type, is_nullable"
                " FROM information_schema.columns WHERE table_schema = 'public'"
            )
        )

    def installed(self):
        return {
            name
            for (name,) in self.rows("SELECT name FROM ir_module_module WHERE state = 'installed'")
        }


@pytest.fixture
def database(tmp_path):
    conf = tmp_path / "odoo.conf"
    options = ("db_host", "db_port", "db_user", "db_password", "data_dir")
    lines = [f"{option} = {config[option]}" for option in options if config[option]]
    lines.append(f"addons_path = {','.join(config['addons_path'])}")
    conf.write_text("\n".join(["[options]", *lines, "log_level = warn", ""]))
    database = Database(conf)
    database.create()
    try:
        database.run(OLD_DATA)
        yield database
    finally:
        database.drop()


@pytest.mark.parametrize(
    "steps",
    [
        pytest.param(["crm_extended", "crm_scoring"], id="analytics without claims"),
        pytest.param(["crm_claims", "crm_portal"], id="claims first, then the whole suite"),
    ],
)
def test_arrives_and_leaves(database, steps):
    before = database.schema()
    modules_before = database.installed()
    for addon in steps:
        database.install(addon)
        assert addon in database.installed()
        database.run(ODOO_WORKS)
    assert database.schema() > before, "the add-ons brought no table: this test checks nothing"

    for addon in reversed(ALL):
        if addon in database.installed():
            database.uninstall(addon)
            database.run(ODOO_WORKS)

    assert not database.installed() & set(ALL)
    assert database.installed() >= modules_before, "an uninstall took a module of Odoo's with it"
    assert database.schema() == before
    leftovers = database.rows(
        "SELECT model, name FROM ir_model_data WHERE module IN"
        " ('crm_extended', 'crm_scoring', 'crm_claims', 'crm_portal')"
    )
    assert not leftovers
