import threading

from odoo import SUPERUSER_ID, api
from odoo.modules.registry import DummyRLock, Registry
from odoo.tests import BaseCase, tagged
from odoo.tests.common import get_db_name
from odoo.tools import mute_logger

MAIL = """To: nobody@ours.example.com
From: "Race" <race@amber.example.com>
Subject: Race
Message-ID: <{number}@race.example.com>
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8

On your marks.
"""


@tagged("post_install", "-at_install")
class TestInteractionMailRace(BaseCase):
    """Two mails about one deal at the same moment, in real transactions of a gateway that does
    not run them again: both are kept, and both are recorded."""

    def setUp(self):
        super().setUp()
        # the test runner holds the lock of the registry, which the threads would wait for
        self.patch(Registry, "_lock", DummyRLock())
        self.registry = Registry(get_db_name())
        with self.registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            self.lead_id = env["crm.lead"].create({"name": "Race", "type": "opportunity"}).id
        self.addCleanup(self._clean)

    def _clean(self):
        with self.registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            lead = env["crm.lead"].browse(self.lead_id)
            chain = lead.interaction_chain_id
            lead.unlink()
            chain.unlink()

    def _receive_together(self, numbers):
        barrier = threading.Barrier(len(numbers))
        errors = []

        def receive(number):
            try:
                with self.registry.cursor() as cr:
                    env = api.Environment(cr, SUPERUSER_ID, {})
                    env["crm.lead"].browse(self.lead_id).read(["name"])
                    barrier.wait(20)
                    env["mail.thread"].message_process(
                        "crm.lead", MAIL.format(number=number), thread_id=self.lead_id
                    )
            except Exception as error:
                errors.append(error)

        threads = [threading.Thread(target=receive, args=(number,)) for number in numbers]
        loggers = ("odoo.sql_db", "odoo.service.model", "odoo.addons.crm_extended.models")
        with mute_logger(*loggers, "odoo.addons.crm_extended.models.crm_interaction_mail"):
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(60)
        return errors

    def test_mails_together(self):
        """The first mails of a deal, which both want to open its conversation; then two more."""
        for round_number, numbers in enumerate(((1, 2), (3, 4)), start=1):
            self.assertFalse(self._receive_together(numbers))
            with self.registry.cursor() as cr:
                env = api.Environment(cr, SUPERUSER_ID, {})
                lead = env["crm.lead"].browse(self.lead_id)
                mails = lead.message_ids.filtered(lambda m: m.message_type == "email")
                self.assertEqual(len(mails), 2 * round_number)
                self.assertEqual(lead.interaction_ids.mail_message_id, mails)
                self.assertEqual(lead.interaction_chain_id.interaction_count, 2 * round_number)
                self.assertEqual(lead.interaction_chain_id.unhandled_count, 2 * round_number)
