from odoo import fields, models
from odoo.exceptions import AccessError


class DigestDigest(models.Model):
    """The manager's mail counts the deals that are leaving and the money at risk on them."""

    _inherit = "digest.digest"

    kpi_crm_leaving = fields.Boolean("Deals Leaving")
    kpi_crm_leaving_value = fields.Integer(compute="_compute_kpi_crm_leaving_value")
    kpi_crm_leaving_amount = fields.Boolean("Money at Risk")
    kpi_crm_leaving_amount_value = fields.Monetary(compute="_compute_kpi_crm_leaving_value")

    def _compute_kpi_crm_leaving_value(self):
        if not self.env.user.has_group("sales_team.group_sale_salesman"):
            raise AccessError(self.env._("Deals are shown to salespeople only."))
        for digest in self:
            company = digest.company_id or self.env.company
            leads = self.env["crm.lead"].with_company(company)
            count, amount = leads._get_leaving_figures([("company_id", "=", company.id)])
            digest.kpi_crm_leaving_value = count
            digest.kpi_crm_leaving_amount_value = amount

    def _compute_kpis_actions(self, company, user):
        actions = super()._compute_kpis_actions(company, user)
        menu_id = self.env.ref("crm.crm_menu_root").id
        target = f"crm_scoring.crm_lead_action_leaving?menu_id={menu_id}"
        return {**actions, "kpi_crm_leaving": target, "kpi_crm_leaving_amount": target}
