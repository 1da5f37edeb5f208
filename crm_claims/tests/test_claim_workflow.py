from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, tagged, users

from .common import ClaimCommon

STATES = (
    "new",
    "acknowledged",
    "investigating",
    "waiting_client",
    "decided",
    "closed",
    "rejected",
    "cancelled",
)


@tagged("post_install", "-at_install")
class TestClaimWorkflow(ClaimCommon):
    def _claim_in(self, state):
        """A claim in ``state`` that has the content for every other state."""
        decision = "rejected" if state == "rejected" else "satisfied"
        return self._create_claim(
            stage_id=self.env["crm.claim"]._get_stage_of_state(state).id,
            cause_id=self.cause.id,
            decision=decision,
            decision_text="<p>Because</p>",
            recourse="<p>Court</p>",
            waiting_question="Which lot?",
            customer_answer="accepted",
        )

    def test_every_move_is_legal_or_refused(self):
        """All 64 pairs of states, by writing the stage as the board does."""
        claims = self.env["crm.claim"]
        for source in STATES:
            allowed = claims._get_transitions()[source]
            for target in STATES:
                with self.subTest(source=source, target=target):
                    claim = self._claim_in(source)
                    values = {"stage_id": claims._get_stage_of_state(target).id}
                    if target == "rejected" and source != "rejected":
                        values["decision"] = "rejected"
                    if target in allowed:
                        claim.write(values)
                        self.assertEqual(claim.state, target)
                    elif target == source:
                        claim.write({"stage_id": values["stage_id"]})
                        self.assertEqual(claim.state, source)
                    else:
                        with self.assertRaises(UserError):
                            claim.write(values)

    @users("claims_all")
    def test_state_cannot_be_written_past_the_checks(self):
        claim = self._create_claim().with_user(self.env.user)
        with self.assertRefused(UserError, "cannot go from New to Closed"):
            claim.write({"state": "closed"})
        claim.write({"state": "acknowledged"})
        self.assertEqual(claim.stage_id.state, "acknowledged")

    def test_two_stages_of_one_state_are_neighbours(self):
        second = self.env["crm.claim.stage"].create({"name": "New, urgent", "state": "new"})
        claim = self._create_claim()
        claim.stage_id = second
        self.assertEqual(claim.state, "new")

    def test_cause_decision_and_text_before_decided(self):
        claim = self._create_claim()
        claim._move_to("acknowledged")
        with self.assertRefused(ValidationError, "Cause, Decision, Decision Text"):
            claim._move_to("decided")
        with self.assertRefused(ValidationError, "Decision Text"):
            claim._move_to(
                "decided",
                cause_id=self.cause.id,
                decision="satisfied",
                decision_text="<p><br></p>",
            )

    def test_recourse_before_rejected(self):
        claim = self._create_claim()
        claim._move_to("acknowledged")
        with self.assertRefused(ValidationError, "Recourse"):
            claim._move_to("rejected", decision="rejected", decision_text="No")

    def test_decision_fits_its_stage(self):
        claim = self._create_claim()
        claim._move_to("acknowledged")
        with self.assertRefused(ValidationError, "does not fit"):
            claim._move_to(
                "decided", decision="rejected", decision_text="No", cause_id=self.cause.id
            )

    def test_stamps(self):
        claim = self._create_claim()
        claim._move_to("acknowledged")
        acknowledged = claim.date_acknowledged
        self.assertTrue(acknowledged)
        claim._move_to("waiting_client", waiting_question="Which lot?")
        self.assertTrue(claim.waiting_since)
        self._decide(claim)
        self.assertTrue(claim.date_decided)
        self.assertFalse(claim.waiting_since)
        self.assertEqual(claim.date_acknowledged, acknowledged)
        claim._customer_accept(self.contact)
        self.assertTrue(claim.date_closed)

    def test_reopening_is_counted_and_takes_the_answer_off(self):
        claim = self._create_claim()
        self._decide(claim)
        claim._customer_accept(self.contact, "fine")
        claim.action_reopen()
        self.assertEqual((claim.state, claim.reopen_count), ("investigating", 1))
        self.assertFalse(claim.customer_answer or claim.date_closed or claim.date_decided)
        claim._move_to("cancelled")
        claim.action_reopen()
        self.assertEqual((claim.state, claim.reopen_count), ("acknowledged", 2))

    def test_announced_decision_is_fixed(self):
        claim = self._create_claim().with_user(self.user_all)
        self._decide(claim)
        for values in (
            {"decision": "partly"},
            {"decision_text": "Other"},
            {"amount_granted": 1000},
            {"state": "decided", "decision": "partly"},
        ):
            with self.assertRefused(UserError, "decided already"):
                claim.write(values)

    @users("claims_all", "claims_manager")
    def test_results_are_not_written_directly(self):
        claim = self._create_claim().with_user(self.env.user)
        for name, value in {
            "customer_answer": "accepted",
            "customer_answer_reason": "x",
            "reopen_count": 0,
            "date_decided": "2026-01-01",
            "date_acknowledged": False,
            "name": "CLM/1",
            "is_acknowledgement_sent": True,
        }.items():
            with self.subTest(field=name), self.assertRaises(AccessError):
                claim.write({name: value})

    def test_only_managers_create_history(self):
        stage = self.env["crm.claim"]._get_stage_of_state("closed")
        values = {
            "subject": "Old",
            "partner_id": self.contact.id,
            "stage_id": stage.id,
            "decision": "partly",
            "decision_text": "Half",
            "date_registered": "2024-01-10 08:00:00",
            "date_decided": "2024-01-20 08:00:00",
            "date_closed": "2024-01-25 08:00:00",
        }
        claims = self.env["crm.claim"]
        with self.assertRaises(AccessError):
            claims.with_user(self.user_all).create(values)
        with self.assertRaises(AccessError):
            claims.with_user(self.user_all).create(
                {"subject": "x", "partner_id": self.contact.id, "customer_answer": "accepted"}
            )
        with self.assertRaises(AccessError):
            claims.with_user(self.user_all).create(
                {"subject": "x", "partner_id": self.contact.id, "state": "closed"}
            )
        claim = claims.with_user(self.user_manager).create(values)
        self.assertEqual(str(claim.date_decided), "2024-01-20 08:00:00")
        self.assertEqual(str(claim.date_closed), "2024-01-25 08:00:00")
        # what is not decided has no way into a decided state, unless it is past and over
        with self.assertRefused(ValidationError, "Decision"):
            claims.with_user(self.user_manager).create(
                {"subject": "x", "partner_id": self.contact.id, "stage_id": stage.id}
            )
        past = claims.with_user(self.user_manager).create({**values, "decision": False})
        self.assertEqual(past.decision, "rejected")

    def test_close_needs_acceptance_or_silence(self):
        claim = self._create_claim()
        self._decide(claim)
        claim = claim.with_user(self.user_all)
        self.assertFalse(claim.is_closable)
        with self.assertRefused(UserError, "has not accepted"):
            claim.action_close()
        claim.sudo().date_decided = "2026-01-01 10:00:00"
        self.assertTrue(claim.is_closable)
        claim.action_close()
        self.assertEqual(claim.state, "closed")

    def test_silence_never_closes_when_switched_off(self):
        self.company.claim_answer_days = 0
        claim = self._create_claim()
        self._decide(claim)
        claim.sudo().date_decided = "2026-01-01 10:00:00"
        with self.assertRaises(UserError):
            claim.with_user(self.user_all).action_close()

    @users("claims_own")
    def test_decision_dialog(self):
        claim = self._create_claim(user_id=self.user_own.id, amount_claimed=50, remedy="discount")
        claim = claim.with_user(self.env.user)
        claim.action_acknowledge()
        with Form(
            self.env["crm.claim.decision"].with_context(**claim.action_decide()["context"])
        ) as form:
            form.decision = "partly"
            form.cause_id = self.cause
            form.decision_text = "<p>Half of it</p>"
            self.assertEqual(form.amount_granted, 50)
            with form.remedy_ids.edit(0) as remedy:
                remedy.amount = 25
            self.assertEqual(form.amount_granted, 25)
        form.record.action_decide()
        self.assertEqual((claim.state, claim.decision), ("decided", "partly"))
        self.assertEqual((claim.remedy_granted, claim.amount_granted), ("discount", 25))

    def test_question_and_answer(self):
        claim = self._create_claim()
        claim._move_to("acknowledged")
        self.env["crm.claim.question"].create(
            {"claim_id": claim.id, "question": "Which lot?"}
        ).action_ask()
        self.assertEqual((claim.state, claim.waiting_question), ("waiting_client", "Which lot?"))
        claim.message_post(body="internal talk", author_id=self.user_all.partner_id.id)
        self.assertEqual(claim.state, "waiting_client")
        claim.message_post(body="Lot 7", author_id=self.contact.id, message_type="comment")
        self.assertEqual(claim.state, "investigating")
