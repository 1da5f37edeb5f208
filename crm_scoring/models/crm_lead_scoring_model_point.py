from odoo import fields, models


class CrmLeadScoringModelPoint(models.Model):
    """A point of the calibration plot: what was promised to a tenth of the deals, and what
    happened to them."""

    _name = "crm.lead.scoring.model.point"
    _description = "Calibration of a model of winning"
    _order = "version_id desc, promised, id"
    _log_access = False

    version_id = fields.Many2one(
        "crm.lead.scoring.model", required=True, readonly=True, ondelete="cascade", index=True
    )
    deals = fields.Integer(readonly=True)
    promised = fields.Float("Promised (%)", digits=(5, 1), readonly=True, aggregator="avg")
    observed = fields.Float("Won (%)", digits=(5, 1), readonly=True, aggregator="avg")
