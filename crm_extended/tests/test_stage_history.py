from datetime import datetime, timedelta

from freezegun import freeze_time
from odoo import Command
from odoo.addons.base.tests.common import BaseCommon
from odoo.exceptions import AccessError
from odoo.tests import new_test_user, tagged, users
from odoo.tools import mute_logger

START = datetime(2026, 3, 2, 9, 0)


class StageHistoryCommon(BaseCommon):
    """Four stages of their own (A, B, C, Won), two salespeople and a manager."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        groups = "base.group_user,sales_team.group_sale_salesman"
        cls.sales = new_test_user(cls.env, "hist_sales", groups=groups)
        cls.sales2 = new_test_user(cls.env, "hist_sales2", groups=groups)
        cls.manager = new_test_user(
            cls.env, "hist_manager", groups="base.group_user,sales_team.group_sale_manager"
        )
        cls.accountant = new_test_user(
            cls.env, "hist_accountant", groups="base.group_user,account.group_account_readonly"
        )
        cls.team = cls.env["crm.team"].create(
            {
                "name": "History Team",
                "company_id": False,
                "use_leads": True,
                "member_ids": [Command.set([cls.sales.id, cls.sales2.id])],
            }
        )
        stages = cls.env["crm.stage"].create(
            [
                {"name": name, "sequence": sequence, "is_won": name == "Won"}
                | {"team_ids": [Command.set(cls.team.ids)]}
                for sequence, name in enumerate(("A", "B", "C", "Won"), start=500)
            ]
        )
        cls.a, cls.b, cls.c, cls.won = stages
        cls.source = cls.env["utm.source"].create({"name": "History Fair"})

    def setUp(self):
        super().setUp()
        self.now = START

    def _create(self, count=1, **values):
        with freeze_time(self.now):
            return self.env["crm.lead"].create(
                [
                    {
                        "name": f"Deal {number}",
                        "type": "opportunity",
                        "team_id": self.team.id,
                        "stage_id": self.a.id,
                        "user_id": self.sales.id,
                        "company_id": False,
                        **values,
                    }
                    for number in range(count)
                ]
            )

    def _later(self, days=1):
        """Let time pass; to be used as a context."""
        self.now += timedelta(days=days)
        return freeze_time(self.now)

    def _move(self, leads, stage, days=1):
        with self._later(days):
            leads.write({"stage_id": stage.id})

    def _lose(self, leads, days=1):
        with self._later(days):
            leads.action_set_lost()

    def _get_stays(self, lead):
        self.env.flush_all()
        stays = self.env["crm.lead.stage.history"].search([("lead_id", "=", lead.id)])
        return stays[::-1]

    def _assert_way(self, lead, way):
        """Compare a deal's stays with letters and results, e.g. ``A>B<A!``."""
        marks = {
            "moved_forward": ">",
            "moved_back": "<",
            "lost": "!",
            "aside": "-",
            "open": "",
            "won": "*",
        }
        found = "".join(
            stay.display_name.replace("Won", "W") + marks[stay.result]
            for stay in self._get_stays(lead)
        )
        self.assertEqual(found, way)


@tagged("post_install", "-at_install")
class TestStageHistory(StageHistoryCommon):
    def test_forward_and_back(self):
        lead = self._create(source_id=self.source.id)
        self._move(lead, self.b, days=2)
        self._move(lead, self.c, days=3)
        self._move(lead, self.b)
        self._assert_way(lead, "A>B>C<B")
        first, second, third, last = self._get_stays(lead)
        self.assertEqual(first.date_in, START)
        self.assertEqual(first.date_out, START + timedelta(days=2))
        self.assertEqual(second.date_in, first.date_out)
        self.assertAlmostEqual(second.days, 3)
        self.assertAlmostEqual(third.days, 1)
        self.assertFalse(last.date_out)
        self.assertEqual(first.user_id, self.sales)
        self.assertEqual(first.team_id, self.team)
        self.assertEqual(first.source_id, self.source)
        lead._set_stage_history_reason("They want another drill")
        self.assertEqual(third.reason, "They want another drill")
        self.assertFalse(first.reason or second.reason or last.reason)

    def test_nothing_moved(self):
        lead = self._create()
        with self._later():
            lead.write({"stage_id": self.a.id, "name": "Same place", "probability": 30})
        self._assert_way(lead, "A")

    def test_won_button_and_reopening(self):
        lead = self._create()
        with self._later():
            lead.action_set_won()
        self._assert_way(lead, "A>W*")
        self.assertFalse(self._get_stays(lead)[-1].date_out)
        with self._later():
            lead.action_archive()
        self._assert_way(lead, "A>W*")
        self._move(lead, self.c)
        self._assert_way(lead, "A>W<C-")

    def test_entered_as_won(self):
        self._assert_way(self._create(stage_id=self.won.id), "W*")

    def test_entered_as_lost(self):
        lead = self._create(stage_id=self.b.id, active=False, probability=0)
        self._assert_way(lead, "B!")

    def test_lost_and_restored(self):
        lead = self._create()
        self._move(lead, self.b)
        self._lose(lead)
        self._assert_way(lead, "A>B!")
        lost = self._get_stays(lead)[-1]
        self.assertEqual(lost.date_out, self.now)
        with self._later(10):
            lead.action_restore()
        self._assert_way(lead, "A>B!B")
        restored = self._get_stays(lead)[-1]
        self.assertEqual(restored.date_in, self.now)
        with self._later():
            lead.action_set_won()
        self._assert_way(lead, "A>B!B>W*")

    def test_lost_in_one_write_with_a_move(self):
        lead = self._create()
        with self._later():
            lead.write({"stage_id": self.c.id, "active": False, "probability": 0})
        self._assert_way(lead, "A>C!")

    def test_stage_of_a_lost_deal_is_changed(self):
        """It was lost where it was lost; from there on it is in the other stage."""
        lead = self._create()
        self._lose(lead)
        self._move(lead, self.b)
        self._assert_way(lead, "A!")
        self.assertEqual(lead.lost_stage_id, self.a)
        with self._later():
            lead.action_restore()
        self._assert_way(lead, "A!B")

    def test_archived_with_a_reason_is_lost(self):
        lead = self._create(probability=40)
        reason = self.env["crm.lost.reason"].create({"name": "Too slow"})
        with self._later():
            lead.action_archive()
        lead.lost_reason_id = reason
        self._assert_way(lead, "A!")

    def test_steps_of_a_process(self):
        """Forward is what the process says, whatever the order of the pipeline."""
        process = self.env["crm.sale.process"].create(
            {
                "name": "C first",
                "control": "manual",
                "step_ids": [
                    Command.create({"sequence": sequence, "stage_id": stage.id})
                    for sequence, stage in enumerate((self.c, self.a, self.won))
                ],
            }
        )
        lead = self._create(stage_id=self.c.id, process_id=process.id)
        self._move(lead, self.a)
        self._assert_way(lead, "C>A")
        self.assertEqual(self._get_stays(lead).process_id, process)
        self._move(lead, self.c)
        self._assert_way(lead, "C>A<C")

    def test_lost_wizard(self):
        lead = self._create()
        self.env["crm.lead.lost"].create({"lead_ids": lead.ids}).action_lost_reason_apply()
        self._assert_way(lead, "A!")

    def test_won_from_lost(self):
        lead = self._create()
        self._lose(lead)
        with self._later():
            lead.action_set_won()
        self._assert_way(lead, "A!A>W*")

    def test_archived_then_lost(self):
        lead = self._create(probability=40)
        with self._later():
            lead.action_archive()
        self._assert_way(lead, "A-")
        with self._later():
            lead.write({"probability": 0})
        self._assert_way(lead, "A!")
        lead.action_unarchive()
        self._assert_way(lead, "A!A")

    def test_leads_are_in_no_stage(self):
        lead = self._create(type="lead")
        self._assert_way(lead, "")
        with self._later():
            lead.convert_opportunity(self.env["res.partner"])
        self._assert_way(lead, "A")
        self.assertEqual(self._get_stays(lead).date_in, self.now)
        lead.type = "lead"
        self._assert_way(lead, "A-")

    def test_team_with_other_stages_moves_the_deal(self):
        """The stage is computed from the team: nobody writes it."""
        lead = self._create()
        team = self.env["crm.team"].create({"name": "Other Team", "company_id": False})
        stage = self.env["crm.stage"].create(
            {"name": "O", "sequence": -5, "team_ids": [Command.set(team.ids)]}
        )
        with self._later():
            lead.team_id = team
        self.assertEqual(lead.stage_id, stage)
        self._assert_way(lead, "A<O")

    def test_merge_keeps_the_way_of_the_head(self):
        head, tail = self._create(2)
        self._move(head, self.b)
        stays_of_tail = self._get_stays(tail)
        self.assertEqual((head | tail).merge_opportunity(), head)
        self.assertFalse(stays_of_tail.exists())
        self._assert_way(head, "A>B")

    def test_deal_deleted(self):
        lead = self._create()
        stays = self._get_stays(lead)
        lead.unlink()
        self.assertFalse(stays.exists())

    def test_copy_starts_afresh(self):
        lead = self._create()
        self._move(lead, self.b)
        copy = lead.copy({"stage_id": self.a.id})
        self._assert_way(copy, "A")

    def test_clock_of_another_server_is_behind(self):
        lead = self._create()
        self._move(lead, self.b, days=-1)
        self._assert_way(lead, "A>B")
        self.assertEqual(self._get_stays(lead).mapped("date_in"), [START, START])

    def test_stage_becomes_won(self):
        lead = self._create()
        self._move(lead, self.c)
        self.c.is_won = True
        self._assert_way(lead, "A>C*")
        self.c.is_won = False
        self._assert_way(lead, "A>C")

    def test_stage_deleted(self):
        lead = self._create()
        self._move(lead, self.b)
        self._move(lead, self.c)
        self.b.unlink()
        stay = self._get_stays(lead)[1]
        self.assertFalse(stay.stage_id)
        self.assertEqual(stay.stage_name, "B")
        self._assert_way(lead, "A>B>C")

    def test_salesperson_follows_until_the_stay_ends(self):
        lead = self._create(user_id=False)
        with self._later():
            lead.write({"user_id": self.sales.id, "source_id": self.source.id})
        self._move(lead, self.b)
        with self._later():
            lead.user_id = self.sales2
        first, second = self._get_stays(lead)
        self.assertEqual(first.user_id, self.sales)
        self.assertEqual(first.source_id, self.source)
        self.assertEqual(second.user_id, self.sales2)
        with self._later():
            lead.action_set_won()
        lead.user_id = self.sales
        self.assertEqual(self._get_stays(lead)[-1].user_id, self.sales2, "who has won it")

    def test_batch(self):
        """The number of queries does not grow with the number of deals."""

        def count(leads):
            leads.write({"team_id": self.team.id})
            self.env.flush_all()
            self.env.invalidate_all()
            leads.fetch(["stage_id", "active", "won_status", "type"])
            before = self.env.cr.sql_log_count
            leads._record_stage_history()
            self.env.flush_all()
            idle = self.env.cr.sql_log_count - before
            self.env["crm.lead.stage.history"].search([("lead_id", "in", leads.ids)]).sudo().write(
                {"stage_id": self.c.id}
            )
            self.env.flush_all()
            before = self.env.cr.sql_log_count
            leads._record_stage_history()
            self.env.flush_all()
            return idle, self.env.cr.sql_log_count - before

        few, many = count(self._create(3)), count(self._create(60))
        self.assertEqual(few, many)
        self.assertLessEqual(many[0], 4)
        self.assertLessEqual(many[1], 6)

    @users("hist_sales")
    def test_salesperson_moves_and_hands_over(self):
        lead = self._create().with_env(self.env)
        self._move(lead, self.b)
        with self._later():
            # he loses the right to read it with this very write
            lead.write({"stage_id": self.c.id, "user_id": self.sales2.id})
        self.assertFalse(self._get_stays(lead), "no longer his")
        stays = self.env["crm.lead.stage.history"].sudo().search([("lead_id", "=", lead.id)])
        self.assertEqual(stays[0].create_uid, self.sales)
        self.assertEqual(stays[0].user_id, self.sales2)


@tagged("post_install", "-at_install")
class TestStageHistoryAccess(StageHistoryCommon):
    def test_readers(self):
        lead = self._create()
        lost = self._create()
        self._lose(lost)
        nobodys = self._create(user_id=False)
        stays = (lead | lost | nobodys).stage_history_ids
        self.assertEqual(len(stays), 3)
        History = self.env["crm.lead.stage.history"]
        domain = [("id", "in", stays.ids)]
        self.assertEqual(History.with_user(self.sales).search(domain), stays)
        self.assertEqual(History.with_user(self.sales2).search(domain), nobodys.stage_history_ids)
        self.assertEqual(History.with_user(self.manager).search(domain), stays)
        self.assertEqual(History.with_user(self.accountant).search(domain), stays)
        for user in (self.env.ref("base.public_user"), new_test_user(self.env, "hist_plain")):
            with self.assertRaises(AccessError):
                History.with_user(user).search(domain)

    def test_nobody_writes(self):
        lead = self._create()
        stay = lead.stage_history_ids
        for user in (self.sales, self.manager, self.accountant):
            mine = stay.with_user(user)
            with self.subTest(user=user.login), mute_logger("odoo.addons.base.models.ir_model"):
                with self.assertRaises(AccessError):
                    mine.write({"date_out": START})
                with self.assertRaises(AccessError):
                    mine.unlink()
                with self.assertRaises(AccessError):
                    mine.create({"lead_id": lead.id, "date_in": START, "result": "open"})
        with self.assertRaises(AccessError):
            lead.with_user(self.sales).write(
                {"stage_history_ids": [Command.update(stay.id, {"user_id": self.sales2.id})]}
            )

    def test_two_companies(self):
        company = self.env["res.company"].create({"name": "History Abroad"})
        lead = self._create(user_id=False, company_id=self.env.company.id)
        stay = lead.stage_history_ids
        self.assertEqual(stay.company_id, self.env.company)
        self.manager.write({"company_ids": [Command.set(company.ids)], "company_id": company.id})
        History = self.env["crm.lead.stage.history"].with_user(self.manager)
        self.assertFalse(History.search([("id", "=", stay.id)]))
        lead.company_id = company
        self.assertEqual(stay.company_id, company)
        self.assertTrue(History.search([("id", "=", stay.id)]))


@tagged("post_install", "-at_install")
class TestStageHistoryPast(StageHistoryCommon):
    """What is taken over from a database that had no history."""

    def _forget(self, leads):
        self.env.flush_all()
        self.env.cr.execute(
            "DELETE FROM crm_lead_stage_history WHERE lead_id = ANY(%s)", [leads.ids]
        )
        self.env.invalidate_all()

    def _stamp(self, lead, **dates):
        self.env.flush_all()
        for name, date in dates.items():
            self.env.cr.execute(f"UPDATE crm_lead SET {name} = %s WHERE id = %s", [date, lead.id])
        self.env.invalidate_all()

    def _log(self, lead, old, new, date):
        message = self.env["mail.message"].create(
            {"model": "crm.lead", "res_id": lead.id, "date": date, "message_type": "notification"}
        )
        self.env["mail.tracking.value"].create(
            {
                "mail_message_id": message.id,
                "field_id": self.env["ir.model.fields"]._get("crm.lead", "stage_id").id,
                "old_value_integer": old.id,
                "new_value_integer": new.id,
            }
        )

    def test_from_the_log(self):
        lead = self._create(stage_id=self.b.id)
        self._stamp(lead, create_date=START, date_last_stage_update=START + timedelta(days=9))
        for day, old, new in ((2, self.a, self.b), (5, self.b, self.c), (9, self.c, self.b)):
            self._log(lead, old, new, START + timedelta(days=day))
        self._forget(lead)
        self.env["crm.lead.stage.history"]._fill_from_past()
        self._assert_way(lead, "A>B>C<B")
        self.assertEqual(
            [stay.date_in for stay in self._get_stays(lead)],
            [START + timedelta(days=day) for day in (0, 2, 5, 9)],
        )
        self.assertEqual(self._get_stays(lead)[0].date_out, START + timedelta(days=2))
        self.assertEqual(self._get_stays(lead)[0].user_id, self.sales)

    def test_log_ends_before_the_present_stage(self):
        lead = self._create(stage_id=self.c.id)
        self._stamp(lead, create_date=START, date_last_stage_update=START + timedelta(days=9))
        self._log(lead, self.a, self.b, START + timedelta(days=2))
        self._forget(lead)
        self.env["crm.lead.stage.history"]._fill_from_past()
        self._assert_way(lead, "A>B>C")
        self.assertEqual(self._get_stays(lead)[-1].date_in, START + timedelta(days=9))

    def test_without_log(self):
        still, won, lost, aside, lead_only = self._create(5, probability=20)
        won.action_set_won()
        self._lose(lost)
        aside.action_archive()
        lead_only.type = "lead"
        leads = still | won | lost | aside | lead_only
        for lead in leads:
            self._stamp(
                lead,
                create_date=START,
                date_last_stage_update=START + timedelta(days=3),
                date_closed=START + timedelta(days=4) if lead in won | lost else None,
            )
        self.env["mail.tracking.value"].search(
            [("mail_message_id", "in", leads.message_ids.ids)]
        ).unlink()
        self._forget(leads)
        for _time in range(2):
            self.env["crm.lead.stage.history"]._fill_from_past(batch_size=2)
        for lead, way in ((still, "A"), (won, "W*"), (lost, "A!"), (aside, "A-"), (lead_only, "")):
            self._assert_way(lead, way)
        stay = self._get_stays(lost)
        self.assertEqual(stay.date_in, START + timedelta(days=3))
        self.assertEqual(stay.date_out, START + timedelta(days=4))
        self._move(still, self.b, days=5)
        self._assert_way(still, "A>B")
