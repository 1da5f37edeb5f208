from odoo import api, fields, models


class CrmLeadScoringModelInput(models.Model):
    """How much one input weighs in a version of the model of winning, or why it is left out."""

    _name = "crm.lead.scoring.model.input"
    _description = "Input of a model of winning"
    _order = "version_id desc, share desc, id"
    _rec_name = "label"
    _log_access = False

    version_id = fields.Many2one(
        "crm.lead.scoring.model", required=True, readonly=True, ondelete="cascade", index=True
    )
    name = fields.Char("Technical Name", required=True, readonly=True)
    label = fields.Char("Input", compute="_compute_label")
    share = fields.Float(
        "Weight (%)",
        digits=(5, 1),
        readonly=True,
        help="Share of the input in how far probabilities lie apart.",
    )
    leak = fields.Selection(
        [
            ("empty", "Left out: filled on deals of one outcome only"),
            ("perfect", "Left out: tells the outcome, so it is known only at closing"),
        ],
        "Note",
        readonly=True,
    )

    @api.depends_context("lang")
    @api.depends("name")
    def _compute_label(self):
        for line in self:
            line.label = line.version_id._get_input_label(line.name)
