from datetime import datetime, time, timedelta

import pytz
from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from .crm_interaction import PENDING_STATES


class CrmInteraction(models.Model):
    """How long a contact has been waiting for somebody to see to it.

    Age is counted from the moment when the contact was due: what came in was due when it
    arrived, what was planned when it was planned for, what was postponed when the time was
    over. It passes by itself, so it is not stored: bands of age are grouped by and searched
    as the index on the due date gives them, at the moment of asking.

    What is over, or not due yet, has no age.
    """

    _inherit = "crm.interaction"

    age_band = fields.Selection(
        [
            ("1_hour", "Less than 1 hour"),
            ("2_hours", "1 to 4 hours"),
            ("3_today", "Since this morning"),
            ("4_days", "Up to 3 days"),
            ("5_older", "More than 3 days"),
        ],
        string="Waiting",
        compute="_compute_age",
        search="_search_age_band",
        help="How long it has been waiting since it arrived or was due.",
    )
    age_hours = fields.Float(
        string="Waiting (Hours)",
        digits=(16, 1),
        compute="_compute_age",
        aggregator="avg",
        help="Hours by the clock since it arrived or was due.",
    )
    answer_hours_median = fields.Float(
        string="Answer Time, Median (Hours)",
        digits=(16, 2),
        compute="_compute_answer_hours_median",
        aggregator="avg",
        help="Half of the answers took less than this, in working hours.",
    )
    team_id = fields.Many2one(
        "crm.team", string="Sales Team", related="user_id.sale_team_id", help="Of the responsible."
    )

    @api.model
    def _get_age_bands(self, now=None):
        """The bands of age, youngest first.

        The names of the bands sort as they do, because groups are sorted by them.

        :param datetime now: naive, UTC
        :return: dict band → what became due after this moment (naive, UTC) and falls in no
            younger band belongs to it; None for the oldest band
        """
        now = now or fields.Datetime.now()
        zone = pytz.timezone(self.env.context.get("tz") or self.env.user.tz or "UTC")
        today = pytz.utc.localize(now).astimezone(zone).date()
        midnight = zone.localize(datetime.combine(today, time.min)).astimezone(pytz.utc)
        return {
            "1_hour": now - timedelta(hours=1),
            "2_hours": now - timedelta(hours=4),
            "3_today": midnight.replace(tzinfo=None),
            "4_days": now - timedelta(days=3),
            "5_older": None,
        }

    @api.depends("state", "date_deadline")
    @api.depends_context("tz")
    def _compute_age(self):
        now = fields.Datetime.now()
        bands = self._get_age_bands(now)
        for interaction in self:
            due = interaction.date_deadline
            if interaction.state not in PENDING_STATES or not due or due > now:
                interaction.age_band = False
                interaction.age_hours = 0.0
                continue
            interaction.age_hours = (now - due).total_seconds() / 3600
            interaction.age_band = next(
                band for band, moment in bands.items() if moment is None or due > moment
            )

    def _search_age_band(self, operator, value):
        if operator != "in":
            return NotImplemented
        now = fields.Datetime.now()
        waiting = Domain("state", "in", PENDING_STATES) & Domain("date_deadline", "<=", now)
        ranges, until = {}, now
        for band, moment in self._get_age_bands(now).items():
            ranges[band] = Domain("date_deadline", "<=", until)
            if moment is not None:
                ranges[band] &= Domain("date_deadline", ">", moment)
                until = min(until, moment)
        domain = waiting & Domain.OR(ranges[band] for band in value if band in ranges)
        return domain | ~waiting if False in value else domain

    @api.depends("answer_hours")
    def _compute_answer_hours_median(self):
        for interaction in self:
            interaction.answer_hours_median = interaction.answer_hours

    def _field_to_sql(self, alias, field_expr, query=None):
        if field_expr in ("answer_hours", "answer_hours_median"):
            # what was not answered took no time, rather than none at all
            return SQL(
                "(CASE WHEN %s IS NOT NULL THEN %s END)",
                self._field_to_sql(alias, "date_answered", query),
                super()._field_to_sql(alias, "answer_hours", query),
            )
        if field_expr not in ("age_band", "age_hours"):
            return super()._field_to_sql(alias, field_expr, query)
        now = fields.Datetime.now()
        due = self._field_to_sql(alias, "date_deadline", query)
        waiting = SQL(
            "%s IN %s AND %s <= %s", self._field_to_sql(alias, "state", query), PENDING_STATES,
            due, now,
        )  # fmt: skip
        if field_expr == "age_hours":
            age = SQL("EXTRACT(EPOCH FROM %s::timestamp - %s) / 3600", now, due)
            return SQL("(CASE WHEN %s THEN %s END)", waiting, age)
        cases = [
            SQL("WHEN %s > %s THEN %s", due, moment, band) if moment else SQL("ELSE %s", band)
            for band, moment in self._get_age_bands(now).items()
        ]
        return SQL("(CASE WHEN %s THEN CASE %s END END)", waiting, SQL(" ").join(cases))

    def _read_group_select(self, aggregate_spec, query):
        if aggregate_spec == "answer_hours_median:avg":
            return SQL(
                "PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY %s)",
                self._field_to_sql(self._table, "answer_hours", query),
            )
        return super()._read_group_select(aggregate_spec, query)
