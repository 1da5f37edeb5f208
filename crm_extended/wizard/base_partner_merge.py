from odoo import api, models


class BasePartnerMergeAutomaticWizard(models.TransientModel):
    """Clients that are merged bring their conversations and memberships along."""

    _inherit = "base.partner.merge.automatic.wizard"

    @api.model
    def _update_foreign_keys(self, src_partners, dst_partner):
        dst_partner._merge_segment_members(src_partners)
        self.env["crm.partner.relation"]._merge_partners(src_partners, dst_partner)
        super()._update_foreign_keys(src_partners, dst_partner)

    @api.model
    def _update_reference_fields(self, src_partners, dst_partner):
        super()._update_reference_fields(src_partners, dst_partner)
        dst_partner._merge_interaction_chains(src_partners)
