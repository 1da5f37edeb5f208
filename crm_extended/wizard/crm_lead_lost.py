from odoo import api, fields, models


class CrmLeadLost(models.TransientModel):
    """Losing a deal asks, beside the reason, which objection decided."""

    _inherit = "crm.lead.lost"

    company_id = fields.Many2one("res.company", compute="_compute_company_id")
    objection_id = fields.Many2one(
        "crm.objection",
        string="Fatal Objection",
        domain="[('company_id', 'in', (False, company_id))]",
        help="What the client said against it, and could not be answered.",
    )
    raised_objection_ids = fields.Many2many(
        "crm.objection", string="Raised Objections", compute="_compute_raised_objection_ids"
    )

    @api.depends("lead_ids")
    def _compute_company_id(self):
        for wizard in self:
            companies = wizard.lead_ids.company_id
            wizard.company_id = companies if len(companies) == 1 else False

    @api.depends("lead_ids")
    def _compute_raised_objection_ids(self):
        for wizard in self:
            wizard.raised_objection_ids = (
                self.env["crm.lead.objection"]
                .search([("lead_id", "in", wizard.lead_ids.ids), ("state", "!=", "overcome")])
                .objection_id
            )

    def action_lost_reason_apply(self):
        res = super().action_lost_reason_apply()
        if self.objection_id:
            self.lead_ids._set_fatal_objection(self.objection_id)
        return res
