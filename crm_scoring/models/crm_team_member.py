from odoo import api, fields, models
from odoo.tools import SQL


class CrmTeamMember(models.Model):
    """Odoo's distribution of new leads also looks at load and absence.

    Which classes a salesperson gets is said in the domains of the member, where the class is an
    ordinary field. Who is on leave today gets nothing; who has as many open deals as may be gets
    nothing, who has less gets as many as there is room for.
    """

    _inherit = "crm.team.member"

    assignment_open_max = fields.Integer(
        "Open Deals at Most",
        help="No new leads are assigned to whoever has so many open deals. 0: no limit.",
    )

    _check_assignment_open_max = models.Constraint(
        "CHECK(assignment_open_max >= 0)", "The number of open deals cannot be negative."
    )

    def _get_assignment_quota(self, force_quota=False):
        quota = super()._get_assignment_quota(force_quota)
        if quota <= 0:
            return quota
        if self.user_id in self._get_absent_users(fields.Date.today()):
            return 0
        if self.assignment_open_max:
            quota = min(quota, max(0, self.assignment_open_max - self._count_open_deals()))
        return quota

    def _count_open_deals(self):
        """Return how many open deals the member has in all teams."""
        self.ensure_one()
        # sudo: the load of a colleague is a number, whoever distributes
        return (
            self.env["crm.lead"]
            .sudo()
            .search_count([("user_id", "=", self.user_id.id), ("won_status", "=", "pending")])
        )

    @api.model
    def _get_absent_users(self, day):
        """Return the users who are on leave on a day, where time off is kept."""
        if "hr.leave" not in self.env:
            return self.env["res.users"]
        self.env["hr.leave"].flush_model()
        rows = self.env.execute_query(
            SQL(
                """SELECT DISTINCT user_id FROM hr_leave
                    WHERE state = 'validate' AND user_id IS NOT NULL
                      AND request_date_from <= %s AND request_date_to >= %s""",
                day,
                day,
            )
        )
        return self.env["res.users"].browse([user_id for [user_id] in rows])
