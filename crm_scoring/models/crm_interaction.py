from odoo import api, fields, models
from odoo.tools import SQL


class CrmInteraction(models.Model):
    """Calls about the best deals come first in *My Calls*."""

    _inherit = "crm.interaction"

    lead_score_class = fields.Selection(
        [("A", "A"), ("B", "B"), ("C", "C"), ("D", "D")],
        "Class",
        compute="_compute_lead_score_class",
        groups="crm_extended.crm_interactions_group_user",
        help="Class of the deal which the call is about.",
    )

    @api.depends("res_model", "res_id")
    def _compute_lead_score_class(self):
        about_deals = self.filtered(lambda interaction: interaction.res_model == "crm.lead")
        (self - about_deals).lead_score_class = False
        # sudo: whoever was asked to call need not have the deal in hand
        leads_sudo = self.env["crm.lead"].sudo().browse(about_deals.mapped("res_id")).exists()
        classes = {lead_sudo.id: lead_sudo.score_class for lead_sudo in leads_sudo}
        for interaction in about_deals:
            interaction.lead_score_class = classes.get(interaction.res_id, False)

    @api.model
    def _get_call_importance_sql(self, alias, query):
        """Calls about class A first; whatever has no class comes after class D."""
        Lead = self.env["crm.lead"]
        return SQL(
            """COALESCE((
                SELECT strpos('ABCD', %(score_class)s) - 1
                  FROM crm_lead lead
                 WHERE lead.id = %(res_id)s AND %(res_model)s = 'crm.lead'
                   AND lead.score_class IS NOT NULL), 4) * 100 + %(other)s""",
            score_class=SQL.identifier("lead", "score_class", to_flush=Lead._fields["score_class"]),
            res_id=self._field_to_sql(alias, "res_id", query),
            res_model=self._field_to_sql(alias, "res_model", query),
            other=super()._get_call_importance_sql(alias, query),
        )
