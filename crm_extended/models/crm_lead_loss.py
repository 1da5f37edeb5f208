from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.tools import SQL
from odoo.tools.sql import column_exists, create_column


class CrmLead(models.Model):
    """A deal remembers the stage in which it was lost.

    A deal counts as lost here when it is archived with a lost reason or with no chance left
    (which is Odoo's own meaning of lost). Whatever loses it (the dialog, a remote call, an
    import, the last attempt of a ladder) stores the stage; whatever restores it, clears it. A
    stage that is changed while the deal is lost does not change where it was lost.
    """

    _inherit = "crm.lead"

    lost_stage_id = fields.Many2one(
        "crm.stage",
        string="Lost at Stage",
        compute="_compute_lost_stage_id",
        store=True,
        index="btree_not_null",
        ondelete="set null",
        copy=False,
        help="The stage in which the deal was lost.",
    )

    def _auto_init(self):
        """Deals lost before this add-on were lost in the stage where they still are."""
        if not column_exists(self.env.cr, "crm_lead", "lost_stage_id"):
            create_column(self.env.cr, "crm_lead", "lost_stage_id", "int4")
            self.env.cr.execute(
                SQL(
                    """UPDATE crm_lead SET lost_stage_id = stage_id
                        WHERE active IS NOT TRUE
                          AND (probability = 0 OR lost_reason_id IS NOT NULL)"""
                )
            )
        return super()._auto_init()

    @api.depends("active", "probability", "lost_reason_id")
    def _compute_lost_stage_id(self):
        for lead in self:
            if not lead._is_lost():
                lead.lost_stage_id = False
            elif not lead.lost_stage_id:
                lead.lost_stage_id = lead.stage_id

    def _is_lost(self):
        """Whether the deal is over without having been won."""
        self.ensure_one()
        return not self.active and bool(self.lost_reason_id or not self.probability)

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            self._check_lost_stage_value(vals)
        return super().create(vals_list)

    def write(self, vals):
        self._check_lost_stage_value(vals)
        return super().write(vals)

    @api.model
    def _check_lost_stage_value(self, vals):
        if "lost_stage_id" in vals and not self.env.su:
            raise AccessError(
                self.env._("The stage at which a deal was lost is kept by the system.")
            )
