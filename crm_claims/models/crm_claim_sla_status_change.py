from datetime import timedelta

from odoo import models
from odoo.addons.crm_claims.tools.deadline import get_paused_seconds


class CrmClaimSlaStatus(models.Model):
    """How a row of a deadline changes; called by its claim, as superuser."""

    _inherit = "crm.claim.sla.status"

    def _finish(self, done, pauses, now):
        """The target was reached at ``done``, or else (``False``) the claim was cancelled."""
        self.ensure_one()
        state = "void"
        if done:
            is_late = self.date_deadline and done > self.date_deadline
            state = "failed" if is_late else "met"
        elif self.state == "failed":
            state = "failed"
        end = done or now
        self.write(
            {
                "state": state,
                "date_done": end,
                "paused_hours": get_paused_seconds(self.date_start, end, pauses) / 3600,
            }
        )

    def _recount(self, values, start, pauses, now):
        """Take new values of a deadline over; without any the target is no longer asked for."""
        self.ensure_one()
        if values is None:
            self.unlink()
            return
        deadline = values.get("date_deadline", self.date_deadline)
        if self.state == "failed" and not (deadline and deadline > now):
            # over is over, also while it waits
            values = {name: value for name, value in values.items() if name != "state"}
            values["date_deadline"] = deadline or self.date_deadline
        changed = values | {"date_start": start}
        if deadline and deadline != self.date_deadline and deadline > now:
            # what was said of the old date will be said of the new one when its time comes
            changed |= {"date_alarmed": False}
            warning = values.get("date_warning")
            if warning and warning > now:
                changed["date_warned"] = False
        changed["paused_hours"] = get_paused_seconds(start, now, pauses) / 3600
        fields_ = self._fields
        changed = {
            name: value
            for name, value in changed.items()
            if fields_[name].convert_to_write(self[name], self) != value
        }
        if changed:
            self.write(changed)

    def _recount_fixed(self, pauses, now):
        """A date from before the policies stands as promised, but for the time it waited."""
        self.ensure_one()
        if self.state == "failed":
            return
        waited = get_paused_seconds(self.date_start, now, pauses) / 3600
        values = {"state": "running", "paused_hours": waited}
        if any(until is None for __, until in pauses):
            values = {"state": "paused"}
        elif self.date_deadline:
            values["date_deadline"] = self.date_deadline + timedelta(
                seconds=round((waited - self.paused_hours) * 3600)
            )
        self.write(values)
