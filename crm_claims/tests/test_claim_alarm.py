from datetime import date, datetime, timedelta
from importlib.util import module_from_spec, spec_from_file_location
from unittest.mock import patch

from freezegun import freeze_time
from odoo.addons.mail.tests.common import MailCommon
from odoo.tests import tagged
from odoo.tools import file_path

from .test_claim_deadline import FRIDAY, DeadlineCommon

WARNED = datetime(2026, 3, 18, 12)  # seven and a half of ten days are used
MISSED = datetime(2026, 3, 20, 17)


@tagged("post_install", "-at_install")
class TestClaimAlarm(DeadlineCommon, MailCommon):
    """Warned and told once each: the responsible, then his manager."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.policy.target_ids.filtered(lambda line: line.target != "decide").unlink()
        cls.boss = cls._new_user("claims_boss", "crm_claims.crm_claims_group_user_all")
        employees = cls.env["hr.employee"].create(
            [
                {"name": user.name, "company_id": cls.company.id, "user_id": user.id}
                for user in (cls.boss, cls.user_own)
            ]
        )
        employees[1].parent_id = employees[0]

    def _alarms(self, claim, user):
        return claim.activity_ids.filtered(
            lambda activity: activity.user_id == user
            and activity.activity_type_id == self.env.ref("crm_claims.mail_activity_type_deadline")
        )

    def _mails(self, user):
        return self.env["mail.mail"].sudo().search([("email_to", "=", user.email_formatted)])

    def test_warned_once_then_missed_once(self):
        claim = self._claim(user_id=self.user_own.id)
        self._run(datetime(2026, 3, 18, 11, 59))
        self.assertFalse(self._alarms(claim, self.user_own))
        for __ in range(2):
            self._run(WARNED)
        self.assertEqual(claim.sla_state, "warning")
        self.assertEqual(self._alarms(claim, self.user_own).mapped("summary"), ["Due soon: Decide"])
        self.assertFalse(self._alarms(claim, self.boss))
        mail = self._mails(self.user_own)
        self.assertEqual(len(mail), 1)
        self.assertIn(claim.name, mail.body_html)
        for hours in (0, 1, 24):
            self._run(MISSED + timedelta(hours=hours))
        self.assertEqual((claim.sla_state, claim.sla_failed), ("failed", True))
        self.assertEqual(
            self._alarms(claim, self.user_own).mapped("summary"),
            ["Due soon: Decide", "Missed: Decide"],
        )
        self.assertEqual(self._alarms(claim, self.boss).mapped("summary"), ["Missed: Decide"])
        self.assertEqual(len(self._mails(self.user_own)), 2)
        self.assertEqual(len(self._mails(self.boss)), 1)
        # decided at last: nothing is due, and that it was late stays
        with freeze_time(MISSED + timedelta(days=2)):
            self._decide(claim)
        self.assertFalse(self._alarms(claim, self.user_own) | self._alarms(claim, self.boss))
        self.assertEqual((claim.sla_state, claim.sla_failed), (False, True))
        self.assertIn(claim, claim.search([("sla_failed", "=", True)]))

    def test_one_mail_for_many_claims(self):
        claims = self.env["crm.claim"].union(
            *(self._claim(user_id=self.user_own.id) for __ in range(3))
        )
        self._run(MISSED)
        mail = self._mails(self.user_own)
        self.assertEqual(len(mail), 1)
        for claim in claims:
            self.assertIn(claim.name, mail.body_html)
        self.assertEqual(len(claims.activity_ids), 6)

    def test_leader_of_the_team_when_nobody_is_responsible(self):
        claim = self._claim()
        self._run(MISSED)
        self.assertTrue(self._alarms(claim, self.user_all))

    def test_manager_who_may_not_read_the_claim(self):
        claim = self._claim(user_id=self.user_own.id, confidential=True)
        self._run(MISSED)
        self.assertTrue(self._alarms(claim, self.user_own))
        self.assertFalse(claim.activity_ids.filtered(lambda a: a.user_id != self.user_own))
        self.assertNotIn(self.boss.partner_id, claim.message_partner_ids)
        self.assertFalse(self._mails(self.boss))

    def test_waiting_claims_do_not_ring(self):
        claim = self._claim(user_id=self.user_own.id)
        with freeze_time(datetime(2026, 3, 9, 12)):
            claim._move_to("acknowledged")
            claim._move_to(
                "waiting_client", waiting_question="Which lot?", waiting_until=date(2026, 3, 16)
            )
        self._run(datetime(2026, 3, 16, 12))
        self.assertFalse(claim.activity_ids)
        # but the responsible hears that there is no answer, once
        for __ in range(2):
            self._run(datetime(2026, 4, 20, 12))
        self.assertEqual(claim.sla_state, "paused")
        self.assertEqual(claim.activity_ids.mapped("summary"),
                         ["The client has not answered our question"])  # fmt: skip

    def test_new_deadline_rings_again(self):
        claim = self._claim(user_id=self.user_own.id)
        self._run(MISSED)
        self.policy.target_ids.amount = 15
        self._run(MISSED + timedelta(hours=1))
        self.assertEqual(claim.sla_state, "ok")
        self.assertFalse(self._alarms(claim, self.user_own))
        self._run(datetime(2026, 3, 27, 17))
        self.assertEqual(claim.sla_state, "failed")
        self.assertTrue(self._alarms(claim, self.user_own))

    def test_one_broken_claim_stops_no_other(self):
        claims = [self._claim(user_id=self.user_own.id) for __ in range(3)]
        broken = claims[1]
        report = self.env.registry["crm.claim.sla.status"]._create_alarm_activities

        def fail(statuses, entries, is_failed):
            result = report(statuses, entries, is_failed)
            if broken in statuses.claim_id:
                raise ZeroDivisionError
            return result

        with (
            patch.object(self.env.registry["crm.claim.sla.status"],
                         "_create_alarm_activities", fail),
            self.assertLogs("odoo.addons.crm_extended.tools.apart", "ERROR"),
        ):  # fmt: skip
            self._run(MISSED)
        self.assertEqual([len(self._alarms(claim, self.user_own)) for claim in claims], [1, 0, 1])
        self._run(MISSED + timedelta(hours=1))
        self.assertEqual([len(self._alarms(claim, self.user_own)) for claim in claims], [1, 1, 1])

    def test_one_stale_claim_that_fails_stops_no_other(self):
        claims = self.env["crm.claim"].union(*(self._claim() for __ in range(3)))
        claims.sudo().deadlines_stale = True
        apply = self.env.registry["crm.claim"]._apply_deadlines

        def fail(records):
            apply(records)
            if claims[0] in records:
                raise ZeroDivisionError

        with (
            patch.object(self.env.registry["crm.claim"], "_apply_deadlines", fail),
            self.assertLogs("odoo.addons.crm_extended.tools.apart", "ERROR"),
        ):
            self._run(FRIDAY)
        self.assertEqual(claims.mapped("deadlines_stale"), [True, False, False])

    def test_question_is_text_in_the_reminder(self):
        claim = self._claim(user_id=self.user_own.id)
        with freeze_time(datetime(2026, 3, 9, 12)):
            claim._move_to("acknowledged")
            claim._move_to(
                "waiting_client",
                waiting_question="Is a<b?\n<b>Here</b>",
                waiting_until=date(2026, 3, 16),
            )
        self._run(datetime(2026, 4, 20, 12))
        note = claim.activity_ids.note
        self.assertIn("Is a&lt;b?", note)
        self.assertNotIn("<b>", note)

    # ------------------------------------------------------------
    # Silence
    # ------------------------------------------------------------

    def _run_silence(self, at):
        with freeze_time(at), self.mock_mail_gateway(), self.enter_registry_test_mode():
            self.env.ref("crm_claims.ir_cron_silence").method_direct_trigger()
        self.env.invalidate_all()

    def _notices(self, claim):
        return self.env["mail.mail"].sudo().search(
            [("model", "=", "crm.claim"), ("res_id", "=", claim.id),
             ("subject", "ilike", "Do you accept")]
        )  # fmt: skip

    def test_silence_closes_after_a_notice(self):
        claim = self._claim()
        with freeze_time(FRIDAY):
            self._decide(claim)
        self._run_silence(FRIDAY + timedelta(days=10))
        self.assertFalse(claim.date_notice)
        for __ in range(2):
            self._run_silence(FRIDAY + timedelta(days=11))
        self.assertEqual(len(self._notices(claim)), 1)
        self.assertEqual(claim.state, "decided")
        self.assertEqual(claim.date_silence, date(2026, 3, 20))
        self._run_silence(FRIDAY + timedelta(days=14))
        self.assertEqual(claim.state, "closed")
        self.assertFalse(claim.customer_answer)
        notes = " ".join(str(body) for body in claim.message_ids.mapped("body"))
        self.assertIn("has not answered", notes)

    def test_broken_notice_stops_no_other_and_is_shown(self):
        claims = [self._claim(user_id=self.user_own.id) for __ in range(3)]
        with freeze_time(FRIDAY):
            for claim in claims:
                self._decide(claim)
        template = self.env.ref("crm_claims.mail_template_silence")
        body = template.body_html
        template.body_html = f"<t t-if='object.id == {claims[0].id}' t-out='1 / 0'/>"
        with self.assertLogs("odoo.addons.crm_extended.tools.apart", "ERROR"):
            for __ in range(2):
                self._run_silence(FRIDAY + timedelta(days=11))
        self.assertEqual([bool(claim.date_notice) for claim in claims], [False, True, True])
        self.assertTrue(claims[0].silence_error)
        self.assertEqual(
            claims[0].activity_ids.mapped("summary"), ["The claim could not be closed by itself"]
        )
        template.body_html = body
        self._run_silence(FRIDAY + timedelta(days=12))
        self.assertTrue(claims[0].date_notice)
        self.assertFalse(claims[0].silence_error)

    def test_late_notice_gives_its_days_all_the_same(self):
        claim = self._claim()
        with freeze_time(FRIDAY):
            self._decide(claim, "rejected")
        self._run_silence(FRIDAY + timedelta(days=60))
        self.assertEqual(claim.state, "rejected")
        self.assertEqual(claim.date_silence, date(2026, 5, 8))
        self._run_silence(FRIDAY + timedelta(days=63))
        self.assertEqual(claim.state, "closed")

    def test_an_answer_or_a_reopening_stops_it(self):
        answered, reopened = self._claim(), self._claim()
        with freeze_time(FRIDAY):
            self._decide(answered)
            self._decide(reopened)
            answered._customer_reject(self.contact, "No")
        self._run_silence(FRIDAY + timedelta(days=11))
        self.assertFalse(answered.date_notice)
        with freeze_time(FRIDAY + timedelta(days=12)):
            reopened.action_reopen()
            self.assertFalse(reopened.date_notice)
            self._decide(reopened)
        self._run_silence(FRIDAY + timedelta(days=15))
        self.assertEqual(reopened.state, "decided")
        self.company.claim_answer_days = 0
        self._run_silence(FRIDAY + timedelta(days=100))
        self.assertEqual(reopened.state, "decided")

    # ------------------------------------------------------------
    # Upgrade
    # ------------------------------------------------------------

    def _load_migration(self):
        path = file_path("crm_claims/migrations/19.0.1.2.0/post-deadlines.py")
        spec = spec_from_file_location("post_deadlines", path)
        module = module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    def test_claims_from_before_the_policies_keep_their_dates(self):
        claim = self._claim(user_id=self.user_own.id, date_promised=date(2026, 4, 1))
        late = self._claim(user_id=self.user_own.id, date_promised=date(2026, 3, 10))
        (claim | late).sla_status_ids.unlink()
        with freeze_time(datetime(2026, 3, 16, 9)):
            self._load_migration().keep_dates(self.env)
        self.assertEqual(self._deadline(claim, "decide"), datetime(2026, 4, 2))
        self.assertEqual((claim.sla_state, late.sla_state), ("ok", "failed"))
        # neither a new policy nor a look at the claim changes that, and nobody is told again
        self.policy.target_ids.amount = 2
        self._run(datetime(2026, 3, 17, 9))
        self.assertEqual(self._deadline(claim, "decide"), datetime(2026, 4, 2))
        self.assertEqual(len(claim.sla_status_ids), 1)
        self.assertFalse((claim | late).activity_ids)
        # two days of waiting are added
        with freeze_time(datetime(2026, 3, 17, 9)):
            claim._move_to("acknowledged")
            claim._move_to("waiting_client", waiting_question="Which lot?")
        self.assertEqual(claim.sla_state, "paused")
        with freeze_time(datetime(2026, 3, 19, 9)):
            claim._move_to("investigating")
        self.assertEqual(self._deadline(claim, "decide"), datetime(2026, 4, 4))
        self.assertEqual(claim.date_promised, date(2026, 4, 3))
