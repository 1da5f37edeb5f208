from odoo import api, models

from .res_partner_duplicate import UNASKED, UNASKED_KEY


class ResUsers(models.Model):
    """The card of a user is made by the program: nobody can be asked about duplicates.

    A customer who signs up in the portal is let in, and listed for review if known already.
    """

    _inherit = "res.users"

    @api.model_create_multi
    def create(self, vals_list):
        users = super(ResUsers, self.with_context(**{UNASKED_KEY: UNASKED})).create(vals_list)
        return users.with_env(self.env)
