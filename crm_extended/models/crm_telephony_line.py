from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..tools.telephony_event import normalize_extension


class CrmTelephonyLine(models.Model):
    """An extension or phone login and the person who sits there.

    A person may have several lines, with several providers; a line has one person.
    """

    _name = "crm.telephony.line"
    _description = "Telephony Line"
    _order = "provider_id, number, id"
    _rec_name = "number"
    _check_company_auto = True

    provider_id = fields.Many2one(
        "crm.telephony.provider", required=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="provider_id.company_id", store=True, index=True)
    number = fields.Char(
        string="Extension",
        required=True,
        help="As the provider names it: an extension (101), a phone login or a number.",
    )
    number_key = fields.Char(compute="_compute_number_key", store=True)
    user_id = fields.Many2one(
        "res.users",
        string="Operator",
        required=True,
        index=True,
        ondelete="cascade",
        domain="[('share', '=', False), ('company_ids', 'in', company_id)]",
    )

    _number_uniq = models.UniqueIndex(
        "(provider_id, number_key)", "This extension already belongs to somebody."
    )

    @api.depends("number")
    def _compute_number_key(self):
        for line in self:
            line.number_key = normalize_extension(line.number or "")

    @api.constrains("user_id", "provider_id", "number")
    def _check_line(self):
        for line in self:
            if not line.number_key:
                raise ValidationError(self.env._("Enter the extension of each line."))
            if line.company_id not in line.user_id.company_ids:
                raise ValidationError(
                    self.env._(
                        "%(user)s does not work in %(company)s: choose another operator for "
                        "extension %(number)s.",
                        user=line.user_id.name,
                        company=line.company_id.name,
                        number=line.number,
                    )
                )
