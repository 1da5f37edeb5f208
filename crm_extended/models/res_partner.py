from odoo import fields, models


class ResPartner(models.Model):
    """A client is talked to: on its own account and about each of its deals.

    The button on a client counts all interactions with the client and its contacts, whatever
    they are about. The time zone of a contact is no longer that of whoever enters it: it stays
    empty until somebody knows it (a user gets the browser's at the first login).
    """

    _name = "res.partner"
    _inherit = ["res.partner", "crm.interaction.mixin"]

    tz = fields.Selection(default=False)
    agreement_count = fields.Integer(compute="_compute_agreement_count")

    def _compute_agreement_count(self):
        Agreement = self.env["crm.agreement"]
        # customers read their own agreements, but not the fields that are counted by
        if self.env.user.share or not Agreement.has_access("read"):
            self.agreement_count = 0
            return
        counts = dict(
            Agreement._read_group(
                [("commercial_partner_id", "in", self.commercial_partner_id.ids)],
                ["commercial_partner_id"],
                ["__count"],
            )
        )
        for partner in self:
            partner.agreement_count = counts.get(partner.commercial_partner_id, 0)

    def action_view_agreements(self):
        """Open the individual agreements of this client."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("crm_extended.crm_agreement_action")
        return action | {
            "domain": [("commercial_partner_id", "=", self.commercial_partner_id.id)],
            "context": {"default_partner_id": self.commercial_partner_id.id},
        }

    def _get_interaction_partner(self):
        return self

    def _get_interaction_domain(self):
        return [("partner_id", "child_of", self.ids)]

    def _get_interaction_counts(self):
        """Count the interactions of the contacts at each of their parents too."""
        family = self.with_context(active_test=False).search_fetch(
            [("id", "child_of", self.ids)], ["parent_id"]
        )
        counts = dict.fromkeys(self.ids, 0)
        for partner, count in self.env["crm.interaction"]._read_group(
            [("partner_id", "in", family.ids)], ["partner_id"], ["__count"]
        ):
            while partner:
                if partner.id in counts:
                    counts[partner.id] += count
                partner = partner.parent_id
        return counts
