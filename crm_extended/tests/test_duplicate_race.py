# ruff: noqa: RUF001 Cyrillic is meant
import threading

from odoo import SUPERUSER_ID, api
from odoo.exceptions import ValidationError
from odoo.modules.registry import DummyRLock, Registry
from odoo.service.model import retrying
from odoo.tests import BaseCase, tagged
from odoo.tests.common import get_db_name
from odoo.tools import mute_logger


@tagged("post_install", "-at_install")
class TestDuplicateRace(BaseCase):
    """Two users enter one client at the same moment, in real transactions."""

    def setUp(self):
        super().setUp()
        # the test runner holds the lock of the registry, which the threads would wait for
        self.patch(Registry, "_lock", DummyRLock())
        self.registry = Registry(get_db_name())
        with self.registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            company = env["res.company"].create({"name": "Duplicate Race"})
            company.crm_duplicate_mode = "block"
            self.company_id = company.id
            self.user_id = env.ref("base.user_admin").id
            env["res.users"].browse(self.user_id).company_ids = [(4, company.id)]
        self.addCleanup(self._clean)

    def _clean(self):
        with self.registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            env["res.partner"].search([("company_id", "=", self.company_id)]).unlink()
            env["res.users"].browse(self.user_id).company_ids = [(3, self.company_id)]
            company = env["res.company"].browse(self.company_id)
            partner = company.partner_id
            company.unlink()
            partner.unlink()

    def test_create_together(self):
        barrier = threading.Barrier(2)
        errors = []

        def enter():
            with self.registry.cursor() as cr:
                env = api.Environment(cr, self.user_id, {"allowed_company_ids": [self.company_id]})
                env["res.partner"].search_count([])  # the transaction has begun
                barrier.wait(20)
                try:
                    retrying(
                        lambda: env["res.partner"].create(
                            {
                                "name": "Гонка на Волге",
                                "phone": "+7 495 222-33-44",
                                "company_id": self.company_id,
                            }
                        ),
                        env,
                    )
                except ValidationError as error:
                    cr.rollback()
                    errors.append(error)

        threads = [threading.Thread(target=enter) for _number in range(2)]
        with mute_logger("odoo.sql_db", "odoo.service.model"):
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(60)
        with self.registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            count = env["res.partner"].search_count(
                [("name", "=", "Гонка на Волге"), ("company_id", "=", self.company_id)]
            )
        self.assertEqual((count, len(errors)), (1, 1))
