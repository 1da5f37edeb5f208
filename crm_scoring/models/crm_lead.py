from odoo import api, fields, models
from odoo.api import SUPERUSER_ID
from odoo.exceptions import AccessError
from odoo.tools import SQL

from .crm_lead_score_numbers import SIDE_FIELDS

# Deals changed by one transaction that are scored at its end; more wait for the job.
REFRESH_AT_ONCE = 50


class CrmLead(models.Model):
    """A deal with its score.

    The score is computed, never entered: a change of a score field from outside, by
    whatever road, is refused. Whoever disagrees adjusts the class by one step with a
    reason (:meth:`adjust_class`): the salesperson of the deal, the leader of its team
    and those who manage all deals may, while the deal is open.

    A deal whose inputs changed is scored again at the end of the transaction, however
    many times it was written in between; the deals of a mass change wait for the job.
    """

    _inherit = "crm.lead"

    score_class = fields.Selection(
        [("A", "A"), ("B", "B"), ("C", "C"), ("D", "D")],
        "Class",
        readonly=True,
        copy=False,
        help="Computed class with the manual adjustment, from A (best) to D.",
    )

    def init(self):
        """Leave room in the pages: a class that changes, which no index holds, finds room in the
        page of its deal and touches none of the thirty indexes."""
        super().init()
        self.env.cr.execute(SQL("ALTER TABLE crm_lead SET (fillfactor = 90)"))

    # CRUD

    @api.model
    def _get_score_fields(self):
        """Fields that only the refresh and :meth:`adjust_class` write."""
        return [
            *SIDE_FIELDS,
            "score_class",
            "class_adjustment",
            "class_adjustment_ids",
            "class_adjustment_until",
            "class_adjustment_user_id",
            "class_adjustment_date",
            "class_adjustment_reason",
            "score_details",
            "score_reason",
            "score_advice",
            "score_story",
            "score_trend",
            "score_waiting",
            "score_data_enough",
            "score_leaving",
            "score_history_ids",
            "score_history_count",
        ]

    def _check_score_untouched(self, vals):
        touched = vals.keys() & set(self._get_score_fields())
        if touched:
            name = min(touched)
            raise AccessError(
                self.env._(
                    "“%(field)s” is computed and cannot be entered. To disagree with the score, "
                    "raise or lower the class of the deal and say why.",
                    field=self._fields[name]._description_string(self.env),
                )
            )

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            self._check_score_untouched(vals)
        # named, so that a default which the client has stored does not take their place
        named = {"class_adjustment": 0, "class_adjustment_until": False, "score_class": False}
        vals_list = [{**vals, **named} for vals in vals_list]
        # defaults come from the client too
        names = {f"default_{name}" for name in self._get_score_fields()}
        context = {key: val for key, val in self.env.context.items() if key not in names}
        leads = super(CrmLead, self.with_context(context)).create(vals_list)
        leads._schedule_scoring()
        return leads

    def write(self, vals):
        self._check_score_untouched(vals)
        res = super().write(vals)
        if vals.keys() & self.env["crm.scorecard"]._get_input_fields():
            self._schedule_scoring()
        return res

    def _write_class_adjustment(self, vals):
        """Write past our own :meth:`write`, which refuses these fields."""
        return super().write(vals)

    def web_read(self, specification):
        self._flush_scoring()  # a saved form shows the new score at once
        return super().web_read(specification)

    # Refresh

    def _schedule_scoring(self):
        """Score the deals at the end of the transaction, once, however often asked."""
        precommit = self.env.cr.precommit
        if "crm_scoring.pending" not in precommit.data:
            precommit.data["crm_scoring.pending"] = {}
            precommit.add(self.browse()._flush_scoring)
        precommit.data["crm_scoring.pending"].update(dict.fromkeys(self.ids, self.env.uid))
        # whoever reads a number before the end gets the new one
        self.invalidate_recordset([*SIDE_FIELDS, "score_details", "score_reason"], flush=False)

    def _flush_scoring(self):
        """Score the deals scheduled in this transaction, if any, now."""
        pending = self.env.cr.precommit.data.pop("crm_scoring.pending", {})
        if len(pending) > REFRESH_AT_ONCE:
            self.env["crm.lead.scoring.queue"].sudo()._enqueue(sorted(pending))
            return
        now = fields.Datetime.now()
        for author in sorted(set(pending.values())):
            self.env["crm.lead.scoring"]._refresh(
                sorted(lead_id for lead_id, uid in pending.items() if uid == author),
                now,
                None if author == SUPERUSER_ID else author,
            )

    def _merge_dependences_history(self, opportunities):
        """The merged deal keeps the scores and adjustments of all."""
        res = super()._merge_dependences_history(opportunities)
        # sudo: nobody may edit these logs, they only follow their deal
        for model in ("crm.lead.score", "crm.lead.class.adjustment"):
            logs_sudo = self.env[model].sudo().search([("lead_id", "in", opportunities.ids)])
            logs_sudo.write({"lead_id": self.id})
        self._schedule_scoring()
        return res
