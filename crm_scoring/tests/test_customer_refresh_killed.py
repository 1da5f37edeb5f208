import datetime
from contextlib import closing

import psycopg2
from odoo import SUPERUSER_ID, api
from odoo.modules.registry import Registry
from odoo.tests import BaseCase, get_db_name, tagged
from odoo.tools import mute_logger

TODAY = datetime.date(2024, 6, 30)
PHASES = ["facts", "figures", "model", "scores", "writing", "likeness"]


@tagged("post_install", "-at_install")
class TestCustomerRefreshKilled(BaseCase):
    """A refresh whose connection to the database is cut, at each of its steps.

    The sales are really there, in transactions of their own: what a killed process leaves behind
    cannot be seen from inside one that goes on.
    """

    def setUp(self):
        super().setUp()
        self.registry = Registry(get_db_name())
        self.addCleanup(self.forget)
        with self.registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            self.company = env["res.company"].search([], order="id", limit=1).id
            clients = env["res.partner"].create([{"name": f"Killed {n}"} for n in range(6)])
            self.clients = clients.ids
            self.facts = self.sell(env, "2024-05-01", 100)

    def sell(self, env, date, amount):
        company = env["res.company"].browse(self.company)
        return (
            env["crm.sale.history"]
            .create(
                [
                    {
                        "partner_id": client, "date": date, "amount": amount,
                        "document": f"{client}/{date}", "company_id": company.id,
                        "currency_id": company.currency_id.id,
                    }
                    for client in self.clients
                ]
            )
            .ids
        )  # fmt: skip

    def forget(self):
        with self.registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            partners = env["res.partner"].browse(self.clients)
            env["crm.sale.history"].search([("partner_id", "in", partners.ids)]).unlink()
            partners.unlink()
            env.flush_all()
            cr.execute("DELETE FROM crm_customer_change WHERE partner = ANY(%s)", (self.clients,))

    def look(self):
        """Return (turnover of each client that has a profile, clients in the queue)."""
        with self.registry.cursor() as cr:
            cr.execute(
                "SELECT partner_id, monetary FROM crm_customer_profile"
                " WHERE partner_id = ANY(%s) AND company_id = %s",
                (self.clients, self.company),
            )
            turnover = dict(cr.fetchall())
            cr.execute(
                "SELECT DISTINCT partner FROM crm_customer_change"
                " WHERE partner = ANY(%s) AND company = %s",
                (self.clients, self.company),
            )
            return turnover, sorted(client for (client,) in cr.fetchall())

    def refresh(self, kill_at=None):
        """Refresh all clients of the company; the backend is terminated at a step."""
        cr = self.registry.cursor()
        seen = []

        def progress(_company, _percent, phase):
            seen.append(phase)
            if phase == kill_at:
                with self.registry.cursor() as other:
                    other.execute(
                        "SELECT pg_terminate_backend(%s, 5000)", (cr._cnx.get_backend_pid(),)
                    )

        with closing(cr):
            env = api.Environment(cr, SUPERUSER_ID, {})
            env["crm.customer.profile"]._refresh(
                env["res.company"].browse(self.company), TODAY, True, progress
            )
            cr.commit()
        return seen

    @mute_logger("odoo.sql_db")
    def test_killed_at_each_step(self):
        for phase in PHASES:
            with self.subTest(phase=phase):
                with self.assertRaises((psycopg2.OperationalError, psycopg2.InterfaceError)):
                    self.refresh(phase)
                self.assertEqual(self.look(), ({}, sorted(self.clients)), "as before, and waiting")
        self.assertEqual([p for p in self.refresh() if p != "done"], PHASES, "the lock is free")
        turnover, queue = self.look()
        self.assertEqual(turnover, dict.fromkeys(self.clients, 100))
        self.assertEqual(queue, [])
        # and again with profiles that are there: they stay as they were
        with self.registry.cursor() as cr:
            self.sell(api.Environment(cr, SUPERUSER_ID, {}), "2024-06-01", 11)
        with self.assertRaises((psycopg2.OperationalError, psycopg2.InterfaceError)):
            self.refresh("likeness")
        self.assertEqual(self.look(), (turnover, sorted(self.clients)))
        self.refresh()
        self.assertEqual(self.look(), (dict.fromkeys(self.clients, 111), []))
