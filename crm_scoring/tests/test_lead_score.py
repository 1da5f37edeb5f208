from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.addons.mail.tests.common import mail_new_test_user
from odoo.exceptions import AccessError
from odoo.tests import HttpCase, tagged, users
from odoo.tools import mute_logger

from .common import ScoringCommon

ENGINE = "odoo.addons.crm_scoring.models"


@tagged("post_install", "-at_install")
class TestLeadScore(ScoringCommon):
    # Score

    def test_score_adds_points_and_gives_a_class(self):
        deal = self._create_deal()
        self.assertEqual(deal.score_value, 60)
        self.assertEqual(deal.score_class, "B")
        self.assertEqual(deal.score_class_auto, "B")
        deal = self._create_deal(expected_revenue=20000, priority="3")
        self.assertEqual((deal.score_value, deal.score_class), (90, "A"))
        deal = self._create_deal(expected_revenue=10, email_from=False)
        self.assertEqual((deal.score_value, deal.score_class), (10, "D"))

    def test_several_writes_are_scored_once_at_the_end(self):
        deal = self._create_deal()
        engine = self.env.registry["crm.lead.scoring"]
        with patch.object(engine, "_refresh", autospec=True, side_effect=engine._refresh) as spy:
            deal.priority = "3"
            deal.expected_revenue = 20000
            deal.name = "Renamed"
            self.env.cr.precommit.run()
            self.assertEqual(spy.call_count, 1)
            deal.name = "Renamed again"  # no input of the score
            self.env.cr.precommit.run()
            self.assertEqual(spy.call_count, 1)
        self.assertEqual(deal.score_value, 90)

    def test_values_of_the_caller_stay_as_they_are(self):
        """A dict that creates one deal creates another one, too."""
        values = {"name": "Twice", "type": "opportunity"}
        given = dict(values)
        deals = self.env["crm.lead"].create([values, values])
        deals += self.env["crm.lead"].create(values)
        self.assertEqual(values, given)
        self.assertEqual(len(deals), 3)

    def test_a_saved_form_shows_the_new_score(self):
        deal = self._create_deal()
        [values] = deal.with_user(self.user_sales).web_save(
            {"expected_revenue": 20000}, {"score_value": {}, "score_class": {}}
        )
        self.assertEqual((values["score_value"], values["score_class"]), (80, "A"))

    def test_refresh_is_deterministic(self):
        deals = self._create_deal() + self._create_deal(priority="3", expected_revenue=123.45)
        now = fields.Datetime.now() + timedelta(days=40)
        self.env["crm.lead.scoring"]._refresh(deals.ids, now)
        first = self.env["crm.lead.scoring"].search_read([("lead_id", "in", deals.ids)])
        history = self.env["crm.lead.score"].search_count([("lead_id", "in", deals.ids)])
        again = self.env["crm.lead.scoring"]._refresh(deals.ids[::-1], now)
        self.assertFalse(again, "nothing changed, nothing is written")
        second = self.env["crm.lead.scoring"].search_read([("lead_id", "in", deals.ids)])
        self.assertEqual(first, second)
        self.assertEqual(
            self.env["crm.lead.score"].search_count([("lead_id", "in", deals.ids)]), history
        )

    def test_who_triggers_the_refresh_does_not_matter(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        factor = self._create_condition("Orders", "[('order_ids', '=', False)]", 5)
        self.assertFalse(factor.error)
        deal = self._create_deal()
        deal.with_user(self.user_sales).with_context(lang="fr_FR", tz="Asia/Tokyo").write(
            {"expected_revenue": 20000}
        )
        deal._flush_scoring()
        self.assertEqual(deal.score_value, 85)

    def test_time_is_a_parameter(self):
        deal = self._create_deal()
        soon = fields.Datetime.now() + timedelta(days=29)
        late = fields.Datetime.now() + timedelta(days=31)
        self.env["crm.lead.scoring"]._refresh(deal.ids, soon)
        self.assertEqual(deal.score_value, 60)
        self.env["crm.lead.scoring"]._refresh(deal.ids, late)
        self.assertEqual(deal.score_value, 35)
        factor = self._create_condition("Old", "[('create_date', '<', '-100d')]", -10)
        self.env["crm.lead.scoring"]._refresh(deal.ids, late)
        self.assertEqual(deal.score_value, 35)
        self.env["crm.lead.scoring"]._refresh(deal.ids, late + timedelta(days=100))
        self.assertEqual(deal.score_value, 25)
        self.assertFalse(factor.error)

    def test_scorecard_of_the_team_wins(self):
        card = self.env["crm.scorecard"].create(
            {
                "name": "Team",
                "base_points": 7,
                "company_id": self.company.id,
                "team_ids": self.team.ids,
                "sequence": 99,
            }
        )
        deal = self._create_deal()
        self.assertEqual((deal.score_value, deal.scorecard_id), (7, card))
        other = self._create_deal(team_id=False, user_id=False)
        self.assertEqual(other.scorecard_id, self.scorecard)

    # Drop and history

    def test_drop_from_the_peak_and_money_at_risk(self):
        deal = self._create_deal(expected_revenue=20000)
        self.assertEqual((deal.score_peak, deal.score_drop), (80, 0))
        self.assertFalse(deal.score_leaving)
        deal.email_from = False
        self.assertEqual((deal.score_value, deal.score_peak, deal.score_drop), (50, 80, 30))
        self.assertEqual(deal.score_drop_percent, 37.5)
        self.assertEqual(deal.score_amount_at_risk, 7500)
        self.assertTrue(deal.score_leaving)
        leaving = self.env["crm.lead"].search([("score_leaving", "=", True)])
        self.assertIn(deal, leaving)
        self.assertNotIn(deal, self.env["crm.lead"].search([("score_leaving", "=", False)]))
        deal.email_from = "back@scoring.example.com"
        self.assertEqual((deal.score_drop, deal.score_leaving), (0, False))

    def test_history_has_a_row_when_something_changed(self):
        deal = self._create_deal()
        self.assertEqual(len(deal.score_history_ids), 1)
        deal.name = "Other"
        deal._flush_scoring()
        self.assertEqual(len(deal.score_history_ids), 1)
        deal.with_user(self.user_sales).priority = "3"
        deal._flush_scoring()
        rows = deal.score_history_ids.sorted("id")
        self.assertEqual(rows.mapped("score_value"), [60, 70])
        self.assertEqual(rows[-1].user_id, self.user_sales)
        deal.priority = "0"
        deal._flush_scoring()
        self.assertEqual(len(deal.score_history_ids), 3)

    # Probability and money

    def _close(self, count, won, **values):
        for index in range(count):
            deal = self._create_deal(**values)
            if index < won:
                deal.action_set_won()
            else:
                deal.action_set_lost()

    def test_probability_says_openly_when_data_are_few(self):
        self.env["crm.lead.scoring.rate"].search([]).sudo().unlink()
        self.env.registry.clear_cache()
        deal = self._create_deal()
        self.assertEqual(deal.score_sample_size, 0)
        self.assertFalse(deal.score_data_enough)
        self.assertIn("Not enough data", deal.score_details)
        self.assertGreater(deal.score_probability, 0)
        self.assertLess(deal.score_probability, 100)

    def test_probability_learns_from_closed_deals_of_the_same_score(self):
        self._close(12, 12, expected_revenue=20000)
        self._close(12, 0, email_from=False, expected_revenue=0)
        self.env["crm.lead.scoring.rate"]._refresh()
        good = self._create_deal(expected_revenue=20000)
        bad = self._create_deal(email_from=False, expected_revenue=0)
        self.assertEqual(good.score_sample_size, 12)
        self.assertTrue(good.score_data_enough)
        self.assertGreater(good.score_probability, bad.score_probability + 20)
        self.assertLess(good.score_probability, 100)
        self.assertGreater(bad.score_probability, 0)

    def test_odoo_probability_is_not_touched(self):
        deal = self._create_deal()
        deal.probability = 17
        deal.expected_revenue = 20000
        deal._flush_scoring()
        self.assertEqual(deal.probability, 17)

    def test_expected_amount_in_company_currency(self):
        currency = self.env["res.currency"].create({"name": "ZZZ", "symbol": "Z", "rounding": 1.0})
        company = self.env["res.company"].create(
            {"name": "Whole money", "currency_id": currency.id}
        )
        deal = self._create_deal(
            company_id=company.id, user_id=False, team_id=False, expected_revenue=1001
        )
        self.assertEqual(deal.company_currency, currency)
        expected = currency.round(1001 * deal.score_probability / 100)
        self.assertEqual(deal.score_expected_amount, expected)
        self.assertEqual(deal.score_expected_amount % 1, 0)

    # Words

    def test_details_are_ranked_and_escaped(self):
        deal = self._create_deal(priority="3", email_from=False, expected_revenue=20000)
        html = deal.score_details
        self.assertIn("Top priority &lt;b&gt;", html)
        self.assertLess(html.index("Worth"), html.index("No e-mail is known"))
        self.assertLess(html.index("No e-mail is known"), html.index("Top priority"))
        self.assertEqual(deal.score_reason, "No e-mail is known")

    def test_details_survive_a_deleted_factor(self):
        deal = self._create_deal(priority="3")
        self.factor_priority.unlink()
        deal.invalidate_recordset()
        self.assertIn("Priority", deal.score_details)

    def test_days_are_said_in_words(self):
        self.factor_stage.sentence = "{days} in the stage"
        deal = self._create_deal()
        lead = deal.with_context(lang="en_US")
        words = lead._format_days
        self.assertEqual([words(n) for n in (1, 2.4, None)], ["1 day", "2 days", ""])
        words = deal.with_context(lang="ru_RU")._format_days
        self.assertEqual([words(n) for n in (1, 3, 8)], ["1 день", "3 дня", "8 дней"])
        deal.date_last_stage_update = fields.Datetime.now() - timedelta(days=31)
        deal._flush_scoring()
        self.assertIn("31 days in the stage", lead.score_details)

    def test_details_compare_with_won_deals(self):
        for _index in range(3):
            self._create_deal(expected_revenue=3000).action_set_won()
        self.env["crm.scorecard.factor"]._refresh_expectations()
        self.assertGreaterEqual(self.factor_revenue.expected_sample, 3)
        deal = self._create_deal()
        self.assertIn("won deals: ", deal.score_details)

    def test_details_speak_the_language_of_the_reader(self):
        self.env["res.lang"]._activate_lang("en_US")
        self.env["res.lang"]._activate_lang("fr_FR")
        self.factor_silent.with_context(lang="fr_FR").sentence = "Pas d'adresse"
        deal = self._create_deal(email_from=False)
        self.assertEqual(deal.score_reason, "No e-mail is known")
        self.assertEqual(deal.with_context(lang="fr_FR").score_reason, "Pas d'adresse")

    # Closed, archived, merged

    def test_closed_and_archived_deals_keep_their_last_score(self):
        won, lost, archived = (self._create_deal() for _index in range(3))
        won.action_set_won()
        lost.action_set_lost()
        archived.active = False
        for deal in won + lost + archived:
            deal.expected_revenue = 50000
            self.env["crm.lead.scoring"]._refresh(deal.ids, fields.Datetime.now())
            self.assertEqual((deal.score_value, deal.score_class), (60, "B"))
        archived.active = True
        self.assertEqual(archived.score_value, 80)

    def test_merge_keeps_history_and_adjustments(self):
        first, second = self._create_deal(), self._create_deal(expected_revenue=20000)
        second.with_user(self.user_sales).adjust_class(-1, "Slow payer")
        count = len(first.score_history_ids) + len(second.score_history_ids)
        merged = (first + second).merge_opportunity()
        merged._flush_scoring()
        self.assertGreaterEqual(len(merged.score_history_ids), count)
        self.assertEqual(merged.class_adjustment_ids.reason, "Slow payer")

    def test_deleted_deal_takes_its_score_along(self):
        deal = self._create_deal()
        lead_id = deal.id
        deal.unlink()
        for model in ("crm.lead.scoring", "crm.lead.score"):
            self.assertFalse(self.env[model].search([("lead_id", "=", lead_id)]))

    def test_copy_starts_afresh(self):
        deal = self._create_deal(expected_revenue=20000)
        deal.with_user(self.user_sales).adjust_class(-1, "Slow payer")
        copy = deal.copy()
        copy._flush_scoring()
        self.assertEqual((copy.class_adjustment, copy.score_class), (0, copy.score_class_auto))
        self.assertFalse(copy.class_adjustment_ids)

    # Search, order, group

    @users("scoring_sales")
    def test_numbers_can_be_searched_sorted_and_grouped(self):
        low = self._create_deal(expected_revenue=0)
        high = self._create_deal(expected_revenue=20000)
        deals = self.env["crm.lead"].search(
            [("id", "in", (low + high).ids)], order="score_value desc"
        )
        self.assertEqual(deals, (high + low).with_env(self.env))
        found = deals.search([("id", "in", deals.ids), ("score_value", ">", 50)])
        self.assertEqual(found.ids, high.ids)
        rows = deals.formatted_read_group(
            [("id", "in", deals.ids)],
            ["score_class"],
            ["score_value:avg", "score_expected_amount:sum"],
        )
        self.assertEqual([row["score_class"] for row in rows], ["A", "C"])
        self.assertEqual([row["score_value:avg"] for row in rows], [80, 40])
        info = deals.fields_get(["score_value", "score_amount_at_risk"])
        for name in ("score_value", "score_amount_at_risk"):
            self.assertTrue(info[name]["sortable"])
            self.assertTrue(info[name]["aggregator"])


@tagged("post_install", "-at_install")
class TestLeadScoreSecurity(ScoringCommon, HttpCase):
    def test_score_fields_cannot_be_written(self):
        deal = self._create_deal()
        attempts = [
            {"score_class": "A"},
            {"class_adjustment": 1},
            {"score_value": 99},
            {"score_probability": 99},
            {"score_peak": 1},
            {"class_adjustment_ids": [(0, 0, {"reason": "x"})]},
            {"score_history_ids": [(5,)]},
            {"name": "Smuggled", "score_class": "A"},
        ]
        for user in (self.user_sales, self.user_manager):
            for vals in attempts:
                with self.assertRaises(AccessError, msg=vals):
                    deal.with_user(user).write(dict(vals))
        with self.assertRaises(AccessError):
            self.env["crm.lead"].with_user(self.user_sales).create(
                {"name": "Forged", "score_class": "A"}
            )
        self.assertEqual((deal.name, deal.score_class, deal.class_adjustment), ("Deal", "B", 0))

    def test_defaults_in_the_context_forge_nothing(self):
        forged = (
            self.env["crm.lead"]
            .with_user(self.user_sales)
            .with_context(default_score_class="A", default_class_adjustment=1)
            .create({"name": "Forged", "type": "opportunity", "expected_revenue": 5})
        )
        forged._flush_scoring()
        self.assertEqual(forged.class_adjustment, 0)
        self.assertEqual(forged.score_class, forged.score_class_auto)

    def test_side_tables_are_read_only_for_everybody(self):
        deal = self._create_deal()
        deal.with_user(self.user_sales).adjust_class(1, "Known buyer")
        for model in ("crm.lead.scoring", "crm.lead.score", "crm.lead.class.adjustment"):
            row = self.env[model].search([("lead_id", "=", deal.id)], limit=1)
            for user in (self.user_sales, self.user_manager):
                row_as_user = row.with_user(user)
                self.assertTrue(row_as_user.has_access("read"))
                with self.assertRaises(AccessError):
                    row_as_user.write({"score_value": 1})
                with self.assertRaises(AccessError):
                    row_as_user.unlink()
                with self.assertRaises(AccessError):
                    row_as_user.create({"lead_id": deal.id})

    def test_history_of_foreign_deals_is_hidden(self):
        deal = self._create_deal()
        rows = self.env["crm.lead.score"].with_user(self.user_other)
        self.assertFalse(rows.search([("lead_id", "=", deal.id)]))
        scores = self.env["crm.lead.scoring"].with_user(self.user_other)
        self.assertFalse(scores.search([("lead_id", "=", deal.id)]))
        self.assertTrue(rows.with_user(self.user_all).search([("lead_id", "=", deal.id)]))

    def test_accountant_reads_scores_and_adjusts_nothing(self):
        accountant = mail_new_test_user(
            self.env, login="scoring_accountant", groups="account.group_account_readonly"
        )
        deal = self._create_deal()
        deal.with_user(self.user_sales).adjust_class(1, "Known buyer")
        names = self.env["crm.lead"]._get_score_fields()
        names = [name for name in names if self.env["crm.lead"]._fields[name].type != "one2many"]
        self.env.invalidate_all()
        [values] = deal.with_user(accountant).read(names)
        self.assertEqual((values["score_value"], values["score_class"]), (60, "A"))
        self.assertIn("Worth", values["score_details"])
        self.assertFalse(deal.with_user(accountant).can_adjust_class)
        with self.assertRaises(AccessError):
            deal.with_user(accountant).adjust_class(0, "No")

    def test_companies_are_apart(self):
        company = self.env["res.company"].create({"name": "Elsewhere"})
        card = self.env["crm.scorecard"].create(
            {"name": "Elsewhere", "company_id": company.id, "base_points": 11}
        )
        deal = self._create_deal(company_id=company.id, user_id=False, team_id=False)
        self.assertEqual((deal.score_value, deal.scorecard_id), (11, card))
        for model in ("crm.lead.score", "crm.lead.scoring"):
            rows = self.env[model].with_user(self.user_manager)
            self.assertFalse(rows.search([("lead_id", "=", deal.id)]))
        cards = self.env["crm.scorecard"].with_user(self.user_manager)
        self.assertNotIn(card, cards.search([]))
        self.assertEqual(self._create_deal().scorecard_id, self.scorecard)

    def test_rpc_cannot_reach_the_engine(self):
        deal = self._create_deal()
        self.authenticate("scoring_manager", "scoring_manager")
        for model, method, args in (
            ("crm.lead.scoring", "_refresh", [[deal.id], "2030-01-01"]),
            ("crm.lead", "_flush_scoring", [[deal.id]]),
            ("crm.lead.scoring.sweep", "_start", []),
            ("crm.lead", "write", [[deal.id], {"score_class": "A"}]),
        ):
            with mute_logger("odoo.http"):
                answer = self.url_open(
                    f"/web/dataset/call_kw/{model}/{method}",
                    json={"params": {"model": model, "method": method, "args": args, "kwargs": {}}},
                ).json()
            self.assertIn("error", answer, method)
        self.assertEqual(deal.score_class, "B")
