from odoo import api, models
from odoo.tools import SQL


class BasePartnerMergeAutomaticWizard(models.TransientModel):
    """Merged contacts keep one occasion of each kind: that which is done, else the oldest."""

    _inherit = "base.partner.merge.automatic.wizard"

    @api.model
    def _update_foreign_keys(self, src_partners, dst_partner):
        occasions = self.env["crm.occasion"]
        occasions.flush_model()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT id FROM (
                    SELECT id, row_number() OVER (
                               PARTITION BY kind, holiday_id, product_id, period
                               ORDER BY state = 'done' DESC, date_mailed NULLS LAST, id
                           ) AS place
                      FROM crm_occasion WHERE partner_id = ANY(%s)
                ) o WHERE place > 1
                """,
                (src_partners | dst_partner).ids,
            )
        )
        # sudo: an occasion that is listed twice goes, whoever merges
        occasions.sudo().browse([row[0] for row in rows]).unlink()
        super()._update_foreign_keys(src_partners, dst_partner)
