from odoo import fields, models


class AccountMove(models.Model):
    """An invoice knows the deals and agreements it comes from, through its order lines."""

    _inherit = "account.move"

    opportunity_ids = fields.Many2many(
        "crm.lead",
        string="Deals",
        compute="_compute_sale_documents",
        search="_search_opportunity_ids",
    )
    agreement_ids = fields.Many2many(
        "crm.agreement",
        string="Agreements",
        compute="_compute_sale_documents",
        search="_search_agreement_ids",
    )
    opportunity_count = fields.Integer(compute="_compute_sale_documents")
    agreement_count = fields.Integer(compute="_compute_sale_documents")
    agreement_contract_ids = fields.Many2many(
        "crm.agreement.contract", string="Contracts", compute="_compute_sale_documents"
    )

    def _compute_sale_documents(self):
        for move in self:
            # sudo: the orders only lead to the documents, which are filtered by the user's access
            orders_sudo = move.sudo().line_ids.sale_line_ids.order_id
            deals = orders_sudo.opportunity_id.sudo(self.env.su)._filtered_access("read")
            agreements = orders_sudo.agreement_id.sudo(self.env.su)._filtered_access("read")
            contracts = orders_sudo.agreement_contract_id.sudo(self.env.su)
            move.agreement_contract_ids = contracts._filtered_access("read")
            move.opportunity_ids = deals
            move.agreement_ids = agreements
            move.opportunity_count = len(deals)
            move.agreement_count = len(agreements)

    def _search_opportunity_ids(self, operator, value):
        if operator not in ("in", "any"):
            return NotImplemented
        return [("line_ids.sale_line_ids.order_id.opportunity_id", operator, value)]

    def _search_agreement_ids(self, operator, value):
        if operator not in ("in", "any"):
            return NotImplemented
        return [("line_ids.sale_line_ids.order_id.agreement_id", operator, value)]

    def action_view_opportunities(self):
        """Open the deals this invoice comes from."""
        return self.opportunity_ids._get_records_action(name=self.env._("Deals"))

    def action_view_agreements(self):
        """Open the agreements this invoice was sold under."""
        return self.agreement_ids._get_records_action(name=self.env._("Agreements"))
