from datetime import timedelta

from odoo import fields
from odoo.addons.crm_extended.tools import registry_fns
from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import HttpCase, new_test_user, tagged, users

from .common_registry import (
    BANK_BRANCH_KPP,
    BANK_INN,
    BANK_KPP,
    NOBODY_INN,
    PERSON_INN,
    RegistryCommon,
    make_party,
)

PIXEL = (  # a png of one point, as the browser sends a signature
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGA"
    "WjR9awAAAABJRU5ErkJggg=="
)


class CounterpartyCommon(RegistryCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.contact = cls.env["res.partner"].create(
            {"name": "Head of Purchase", "parent_id": cls.bank.id, "email": "buy@bank.example.com"}
        )
        cls.product = cls.env["product.product"].create({"name": "Drill", "list_price": 10})

    def _set_status(self, status, partner=None):
        (partner or self.bank).sudo().write(
            {
                "counterparty_status": status,
                "counterparty_date": fields.Datetime.now(),
                "counterparty_source": "DaData",
            }
        )

    def _create_order(self, **values):
        return self.env["sale.order"].create(
            {
                "partner_id": self.contact.id,
                "order_line": [Command.create({"product_id": self.product.id})],
            }
            | values
        )


@tagged("post_install", "-at_install")
class TestCounterpartyStatus(CounterpartyCommon):
    @users("reg_sales")
    def test_check_by_button(self):
        contact = self.contact.with_user(self.env.user)
        self.assertTrue(contact.can_check_counterparty)
        action = contact.action_check_counterparty()
        self.assertIn("Active", action["params"]["message"])
        self.assertEqual(
            (self.bank.counterparty_status, self.bank.counterparty_source), ("active", "DaData")
        )
        self.assertAlmostEqual(
            self.bank.counterparty_date, fields.Datetime.now(), delta=timedelta(minutes=1)
        )
        self.assertFalse(contact.counterparty_alert)
        self.server.parties[BANK_INN] = [make_party(status="LIQUIDATED")]
        action = contact.action_check_counterparty()
        self.assertEqual(action["params"]["type"], "warning")
        self.assertEqual(self.bank.counterparty_status, "liquidated")
        self.assertEqual(contact.counterparty_alert, "danger")

    def test_statuses(self):
        for suggestions, kpp, status in (
            ([make_party()], "770501001", "kpp_mismatch"),
            ([make_party(status="BANKRUPT")], BANK_KPP, "bankrupt"),
            ([make_party(status="LIQUIDATING")], BANK_KPP, "liquidating"),
            ([make_party(status="REORGANIZING")], BANK_KPP, "reorganising"),
            ([], BANK_KPP, "not_found"),
        ):
            self.server.parties[BANK_INN] = suggestions
            self.bank.kpp = kpp
            self.bank.action_check_counterparty()
            self.assertEqual(self.bank.counterparty_status, status)
        self.bank.kpp = BANK_BRANCH_KPP
        self.assertFalse(self.bank.counterparty_status, "another KPP, another answer")

    def test_foreign_numbers_are_not_asked_of_russian_registers(self):
        """Ten digits of another country, as tax number or as number of its trade register."""
        self.bank.write({"country_id": self.env.ref("base.kz").id, "vat": False, "kpp": False})
        client = self.bank.with_user(self.user_sales)
        self.bank.company_registry = BANK_INN
        with self.assertRaisesRegex(UserError, "Enter the tax number"):
            client.action_check_counterparty()
        self.bank.vat = "190140001234"
        self.assertFalse(client.can_check_counterparty)
        client.action_check_counterparty()
        self.assertFalse(self.bank.counterparty_status)
        self.assertFalse(self.server.asked)

    def test_failure_is_shown_and_changes_nothing(self):
        self._set_status("active")
        self.fns.active = False
        self._fail(503)
        action = self.bank.action_check_counterparty()
        self.assertEqual(action["params"]["type"], "warning")
        self.assertIn("failure of its own", action["params"]["message"])
        self.assertEqual(self.bank.counterparty_status, "active")
        self.assertEqual(self._get_log()[0].code, "server")

    def test_without_any_register(self):
        (self.dadata + self.fns + self.vies).active = False
        self.assertFalse(self.bank.can_check_counterparty)
        action = self.bank.action_check_counterparty()
        self.assertIn("No register is set up", action["params"]["message"])
        with self.assertRaises(UserError):
            self.env["res.partner"].create({"name": "X"}).action_check_counterparty()

    def test_the_tax_service_does_not_clear_whom_dadata_warns_of(self):
        self._set_status("liquidating")
        self.dadata.active = False
        self.bank.action_check_counterparty()
        self.assertEqual(
            (self.bank.counterparty_status, self.bank.counterparty_source),
            ("liquidating", "DaData"),
        )
        self.server.states[BANK_INN, BANK_KPP] = "1"
        self.bank.action_check_counterparty()
        self.assertEqual(self.bank.counterparty_status, "liquidated")

    @users("reg_sales")
    def test_nobody_enters_it_by_hand(self):
        self._set_status("liquidated")
        Partner = self.env["res.partner"]
        bank = self.bank.with_user(self.env.user)
        for name, value in (
            ("counterparty_status", "active"),
            ("counterparty_status", False),
            ("counterparty_date", False),
            ("counterparty_source", "Me"),
        ):
            with self.assertRaises(AccessError):
                bank.write({name: value})
            with self.assertRaises(AccessError):
                Partner.create({"name": "New", name: value})
        new = Partner.with_context(default_counterparty_status="active").create({"name": "New"})
        self.assertFalse(new.counterparty_status)
        self.assertFalse(bank.copy().counterparty_status)

    def test_forgotten_when_a_number_changes(self):
        self._set_status("liquidated")
        self.bank.with_user(self.user_sales).write({"name": "Bank again", "vat": BANK_INN})
        self.assertEqual(self.bank.counterparty_status, "liquidated")
        self.bank.with_user(self.user_sales).write({"vat": NOBODY_INN})
        self.assertFalse(self.bank.counterparty_status or self.bank.counterparty_date)

    def test_saving_asks_nobody(self):
        self.env["res.partner"].create(
            {
                "name": "New",
                "is_company": True,
                "country_id": self.russia.id,
                "vat": NOBODY_INN,
                "kpp": "773001001",
            }
        ).write({"vat": BANK_INN})
        self.assertEqual(self.server.asked, [])


@tagged("post_install", "-at_install")
class TestCounterpartyOrder(CounterpartyCommon, HttpCase):
    """No road leads to an order for a client in danger where the company refuses it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.counterparty_mode = "block"

    def _assert_refused(self, function, order=None):
        with self.assertRaises(UserError) as caught:
            function()
        message = str(caught.exception)
        for word in ("Bank", "Being liquidated", "DaData", "check again"):
            self.assertIn(word, message)
        self.env.invalidate_all()
        if order:
            self.assertNotEqual(order.state, "sale")

    def test_roads(self):
        self._set_status("liquidating")
        order = self._create_order()
        self.assertEqual(order.counterparty_alert, "block")
        self._assert_refused(order.action_confirm, order)
        self._assert_refused(order.with_user(self.user_admin).action_confirm, order)
        self._assert_refused(order.sudo().action_confirm, order)
        self._assert_refused(lambda: order.write({"state": "sale"}), order)
        self._assert_refused(order._action_confirm, order)
        self._assert_refused(lambda: self._create_order(state="sale"))
        good = self._create_order(partner_id=self.env["res.partner"].create({"name": "Good"}).id)
        self._assert_refused((good | order).action_confirm, order)
        self._assert_refused(
            lambda: good.with_context(lang=None).copy({"partner_id": self.bank.id, "state": "sale"})
        )

    def test_whoever_is_invoiced_counts(self):
        self._set_status("liquidating")
        good = self.env["res.partner"].create({"name": "Good"})
        order = self._create_order(partner_id=good.id, partner_invoice_id=self.bank.id)
        self._assert_refused(order.action_confirm, order)

    def test_client_exchanged_afterwards(self):
        self._set_status("liquidating")
        good = self.env["res.partner"].create({"name": "Good"})
        order = self._create_order(partner_id=good.id)
        order.action_confirm()
        self._assert_refused(lambda: order.write({"partner_id": self.bank.id}))
        self._assert_refused(lambda: order.write({"partner_invoice_id": self.bank.id}))
        order.write({"client_order_ref": "12"})

    def test_modes(self):
        for mode, status, alert, is_confirmed, is_noted in (
            ("off", "liquidated", False, True, False),
            ("warn", "liquidated", "danger", True, True),
            ("block", "liquidated", "block", False, False),
            ("block", "kpp_mismatch", "block", False, False),
            ("block", "reorganising", "warning", True, True),
            ("block", "active", False, True, False),
            ("block", False, False, True, False),
        ):
            with self.subTest(mode=mode, status=status):
                self.company.counterparty_mode = mode
                self._set_status(status)
                order = self._create_order()
                self.assertEqual(order.counterparty_alert, alert)
                if is_confirmed:
                    order.action_confirm()
                else:
                    with self.assertRaises(UserError):
                        order.action_confirm()
                self.assertEqual(order.state == "sale", is_confirmed)
                notes = " ".join(order.message_ids.mapped("body"))
                self.assertEqual("(DaData, " in notes, is_noted)

    def test_each_company_has_its_mode(self):
        other = self.env["res.company"].create({"name": "Other", "counterparty_mode": "off"})
        self._set_status("liquidated")
        order = self._create_order()
        with self.assertRaises(UserError):
            order.action_confirm()
        order = (
            self._create_order(
                company_id=other.id,
                warehouse_id=False,
            )
            if "warehouse_id" in order._fields
            else self._create_order(company_id=other.id)
        )
        order.action_confirm()
        self.assertEqual(order.state, "sale")

    def test_salesperson_of_a_client_out_of_reach(self):
        self._set_status("liquidated")
        order = self._create_order(user_id=self.user_sales.id)
        with self.assertRaises(UserError):
            order.with_user(self.user_sales).action_confirm()

    def test_signed_on_line(self):
        self._set_status("liquidated")
        order = self._create_order(require_signature=True, require_payment=False)
        order.action_quotation_sent()
        order._portal_ensure_token()
        arguments = {"access_token": order.access_token, "name": "Anna", "signature": PIXEL}
        answer = self.make_jsonrpc_request(f"/my/orders/{order.id}/accept", arguments)
        self.assertTrue(answer["error"])
        self.env.invalidate_all()
        self.assertEqual((order.state, order.signature), ("sent", False))
        self._set_status("active")
        self.env.flush_all()
        self.make_jsonrpc_request(f"/my/orders/{order.id}/accept", arguments)
        self.env.invalidate_all()
        self.assertEqual(order.state, "sale")

    def test_paid_on_line(self):
        self._set_status("liquidated")
        order = self._create_order(require_payment=True)
        order.action_quotation_sent()
        self.assertFalse(order._has_to_be_paid())
        provider = self.env["payment.provider"].search([], limit=1) or self.env[
            "payment.provider"
        ].create({"name": "Test"})
        method = self.env["payment.method"].with_context(active_test=False).search([], limit=1)
        transaction = self.env["payment.transaction"].create(
            {
                "provider_id": provider.id,
                "payment_method_id": method.id,
                "amount": order.amount_total,
                "currency_id": order.currency_id.id,
                "partner_id": order.partner_id.id,
                "sale_order_ids": [Command.link(order.id)],
                "reference": "counterparty",
                "state": "done",
            }
        )
        transaction._check_amount_and_confirm_order()
        self.assertEqual(order.state, "sent")
        self.assertIn("Paid, but not confirmed", order.message_ids[0].body)
        self.assertTrue(order.activity_ids)

    def test_banners(self):
        lead = self.env["crm.lead"].create({"name": "Deal", "partner_id": self.contact.id})
        self._set_status("bankrupt")
        order = self._create_order()
        for record in (lead, order, self.contact, self.bank):
            self.assertIn(record.counterparty_alert, ("danger", "block"), record._name)
            arch = record.get_view(view_type="form")["arch"]
            self.assertIn("counterparty_danger", arch)
        self.assertEqual(lead.counterparty_status, "bankrupt")
        self.assertEqual(order.counterparty_status, "bankrupt")


@tagged("post_install", "-at_install")
class TestCounterpartyRecheck(CounterpartyCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["res.company"].search([]).counterparty_recheck_days = 0
        cls.company.counterparty_recheck_days = 30
        cls.cron = cls.env.ref("crm_extended.ir_cron_crm_registry_recheck")
        cls.person = cls.env["res.partner"].create(
            {
                "name": "Petrov",
                "is_company": True,
                "country_id": cls.russia.id,
                "vat": PERSON_INN,
            }
        )
        cls.idle = cls.env["res.partner"].create(
            {"name": "Idle", "is_company": True, "country_id": cls.russia.id, "vat": NOBODY_INN}
        )
        cls.env["crm.lead"].create({"name": "Deal", "partner_id": cls.contact.id})
        cls.fns.active = cls.vies.active = False

    def setUp(self):
        super().setUp()
        self._create_order(partner_id=self.person.id)

    def _run(self):
        with self.enter_registry_test_mode():
            self.cron.method_direct_trigger()
        self.env.invalidate_all()

    def _age(self, partner, days):
        partner.sudo().counterparty_date = fields.Datetime.now() - timedelta(days=days)
        self.env.flush_all()

    def test_open_business_is_checked(self):
        self._run()
        self.assertEqual(self.bank.counterparty_status, "active")
        self.assertEqual(self.person.counterparty_status, "active")
        self.assertFalse(self.idle.counterparty_status, "no business, no question")
        asked = len(self.server.asked)
        self._run()
        self.assertEqual(len(self.server.asked), asked, "not yet due again")
        self._age(self.bank, 31)
        self._run()
        self.assertEqual(len(self.server.asked), asked + 1)

    def test_oldest_first_within_the_quota(self):
        self._age(self.bank, 60)
        self._age(self.person, 90)
        self.dadata.daily_limit = 2  # one of them is left to people
        self._run()
        self.assertEqual(
            (self.person.counterparty_status, self.bank.counterparty_status), ("active", False)
        )
        self._run()
        self.assertEqual(len(self.server.asked), 1)

    def test_failure_stops_and_is_kept(self):
        self._fail(403)
        self._run()
        self.assertEqual(len(self.server.asked), 1, "a used-up quota is asked for once")
        self.dadata.invalidate_recordset()
        self.assertEqual(self.dadata.state, "quota")
        self.assertFalse(self.bank.counterparty_date or self.person.counterparty_date)

    def test_the_tax_service_is_asked_about_many_at_once(self):
        self.dadata.active = False
        self.fns.active = True
        self.server.states[BANK_INN, BANK_KPP] = "3"
        self._run()
        self.assertEqual(len(self.server.asked), 1)
        self.assertEqual(
            (self.bank.counterparty_status, self.person.counterparty_status),
            ("kpp_mismatch", "active"),
        )

    def test_one_client_the_tax_service_chokes_on_does_not_fail_the_others(self):
        self.dadata.active = False
        self.fns.active = True
        self.server.choking = {BANK_INN}
        self._run()
        self.assertEqual(self.person.counterparty_status, "active")
        self.assertFalse(self.bank.counterparty_status)
        # it takes its turn among the others, and is not asked about again at once
        self.assertTrue(self.bank.counterparty_date)
        self.assertLess(len(self.server.asked), 8)

    def test_tax_service_out_of_order(self):
        """No part of the question is answered: nobody counts as checked."""
        self.dadata.active = False
        self.fns.active = True
        self.server.choking = {BANK_INN, PERSON_INN}
        self._run()
        self.assertFalse((self.bank + self.person).filtered("counterparty_date"))
        self.assertEqual(self._get_log(self.fns)[:1].code, "server")

    def test_another_service_takes_over(self):
        self.dadata.url = "http://127.0.0.1:9"
        self.fns.active = True
        self._run()
        self.assertEqual(self.bank.counterparty_source, self.fns.name)
        self.assertEqual(self.person.counterparty_status, "active")

    def test_one_unreadable_answer_does_not_keep_the_others_waiting(self):
        self.server.parties[BANK_INN] = ["nonsense"]
        self._age(self.bank, 60)
        self._age(self.person, 50)
        self._run()
        self.assertFalse(self.bank.counterparty_status)
        self.assertEqual(self.person.counterparty_status, "active")

    def test_switched_off(self):
        self.company.counterparty_recheck_days = 0
        self._run()
        self.assertEqual(self.server.asked, [])

    def test_archived_and_foreign_clients(self):
        domain = self.env["res.partner"]._get_counterparty_domain(
            self.company, fields.Datetime.now()
        )
        found = self.env["res.partner"].search(domain)
        self.assertIn(self.bank, found)
        self.assertNotIn(self.contact, found)
        other = self.env["res.company"].create({"name": "Other"})
        domain = self.env["res.partner"]._get_counterparty_domain(other, fields.Datetime.now())
        self.assertNotIn(self.person, self.env["res.partner"].search(domain))
        self.assertLessEqual(self.fns._get_batch_size(), registry_fns.MAX_CLIENTS)
        plain = new_test_user(self.env, "reg_plain", groups="base.group_user")
        self.assertFalse(self.bank.with_user(plain).can_check_counterparty)
