from odoo import models
from odoo.tools import is_html_empty


class CrmClaim(models.Model):
    """The printed record of a claim (ISO 10002, annex on what is recorded), and what it lacks."""

    _inherit = "crm.claim"

    def _get_dossier_gaps(self):
        """What the record of this claim still lacks, in the order of its steps.

        :return: list of sentences; empty when the record is complete
        """
        self.ensure_one()
        claim = self.sudo()  # sudo: a gap tells that something is missing, not what is there
        over = claim.state in ("decided", "rejected", "closed")
        closed = claim.state == "closed"
        rejected = claim.decision == "rejected"
        todo = claim.remedy_ids.filtered(lambda row: row.state in ("granted", "progress"))
        gaps = [
            (
                not (claim.partner_id or claim.email_from or claim.partner_phone),
                self.env._("No way to reach the claimant is recorded."),
            ),
            (is_html_empty(claim.description), self.env._("The complaint is not described.")),
            (not claim.category_id, self.env._("The category is not set.")),
            (
                not claim.date_acknowledged,
                self.env._("Receipt was not acknowledged to the client."),
            ),
            (
                claim.date_acknowledged and not claim.is_acknowledgement_sent,
                self.env._("No acknowledgement was sent by mail."),
            ),
            (not claim.user_id, self.env._("Nobody is responsible.")),
            (not claim.cause_id, self.env._("The cause is not found.")),
            (not claim.fault_ids, self.env._("Nobody is named as guilty, inside or outside.")),
            (not claim.investigation_ids, self.env._("There is no investigation.")),
        ]
        if claim.state == "cancelled":
            return []
        gaps += claim._get_investigation_gaps()
        gaps += [
            (not over, self.env._("No decision is announced.")),
            (
                over and is_html_empty(claim.decision_text),
                self.env._("The decision has no reasons."),
            ),
            (
                rejected and is_html_empty(claim.recourse),
                self.env._("The client was not told what he can do against the decision."),
            ),
            *claim._get_remedy_gaps(todo),
            (
                over and not claim.customer_answer,
                self.env._("The client has not answered the decision."),
            ),
            (over and not closed, self.env._("The claim is not closed.")),
            (
                closed and not claim.rating_last_value,
                self.env._("The client has not rated how the claim was handled."),
            ),
        ]
        return [text for lacks, text in gaps if lacks]

    def _get_remedy_gaps(self, remedies):
        return [
            (True, self.env._("Granted, but not carried out: %s", remedy.display_name))
            for remedy in remedies
        ]

    def _get_investigation_gaps(self):
        return [
            (
                investigation.state not in ("done", "cancelled"),
                self.env._("Investigation %s is not concluded.", investigation.name),
            )
            for investigation in self.investigation_ids
        ]

    def _get_dossier_sees_guilt(self):
        """Guilt is printed for those who may read it on the screen."""
        return self.env["crm.claim.fault"].has_access("read")
