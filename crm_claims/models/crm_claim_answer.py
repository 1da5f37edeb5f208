from markupsafe import Markup
from odoo import api, fields, models
from odoo.addons.crm_claims.models.crm_claim_stage import ANSWERABLE_STATES
from odoo.exceptions import AccessError, UserError


class CrmClaim(models.Model):
    """What the customer says to the decision.

    Only two parties answer: the customer, through the portal, which calls the private
    ``_customer_...`` methods with the partner who is logged in; and a claims manager, who
    gives a reason that is kept. Everything else is refused, since the answer's fields cannot be
    written directly.

    - Accepted: the claim is closed and the customer is asked for a rating.
    - Not accepted (with a reason): the claim is reopened, and its responsible is told.
    - Withdrawn: a claim that is not decided yet is cancelled.
    """

    _inherit = "crm.claim"

    # ------------------------------------------------------------------
    # Customer
    # ------------------------------------------------------------------

    def _customer_accept(self, partner, reason=None):
        """The customer accepts the decision; the claim is closed.

        :param partner: the ``res.partner`` who answers
        :param str reason: optional remark
        :raises AccessError: the claim is not his; UserError: nothing to answer now
        """
        self._check_customer(partner)
        self._answer("accepted", reason, partner)

    def _customer_reject(self, partner, reason):
        """The customer does not accept the decision and says why; the claim is reopened."""
        self._check_customer(partner)
        self._answer("rejected", reason, partner)

    def _customer_cancel(self, partner, reason):
        """The customer withdraws a claim that has not been decided."""
        self.ensure_one()
        self._check_customer(partner)
        self._lock_for_transition()
        # sudo: customers have no write access; the claim was proved to be his
        self.sudo()._move_to("cancelled")
        self._log_customer(partner, self.env._("The client withdrew the claim."), reason)

    def _check_customer(self, partner):
        self.ensure_one()
        mine = partner and partner.commercial_partner_id == self.sudo().commercial_partner_id
        if not mine:
            raise AccessError(self.env._("Only the client of this claim can do this."))

    # ------------------------------------------------------------------
    # Manager on behalf of the customer
    # ------------------------------------------------------------------

    def action_record_answer(self, answer, reason):
        """Record the answer that the customer gave outside the portal.

        :param str answer: ``accepted`` or ``rejected``
        :param str reason: how the manager knows; kept on the claim
        """
        self.ensure_one()
        self.check_access("write")
        if not self.env.user.has_group("crm_claims.crm_claims_group_manager"):
            raise AccessError(
                self.env._("Only a claims administrator answers for the client, with a reason.")
            )
        if not (reason or "").strip():
            raise UserError(self.env._("Give the reason why you answer for the client."))
        self._answer(answer, reason, self.env.user.partner_id)

    # ------------------------------------------------------------------
    # Both
    # ------------------------------------------------------------------

    @api.private
    def _answer(self, answer, reason, author):
        """Write the answer and move the claim accordingly."""
        self.ensure_one()
        reason = (reason or "").strip()
        self._lock_for_transition()
        claim_sudo = self.sudo()  # sudo: the answer's fields are controlled; callers checked who
        if claim_sudo.state not in ANSWERABLE_STATES or claim_sudo.customer_answer:
            raise UserError(
                self.env._(
                    "Claim %(claim)s has no decision that waits for an answer.",
                    claim=claim_sudo.display_name,
                )
            )
        if answer not in ("accepted", "rejected"):
            raise UserError(self.env._("The answer is either accepted or not accepted."))
        if answer == "rejected" and not reason:
            raise UserError(self.env._("Say why the decision is not acceptable."))
        claim_sudo.write(
            {
                "customer_answer": answer,
                "customer_answer_reason": reason or False,
                "customer_answer_date": fields.Datetime.now(),
            }
        )
        if answer == "accepted":
            self._log_customer(author, self.env._("The decision was accepted."), reason)
            claim_sudo._move_to("closed")
            claim_sudo._send_rating_request()
        else:
            self._log_customer(author, self.env._("The decision was not accepted."), reason)
            claim_sudo._move_to("investigating")
            claim_sudo._schedule_rejection_activity(reason)

    def _log_customer(self, author, text, reason):
        body = Markup("<p>%s</p>") % text
        if reason:
            body += Markup("<p>%s</p>") % reason
        # sudo: customers have no right to post internal notes
        self.sudo().message_post(
            body=body, author_id=author.id, message_type="comment", subtype_xmlid="mail.mt_note"
        )

    def _schedule_rejection_activity(self, reason):
        for claim in self:
            user = claim.user_id or claim.team_id.user_id
            if user:
                claim.activity_schedule(
                    "mail.mail_activity_data_todo",
                    summary=self.env._("The client does not accept the decision"),
                    note=reason,
                    user_id=user.id,
                )
