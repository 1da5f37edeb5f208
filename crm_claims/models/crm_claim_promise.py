from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_date


class CrmClaim(models.Model):
    """The day by which the customer is promised a decision.

    - It is the day of the strictest deadline for the decision, until the claim is acknowledged.
      From then on it is a promise: it moves no more by itself, except that the time in which we
      waited for the customer is added to it.
    - A person moves it with a reason. Whenever it moves, the customer is told the new day and why.
    """

    _inherit = "crm.claim"

    date_promised = fields.Date(
        "Promised Date",
        compute="_compute_date_promised",
        store=True,
        readonly=False,
        precompute=True,
        copy=False,
        tracking=True,
        index=True,
        help="Date by which the client was promised a decision.",
    )
    promise_reason = fields.Text(
        "Reason of the New Date",
        copy=False,
        tracking=True,
        help="Why the promised date was moved; the client reads this.",
    )
    is_acknowledgement_sent = fields.Boolean("Confirmed by Mail", readonly=True, copy=False)

    # written as the ORM asks: PostgreSQL does not see that IS TRUE implies the bare column
    _open_promised_idx = models.Index("(company_id, date_promised) WHERE is_open IS TRUE")
    _open_registered_idx = models.Index("(date_registered DESC) WHERE is_open IS TRUE")
    _open_stage_idx = models.Index(
        "(stage_id, severity DESC, date_promised, id DESC) WHERE is_open IS TRUE"
    )

    @api.depends(lambda self: tuple(sorted(self._get_deadline_triggers())))
    def _compute_date_promised(self):
        now = fields.Datetime.now()
        pending = self.filtered(
            lambda claim: claim.date_registered
            and not (claim.date_acknowledged and claim.date_promised)
        )
        for claim in self - pending:
            # once acknowledged the date is a promise: only people move it
            claim.date_promised = claim.date_promised
        targets, counted = pending.sudo()._get_deadline_targets(), {}
        for claim_sudo in pending.sudo():
            best = claim_sudo._get_strictest(
                targets[claim_sudo].get("decide", []),
                claim_sudo.date_registered,
                [],
                now,
                counted,
            )
            if best:
                claim_sudo.date_promised = claim_sudo._get_deadline_day(best)
            else:
                claim_sudo.date_promised = claim_sudo.date_promised

    def _get_deadline_day(self, values):
        """Local date of a deadline given as values of ``crm.claim.sla.status``."""
        calendar = self.env["resource.calendar"].browse(values["calendar_id"])
        return self.company_id._origin._get_claim_deadline_date(calendar, values["date_deadline"])

    # ------------------------------------------------------------
    # MOVING IT
    # ------------------------------------------------------------

    def write(self, vals):
        if not vals.get("date_promised"):
            return super().write(vals)
        date = fields.Date.to_date(vals["date_promised"])
        promised = self.filtered(lambda claim: claim._is_promise_given())
        moved = promised.filtered(lambda claim: claim.date_promised != date)
        reason = (vals.get("promise_reason") or "").strip()
        if moved and not reason:
            raise UserError(
                self.env._(
                    "Claim %(claim)s was promised a decision by %(date)s. Say why you move the "
                    "date (Reason of the New Date): the client is told.",
                    claim=moved[0].display_name,
                    date=format_date(self.env, moved[0].date_promised),
                )
            )
        result = super().write(vals)
        moved._send_promise_moved()
        return result

    def _is_promise_given(self):
        """Whether the client knows a day by which this claim is decided."""
        self.ensure_one()
        return bool(self.is_open and self.date_promised and self.date_acknowledged)

    def _extend_promise(self):
        """After a wait for the client: what was waited is added to the promised date."""
        for claim in self.filtered(lambda claim: claim._is_promise_given()):
            # sudo: the client's answer moves the date, too
            claim_sudo = claim.sudo()
            status = claim_sudo.sla_status_ids.filtered(
                lambda status: status.target == "decide" and not status.date_done
            )[:1]
            pause = claim_sudo.pause_ids[:1]
            if not status.date_deadline or not pause.date_to:
                continue
            date = claim_sudo.company_id._get_claim_deadline_date(
                status.calendar_id, status.date_deadline
            )
            if date > claim_sudo.date_promised:
                lang = claim_sudo.partner_id.lang or claim_sudo.company_id.partner_id.lang
                localised = claim_sudo.with_context(lang=lang)
                claim_sudo.write(
                    {
                        "date_promised": date,
                        "promise_reason": localised.env._(
                            "From %(since)s to %(until)s we waited for your answer.",
                            since=format_date(localised.env, pause.date_from.date()),
                            until=format_date(localised.env, pause.date_to.date()),
                        ),
                    }
                )

    def _send_promise_moved(self):
        """Tell the customer the new date and the reason."""
        self._send_to_customer("crm_claims.mail_template_promise", is_personal=False)

    def action_move_promise(self):
        """Open the dialog that asks for the new date and the reason."""
        self.ensure_one()
        return self._get_wizard_action("crm.claim.promise", self.env._("Move the Promised Date"))
