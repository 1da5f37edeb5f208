from odoo import models


class ResPartner(models.Model):
    """Open claims are a risk that the graph of relations shows."""

    _inherit = "res.partner"

    def _get_relation_risks(self):
        risks = super()._get_relation_risks()
        Claim = self.env["crm.claim"]
        if not Claim.has_access("read"):
            return risks
        counts = {}
        for partner, count in Claim._read_group(
            [("partner_id", "child_of", self.ids), ("is_open", "=", True)],
            ["partner_id"],
            ["__count"],
        ):
            # sudo: to which company a claimant belongs
            company_id = partner.sudo().commercial_partner_id.id
            for partner_id in {partner.id, company_id}:
                counts[partner_id] = counts.get(partner_id, 0) + count
        for partner in self:
            if count := counts.get(partner.id):
                risks[partner.id].append(
                    {
                        "name": "claims",
                        "label": self.env._("Open claims: %s", count),
                        "color": "warning",
                    }
                )
        return risks
