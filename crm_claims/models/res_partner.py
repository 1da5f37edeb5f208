from odoo import fields, models


class ResPartner(models.Model):
    _inherit = "res.partner"

    claim_count = fields.Integer(
        compute="_compute_claim_count", groups="crm_claims.crm_claims_group_user"
    )

    def write(self, vals):
        result = super().write(vals)
        # sudo: whose cards these are
        if "tz" in vals and self.sudo().ref_company_ids:
            self.env.registry.clear_cache()  # days of a company (``res.company``)
        return result

    def _get_claim_domain(self):
        """Claims of these partners and of the people of these companies."""
        return [("partner_id", "child_of", self.ids)]

    def _compute_claim_count(self):
        groups = self.env["crm.claim"]._read_group(
            self._get_claim_domain(), ["partner_id"], ["__count"]
        )
        counts = dict.fromkeys(self.ids, 0)
        for partner, count in groups:
            current = partner.sudo()  # sudo: parents of a readable claim's partner
            while current:
                if current.id in counts:
                    counts[current.id] += count
                current = current.parent_id
        for partner in self:
            partner.claim_count = counts.get(partner.id, 0)

    def action_view_claims(self):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("crm_claims.crm_claim_action")
        return action | {
            "domain": self._get_claim_domain(),
            "context": {"default_partner_id": self.id},
        }
