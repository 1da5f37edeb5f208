import threading

from odoo import SUPERUSER_ID, api
from odoo.exceptions import UserError
from odoo.modules.registry import DummyRLock, Registry
from odoo.service.model import retrying
from odoo.tests import BaseCase, tagged
from odoo.tests.common import get_db_name
from odoo.tools import mute_logger


@tagged("post_install", "-at_install")
class TestInteractionRace(BaseCase):
    """Two things happen to one conversation at the same moment, in real transactions."""

    def setUp(self):
        super().setUp()
        # the test runner holds the lock of the registry, which the threads would wait for
        self.patch(Registry, "_lock", DummyRLock())
        self.registry = Registry(get_db_name())
        with self.registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            self.outcome_id = (
                env["crm.interaction.outcome"]
                .create({"name": "Race", "retry_ids": [(0, 0, {"delay": 5})]})
                .id
            )
            self.lead_id = env["crm.lead"].create({"name": "Race", "type": "opportunity"}).id
        self.addCleanup(self._clean)

    def _clean(self):
        with self.registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            lead = env["crm.lead"].browse(self.lead_id)
            chain = lead.interaction_chain_id
            lead.unlink()
            chain.unlink()
            env["crm.interaction.outcome"].browse(self.outcome_id).unlink()

    def _press_twice(self, key):
        """Press the button in two transactions that begin together, as the web server does.

        :return: list of the errors shown to the two users
        """
        barrier = threading.Barrier(2)
        errors = []

        def press():
            with self.registry.cursor() as cr:
                env = api.Environment(cr, SUPERUSER_ID, {})
                lead = env["crm.lead"].browse(self.lead_id)
                lead.read(["name"])
                barrier.wait(20)
                try:
                    retrying(lambda: lead.action_record_outcome(self.outcome_id, key=key), env)
                except UserError as error:
                    cr.rollback()
                    errors.append(error)

        self._run_together(press)
        return errors

    def _run_together(self, target):
        threads = [threading.Thread(target=target) for _number in range(2)]
        with mute_logger("odoo.sql_db", "odoo.service.model"):
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(60)

    def _get_attempts(self):
        with self.registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            lead = env["crm.lead"].browse(self.lead_id)
            return (
                sorted(lead.interaction_ids.mapped(lambda i: (i.state, i.attempt_number))),
                lead.interaction_attempt_key,
            )

    def test_press_together(self):
        """The very first attempt (no chain yet), then the next one."""
        errors = self._press_twice(0)
        self.assertEqual(len(errors), 1)
        self.assertEqual(self._get_attempts(), ([("done", 1), ("planned", 2)], 1))
        errors = self._press_twice(1)
        self.assertEqual(len(errors), 1)
        attempts, key = self._get_attempts()
        self.assertEqual(attempts, [("done", 1), ("done", 2)])
        self.assertEqual(key, 2)

    def test_arrive_together(self):
        """Two mails come in at the same moment: the conversation counts both."""
        with self.registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            self._arrive(env)
        barrier = threading.Barrier(2)

        def arrive():
            with self.registry.cursor() as cr:
                env = api.Environment(cr, SUPERUSER_ID, {})
                env["crm.lead"].browse(self.lead_id).read(["name"])
                barrier.wait(20)
                retrying(lambda: self._arrive(env), env)

        self._run_together(arrive)
        with self.registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            chain = env["crm.lead"].browse(self.lead_id).interaction_chain_id
            self.assertEqual((chain.interaction_count, chain.unhandled_count), (3, 3))

    def _arrive(self, env):
        env["crm.interaction"].create(
            {
                "subject": "Mail",
                "kind": "email",
                "direction": "in",
                "state": "new",
                "res_model": "crm.lead",
                "res_id": self.lead_id,
            }
        )
