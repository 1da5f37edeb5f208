from collections import defaultdict

from odoo import api, fields, models
from odoo.addons.crm_claims.models.crm_claim_alarm import ACTIVITY
from odoo.tools import SQL, format_datetime


class CrmClaimSlaStatus(models.Model):
    """Which deadlines are due, and whom it concerns."""

    _inherit = "crm.claim.sla.status"

    @api.model
    def _mark_failed(self, now):
        """Mark all deadlines that are over, and their claims, in two statements."""
        self.env.flush_all()
        self.env.execute_query(
            SQL(
                """
                  WITH late AS (
                UPDATE crm_claim_sla_status
                   SET state = 'failed'
                 WHERE date_done IS NULL AND state = 'running' AND date_deadline <= %(now)s
             RETURNING claim_id)
                UPDATE crm_claim
                   SET sla_state = 'failed', sla_failed = TRUE
                 WHERE id IN (SELECT claim_id FROM late)
             RETURNING id
                """,
                now=now,
            )
        )
        self.env.invalidate_all()

    @api.model
    def _get_due(self, is_failed, now, limit, skip=()):
        """The next deadlines to report or to warn of, locked against a second run; without those
        whose ids are in ``skip``."""
        if is_failed:
            domain = [("state", "=", "failed"), ("date_alarmed", "=", False)]
        else:
            domain = [
                ("state", "=", "running"),
                ("date_done", "=", False),
                ("date_warning", "<=", now),
                ("date_warned", "=", False),
            ]
        domain.append(("id", "not in", list(skip)))
        # sudo: the job reports for everybody
        return self.sudo().search(domain, order="id", limit=limit).try_lock_for_update()

    def _report(self, is_failed, now):
        """Warn of, or report, these deadlines."""
        # a claim that was finished late is not reported any more; it is marked
        pending = self.filtered(lambda status: not status.date_done)
        entries = pending._get_addressees(is_failed)
        self._create_alarm_activities(entries, is_failed)
        self._send_alarm_mails(entries, is_failed)
        if is_failed:
            self.write({"date_alarmed": now})
            return
        self.write({"date_warned": now})
        claims = self.claim_id.filtered(lambda claim: claim.sla_state == "ok")
        claims.write({"sla_state": "warning"})

    def _get_addressees(self, is_failed):
        """Who is told of which of these deadlines.

        :return: dict ``res.users`` → ``crm.claim.sla.status``
        """
        wanted = defaultdict(self.browse)
        for status in self:
            claim = status.claim_id
            user = claim._get_alarm_user()
            if user:
                wanted[user] |= status
        readable = {user: self._filter_readable(user, found) for user, found in wanted.items()}
        if not is_failed:
            return {user: found for user, found in readable.items() if found}
        told = defaultdict(self.browse, readable)
        by_choice = defaultdict(self.browse)
        for user, found in wanted.items():
            for status in found:
                by_choice[tuple(status.claim_id._get_alarm_managers(user))] |= status
        for managers, found in by_choice.items():
            left = found
            for manager in managers:
                mine = self._filter_readable(manager, left)
                told[manager] |= mine
                left -= mine
        return {user: found for user, found in told.items() if found}

    @api.model
    def _filter_readable(self, user, statuses):
        """Those whose claims the user may read."""
        claims = statuses.claim_id.with_user(user).with_company(user.company_id)
        allowed = claims.with_context(allowed_company_ids=user.company_ids.ids)
        readable = set(allowed._filtered_access("read").ids)
        return statuses.filtered(lambda status: status.claim_id.id in readable)

    def _create_alarm_activities(self, entries, is_failed):
        activity_type = self.env.ref(ACTIVITY, raise_if_not_found=False)
        if not activity_type:
            return
        model_id = self.env["ir.model"]._get_id("crm.claim")
        targets = {}
        values = []
        for user, statuses in entries.items():
            lang = user.lang
            if lang not in targets:
                localised = self.with_context(lang=lang)
                targets[lang] = (
                    localised.env._("Missed:") if is_failed else localised.env._("Due soon:"),
                    dict(self._fields["target"]._description_selection(localised.env)),
                )
            word, names = targets[lang]
            for status in statuses:
                zone = status.claim_id.company_id._get_claim_zone(status.calendar_id)
                day = fields.Datetime.context_timestamp(
                    self.with_context(tz=zone.zone), status.date_deadline
                ).date()
                values.append(
                    {
                        "res_model_id": model_id,
                        "res_id": status.claim_id.id,
                        "activity_type_id": activity_type.id,
                        "summary": f"{word} {names[status.target]}",
                        "user_id": user.id,
                        "date_deadline": day,
                        "automated": True,
                    }
                )
        # the mail below tells them all at once
        self.env["mail.activity"].with_context(mail_activity_quick_update=True).create(values)

    def _send_alarm_mails(self, entries, is_failed):
        """One mail to each about all of his claims."""
        mails = []
        for user, statuses in entries.items():
            if not user.email:
                continue
            localised = statuses.with_context(lang=user.lang, tz=user.tz)
            names = dict(self._fields["target"]._description_selection(localised.env))
            rows = [
                {
                    "claim": status.claim_id,
                    "url": f"/odoo/claims/{status.claim_id.id}",
                    "target": names[status.target],
                    "deadline": format_datetime(
                        localised.env, status.date_deadline, dt_format="short"
                    ),
                    "responsible": status.claim_id.user_id.name,
                }
                for status in localised.sorted("date_deadline")
            ]
            count = len(rows)
            subject = (
                localised.env._("Missed deadlines of claims: %(count)s", count=count)
                if is_failed
                else localised.env._("Deadlines of claims due soon: %(count)s", count=count)
            )
            body = localised.env["ir.qweb"]._render(
                "crm_claims.mail_deadlines",
                {
                    "user": user,
                    "rows": rows,
                    "is_failed": is_failed,
                    "base_url": self.env["ir.config_parameter"].get_param("web.base.url"),
                },
            )
            mails.append(
                {
                    "subject": subject,
                    "body_html": body,
                    "email_to": user.email_formatted,
                    "email_from": user.company_id.email_formatted or self.env.user.email_formatted,
                    "auto_delete": True,
                }
            )
        self.env["mail.mail"].create(mails)
