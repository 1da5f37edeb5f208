from odoo import api, fields, models
from odoo.exceptions import AccessError

CONTROLLED_FIELDS = frozenset({"answer", "calendar_attendee_id"})


class CrmInteractionParticipant(models.Model):
    """Whether a participant who is invited to a meeting comes: the answer to the invitation."""

    _inherit = "crm.interaction.participant"

    answer = fields.Selection(
        [
            ("accepted", "Accepted"),
            ("declined", "Declined"),
            ("tentative", "Maybe"),
            ("needsAction", "Not Answered"),
        ],
        readonly=True,
        copy=False,
        help="What the participant answered to the invitation in the calendar.",
    )
    calendar_attendee_id = fields.Many2one(
        "calendar.attendee",
        string="Attendee",
        ondelete="set null",
        index="btree_not_null",
        readonly=True,
        copy=False,
    )

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            self._check_controlled_fields(vals)
        forged = {f"default_{name}" for name in CONTROLLED_FIELDS} & set(self.env.context)
        if forged:
            context = {k: v for k, v in self.env.context.items() if k not in forged}
            self = self.with_context(context)  # noqa: PLW0642
        return super().create(vals_list)

    def write(self, vals):
        self._check_controlled_fields(vals)
        return super().write(vals)

    def _check_controlled_fields(self, vals):
        if not self.env.su and any(
            vals.get(name) or self for name in CONTROLLED_FIELDS & set(vals)
        ):
            raise AccessError(
                self.env._("The answer to an invitation is given in the calendar, not here.")
            )
