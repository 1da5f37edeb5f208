from odoo.addons.base.tests.common import BaseCommon
from odoo.addons.mail.tests.common import mail_new_test_user
from odoo.fields import Command


class ScoringCommon(BaseCommon):
    """A scorecard of its own with easy sums, and a user for each role.

    Base 40; revenue from 1,000: +20, from 10,000: +40; top priority: +10; no e-mail: -30;
    days since the stage changed: from 30 on -25. A from 80, B from 60, C from 30.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["crm.scorecard"].search([]).active = False
        cls.company = cls.env.company
        cls.user_sales, cls.user_other, cls.user_leader = (
            mail_new_test_user(
                cls.env,
                login=login,
                name=login,
                groups="sales_team.group_sale_salesman",
                company_id=cls.company.id,
            )
            for login in ("scoring_sales", "scoring_other", "scoring_leader")
        )
        cls.user_all = mail_new_test_user(
            cls.env,
            login="scoring_all",
            name="scoring_all",
            groups="sales_team.group_sale_salesman_all_leads",
            company_id=cls.company.id,
        )
        cls.user_manager = mail_new_test_user(
            cls.env,
            login="scoring_manager",
            name="scoring_manager",
            groups="sales_team.group_sale_manager",
            company_id=cls.company.id,
        )
        cls.team = cls.env["crm.team"].create(
            {
                "name": "Scoring team",
                "company_id": cls.company.id,
                "user_id": cls.user_leader.id,
                "member_ids": [Command.set(cls.user_sales.ids)],
            }
        )
        cls.stage_new, cls.stage_next, cls.stage_won = cls.env["crm.stage"].create(
            [
                {"name": "Scoring new", "sequence": 1},
                {"name": "Scoring next", "sequence": 2},
                {"name": "Scoring won", "sequence": 90, "is_won": True},
            ]
        )
        cls.scorecard = cls.env["crm.scorecard"].create(
            {
                "name": "Test",
                "base_points": 40,
                "bound_a": 80,
                "bound_b": 60,
                "bound_c": 30,
                "drop_alert_percent": 25,
            }
        )
        cls.factor_revenue = cls._create_measure(
            "Revenue", "expected_revenue", {1000: 20, 10000: 40}, "Worth {value}"
        )
        cls.factor_priority = cls._create_condition(
            "Priority", "[('priority', '=', '3')]", 10, "Top priority <b>"
        )
        cls.factor_silent = cls._create_condition(
            "No e-mail", "[('email_from', '=', False)]", -30, "No e-mail is known"
        )
        cls.factor_stage = cls._create_measure(
            "Stage", "date_last_stage_update", {30: -25}, "{value} days in the stage"
        )

    @classmethod
    def _create_condition(cls, name, domain, points, sentence=False, **values):
        return cls.env["crm.scorecard.factor"].create(
            {
                "scorecard_id": cls.scorecard.id,
                "name": name,
                "domain": domain,
                "points": points,
                "sentence": sentence,
                **values,
            }
        )

    @classmethod
    def _create_measure(cls, name, measure, bands, sentence=False):
        return cls.env["crm.scorecard.factor"].create(
            {
                "scorecard_id": cls.scorecard.id,
                "name": name,
                "kind": "measure",
                "measure": measure,
                "sentence": sentence,
                "band_ids": [
                    Command.create({"lower_bound": bound, "points": points})
                    for bound, points in bands.items()
                ],
            }
        )

    @classmethod
    def _create_deal(cls, **values):
        deal = cls.env["crm.lead"].create(
            {
                "name": "Deal",
                "type": "opportunity",
                "user_id": cls.user_sales.id,
                "team_id": cls.team.id,
                "company_id": cls.company.id,
                "stage_id": cls.stage_new.id,
                "email_from": "buyer@scoring.example.com",
                "expected_revenue": 5000,
                **values,
            }
        )
        deal._flush_scoring()
        return deal
