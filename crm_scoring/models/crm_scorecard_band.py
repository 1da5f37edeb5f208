from odoo import api, fields, models


class CrmScorecardBand(models.Model):
    """Points for a measured value from a lower bound up to the next band.

    A value below the first band brings no points. Bounds of dates are days before
    now: 21 means "21 days ago or earlier", -7 "at most 7 days ahead".
    """

    _name = "crm.scorecard.band"
    _description = "Band of a scorecard factor"
    _order = "factor_id, lower_bound, id"

    factor_id = fields.Many2one(
        "crm.scorecard.factor", required=True, ondelete="cascade", index=True
    )
    lower_bound = fields.Float(
        "From", required=True, help="Smallest value of the band: an amount, a number or days."
    )
    points = fields.Float(
        required=True,
        digits=(5, 1),
        help="Added to the score of deals in this band; may be negative.",
    )

    _unique_bound = models.Constraint(
        "UNIQUE(factor_id, lower_bound)", "Two bands of a factor cannot start at the same value."
    )

    @api.depends("lower_bound", "points")
    def _compute_display_name(self):
        for band in self:
            band.display_name = f"≥ {band.lower_bound:,g}: {band.points:+g}"

    @api.model_create_multi
    def create(self, vals_list):
        bands = super().create(vals_list)
        bands.factor_id._rules_changed()
        return bands

    def write(self, vals):
        res = super().write(vals)
        self.factor_id._rules_changed()
        return res

    def unlink(self):
        factors = self.factor_id
        res = super().unlink()
        factors._rules_changed()
        return res
