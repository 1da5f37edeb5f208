from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command, Datetime
from odoo.tests import new_test_user, tagged

from .agreement_common import AgreementCommon


@tagged("post_install", "-at_install")
class TestAgreementAttacks(AgreementCommon):
    """What a client can send besides the buttons: defaults, derived fields, dates, odd lines."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.agreement = cls._create_agreement()

    def test_no_default_puts_an_agreement_in_force(self):
        values = {"partner_id": self.other_client.id}
        forged = {
            "default_state": "active",
            "default_approved_by_id": self.approver.id,
            "default_commercial_partner_id": self.client.id,
        }
        Agreement = self.env["crm.agreement"].with_user(self.salesman)
        agreement = Agreement.with_context(**forged).create(values)
        self.env["ir.default"].set("crm.agreement", "state", "active", user_id=self.salesman.id)
        for created in (agreement, Agreement.create(values)):
            self.assertEqual(created.state, "draft")
            self.assertFalse(created.approved_by_id)
            self.assertEqual(created.commercial_partner_id, self.other_client)

    def test_derived_fields_are_not_entered(self):
        own = self.agreement.with_user(self.salesman)
        values = {"commercial_partner_id": self.other_client.id}
        with self.assertRaises(AccessError):
            own.write(values)
        with self.assertRaises(AccessError):
            own.create({"partner_id": self.client.id, **values})

    def test_responsible_does_not_pass_it_on_to_approve_it(self):
        """Whoever is responsible may not approve, not even after naming somebody else."""
        agreement = self._create_agreement(activate=False, user_id=self.approver.id)
        agreement.action_submit()
        own = agreement.with_user(self.approver)
        self.assertFalse(own.can_approve)
        with self.assertRaisesRegex(UserError, "wait for approval"):
            own.user_id = self.salesman
        with self.assertRaisesRegex(UserError, "another approver"):
            own.action_approve()
        own.user_id = self.approver  # the form saves what it has
        agreement.with_user(self.approver_2).action_approve()
        own.user_id = self.salesman
        self.assertEqual(agreement.user_id, self.salesman)

    def test_currency_is_that_of_the_price_list(self):
        other = self.env.ref(
            "base.EUR" if self.env.company.currency_id.name != "EUR" else "base.USD"
        )
        with self.assertRaises(UserError):
            self.agreement.with_user(self.salesman).currency_id = other
        draft = self._create_agreement(activate=False).with_user(self.salesman)
        with self.assertRaises(ValidationError):
            draft.currency_id = other
        draft.write({"pricelist_id": False, "currency_id": other.id})
        self.assertEqual(draft.currency_id, other)

    def test_line_by_default_order(self):
        order = self._create_order()
        order.action_confirm()
        lines = self.env["sale.order.line"].with_user(self.salesman)
        values = {"product_id": self.saw.id, "product_uom_qty": 1.0, "price_unit": 1.0}
        with self.assertRaises(UserError):
            lines.with_context(default_order_id=order.id).create(values)
        self.env["ir.default"].set(
            "sale.order.line", "order_id", order.id, user_id=self.salesman.id
        )
        with self.assertRaises(UserError):
            lines.create(values)

    def test_line_without_quantity_is_judged(self):
        order = self._create_order(
            lines=[{}, {"product_id": self.saw.id, "product_uom_qty": 0.0, "price_unit": 1.0}]
        )
        self.assertEqual(self._get_kinds(order), ["price"])
        with self.assertRaises(UserError):
            order.action_confirm()
        order.order_line[1].price_unit = 180.0
        order.action_confirm()
        with self.assertRaises(UserError):
            order.order_line[1].price_unit = 1.0

    def test_old_prices_do_not_come_back_with_an_old_date(self):
        self.pricelist.item_ids = [
            Command.create(
                {
                    "applied_on": "0_product_variant",
                    "product_id": self.drill.id,
                    "compute_price": "fixed",
                    "fixed_price": 1.0,
                    "date_start": "2020-01-01 00:00:00",
                    "date_end": "2020-12-31 00:00:00",
                }
            )
        ]
        order = self._create_order(lines=[{"price_unit": 1.0}])
        order.date_order = "2020-06-01 00:00:00"
        order.agreement_id = self.agreement
        order.order_line.price_unit = 1.0
        with self.assertRaises(UserError):
            order.write({"state": "sale", "date_order": "2020-06-01 00:00:00"})
        order = self._create_order()
        order.action_confirm()
        order.date_order = "2020-06-01 00:00:00"
        with self.assertRaises(UserError):
            order.order_line.price_unit = 1.0

    def test_confirmed_order_keeps_the_prices_of_its_day(self):
        order = self._create_order()
        order.action_confirm()
        order.date_order = Datetime.add(Datetime.now(), seconds=1)
        order.order_line.product_uom_qty = 2.0
        self.assertEqual(self._get_kinds(order), [])

    def test_dialog_on_an_order_of_somebody_else(self):
        order = self._create_order(lines=[{"price_unit": 1.0}])
        self.env.flush_all()
        self.env.invalidate_all()
        requests = self.env["crm.agreement.deviation.request"]
        with self.assertRaises(AccessError):
            requests.with_user(self.other_salesman).create({"order_id": order.id, "reason": "?"})
        mine = requests.with_user(self.salesman).create({"order_id": order.id, "reason": "Please"})
        self.assertIn("o_agreement_terms", mine.terms_html)
        self.env.invalidate_all()
        with self.assertRaises(AccessError):
            mine.with_user(self.other_salesman).read(["terms_html"])

    def test_customer_does_not_read_how_far_we_go(self):
        customer = new_test_user(self.env, "ag_portal", "base.group_portal")
        customer.partner_id.parent_id = self.client
        order = self._create_order(lines=[{"price_unit": 1.0}], partner_id=customer.partner_id.id)
        order.message_subscribe(customer.partner_id.ids)
        self.assertEqual(order.agreement_check, "block")
        self.env.flush_all()
        self.env.invalidate_all()
        own = order.with_user(customer)
        self.assertTrue(own.read(["name"]))
        for record, name in (
            (own, "agreement_check"),
            (own, "agreement_terms_html"),
            (own, "deviation_count"),
            (customer.partner_id.with_user(customer), "agreement_count"),
        ):
            with self.subTest(name):
                try:
                    value = record.read([name])[0][name]
                except AccessError:
                    continue  # the add-on of the portal closes our fields as a whole
                self.assertFalse(value)

    def test_customer_does_not_read_what_we_know_of_him(self):
        customer = new_test_user(self.env, "ag_portal_known", "base.group_portal")
        customer.partner_id.parent_id = self.client
        self.client.counterparty_status = "bankrupt"
        order = self._create_order(partner_id=customer.partner_id.id)
        order.message_subscribe(customer.partner_id.ids)
        self.assertEqual(order.counterparty_alert, "danger")
        self.env.flush_all()
        self.env.invalidate_all()
        own = order.with_user(customer)
        self.assertTrue(own.read(["name"]))
        partner = self.client.with_user(customer)
        self.assertTrue(partner.read(["name"]))
        for record, name in (
            (own, "counterparty_message"),
            (own, "counterparty_alert"),
            (partner, "counterparty_status"),
            (partner, "counterparty_message"),
            (partner, "crm_duplicate_reason"),
        ):
            with self.subTest(name=name), self.assertRaises(AccessError):
                record.read([name])
        self.assertNotIn("counterparty_status", partner.fields_get())

    def test_customer_is_not_told_how_late_he_may_pay(self):
        agreement = self._create_agreement(
            partner_id=self.other_client.id, overdue_control=True, overdue_days=7
        )
        self.assertNotIn("7", "".join(text for _label, text in agreement._get_printed_terms()))

    def test_template_sent_past_the_composer(self):
        order = self._create_order(lines=[{"price_unit": 1.0}])
        template = self.env.ref("sale.email_template_edi_sale").with_user(self.salesman)
        with self.assertRaisesRegex(UserError, "cannot be sent"):
            template.send_mail(order.id)
        order.order_line.price_unit = 100.0
        self.assertTrue(template.send_mail(order.id))
