import threading
from datetime import timedelta

from odoo import SUPERUSER_ID, api, fields
from odoo.modules.registry import Registry
from odoo.tests import BaseCase, get_db_name, tagged
from psycopg2.errors import SerializationFailure

from ..models.crm_claim_filing import PortalFormError


@tagged("post_install", "-at_install")
class TestCallRace(BaseCase):
    """Two customers ask for the same half hour at once: two connections, committed data."""

    def setUp(self):
        super().setUp()
        self.registry = Registry(get_db_name())
        with self.registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {"no_reset_password": True})
            manager = env.ref("base.user_admin")
            self.user_ids = (
                env["res.users"]
                .create(
                    [
                        {
                            "name": f"Race {number}",
                            "login": f"call_race_{number}@example.com",
                            "email": f"call_race_{number}@example.com",
                            "group_ids": [(6, 0, env.ref("base.group_portal").ids)],
                        }
                        for number in range(2)
                    ]
                )
                .ids
            )
            users = env["res.users"].browse(self.user_ids)
            users.partner_id.write({"user_id": manager.id, "tz": "UTC"})
            now = fields.Datetime.now()
            self.slot = manager._portal_get_slots(now, now + timedelta(days=9), now=now)[-1]
        self.addCleanup(self._clean)

    def _clean(self):
        with self.registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            users = env["res.users"].browse(self.user_ids)
            partners = users.partner_id
            contacts = env["crm.interaction"].search([("partner_id", "in", partners.ids)])
            chains = contacts.chain_id
            contacts.unlink()
            chains.unlink()
            users.unlink()
            partners.unlink()

    def _ask(self, cr, number):
        env = api.Environment(cr, self.user_ids[number], {})
        return env["crm.interaction"]._portal_request(
            {
                "kind": "call",
                "slot": self.slot.strftime("%Y%m%d%H%M"),
                "topic": "Race",
                "form_key": f"race {number}",
            }
        )

    def test_one_of_two_gets_the_time(self):
        outcome = []

        def ask_second():
            with self.registry.cursor() as cr:
                try:
                    self._ask(cr, 1)
                except SerializationFailure:  # the server asks again then, as for any request
                    cr.rollback()
                    try:
                        self._ask(cr, 1)
                    except PortalFormError as error:
                        outcome.append(error.errors)
                cr.rollback()

        second = threading.Thread(target=ask_second)
        with self.registry.cursor() as cr:
            self._ask(cr, 0).flush_recordset()
            second.start()
            second.join(0.5)
            self.assertTrue(second.is_alive(), "the second waits until the first is through")
            cr.commit()
        second.join(30)
        self.assertEqual(len(outcome), 1)
        self.assertIn("not free any more", outcome[0]["slot"])
        with self.registry.cursor() as cr:
            contacts = api.Environment(cr, SUPERUSER_ID, {})["crm.interaction"].search(
                [("subject", "=", "Race"), ("date_start", "=", self.slot)]
            )
            self.assertEqual(contacts.portal_request_partner_id.name, "Race 0")
