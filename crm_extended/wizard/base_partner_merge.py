from odoo import api, models

from ..models.res_partner_counterparty import MERGED, MERGED_KEY


class BasePartnerMergeAutomaticWizard(models.TransientModel):
    """Clients that are merged bring their conversations and memberships along."""

    _inherit = "base.partner.merge.automatic.wizard"

    @api.model
    def _update_foreign_keys(self, src_partners, dst_partner):
        dst_partner._merge_segment_members(src_partners)
        self.env["crm.partner.relation"]._merge_partners(src_partners, dst_partner)
        super()._update_foreign_keys(src_partners, dst_partner)

    @api.model
    def _update_values(self, src_partners, dst_partner):
        merged = dst_partner.with_context(**{MERGED_KEY: MERGED})
        return super()._update_values(src_partners, merged)

    @api.model
    def _update_reference_fields(self, src_partners, dst_partner):
        super()._update_reference_fields(src_partners, dst_partner)
        dst_partner._merge_interaction_chains(src_partners)
