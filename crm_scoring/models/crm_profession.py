from odoo import fields, models


class CrmProfession(models.Model):
    """What a contact does for a living, for holidays and letters; one list for all companies."""

    _name = "crm.profession"
    _description = "Profession"
    _order = "name"

    name = fields.Char(required=True, translate=True)
    active = fields.Boolean(default=True)

    _name_unique = models.Constraint("UNIQUE(name)", "There is a profession of this name already.")
