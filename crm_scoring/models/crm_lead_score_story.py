from itertools import pairwise

from markupsafe import Markup
from odoo import api, fields, models
from odoo.tools import SQL, format_date

from ..tools.scoring import reasons_from_array

# Changes told, the heaviest first.
STORY_LENGTH = 8


class CrmLead(models.Model):
    """Tells what happened to a deal since its score was highest: which reasons came, went or
    changed, when and through whom, those that cost most first."""

    _inherit = "crm.lead"

    score_story = fields.Html(
        "Since the Highest Score", compute="_compute_score_story", sanitize=False
    )

    @api.depends_context("lang")
    @api.depends("score_value", "score_drop")
    def _compute_score_story(self):
        for lead in self:
            changes = lead._get_changes_since_peak() if lead.score_drop else []
            lead.score_story = lead._render_score_story(changes) if changes else False

    def _get_changes_since_peak(self):
        """Return the changes of the score since its highest value.

        :return: list of dict(points, text, date, user), the heaviest loss first, gains last
        """
        self.ensure_one()
        # sudo: who reads the deal reads its history
        self.env["crm.lead.score"].sudo().flush_model()
        rows = self.env.execute_query(
            SQL(
                """SELECT date, user_id, reasons, details FROM crm_lead_score
                    WHERE lead_id = %s AND date >= %s ORDER BY date, id""",
                self._origin.id,
                self.score_peak_date,
            )
        )
        steps = []
        for date, user_id, array, details in rows:
            data = reasons_from_array(array) if array else details or {}
            steps.append((date, user_id, {e["factor"]: e for e in data.get("factors", [])}))
        ids = {factor for _date, _user, entries in steps for factor in entries}
        factors_sudo = self.env["crm.scorecard.factor"].sudo().with_context(active_test=False)
        factors = {f.id: f for f in factors_sudo.search([("id", "in", list(ids))])}
        changes = []
        for (_date, _user, before), (date, user_id, after) in pairwise(steps):
            for factor_id in {*before, *after}:
                old, new = before.get(factor_id), after.get(factor_id)
                points = (new["points"] if new else 0) - (old["points"] if old else 0)
                if points:
                    text = self._get_score_reason(new or old, factors.get(factor_id))["text"]
                    if not new:
                        text = self.env._("no longer: %(reason)s", reason=text)
                    changes.append({"points": points, "text": text, "date": date, "user": user_id})
        return sorted(changes, key=lambda c: (c["points"], c["date"], c["text"]))

    def _render_score_story(self, changes):
        """Build the HTML from escaped parts only."""
        # sudo: the name of who changed a deal that the reader sees
        users_sudo = self.env["res.users"].sudo()
        rows = Markup().join(
            Markup(
                '<tr><td class="text-end pe-3 fw-bold text-nowrap {color}">{points}</td>'
                '<td>{text} <span class="text-muted">{when}, {who}</span></td></tr>'
            ).format(
                color="text-success" if change["points"] > 0 else "text-danger",
                points=f"{change['points']:+g}",
                text=change["text"],
                when=format_date(self.env, change["date"]),
                who=users_sudo.browse(change["user"]).name
                if change["user"]
                else self.env._("in the course of time"),
            )
            for change in changes[:STORY_LENGTH]
        )
        return Markup('<table class="o_crm_score_details mb-2"><tbody>{}</tbody></table>').format(
            rows
        )
