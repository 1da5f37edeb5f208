from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

#: a client who bought nothing for so many days has returned when he buys again
RETURN_DAYS = 365


class SaleOrder(models.Model):
    """Whether a confirmed order is the first one of its client, or brings him back.

    - *First*: the client (all contacts of the company together) had bought nothing before from
      this company of ours, neither by orders nor by the imported history.
    - *Back again*: he had, but nothing in the 365 days before.
    - *Repeat*: any other.

    It is found when asked, by index, so that a history imported later is seen at once.
    """

    _inherit = "sale.order"

    client_turn = fields.Selection(
        [("new", "First order"), ("returned", "Back again"), ("repeat", "Repeat order")],
        string="Client",
        compute="_compute_client_turn",
        search="_search_client_turn",
        help="First order of the client, his return after a year of silence, or a repeat order.",
    )

    @api.depends("state", "partner_id", "date_order")
    def _compute_client_turn(self):
        found = {}
        for turn in ("new", "returned"):
            orders = self._origin.sudo().search(
                [("id", "in", self.ids), ("client_turn", "=", turn)]
            )
            found.update(dict.fromkeys(orders.ids, turn))
        for order in self:
            confirmed = order.state == "sale"
            order.client_turn = found.get(order._origin.id, "repeat") if confirmed else False

    def _search_client_turn(self, operator, value):
        if operator != "in":
            return NotImplemented
        confirmed = Domain("state", "=", "sale")
        earlier = Domain.custom(to_sql=_get_earlier_sql)
        lately = Domain.custom(to_sql=_get_lately_sql)
        domains = {
            "new": confirmed & ~earlier,
            "returned": confirmed & earlier & ~lately,
            "repeat": confirmed & lately,
            False: ~confirmed,
        }
        return Domain.OR(domains[turn] for turn in value if turn in domains)


def _get_earlier_sql(_model, alias, _query):
    return _get_purchase_sql(alias, SQL("TRUE"), SQL("TRUE"))


def _get_lately_sql(_model, alias, _query):
    since = SQL("%s - make_interval(days => %s)", SQL.identifier(alias, "date_order"), RETURN_DAYS)
    return _get_purchase_sql(
        alias, SQL("earlier.date_order >= %s", since), SQL("past.date >= (%s)::date", since)
    )


def _get_purchase_sql(alias, order_condition, history_condition):
    """That the client had bought before, under a condition on the earlier purchase.

    Two conditions side by side, not one within the other: PostgreSQL would read all orders for
    each order otherwise.
    """
    names = {
        "partner": SQL.identifier(alias, "partner_id"),
        "company": SQL.identifier(alias, "company_id"),
        "date": SQL.identifier(alias, "date_order"),
        "id": SQL.identifier(alias, "id"),
    }
    ordered = SQL(
        """EXISTS (
            SELECT 1
              FROM res_partner buyer
              JOIN res_partner client ON client.commercial_partner_id = buyer.commercial_partner_id
              JOIN sale_order earlier ON earlier.partner_id = client.id
             WHERE buyer.id = %(partner)s AND earlier.state = 'sale'
               AND earlier.company_id = %(company)s AND %(condition)s
               AND (earlier.date_order, earlier.id) < (%(date)s, %(id)s))""",
        condition=order_condition,
        **names,
    )
    bought = SQL(
        """EXISTS (
            SELECT 1
              FROM res_partner buyer
              JOIN crm_sale_history past
                ON past.commercial_partner_id = buyer.commercial_partner_id
             WHERE buyer.id = %(partner)s AND past.company_id = %(company)s
               AND %(condition)s AND past.date < (%(date)s)::date)""",
        condition=history_condition,
        **names,
    )
    return SQL("(%s OR %s)", ordered, bought)
