from odoo import fields, models


class ProjectProject(models.Model):
    _inherit = "project.project"

    claim_team_ids = fields.One2many("crm.claim.team", "project_id", string="Claim Teams")
