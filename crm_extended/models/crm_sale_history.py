import uuid

from odoo import fields, models


class CrmSaleHistory(models.Model):
    """A line of a sale that happened elsewhere: a fact for analysis, not a document.

    - A row says who bought what, when and for how much. It creates no order, no invoice and no
      accounting entry, and it never changes stock.
    - Rows are unique by company, source and row key, so that importing the same file again adds
      nothing. The import computes the key (see ``tools.sales_typing``).
    - ``amount`` is untaxed, in the currency of the company, at the rate of the day of the sale;
      ``amount_currency`` is the same amount in the currency of the source. Returns and
      corrections are negative.
    - A fact is not edited: sales managers import rows and delete them (whole imports as a rule).
    - Salespersons see the rows of their own clients and of clients without a salesperson.
    """

    _name = "crm.sale.history"
    _description = "Sales History"
    _order = "date desc, id desc"
    _rec_name = "document"
    _check_company_auto = True
    _log_access = False

    date = fields.Date(required=True, index=True)
    document = fields.Char(help="Number of the invoice, receipt or order in the source.")
    partner_id = fields.Many2one(
        "res.partner",
        string="Client",
        required=True,
        index=True,
        ondelete="restrict",
        check_company=True,
    )
    commercial_partner_id = fields.Many2one(
        related="partner_id.commercial_partner_id",
        string="Client Entity",
        store=True,
        precompute=True,
        index=True,
    )
    product_id = fields.Many2one(
        "product.product", index="btree_not_null", ondelete="restrict", check_company=True
    )
    quantity = fields.Float(
        digits="Product Unit",
        help="In the unit of measure of the product; negative when goods came back.",
    )
    amount = fields.Monetary(
        string="Untaxed Amount",
        currency_field="company_currency_id",
        help="Untaxed amount in the currency of the company; negative for returns.",
    )
    amount_currency = fields.Monetary(
        string="Amount in Currency",
        currency_field="currency_id",
        aggregator=None,
        help="Untaxed amount in the currency of the source.",
    )
    currency_id = fields.Many2one(
        "res.currency", required=True, default=lambda self: self.env.company.currency_id
    )
    is_return = fields.Boolean(string="Return", help="A cancellation or goods that came back.")
    source = fields.Char(
        required=True,
        default=lambda self: self.env._("Manual"),
        help="System the row comes from; the row key is unique within it.",
    )
    row_key = fields.Char(required=True, copy=False, default=lambda self: uuid.uuid4().hex)
    import_id = fields.Many2one(
        "crm.sale.import", string="Import", index="btree_not_null", ondelete="set null"
    )
    company_id = fields.Many2one(
        "res.company", required=True, default=lambda self: self.env.company, ondelete="cascade"
    )
    company_currency_id = fields.Many2one(
        related="company_id.currency_id", string="Company Currency"
    )

    _row_key_unique = models.Constraint(
        "UNIQUE(company_id, source, row_key)",
        "This row of the sales history was imported already.",
    )
