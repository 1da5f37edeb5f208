from odoo import api, models
from odoo.tools import SQL

#: fewer colleagues than this have no average: it would tell the figure of one of them
LEAST_PEERS = 3


class CrmMetric(models.Model):
    """Whose figures somebody sees, and with whose rights they are read.

    - Sales administrators see everybody. The head of a team sees what belongs to his teams (the
      team of the record, so that somebody who has changed team leaves his past behind) and his
      own. Anybody else sees his own figures and the average of his team.
    - Figures that carry a name are read with the rights of whoever asks, so that each opens
      exactly the records it counts. Only the head of a team who may read no documents but his
      own gets the figures of his team under sudo, narrowed to that team, and the list behind a
      figure then shows what he may open.
    - The average of a team is read under sudo, within the companies of the user, and told only
      for teams of three or more.
    """

    _inherit = "crm.metric"

    @api.model
    def _get_audience(self):
        """Whose figures the user may see.

        :return: dict of ``kind`` ("all", "head", "self"), ``team_ids`` (teams that he leads),
            ``user_id``
        """
        user = self.env.user
        if self.env.su or user.has_group("sales_team.group_sale_manager"):
            return {"kind": "all", "team_ids": [], "user_id": user.id}
        # sudo: which teams one leads oneself
        Team_sudo = self.env["crm.team"].sudo().with_context(active_test=False)
        teams = Team_sudo.search([("user_id", "=", user.id)])
        return {"kind": "head" if teams else "self", "team_ids": teams.ids, "user_id": user.id}

    @api.model
    def _needs_sudo(self, audience):
        """Whether the figures of a team are out of reach for its own head."""
        return audience["kind"] == "head" and not self.env.user.has_group(
            "sales_team.group_sale_salesman_all_leads"
        )

    def _get_audience_condition(self, Model, query, audience):
        """What of the records the user may be told about, as SQL; None for everything."""
        if audience["kind"] == "all":
            return None
        own = SQL("%s = %s", self._get_path_sql(Model, self.user_field, query), audience["user_id"])
        if audience["kind"] == "self":
            return own
        team = self._get_team_sql(Model, query)
        return SQL("(%s IN %s OR %s)", team, tuple(audience["team_ids"]), own)

    @api.model
    def _get_peers(self):
        """The people of the user's main team, himself included; of his company if he has none.

        :rtype: res.users
        """
        user = self.env.user
        # sudo: only numbers of these people are told, and never of fewer than three
        users_sudo = self.env["res.users"].sudo()
        team = user.sudo().sale_team_id
        if team:
            return team.crm_team_member_ids.user_id.filtered("active")
        salesmen = self.env.ref("sales_team.group_sale_salesman")
        return users_sudo.search(
            [("all_group_ids", "in", salesmen.ids), ("company_id", "in", self.env.companies.ids)]
        )

    def _get_peer_averages(self, periods, filters=None):
        """What people of the user's team have on average.

        Numbers and sums are divided by the people; averages and ratios are those of the team.

        :param list periods: (first, last) days
        :return: dict metric id → list of figures, one for each period; None where there are
            too few people
        """
        peers = self._get_peers()
        if len(peers) < LEAST_PEERS:
            return {metric.id: [None] * len(periods) for metric in self}
        told = self.filtered(lambda metric: not metric.problem)
        # sudo: only the average leaves this method
        figures = told.sudo()._get_figures(
            periods, filters={**(filters or {}), "user_ids": peers.ids, "team_ids": []}
        )
        return {
            metric.id: [
                metric._get_average(figures[metric.id][index].get(None), len(peers))
                for index in range(len(periods))
            ]
            if metric in told
            else [None] * len(periods)
            for metric in self
        }

    def _get_average(self, total, people):
        """Average of a group, of its total."""
        self.ensure_one()
        if total is None or not self._is_additive():
            return total
        return total / people if people else None
