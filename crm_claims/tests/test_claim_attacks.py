from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import tagged

from .common import ClaimCommon


@tagged("post_install", "-at_install")
class TestClaimAttacks(ClaimCommon):
    """What a client can send besides the buttons, and where a confidential claim could show."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.secret = cls._create_claim(
            subject="Secret subject",
            user_id=cls.user_manager.id,
            confidential=True,
            amount_claimed=777.0,
        )

    def _stage(self, state):
        return self.env["crm.claim"]._get_stage_of_state(state)

    # ------------------------------------------------------------------
    # Workflow
    # ------------------------------------------------------------------

    def test_no_claim_without_a_stage(self):
        claim = self._create_claim(user_id=self.user_own.id)
        self._decide(claim)
        for value in (False, None, 0):
            with self.assertRefused(UserError, "stage"):
                claim.with_user(self.user_own).write({"stage_id": value})
        self.assertEqual(claim.state, "decided")

    def test_no_default_forges_results(self):
        values = {"subject": "Forged", "partner_id": self.contact.id, "team_id": self.team.id}
        Claim = self.env["crm.claim"].with_user(self.user_own)
        forged = {
            "default_customer_answer": "accepted",
            "default_reopen_count": 5,
            "default_date_closed": "2020-01-01 00:00:00",
            "default_name": "CLM/1",
        }
        claim = Claim.with_context(**forged).create(values)
        self.env["ir.default"].set(
            "crm.claim", "customer_answer", "accepted", user_id=self.user_own.id
        )
        for created in (claim, Claim.create(values)):
            self.assertFalse(created.customer_answer)
            self.assertFalse(created.date_closed)
            self.assertFalse(created.reopen_count)
            self.assertNotEqual(created.name, "CLM/1")
        with self.assertRefused(AccessError, "starts as new"):
            Claim.with_context(default_stage_id=self._stage("acknowledged").id).create(values)
        investigation = (
            self.env["crm.claim.investigation"]
            .with_user(self.user_own)
            .with_context(default_state="done")
            .create({"name": "Forged"})
        )
        self.assertEqual(investigation.state, "draft")

    def test_items_are_fixed_with_the_decision(self):
        order = self._create_order(quantity=5)
        claim = self._create_claim(
            user_id=self.user_own.id,
            order_id=order.id,
            line_ids=[
                Command.create({"order_line_id": order.order_line.id, "quantity": 3}),
                Command.create({"product_id": self.product.id, "quantity": 1}),
            ],
        ).with_user(self.user_own)
        claim.line_ids[0].quantity_granted = 1
        self._decide(claim)
        line = claim.line_ids[0]
        more = {"order_line_id": order.order_line.id, "quantity": 1, "quantity_granted": 1}
        roads = [
            lambda: line.write({"quantity_granted": 3}),
            lambda: line.write({"price_unit": 1000.0}),
            line.unlink,
            lambda: line.create({"claim_id": claim.id, **more}),
            lambda: claim.write({"line_ids": [Command.create(more)]}),
            lambda: claim.write({"line_ids": [Command.update(line.id, {"quantity_granted": 3})]}),
        ]
        for road in roads:
            with self.assertRefused(UserError, "decided already"):
                road()
        line.write({"lot_name": "L1"})
        claim.action_reopen()
        line.write({"quantity_granted": 3})
        self._decide(claim, line_ids=[Command.update(line.id, {"quantity_granted": 2})])
        self.assertEqual(line.quantity_granted, 2)

    def test_customer_answer_is_not_written_with_a_move(self):
        claim = self._create_claim(user_id=self.user_own.id)
        self._decide(claim)
        with self.assertRefused(AccessError, "Customer Answer|Client"):
            claim.with_user(self.user_own).write(
                {"stage_id": self._stage("closed").id, "customer_answer": "accepted"}
            )

    # ------------------------------------------------------------------
    # Confidential claims
    # ------------------------------------------------------------------

    def test_name_of_a_confidential_claim(self):
        self.assertEqual(
            self.secret.with_user(self.user_manager).display_name,
            f"{self.secret.name} Secret subject",
        )
        for user in (self.user_own, self.user_all, self.user_accountant, self.user_employee):
            self.env.invalidate_all()
            # as a document that points to the claim shows it
            self.assertEqual(
                self.secret.with_user(user).sudo().display_name, self.secret.name, user.login
            )

    def test_dialogs_do_not_show_a_claim(self):
        decision = (
            self.env["crm.claim.decision"]
            .with_user(self.user_manager)
            .create({"claim_id": self.secret.id, "decision_text": "Secret decision"})
        )
        self.env.flush_all()
        self.env.invalidate_all()
        with self.assertRaises(AccessError):
            decision.with_user(self.user_all).read(["decision_text"])
        for model, values in (
            ("crm.claim.decision", {"decision_text": "?"}),
            ("crm.claim.question", {"question": "?"}),
        ):
            with self.assertRaises(AccessError), self.env.cr.savepoint():
                self.env[model].with_user(self.user_all).create(
                    {"claim_id": self.secret.id, **values}
                )
            self.env.invalidate_all()
        with self.assertRaises(AccessError):
            self.env["crm.claim.decision"].with_user(self.user_all).onchange(
                {"claim_id": self.secret.id}, [], {"amount_claimed": {}, "remedy": {}}
            )

    def test_conversations_are_as_confidential(self):
        seller = self._new_user("claims_seller", "sales_team.group_sale_salesman_all_leads")
        plain = self._create_claim(user_id=self.user_all.id)
        for claim in (self.secret, plain):
            self.env["crm.interaction"].create(
                {
                    "subject": "Talked",
                    "kind": "call",
                    "res_model": "crm.claim",
                    "res_id": claim.id,
                    "user_id": claim.user_id.id,
                }
            )

        def seen(user, model):
            self.env.flush_all()
            self.env.invalidate_all()
            return set(
                self.env[model]
                .with_user(user)
                .search([("res_model", "=", "crm.claim")])
                .mapped("res_id")
            ) & {self.secret.id, plain.id}

        for model in ("crm.interaction", "crm.interaction.chain"):
            for user in (seller, self.user_accountant):
                self.assertEqual(seen(user, model), {plain.id})
            self.assertEqual(seen(self.user_manager, model) & {self.secret.id}, {self.secret.id})
        chain = self.secret.interaction_chain_id.sudo()
        self.assertEqual(chain.name, self.secret.name)
        plain.confidential = True
        self.assertEqual(seen(seller, "crm.interaction.chain"), set())

    def test_ratings_are_read_with_the_claim(self):
        ratings = self.env["rating.rating"]
        plain = self._create_claim(user_id=self.user_own.id)
        for claim in (self.secret, plain):
            ratings += ratings.create(
                {
                    "res_model_id": self.env["ir.model"]._get_id("crm.claim"),
                    "res_id": claim.id,
                    "rating": 1,
                    "consumed": True,
                    "feedback": "Said in confidence",
                }
            )
        self.env.flush_all()

        def seen(user):
            found = ratings.with_user(user).search([("id", "in", ratings.ids)])
            return self.env["crm.claim"].browse(found.sudo().mapped("res_id"))

        self.assertFalse(seen(self.user_employee))
        self.assertEqual(seen(self.user_own), plain)
        self.assertEqual(seen(self.user_all), plain)
        self.assertEqual(seen(self.user_manager), plain | self.secret)
        sister = self.env["res.company"].create({"name": "Sister Ltd"})
        stranger = self._new_user("claims_stranger", "crm_claims.crm_claims_group_manager")
        stranger.write({"company_ids": [Command.set(sister.ids)], "company_id": sister.id})
        found = ratings.with_user(stranger).with_context(allowed_company_ids=sister.ids)
        self.assertFalse(found.search([("id", "in", ratings.ids)]))

    def test_nobody_else_changes_the_tasks_of_a_plan(self):
        action = self.secret.with_user(self.user_manager).action_plan_investigation()
        investigation = self.env["crm.claim.investigation"].browse(action["res_id"])
        for user in (self.user_own, self.user_all):
            with self.assertRaises(AccessError), self.env.cr.savepoint():
                self.env["project.task"].with_user(user).create(
                    {"name": "Mine", "claim_investigation_id": investigation.id}
                )
        self.assertFalse(investigation.task_ids)

    def test_claimed_quantity_is_what_was_sold(self):
        order = self._create_order(quantity=5)
        with self.assertRefused(ValidationError, "only 5 can be"):
            self._create_claim(
                order_id=order.id,
                line_ids=[Command.create({"order_line_id": order.order_line.id, "quantity": 6})],
            )
