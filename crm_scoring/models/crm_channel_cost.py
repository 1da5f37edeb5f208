from odoo import api, fields, models
from odoo.exceptions import ValidationError


class CrmChannelCost(models.Model):
    """What a source, a channel or a campaign cost in a period.

    - The amount is entered in any currency and kept in that of the company too, at the rate of the
      first day. The report spreads it evenly over the days of the period.
    - At least one of source, medium and campaign says what it was spent on; the report shows it
      under exactly these.
    """

    _name = "crm.channel.cost"
    _description = "Cost of a Channel"
    _order = "date_from desc, id desc"
    _check_company_auto = True

    name = fields.Char(string="Note", help="Invoice, contract or what was bought.")
    source_id = fields.Many2one("utm.source", string="Source", index="btree_not_null")
    medium_id = fields.Many2one("utm.medium", string="Medium", index="btree_not_null")
    campaign_id = fields.Many2one("utm.campaign", string="Campaign", index="btree_not_null")
    date_from = fields.Date(
        string="From",
        required=True,
        default=lambda self: fields.Date.start_of(fields.Date.context_today(self), "month"),
    )
    date_to = fields.Date(
        string="To",
        required=True,
        default=lambda self: fields.Date.end_of(fields.Date.context_today(self), "month"),
    )
    company_id = fields.Many2one(
        "res.company",
        required=True,
        default=lambda self: self.env.company,
        ondelete="cascade",
        index=True,
    )
    currency_id = fields.Many2one(
        "res.currency", required=True, default=lambda self: self.env.company.currency_id
    )
    amount = fields.Monetary(string="Cost", required=True)
    company_currency_id = fields.Many2one(
        related="company_id.currency_id", string="Company Currency"
    )
    amount_company = fields.Monetary(
        string="Cost in Company Currency",
        currency_field="company_currency_id",
        compute="_compute_amount_company",
        store=True,
    )

    _check_period = models.Constraint(
        "CHECK(date_from <= date_to)", "The cost of a channel: the period ends before it begins."
    )
    _check_amount = models.Constraint(
        "CHECK(amount >= 0)", "The cost of a channel cannot be negative."
    )

    @api.depends("amount", "currency_id", "company_id", "date_from")
    def _compute_amount_company(self):
        for cost in self:
            cost.amount_company = cost.currency_id._convert(
                cost.amount,
                cost.company_id.currency_id,
                cost.company_id,
                cost.date_from or fields.Date.context_today(cost),
            )

    @api.constrains("source_id", "medium_id", "campaign_id")
    def _check_channel(self):
        for cost in self:
            if not (cost.source_id or cost.medium_id or cost.campaign_id):
                raise ValidationError(
                    self.env._(
                        "Say what the money was spent on: choose a source, a medium or a campaign."
                    )
                )

    @api.depends("source_id", "medium_id", "campaign_id", "date_from")
    def _compute_display_name(self):
        for cost in self:
            names = (cost.campaign_id, cost.source_id, cost.medium_id)
            cost.display_name = " / ".join(record.display_name for record in names if record)
