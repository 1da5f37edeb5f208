from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import tagged

from .common import ClaimCommon


class SimilarCommon(ClaimCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.saw = cls.env["product.product"].create({"name": "Test Saw", "type": "consu"})
        cls.stranger = cls.env["res.partner"].create(
            {"name": "Stranger", "email": "stranger@test.example.com"}
        )

    @classmethod
    def _claim_of(cls, product=None, lot=False, **values):
        if product:
            line = {"product_id": product.id, "lot_name": lot}
            values["line_ids"] = [Command.create(line)]
        return cls._create_claim(**values)


@tagged("post_install", "-at_install")
class TestClaimSimilar(SimilarCommon):
    def _similar(self, claim, user=None):
        found = claim.with_user(user or self.user_manager)._find_similar()
        return {other: (points, common) for other, points, common in found}

    def test_what_claims_have_in_common(self):
        claim = self._claim_of(
            self.product, " L-7", subject="Drill does not start", cause_id=self.cause.id
        )
        other = self.env["res.partner"].create({"name": "Other client"})
        values = {"partner_id": other.id, "subject": "Something else altogether"}
        lot = self._claim_of(self.product, "l-7 ", **values)
        product = self._claim_of(self.product, "L-8", **values)
        cause = self._claim_of(**values, cause_id=self.cause.id)
        text = self._claim_of(**values | {"subject": "Dril doesn't start"})
        nothing = self._claim_of(self.saw, "L-7", **values)
        found = self._similar(claim)
        self.assertEqual(next(iter(found)), lot)
        self.assertEqual(found[lot][1], {"lot", "product"})
        self.assertEqual(found[product][1], {"product"})
        self.assertEqual(found[cause][1], {"cause"})
        self.assertEqual(found[text][1], {"text"})
        self.assertNotIn(nothing, found)
        self.assertNotIn(claim, found)

    def test_only_what_the_user_may_read(self):
        claim = self._claim_of(self.product, user_id=self.user_all.id)
        secret = self._claim_of(self.product, confidential=True, user_id=self.user_manager.id)
        sister = self.env["res.company"].create({"name": "Sister Ltd"})
        foreign = self._claim_of(self.product, company_id=sister.id, team_id=False)
        self.assertIn(secret, self._similar(claim))
        self.assertNotIn(secret, self._similar(claim, self.user_all))
        self.assertNotIn(foreign, self._similar(claim))
        with self.assertRaises(AccessError):
            secret.with_user(self.user_all).action_view_similar()
        with self.assertRaises(AccessError):
            claim.with_user(self.user_all).action_link(secret.ids)

    def test_dialog_links_both_ways(self):
        claim = self._claim_of(self.product, user_id=self.user_all.id).with_user(self.user_all)
        other = self._claim_of(self.product, partner_id=self.stranger.id)
        action = claim.action_view_similar()
        dialog = self.env[action["res_model"]].with_user(self.user_all).browse(action["res_id"])
        line = dialog.line_ids.filtered(lambda line: line.claim_id == other)
        self.assertIn("same product", line.reasons)
        self.assertFalse(line.is_mergeable, "another client")
        line.action_link()
        self.assertEqual((claim.linked_ids, other.linked_ids), (other, claim))
        claim.action_unlink_claims(other.ids)
        self.assertFalse(claim.linked_ids | other.linked_ids)


@tagged("post_install", "-at_install")
class TestClaimMerge(SimilarCommon):
    def test_everything_moves(self):
        order = self._create_order(quantity=5)
        claim = self._create_claim(user_id=self.user_all.id, description="<p>First</p>")
        other = self._create_claim(
            subject="The same again",
            order_id=order.id,
            cause_id=self.cause.id,
            severity="3",
            confidential=True,
            description="<p>Second</p>",
            line_ids=[Command.create({"order_line_id": order.order_line.id, "quantity": 2})],
            fault_ids=[
                Command.create({"department_id": self.warehouse.id, "share": 100, "reason": "Seen"})
            ],
        )
        message = other.message_post(
            body="A photo", author_id=self.contact.id, attachments=[("photo.jpg", b"jpg")]
        )
        other.activity_schedule("mail.mail_activity_data_todo", user_id=self.user_all.id)
        other.message_subscribe(self.user_manager.partner_id.ids)
        interaction = self.env["crm.interaction"].create(
            {"subject": "Called", "kind": "call", "res_model": "crm.claim", "res_id": other.id}
        )
        investigation = self.env["crm.claim.investigation"].create(
            {"name": "Why", "claim_ids": [Command.link(other.id)], "company_id": self.company.id}
        )
        claim.with_user(self.user_manager).action_merge(other.ids)
        self.assertEqual(message.res_id, claim.id)
        self.assertEqual(message.attachment_ids.res_id, claim.id)
        self.assertEqual(claim.line_ids.quantity, 2)
        self.assertEqual((claim.order_id, claim.cause_id), (order, self.cause))
        self.assertEqual((claim.severity, claim.confidential), ("3", True))
        self.assertEqual(claim.department_id, self.warehouse)
        self.assertEqual(claim.investigation_ids, investigation)
        self.assertTrue(claim.activity_ids)
        self.assertIn(self.user_manager.partner_id, claim.message_partner_ids)
        self.assertEqual(interaction.res_id, claim.id)
        self.assertIn("First", claim.description)
        self.assertIn("Second", claim.description)
        self.assertEqual((other.state, other.active), ("cancelled", False))
        self.assertEqual(other.merged_into_id, claim)
        with self.assertRefused(UserError, "was merged into"):
            other.action_reopen()

    def test_followers_of_an_open_claim_gain_no_confidential_one(self):
        curious, trusted = self.user_own.partner_id, self.user_manager.partner_id
        for main_is_secret in (True, False):
            with self.subTest(main_is_secret=main_is_secret):
                main = self._create_claim(user_id=self.user_all.id, confidential=main_is_secret)
                other = self._create_claim(confidential=not main_is_secret)
                secret, public = (main, other) if main_is_secret else (other, main)
                public.message_subscribe(curious.ids)
                secret.message_subscribe(trusted.ids)
                main.action_merge(other.ids)
                self.assertTrue(main.confidential)
                self.assertIn(trusted, main.message_partner_ids)
                self.assertNotIn(curious, main.message_partner_ids)
                self.assertFalse(main.with_user(self.user_own).has_access("read"))

    def test_what_is_not_merged(self):
        claim = self._create_claim(user_id=self.user_all.id)
        decided = self._create_claim()
        self._decide(decided)
        order, second = self._create_order(), self._create_order()
        claim.order_id = order
        cases = {
            "their clients are different": self._create_claim(partner_id=self.stranger.id),
            "not decided yet": decided,
            "different orders": self._create_claim(order_id=second.id),
            "not certain": self._create_claim(partner_id=False, partner_name="Somebody"),
            "Choose the claims": claim,
        }
        for reason, other in cases.items():
            with self.assertRefused(UserError, reason):
                claim.with_user(self.user_all).action_merge(other.ids)
        theirs = self._create_claim(user_id=self.user_manager.id)
        with self.assertRaises(AccessError):
            claim.with_user(self.user_own).action_merge(theirs.ids)

    def test_client_without_a_card_is_known_by_his_address(self):
        values = {"partner_id": False, "partner_name": "N", "email_from": "N@test.example.com"}
        claim = self._create_claim(**values)
        other = self._create_claim(**values | {"email_from": "n@test.example.com "})
        claim.action_merge(other.ids)
        self.assertEqual(other.merged_into_id, claim)


@tagged("post_install", "-at_install")
class TestClaimSeries(SimilarCommon):
    """The same lot, product and cause, or cause of a service: one investigation for all."""

    def _run(self):
        with self.enter_registry_test_mode():
            self.env.ref("crm_claims.ir_cron_series").method_direct_trigger()
        self.env.invalidate_all()

    def _series(self):
        return self.env["crm.claim.series"].search([("company_id", "=", self.company.id)])

    def test_one_group_that_fails_stops_no_other(self):
        for product in (self.product, self.saw):
            for __ in range(3):
                self._claim_of(product, "L-7")
        series = self.env.registry["crm.claim.series"]
        take_in = series._take_in

        def fail(records, company, kind, product_id, *args):
            take_in(records, company, kind, product_id, *args)
            if product_id == self.product.id:
                raise ZeroDivisionError

        with (
            patch.object(series, "_take_in", fail),
            self.assertLogs("odoo.addons.crm_extended.tools.apart", "ERROR"),
        ):
            self._run()
        self.assertEqual(self._series().product_id, self.saw)
        self._run()
        self.assertEqual(self._series().product_id, self.saw | self.product)

    def test_one_investigation_for_all(self):
        claims = self.env["crm.claim"].union(
            *(self._claim_of(self.product, lot) for lot in ("L-7", "l-7"))
        )
        self._claim_of(self.saw, "L-7")
        self._run()
        self.assertFalse(self._series())
        claims |= self._claim_of(self.product, "L-7 ")
        for __ in range(2):
            self._run()
        series = self._series()
        self.assertEqual((series.kind, series.product_id, series.lot_name),
                         ("lot", self.product, "l-7"))  # fmt: skip
        investigation = series.investigation_id
        self.assertEqual(investigation.claim_ids, claims)
        self.assertEqual(investigation.user_id, self.user_manager, "the quality lead")
        activity = investigation.activity_ids
        self.assertEqual(activity.user_id, self.user_manager)
        self.assertIn("3 claims", activity.summary)
        # the next one joins, nobody is warned again
        late = self._claim_of(self.product, "L-7")
        self._run()
        self.assertIn(late, investigation.claim_ids)
        self.assertEqual(len(investigation.activity_ids), 1)

    def test_same_claims_share_their_investigation(self):
        for __ in range(3):
            self._claim_of(self.product, "L-7", cause_id=self.cause.id)
        self._run()
        series = self._series()
        self.assertEqual(set(series.mapped("kind")), {"lot", "product"})
        self.assertEqual(len(series.investigation_id), 1)

    def test_cause_of_claims_about_no_product(self):
        for __ in range(3):
            self._claim_of(cause_id=self.cause.id)
        self._claim_of(self.product, cause_id=self.cause.id)
        self._run()
        self.assertEqual((self._series().kind, self._series().claim_count), ("cause", 3))

    def test_what_does_not_count(self):
        old = fields.Datetime.now() - timedelta(days=31)
        self._claim_of(self.product, "L-7", date_registered=old)
        self._claim_of(self.product, "L-7").action_cancel()
        self._claim_of(self.product, "L-7", source_result="Long ago")
        for __ in range(2):
            self._claim_of(self.product, "L-7")
        self._run()
        self.assertFalse(self._series())
        self.company.claim_recurrence_count = 0
        self._claim_of(self.product, "L-7")
        self._run()
        self.assertFalse(self._series())

    def test_after_the_investigation_a_new_series_begins(self):
        for __ in range(3):
            self._claim_of(self.product, "L-7")
        self._run()
        first = self._series()
        first.investigation_id.action_cancel()
        self._claim_of(self.product, "L-7")
        self._run()
        self.assertEqual(self._series(), first, "one more is not enough")
        for __ in range(2):
            self._claim_of(self.product, "L-7")
        self._run()
        second = self._series() - first
        self.assertEqual(second.claim_count, 3)
        self.assertFalse(second.claim_ids & first.claim_ids)
