from odoo.addons.crm_claims.tests.common import ClaimCommon
from odoo.addons.mail.tests.common import mail_new_test_user
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import Form, tagged, users


@tagged("post_install", "-at_install")
class TestDelivery(ClaimCommon):
    """A claim starts from what was delivered."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.stock = cls.env["stock.warehouse"].search([("company_id", "=", cls.company.id)])
        cls.pump = cls.env["product.product"].create(
            {
                "name": "Test Pump",
                "is_storable": True,
                "tracking": "lot",
                "list_price": 80.0,
                "taxes_id": False,
            }
        )
        cls.lots = cls.env["stock.lot"].create(
            [
                {"name": name, "product_id": cls.pump.id, "company_id": cls.company.id}
                for name in ("LOT-A", "LOT-B")
            ]
        )
        for lot, quantity in zip(cls.lots, (2, 5), strict=True):
            cls.env["stock.quant"]._update_available_quantity(
                cls.pump, cls.stock.lot_stock_id, quantity, lot_id=lot
            )
        cls.order = cls._new_order(6)
        cls.picking = cls._deliver(cls.order)

    @classmethod
    def _new_order(cls, quantity):
        order = cls.env["sale.order"].create(
            {
                "partner_id": cls.customer.id,
                "company_id": cls.company.id,
                "order_line": [
                    Command.create(
                        {"product_id": cls.pump.id, "product_uom_qty": quantity, "discount": 10}
                    ),
                    Command.create(
                        {
                            "product_id": cls.product.id,
                            "product_uom_qty": 1,
                            "product_uom_id": cls.env.ref("uom.product_uom_dozen").id,
                        }
                    ),
                ],
            }
        )
        order.action_confirm()
        return order

    @classmethod
    def _deliver(cls, order):
        picking = order.picking_ids
        picking.action_assign()
        for line in picking.move_ids:
            line.picked = True
        picking.button_validate()
        assert picking.state == "done", picking.state
        return picking

    def _open_wizard(self, picking):
        action = picking.action_register_claim()
        return Form(self.env[action["res_model"]].with_context(**action["context"]))

    @users("claims_own")
    def test_claim_some_of_the_delivered_items(self):
        picking = self.picking.with_user(self.env.user)
        form = self._open_wizard(picking)
        found = []
        for index in range(len(form.line_ids)):
            with form.line_ids.edit(index) as line:
                found.append((line.product_id.name, line.lot_name, line.quantity_delivered))
                if line.lot_name == "LOT-A":
                    line.quantity = 2
        self.assertCountEqual(
            found,
            [("Test Pump", "LOT-A", 2), ("Test Pump", "LOT-B", 4), ("Test Drill", False, 1)],
        )
        action = form.save().action_register()

        claim_form = Form(self.env["crm.claim"].with_context(**action["context"]))
        claim_form.subject = "Two pumps leak"
        claim = claim_form.save()
        self.assertEqual(claim.picking_id, picking)
        self.assertEqual(claim.order_id, self.order)
        self.assertEqual(claim.partner_id, self.customer)
        self.assertEqual(claim.line_ids.lot_name, "LOT-A")
        self.assertEqual(claim.line_ids.order_line_id, self.order.order_line[0])
        self.assertEqual(claim.line_ids.quantity, 2)
        self.assertAlmostEqual(claim.line_ids.price_unit, 72.0)
        self.assertAlmostEqual(claim.amount_claimed, 144.0)
        self.assertEqual(picking.claim_count, 1)
        self.assertEqual(
            self.env["crm.claim"].search(picking.action_view_claims()["domain"]), claim
        )

    @users("claims_own")
    def test_no_more_than_was_delivered(self):
        form = self._open_wizard(self.picking.with_user(self.env.user))
        with form.line_ids.edit(0) as line:
            line.quantity = line.quantity_delivered + 1
        with self.assertRaisesRegex(UserError, "delivered"):
            form.save().action_register()

    @users("claims_own")
    def test_delivery_fills_order_and_claimant_by_rpc(self):
        claim = self.env["crm.claim"].create(
            {"subject": "Box is wet", "picking_id": self.picking.id}
        )
        self.assertEqual(claim.order_id, self.order)
        self.assertEqual(claim.partner_id, self.customer)

    @users("claims_own")
    def test_claimant_that_was_entered_stays(self):
        claim = self.env["crm.claim"].create(
            {
                "subject": "Box is wet",
                "picking_id": self.picking.id,
                "partner_id": self.contact.id,
            }
        )
        self.assertEqual(claim.partner_id, self.contact)

    def test_delivery_of_another_order_is_refused(self):
        other = self._new_order(1)
        with self.assertRefused(ValidationError, self.picking.name):
            self.env["crm.claim"].create(
                {
                    "subject": "Wrong order",
                    "order_id": other.id,
                    "picking_id": self.picking.id,
                    "company_id": self.company.id,
                }
            )

    def test_who_handles_no_claims_registers_none(self):
        keeper = mail_new_test_user(
            self.env,
            login="claims_keeper",
            groups="stock.group_stock_user",
            company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)],
        )
        picking = self.picking.with_user(keeper)
        with self.assertRaises(AccessError):
            picking.action_register_claim()
        picking.get_views([(False, "form")])
        picking.read(["name", "state"])
