from datetime import timedelta

from freezegun import freeze_time
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import Form, tagged

from .agreement_common import AgreementCommon


@tagged("post_install", "-at_install")
class TestAgreementVersion(AgreementCommon):
    """What is in force is replaced, not edited; standards hand changes on without force."""

    def _approve(self, agreement):
        agreement.action_submit()
        agreement.with_user(self.approver).action_approve()

    # Versions --------------------------------------------------------

    def test_new_version_replaces_the_old_one(self):
        agreement = self._create_agreement()
        order = self._create_order()
        order.action_confirm()
        action = agreement.with_user(self.salesman).action_new_version()
        version = self.env["crm.agreement"].browse(action["res_id"])
        self.assertEqual((version.name, version.version), (agreement.name, 2))
        self.assertEqual(version.previous_version_id, agreement)
        self.assertEqual(version.state, "draft")
        self.assertIn("v2", version.display_name)
        self.assertEqual(version.discount_line_ids.max_discount, 5.0)
        self.assertEqual(agreement._make_version(), version, "one draft at a time")
        version.with_user(self.salesman).discount_line_ids.max_discount = 7.0
        self.assertIn("7 %", version.change_html)
        self.assertEqual(agreement.state, "active", "the old one holds until the new one does")
        self._approve(version)
        self.assertEqual(agreement.state, "closed")
        self.assertEqual(agreement.discount_line_ids.max_discount, 5.0, "and stays readable")
        self.assertEqual(order.agreement_id, agreement)
        self.assertEqual(self._create_order().agreement_id, version)
        self.assertEqual(agreement.version_count, 2)

    def test_version_that_begins_later(self):
        agreement = self._create_agreement()
        version = agreement._make_version()
        start = self.today + timedelta(days=10)
        version.date_start = start
        self._approve(version)
        self.assertEqual(agreement.state, "active")
        self.assertEqual(agreement.date_end, start - timedelta(days=1))
        self.assertEqual(self._create_order().agreement_id, agreement)
        with freeze_time(start):
            self.assertEqual(self._create_order(date_order=start).agreement_id, version)

    def test_chain_cannot_be_forged(self):
        agreement = self._create_agreement()
        other = self._create_agreement(partner_id=self.other_client.id, activate=False)
        for values in (
            {"previous_version_id": agreement.id},
            {"version": 7},
            {"approval_comment": "Fine"},
            {"declined_update_id": agreement.id},
        ):
            with self.subTest(values=values), self.assertRaises(AccessError):
                other.with_user(self.approver).write(values)
        draft = (
            self.env["crm.agreement"]
            .with_user(self.salesman)
            .with_context(default_previous_version_id=agreement.id, default_version=5)
            .create({"partner_id": self.client.id})
        )
        self.assertFalse(draft.previous_version_id)
        with self.assertRaises(UserError):
            self._create_agreement(activate=False)._make_version()

    def test_open_quotation_can_return_to_the_new_terms(self):
        agreement = self._create_agreement()
        order = self._create_order()
        version = agreement._make_version()
        self._approve(version)
        self.assertIn("validity", self._get_kinds(order))
        order.action_apply_agreement()
        self.assertEqual(order.agreement_id, version)
        self.assertFalse(order._get_deviations())

    # Decision with a comment -----------------------------------------

    def test_decision(self):
        agreement = self._create_agreement(activate=False)
        agreement.with_user(self.salesman).action_submit()
        action = agreement.with_user(self.approver).action_decide()
        Wizard = self.env[action["res_model"]].with_context(**action["context"])
        form = Form(Wizard.with_user(self.approver))
        wizard = form.save()
        with self.assertRaises(UserError):
            wizard.action_return()
        wizard.comment = "Too long a term"
        wizard.action_return()
        self.assertEqual(
            (agreement.state, agreement.approval_comment), ("draft", "Too long a term")
        )
        self.assertIn("Too long a term", agreement.message_ids[0].body)
        agreement.with_user(self.salesman).action_submit()
        Wizard.with_user(self.approver).create({"comment": "Good"}).action_approve()
        self.assertEqual((agreement.state, agreement.approval_comment), ("active", "Good"))
        with self.assertRaises(AccessError):
            Wizard.with_user(self.salesman).create({})

    # Standard and children -------------------------------------------

    def _make_family(self):
        standard = self._create_agreement(
            kind="standard",
            user_id=self.approver_2.id,
            minimum_amount=100.0,
            discounts=[
                {"applied_on": "all", "max_discount": 3.0},
                {"applied_on": "product", "product_id": self.saw.id, "max_discount": 9.0},
            ],
        )
        child = self.env["crm.agreement"].create(
            {
                "partner_id": self.client.id,
                "parent_id": standard.id,
                "user_id": self.salesman.id,
                "payment_term_id": self.term_60.id,  # his own
            }
        )
        child.discount_line_ids[0].max_discount = 6.0  # his own
        self._approve(child)
        return standard, child

    def test_change_is_offered_and_merged(self):
        standard, child = self._make_family()
        version = standard._make_version()
        version.write(
            {
                "minimum_amount": 250.0,
                "delivery_days": 4,
                "credit_limit": 9000.0,
            }
        )
        version.discount_line_ids.filtered("product_id").max_discount = 12.0
        version.discount_line_ids.filtered(lambda line: not line.product_id).max_discount = 1.0
        self._approve(version)
        self.assertEqual(child.minimum_amount, 100.0, "never forced")
        self.assertEqual(child.state, "active")
        self.assertEqual(child.standard_update_id, version)
        self.assertIn("250", child.standard_update_html)
        activity = child.activity_ids.filtered(lambda a: "changed" in (a.summary or ""))
        self.assertEqual(activity.user_id, self.salesman)
        action = child.with_user(self.salesman).action_take_over_changes()
        draft = self.env["crm.agreement"].browse(action["res_id"])
        self.assertEqual((draft.previous_version_id, draft.parent_id), (child, version))
        self.assertEqual((draft.minimum_amount, draft.credit_limit), (250.0, 9000.0))
        self.assertEqual(draft.payment_term_id, self.term_60, "his own terms stay")
        self.assertEqual(
            {line.product_id: line.max_discount for line in draft.discount_line_ids},
            {self.saw: 12.0, self.env["product.product"]: 6.0},
        )
        self.assertFalse(child.activity_ids)
        self.assertFalse(child.standard_update_id)

    def test_change_is_declined(self):
        standard, child = self._make_family()
        version = standard._make_version()
        self._approve(version)
        child.with_user(self.salesman).action_decline_changes()
        self.assertFalse(child.standard_update_id)
        self.assertFalse(child.activity_ids)
        with self.assertRaises(UserError):
            child.action_take_over_changes()

    # Segments --------------------------------------------------------

    def test_narrowest_standard(self):
        Segment = self.env["crm.segment"]
        wide = Segment.create(
            {"name": "W", "domain": [("id", "in", (self.client + self.other_client).ids)]}
        )
        narrow = Segment.create({"name": "N", "domain": [("id", "=", self.client.id)]})
        agreements = {
            name: self._create_agreement(
                kind="standard", user_id=self.approver_2.id, segment_id=segment.id, sequence=number
            )
            for number, (name, segment) in enumerate(
                {"all": Segment, "wide": wide, "narrow": narrow}.items()
            )
        }
        third = self.env["res.partner"].create({"name": "Gamma", "is_company": True})
        for partner, name in (
            (self.contact, "narrow"),
            (self.other_client, "wide"),
            (third, "all"),
        ):
            self.assertEqual(
                self._create_order(partner_id=partner.id).agreement_id, agreements[name], name
            )
        own = self._create_agreement()
        self.assertEqual(self._create_order().agreement_id, own)
        with self.assertRaises(ValidationError):
            self._create_agreement(activate=False, segment_id=narrow.id)
        with self.assertRaises(UserError):
            agreements["all"].segment_id = wide

    # Reminders -------------------------------------------------------

    def test_reminder_once(self):
        soon = self._create_agreement(date_end=self.today + timedelta(days=20))
        later = self._create_agreement(
            partner_id=self.other_client.id, date_end=self.today + timedelta(days=40)
        )
        cron = self.env.ref("crm_extended.ir_cron_crm_agreement_remind")
        for _run in range(2):
            with self.enter_registry_test_mode():
                cron.method_direct_trigger()
        self.assertEqual(len(soon.activity_ids), 1)
        self.assertEqual(soon.activity_ids.user_id, self.salesman)
        self.assertFalse(later.activity_ids)
        with freeze_time(self.today + timedelta(days=15)), self.enter_registry_test_mode():
            cron.method_direct_trigger()
        self.assertEqual((len(soon.activity_ids), len(later.activity_ids)), (1, 1))
        soon._renew()
        self.assertFalse(soon.activity_ids)

    def test_contract_reminder_and_end(self):
        agreement = self._create_agreement()
        contract = self.env["crm.agreement.contract"].create(
            {
                "name": "1",
                "agreement_id": agreement.id,
                "user_id": self.salesman.id,
                "date_end": self.today + timedelta(days=20),
            }
        )
        contract.action_submit()
        contract.with_user(self.approver).action_approve()
        contract.action_sign()
        cron = self.env.ref("crm_extended.ir_cron_crm_agreement_contract_remind")
        for _run in range(2):
            with self.enter_registry_test_mode():
                cron.method_direct_trigger()
        self.assertEqual(len(contract.activity_ids), 1)
        with freeze_time(self.today + timedelta(days=25)), self.enter_registry_test_mode():
            cron.method_direct_trigger()
        self.assertEqual(contract.state, "ended")

    # Print -----------------------------------------------------------

    def test_printed_terms(self):
        agreement = self._create_agreement(
            prepayment_percent=0.25,
            price_rule="fixed",
            price_line_ids=[Command.create({"product_id": self.drill.id, "price": 77.0})],
        )
        html = (
            self.env["ir.actions.report"]
            ._render_qweb_html("crm_extended.report_crm_agreement", agreement.ids)[0]
            .decode()
        )
        for text in (agreement.name, "30 days", "25 %", "Drill", "77", "Alpha"):
            self.assertIn(text, html)
        for text in ("at most", "Refuse the order"):
            self.assertNotIn(text, html, "how far one may go is not printed for the client")
