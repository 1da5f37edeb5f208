from collections import defaultdict

from odoo import api, fields, models
from odoo.addons.crm_claims.models.crm_claim_stage import ANSWERABLE_STATES
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tools import is_html_empty

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
            "date_decided",
            "date_closed",
            "waiting_since",
            "is_acknowledgement_sent",
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
        vals_list = [dict(vals) for vals in vals_list]
        for vals in vals_list:
            state = vals.pop("state", False)
            if state and not vals.get("stage_id"):
                vals["stage_id"] = self._get_stage_of_state(state).id
            if not vals.get("stage_id"):
                # named, like the fields below, so that what a client sends as a default is
                # checked as if it were a value
                vals["stage_id"] = (
                    self.default_get(["stage_id"]).get("stage_id")
                    or self._get_stage_of_state("new").id
                )
            for name in self._get_controlled_fields() - {"name"}:
                vals.setdefault(name, False)
            vals.pop("is_open", None)
        self._check_creation_rights(vals_list)
        claims = super(CrmClaim, self._defer_line_lock()).create(vals_list).with_env(self.env)
        for claim in claims:
            if claim.state != "new":
                stamps = {
                    name: value
                    for name, value in claim._prepare_transition_stamps("new", claim.state).items()
                    if not claim[name]
                }
                if stamps:
                    # sudo: stamps are controlled fields
                    super(CrmClaim, claim.sudo()).write(stamps)
                claim._check_required_content()
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
            self = self._defer_line_lock()  # noqa: PLW0642
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
        if stage.state not in ("rejected", "cancelled"):
            moving.line_ids._check_quantity()
        return True

    # ------------------------------------------------------------------
    # Checks
    # ------------------------------------------------------------------

    def _check_creation_rights(self, vals_list):
        """Only managers (and the system) create claims that are past their beginning."""
        if self.env.su or self.env.user.has_group("crm_claims.crm_claims_group_manager"):
            return
        stages = self.env["crm.claim.stage"]
        controlled = self._get_controlled_fields() - {"name"}
        for vals in vals_list:
            stage = stages.browse(vals.get("stage_id"))
            given = [name for name in controlled if vals.get(name)]
            if (stage and stage.state != "new") or given or vals.get("name", "/") not in ("/", ""):
                raise AccessError(
                    self.env._(
                        "A claim starts as new, without a number and dates of later steps. "
                        "Only a claims administrator enters claims that are past that."
                    )
                )

    def _check_controlled_fields(self, vals):
        """Refuse direct writes of fields that are results; business methods write them as
        superuser after their own checks."""
        if self.env.su:
            return
        given = sorted(self._get_controlled_fields() & vals.keys())
        if given:
            labels = ", ".join(self._fields[name]._description_string(self.env) for name in given)
            raise AccessError(
                self.env._(
                    "These fields are filled by the buttons of the claim only: %(fields)s.",
                    fields=labels,
                )
            )

    def _check_lines_unlocked(self):
        if not self.env["crm.claim.line"]._is_lock_deferred():
            self._check_decision_open({"line_ids": None})

    def _check_decision_open(self, vals):
        if self.env.su or not self._get_decision_fields() & vals.keys():
            return
        for claim in self:
            if claim.state in (*ANSWERABLE_STATES, "closed"):
                raise UserError(
                    self.env._(
                        "Claim %(claim)s has been decided already, on %(date)s. "
                        "Reopen it to change the decision.",
                        claim=claim.display_name,
                        date=fields.Datetime.context_timestamp(
                            claim, claim.date_decided or claim.write_date
                        ).strftime("%Y-%m-%d %H:%M"),
                    )
                )

    def _defer_line_lock(self):
        """Self whose nested changes of items were checked against the decision already."""
        return self.env["crm.claim.line"]._with_lock_deferred(self)

    def _check_same_team_stage(self, state):
        if len(self.team_id) > 1:
            raise UserError(self.env._("Claims of several teams are moved by stage, not by state."))

    def _check_transition(self, stage):
        """Refuse an illegal move of one claim to ``stage``."""
        self.ensure_one()
        if self.state == stage.state:
            return
        if stage.state not in self._get_transitions().get(self.state, ()):
            names = dict(stage._fields["state"]._description_selection(self.env))
            allowed = ", ".join(
                names[state] for state in names if state in self._get_transitions()[self.state]
            )
            raise UserError(
                self.env._(
                    "Claim %(claim)s cannot go from %(origin)s to %(target)s. "
                    "Possible now: %(allowed)s.",
                    claim=self.display_name,
                    origin=names[self.state],
                    target=names[stage.state],
                    allowed=allowed,
                )
            )
        if stage.state == "closed":
            self._check_closable()

    def _can_close(self):
        """Whether the decision was accepted, or left unanswered long enough."""
        self.ensure_one()
        if self.customer_answer:
            return self.customer_answer == "accepted"
        days = self.company_id.claim_answer_days
        return bool(
            days
            and self.date_decided
            and fields.Datetime.now() >= fields.Datetime.add(self.date_decided, days=days)
        )

    def _check_closable(self):
        self.ensure_one()
        if not self._can_close():
            raise UserError(
                self.env._(
                    "The client has not accepted the decision on claim %(claim)s. He does so in "
                    "the portal, or a claims administrator records his answer with a reason; "
                    "without an answer the claim can be closed %(days)s days after the decision.",
                    claim=self.display_name,
                    days=self.company_id.claim_answer_days,
                )
            )

    def _check_required_content(self):
        """Refuse states that lack what they need, naming the missing fields."""
        required = self._get_required_fields()
        for claim in self:
            missing = [
                claim._fields[name]._description_string(self.env)
                for name in required.get(claim.state, ())
                if not claim._has_content(name)
            ]
            if missing:
                states = dict(claim.stage_id._fields["state"]._description_selection(self.env))
                raise ValidationError(
                    self.env._(
                        "Claim %(claim)s cannot be %(state)s yet. Fill in: %(fields)s.",
                        claim=claim.display_name,
                        state=states[claim.state],
                        fields=", ".join(missing),
                    )
                )
            if (claim.state == "decided" and claim.decision == "rejected") or (
                claim.state == "rejected" and claim.decision != "rejected"
            ):
                raise ValidationError(
                    self.env._(
                        "The decision on claim %(claim)s does not fit its stage: a decision "
                        "Rejected belongs in a stage with the state Rejected, any other one in "
                        "Decided.",
                        claim=claim.display_name,
                    )
                )

    def _has_content(self, name):
        """Whether a field says something; an empty HTML paragraph does not."""
        value = self[name]
        if self._fields[name].type == "html":
            return not is_html_empty(value)
        return bool(value)

    def _lock_for_transition(self):
        """Lock the rows of ``self`` so that only one user at a time moves a claim.

        A row that somebody else holds is reported; a row that somebody else has just changed
        makes PostgreSQL restart the request, which then meets the new state and its checks.
        """
        saved = self.filtered("id")
        locked = saved.try_lock_for_update(allow_referencing=True)
        busy = saved - locked
        if busy:
            raise UserError(
                self.env._(
                    "Claim %(claim)s is being changed by somebody else at this moment. "
                    "Reload it and look before you try again.",
                    claim=busy[0].display_name,
                )
            )

    # ------------------------------------------------------------------
    # Stamps
    # ------------------------------------------------------------------

    def _prepare_transition_stamps(self, source, target):
        """Values that a move of one claim from state ``source`` to ``target`` writes."""
        self.ensure_one()
        now = fields.Datetime.now()
        stamps = {"waiting_since": now if target == "waiting_client" else False}
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
                "customer_answer": False,
                "customer_answer_reason": False,
                "customer_answer_date": False,
            }
        return stamps

    @api.model
    def _is_reopening(self, source, target):
        return source in REOPENABLE_STATES and target not in (*REOPENABLE_STATES, source)
