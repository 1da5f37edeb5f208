from odoo import api, fields, models
from odoo.fields import Domain


class CrmPartnerRelationSearch(models.TransientModel):
    """Finds the clients related to X by Y, for those who do not know how to type it.

    The client is one card; without a relation, whoever is related to him in any way is found.
    The list that follows is an ordinary list of clients, under the rights of the user.
    """

    _name = "crm.partner.relation.search"
    _description = "Find Related Clients"

    relation = fields.Selection("_get_relations", string="What They Are")
    partner_id = fields.Many2one("res.partner", string="Client", required=True)
    with_past = fields.Boolean(
        string="Past Relations Too", help="Also relations that are over or have not begun."
    )
    found_count = fields.Integer(string="Found", compute="_compute_found_count")

    @api.model
    def _get_relations(self):
        """Each kind of relation from both of its sides.

        :return: list of (kind and side, what a client is to another one)
        """
        relations = []
        for kind in self.env["crm.partner.relation.type"].search([]):
            for side in ("left",) if kind.is_symmetric else ("left", "right"):
                relations.append((f"{kind.id}/{side}", kind._get_label(side)))
        return relations

    @api.depends("relation", "partner_id", "with_past")
    def _compute_found_count(self):
        for search in self:
            search.found_count = search.partner_id and self.env["res.partner"].search_count(
                search._get_clients_domain()
            )

    def _get_clients_domain(self):
        """Domain of the clients that are looked for."""
        self.ensure_one()
        domain = Domain("other_partner_id", "=", self.partner_id.id)
        if self.relation:
            kind_id, side = self.relation.split("/")
            domain &= Domain("type_id", "=", int(kind_id))
            if not self.env["crm.partner.relation.type"].browse(int(kind_id)).is_symmetric:
                domain &= Domain("side", "=", side)
        if not self.with_past:
            today = fields.Date.to_string(fields.Date.context_today(self))
            domain &= self.env["crm.partner.relation"]._get_current_domain(today)
        return Domain("relation_side_ids", "any", domain)

    def action_search(self):
        """Open the clients found."""
        self.ensure_one()
        relation = dict(self._get_relations()).get(self.relation)
        client = self.partner_id.display_name
        return {
            "type": "ir.actions.act_window",
            "name": f"{relation} {client}"
            if relation
            else self.env._("Related to %(client)s", client=client),
            "res_model": "res.partner",
            "views": [(False, "list"), (False, "kanban"), (False, "form")],
            "domain": list(self._get_clients_domain()),
        }
