from odoo.tests import tagged

from .common import PortalCase


@tagged("post_install", "-at_install")
class TestOrderDelivery(PortalCase):
    """Where the inventory application is installed, an order follows its deliveries."""

    def setUp(self):
        super().setUp()
        if "stock.picking" not in self.env:
            self.skipTest("needs sale_stock; tests/lifecycle runs it there")

    def _deliver(self, order, done):
        """Deliver of what is open so many pieces; the rest goes into a delivery of its own."""
        picking = order.picking_ids.filtered(lambda one: one.state not in ("done", "cancel"))
        picking.move_ids.quantity = done
        picking.move_ids.picked = True
        picking.with_context(skip_backorder=True).button_validate()
        self.assertEqual(picking.state, "done")
        self.env.flush_all()

    def _get_mails(self):
        return self.env["mail.mail"].search(
            [("recipient_ids", "in", self.nina.partner_id.ids), ("subject", "like", "delivered")]
        )

    def _run_job(self):
        with self.enter_registry_test_mode():
            self.env.ref("crm_portal.ir_cron_portal_notify_delivered").method_direct_trigger()

    def test_status_follows_the_deliveries(self):
        saw = self.env["product.product"].create(
            {"name": "Test Saw", "type": "consu", "list_price": 10, "taxes_id": False}
        )
        order = self._create_order(self.nina.partner_id, {saw: 3})
        self.assertTrue(order.picking_ids)
        self.login(self.nina)

        def read():
            return (
                order._portal_get_delivery_state(),
                order._portal_get_badges()[order.id]["label"],
                order._portal_get_status()["label"] in self.url_open(f"/my/orders/{order.id}").text,
            )

        self.assertEqual(read(), ("none", "Confirmed", True))
        self._deliver(order, 1)
        self.assertEqual(read(), ("part", "Partly delivered", True))
        self._run_job()
        self.assertFalse(self._get_mails())
        self._deliver(order, 2)
        self.assertEqual(order.order_line.qty_delivered, 3)
        self.assertEqual(read(), ("full", "Delivered", True))
        self.assertFalse(order._portal_get_delivery_date())
        self._run_job()
        self._run_job()
        self.assertEqual(len(self._get_mails()), 1)
        page = self.url_open("/my/orders").text
        self.assertIn("Delivered", page)

    def test_repeat_an_order_that_was_delivered(self):
        order = self._create_order(self.nina.partner_id, {self.drill: 2})
        self.login(self.nina)
        self.post(f"/my/orders/{order.id}/repeat", {"form_key": "k"})
        request = self.env["sale.order"].search([("portal_origin_id", "=", order.id)])
        self.assertEqual((request.state, request.order_line.product_uom_qty), ("draft", 2))
        self.assertFalse(request.picking_ids)
