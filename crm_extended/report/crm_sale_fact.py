from odoo import fields, models
from odoo.tools import SQL
from odoo.tools.sql import drop_view_if_exists


class CrmSaleFact(models.Model):
    """Sales facts: imported history and confirmed order lines, side by side.

    - Everything analytic reads from here and nothing else, so that a company that started with an
      imported past and one that always worked in Odoo get the same figures.
    - An order counts from its confirmation. Sections, notes and down payments are left out: the
      goods themselves are on other lines. A line with a negative quantity is a return; a negative
      amount with a positive quantity is a discount.
    - ``amount`` is untaxed in company currency: order lines are converted with the rate kept on
      the order, history rows were converted when they were imported.
    - ``quantity`` is in the unit of measure of the product.
    - ``date`` of an order is its day in the time zone of the company (UTC when it has none).
    - The view holds no logic beyond that and no aggregate, so that the planner can push filters
      into both halves.
    """

    _name = "crm.sale.fact"
    _description = "Sales Fact"
    _auto = False
    _order = "date desc, id desc"
    _rec_name = "document"

    date = fields.Date(readonly=True)
    document = fields.Char(readonly=True)
    partner_id = fields.Many2one("res.partner", string="Client", readonly=True)
    commercial_partner_id = fields.Many2one("res.partner", string="Client Entity", readonly=True)
    product_id = fields.Many2one("product.product", readonly=True)
    quantity = fields.Float(digits="Product Unit", readonly=True)
    amount = fields.Monetary(string="Untaxed Amount", readonly=True)
    is_return = fields.Boolean(string="Return", readonly=True)
    origin = fields.Selection(
        [("order", "Sales Order"), ("history", "Imported History")], readonly=True
    )
    user_id = fields.Many2one(
        "res.users",
        string="Salesperson",
        readonly=True,
        help="Salesperson of the order; imported rows have none.",
    )
    order_line_id = fields.Many2one("sale.order.line", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True)

    def init(self):
        drop_view_if_exists(self.env.cr, self._table)
        self.env.cr.execute(
            SQL(
                "CREATE VIEW %s AS (%s UNION ALL %s)",
                SQL.identifier(self._table),
                self._get_history_query(),
                self._get_order_query(),
            )
        )

    def _get_history_query(self):
        """Return the SELECT of the imported half; even ids."""
        return SQL(
            """
            SELECT h.id::bigint * 2 AS id,
                   h.date,
                   h.document,
                   h.partner_id,
                   h.commercial_partner_id,
                   h.product_id,
                   h.quantity,
                   h.amount,
                   h.is_return,
                   'history' AS origin,
                   NULL::integer AS user_id,
                   NULL::integer AS order_line_id,
                   h.company_id,
                   c.currency_id
              FROM crm_sale_history h
              JOIN res_company c ON c.id = h.company_id
            """
        )

    def _get_order_query(self):
        """Return the SELECT of the half that comes from confirmed orders; odd ids."""
        return SQL(
            """
            SELECT l.id::bigint * 2 + 1 AS id,
                   timezone(COALESCE(cp.tz, 'UTC'), timezone('UTC', o.date_order))::date AS date,
                   o.name AS document,
                   o.partner_id,
                   p.commercial_partner_id,
                   l.product_id,
                   l.product_uom_qty * COALESCE(lu.factor, 1) / COALESCE(pu.factor, 1)
                       AS quantity,
                   ROUND(l.price_subtotal / COALESCE(NULLIF(o.currency_rate, 0), 1)::numeric,
                         COALESCE(cc.decimal_places, 2)) AS amount,
                   l.product_uom_qty < 0 AS is_return,
                   'order' AS origin,
                   o.user_id,
                   l.id AS order_line_id,
                   o.company_id,
                   c.currency_id
              FROM sale_order_line l
              JOIN sale_order o ON o.id = l.order_id
              JOIN res_partner p ON p.id = o.partner_id
              JOIN res_company c ON c.id = o.company_id
              JOIN res_partner cp ON cp.id = c.partner_id
              JOIN res_currency cc ON cc.id = c.currency_id
         LEFT JOIN product_product pp ON pp.id = l.product_id
         LEFT JOIN product_template pt ON pt.id = pp.product_tmpl_id
         LEFT JOIN uom_uom lu ON lu.id = l.product_uom_id
         LEFT JOIN uom_uom pu ON pu.id = pt.uom_id
             WHERE o.state = 'sale'
               AND l.display_type IS NULL
               AND l.is_downpayment IS NOT TRUE
            """
        )
