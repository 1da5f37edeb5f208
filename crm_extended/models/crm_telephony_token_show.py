from odoo import fields, models


class CrmTelephonyTokenShow(models.AbstractModel):
    """The dialog that shows a new token. It has no table: the token is stored nowhere."""

    _name = "crm.telephony.token.show"
    _description = "Show Telephony Token"

    # the dialog reads its values through an onchange, which needs the field `id`
    id = fields.Id()
    token = fields.Char(readonly=True)
    url = fields.Char(string="Address", readonly=True)
