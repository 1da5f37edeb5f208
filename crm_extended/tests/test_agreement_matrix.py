from datetime import timedelta

from odoo.exceptions import UserError
from odoo.fields import Command, Datetime
from odoo.tests import HttpCase, new_test_user, tagged

from .agreement_common import AgreementCommon
from .test_agreement_portal import PIXEL

# how far a deviation of each kind can be made on an order that is confirmed already
AFTERWARDS = ("price", "discount", "payment_term", "pricelist", "prepayment", "delivery", "credit",
              "minimum", "contract", "agreement")  # fmt: skip


@tagged("post_install", "-at_install")
class TestAgreementMatrix(AgreementCommon, HttpCase):
    """Every kind of deviation, in every mode, on every road to a confirmed order.

    Incoterm and warehouse exist where stock is installed and are tested there
    (`crm_claims_stock`).
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.lawyer = new_test_user(
            cls.env, "ag_m_lawyer", "base.group_user,crm_extended.crm_agreements_group_lawyer"
        )
        cls.other_currency = cls.env["res.currency"].create(
            {"name": "XMT", "symbol": "X", "active": True}
        )
        cls.foreign_list = cls.env["product.pricelist"].create(
            {"name": "Foreign", "currency_id": cls.other_currency.id}
        )
        cls.provider = cls.env["payment.provider"].search([], limit=1)
        cls.method = cls.env["payment.method"].with_context(active_test=False).search([], limit=1)

    # What makes an order of two drills deviate -------------------------------

    def _get_terms(self, kind):
        """What the agreement says beside price list, payment terms and discount."""
        return {
            "minimum": {"minimum_amount": 150.0},
            "prepayment": {"prepayment_percent": 0.5},
            "delivery": {"delivery_days": 5},
            "contract": {"contract_required": True},
            "overdue": {"overdue_control": True},
            "credit": {"credit_limit": 300.0},
        }.get(kind, {})

    def _deviate(self, kind, order, agreement):
        line = order.order_line
        actions = {
            "agreement": lambda: order.write({"agreement_id": False}),
            "validity": lambda: agreement.with_user(self.approver).action_suspend(),
            "pricelist": lambda: order.write({"pricelist_id": self.cheap_pricelist.id}),
            "currency": lambda: order.write({"pricelist_id": self.foreign_list.id}),
            "payment_term": lambda: order.write({"payment_term_id": self.term_60.id}),
            "price": lambda: line.write({"price_unit": 50.0}),
            "discount": lambda: line.write({"discount": 30.0}),
            "minimum": lambda: line.write({"product_uom_qty": 1.0}),
            "prepayment": lambda: order.write({"require_payment": False}),
            "delivery": lambda: order.write(
                {"commitment_date": Datetime.now() + timedelta(days=30)}
            ),
            "contract": lambda: order.write({"agreement_contract_id": False}),
            "overdue": self._invoice_late,
            "credit": lambda: line.write({"product_uom_qty": 5.0}),
        }
        actions[kind]()
        self.env.invalidate_all()

    def _invoice_late(self):
        self.env["account.move"].create(
            {
                "move_type": "out_invoice",
                "partner_id": self.client.id,
                "invoice_date": self.today - timedelta(days=20),
                "invoice_payment_term_id": self.term_30.id,
                "invoice_line_ids": [
                    Command.create({"name": "Old", "price_unit": 10.0, "tax_ids": False})
                ],
            }
        ).action_post()

    # Roads -------------------------------------------------------------------

    def _get_roads(self, order):
        good = self._create_order(partner_id=self.other_client.id)
        return {
            "button": order.action_confirm,
            "batch": (good + order).action_confirm,
            "remote call": lambda: order.web_save({"state": "sale"}, {}),
            "import": lambda: self._import(order),
            "superuser": order.sudo()._action_confirm,
            "payment": lambda: self._pay(order),
            "signature": lambda: self._sign(order),
            "sending": order.action_quotation_send,
        }

    def _import(self, order):
        result = order.load([".id", "state"], [[str(order.id), "sale"]])
        if not result["ids"]:
            raise UserError(result["messages"][0]["message"])

    def _pay(self, order):
        transaction = self.env["payment.transaction"].create(
            {
                "provider_id": self.provider.id,
                "payment_method_id": self.method.id,
                "amount": order.amount_total,
                "currency_id": order.currency_id.id,
                "partner_id": order.partner_id.id,
                "reference": f"AGM-{order.id}",
                "state": "done",
                "sale_order_ids": [Command.set(order.ids)],
            }
        )
        if not transaction._check_amount_and_confirm_order():
            raise UserError("paid, not confirmed")

    def _sign(self, order):
        answer = self.make_jsonrpc_request(
            f"/my/orders/{order.id}/accept",
            {"access_token": order.access_token, "name": "Anna", "signature": PIXEL},
        )
        if "error" in answer:
            raise UserError(answer["error"])

    def _assert_roads_closed(self, order, names=None):
        for name, road in self._get_roads(order).items():
            if names and name not in names:
                continue
            with self.subTest(road=name):
                with self.assertRaises(UserError), self.cr.savepoint():
                    road()
                self.env.invalidate_all()
                self.assertEqual(order.state, "sent")

    # The matrix --------------------------------------------------------------

    def _prepare(self, kind, mode):
        """A sent quotation within its agreement."""
        agreement = self._create_agreement(enforcement=mode, **self._get_terms(kind))
        if kind == "contract":
            contract = self.env["crm.agreement.contract"].create(
                {"name": "M-1", "agreement_id": agreement.id, "user_id": self.salesman.id}
            )
            contract.action_submit()
            contract.with_user(self.lawyer).action_approve()
            contract.action_sign()
        order = self._create_order([{"product_uom_qty": 2.0}], require_signature=True)
        order._portal_ensure_token()
        self.assertFalse(order._get_deviations())
        order.action_quotation_sent()
        return agreement, order

    def _run_kind(self, kind):
        for mode in ("block", "approve", "warn"):
            with self.subTest(kind=kind, mode=mode), self.cr.savepoint() as savepoint:
                agreement, order = self._prepare(kind, mode)
                self._deviate(kind, order, agreement)
                self.assertIn(kind, self._get_kinds(order))
                self.assertEqual(order.agreement_check, mode)
                getattr(self, f"_check_{mode}")(kind, order)
                savepoint.rollback()
            self.env.invalidate_all()
        if kind in AFTERWARDS:
            with self.subTest(kind=kind, mode="afterwards"), self.cr.savepoint() as savepoint:
                agreement, order = self._prepare(kind, "block")
                order.action_confirm()
                with self.assertRaises(UserError), self.cr.savepoint():
                    self._deviate(kind, order, agreement)
                savepoint.rollback()
            self.env.invalidate_all()

    def _check_block(self, kind, order):
        self._assert_roads_closed(order)
        with self.assertRaises(UserError):
            order._request_deviation_approval("Please")

    def _check_approve(self, kind, order):
        self._assert_roads_closed(order, ("button", "signature", "sending"))
        order._request_deviation_approval("Please")
        with self.assertRaises(UserError), self.cr.savepoint():
            order.action_confirm()
        order.with_user(self.approver)._decide_deviations(True, "Fine")
        row = order.deviation_ids.filtered(lambda row: row.kind == kind)
        self.assertEqual((row.state, row.approver_id), ("approved", self.approver))
        self._sign(order) if not order.require_payment else order.action_confirm()
        self.env.invalidate_all()
        self.assertEqual(order.state, "sale")

    def _check_warn(self, kind, order):
        order.action_quotation_send()
        order.action_confirm()
        self.assertEqual(order.state, "sale")
        self.assertIn((kind, "recorded"), order.deviation_ids.mapped(lambda r: (r.kind, r.state)))

    def test_agreement(self):
        self._run_kind("agreement")

    def test_validity(self):
        self._run_kind("validity")

    def test_pricelist(self):
        self._run_kind("pricelist")

    def test_currency(self):
        self._run_kind("currency")

    def test_payment_term(self):
        self._run_kind("payment_term")

    def test_price(self):
        self._run_kind("price")

    def test_discount(self):
        self._run_kind("discount")

    def test_minimum(self):
        self._run_kind("minimum")

    def test_prepayment(self):
        self._run_kind("prepayment")

    def test_delivery(self):
        self._run_kind("delivery")

    def test_contract(self):
        self._run_kind("contract")

    def test_overdue(self):
        self._run_kind("overdue")

    def test_credit(self):
        self._run_kind("credit")

    def test_every_kind_is_here(self):
        kinds = {
            kind for kind, _label in self.env["crm.agreement.deviation"]._fields["kind"].selection
        }
        tested = {name[5:] for name in dir(self) if name.startswith("test_")}
        self.assertEqual(kinds - tested, {"incoterm", "warehouse"}, "these need stock")
