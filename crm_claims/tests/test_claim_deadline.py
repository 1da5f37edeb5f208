from datetime import date, datetime

from freezegun import freeze_time
from odoo.addons.mail.tests.common import MailCommon
from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import tagged

from .common import ClaimCommon

FRIDAY = datetime(2026, 3, 6, 10)


class DeadlineCommon(ClaimCommon):
    """Time begins on a Friday at 10:00; the office works from 8 to 12 and from 13 to 17, UTC."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.calendar = cls.env["resource.calendar"].create(
            {"name": "Test Schedule", "tz": "UTC", "company_id": cls.company.id}
        )
        cls.company.resource_calendar_id = cls.calendar
        cls.env["crm.claim.sla"].search([]).write({"active": False})
        cls.policy = cls._create_policy(acknowledge=1, answer=3, decide=10)

    @classmethod
    def _create_policy(cls, unit="working_days", warn=75, target_values=None, **values):
        targets = {
            name: values.pop(name)
            for name in ("acknowledge", "answer", "decide", "close")
            if name in values
        }
        return cls.env["crm.claim.sla"].create(
            {
                "name": "Test Policy",
                "target_ids": [
                    Command.create(
                        {"target": name, "amount": amount, "unit": unit, "warn_percent": warn}
                    )
                    for name, amount in targets.items()
                ],
                **values,
            }
        )

    def _claim(self, at=FRIDAY, **values):
        with freeze_time(at):
            return self._create_claim(date_registered=at, **values)

    def _status(self, claim, target, cycle=0):
        return claim.sudo().sla_status_ids.filtered(
            lambda status: status.target == target and status.cycle == cycle
        )

    def _deadline(self, claim, target, cycle=0):
        return self._status(claim, target, cycle).date_deadline

    def _run(self, at):
        with freeze_time(at), self.enter_registry_test_mode():
            self.env.ref("crm_claims.ir_cron_deadlines").method_direct_trigger()
        self.env.invalidate_all()


@tagged("post_install", "-at_install")
class TestClaimDeadline(DeadlineCommon, MailCommon):
    def test_defaults_of_the_first_day(self):
        policies = self.env["crm.claim.sla"].with_context(active_test=False)
        (policies.search([]) - self.policy).filtered(
            lambda policy: policy.get_external_id()[policy.id]
        ).active = True
        self.policy.active = False
        expected = {
            ("consumer", "0"): (datetime(2026, 3, 9, 17), datetime(2026, 4, 3, 17)),
            ("consumer", "1"): (datetime(2026, 3, 9, 17), datetime(2026, 3, 20, 17)),
            ("consumer", "2"): (datetime(2026, 3, 9, 17), datetime(2026, 3, 13, 17)),
            ("consumer", "3"): (datetime(2026, 3, 6, 15), datetime(2026, 3, 11, 17)),
            ("pretrial", "1"): (datetime(2026, 3, 9, 17), datetime(2026, 4, 6)),
        }
        for (kind, severity), (acknowledge, decide) in expected.items():
            with self.subTest(kind=kind, severity=severity):
                claim = self._claim(kind=kind, severity=severity)
                self.assertEqual(self._deadline(claim, "acknowledge"), acknowledge)
                self.assertEqual(self._deadline(claim, "decide"), decide)
                self.assertEqual(claim.sla_state, "ok")
        self.assertEqual(claim.date_promised, date(2026, 4, 5))

    def test_strictest_policy_wins_or_none(self):
        category = self.env["crm.claim.category"].create({"name": "Urgent"})
        self._create_policy(decide=5, category_ids=[Command.set(category.ids)])
        hours = self._create_policy(unit="hours", decide=4, severity="3", channel="email")
        other = self.env["res.company"].create({"name": "Second Claims Ltd"})
        self._create_policy(decide=1, company_id=other.id)
        plain = self._claim()
        self.assertEqual(self._deadline(plain, "decide"), datetime(2026, 3, 20, 17))
        urgent = self._claim(category_id=category.id)
        self.assertEqual(self._deadline(urgent, "decide"), datetime(2026, 3, 13, 17))
        # the other targets still come from the general policy
        self.assertEqual(self._deadline(urgent, "acknowledge"), datetime(2026, 3, 9, 17))
        both = self._claim(category_id=category.id, severity="3", channel="email")
        self.assertEqual(self._deadline(both, "decide"), datetime(2026, 3, 6, 15))
        self.assertEqual(self._status(both, "decide").sla_id, hours)
        self.policy.active = False
        none = self._claim()
        self.assertFalse(none.sla_status_ids)
        self.assertFalse(none.sla_state)

    def test_segment_of_the_client(self):
        segment = self.env["crm.segment"].create(
            {"name": "Key clients", "kind": "static", "company_id": self.company.id}
        )
        self.env["crm.segment.member"].create(
            {"segment_id": segment.id, "partner_id": self.customer.id}
        )
        self._create_policy(decide=2, segment_ids=[Command.set(segment.ids)])
        stranger = self.env["res.partner"].create({"name": "Stranger"})
        claim = self._claim()
        self.assertEqual(self._deadline(claim, "decide"), datetime(2026, 3, 10, 17))
        self.assertEqual(self._deadline(self._claim(partner_id=stranger.id), "decide"),
                         datetime(2026, 3, 20, 17))  # fmt: skip

    def test_days_of_a_team(self):
        self.team.promise_days = 2
        claim = self._claim()
        self.assertEqual(self._deadline(claim, "decide"), datetime(2026, 3, 10, 17))
        self.assertEqual(claim.date_promised, date(2026, 3, 10))

    def test_kept_and_missed(self):
        claim = self._claim()
        with freeze_time(datetime(2026, 3, 9, 16, 59)):
            claim.action_acknowledge()
        self.assertEqual(self._status(claim, "acknowledge").state, "met")
        with freeze_time(datetime(2026, 3, 20, 17, 1)):
            self._decide(claim)
        self.assertEqual(self._status(claim, "decide").state, "failed")
        self.assertEqual(self._status(claim, "answer").state, "failed")
        self.assertTrue(claim.sla_failed)
        self.assertFalse(claim.sla_state, "nothing is due any more")

    def test_first_answer(self):
        claim = self._claim(user_id=self.user_all.id)
        with freeze_time(datetime(2026, 3, 9, 12)):
            claim.message_post(body="It broke twice", author_id=self.contact.id,
                               message_type="comment", subtype_xmlid="mail.mt_comment")  # fmt: skip
            claim.with_user(self.user_all).message_post(body="Internal")
        self.assertFalse(claim.date_answered)
        with freeze_time(datetime(2026, 3, 9, 13)):
            claim.with_user(self.user_all).message_post(
                body="We look into it",
                message_type="comment",
                subtype_xmlid="mail.mt_comment",
                partner_ids=self.contact.ids,
            )
        self.assertEqual(claim.date_answered, datetime(2026, 3, 9, 13))
        self.assertEqual(self._status(claim, "answer").state, "met")

    def test_cancelled(self):
        claim = self._claim()
        claim.action_cancel()
        self.assertEqual(set(claim.sla_status_ids.mapped("state")), {"void"})
        self.assertFalse(claim.sla_state)

    def test_history_has_no_deadlines(self):
        claim = self._claim(
            stage_id=self.env["crm.claim"]._get_stage_of_state("closed").id,
            decision="satisfied",
            decision_text="Old",
        )
        self.assertFalse(claim.sla_status_ids)

    # ------------------------------------------------------------
    # Pauses, changes in the middle, reopening
    # ------------------------------------------------------------

    def _wait(self, claim, since, until, **values):
        with freeze_time(since):
            claim._move_to("waiting_client", waiting_question="Which lot?", **values)
        with freeze_time(until):
            claim.message_post(body="Lot 7", author_id=self.contact.id, message_type="comment")

    def test_waiting_for_the_client(self):
        claim = self._claim(user_id=self.user_all.id)
        with freeze_time(FRIDAY), self.mock_mail_gateway():
            claim.action_acknowledge()
        promised = claim.date_promised
        self.assertEqual(promised, date(2026, 3, 20))
        # Monday noon: half a day of ten is used
        with freeze_time(datetime(2026, 3, 9, 12)):
            claim._move_to("waiting_client", waiting_question="Which lot?")
        decide = self._status(claim, "decide")
        self.assertEqual((decide.state, decide.date_deadline), ("paused", False))
        self.assertEqual(claim.sla_state, "paused")
        with freeze_time(datetime(2026, 3, 30, 12)):
            self.env.invalidate_all()
            self.assertFalse(claim.is_overdue, "we wait for him, not he for us")
            self.assertEqual(decide.remaining, 9.5)
        # he answers on Wednesday at 15:00: a quarter of that day, nine more, a quarter of the next
        with freeze_time(datetime(2026, 3, 11, 15)), self.mock_mail_gateway():
            claim.message_post(body="Lot 7", author_id=self.contact.id, message_type="comment")
        self.assertEqual(claim.state, "investigating")
        self.assertEqual(decide.state, "running")
        self.assertEqual(decide.date_deadline, datetime(2026, 3, 25, 10))
        self.assertEqual(decide.paused_hours, 51)
        pause = claim.pause_ids
        self.assertEqual(
            (pause.date_from, pause.date_to, pause.question),
            (datetime(2026, 3, 9, 12), datetime(2026, 3, 11, 15), "Which lot?"),
        )
        # the promise moves along, and he is told why
        self.assertEqual(claim.date_promised, date(2026, 3, 25))
        mail = self.env["mail.mail"].sudo().search([("res_id", "=", claim.id)], limit=1)
        self.assertIn("New date", mail.subject)
        self.assertIn("we waited for your answer", mail.body_html)

    def test_two_waits(self):
        claim = self._claim()
        with freeze_time(FRIDAY):
            claim._move_to("acknowledged")
        self._wait(claim, datetime(2026, 3, 9, 8), datetime(2026, 3, 10, 8))
        self._wait(claim, datetime(2026, 3, 12, 17), datetime(2026, 3, 16, 8))
        # Monday the 9th and Friday the 13th do not count
        self.assertEqual(self._deadline(claim, "decide"), datetime(2026, 3, 24, 17))
        self.assertEqual(len(claim.pause_ids), 2)

    def test_change_of_severity_counts_from_the_beginning(self):
        claim = self._claim()
        self._create_policy(decide=3, severity="3")
        with freeze_time(datetime(2026, 3, 10, 9)):
            claim.severity = "3"
        self.assertEqual(self._deadline(claim, "decide"), datetime(2026, 3, 11, 17))
        with freeze_time(datetime(2026, 3, 10, 9)):
            claim.severity = "1"
        self.assertEqual(self._deadline(claim, "decide"), datetime(2026, 3, 20, 17))

    def test_change_of_a_policy_in_the_middle(self):
        claim = self._claim()
        with freeze_time(FRIDAY):
            claim._move_to("acknowledged")
        self._wait(claim, datetime(2026, 3, 9, 8), datetime(2026, 3, 10, 8))
        self.policy.target_ids.filtered(lambda line: line.target == "decide").amount = 5
        self.assertTrue(claim.deadlines_stale)
        self._run(datetime(2026, 3, 10, 9))
        self.assertEqual(self._deadline(claim, "decide"), datetime(2026, 3, 16, 17))
        self.assertFalse(claim.deadlines_stale)
        # the client keeps what he was promised
        self.assertEqual(claim.date_promised, date(2026, 3, 23))
        self.policy.target_ids.filtered(lambda line: line.target == "decide").unlink()
        self._run(datetime(2026, 3, 10, 10))
        self.assertFalse(self._status(claim, "decide"))
        self.assertTrue(self._status(claim, "answer"))

    def test_change_of_the_schedule_in_the_middle(self):
        claim = self._claim()
        other = self._claim(company_id=self.env["res.company"].create({"name": "Sister"}).id,
                            team_id=False)  # fmt: skip
        self._run(FRIDAY)
        holiday = self.env["resource.calendar.leaves"].create(
            {
                "name": "Holiday",
                "calendar_id": self.calendar.id,
                "company_id": self.company.id,
                "date_from": datetime(2026, 3, 9),
                "date_to": datetime(2026, 3, 9, 23, 59, 59),
            }
        )
        self.assertTrue(claim.deadlines_stale)
        self.assertFalse(other.deadlines_stale, "another schedule")
        self._run(datetime(2026, 3, 9, 7))
        self.assertEqual(self._deadline(claim, "acknowledge"), datetime(2026, 3, 10, 17))
        self.assertEqual(self._deadline(claim, "decide"), datetime(2026, 3, 23, 17))
        holiday.unlink()
        self.calendar.attendance_ids.filtered(lambda line: line.dayofweek == "0").unlink()
        self._run(datetime(2026, 3, 9, 7))
        # no Mondays: the tenth working day is a Wednesday
        self.assertEqual(self._deadline(claim, "decide"), datetime(2026, 3, 25, 17))

    def test_time_off_of_a_colleague_moves_nothing(self):
        claim = self._claim()
        self.env["resource.calendar.leaves"].create(
            {
                "name": "Ill",
                "calendar_id": self.calendar.id,
                "resource_id": self.employee.resource_id.id,
                "date_from": datetime(2026, 3, 9),
                "date_to": datetime(2026, 3, 13),
            }
        )
        self.assertFalse(claim.deadlines_stale)
        self.assertEqual(self._claim().sla_status_ids.mapped("date_deadline"),
                         claim.sla_status_ids.mapped("date_deadline"))  # fmt: skip

    def test_reopened(self):
        claim = self._claim()
        with freeze_time(datetime(2026, 3, 9, 9)):
            self._decide(claim)
        with freeze_time(datetime(2026, 3, 16, 9)):
            claim.action_reopen()
        self.assertEqual(self._status(claim, "decide").state, "met", "of the first time")
        again = self._status(claim, "decide", 1)
        self.assertEqual((again.state, again.date_deadline), ("running", datetime(2026, 3, 30, 17)))
        self.assertEqual(len(self._status(claim, "acknowledge")), 1)
        self.assertEqual(claim.sla_state, "ok")

    # ------------------------------------------------------------
    # The promise
    # ------------------------------------------------------------

    def test_promise_is_moved_with_a_reason(self):
        claim = self._claim(user_id=self.user_own.id).with_user(self.user_own)
        with freeze_time(FRIDAY):
            claim.date_promised = date(2026, 3, 19)  # not promised yet
            claim.action_acknowledge()
        for values in ({}, {"promise_reason": "  "}):
            with self.assertRefused(UserError, "Say why"):
                claim.write({"date_promised": date(2026, 3, 31), **values})
        with self.mock_mail_gateway():
            action = claim.action_move_promise()
            self.env[action["res_model"]].with_user(self.user_own).with_context(
                **action["context"]
            ).create(
                {"date_promised": "2026-03-31", "reason": "The laboratory is late"}
            ).action_move()
        self.assertEqual(claim.date_promised, date(2026, 3, 31))
        mail = self.env["mail.mail"].sudo().search([("res_id", "=", claim.id)], limit=1)
        self.assertIn("The laboratory is late", mail.body_html)
        self.assertEqual(mail.recipient_ids, self.contact)
        # our own deadline stays where it was
        self.assertEqual(self._deadline(claim, "decide"), datetime(2026, 3, 20, 17))

    # ------------------------------------------------------------
    # Who reads and writes them
    # ------------------------------------------------------------

    def test_roles(self):
        claim = self._claim(user_id=self.user_all.id)
        status = claim.sla_status_ids[0]
        status.with_user(self.user_all).read(["state"])
        for user in (self.user_own, self.user_accountant, self.user_employee):
            with self.assertRaises(AccessError):
                status.with_user(user).read(["state"])
        for user in (self.user_all, self.user_manager):
            with self.assertRaises(AccessError):
                status.with_user(user).write({"state": "met"})
            for values in ({"sla_state": "ok"}, {"sla_failed": False}, {"date_answered": FRIDAY}):
                with self.assertRaises(AccessError):
                    claim.with_user(user).write(values)
        with self.assertRaises(AccessError):
            self.policy.with_user(self.user_all).write({"name": "x"})
        self.policy.with_user(self.user_manager).write({"name": "Ours"})
        claim.confidential = True
        claim.user_id = self.user_manager
        self.env.invalidate_all()
        with self.assertRaises(AccessError):
            status.with_user(self.user_all).read(["state"])

    def test_forged_summary(self):
        claim = (
            self.env["crm.claim"]
            .with_user(self.user_all)
            .with_context(default_sla_state="failed", default_sla_failed=True)
            .create({"subject": "x", "partner_id": self.contact.id, "team_id": self.team.id})
        )
        self.assertEqual((claim.sla_state, claim.sla_failed), ("ok", False))
