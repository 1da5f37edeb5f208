import threading

from odoo import SUPERUSER_ID, api
from odoo.exceptions import UserError
from odoo.fields import Command, Date
from odoo.modules.registry import DummyRLock, Registry
from odoo.service.model import retrying
from odoo.tests import BaseCase, tagged
from odoo.tests.common import get_db_name
from odoo.tools import mute_logger
from psycopg2.errors import SerializationFailure


@tagged("post_install", "-at_install")
class TestAgreementRace(BaseCase):
    """An order is changed while it is confirmed or approved, in real transactions."""

    def setUp(self):
        super().setUp()
        # the test runner holds the lock of the registry, which the threads would wait for
        self.patch(Registry, "_lock", DummyRLock())
        self.registry = Registry(get_db_name())
        with self.registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            self.made = []
            client = self._keep(env["res.partner"].create({"name": "Race", "is_company": True}))
            self.product = self._keep(
                env["product.product"].create(
                    {"name": "Race", "list_price": 100.0, "taxes_id": False, "type": "service"}
                )
            )
            agreement = env["crm.agreement"].create(
                {
                    "partner_id": client.id,
                    "date_start": Date.subtract(Date.today(), days=1),
                    "enforcement": "approve",
                    "credit_limit": 150.0,
                    "discount_line_ids": [Command.create({"max_discount": 5.0})],
                }
            )
            self._keep(agreement)
            agreement.company_id.agreement_self_approval = True
            agreement.action_submit()
            agreement.action_approve()
            self.orders = self._keep(
                env["sale.order"].create(
                    [
                        {
                            "partner_id": client.id,
                            "order_line": [
                                Command.create({"product_id": self.product.id}),
                                Command.create(
                                    {"product_id": self.product.id, "product_uom_qty": 0.0}
                                ),
                            ],
                        }
                        for _number in range(2)
                    ]
                )
            )
        self.addCleanup(self._clean)

    def _keep(self, records):
        self.made.append(records)
        return records

    def _clean(self):
        with self.registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            orders = env["sale.order"].browse(self.orders.ids)
            orders._action_cancel()
            orders.unlink()
            agreement = env["crm.agreement"].browse(self.made[2].ids)
            agreement.company_id.agreement_self_approval = False
            cr.execute("DELETE FROM crm_agreement WHERE id = %s", [agreement.id])
            env.invalidate_all()
            env["product.product"].browse(self.product.id).unlink()
            env["res.partner"].browse(self.made[0].id).unlink()

    def _run_together(self, *functions):
        """Run functions of an environment in transactions that begin together, as the server does.

        :return: list of the errors shown to the users
        """
        barrier = threading.Barrier(len(functions))
        errors = []

        def run(function):
            with self.registry.cursor() as cr:
                env = api.Environment(cr, SUPERUSER_ID, {})
                env["sale.order"].browse(self.orders.ids).read(["name"])
                barrier.wait(20)
                try:
                    retrying(lambda: function(env), env)
                except UserError as error:
                    cr.rollback()
                    errors.append(error)

        threads = [threading.Thread(target=run, args=[function]) for function in functions]
        with mute_logger("odoo.sql_db", "odoo.service.model"):
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(60)
        return errors

    def _read(self, function):
        with self.registry.cursor() as cr:
            return function(
                api.Environment(cr, SUPERUSER_ID, {})["sale.order"].browse(self.orders.ids)
            )

    def test_line_without_quantity_changed_while_confirmed(self):
        """The total stays the same, so that only the control itself sees the two collide."""
        first = self.orders.ids[0]
        errors = self._run_together(
            lambda env: env["sale.order"].browse(first).action_confirm(),
            lambda env: env["sale.order"].browse(first).order_line[1].write({"price_unit": 1.0}),
        )
        self.assertEqual(len(errors), 1, "whoever came second was refused")
        state, price = self._read(
            lambda orders: (orders[0].state, orders[0].order_line[1].price_unit)
        )
        self.assertNotEqual((state, price), ("sale", 1.0))

    def test_one_rest_of_the_limit_is_not_used_twice(self):
        errors = self._run_together(
            *(
                lambda env, order_id=order_id: env["sale.order"].browse(order_id).action_confirm()
                for order_id in self.orders.ids
            )
        )
        self.assertEqual(len(errors), 1)
        self.assertEqual(
            sorted(self._read(lambda orders: orders.mapped("state"))), ["draft", "sale"]
        )

    def test_changed_while_approved(self):
        first = self.orders.ids[0]
        with self.registry.cursor() as cr:
            order = api.Environment(cr, SUPERUSER_ID, {})["sale.order"].browse(first)
            order.order_line[0].discount = 20.0
            order._request_deviation_approval("Please")
        self._run_together(
            lambda env: env["sale.order"].browse(first)._decide_deviations(True, "Fine"),
            lambda env: env["sale.order"].browse(first).order_line[0].write({"discount": 90.0}),
        )
        check, states = self._read(
            lambda orders: (orders[0].agreement_check, orders[0].deviation_ids.mapped("state"))
        )
        self.assertEqual(check, "approve", "nobody approved 90 %")
        self.assertNotIn("requested", states)
        with self.registry.cursor() as cr:
            order = api.Environment(cr, SUPERUSER_ID, {})["sale.order"].browse(first)
            with self.assertRaises(UserError):
                order.action_confirm()
            cr.rollback()

    def test_terms_changed_while_approved(self):
        """A line that is written on terms approved meanwhile fails, and is tried again in vain."""
        with self.registry.cursor() as cr:
            draft = api.Environment(cr, SUPERUSER_ID, {})["crm.agreement"].create(
                {"partner_id": self.made[0].id}
            )

        def remove():
            with self.registry.cursor() as cr:
                cr.execute("DELETE FROM crm_agreement WHERE id = %s", [draft.id])

        self.addCleanup(remove)
        with self.registry.cursor() as slow:
            lines = api.Environment(slow, SUPERUSER_ID, {})["crm.agreement.discount"]
            self.assertEqual(lines.agreement_id.browse(draft.id).state, "draft")
            with self.registry.cursor() as cr:
                agreement = api.Environment(cr, SUPERUSER_ID, {})["crm.agreement"].browse(draft.id)
                agreement.action_submit()
                agreement.action_approve()
            with self.assertRaises(SerializationFailure), mute_logger("odoo.sql_db"):
                lines.create({"agreement_id": draft.id, "max_discount": 90.0})
            slow.rollback()
