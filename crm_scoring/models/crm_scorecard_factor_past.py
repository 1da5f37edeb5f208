from odoo import api, fields, models


class CrmScorecardFactorPast(models.Model):
    """The name of a factor that was deleted: scores and their history still tell of it."""

    _name = "crm.scorecard.factor.past"
    _description = "Deleted scorecard factor"
    _log_access = False

    factor = fields.Integer("Id of the Factor", required=True, readonly=True, index=True)
    name = fields.Char(required=True, readonly=True, translate=True)

    @api.model
    def _keep(self, factors):
        """Keep the names of factors that are about to be deleted, in every language."""
        languages = [code for code, _name in self.env["res.lang"].get_installed()]
        for factor in factors:
            past = self.create({"factor": factor.id, "name": factor.name})
            for code in languages:
                past.with_context(lang=code).name = factor.with_context(lang=code).name

    @api.model
    def _get_name(self, factor_id):
        past = self.search([("factor", "=", factor_id)], limit=1)
        return past.name or self.env._("Deleted factor")
