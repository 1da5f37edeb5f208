from odoo import api, fields, models


class RatingRating(models.Model):
    """The claim that was rated, so that a rating is read by whoever reads its claim."""

    _inherit = "rating.rating"

    claim_id = fields.Many2one(
        "crm.claim",
        compute="_compute_claim_id",
        compute_sudo=True,
        store=True,
        index="btree_not_null",
        ondelete="cascade",
    )

    @api.depends("res_model", "res_id")
    def _compute_claim_id(self):
        for rating in self:
            rating.claim_id = rating.res_id if rating.res_model == "crm.claim" else False
