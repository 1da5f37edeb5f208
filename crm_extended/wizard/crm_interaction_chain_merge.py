from odoo import api, fields, models


class CrmInteractionChainMerge(models.TransientModel):
    """Shows what becomes of conversations that are merged; merging itself is theirs."""

    _name = "crm.interaction.chain.merge"
    _description = "Merge Conversations"

    chain_ids = fields.Many2many("crm.interaction.chain", string="Conversations", required=True)
    chain_id = fields.Many2one(
        "crm.interaction.chain",
        string="Keep",
        compute="_compute_chain_id",
        store=True,
        readonly=False,
        domain="[('id', 'in', chain_ids)]",
        help="The conversation about a document is always the one that is kept.",
    )
    res_name = fields.Char(related="chain_id.res_name")
    res_id = fields.Many2oneReference(related="chain_id.res_id")
    problem = fields.Char(compute="_compute_problem", help="Why they cannot be merged.")
    name = fields.Char(string="Subject", compute="_compute_name", store=True, readonly=False)

    @api.depends("chain_ids")
    def _compute_chain_id(self):
        for wizard in self:
            wizard.chain_id = wizard.chain_ids._origin._get_merge_target()

    @api.depends("chain_ids")
    def _compute_problem(self):
        for wizard in self:
            wizard.problem = wizard.chain_ids._origin._get_merge_problem()

    @api.depends("chain_id")
    def _compute_name(self):
        for wizard in self:
            wizard.name = wizard.chain_id.name

    def action_confirm(self):
        self.ensure_one()
        chain = self.chain_ids.action_merge(self.chain_id.id, self.name)
        return {
            "type": "ir.actions.act_window",
            "res_model": "crm.interaction.chain",
            "res_id": chain.id,
            "views": [(False, "form")],
        }
