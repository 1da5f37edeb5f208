import threading
from datetime import timedelta

from odoo import SUPERUSER_ID, api, fields
from odoo.exceptions import ValidationError
from odoo.modules.registry import DummyRLock, Registry
from odoo.service.model import retrying
from odoo.tests import BaseCase, new_test_user, tagged
from odoo.tests.common import get_db_name
from odoo.tools import mute_logger

DAY = timedelta(days=1)
WORK = 12


@tagged("post_install", "-at_install")
class TestAbsenceRace(BaseCase):
    """Two runs of the job at the same moment, in real transactions."""

    def setUp(self):
        super().setUp()
        # the test runner holds the lock of the registry, which the threads would wait for
        self.patch(Registry, "_lock", DummyRLock())
        self.registry = Registry(get_db_name())
        self.addCleanup(self._clean)
        with self.registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {"no_reset_password": True})
            groups = "base.group_user,sales_team.group_sale_salesman"
            self.users = [
                new_test_user(env, f"absence_race_{number}", groups=groups).id for number in (1, 2)
            ]
            now = fields.Datetime.now()
            self.work = (
                env["crm.interaction"]
                .create(
                    [
                        {
                            "subject": "Race",
                            "state": "planned",
                            "date_start": now + DAY,
                            "user_id": self.users[0],
                        }
                        for __ in range(WORK)
                    ]
                )
                .ids
            )
            # entered for later, so that nothing is moved yet
            absence = env["crm.absence"].create(
                {
                    "user_id": self.users[0],
                    "substitute_id": self.users[1],
                    "date_from": now + DAY,
                    "date_to": now + 3 * DAY,
                }
            )
            self.absence = absence.id
        self.moment = now + 1.5 * DAY

    def _clean(self):
        with self.registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            interactions = env["crm.interaction"].browse(self.work)
            chains = interactions.chain_id
            interactions.unlink()
            chains.unlink()
            env["crm.absence.transfer"].search([("absence_id", "=", self.absence)]).unlink()
            env["crm.absence"].browse(self.absence).unlink()
            users = env["res.users"].browse(self.users)
            partners = users.partner_id
            users.unlink()
            partners.unlink()

    def _run_twice(self):
        barrier = threading.Barrier(2)
        failures = []

        def run():
            try:
                with self.registry.cursor() as cr:
                    env = api.Environment(cr, SUPERUSER_ID, {})
                    env["crm.interaction"].browse(self.work).mapped("user_id")
                    barrier.wait(20)
                    retrying(lambda: env["crm.absence"]._move_batch(self.moment, 500), env)
            except Exception as error:  # told to the test, which runs in another thread
                failures.append(error)

        threads = [threading.Thread(target=run) for __ in range(2)]
        with mute_logger("odoo.sql_db", "odoo.service.model"):
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(60)
        self.assertFalse(failures)

    def _read(self):
        with self.registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            holders = env["crm.interaction"].browse(self.work).mapped("user_id").ids
            transfers = env["crm.absence.transfer"].search([("absence_id", "=", self.absence)])
            return holders, sorted(transfers.mapped("res_id")), set(transfers.mapped("state"))

    def test_two_runs_move_everything_once(self):
        self._run_twice()
        self.assertEqual(self._read(), ([self.users[1]], sorted(self.work), {"open"}))
        with self.registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            # over by then; written so that nothing acts at once
            cr.execute(
                "UPDATE crm_absence SET date_to = %s WHERE id = %s", [self.moment, self.absence]
            )
            env.registry.clear_cache()
        self._run_twice()
        self.assertEqual(self._read(), ([self.users[0]], sorted(self.work), {"returned"}))


@tagged("post_install", "-at_install")
class TestAbsenceCircleRace(BaseCase):
    """Two people name each other at the same moment, in real transactions."""

    def setUp(self):
        super().setUp()
        self.patch(Registry, "_lock", DummyRLock())
        self.registry = Registry(get_db_name())
        self.addCleanup(self._clean)
        with self.registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {"no_reset_password": True})
            groups = "base.group_user,sales_team.group_sale_salesman"
            self.users = [
                new_test_user(env, f"absence_circle_{number}", groups=groups).id
                for number in (1, 2)
            ]

    def _clean(self):
        with self.registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            users = env["res.users"].browse(self.users)
            env["crm.absence"].search([("user_id", "in", users.ids)]).unlink()
            partners = users.partner_id
            users.unlink()
            partners.unlink()

    def test_one_of_two_is_refused(self):
        barrier = threading.Barrier(2)
        refusals, failures = [], []

        def run(user_id, substitute_id):
            now = fields.Datetime.now()
            values = {
                "user_id": user_id,
                "substitute_id": substitute_id,
                "date_from": now + 30 * DAY,
                "date_to": now + 40 * DAY,
            }
            try:
                with self.registry.cursor() as cr:
                    env = api.Environment(cr, SUPERUSER_ID, {})
                    env["crm.absence"].search_count([])
                    barrier.wait(20)
                    retrying(lambda: env["crm.absence"].create(values), env)
            except ValidationError as error:
                refusals.append(str(error))
            except Exception as error:  # told to the test, which runs in another thread
                failures.append(error)

        pairs = [self.users, self.users[::-1]]
        threads = [threading.Thread(target=run, args=pair) for pair in pairs]
        with mute_logger("odoo.sql_db", "odoo.service.model", "odoo.http"):
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(60)
        self.assertFalse(failures)
        self.assertEqual(len(refusals), 1)
        self.assertIn("circle", refusals[0])
