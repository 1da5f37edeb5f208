from odoo import api, fields, models
from odoo.fields import Domain

READERS = (
    "sales_team.group_sale_salesman,account.group_account_invoice," "account.group_account_readonly"
)


class ResPartner(models.Model):
    """To whom a client is related.

    "Clients related to X by Y" is asked with `relation_search`: the client, or the client and the
    relation with a slash between them ("Alpha / parent of": who is the parent of Alpha).
    """

    _inherit = "res.partner"

    relation_side_ids = fields.One2many(
        "crm.partner.relation.side", "partner_id", string="Relations", groups=READERS
    )
    relation_count = fields.Integer(compute="_compute_relation_count", groups=READERS)
    relation_search = fields.Char(
        string="Related to", store=False, search="_search_relation_search", groups=READERS
    )

    def _compute_relation_count(self):
        today = fields.Date.context_today(self)
        Side = self.env["crm.partner.relation.side"]
        current = self.env["crm.partner.relation"]._get_current_domain(today)
        counts = dict(
            Side._read_group(
                current & Domain("partner_id", "in", self.ids), ["partner_id"], ["__count"]
            )
        )
        for partner in self:
            partner.relation_count = counts.get(partner._origin, 0)

    @api.model
    def _search_relation_search(self, operator, value):
        if operator != "ilike" or not isinstance(value, str):
            return NotImplemented
        client, _slash, relation = (part.strip() for part in value.partition("/"))
        domain = self.env["crm.partner.relation"]._get_current_domain(
            fields.Date.context_today(self)
        )
        if client:
            domain &= Domain("other_partner_id", "ilike", client)
        if relation:
            domain &= Domain("label", "ilike", relation)
        return Domain("relation_side_ids", "any", domain)

    def action_view_relations(self):
        """Open the surroundings of this client: graph and list."""
        self.ensure_one()
        return {
            "type": "ir.actions.client",
            "tag": "crm_relations",
            "name": self.env._("Relations of %s", self.display_name),
            "params": {"partner_id": self.id},
        }

    def action_view_relation_rows(self):
        """Open all relations of this client, past ones too."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "crm_extended.crm_partner_relation_side_action"
        )
        return action | {"domain": [("partner_id", "=", self.id)], "context": {}}
