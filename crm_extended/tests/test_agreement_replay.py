from datetime import date, timedelta

from odoo.exceptions import AccessError
from odoo.fields import Datetime
from odoo.tests import BaseCase, tagged

from ..tools.agreement_replay import ReplayLine, chart_bars, summarise, weighted_days
from .agreement_common import AgreementCommon


@tagged("-at_install", "post_install")
class TestReplayArithmetic(BaseCase):
    def test_summarise(self):
        month = date(2026, 3, 1)
        figures = summarise(
            [
                ReplayLine(1, month, 100.0, 90.0, 80.0, 50.0, True),
                ReplayLine(2, month, 70.0, 90.0, 80.0, 0.0, True),
                ReplayLine(3, date(2026, 2, 1), 10.0, 10.0, 10.0, 0.0, False),
            ]
        )
        self.assertEqual((figures["actual"], figures["agreed"], figures["lowest"]), (180, 190, 170))
        self.assertEqual((figures["margin_actual"], figures["margin_agreed"]), (50.0, 40.0))
        self.assertAlmostEqual(figures["known"], 100 / 180)
        self.assertEqual(figures["below"], {2})
        self.assertEqual(list(figures["months"]), [date(2026, 2, 1), month])
        bars = chart_bars(figures["months"])
        self.assertEqual(bars[1]["agreed"]["height"], 180)
        self.assertEqual(chart_bars({}), [])

    def test_weighted_days(self):
        start = date(2026, 1, 1)
        half = [(date(2026, 1, 1), 50.0), (date(2026, 1, 31), 50.0)]
        self.assertEqual(weighted_days(half, start), 15.0)
        self.assertEqual(weighted_days([], start), 0.0)


@tagged("post_install", "-at_install")
class TestAgreementReplay(AgreementCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.drill.standard_price = 60.0
        cls.term_30.line_ids.nb_days = 30
        cls.term_60.line_ids.nb_days = 60
        cls.orders = cls.env["sale.order"]
        for days, price in ((30, 100.0), (60, 80.0), (500, 100.0)):
            order = cls._create_order(
                [{"price_unit": price, "product_uom_qty": 2.0}], payment_term_id=cls.term_30.id
            )
            order.action_confirm()
            order.sudo().date_order = Datetime.now() - timedelta(days=days)
            cls.orders |= order
        cls.agreement = cls._create_agreement(
            activate=False, payment_term_id=cls.term_60.id, minimum_amount=170.0
        )

    def test_figures(self):
        figures = self.agreement.with_user(self.approver)._replay()
        self.assertEqual(figures["orders"], self.orders[:2], "twelve months only")
        self.assertAlmostEqual(figures["actual"], 360.0)
        self.assertAlmostEqual(figures["agreed"], 360.0)  # twice 2 at 90
        self.assertAlmostEqual(figures["lowest"], 342.0)  # 5 % less
        self.assertAlmostEqual(figures["margin_agreed"], 120.0)
        self.assertEqual((figures["days_actual"], figures["days_agreed"]), (30.0, 60.0))
        (held,) = figures["held"].items()
        self.assertEqual(held[0], self.orders[1])
        self.assertEqual(len(held[1]), 2, "below the lowest price and too small")

    def test_debt_of_the_past(self):
        self.agreement.write({"credit_limit": 250.0, "minimum_amount": 0.0})
        invoice = self.env["account.move"].create(
            {
                "move_type": "out_invoice",
                "partner_id": self.client.id,
                "invoice_date": self.today - timedelta(days=50),
                "invoice_payment_term_id": False,
                "invoice_date_due": self.today - timedelta(days=45),
                "invoice_line_ids": [(0, 0, {"name": "x", "price_unit": 100.0, "tax_ids": False})],
            }
        )
        invoice.action_post()
        held = self.agreement._replay()["held"]
        self.assertIn("credit limit", " ".join(held[self.orders[0]]))
        self.assertNotIn("credit limit", " ".join(held.get(self.orders[1], [])))
        self.env["account.payment.register"].with_context(
            active_model="account.move", active_ids=invoice.ids
        ).create({"payment_date": self.today - timedelta(days=40)}).action_create_payments()
        self.assertNotIn(self.orders[0], self.agreement._replay()["held"])
        self.agreement.write({"credit_limit": 0.0, "overdue_control": True})
        self.assertNotIn(self.orders[0], self.agreement._replay()["held"], "paid by then")

    def test_page(self):
        action = self.agreement.with_user(self.approver).action_replay()
        Replay = self.env["crm.agreement.replay"].with_context(**action["context"])
        wizard = Replay.with_user(self.approver).create({})
        self.assertIn("<svg", wizard.page_html)
        self.assertIn(self.orders[1].name, wizard.page_html)
        self.assertEqual(wizard.order_ids, self.orders[1])
        with self.assertRaises(AccessError):
            Replay.with_user(self.other_salesman).create({})

    def test_segment(self):
        segment = self.env["crm.segment"].create(
            {"name": "S", "domain": [("id", "=", self.other_client.id)]}
        )
        standard = self._create_agreement(
            activate=False, kind="standard", segment_id=segment.id, user_id=self.approver.id
        )
        self.assertFalse(standard._replay()["orders"])
        segment.domain = [("id", "=", self.client.id)]
        self.assertEqual(standard._replay()["orders"], self.orders[:2])
