from odoo import fields, models
from odoo.exceptions import UserError

CLAIM_STATES = [
    ("new", "New"),
    ("acknowledged", "Acknowledged"),
    ("investigating", "Investigating"),
    ("waiting_client", "Waiting for Client"),
    ("decided", "Decided"),
    ("closed", "Closed"),
    ("rejected", "Rejected"),
    ("cancelled", "Cancelled"),
]
# States in which somebody of the company still has work to do on the claim.
OPEN_STATES = ("new", "acknowledged", "investigating", "waiting_client")
# States in which a decision has been announced and the customer may answer it.
ANSWERABLE_STATES = ("decided", "rejected")


class CrmClaimStage(models.Model):
    """A column of the claims' board.

    Companies name and order their stages freely; what a stage *means* is its state, and the
    legal moves between states are fixed (see ``crm.claim._get_transitions``). Several stages
    may share one state, for example "Waiting for laboratory" and "Waiting for supplier" are
    both Investigating. A stage without teams serves all of them.
    """

    _name = "crm.claim.stage"
    _description = "Claim Stage"
    _order = "sequence, id"

    name = fields.Char(required=True, translate=True)
    sequence = fields.Integer(default=10)
    state = fields.Selection(
        CLAIM_STATES,
        required=True,
        default="new",
        help="What the stage means for the process. Legal moves are defined between states.",
    )
    team_ids = fields.Many2many(
        "crm.claim.team", string="Teams", help="Leave empty to use this stage for all teams."
    )
    fold = fields.Boolean(
        "Folded in Kanban", help="Show this column folded when it holds no work to do."
    )
    description = fields.Text(translate=True, help="What a handler has to do in this stage.")
    active = fields.Boolean(default=True)

    def write(self, vals):
        """Refuse to change the meaning of a stage that claims are in: it would move them all
        past the checks of a transition."""
        if "state" in vals:
            changed = self.filtered(lambda stage: stage.state != vals["state"])
            changed._check_state_unused()
        return super().write(vals)

    def _check_state_unused(self):
        # sudo: claims that the user may not read are in the stage just the same
        used = (
            self.env["crm.claim"]
            .sudo()
            .with_context(active_test=False)
            .search([("stage_id", "in", self.ids)], limit=1)
        )
        if used:
            raise UserError(
                self.env._(
                    "The state of stage %(stage)s cannot change while claims are in it. "
                    "Create another stage and move them there.",
                    stage=used.stage_id.display_name,
                )
            )
