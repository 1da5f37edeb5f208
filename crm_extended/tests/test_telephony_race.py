import threading
from datetime import datetime, timezone

from odoo import SUPERUSER_ID, api
from odoo.modules.registry import DummyRLock, Registry
from odoo.tests import BaseCase, tagged
from odoo.tests.common import get_db_name

from ..tools.telephony_event import parse_events


@tagged("post_install", "-at_install")
class TestTelephonyRace(BaseCase):
    """Events of one call that arrive at the same instant, in real transactions."""

    def setUp(self):
        super().setUp()
        # the test runner holds the lock of the registry, which the threads would wait for
        self.patch(Registry, "_lock", DummyRLock())
        self.registry = Registry(get_db_name())
        with self.registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            self.provider_id = env["crm.telephony.provider"].create({"name": "Race"}).id
        self.addCleanup(self._clean)

    def _clean(self):
        with self.registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            calls = env["crm.telephony.call"].search([("provider_id", "=", self.provider_id)])
            calls.interaction_id.chain_id.unlink()
            env["crm.telephony.provider"].browse(self.provider_id).unlink()

    def _event(self, kind, **values):
        now = datetime.now(timezone.utc)
        return {"event": kind, "call_id": "race", "timestamp": now.isoformat(), **values}

    def _run_together(self, function, arguments):
        """Call a function with an environment and each of the arguments, at the same instant.

        :return: list of the results, in the order in which they came
        """
        barrier = threading.Barrier(len(arguments))
        results, errors = [], []

        def run(argument):
            try:
                with self.registry.cursor() as cr:
                    env = api.Environment(cr, SUPERUSER_ID, {})
                    # the snapshot of each request begins before any of them has worked
                    env["crm.telephony.provider"].browse(self.provider_id).read(["name"])
                    barrier.wait(30)
                    results.append(function(env, argument))
            except Exception as error:
                errors.append(error)

        threads = [threading.Thread(target=run, args=[argument]) for argument in arguments]
        # nothing had to be tried again: the lock made them wait for each other
        with (
            self.assertNoLogs("odoo.sql_db", "ERROR"),
            self.assertNoLogs("odoo.service.model", "INFO"),
        ):
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(60)
        self.assertEqual(errors, [])
        return results

    def test_limit(self):
        """Twelve requests at once where five events a minute are allowed: five are let in."""
        with self.registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            env["crm.telephony.provider"].browse(self.provider_id).rate_limit = 5
        delays = self._run_together(
            lambda env, count: env["crm.telephony.provider"].browse(self.provider_id)._admit(count),
            [1] * 12,
        )
        self.assertEqual(delays.count(0), 5, delays)
        self.assertTrue(all(1 <= delay <= 60 for delay in delays if delay))
        with self.registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            provider = env["crm.telephony.provider"].browse(self.provider_id)
            self.assertEqual(provider.request_ids.mapped("state"), ["accepted"] * 5)

    def test_same_instant(self):
        """Twelve events of one call in as many transactions: one call, one interaction."""
        ends = {"direction": "in", "from": "+37129555111", "to": "+37167000100"}
        bodies = [
            *(self._event("ringing", extension=str(number), **ends) for number in range(8)),
            self._event("answered", extension="3"),
            self._event("ended", duration=12, **ends),
            self._event("recording", recording_url="https://pbx.example.com/r.mp3"),
            self._event("ended", duration=12, **ends),
        ]

        def send(env, body):
            events = parse_events(body, datetime.now(timezone.utc))
            return env["crm.telephony.call"]._receive(self.provider_id, events)

        self.assertEqual(len(self._run_together(send, bodies)), len(bodies))
        with self.registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            call = env["crm.telephony.call"].search([("provider_id", "=", self.provider_id)])
            self.assertEqual(len(call), 1)
            self.assertEqual(len(call.facts["rang"]), 8)
            interaction = env["crm.interaction"].search(
                [("call_uid", "=", f"{self.provider_id}:race")]
            )
            self.assertEqual(len(interaction), 1)
            self.assertEqual((interaction.state, interaction.duration), ("done", 0.2))
            self.assertEqual(interaction.recording_url, "https://pbx.example.com/r.mp3")
            self.assertFalse(interaction.chain_id.interaction_ids - interaction)
