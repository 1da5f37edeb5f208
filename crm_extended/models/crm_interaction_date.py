from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import ValidationError

from .crm_interaction import PENDING_STATES


class CrmInteraction(models.Model):
    """When an interaction begins, ends and is due.

    What waits is due at the time for which it is planned, or at which it came in, until it is
    postponed; what is due and not over is overdue.
    """

    _inherit = "crm.interaction"

    @api.onchange("date_start")
    def _onchange_date_start(self):
        """What is entered for a time to come is planned, not done."""
        if (
            not self._origin
            and self.state == "done"
            and self.date_start
            and self.date_start > fields.Datetime.now()
        ):
            self.state = "planned"

    @api.depends("date_start", "duration")
    def _compute_date_end(self):
        for interaction in self:
            interaction.date_end = interaction.date_start and interaction.date_start + timedelta(
                minutes=interaction.duration or 0
            )

    def _inverse_date_end(self):
        for interaction in self:
            if not interaction.date_end:
                continue
            if interaction.date_end < interaction.date_start:
                raise ValidationError(
                    self.env._(
                        "“%(subject)s” ends before it starts: correct its end.",
                        subject=interaction.subject,
                    )
                )
            seconds = (interaction.date_end - interaction.date_start).total_seconds()
            interaction.duration = seconds / 60

    @api.depends("date_start", "state")
    def _compute_date_deadline(self):
        for interaction in self:
            if interaction.state in ("new", "planned") or not interaction.date_deadline:
                interaction.date_deadline = interaction.date_start

    @api.depends("state", "date_deadline")
    def _compute_is_overdue(self):
        now = fields.Datetime.now()
        for interaction in self:
            interaction.is_overdue = (
                interaction.state in PENDING_STATES
                and bool(interaction.date_deadline)
                and interaction.date_deadline < now
            )

    def _search_is_overdue(self, operator, value):
        if operator != "in":
            return NotImplemented
        return [("state", "in", PENDING_STATES), ("date_deadline", "<", fields.Datetime.now())]
