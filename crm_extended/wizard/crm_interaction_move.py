from odoo import api, fields, models
from odoo.exceptions import UserError


class CrmInteractionMove(models.TransientModel):
    """Asks where interactions belong: to a new conversation, another one, a deal, a document."""

    _name = "crm.interaction.move"
    _description = "Move Interactions"

    interaction_ids = fields.Many2many("crm.interaction", required=True)
    destination = fields.Selection(
        [
            ("new", "A new conversation"),
            ("chain", "Another conversation"),
            ("lead", "A deal"),
            ("document", "Another document"),
        ],
        string="Move to",
        required=True,
        default="new",
    )
    name = fields.Char(string="Subject")
    chain_id = fields.Many2one("crm.interaction.chain", string="Conversation")
    lead_id = fields.Many2one("crm.lead", string="Deal")
    document = fields.Reference(selection="_get_document_selection")
    whole_chain = fields.Boolean(
        string="The whole conversation",
        help="Move everything that was said in the same conversation, not only the chosen.",
    )

    @api.model
    def _get_document_selection(self):
        """Kinds of documents that the user may read."""
        models = sorted(self.env["crm.interaction.chain"]._get_document_models())
        return [
            (model.model, model.name)
            for model in self.env["ir.model"].sudo().search([("model", "in", models)], order="name")
            if self.env[model.model].has_access("read")
        ]

    def action_confirm(self):
        """Move, then open the deal or stay."""
        self.ensure_one()
        interactions, close = self.interaction_ids, {"type": "ir.actions.act_window_close"}
        if self.destination == "lead":
            return interactions.action_link_lead(self.lead_id.id)
        if self.destination == "new":
            interactions.action_move(name=self.name, whole_chain=False)
        elif self.destination == "chain":
            if not self.chain_id:
                raise UserError(self.env._("Choose the conversation to which to move."))
            interactions.action_move(chain_id=self.chain_id.id, whole_chain=self.whole_chain)
        else:
            if not self.document:
                raise UserError(self.env._("Choose the document to which to move."))
            interactions.action_move(
                res_model=self.document._name,
                res_id=self.document.id,
                whole_chain=self.whole_chain,
            )
        return close
