from odoo import fields, models


class CrmCustomerProfileHistory(models.Model):
    """Where a client stood at the beginning of a month.

    The first full refresh of a month writes one row for each client who stands elsewhere than by
    his last row; what did not change since needs no row. Rows are never edited.
    """

    _name = "crm.customer.profile.history"
    _description = "History of a Client Profile"
    _order = "date desc, id desc"
    _rec_name = "partner_id"
    _log_access = False

    partner_id = fields.Many2one(
        "res.partner", string="Client", required=True, readonly=True, ondelete="cascade"
    )
    company_id = fields.Many2one("res.company", required=True, readonly=True, ondelete="cascade")
    currency_id = fields.Many2one(related="company_id.currency_id")
    date = fields.Date(string="As of", required=True, readonly=True)
    customer_class = fields.Selection(
        lambda self: self._get_selection("customer_class"), string="Class", readonly=True
    )
    stage = fields.Selection(
        lambda self: self._get_selection("stage"), string="Life-Cycle Stage", readonly=True
    )
    segment = fields.Selection(lambda self: self._get_selection("segment"), readonly=True)
    rfm = fields.Char(string="RFM", readonly=True)
    abc_turnover = fields.Selection(
        lambda self: self._get_selection("abc_turnover"), string="ABC", readonly=True
    )
    frequency = fields.Integer(string="Purchases", readonly=True)
    monetary_year = fields.Monetary(string="Turnover, 12 Months", readonly=True)

    _client_date_unique = models.Constraint(
        "UNIQUE(partner_id, company_id, date)", "One row per client, company and month."
    )

    def _get_selection(self, name):
        return self.env["crm.customer.profile"]._fields[name]._description_selection(self.env)
