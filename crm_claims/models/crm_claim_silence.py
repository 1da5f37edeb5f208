from datetime import timedelta

from odoo import api, fields, models
from odoo.addons.crm_claims.models.crm_claim_stage import ANSWERABLE_STATES
from odoo.addons.crm_extended.tools.apart import run_apart
from odoo.tools import plaintext2html


class CrmClaim(models.Model):
    """The silence of a client closes a claim.

    - A decision that nobody answers for the company's number of days counts as accepted; the claim
      is closed and the client is asked for a rating.
    - Some days before, the client is told so, once. A claim is never closed sooner than those days
      after the notice, even if the notice came late; without any address it goes without saying.
    - What hinders a notice or the closing is kept on the claim and reported to its responsible; the
      notice is tried again every day. The other claims go on.
    - Reopened and decided again, the claim starts over.
    """

    _inherit = "crm.claim"

    date_notice = fields.Datetime(
        "Notice before Closing",
        readonly=True,
        copy=False,
        help="When the client was told that his silence will close the claim.",
    )
    date_silence = fields.Date(
        "Closes without Answer",
        compute="_compute_date_silence",
        help="Day after which the decision counts as accepted if the client keeps silent.",
    )
    silence_error = fields.Char(
        readonly=True, copy=False, help="Why the claim could not be closed by itself."
    )

    _silence_idx = models.Index(
        "(company_id, date_decided) WHERE state IN ('decided', 'rejected')"
        " AND customer_answer IS NULL"
    )

    @api.depends("date_decided", "date_notice", "state", "customer_answer")
    def _compute_date_silence(self):
        for claim in self:
            company = claim.company_id
            is_open_answer = claim.state in ANSWERABLE_STATES and not claim.customer_answer
            if not (is_open_answer and claim.date_decided and company.claim_answer_days):
                claim.date_silence = False
                continue
            moment = claim.date_decided + timedelta(days=company.claim_answer_days)
            if claim.date_notice:
                notice = timedelta(days=company.claim_notice_days)
                moment = max(moment, claim.date_notice + notice)
            claim.date_silence = fields.Datetime.context_timestamp(
                claim.with_context(tz=company._get_claim_timezone().zone), moment
            ).date()

    def _get_silent_domain(self, company, days):
        """Decisions of a company that have gone unanswered for so many days."""
        return [
            ("company_id", "=", company.id),
            ("state", "in", ANSWERABLE_STATES),
            ("customer_answer", "=", False),
            ("date_decided", "<=", fields.Datetime.now() - timedelta(days=days)),
        ]

    @api.model
    def _cron_silence(self, batch_size=200):
        """Give notice of, and close, claims whose decision the client does not answer."""
        cron = self.env["ir.cron"]
        claims = self.sudo()
        # clients come into and leave segments without a word to their claims
        self.env["crm.claim.sla"]._refresh_segment_claims()
        for company in self.env["res.company"].sudo().search([("claim_answer_days", ">", 0)]):
            days, notice = company.claim_answer_days, company.claim_notice_days
            # noticed on the day, at the earliest with the decision itself
            noticed = [
                *self._get_silent_domain(company, max(days - notice, 0)),
                ("date_notice", "=", False),
            ]
            failed = set()
            while batch := claims.search(
                [*noticed, ("id", "not in", list(failed))], order="id", limit=batch_size
            ):
                locked = batch.try_lock_for_update()
                if not locked:
                    break  # somebody works on them; tomorrow
                errors = run_apart(
                    locked, type(self)._send_silence_notice, "Notices before closing claims"
                )
                for claim, error in errors:
                    claim._keep_silence_error(error)
                failed.update(claim.id for claim, __ in errors)
                cron._commit_progress(len(locked))
            over = [
                *self._get_silent_domain(company, days),
                ("date_notice", "<=", fields.Datetime.now() - timedelta(days=notice)),
                ("silence_error", "=", False),
            ]
            while batch := claims.search(over, order="id", limit=batch_size):
                locked = batch.try_lock_for_update(allow_referencing=True)
                if not locked:
                    break
                for claim in locked:
                    for __, error in run_apart(
                        claim, type(self)._close_silently, "Closing of unanswered claims"
                    ):
                        claim._keep_silence_error(error)
                cron._commit_progress(len(locked))
        cron._commit_progress(remaining=0)

    def _send_silence_notice(self):
        """Tell the clients by when they have to answer, once."""
        self.write({"date_notice": fields.Datetime.now(), "silence_error": False})
        self._send_to_customer("crm_claims.mail_template_silence")

    def _close_silently(self):
        self.ensure_one()
        self._move_to("closed")
        self._message_log(body=self.env._("Closed: the client has not answered the decision."))
        self._send_rating_request()

    def _keep_silence_error(self, error):
        """Show on the claim what hinders its closing, and tell the responsible once."""
        self.ensure_one()
        text = str(error) or type(error).__name__
        is_known = bool(self.silence_error)
        self.silence_error = text
        user = self._get_alarm_user()
        if user and not is_known:
            self.activity_schedule(
                "mail.mail_activity_data_todo",
                summary=self.env._("The claim could not be closed by itself"),
                note=plaintext2html(text),
                user_id=user.id,
            )
