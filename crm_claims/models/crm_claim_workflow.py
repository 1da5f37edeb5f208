from collections import defaultdict

from odoo import api, fields, models
from odoo.addons.crm_claims.models.crm_claim_stage import ANSWERABLE_STATES
from odoo.exceptions import UserError

REOPENABLE_STATES = ("decided", "closed", "rejected", "cancelled")


class CrmClaim(models.Model):
    """The way of a claim through its states.

    - Moves are data (``_get_transitions``) and are checked in ``write``, so that a button, the
      board, an import and a remote call all obey them. Two stages of one state are neighbours.
    - Leaving for a state needs content (``_get_required_fields``): nobody decides without a
      cause, nobody rejects without telling the customer his recourse.
    - A move stamps its date. Going back to work from an end state is a reopening: it is
      counted, and the customer's earlier answer is taken off.
    - A decision that was announced is changed by reopening only.
    - A claim is closed when the customer accepted the decision, or when he kept silent for the
      company's number of days, or by a manager on his behalf (``crm_claim_answer.py``).
    - Claims are created new. Only claims managers create them in a later state: history that
      comes with its own dates, for which nothing is sent.
    - Who moves a claim locks its row first; of two handlers who decide at once, the second is
      told who was faster.
    """

    _inherit = "crm.claim"

    # ------------------------------------------------------------------
    # Rules as data
    # ------------------------------------------------------------------

    @api.model
    def _get_transitions(self):
        """Map each state to the states reachable from it; other add-ons extend it."""
        return {
            "new": {"acknowledged", "cancelled"},
            "acknowledged": {
                "investigating",
                "waiting_client",
                "decided",
                "rejected",
                "cancelled",
            },
            "investigating": {"waiting_client", "decided", "rejected", "cancelled"},
            "waiting_client": {
                "acknowledged",
                "investigating",
                "decided",
                "rejected",
                "cancelled",
            },
            "decided": {"closed", "investigating"},
            "rejected": {"closed", "investigating"},
            "closed": {"investigating"},
            "cancelled": {"acknowledged"},
        }

    @api.model
    def _get_required_fields(self):
        """Map each state to the fields without which a claim does not enter it."""
        return {
            "waiting_client": ["waiting_question"],
            "decided": ["cause_id", "decision", "decision_text"],
            "rejected": ["decision", "decision_text", "recourse"],
            "closed": ["decision", "decision_text"],
        }

    @api.model
    def _get_decision_fields(self):
        """Fields that are fixed once the decision is announced."""
        return {
            "decision",
            "decision_text",
            "recourse",
            "remedy_granted",
            "amount_granted",
            "line_ids",
        }

    @api.model
    def _get_controlled_fields(self):
        """Fields that only business methods write: results of a move, never input."""
        return {
            "name",
            "date_acknowledged",
            "date_answered",
            "date_decided",
            "date_closed",
            "date_notice",
            "silence_error",
            "merged_into_id",
            "limit_team_id",
            "waiting_since",
            "waiting_reminded",
            "is_acknowledgement_sent",
            "sla_state",
            "sla_failed",
            "deadlines_stale",
            "reopen_count",
            "customer_answer",
            "customer_answer_reason",
            "customer_answer_date",
        }

    @api.model
    def _get_stage_of_state(self, state, team=None):
        """First stage that has ``state`` and serves ``team``."""
        stages = self.env["crm.claim.stage"].sudo().search([("state", "=", state)])
        if team:
            own = stages.filtered(lambda stage: team.sudo() in stage.team_ids)
            stages = own or stages.filtered(lambda stage: not stage.team_ids)
        if not stages:
            raise UserError(
                self.env._(
                    "There is no stage with the state %(state)s. Add one under "
                    "Claims / Configuration / Stages.",
                    state=dict(self.env["crm.claim.stage"]._fields["state"].selection)[state],
                )
            )
        return stages[:1].sudo(False)

    # ------------------------------------------------------------------
    # CRUD
    # ------------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        vals_list = [
            self._prepare_history_values(vals) if self._is_history(vals) else dict(vals)
            for vals in vals_list
        ]
        stages = {}  # of this batch, by state; without one the default
        for vals in vals_list:
            state = vals.pop("state", False)
            if not vals.get("stage_id"):
                # named, like the fields below, so that what a client sends as a default is
                # checked as if it were a value
                if state not in stages:
                    default = False if state else self.default_get(["stage_id"]).get("stage_id")
                    stages[state] = default or self._get_stage_of_state(state or "new").id
                vals["stage_id"] = stages[state]
            for name in self._get_controlled_fields() - {"name"}:
                vals.setdefault(name, False)
            vals.pop("is_open", None)
        self._check_creation_rights(vals_list)
        for vals in vals_list:
            # the deadlines of a new claim are all in time; the job finds those that are not
            vals |= {"sla_state": "ok", "sla_failed": False, "deadlines_stale": False}
        claims = (
            super(CrmClaim, self._defer_line_lock(self.browse()))
            .create(vals_list)
            .with_env(self.env)
        )
        for claim in claims:
            if claim.state != "new":
                # a past claim has the dates that it brings, and no others
                stamps = (
                    {}
                    if claim.date_closed or claim.date_decided
                    else claim._prepare_transition_stamps("new", claim.state)
                )
                stamps = {name: value for name, value in stamps.items() if not claim[name]}
                if stamps:
                    # sudo: stamps are controlled fields
                    super(CrmClaim, claim.sudo()).write(stamps)
                claim._check_required_content()
        claims._after_move(claims.browse())
        return claims

    def write(self, vals):
        vals = dict(vals)
        vals.pop("is_open", None)
        state = vals.pop("state", False)
        self._check_controlled_fields(vals)
        if state and "stage_id" not in vals:
            self._check_same_team_stage(state)
            vals["stage_id"] = self._get_stage_of_state(state, self.team_id[:1]).id
        self._check_decision_open(vals)
        if "line_ids" in vals:
            # the lines themselves refuse a change of what was decided; here it has been checked
            self = self._defer_line_lock(self)  # noqa: PLW0642
        if "stage_id" not in vals:
            return super().write(vals)
        return self._write_stage(vals)

    def _write_stage(self, vals):
        """Move ``self`` to the stage in ``vals`` after every check, stamping dates."""
        stage = self.env["crm.claim.stage"].browse(vals["stage_id"]).exists()
        if not stage:
            raise UserError(self.env._("The stage of a claim is gone; choose another one."))
        moving = self.filtered(lambda claim: claim.state != stage.state)
        moving._lock_for_transition()
        waiting = moving.filtered(lambda claim: claim.state == "waiting_client")
        by_stamps = defaultdict(self.browse)
        for claim in self:
            claim._check_transition(stage)
            stamps = (
                claim._prepare_transition_stamps(claim.state, stage.state)
                if claim in moving
                else {}
            )
            by_stamps[tuple(sorted(stamps.items()))] += claim
        for stamps, claims in by_stamps.items():
            super(CrmClaim, claims).write(vals | dict(stamps))
        moving._check_required_content()
        moving._after_move(waiting)
        if stage.state not in ("rejected", "cancelled"):
            moving.line_ids._check_quantity()
        return True

    def _after_move(self, waiting):
        """Deadlines after a move of ``self``; ``waiting`` are those that had waited before."""
        now = fields.Datetime.now()
        # sudo: waits are written by moves only
        pauses_sudo = self.env["crm.claim.pause"].sudo()
        waiting.sudo().pause_ids.filtered(lambda pause: not pause.date_to).write({"date_to": now})
        pauses_sudo.create(
            [
                {
                    "claim_id": claim.id,
                    "date_from": claim.waiting_since or now,
                    "question": claim.waiting_question,
                }
                for claim in self
                if claim.state == "waiting_client"
            ]
        )
        self._apply_deadlines()
        waiting._extend_promise()
        self._tell_deals()

    # ------------------------------------------------------------------
    # Stamps
    # ------------------------------------------------------------------

    def _prepare_transition_stamps(self, source, target):
        """Values that a move of one claim from state ``source`` to ``target`` writes."""
        self.ensure_one()
        now = fields.Datetime.now()
        stamps = {
            "waiting_since": now if target == "waiting_client" else False,
            "waiting_reminded": False,
        }
        if target != "waiting_client":
            stamps["waiting_until"] = False
        if target in ("waiting_client", *ANSWERABLE_STATES) and not self.date_answered:
            # a question or a decision is a person's answer
            stamps["date_answered"] = now
        if target not in ("new", "cancelled") and not self.date_acknowledged:
            stamps["date_acknowledged"] = now
        if target in ANSWERABLE_STATES:
            stamps["date_decided"] = now
        if target == "closed" and not self.date_decided:
            stamps["date_decided"] = now
        if target in ("closed", "cancelled"):
            stamps["date_closed"] = now
        if self._is_reopening(source, target):
            stamps |= {
                "reopen_count": self.reopen_count + 1,
                "date_decided": False,
                "date_closed": False,
                "date_notice": False,
                "silence_error": False,
                "customer_answer": False,
                "customer_answer_reason": False,
                "customer_answer_date": False,
            }
        return stamps

    @api.model
    def _is_reopening(self, source, target):
        return source in REOPENABLE_STATES and target not in (*REOPENABLE_STATES, source)
