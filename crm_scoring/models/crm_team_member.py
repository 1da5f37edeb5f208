from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

# What a run has given to a member so far, in the context: ((id of the member, leads), ...).
GIVEN = "crm_scoring_given"


class CrmTeam(models.Model):
    """Odoo's distribution of new leads, class by class.

    Odoo hands the leads of a team to its members in turns, those with the highest probability
    first. Here it does so with the leads of class A, then B, C and D, then with those that have
    no class yet: when the capacity of the day does not do for all, the best find somebody first.
    Domains, preferences, quotas and turns are Odoo's own.
    """

    _inherit = "crm.team"

    def _assign_and_convert_leads(self, force_quota=False):
        result = {}
        for letter in (*"ABCD", False):
            given = tuple((member.id, len(data["assigned"])) for member, data in result.items())
            self.crm_team_member_ids.invalidate_recordset(["lead_day_count"])
            teams = self.with_context(crm_scoring_class=letter, **{GIVEN: given})
            part = super(CrmTeam, teams)._assign_and_convert_leads(force_quota=force_quota)
            for member, data in part.items():
                if member in result:
                    result[member]["assigned"] |= data["assigned"]
                else:
                    result[member] = data
        return result

    def _get_lead_to_assign_domain(self):
        domain = super()._get_lead_to_assign_domain()
        if "crm_scoring_class" not in self.env.context:
            return domain
        letter = self.env.context["crm_scoring_class"]
        return Domain(domain) & Domain("score_class", "=", letter)


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
        if force_quota:  # else what was given today is off already
            quota -= dict(self.env.context.get(GIVEN, ())).get(self.id, 0)
        if quota <= 0:
            return quota
        if self.user_id in self._get_absent_users():
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
    def _get_absent_users(self):
        """Return the users whose time off is approved for today, where it is kept; absences of
        other kinds are looked at in ``crm_extended``."""
        if "hr.leave" not in self.env:
            return self.env["res.users"]
        self.env["hr.leave"].flush_model()
        day = fields.Date.today()
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
