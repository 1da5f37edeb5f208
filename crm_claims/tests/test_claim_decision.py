from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import Form, tagged

from .common import ClaimCommon


@tagged("post_install", "-at_install")
class TestClaimDecision(ClaimCommon):
    """What a decision grants, who may grant it, and what becomes of it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["account.chart.template"].try_loading("generic_coa", cls.company)
        cls.salesman = cls._new_user("claims_sales", "sales_team.group_sale_salesman_all_leads")
        cls.leader = cls._new_user("claims_leader", "crm_claims.crm_claims_group_user_all")
        cls.team.write({"approval_limit": 100, "user_id": cls.leader.id})

    def _new_claim(self, **values):
        claim = self._create_claim(user_id=self.user_own.id, **values)
        claim._move_to("acknowledged")
        return claim.with_user(self.user_own)

    def _wizard(self, claim, remedies, user=None, **values):
        wizard = (
            self.env["crm.claim.decision"]
            .with_user(user or self.user_own)
            .create(
                {
                    "claim_id": claim.id,
                    "decision": "satisfied",
                    "cause_id": self.cause.id,
                    "decision_text": "Because",
                    **values,
                }
            )
        )
        wizard.remedy_ids = [Command.clear(), *(Command.create(row) for row in remedies)]
        return wizard

    # ------------------------------------------------------------------
    # Approval
    # ------------------------------------------------------------------

    def _request(self, claim, amount=150, **values):
        wizard = self._wizard(claim, [{"kind": "discount", "amount": amount}], **values)
        self.assertTrue(wizard.needs_approval)
        with self.assertRefused(UserError, "more than team Test Team grants"):
            wizard.action_decide()
        wizard.action_request_approval()
        return claim.approval_ids[:1]

    def test_approval(self):
        claim = self._new_claim()
        approval = self._request(claim)
        self.assertEqual((claim.state, claim.approval_state), ("acknowledged", "requested"))
        self.assertEqual(claim.remedy_ids.state, "proposed")
        self.assertFalse(claim.amount_granted)
        self.assertEqual(claim.activity_ids.user_id, self.leader)
        self.assertFalse(approval.with_user(self.user_own).can_approve)
        with self.assertRefused(AccessError, "leader of team"):
            approval.with_user(self.user_own).action_approve()
        approval.with_user(self.leader).action_approve()
        self.assertEqual((claim.state, claim.decision), ("decided", "satisfied"))
        self.assertEqual((claim.amount_granted, claim.remedy_granted), (150, "discount"))
        self.assertEqual(claim.remedy_ids.state, "granted")
        self.assertEqual((approval.state, approval.approver_id), ("approved", self.leader))
        self.assertFalse(claim.activity_ids)
        with self.assertRefused(UserError, "no longer open"):
            approval.with_user(self.user_manager).action_approve()

    def test_refusal_of_an_approval(self):
        claim = self._new_claim()
        approval = self._request(claim)
        refusal = (
            self.env["crm.claim.approval.refuse"]
            .with_user(self.leader)
            .create({"approval_id": approval.id, "reason": "Too much"})
        )
        refusal.action_refuse()
        self.assertEqual((claim.state, claim.approval_state), ("acknowledged", "refused"))
        self.assertEqual((approval.state, approval.reason), ("refused", "Too much"))
        self.assertEqual(claim.remedy_ids.state, "cancelled")
        self._wizard(claim, [{"kind": "discount", "amount": 100}]).action_decide()
        self.assertEqual(claim.amount_granted, 100)

    def test_nobody_approves_his_own_request(self):
        self.team.user_id = self.user_own
        claim = self._new_claim()
        self.team.user_id = self.leader
        approval = self._request(claim)
        self.team.user_id = self.user_own
        with self.assertRefused(AccessError, "never on a request of his own"):
            approval.with_user(self.user_own).action_approve()

    def test_another_decision_withdraws_the_request(self):
        claim = self._new_claim()
        approval = self._request(claim)
        self._wizard(claim, [{"kind": "explanation"}]).action_decide()
        self.assertEqual(approval.state, "withdrawn")
        self.assertEqual(set(claim.remedy_ids.mapped("state")), {"cancelled", "done"})

    def test_no_road_past_the_limit(self):
        claim = self._new_claim()
        stage = claim._get_stage_of_state("decided")
        values = {
            "stage_id": stage.id,
            "decision": "satisfied",
            "decision_text": "x",
            "cause_id": self.cause.id,
        }
        with self.assertRefused(UserError, "more than team"):
            claim.write(values | {"amount_granted": 101})
        order = self._create_order()
        other = self._new_claim(
            order_id=order.id,
            line_ids=[Command.create({"order_line_id": order.order_line.id, "quantity": 2})],
        )
        other.line_ids.quantity_granted = 2
        with self.assertRefused(UserError, "more than team"):
            other.write(values | {"amount_granted": 0})
        goods = {"kind": "replacement", "claim_line_id": other.line_ids.id, "quantity": 2}
        for row in (goods | {"amount": 0}, goods | {"kind": "refund", "amount": 0}):
            with self.assertRefused(UserError, "more than team"):
                self._wizard(other, [row]).action_decide()
        for model, vals in (
            ("crm.claim.remedy", {"claim_id": claim.id, "kind": "refund", "amount": 5}),
            (
                "crm.claim.approval",
                {
                    "claim_id": claim.id,
                    "team_id": self.team.id,
                    "user_id": self.user_manager.id,
                    "decision": "satisfied",
                },
            ),
        ):
            with self.assertRaises(AccessError):
                self.env[model].with_user(self.user_own).create(vals)
        self._wizard(
            other, [goods], user=self.leader
        ).action_decide()  # who may approve may decide at once
        self.assertEqual(other.amount_granted, 200)

    def test_the_limit_holds_for_every_kind(self):
        """Kinds with an amount, or with an item that may be given away; the leader grants all."""
        order = self._create_order()
        for kind, __ in self.env["crm.claim.remedy"]._fields["kind"].selection:
            claim = self._new_claim(
                order_id=order.id,
                line_ids=[Command.create({"order_line_id": order.order_line.id, "quantity": 1})],
            )
            for row in ({"kind": kind, "amount": 100.01, "name": "Given"},
                        {"kind": kind, "amount": 60, "name": "Given"}):  # fmt: skip
                rows = [row, row] if row["amount"] < 100 else [row]
                wizard = self._wizard(claim, rows)
                self.assertTrue(wizard.needs_approval, kind)
                with self.assertRefused(UserError, "more than team"):
                    wizard.action_decide()
            self.assertFalse(claim.remedy_ids)
            claim.action_cancel()
        claim = self._new_claim(
            line_ids=[Command.create({"product_id": self.product.id, "quantity": 2})]
        )
        item = {"claim_line_id": claim.line_ids.id, "quantity": 2, "amount": 0}
        with self.assertRefused(UserError, "more than team"):
            self._wizard(claim, [{"kind": "other", **item}]).action_decide()
        repair = {"kind": "repair", **item}
        with self.assertRefused(UserError, "enter what it may cost"):
            self._wizard(claim, [repair]).action_decide()
        self._wizard(claim, [repair], user=self.leader).action_decide()
        self.assertEqual(claim.state, "decided")

    # ------------------------------------------------------------------
    # Kinds of remedies
    # ------------------------------------------------------------------

    def test_discount_on_the_next_order(self):
        claim = self._new_claim(confidential=True)
        self._wizard(claim, [{"kind": "discount", "amount": 80}]).action_decide()
        remedy = claim.remedy_ids
        order = self._create_order(quantity=1, confirm=False).with_user(self.salesman)
        order.order_line.price_unit = 50
        self.assertEqual(order.claim_discount_amount, 80)
        self.assertEqual(order.claim_discount_source, claim.name)
        order.action_apply_claim_discount()
        self.assertEqual(order.amount_total, 0)
        self.assertEqual((remedy.state, order.claim_discount_amount), ("progress", 30))
        second = self._create_order(quantity=1, confirm=False).with_user(self.salesman)
        second.action_apply_claim_discount()
        self.assertEqual(second.amount_total, 70)
        with self.assertRefused(UserError, "no discount left"):
            self._create_order(confirm=False).action_apply_claim_discount()
        order.action_confirm()
        second.action_confirm()
        self.assertEqual(remedy.state, "done")
        second.with_user(self.env.user)._action_cancel()
        self.assertEqual(remedy.state, "progress", "the order is gone, the rest is to give again")
        third = self._create_order(quantity=1, confirm=False).with_user(self.salesman)
        self.assertEqual(third.claim_discount_amount, 30)
        self.assertIn(claim.name, self.env["sale.order.line"].browse(order.order_line.ids)[-1].name)

    def test_a_granted_discount_is_no_deviation(self):
        approver = self._new_user(
            "claims_approver",
            "sales_team.group_sale_salesman_all_leads,"
            "crm_extended.crm_agreements_group_approver",
        )
        agreement = (
            self.env["crm.agreement"]
            .with_user(self.salesman)
            .create(
                {
                    "partner_id": self.customer.id,
                    "company_id": self.company.id,
                    "date_start": "2020-01-01",
                    "enforcement": "block",
                    "discount_line_ids": [Command.create({"max_discount": 0.0})],
                }
            )
        )
        agreement.action_submit()
        agreement.with_user(approver).action_approve()
        claim = self._new_claim()
        self._wizard(claim, [{"kind": "discount", "amount": 20}]).action_decide()
        order = self._create_order(quantity=1, confirm=False, agreement_id=agreement.id)
        order.action_apply_claim_discount()
        self.assertFalse(order._get_deviations())
        line = order.order_line.filtered("claim_remedy_id").with_user(self.salesman)
        line.price_unit = -90
        self.assertTrue(order._get_deviations(), "more than was granted")
        with self.assertRefused(AccessError, "Only a decision"):
            order.order_line[0].with_user(self.salesman).write(
                {"claim_remedy_id": claim.remedy_ids.id}
            )

    def test_replacement_needs_no_agreement(self):
        order = self._create_order(quantity=2)
        claim = self._new_claim(
            order_id=order.id,
            line_ids=[Command.create({"order_line_id": order.order_line.id, "quantity": 1})],
        )
        row = {"kind": "replacement", "claim_line_id": claim.line_ids.id, "quantity": 1}
        self._wizard(claim, [row]).action_decide()
        order_id = claim.sudo().remedy_ids.order_line_ids.order_id.id
        replacement = self.env["sale.order"].browse(order_id)
        self.assertTrue(replacement._holds_only_replacements())
        replacement.order_line.product_uom_qty = 2
        self.assertFalse(replacement._holds_only_replacements())
        self.assertEqual(replacement.amount_total, 0, "the price stays zero")
        replacement.order_line.product_uom_qty = 1
        action = claim.remedy_ids.with_user(self.user_own).action_open_document()
        self.assertEqual((action["res_model"], action["res_id"]), ("sale.order", replacement.id))
        replacement.with_user(self.salesman)._action_cancel()
        self.assertEqual(claim.remedy_ids.state, "granted")
        claim.remedy_ids.with_user(self.user_own).action_create_document()
        self.assertEqual(claim.remedy_ids.state, "progress")

    def test_repair_and_others(self):
        claim = self._new_claim()
        self._wizard(
            claim,
            [
                {
                    "kind": "repair",
                    "name": "New switch",
                    "amount": 30,
                    "user_id": self.user_employee.id,
                },
                {"kind": "explanation"},
                {"kind": "other", "name": "Flowers"},
            ],
        ).action_decide()
        repair, apology, other = claim.remedy_ids
        self.assertEqual(
            (repair.state, apology.state, other.state), ("progress", "done", "granted")
        )
        self.assertEqual(repair.task_id.user_ids, self.user_employee)
        with self.assertRefused(UserError, "follows its document"):
            repair.with_user(self.user_own).action_done()
        repair.task_id.with_user(self.user_employee).sudo().state = "1_done"
        self.assertEqual(repair.state, "done")
        self.assertEqual(claim.open_remedy_count, 1)
        domain = [("open_remedy_count", ">", 0), ("id", "=", claim.id)]
        self.assertTrue(self.env["crm.claim"].search(domain))
        other.with_user(self.user_own).action_done()
        self.assertEqual(claim.open_remedy_count, 0)
        self.assertFalse(self.env["crm.claim"].search(domain))

    def test_reopening_takes_back_what_was_not_done(self):
        claim = self._new_claim()
        rows = [{"kind": "discount", "amount": 40}, {"kind": "explanation"}]
        self._wizard(claim, rows).action_decide()
        claim.action_reopen()
        self.assertEqual(claim.remedy_ids.mapped("state"), ["cancelled", "done"])
        self.assertEqual(claim.amount_granted, 0)

    def test_bad_remedies(self):
        claim = self._new_claim()
        for rows, message in (
            ([{"kind": "discount"}], "needs its amount"),
            ([{"kind": "refund"}], "needs an item"),
        ):
            with self.assertRefused(ValidationError, message):
                self._wizard(claim, rows).action_decide()
        self.assertEqual(claim.state, "acknowledged")

    def test_prepared_text_in_the_language_of_the_client(self):
        self.env["res.lang"]._activate_lang("ru_RU")
        template = self.env.ref("crm_claims.mail_template_text_partly")
        template.with_context(lang="ru_RU").body_html = "<p>Отчасти</p>"
        self.contact.lang = "ru_RU"
        claim = self._new_claim()
        with Form(
            self.env["crm.claim.decision"]
            .with_user(self.user_own)
            .with_context(default_claim_id=claim.id)
        ) as form:
            form.decision = "partly"
            form.cause_id = self.cause
            form.template_id = template
            self.assertIn("Отчасти", form.decision_text)

    # ------------------------------------------------------------------
    # Who sees it
    # ------------------------------------------------------------------

    def test_who_reads_remedies(self):
        claim = self._new_claim(confidential=True)
        self._wizard(claim, [{"kind": "discount", "amount": 40}]).action_decide()
        remedy = claim.remedy_ids
        remedy.with_user(self.user_manager).read(["amount"])
        for user in (self.user_all, self.user_accountant, self.user_employee, self.salesman):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                remedy.with_user(user).read(["amount"])
        claim.sudo().confidential = False
        remedy.with_user(self.user_accountant).read(["amount", "document_name"])
        with self.assertRaises(AccessError):
            remedy.with_user(self.user_accountant).action_done()
