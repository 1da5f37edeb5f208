from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL


class SaleOrder(models.Model):
    """The customer is told when his order is confirmed, and when all of it is delivered.

    A confirmation that Odoo itself mails (online signature or payment) is not told again. The
    delivery is found by a job: whatever delivers, it shows in the delivered quantities.
    """

    _name = "sale.order"
    _inherit = ["sale.order", "crm.portal.notifier"]

    def action_confirm(self):
        result = super().action_confirm()
        orders = self.filtered(lambda order: order.state == "sale")
        if self.env.context.get("send_email"):
            self.env["crm.portal.notice"]._claim(orders, "order_confirmed")
        else:
            orders._portal_notify(
                "order_confirmed",
                "crm_portal.mail_template_order_confirmed",
                "crm_portal.sms_order_confirmed",
            )
        return result

    @api.model
    def _get_delivered_since(self, since, event, limit):
        """Orders of which the last of all goods was delivered after a moment.

        Only those of customers with an account, and not told of yet. The read starts at the lines
        that were written lately, so that it does not grow with the history.
        """
        self.env["sale.order.line"].flush_model()
        self.flush_model(["state", "partner_id"])
        rows = self.env.execute_query(
            SQL(
                """
                SELECT DISTINCT o.id
                  FROM sale_order_line recent
                  JOIN sale_order o ON o.id = recent.order_id AND o.state = 'sale'
                 WHERE recent.write_date >= %(since)s
                   AND recent.qty_delivered > 0
                   AND NOT EXISTS (
                       SELECT 1 FROM sale_order_line l
                        WHERE l.order_id = o.id AND l.display_type IS NULL
                          AND l.is_downpayment IS NOT TRUE
                          AND l.product_uom_qty > 0 AND l.qty_delivered < l.product_uom_qty)
                   AND NOT EXISTS (
                       SELECT 1 FROM crm_portal_notice n
                        WHERE n.res_model = 'sale.order' AND n.res_id = o.id
                          AND n.event = %(event)s)
                   AND EXISTS (
                       SELECT 1 FROM res_users u
                        WHERE u.partner_id = o.partner_id AND u.share AND u.active)
              ORDER BY o.id
                 LIMIT %(limit)s
                """,
                since=since,
                event=event,
                limit=limit,
            )
        )
        return self.browse(row[0] for row in rows)

    def _cron_notify_delivered(self, batch_size=200):
        """Tell customers of orders that were delivered within the last two days."""
        cron = self.env["ir.cron"]
        since = fields.Datetime.now() - timedelta(days=2)
        orders = self._get_delivered_since(since, "order_delivered", batch_size + 1)
        batch = orders[:batch_size]
        batch._portal_notify(
            "order_delivered",
            "crm_portal.mail_template_order_delivered",
            "crm_portal.sms_order_delivered",
        )
        cron._commit_progress(len(batch), remaining=len(orders) - len(batch))


class SaleOrderLine(models.Model):
    _inherit = "sale.order.line"

    # the job that looks for deliveries reads the lines written lately
    _portal_delivered_idx = models.Index("(write_date) WHERE qty_delivered > 0")
