from odoo import api, fields, models
from odoo.fields import Command
from odoo.tools import SQL, float_compare, format_date

from .crm_claim_filing import PortalFormError


class SaleOrder(models.Model):
    """What the customer reads of his order, and how he repeats it.

    The status follows the delivery: that of the stock where it is installed, else the delivered
    quantities of the lines.

    *Repeat*: a new draft quotation with the products and quantities of an order, under the terms
    of today (price list, agreement, taxes). Products that are archived, no longer sold or of
    another company are left out and named, to the customer and to the salesperson. The customer
    sees the draft at once; it is a request and cannot be signed or paid before somebody of ours
    has sent it as a quotation.
    """

    _name = "sale.order"
    _inherit = ["sale.order", "crm.portal.request"]

    portal_origin_id = fields.Many2one(
        "sale.order",
        "Repeats Order",
        copy=False,
        readonly=True,
        index="btree_not_null",
        ondelete="set null",
    )
    portal_left_out = fields.Text(
        "Left Out", copy=False, readonly=True, help="Products that could not be ordered again."
    )
    is_portal_request = fields.Boolean(
        "Requested in the Portal",
        copy=False,
        readonly=True,
        help="The customer made this quotation himself and waits for it to be sent.",
    )

    @api.model
    def _portal_readable_fields(self):
        """Customers list what they asked for themselves, see the domain of their quotations."""
        return super()._portal_readable_fields() | {"is_portal_request"}

    # ------------------------------------------------------------
    # Status
    # ------------------------------------------------------------

    def _portal_get_delivery_state(self):
        """How much of the order is delivered: ``none``, ``part`` or ``full``."""
        self.ensure_one()
        if "delivery_status" in self._fields and self.delivery_status:
            return {"pending": "none", "full": "full"}.get(self.delivery_status, "part")
        lines = self.order_line.filtered(
            lambda line: not line.display_type
            and not line.is_downpayment
            and line.product_uom_qty > 0
        )
        if lines and all(
            float_compare(
                line.qty_delivered,
                line.product_uom_qty,
                precision_rounding=line.product_uom_id.rounding or 0.01,
            )
            >= 0
            for line in lines
        ):
            return "full"
        return "part" if any(line.qty_delivered > 0 for line in lines) else "none"

    def _portal_get_badges(self):
        """Status of many orders in a word, for a list: one query, whatever the number.

        :return: order id → ``label`` and ``color``
        :rtype: dict[int, dict]
        """
        self.env["sale.order.line"].flush_model(
            ["order_id", "display_type", "is_downpayment", "product_uom_qty", "qty_delivered"]
        )
        delivered = {
            order_id: "full" if is_full else "part" if is_begun else "none"
            for order_id, is_full, is_begun in self.env.execute_query(
                SQL(
                    """
                    SELECT order_id, bool_and(qty_delivered >= product_uom_qty - 0.00001),
                           bool_or(qty_delivered > 0)
                      FROM sale_order_line
                     WHERE order_id = ANY(%s) AND display_type IS NULL
                       AND is_downpayment IS NOT TRUE AND product_uom_qty > 0
                  GROUP BY order_id
                    """,
                    list(self.ids),
                )
            )
        }
        words = self._portal_get_words()
        badges = {}
        for order in self:
            delivery = delivered.get(order.id, "none")
            if "delivery_status" in self._fields and order.delivery_status:
                delivery = {"pending": "none", "full": "full"}.get(order.delivery_status, "part")
            label, color = words[order.state if order.state != "sale" else delivery]
            badges[order.id] = {"label": label, "color": color}
        return badges

    @api.model
    def _portal_get_words(self):
        """What a state, or how much is delivered, is called, and its Bootstrap theme colour."""
        return {
            "draft": (self.env._("Being checked"), "info"),
            "sent": (self.env._("Waiting for you"), "warning"),
            "cancel": (self.env._("Cancelled"), "secondary"),
            "none": (self.env._("Confirmed"), "primary"),
            "part": (self.env._("Partly delivered"), "primary"),
            "full": (self.env._("Delivered"), "success"),
        }

    def _portal_get_delivery_date(self):
        """The promised or expected day of delivery, or False once all is delivered."""
        self.ensure_one()
        if self.state != "sale" or self._portal_get_delivery_state() == "full":
            return False
        return self.commitment_date or self.expected_date

    def _portal_get_status(self):
        """Status of the order for its customer.

        :return: ``label``, ``text`` (what it means and what comes next) and ``color`` (a
            Bootstrap theme colour)
        :rtype: dict
        """
        self.ensure_one()
        day = self._portal_get_delivery_date()
        when = (
            self.env._("Expected by %(day)s.", day=format_date(self.env, day))
            if day
            else self.env._("We tell you as soon as the day of delivery is known.")
        )
        texts = {
            "draft": self.env._("We check availability and terms, then send you the quotation."),
            "sent": self.env._("Please read our quotation and tell us whether you accept it."),
            "cancel": self.env._("This order has been cancelled."),
            "none": self.env._("Your order is being prepared. %(when)s", when=when),
            "part": self.env._("The rest is on its way. %(when)s", when=when),
            "full": self.env._("Everything has been delivered."),
        }
        key = self.state if self.state != "sale" else self._portal_get_delivery_state()
        label, color = self._portal_get_words()[key]
        return {"label": label, "text": texts[key], "color": color}

    # ------------------------------------------------------------
    # Repeat
    # ------------------------------------------------------------

    def _has_to_be_signed(self):
        return super()._has_to_be_signed() and not self._portal_is_unchecked()

    def _has_to_be_paid(self):
        return super()._has_to_be_paid() and not self._portal_is_unchecked()

    def _portal_is_unchecked(self):
        """Whether the customer made this quotation and nobody of ours has sent it yet."""
        self.ensure_one()
        return self.is_portal_request and self.state == "draft"

    def _portal_can_be_repeated(self, user):
        """Whether a user may order the same again: a customer of the order's own company."""
        self.ensure_one()
        return (
            self.state == "sale"
            and user._is_portal()
            and self.partner_id.commercial_partner_id == user.partner_id.commercial_partner_id
        )

    def _portal_get_repeatable_lines(self):
        """Split the products of the order by whether they can be ordered again.

        :return: lines to repeat, and lines that cannot be had any more
        """
        self.ensure_one()
        lines = self.order_line.filtered(
            lambda line: not line.display_type and line._portal_is_product_line()
        )
        missing = lines.filtered(
            lambda line: line.product_id
            not in line.product_id._portal_filter_orderable(self.company_id)
        )
        return lines - missing, missing

    @api.model
    def _portal_prepare_request_values(self, partner, company):
        """Values of a quotation that a customer makes himself."""
        return {
            "partner_id": partner.id,
            "company_id": company.id,
            "is_portal_request": True,
        }

    @api.model
    def _portal_create_request(self, values, key, note):
        """Make a quotation of a customer, and have somebody look at it.

        :param dict values: see :meth:`_portal_prepare_request_values`
        :param str key: of the form, see :meth:`crm.portal.request._portal_open_request`
        :param str note: what the responsible reads on his activity
        :return: sale.order as superuser
        """
        orders_sudo = self.sudo().with_company(values["company_id"])
        order = orders_sudo.create({**values, "portal_request_key": key})
        manager = order.user_id or order.partner_id._portal_get_manager(order.company_id)
        if manager:
            order.activity_schedule(
                "mail.mail_activity_data_todo",
                user_id=manager.id,
                summary=self.env._("Check and send the quotation requested in the portal"),
                note=note,
            )
        return order

    def _portal_repeat(self, form_key):
        """Order the same again for the signed-in customer, who may read this order.

        :param str form_key: key of the form, untrusted
        :return: the draft quotation as superuser; the same one for the same form
        :raise PortalFormError: when nothing of it can be ordered, or too often
        """
        self.ensure_one()
        key, previous = self._portal_open_request(form_key)
        if previous:
            return previous
        lines, missing = self.sudo()._portal_get_repeatable_lines()
        if not lines:
            raise PortalFormError(
                {
                    "form": self.env._(
                        "None of these products can be ordered any more: %(products)s. Please"
                        " ask us for something similar.",
                        products=", ".join(missing.mapped("name")) or self.name,
                    )
                }
            )
        left_out = "\n".join(line._portal_get_left_out_text() for line in missing)
        order_sudo = self.sudo()
        values = self._portal_prepare_request_values(order_sudo.partner_id, order_sudo.company_id)
        values |= {
            "partner_shipping_id": order_sudo.partner_shipping_id.id,
            "partner_invoice_id": order_sudo.partner_invoice_id.id,
            "portal_origin_id": self.id,
            "portal_left_out": left_out or False,
            "origin": self.name,
            "order_line": [Command.create(line._portal_prepare_repeat_values()) for line in lines],
        }
        note = self.env._("%(customer)s repeats %(order)s.", customer=self.env.user.name,
                          order=self.name)  # fmt: skip
        if left_out:
            note += " " + self.env._("Left out: %(products)s.",
                                     products=left_out.replace("\n", "; "))  # fmt: skip
        return self._portal_create_request(values, key, note)


class SaleOrderLine(models.Model):
    _inherit = "sale.order.line"

    def _portal_is_product_line(self):
        """Whether the customer chose this line, as against deliveries, rewards and deposits."""
        self.ensure_one()
        return (
            bool(self.product_id)
            and self.product_uom_qty > 0
            and not self.is_downpayment
            and not self.linked_line_id
            and not ("is_delivery" in self._fields and self.is_delivery)
            and not ("is_reward_line" in self._fields and self.is_reward_line)
        )

    def _portal_prepare_repeat_values(self):
        """Values of the same product in the same quantity; its price is that of today."""
        self.ensure_one()
        return {
            "product_id": self.product_id.id,
            "product_uom_qty": self.product_uom_qty,
            "product_uom_id": self.product_uom_id.id,
            "product_no_variant_attribute_value_ids": [
                Command.set(self.product_no_variant_attribute_value_ids.ids)
            ],
            "product_custom_attribute_value_ids": [
                Command.create(
                    {
                        "custom_product_template_attribute_value_id": (
                            value.custom_product_template_attribute_value_id.id
                        ),
                        "custom_value": value.custom_value,
                    }
                )
                for value in self.product_custom_attribute_value_ids
            ],
        }

    def _portal_get_left_out_text(self):
        self.ensure_one()
        quantity = self.env["crm.claim"]._portal_format_quantity(self.product_uom_qty)
        return self.env._(
            "%(product)s, %(quantity)s %(unit)s",
            product=self.product_id.display_name,
            quantity=quantity,
            unit=self.product_uom_id.name,
        )


class ProductProduct(models.Model):
    _inherit = "product.product"

    def _portal_filter_orderable(self, company):
        """Those that a customer may order today: active, sold, of this company or of none."""
        return self.filtered(
            lambda product: product.active
            and product.product_tmpl_id.active
            and product.sale_ok
            and product.type != "combo"
            and product.company_id in (company, company.parent_ids, self.env["res.company"])
        )
