from odoo import api, fields, models
from odoo.exceptions import ValidationError


class CrmClaimCause(models.Model):
    """Why it happened: a tree, so that reports can roll detailed causes up.

    A cause may name the investigation template that is proposed for its claims.
    """

    _name = "crm.claim.cause"
    _description = "Claim Cause"
    _parent_name = "parent_id"
    _parent_store = True
    _rec_name = "complete_name"
    _rec_names_search = ["complete_name", "name"]
    _order = "complete_name, id"

    name = fields.Char(required=True, translate=True)
    complete_name = fields.Char(compute="_compute_complete_name", recursive=True, store=True)
    parent_id = fields.Many2one(
        "crm.claim.cause", string="Parent Cause", index=True, ondelete="restrict"
    )
    parent_path = fields.Char(index=True)
    child_ids = fields.One2many("crm.claim.cause", "parent_id", string="Detailed Causes")
    template_id = fields.Many2one(
        "crm.claim.investigation.template",
        string="Investigation Template",
        help="Proposed when a claim with this cause is investigated.",
    )
    active = fields.Boolean(default=True)

    @api.depends("name", "parent_id.complete_name")
    def _compute_complete_name(self):
        for cause in self:
            parent = cause.parent_id.complete_name
            cause.complete_name = f"{parent} / {cause.name}" if parent else cause.name

    @api.constrains("parent_id")
    def _check_parent(self):
        if self._has_cycle():
            raise ValidationError(self.env._("A cause cannot be its own parent."))

    @api.model
    def name_create(self, name):
        """Create a cause from its path, with the causes above it that do not exist yet."""
        cause = self.browse()
        for part in filter(None, (part.strip() for part in name.split(" / "))):
            found = self.search([("name", "=", part), ("parent_id", "=", cause.id)], limit=1)
            cause = found or self.create({"name": part, "parent_id": cause.id})
        if not cause:
            raise ValidationError(self.env._("A cause needs a name."))
        return cause.id, cause.display_name
