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
        _ = self.env._
        claim = self.sudo()  # sudo: a gap tells that something is missing, not what is there
        over = claim.state in ("decided", "rejected", "closed")
        gaps = [
            (
                not (claim.partner_id or claim.email_from or claim.partner_phone),
                _("No way to reach the claimant is recorded."),
            ),
            (is_html_empty(claim.description), _("The complaint is not described.")),
            (not claim.category_id, _("The category is not set.")),
            (not claim.date_acknowledged, _("Receipt was not acknowledged to the client.")),
            (
                claim.date_acknowledged and not claim.is_acknowledgement_sent,
                _("No acknowledgement was sent by mail."),
            ),
            (not claim.user_id, _("Nobody is responsible.")),
            (not claim.cause_id, _("The cause is not found.")),
            (not claim.fault_ids, _("Nobody is named as guilty, inside or outside.")),
            (not claim.investigation_ids, _("There is no investigation.")),
        ]
        if claim.state == "cancelled":
            return []
        gaps += claim._get_investigation_gaps()
        gaps += [
            (not over, _("No decision is announced.")),
            (over and is_html_empty(claim.decision_text), _("The decision has no reasons.")),
            (
                claim.decision == "rejected" and is_html_empty(claim.recourse),
                _("The client was not told what he can do against the decision."),
            ),
            *(
                (True, _("Granted, but not carried out: %s", remedy.display_name))
                for remedy in claim.remedy_ids
                if remedy.state in ("granted", "progress")
            ),
            (over and not claim.customer_answer, _("The client has not answered the decision.")),
            (over and claim.state != "closed", _("The claim is not closed.")),
            (
                claim.state == "closed" and not claim.rating_last_value,
                _("The client has not rated how the claim was handled."),
            ),
        ]
        return [text for lacks, text in gaps if lacks]

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
