from datetime import datetime, time, timedelta

import pytz
from odoo import api, fields, models

#: ages of open claims in days: (from, to), the last one open-ended
AGES = [(0, 3), (4, 10), (11, 30), (31, None)]
TREND_WEEKS = 12
RECENT_DAYS = 90


class CrmClaim(models.Model):
    """The figures of the dashboard: one aggregate a tile, each with the domain that it counts.

    Everything is read with the rights of the user and in his companies; days are those of his
    time zone.
    """

    _inherit = "crm.claim"

    @api.model
    @api.readonly
    def get_dashboard(self, mine=False):
        """Figures of the dashboard.

        :param bool mine: only the claims that the user is responsible for
        :return: dict of ``tiles`` (list of ``{key, value, domain, model}``) and ``charts`` (dict
            key -> list of ``{label, value, domain, ...}``)
        """
        self.check_access("read")
        # days and weeks are grouped in the time zone in which the domains are written
        self = self.with_context(tz=self.env.user.tz or "UTC")  # noqa: PLW0642
        scope = [("user_id", "=", self.env.uid)] if mine else []
        return {
            "tiles": self._get_dashboard_tiles(scope),
            "charts": {
                "state": self._get_dashboard_states(scope),
                "age": self._get_dashboard_ages(scope),
                "trend": self._get_dashboard_trend(scope),
                "cause": self._get_dashboard_causes(scope),
                "decision": self._get_dashboard_decisions(scope),
            },
        }

    # ------------------------------------------------------------------
    # Days
    # ------------------------------------------------------------------

    @api.model
    def _get_day_start(self, day):
        """Start of a day of the user, naive in UTC."""
        zone = pytz.timezone(self.env.user.tz or "UTC")
        local = zone.localize(datetime.combine(day, time.min))
        return local.astimezone(pytz.utc).replace(tzinfo=None)

    @api.model
    def _get_recent_domain(self):
        today = fields.Date.context_today(self)
        start = self._get_day_start(today - timedelta(days=RECENT_DAYS))
        return [("date_registered", ">=", fields.Datetime.to_string(start))]

    # ------------------------------------------------------------------
    # Tiles
    # ------------------------------------------------------------------

    @api.model
    def _get_dashboard_tiles(self, scope):
        is_open = [*scope, ("is_open", "=", True)]
        today = fields.Date.to_string(fields.Date.context_today(self))
        tiles = [
            ("open", "crm.claim", is_open),
            ("late", "crm.claim", [*is_open, ("date_promised", "<", today)]),
            ("today", "crm.claim", [*is_open, ("date_promised", "=", today)]),
            ("breached", "crm.claim.sla.status", self._get_breach_domain(scope)),
            ("unassigned", "crm.claim", [("is_open", "=", True), ("user_id", "=", False)]),
            (
                "answer",
                "crm.claim",
                [
                    *scope,
                    ("state", "in", ("decided", "rejected")),
                    ("customer_answer", "=", False),
                ],
            ),
            (
                "approval",
                "crm.claim.approval",
                [
                    *((f"claim_id.{name}", operator, value) for name, operator, value in scope),
                    ("state", "=", "requested"),
                ],
            ),
        ]
        return [
            {
                "key": key,
                "model": model,
                "domain": domain,
                "value": self.env[model].search_count(domain),
            }
            for key, model, domain in tiles
            if self.env[model].has_access("read")
        ]

    @api.model
    def _get_breach_domain(self, scope):
        """Deadlines that were missed since the user's midnight, or are over by now."""
        start = self._get_day_start(fields.Date.context_today(self))
        return [
            *((f"claim_id.{name}", operator, value) for name, operator, value in scope),
            ("state", "in", ("failed", "running")),
            ("date_deadline", ">=", fields.Datetime.to_string(start)),
            ("date_deadline", "<", fields.Datetime.to_string(fields.Datetime.now())),
            "|",
            ("state", "=", "failed"),
            ("date_done", "=", False),
        ]

    # ------------------------------------------------------------------
    # Charts
    # ------------------------------------------------------------------

    @api.model
    def _get_dashboard_states(self, scope):
        is_open = [*scope, ("is_open", "=", True)]
        counts = dict(self._read_group(is_open, ["state"], ["__count"]))
        labels = dict(self._fields["state"]._description_selection(self.env))
        return [
            {
                "label": labels[state],
                "value": counts[state],
                "domain": [*is_open, ("state", "=", state)],
            }
            for state in labels
            if state in counts
        ]

    @api.model
    def _get_dashboard_ages(self, scope):
        is_open = [*scope, ("is_open", "=", True)]
        today = fields.Date.context_today(self)
        by_day = [
            ((today - day.date()).days, count)
            for day, count in self._read_group(is_open, ["date_registered:day"], ["__count"])
        ]
        rows = []
        for first, last in AGES:
            domain = list(is_open)
            end = self._get_day_start(today - timedelta(days=first - 1))
            if first:
                domain.append(("date_registered", "<", fields.Datetime.to_string(end)))
            if last is not None:
                start = self._get_day_start(today - timedelta(days=last))
                domain.append(("date_registered", ">=", fields.Datetime.to_string(start)))
            rows.append(
                {
                    "label": f"{first}\N{EN DASH}{last}" if last is not None else f"> {first - 1}",
                    "value": sum(
                        count
                        for age, count in by_day
                        if max(age, 0) >= first and (last is None or age <= last)
                    ),
                    "domain": domain,
                }
            )
        return rows

    @api.model
    def _get_dashboard_trend(self, scope):
        """Claims registered by week, and how many of them are handled by now."""
        today = fields.Date.context_today(self)
        start = self._get_day_start(today - timedelta(weeks=TREND_WEEKS - 1, days=today.weekday()))
        domain = [*scope, ("date_registered", ">=", fields.Datetime.to_string(start))]
        weeks = {}
        for week, is_open, count in self._read_group(
            domain, ["date_registered:week", "is_open"], ["__count"], order="date_registered:week"
        ):
            if self._to_utc(week) < fields.Datetime.to_string(start):
                continue  # the rest of a week that began before
            row = weeks.setdefault(week, {"handled": 0, "open": 0})
            row["open" if is_open else "handled"] += count
        return [
            {
                "label": week.strftime("%d.%m"),
                "value": row["handled"] + row["open"],
                "handled": row["handled"],
                "open": row["open"],
                "domain": [
                    *scope,
                    ("date_registered", ">=", self._to_utc(week)),
                    ("date_registered", "<", self._to_utc(week + timedelta(weeks=1))),
                ],
            }
            for week, row in weeks.items()
        ]

    @api.model
    def _to_utc(self, moment):
        return fields.Datetime.to_string(self._get_day_start(moment.date()))

    @api.model
    def _get_dashboard_causes(self, scope, limit=8):
        domain = [*scope, *self._get_recent_domain()]
        return [
            {
                "label": cause.complete_name or self.env._("Not found yet"),
                "value": count,
                "domain": [*domain, ("cause_id", "=", cause.id)],
            }
            for cause, count in self._read_group(
                domain, ["cause_id"], ["__count"], order="__count desc, cause_id", limit=limit
            )
        ]

    @api.model
    def _get_dashboard_decisions(self, scope):
        domain = [*scope, *self._get_recent_domain(), ("decision", "!=", False)]
        labels = dict(self._fields["decision"]._description_selection(self.env))
        counts = dict(self._read_group(domain, ["decision"], ["__count"]))
        return [
            {
                "key": decision,
                "label": label,
                "value": counts[decision],
                "domain": [*domain, ("decision", "=", decision)],
            }
            for decision, label in labels.items()
            if counts.get(decision)
        ]
