from odoo import api, fields, models


class CrmClaimSimilar(models.TransientModel):
    """Claims that resemble one, with what they have in common; linked or merged from here."""

    _name = "crm.claim.similar"
    _description = "Similar Claims"

    claim_id = fields.Many2one("crm.claim", required=True, readonly=True, ondelete="cascade")
    line_ids = fields.One2many("crm.claim.similar.line", "wizard_id", readonly=True)

    @api.constrains("claim_id")
    def _check_claim_access(self):
        """A dialog on a record that the user may not read would show him what is in it."""
        # constraints run as superuser
        self.sudo(False).claim_id.check_access("read")

    @api.model_create_multi
    def create(self, vals_list):
        wizards = super().create(vals_list)
        for wizard in wizards:
            self.env["crm.claim.similar.line"].create(
                [
                    {
                        "wizard_id": wizard.id,
                        "claim_id": claim.id,
                        "points": points,
                        "reasons": wizard._get_reasons(common),
                    }
                    for claim, points, common in wizard.claim_id._find_similar()
                ]
            )
        return wizards

    def _get_reasons(self, common):
        labels = {
            "lot": self.env._("same lot"),
            "product": self.env._("same product"),
            "cause": self.env._("same cause"),
            "client": self.env._("same client"),
            "text": self.env._("similar text"),
        }
        return ", ".join(label for key, label in labels.items() if key in common)


class CrmClaimSimilarLine(models.TransientModel):
    """One similar claim."""

    _name = "crm.claim.similar.line"
    _description = "Similar Claim"
    _order = "points desc, id"

    wizard_id = fields.Many2one("crm.claim.similar", required=True, index=True, ondelete="cascade")
    claim_id = fields.Many2one("crm.claim", required=True, index=True, ondelete="cascade")
    points = fields.Integer("Likeness", readonly=True)
    reasons = fields.Char("In Common", readonly=True)
    subject = fields.Char(related="claim_id.subject", related_sudo=False)
    partner_id = fields.Many2one(related="claim_id.partner_id", related_sudo=False)
    date_registered = fields.Datetime(related="claim_id.date_registered", related_sudo=False)
    state = fields.Selection(related="claim_id.state", related_sudo=False)
    is_linked = fields.Boolean(compute="_compute_is_linked")
    is_mergeable = fields.Boolean(compute="_compute_is_mergeable")

    @api.depends("claim_id", "wizard_id.claim_id.linked_ids")
    def _compute_is_linked(self):
        for line in self:
            line.is_linked = line.claim_id in line.wizard_id.claim_id.linked_ids

    @api.depends("claim_id", "wizard_id")
    def _compute_is_mergeable(self):
        for line in self:
            obstacle = line.wizard_id.claim_id._get_merge_obstacle(line.claim_id)
            line.is_mergeable = not obstacle

    def action_link(self):
        self.ensure_one()
        self.wizard_id.claim_id.action_link(self.claim_id.ids)
        return self._reload()

    def action_merge(self):
        """Merge this claim into the one that the list was opened for."""
        self.ensure_one()
        self.wizard_id.claim_id.action_merge(self.claim_id.ids)
        return {"type": "ir.actions.client", "tag": "soft_reload"}

    def action_open(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": "crm.claim",
            "res_id": self.claim_id.id,
            "view_mode": "form",
        }

    def _reload(self):
        return self.wizard_id.claim_id.action_view_similar()
