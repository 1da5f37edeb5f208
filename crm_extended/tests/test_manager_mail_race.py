import threading
from datetime import date
from unittest.mock import patch

from odoo import SUPERUSER_ID, api
from odoo.modules.registry import DummyRLock, Registry
from odoo.service.model import retrying
from odoo.tests import BaseCase, new_test_user, tagged
from odoo.tests.common import get_db_name
from odoo.tools import mute_logger

DAY = date(2026, 2, 3)


class KilledError(BaseException):
    """The process dies: nothing that is written for failures runs."""


@tagged("post_install", "-at_install")
class TestManagerMailRace(BaseCase):
    """Mails of figures go out once, in real transactions: two jobs at once, and killed ones."""

    def setUp(self):
        super().setUp()
        # the test runner holds the lock of the registry, which the threads would wait for
        self.patch(Registry, "_lock", DummyRLock())
        self.registry = Registry(get_db_name())
        self.addCleanup(self._clean)
        with self.registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {"no_reset_password": True})
            groups = "base.group_user,sales_team.group_sale_manager"
            user = new_test_user(env, "mail_race", groups=groups, email="mail_race@example.com")
            self.user = user.id
            Mail = type(env["crm.manager.mail"])
        self.patch(
            Mail,
            "_build_daily_mail",
            lambda mail, period: {"subject": "Figures", "title": "Figures", "sections": []},
        )

    def _clean(self):
        with self.registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            self._get_mails(env).unlink()
            user = env["res.users"].browse(self.user)
            partner = user.partner_id
            user.unlink()
            partner.unlink()

    def _get_mails(self, env):
        return env["mail.mail"].search([("email_to", "like", "mail_race@example.com")])

    def _send(self, cr):
        env = api.Environment(cr, SUPERUSER_ID, {})
        retrying(
            lambda: env["crm.manager.mail"]._send(
                env["res.users"].browse(self.user), "daily", (DAY, DAY)
            ),
            env,
        )

    def _read(self):
        """State of the log, and how many mails there are."""
        with self.registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            rows = env["crm.manager.mail"].search([("user_id", "=", self.user)])
            return rows.mapped("state"), len(self._get_mails(env))

    def test_two_jobs_at_once(self):
        barrier = threading.Barrier(2)
        failures = []

        def run():
            try:
                with self.registry.cursor() as cr:
                    # both have looked, and found nothing sent, before either writes
                    cr.execute("SELECT count(*) FROM crm_manager_mail")
                    barrier.wait(20)
                    self._send(cr)
            except Exception as error:  # told to the test, which runs in another thread
                failures.append(error)

        threads = [threading.Thread(target=run) for __ in range(2)]
        with mute_logger("odoo.sql_db", "odoo.service.model"):
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(60)
        self.assertFalse(failures)
        self.assertEqual(self._read(), (["sent"], 1))

    def test_killed_before_the_commit(self):
        """Neither the mail nor its row is there; the next run sends it."""
        with self.registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            user = env["res.users"].browse(self.user)
            env["crm.manager.mail"]._send(user, "daily", (DAY, DAY))
            cr.rollback()
        self.assertEqual(self._read(), ([], 0))
        for __ in range(2):
            with self.registry.cursor() as cr:
                self._send(cr)
        self.assertEqual(self._read(), (["sent"], 1))

    def _run_queue(self, delivered, killed):
        """Odoo's queue of mails, with a mail server that takes everything.

        :param list delivered: gets the subjects
        :param bool killed: die right after the server has taken a mail
        """

        def send_email(server, message, **kwargs):
            delivered.append(message["Subject"])
            if killed:
                raise KilledError
            return message["Message-Id"]

        with self.registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            Server = type(env["ir.mail_server"])
            with (
                patch.object(Server, "_disable_send", lambda server: False),
                patch.object(Server, "send_email", send_email),
                mute_logger("odoo.addons.mail.models.mail_mail"),
            ):
                mails = self._get_mails(env).filtered(lambda mail: mail.state == "outgoing")
                try:
                    mails._send(auto_commit=True)
                except KilledError:
                    cr.rollback()

    def test_killed_while_sending(self):
        """The server has it, but it is not marked as sent: it does not go out again."""
        with self.registry.cursor() as cr:
            self._send(cr)
        delivered = []
        self._run_queue(delivered, killed=True)
        self.assertEqual(delivered, ["Figures"])
        for __ in range(2):
            self._run_queue(delivered, killed=False)
        self.assertEqual(delivered, ["Figures"], "once")
        with self.registry.cursor() as cr:
            self._send(cr)
            env = api.Environment(cr, SUPERUSER_ID, {})
            (row,) = env["crm.manager.mail"].search([("user_id", "=", self.user)])
            self.assertEqual((row.state, row.mail_id.state), ("failed", "cancel"))
            self.assertIn("stopped", row.note)
            # whoever knows that it has not come sends it again
            row.mail_id.mark_outgoing()
        self._run_queue(delivered, killed=False)
        self.assertEqual(len(delivered), 2)
        self.assertEqual(self._read()[0], ["sent"])
