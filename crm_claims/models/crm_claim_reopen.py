from datetime import timedelta

from odoo import fields, models
from odoo.exceptions import UserError
from odoo.tools import plaintext2html


class CrmClaim(models.Model):
    """A client has his closed claim taken up again.

    Within the company's number of days after closing, with a reason, which the responsible is told.
    Like every reopening it is counted on the claim.
    """

    _inherit = "crm.claim"

    def _can_customer_reopen(self):
        self.ensure_one()
        claim_sudo = self.sudo()  # sudo: customers do not read settings
        days = claim_sudo.company_id.claim_reopen_days
        return bool(
            claim_sudo.state == "closed"
            and claim_sudo.date_closed
            and not claim_sudo.merged_into_id
            and fields.Datetime.now() <= claim_sudo.date_closed + timedelta(days=days)
            and days
        )

    def _customer_reopen(self, partner, reason):
        """The customer has his claim reopened; called by the portal.

        :param partner: the ``res.partner`` who asks for it
        :param str reason: why; required
        :raises AccessError: the claim is not his; UserError: too late, or not closed
        """
        self.ensure_one()
        self._check_customer(partner)
        reason = (reason or "").strip()
        if not reason:
            raise UserError(self.env._("Say why the claim has to be taken up again."))
        self._lock_for_transition()
        if not self._can_customer_reopen():
            raise UserError(
                self.env._(
                    "Claim %(claim)s cannot be reopened any more. Please file a new one.",
                    claim=self.sudo().name,
                )
            )
        # sudo: customers have no write access; the claim was proved to be his
        claim_sudo = self.sudo()
        claim_sudo.action_reopen()
        claim_sudo._log_customer(partner, self.env._("The client reopened the claim."), reason)
        user = claim_sudo._get_alarm_user()
        if user:
            claim_sudo.activity_schedule(
                "mail.mail_activity_data_todo",
                summary=self.env._("The client has reopened the claim"),
                note=plaintext2html(reason),
                user_id=user.id,
            )
