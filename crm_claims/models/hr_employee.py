from odoo import models
from odoo.addons.crm_extended.models.res_partner_duplicate import UNASKED, UNASKED_KEY


class HrEmployee(models.Model):
    """The card of a colleague is made by the program: nobody is asked about duplicates."""

    _inherit = "hr.employee"

    def _create_work_contacts(self):
        return super(
            HrEmployee, self.with_context(**{UNASKED_KEY: UNASKED})
        )._create_work_contacts()
