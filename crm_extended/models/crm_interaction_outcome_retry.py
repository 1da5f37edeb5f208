from datetime import timedelta

from babel.dates import format_timedelta
from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import babel_locale_parse, get_lang


class CrmInteractionOutcomeRetry(models.Model):
    """One rung of an outcome's ladder: how long to wait before the next attempt.

    The first rung follows the first attempt, the second the second, in the order of the list.
    """

    _name = "crm.interaction.outcome.retry"
    _description = "Interaction Outcome Retry"
    _order = "outcome_id, sequence, id"

    outcome_id = fields.Many2one(
        "crm.interaction.outcome", required=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="outcome_id.company_id", store=True, index=True)
    sequence = fields.Integer(default=10)
    delay = fields.Integer(required=True, default=5)
    unit = fields.Selection(
        [("minutes", "Minutes"), ("hours", "Hours"), ("days", "Days")],
        required=True,
        default="minutes",
    )

    _check_delay = models.Constraint(
        "CHECK (delay > 0 AND delay <= 10000)",
        "The time before the next attempt is a number from 1 to 10,000.",
    )

    @api.constrains("delay", "unit")
    def _check_within_a_year(self):
        for retry in self:
            if retry._get_timedelta() > timedelta(days=365):
                raise ValidationError(
                    self.env._(
                        "“%(outcome)s” waits longer than a year for the next attempt: shorten "
                        "the time.",
                        outcome=retry.outcome_id.name,
                    )
                )

    @api.depends("delay", "unit")
    @api.depends_context("lang")
    def _compute_display_name(self):
        locale = babel_locale_parse(get_lang(self.env).code)
        for retry in self:
            # in the unit that was entered, however many of them there are
            retry.display_name = format_timedelta(
                retry._get_timedelta(),
                granularity=(retry.unit or "minutes").removesuffix("s"),
                threshold=float("inf"),
                locale=locale,
            )

    def _get_timedelta(self):
        """How long to wait, as a timedelta."""
        self.ensure_one()
        return timedelta(**{self.unit or "minutes": self.delay})
