from odoo import fields, models


class CrmLead(models.Model):
    """A deal shows when the register says something bad of its client."""

    _inherit = "crm.lead"

    counterparty_alert = fields.Selection(related="partner_id.counterparty_alert")
    counterparty_status = fields.Selection(
        related="partner_id.commercial_partner_id.counterparty_status",
        string="Status of the Client",
    )
    counterparty_message = fields.Char(related="partner_id.counterparty_message")
    counterparty_date = fields.Datetime(
        related="partner_id.commercial_partner_id.counterparty_date", string="Client Checked On"
    )
    counterparty_source = fields.Char(
        related="partner_id.commercial_partner_id.counterparty_source", string="Client Checked By"
    )
