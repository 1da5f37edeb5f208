from datetime import timedelta

from odoo import api, fields, models
from odoo.fields import Domain

#: whoever is in a team for a shorter time was put there by mistake
LEAST_STAY = timedelta(minutes=10)


class CrmTeamPast(models.Model):
    """A main team that somebody has left: what he did there counts for it afterwards, too.

    - Written when somebody changes his main team, or leaves it, on whatever road. The present team
      is not here: it is ``res.users.sale_team_id``.
    - At some moment somebody was in the team of the first row that ends later, else in the present
      one. So what he did before he was in any team goes with him into the first.
    - Written by the system only. What happened before this was kept counts for the team that was
      the main one then.
    """

    _name = "crm.team.past"
    _description = "Team That Somebody Has Left"
    _order = "user_id, date_to"
    _rec_name = "user_id"
    _log_access = False

    user_id = fields.Many2one(
        "res.users", "Person", required=True, readonly=True, index=True, ondelete="cascade"
    )
    team_id = fields.Many2one(
        "crm.team", "Team", readonly=True, index="btree_not_null", ondelete="set null"
    )
    date_from = fields.Datetime("From", readonly=True, help="Empty: from the beginning.")
    date_to = fields.Datetime("Until", required=True, readonly=True)

    @api.model
    def _keep(self, before, now=None):
        """Note who has left his main team.

        :param dict before: id of a user → id of the main team until now, or False
        :param datetime now: naive, UTC
        """
        now = now or fields.Datetime.now()
        # sudo: the past is kept whoever changes the team
        self_sudo = self.sudo()
        users = self_sudo.env["res.users"].browse(before).exists()
        left = users.filtered(
            lambda user: before[user.id] and before[user.id] != user.sale_team_id.id
        )
        if not left:
            return
        ends = dict(
            self_sudo._read_group([("user_id", "in", left.ids)], ["user_id"], ["date_to:max"])
        )
        teams = self_sudo.env["crm.team"].browse({before[user.id] for user in left}).exists().ids
        self_sudo.create(
            [
                {
                    "user_id": user.id,
                    "team_id": before[user.id],
                    "date_from": ends.get(user, False),
                    "date_to": now,
                }
                for user in left
                if before[user.id] in teams and (user not in ends or now - ends[user] >= LEAST_STAY)
            ]
        )

    @api.model
    def _get_main_teams(self, users):
        """:return: dict id of a user → id of his main team or False"""
        # sudo: teams of colleagues
        return {user.id: user.sale_team_id.id for user in users.sudo().exists()}

    @api.model
    def _get_domain(self, user_field, date_field, is_date, team_field, team_ids, period):
        """Domain of the records of somebody who was in one of these teams at their date.

        :param bool is_date: whether the date has no time: the day of a change counts for the team
            in which it began
        :param str team_field: the present main team
        :param list team_ids: ids; False for no team
        :param tuple period: moments between which the dates lie
        """
        # sudo: the same whoever asks; what he sees is said by his other conditions
        rows = self.sudo().search(
            Domain("date_to", ">", period[0])
            & (Domain("date_from", "=", False) | Domain("date_from", "<", period[1]))
        )

        def get_before(moment):
            if not is_date:
                return Domain(date_field, "<", moment)
            midnight = moment == fields.Datetime.to_datetime(moment.date())
            return Domain(date_field, "<" if midnight else "<=", moment.date())

        present, past = Domain(team_field, "in", team_ids), []
        for user, stays in rows.grouped("user_id").items():
            whose = Domain(user_field, "=", user.id)
            present &= ~(whose & get_before(max(stays.mapped("date_to"))))
            for stay in stays.filtered(lambda row: row.team_id.id in team_ids):
                began = ~get_before(stay.date_from) if stay.date_from else Domain.TRUE
                past.append(whose & began & get_before(stay.date_to))
        return present | Domain.OR(past) if past else present


class CrmTeamMember(models.Model):
    """Whoever leaves a team leaves his figures there."""

    _inherit = "crm.team.member"

    @api.model_create_multi
    def create(self, vals_list):
        Past = self.env["crm.team.past"]
        users = self.env["res.users"].browse(
            {vals["user_id"] for vals in vals_list if vals.get("user_id")}
        )
        before = Past._get_main_teams(users)
        members = super().create(vals_list)
        Past._keep(before)
        return members

    def write(self, vals):
        if {"active", "user_id", "crm_team_id"}.isdisjoint(vals):
            return super().write(vals)
        Past = self.env["crm.team.past"]
        users = self.user_id | self.env["res.users"].browse(vals.get("user_id") or [])
        before = Past._get_main_teams(users)
        res = super().write(vals)
        Past._keep(before)
        return res

    def unlink(self):
        Past = self.env["crm.team.past"]
        before = Past._get_main_teams(self.user_id)
        res = super().unlink()
        Past._keep(before)
        return res
