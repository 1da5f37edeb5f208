from odoo.addons.mail.tests.common import mail_new_test_user
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import tagged

from .common import ClaimCommon


@tagged("post_install", "-at_install")
class TestClaimRoads(ClaimCommon):
    """Roads round a rule by way of another claim, a dialog, a template or a missing team."""

    # ------------------------------------------------------------------
    # Commands of one claim that name rows of another
    # ------------------------------------------------------------------

    def test_items_of_another_claim_are_fixed_too(self):
        order = self._create_order(quantity=5)
        decided = self._create_claim(
            user_id=self.user_own.id,
            order_id=order.id,
            line_ids=[Command.create({"order_line_id": order.order_line.id, "quantity": 3})],
        )
        self._decide(decided)
        line = decided.line_ids
        claim = self._create_claim(user_id=self.user_own.id).with_user(self.user_own)
        more = {"quantity_granted": 3}
        values = {"subject": "New", "partner_id": self.contact.id, "team_id": self.team.id}
        roads = [
            lambda: claim.write({"line_ids": [Command.update(line.id, more)]}),
            lambda: claim.write({"line_ids": [Command.link(line.id)]}),
            lambda: claim.write({"line_ids": [Command.delete(line.id)]}),
            lambda: claim.create({**values, "line_ids": [Command.update(line.id, more)]}),
            lambda: claim.with_context(
                default_line_ids=[Command.update(line.id, more)],
            ).create(values),
            lambda: decided.with_user(self.user_own).copy(
                {"line_ids": [Command.update(line.id, more)]}
            ),
        ]
        for road in roads:
            with self.assertRefused(UserError, "decided already"):
                road()
        self.assertEqual((line.claim_id, line.quantity_granted), (decided, 0))

    def test_guilt_of_another_claim_is_checked_and_logged(self):
        guilt = {"department_id": self.warehouse.id, "share": 100, "reason": "Seen"}
        judged = self._create_claim(
            user_id=self.user_own.id, fault_ids=[Command.create(guilt)]
        ).with_user(self.user_own)
        claim = self._create_claim(user_id=self.user_own.id).with_user(self.user_own)
        values = {"subject": "New", "partner_id": self.contact.id, "team_id": self.team.id}
        fault = judged.fault_ids
        for road in (
            lambda: claim.write({"fault_ids": [Command.update(fault.id, {"share": 5})]}),
            lambda: claim.create({**values, "fault_ids": [Command.update(fault.id, {"share": 5})]}),
        ):
            with self.assertRefused(ValidationError, "add up to 5"):
                road()
        before = len(judged.sudo().fault_log_ids)
        claim.write({"fault_ids": [Command.update(fault.id, {"reason": "Guessed"})]})
        self.assertEqual(len(judged.sudo().fault_log_ids), before + 1)
        self.assertIn("Guessed", judged.sudo().fault_log_ids.sorted("id")[-1].guilt)

    # ------------------------------------------------------------------
    # The limit of the team
    # ------------------------------------------------------------------

    def _claim_on_order(self, **values):
        order = self._create_order(quantity=5)
        return self._create_claim(
            user_id=self.user_own.id,
            order_id=order.id,
            line_ids=[Command.create({"order_line_id": order.order_line.id, "quantity": 5})],
            **values,
        ).with_user(self.user_own)

    def test_price_that_was_paid_is_not_entered(self):
        claim = self._claim_on_order()
        claim.line_ids.write({"price_unit": 0.01})
        self.assertEqual(claim.line_ids.price_unit, 100)
        claim.write({"line_ids": [Command.update(claim.line_ids.id, {"price_unit": 0.01})]})
        self.assertEqual((claim.line_ids.price_unit, claim.line_ids.amount), (100, 500))
        free = self.env["crm.claim.line"].with_user(self.user_own)
        line = free.create({"claim_id": claim.id, "product_id": self.product.id, "price_unit": 7})
        self.assertEqual(line.price_unit, 7)

    def test_no_team_is_no_way_past_its_limit(self):
        self.team.approval_limit = 100
        claim = self._create_claim(user_id=self.user_own.id).with_user(self.user_own)
        claim._move_to("acknowledged")
        claim.team_id = False
        values = {"decision": "satisfied", "decision_text": "x", "cause_id": self.cause.id}
        with self.assertRefused(UserError, "Choose the team"):
            claim.write({**values, "state": "decided", "amount_granted": 101})
        claim.write({**values, "state": "decided", "amount_granted": 99})
        self.assertEqual(claim.state, "decided")

    def test_no_team_with_a_higher_limit_is_borrowed(self):
        self.team.approval_limit = 100
        lax = self.team.create(
            {
                "name": "Lax",
                "company_id": self.company.id,
                "assignment": "none",
                "user_id": self.user_own.id,
            }
        )
        values = {
            "state": "decided",
            "decision": "satisfied",
            "decision_text": "x",
            "cause_id": self.cause.id,
            "amount_granted": 101,
        }
        claims = [self._create_claim(user_id=self.user_own.id) for __ in range(3)]
        for claim in claims:
            claim._move_to("acknowledged")
        claim, other, handed = (claim.with_user(self.user_own) for claim in claims)
        with self.assertRefused(UserError, "more than team Test Team"):
            claim.write({**values, "team_id": lax.id})
        other.team_id = False
        other.team_id = lax
        with self.assertRefused(UserError, "more than team Test Team"):
            other.write(values)
        with self.assertRefused(AccessError, "Team of the Limit"):
            other.limit_team_id = False
        other.write({**values, "amount_granted": 100})
        # handed over by the leader of its team
        handed.with_user(self.user_all).team_id = lax
        handed.write(values)
        self.assertEqual(handed.state, "decided")

    def test_goods_count_with_their_list_price(self):
        self.team.approval_limit = 150
        claim = self._create_claim(
            user_id=self.user_own.id,
            line_ids=[
                Command.create({"product_id": self.product.id, "quantity": 2, "price_unit": 0.01})
            ],
        )
        claim._move_to("acknowledged")
        claim = claim.with_user(self.user_own)
        decision = {"decision": "satisfied", "cause_id": self.cause.id, "decision_text": "x"}
        row = {"kind": "replacement", "claim_line_id": claim.line_ids.id, "quantity": 2}
        dialogs = self.env["crm.claim.decision"].with_user(self.user_own)
        dialog = dialogs.create({**decision, "claim_id": claim.id})
        dialog.remedy_ids = [Command.clear(), Command.create(row)]
        self.assertEqual((dialog.amount_granted, dialog.approval_amount), (0.02, 200))
        self.assertTrue(dialog.needs_approval)
        with self.assertRefused(UserError, "more than team"):
            dialog.action_decide()
        with self.assertRefused(UserError, "more than team"):
            claim._apply_decision(decision, [row | {"amount": 0.02}], False)
        claim.line_ids.quantity_granted = 2
        with self.assertRefused(UserError, "more than team"):
            claim.write({**decision, "state": "decided", "amount_granted": 0.02})
        dialog.remedy_ids.quantity = 1
        dialog.action_decide()
        self.assertEqual((claim.state, claim.amount_granted), ("decided", 0.01))

    # ------------------------------------------------------------------
    # The decision dialog
    # ------------------------------------------------------------------

    def _onchange(self, user, values):
        dialog = self.env["crm.claim.decision"].with_user(user)
        spec = {
            name: {}
            for name in ("claim_id", "template_id", "decision_text", "recourse", "amount_before")
        }
        return dialog.onchange(values, list(values), spec)["value"]

    def test_an_unsaved_dialog_shows_nothing(self):
        secret = self._create_claim(
            user_id=self.user_manager.id,
            confidential=True,
            decision_text="Secret decision",
            recourse="Secret recourse",
        )
        self.env.flush_all()
        self.env.invalidate_all()
        seen = self._onchange(self.user_manager, {"claim_id": secret.id})
        self.assertIn("Secret decision", str(seen))
        self.env.invalidate_all()
        self.assertNotIn("Secret", str(self._onchange(self.user_all, {"claim_id": secret.id})))

    def test_only_prepared_texts_are_rendered_and_with_own_rights(self):
        claim = self._create_claim(user_id=self.user_own.id)
        template = self.env["mail.template"].create(
            {
                "name": "Of users",
                "model_id": self.env["ir.model"]._get_id("res.users"),
                "body_html": "<p>Rendered <t t-out='object.id'/></p>",
                "crm_claim_decision": "any",
            }
        )
        values = {"claim_id": claim.id, "template_id": template.id}
        self.assertNotIn("Rendered", str(self._onchange(self.user_own, values)))
        template.write(
            {
                "model_id": self.env["ir.model"]._get_id("crm.claim"),
                "body_html": "<p>Rendered <t t-out='str(object.env.su)'/></p>",
            }
        )
        self.assertIn("Rendered False", str(self._onchange(self.user_own, values)))

    # ------------------------------------------------------------------
    # Merging
    # ------------------------------------------------------------------

    def test_what_a_person_told_in_confidence_stays_his(self):
        claim = self._create_claim(user_id=self.user_all.id, partner_id=self.customer.id)
        other = self._create_claim(user_id=self.user_all.id, confidential=True)
        for one, two in ((claim, other), (other, claim)):
            with self.assertRefused(UserError, "different people"):
                one.with_user(self.user_all).action_merge(two.ids)
        other.confidential = False
        claim.with_user(self.user_all).action_merge(other.ids)
        self.assertEqual(other.merged_into_id, claim)

    # ------------------------------------------------------------------
    # Customers
    # ------------------------------------------------------------------

    def test_customers_do_not_read_claims_through_their_orders(self):
        customer = mail_new_test_user(
            self.env,
            login="claims_portal",
            groups="base.group_portal",
            company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)],
        )
        order = self._create_order(partner_id=customer.partner_id.id).with_user(customer)
        order.read(["name"])
        for name in ("claim_discount_amount", "claim_discount_source"):
            with self.assertRaises(AccessError, msg=name):
                order.read([name])

    # ------------------------------------------------------------------
    # Investigations
    # ------------------------------------------------------------------

    def test_no_way_into_an_investigation_by_linking_it(self):
        secret = self._create_claim(user_id=self.user_manager.id, confidential=True)
        investigation = self.env["crm.claim.investigation"].create(
            {
                "name": "Secret",
                "user_id": self.user_manager.id,
                "claim_ids": [Command.link(secret.id)],
                "company_id": self.company.id,
            }
        )
        claim = self._create_claim(user_id=self.user_all.id).with_user(self.user_all)
        values = {
            "subject": "New",
            "partner_id": self.contact.id,
            "team_id": self.team.id,
            "user_id": self.user_all.id,
        }
        for command in (Command.link(investigation.id), Command.set(investigation.ids)):
            for road in (
                lambda command=command: claim.write({"investigation_ids": [command]}),
                lambda command=command: claim.create({**values, "investigation_ids": [command]}),
                lambda command=command: claim.with_context(
                    default_investigation_ids=[command]
                ).create(values),
            ):
                with self.assertRefused(AccessError, "."):
                    road()
        self.env.invalidate_all()
        self.assertFalse(investigation.with_user(self.user_all).has_access("read"))
        mine = investigation.create(
            {"name": "Mine", "company_id": self.company.id, "user_id": self.user_all.id}
        )
        claim.investigation_ids = mine
        self.assertEqual(mine.claim_ids, claim)

    def test_another_template_takes_no_approval_away(self):
        strict, lax = self.env["crm.claim.investigation.template"].create(
            [
                {"name": "Strict", "approval_required": True},
                {"name": "Lax", "approval_required": False},
            ]
        )
        investigations = self.env["crm.claim.investigation"].create(
            [
                {
                    "name": "Why",
                    "company_id": self.company.id,
                    "team_id": self.team.id,
                    "user_id": self.user_all.id,
                    "template_id": template.id,
                    "root_cause": "<p>Rust</p>",
                    "conclusion": "<p>Paint</p>",
                }
                for template in (strict, lax, strict.browse())
            ]
        )
        begun, free, unchosen = investigations.with_user(self.user_all)
        begun.template_id = lax
        begun.state = "running"
        self.assertTrue(begun.needs_approval)
        with self.assertRefused(UserError, "needs approval"):
            begun.action_done()
        with self.assertRefused(AccessError, "recorded by the buttons"):
            begun.approval_fixed = False
        unchosen.template_id = lax
        (free | unchosen).write({"state": "running"})
        self.assertEqual((free | unchosen).mapped("needs_approval"), [False, False])
        free.template_id = False
        free.write({"state": "cancelled"})
        free.write({"state": "draft"})
        free.template_id = lax
        self.assertTrue(free.needs_approval, "it was under way with no template")

    # ------------------------------------------------------------------
    # Companies
    # ------------------------------------------------------------------

    def test_deadlines_follow_their_claim_to_another_company(self):
        claim = self._create_claim(team_id=False)
        self.assertEqual(claim.sla_status_ids.company_id, self.company)
        second = self.env["res.company"].create({"name": "Second Ltd"})
        claim.write({"company_id": second.id, "team_id": False})
        self.assertTrue(claim.sla_status_ids)
        self.assertEqual(claim.sla_status_ids.company_id, second)
