from odoo import api, fields, models
from odoo.addons.crm_claims.models.crm_claim_alarm import ACTIVITY
from odoo.addons.crm_claims.models.crm_claim_sla_target import TARGETS
from odoo.addons.crm_claims.tools.deadline import WORKING_DAYS
from odoo.fields import Domain
from odoo.tools import SQL

#: targets that begin anew when a claim is reopened
REOPENED_TARGETS = ("decide", "close")


class CrmClaim(models.Model):
    """The deadlines of a claim: which apply, how they run, wait, and are kept or missed.

    - Every open claim has a row of ``crm.claim.sla.status`` for each target that a policy sets
      (``crm.claim.sla``); for the decision the days of its team, where given, replace the policies.
    - While the claim waits for the client, its deadlines stand still. Reopened, it is decided and
      closed by new deadlines that count from the reopening; the rows of the first time remain.
    - Cancelled, its deadlines are dropped. Claims that are entered as finished get none.
    - What changes a deadline asks for ``_apply_deadlines``: moves at once, changes of policies and
      schedules through the scheduled job.
    """

    _inherit = "crm.claim"

    sla_status_ids = fields.One2many(
        "crm.claim.sla.status",
        "claim_id",
        string="Deadlines",
        groups="crm_claims.crm_claims_group_user",
    )
    pause_ids = fields.One2many(
        "crm.claim.pause",
        "claim_id",
        string="Waits for the Client",
        groups="crm_claims.crm_claims_group_user",
    )
    sla_state = fields.Selection(
        [
            ("ok", "In Time"),
            ("paused", "Waiting for Client"),
            ("warning", "Due Soon"),
            ("failed", "Missed"),
        ],
        "Deadline",
        readonly=True,
        copy=False,
        help="The worst of the deadlines that are not done yet.",
    )
    sla_failed = fields.Boolean(
        "Deadline Missed",
        readonly=True,
        copy=False,
        help="A deadline of this claim was missed, now or before; this stays.",
    )
    deadlines_stale = fields.Boolean(readonly=True, copy=False)

    _deadlines_stale_idx = models.Index("(id) WHERE deadlines_stale IS TRUE")
    _sla_state_idx = models.Index("(company_id, sla_state) WHERE is_open IS TRUE")

    # ------------------------------------------------------------
    # WHAT CHANGES THEM
    # ------------------------------------------------------------

    @api.model
    def _get_deadline_triggers(self):
        """Fields by which policies are chosen or from which deadlines count."""
        return {
            "company_id",
            "kind",
            "severity",
            "channel",
            "category_id",
            "team_id",
            "partner_id",
            "date_registered",
        }

    def write(self, vals):
        result = super().write(vals)
        if "company_id" in vals:
            # sudo: deadlines are read by the company of their claim
            self.sudo().sla_status_ids.write({"company_id": vals["company_id"]})
        if self._get_deadline_triggers() & vals.keys():
            self._apply_deadlines()
        return result

    @api.model
    def _mark_deadlines_stale(self, domain):
        """Have the deadlines of the open claims in ``domain`` counted anew by the scheduled job."""
        claims = self.sudo().with_context(active_test=False)
        query = claims._search(
            Domain(domain) & Domain("is_open", "=", True) & Domain("deadlines_stale", "=", False)
        )
        found = self.env.execute_query(
            SQL(
                "UPDATE crm_claim SET deadlines_stale = TRUE WHERE id IN %s RETURNING id",
                query.subselect(),
            )
        )
        if found:
            self.invalidate_model(["deadlines_stale"])
            cron = self.env.ref("crm_claims.ir_cron_deadlines", raise_if_not_found=False)
            if cron:
                cron.sudo()._trigger()

    # ------------------------------------------------------------
    # HOW THEY RUN
    # ------------------------------------------------------------

    def _get_pauses(self):
        """``(since, until or None)`` of the times in which this claim waited for the client."""
        self.ensure_one()
        return [(pause.date_from, pause.date_to or None) for pause in self.sudo().pause_ids]

    def _get_deadline_stamps(self):
        """When each target was reached; ``False`` for those that were not."""
        self.ensure_one()
        return {
            "acknowledge": self.date_acknowledged,
            "answer": self.date_answered,
            "decide": self.date_decided,
            "close": self.date_closed,
        }

    def _get_deadline_targets(self):
        """What fits each claim, as superuser.

        :return: dict claim → dict target → list of values of ``crm.claim.sla.status``
        """
        policies = self.env["crm.claim.sla"].sudo().search([])
        segments = self._get_client_segments(policies)
        result, alike = {}, {}
        for claim in self:
            # claims of one sort have the same policies; a batch holds few sorts
            key = (*(claim[name] for name in self._get_policy_fields()), segments[claim])
            if key not in alike:
                alike[key] = claim._find_targets(policies, segments[claim])
            result[claim] = alike[key]
        return result

    @api.model
    def _get_policy_fields(self):
        """Fields that policies look at."""
        return ("company_id", "kind", "severity", "channel", "category_id", "team_id")

    def _find_targets(self, policies, segments):
        """What the policies that fit one claim ask for.

        :return: dict target → list of values of ``crm.claim.sla.status``
        """
        self.ensure_one()
        calendar = self.company_id._origin.resource_calendar_id
        targets = {}
        for policy in policies:
            if not policy._fits(self, segments):
                continue
            for line in policy.target_ids:
                targets.setdefault(line.target, []).append(
                    {
                        "sla_id": policy.id,
                        "calendar_id": (policy.calendar_id or calendar).id,
                        "unit": line.unit,
                        "amount": line.amount,
                        "warn_percent": line.warn_percent,
                    }
                )
        if self.team_id.promise_days:
            targets["decide"] = [
                {
                    "sla_id": False,
                    "calendar_id": calendar.id,
                    "unit": WORKING_DAYS,
                    "amount": self.team_id.promise_days,
                    "warn_percent": 75,
                }
            ]
        return targets

    def _get_client_segments(self, policies):
        """Segments that the client of each claim is in now; none, if no policy asks for them.

        :return: dict claim → ``crm.segment``
        """
        nothing = self.env["crm.segment"]
        result = dict.fromkeys(self, nothing)
        if policies.segment_ids:
            for company, claims in self.grouped(lambda claim: claim.company_id._origin).items():
                partners = claims.partner_id._origin
                found = partners._get_segments(company)
                for claim in claims:
                    result[claim] = found.get(claim.partner_id._origin, nothing)
        return result

    def _get_strictest(self, candidates, start, pauses, now, known=None):
        """The candidate that is over first, with its deadline.

        While the claim waits, candidates are compared as if it went on now.

        :param dict known: deadlines counted before for claims of one batch, which is added to
        :return: values of ``crm.claim.sla.status``, or ``None``
        """
        self.ensure_one()
        company = self.company_id._origin
        key = None
        if known is not None and candidates and not pauses:
            key = (company, start, tuple(tuple(values.values()) for values in candidates))
            if key in known:
                return dict(known[key])
        going_on = [(since, until or max(now, since)) for since, until in pauses]
        is_waiting = any(until is None for __, until in pauses)
        best = None
        for values in candidates:
            calendar = self.env["resource.calendar"].browse(values["calendar_id"])
            arguments = (calendar, values["unit"])
            end = company._get_claim_deadline(*arguments, values["amount"], start, going_on)
            if end and (best is None or end < best["date_deadline"]):
                best = values | {"date_deadline": end, "state": "running"}
        if best is None:
            return None
        calendar = self.env["resource.calendar"].browse(best["calendar_id"])
        if is_waiting:
            end = company._get_claim_deadline(calendar, best["unit"], best["amount"], start, pauses)
            if end is None:
                return best | {"date_deadline": False, "date_warning": False, "state": "paused"}
            best["date_deadline"] = end
        best["date_warning"] = company._get_claim_deadline(
            calendar, best["unit"], best["amount"] * best["warn_percent"] / 100, start, going_on
        )
        if key:
            known[key] = dict(best)
        return best

    # ------------------------------------------------------------
    # APPLY
    # ------------------------------------------------------------

    def _apply_deadlines(self):
        """Create, count anew, finish or drop the deadlines of ``self``."""
        now = fields.Datetime.now()
        # sudo: deadlines follow from what was done, whoever did it
        claims = self.sudo().filtered(lambda claim: claim.is_open or claim.sla_status_ids)
        known = {
            (status.claim_id, status.target, status.cycle): status
            for status in claims.sla_status_ids
        }
        targets = claims._get_deadline_targets()
        new, counted = [], {}
        # those that have had deadlines, and those that get none, change what lists show of them
        changing = claims.filtered("sla_status_ids")
        for claim in claims:
            stamps = claim._get_deadline_stamps()
            pauses = claim._get_pauses()
            # promised before there were policies: that date stands, and no other is asked for
            fixed = claim.sla_status_ids.filtered(lambda status: not status.unit)
            last_fixed = max(fixed.mapped("cycle"), default=-1)
            for target, __ in TARGETS:
                cycle = claim.reopen_count if target in REOPENED_TARGETS else 0
                status = known.get((claim, target, cycle))
                if status and status.date_done:
                    continue
                if status and (stamps[target] or claim.state == "cancelled"):
                    status._finish(stamps[target], pauses, now)
                    continue
                if stamps[target] or claim.state == "cancelled":
                    continue
                if cycle <= last_fixed:
                    if status:
                        status._recount_fixed(pauses, now)
                    continue
                start = status.date_start if status else claim._get_deadline_start(cycle, now)
                if cycle == 0:
                    start = claim.date_registered
                candidates = targets[claim].get(target, [])
                values = claim._get_strictest(candidates, start, pauses, now, counted)
                if status:
                    status._recount(values, start, pauses, now)
                elif values:
                    new.append(
                        {
                            **values,
                            "claim_id": claim.id,
                            "company_id": claim.company_id.id,
                            "target": target,
                            "cycle": cycle,
                            "date_start": start,
                        }
                    )
        if new:
            self.env["crm.claim.sla.status"].sudo().create(new)
        begun = {values["claim_id"] for values in new if values["state"] == "running"}
        changing |= claims.filtered(lambda claim: claim.id not in begun or claim.deadlines_stale)
        changing._summarise_deadlines()

    def _get_deadline_start(self, cycle, now):
        return now if cycle else self.date_registered

    def _summarise_deadlines(self):
        """Bring what boards and lists show of the deadlines up to date; called as superuser."""
        for claim in self:
            pending = claim.sla_status_ids.filtered(lambda status: not status.date_done)
            states = set(pending.mapped("state"))
            if "failed" in states:
                state = "failed"
            elif "paused" in states:
                state = "paused"
            elif pending.filtered("date_warned"):
                state = "warning"
            else:
                state = "ok" if states else False
            values = {
                "sla_state": state,
                "sla_failed": claim.sla_failed or "failed" in claim.sla_status_ids.mapped("state"),
                "deadlines_stale": False,
            }
            changed = {name: value for name, value in values.items() if claim[name] != value}
            if not changed:
                continue
            if claim.sla_state in ("warning", "failed") and state not in ("warning", "failed"):
                claim.activity_unlink([ACTIVITY], only_automated=True)
            claim.write(changed)
