from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.tests import Form, tagged

from .agreement_common import AgreementCommon


@tagged("post_install", "-at_install")
class TestAccountant(AgreementCommon):
    """Accountants read deals, agreements and deviations, and change none of them."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.deal = cls.env["crm.lead"].create(
            {"name": "Big deal", "type": "opportunity", "partner_id": cls.client.id}
        )
        cls.deal.user_id = cls.salesman
        cls.deal.tag_ids = cls.env["crm.tag"].create({"name": "Important"})
        cls.agreement = cls._create_agreement(enforcement="warn")
        cls.order = cls._create_order([{"discount": 20.0}], opportunity_id=cls.deal.id)
        cls.order.action_confirm()
        cls.documents = [cls.deal, cls.agreement, cls.agreement.discount_line_ids]
        cls.documents.append(cls.order.sudo().deviation_ids)

    def test_reads_everything(self):
        for user in (self.accountant, self.auditor):
            for record in self.documents:
                with self.subTest(user=user.login, model=record._name):
                    views = self.env[record._name].with_user(user).get_views([(False, "form")])
                    fields = views["models"][record._name]["fields"]
                    data = record.with_user(user).read(list(fields))
                    self.assertEqual(data[0]["id"], record.id)

    def test_changes_nothing(self):
        for user in (self.accountant, self.auditor):
            for record in self.documents:
                with self.subTest(user=user.login, model=record._name):
                    records = record.with_user(user)
                    for operation in ("write", "create", "unlink"):
                        self.assertFalse(records.has_access(operation))
                    with self.assertRaises(AccessError):
                        records.write({"company_id": self.env.company.id})
                    with self.assertRaises(AccessError):
                        records.unlink()
            with self.assertRaises(AccessError):
                self.agreement.with_user(user).action_suspend()
            with self.assertRaises(AccessError):
                self.env["crm.agreement"].with_user(user).create({"partner_id": self.client.id})
            with self.assertRaises(AccessError):
                self.env["crm.lead"].with_user(user).create({"name": "No"})

    def test_form_is_read(self):
        form = Form(self.agreement.with_user(self.auditor))
        self.assertEqual(form.name, self.agreement.name)
        self.assertFalse(self.agreement.with_user(self.auditor).can_approve)

    def test_accountant_cannot_confirm_past_the_agreement(self):
        """Odoo lets billing staff write orders; the agreement holds for them as well."""
        self._create_agreement(partner_id=self.other_client.id)
        order = self._create_order([{"discount": 50.0}], partner_id=self.other_client.id)
        with self.assertRaisesRegex(Exception, "agreement"):
            order.with_user(self.accountant).write({"state": "sale"})

    def test_menus(self):
        visible = self.env["ir.ui.menu"].with_user(self.accountant)._visible_menu_ids()
        for name in (
            "crm_sale_deal_report_accounting_menu",
            "crm_lead_accounting_menu",
            "crm_agreement_accounting_menu",
            "crm_agreement_deviation_accounting_menu",
        ):
            self.assertIn(self.env.ref(f"crm_extended.{name}").id, visible, name)
        self.assertNotIn(self.env.ref("crm.crm_menu_root").id, visible)

    def test_second_company_is_closed(self):
        company = self.env["res.company"].create({"name": "Second"})
        deal = self.env["crm.lead"].create({"name": "Theirs", "company_id": company.id})
        agreement = self._create_agreement(
            activate=False, company_id=company.id, pricelist_id=False, payment_term_id=False
        )
        for record in (deal, agreement):
            with self.assertRaises(AccessError):
                record.with_user(self.accountant).read(["name"])

    def test_user_without_any_group(self):
        user = self.env["res.users"].create(
            {
                "name": "Nobody",
                "login": "ag_nobody",
                "group_ids": [Command.set(self.env.ref("base.group_user").ids)],
            }
        )
        for record in [*self.documents, self.env["crm.sale.deal.report"]]:
            self.assertFalse(record.with_user(user).has_access("read"), record._name)

    def test_from_the_agreement_to_its_sales_and_back(self):
        invoice = self.order._create_invoices().with_user(self.accountant)
        invoice.action_post()
        agreement = self.agreement.with_user(self.auditor)
        self.assertEqual(agreement.invoice_count, 1)
        action = agreement.action_view_invoices()
        moves = self.env["account.move"].with_user(self.auditor).search(action["domain"])
        self.assertEqual(moves, invoice)
        action = agreement.action_view_sales()
        row = self.env[action["res_model"]].with_user(self.auditor).search(action["domain"])
        self.assertEqual(row.order_id, self.order)
        self.assertAlmostEqual(row.amount_deviation, 13.5)  # floor 85.50, price 72.00
        self.assertEqual(row.action_open_invoices()["res_id"], invoice.id)
        self.assertEqual(invoice.agreement_ids, self.agreement)
        self.assertEqual(invoice.opportunity_ids, self.deal)

    def test_report_of_deviations(self):
        Report = self.env["crm.agreement.deviation.report"]
        row = Report.with_user(self.auditor).search([("order_id", "=", self.order.id)])
        self.assertEqual((row.kind, row.state), ("discount", "recorded"))
        self.assertAlmostEqual(row.amount_given, 13.5)
        self.assertEqual(row.commercial_partner_id, self.client)
        groups = Report.with_user(self.auditor).formatted_read_group(
            [("agreement_id", "=", self.agreement.id)], ["user_id", "kind"], ["amount_given:sum"]
        )
        self.assertEqual(groups[0]["user_id"][0], self.salesman.id)
        self.assertFalse(Report.with_user(self.other_salesman).search([]))
        self.assertTrue(Report.with_user(self.salesman).search([]))
        with self.assertRaises(AccessError):
            Report.with_user(self.env.ref("base.public_user")).search([])

    def test_headers_of_interactions_without_bodies(self):
        interaction = self.env["crm.interaction"].create(
            {"subject": "Call about the price", "partner_id": self.client.id, "body": "Secret"}
        )
        mine = interaction.with_user(self.accountant)
        self.assertEqual(mine.read(["subject"])[0]["subject"], "Call about the price")
        with self.assertRaises(AccessError):
            mine.read(["body"])
