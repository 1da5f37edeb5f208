from odoo import fields, models
from odoo.addons.crm_claims.models.crm_claim_stage import ANSWERABLE_STATES
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tools import is_html_empty


class CrmClaim(models.Model):
    """What a move of a claim is checked against; the rules are data of the workflow."""

    _inherit = "crm.claim"

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
        checked = self.env["crm.claim.line"]._get_checked_claims() or ()
        self.filtered(lambda claim: claim.id not in checked)._check_decision_open(
            {"line_ids": None}
        )

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

    def _defer_line_lock(self, checked):
        """Self whose nested changes of items of ``checked`` were checked against the decision."""
        return self.env["crm.claim.line"]._with_lock_deferred(self, checked)

    def _check_same_team_stage(self, state):
        if len(self.team_id) > 1:
            raise UserError(self.env._("Claims of several teams are moved by stage, not by state."))

    def _check_transition(self, stage):
        """Refuse an illegal move of one claim to ``stage``."""
        self.ensure_one()
        if self.state == stage.state:
            return
        self._check_not_merged()
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
