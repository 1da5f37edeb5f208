from unittest import SkipTest

from odoo.addons.crm_extended.tests.agreement_common import AgreementCommon
from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged


@tagged("post_install", "-at_install")
class TestTermsOfStock(AgreementCommon):
    """Terms of an agreement that exist where stock is installed: incoterm and warehouse."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        Warehouse = cls.env["stock.warehouse"]
        company = {"company_id": cls.env.company.id}
        cls.first = Warehouse.search([("company_id", "=", cls.env.company.id)], limit=1)
        cls.first = cls.first or Warehouse.create({"name": "First", "code": "FIR", **company})
        cls.second = Warehouse.create({"name": "Second", "code": "SEC", **company})
        cls.fob, cls.cif = (cls.env.ref(f"account.incoterm_{code}") for code in ("FOB", "CIF"))
        cls.terms = {
            "warehouse_ref": f"stock.warehouse,{cls.second.id}",
            "incoterm_id": cls.fob.id,
        }

    def test_put_on_the_order(self):
        self._create_agreement(**self.terms)
        order = self._create_order()
        self.assertEqual((order.warehouse_id, order.incoterm), (self.second, self.fob))
        self.assertFalse(order._get_deviations())
        rows = {row["label"]: row for row in order._get_term_rows([])}
        self.assertEqual(rows["Incoterm"]["agreed"], self.fob.display_name)
        self.assertEqual(rows["Ships From"]["actual"], self.second.display_name)

    def test_each_in_each_mode(self):
        changes = {
            "warehouse": {"warehouse_id": self.first.id},
            "incoterm": {"incoterm": self.cif.id},
        }
        for mode in ("block", "approve", "warn"):
            for kind, change in changes.items():
                with self.subTest(mode=mode, kind=kind), self.cr.savepoint() as savepoint:
                    self._create_agreement(enforcement=mode, **self.terms)
                    order = self._create_order()
                    order.write(change)
                    self.assertEqual(self._get_kinds(order), [kind])
                    self._check_mode(order, kind, mode)
                    savepoint.rollback()
                self.env.invalidate_all()

    def _check_mode(self, order, kind, mode):
        roads = (
            order.action_confirm,
            lambda: order.write({"state": "sale"}),
            order.sudo()._action_confirm,
            order.action_quotation_sent,
        )
        for road in roads if mode != "warn" else ():
            with self.assertRaises(UserError), self.cr.savepoint():
                road()
            self.env.invalidate_all()
        if mode == "block":
            return
        if mode == "approve":
            order._request_deviation_approval("Please")
            order.with_user(self.approver)._decide_deviations(True, "Fine")
        order.action_confirm()
        self.assertEqual(order.state, "sale")
        state = {"approve": "approved", "warn": "recorded"}[mode]
        self.assertEqual(order.deviation_ids.mapped(lambda r: (r.kind, r.state)), [(kind, state)])

    def test_confirmed_order_keeps_them(self):
        self._create_agreement(**self.terms)
        order = self._create_order()
        order.action_confirm()
        for change in ({"warehouse_id": self.first.id}, {"incoterm": self.cif.id}):
            with self.assertRaises(UserError), self.cr.savepoint():
                order.write(change)


@tagged("post_install", "-at_install")
class TestSecrecyOfMargin(AgreementCommon):
    """With Odoo's margins installed nobody reads them who may not see the cost."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if "margin" not in cls.env["sale.order"]._fields:
            raise SkipTest("sale_margin is not installed")
        cls.drill.standard_price = 60
        cls.insider = new_test_user(
            cls.env,
            "mar_insider",
            "base.group_user,base.group_allow_export,sales_team.group_sale_manager",
        )
        cls.order = cls._create_order(user=cls.insider, user_id=cls.insider.id)
        cls.order.action_confirm()

    def test_margin_is_closed(self):
        order = self.order.with_user(self.insider)
        self.assertEqual(order.margin, 40)
        self.env["crm.secrecy.rule"].create({"name": "Cost", "subject": "cost"})
        self.env.invalidate_all()
        report = self.env["sale.report"].with_user(self.insider)
        closed = {
            order: ("margin", "margin_percent"),
            order.order_line: ("margin", "margin_percent", "purchase_price"),
        }
        for records, names in closed.items():
            for name in names:
                with self.subTest(model=records._name, name=name):
                    with self.assertRaises(AccessError):
                        records.read([name])
                    with self.assertRaises(AccessError):
                        records.export_data([name])
                    with self.assertRaises(AccessError):
                        records.search([(name, ">", 1)])
                    self.assertNotIn(name, records.fields_get())
        with self.assertRaises(AccessError):
            order.formatted_read_group([], ["partner_id"], ["margin:sum"])
        with self.assertRaises(AccessError):
            report.formatted_read_group([], ["partner_id"], ["margin:sum"])
        for view_type in ("form", "list", "pivot", "graph"):
            self.assertNotIn('name="margin"', order.get_view(view_type=view_type)["arch"])
        self.assertNotIn('name="purchase_price"', order.get_view(view_type="form")["arch"])
        # and one sells on
        line = order.order_line.create({"order_id": order.id, "product_id": self.saw.id})
        self.assertEqual(line.price_unit, 200)
        self.assertEqual(order.with_user(self.accountant).read(["margin"])[0]["margin"], 240)
