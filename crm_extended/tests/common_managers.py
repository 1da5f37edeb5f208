from datetime import datetime

from odoo import Command
from odoo.addons.base.tests.common import BaseCommon
from odoo.tests import new_test_user

#: a Friday; the 17th of 20 working days of February 2026 is gone on the 24th
FEBRUARY = ((2026, 2, 1), (2026, 2, 28))


class ManagersCommon(BaseCommon):
    """Two teams with their head, people, deals and orders of February 2026.

    ``north`` is led by ``head`` and has ``anna``, ``boris`` and ``clara``; ``south`` has ``dan``.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company = cls.env.company
        own = "base.group_user,sales_team.group_sale_salesman"
        everything = "base.group_user,sales_team.group_sale_salesman_all_leads"
        manager = "base.group_user,sales_team.group_sale_manager"
        cls.anna = new_test_user(cls.env, "mgr_anna", groups=own, tz="Europe/Moscow")
        cls.boris = new_test_user(cls.env, "mgr_boris", groups=own, tz="Europe/Moscow")
        cls.clara = new_test_user(cls.env, "mgr_clara", groups=own, tz="Europe/Moscow")
        cls.dan = new_test_user(cls.env, "mgr_dan", groups=own, tz="Europe/Moscow")
        cls.head = new_test_user(cls.env, "mgr_head", groups=everything, tz="Europe/Moscow")
        cls.admin = new_test_user(cls.env, "mgr_admin", groups=manager, tz="Europe/Moscow")
        cls.north, cls.south = cls.env["crm.team"].create(
            [
                {
                    "name": "North",
                    "user_id": cls.head.id,
                    "member_ids": [Command.set((cls.anna | cls.boris | cls.clara).ids)],
                },
                {"name": "South", "member_ids": [Command.set(cls.dan.ids)]},
            ]
        )
        cls.won_stage = cls.env["crm.stage"].search([("is_won", "=", True)], limit=1)
        cls.open_stage = cls.env["crm.stage"].search([("is_won", "=", False)], limit=1)
        cls.buyer = cls.env["res.partner"].create({"name": "Metric Buyer", "is_company": True})
        cls.product = cls.env["product.product"].create({"name": "Metric Thing"})

    @classmethod
    def _make_deal(cls, user, revenue, closed=None, won=True, team=None, **values):
        """A deal of a salesperson, closed at a moment (naive UTC) or open."""
        lead = cls.env["crm.lead"].create(
            {
                "name": f"Deal of {user.login}",
                "type": "opportunity",
                "user_id": user.id,
                "team_id": (team or user.sale_team_id).id,
                "expected_revenue": revenue,
                "partner_id": cls.buyer.id,
                "company_id": cls.company.id,
                "stage_id": cls.open_stage.id,
                **values,
            }
        )
        if closed and won:
            lead.write({"stage_id": cls.won_stage.id, "probability": 100})
        elif closed:
            lead.action_set_lost()
        if closed:
            lead.date_closed = closed
        return lead

    @classmethod
    def _make_order(cls, user, amount, date, team=None, partner=None, **values):
        order = cls.env["sale.order"].create(
            {
                "partner_id": (partner or cls.buyer).id,
                "user_id": user.id,
                "team_id": (team or user.sale_team_id).id,
                "order_line": [
                    Command.create(
                        {
                            "product_id": cls.product.id,
                            "product_uom_qty": 1,
                            "price_unit": amount,
                            "tax_ids": [Command.clear()],
                        }
                    )
                ],
                **values,
            }
        )
        order.action_confirm()
        order.date_order = date
        return order

    def _get_figures(self, codes, periods, user=None, group="user", **filters):
        """Figures of metrics by their codes, as a user sees them: code → list of dicts."""
        env = self.env(user=user or self.admin, context={})
        metrics = env["crm.metric"].search([("code", "in", codes)])
        figures = metrics._get_figures(periods, group, filters)
        return {metric.code: figures[metric.id] for metric in metrics}

    @staticmethod
    def _at(day, hour=12, month=2, year=2026, minute=0):
        return datetime(year, month, day, hour, minute)
