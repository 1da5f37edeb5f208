from odoo import api, models
from odoo.fields import Command

from .crm_claim_filing import PortalFormError


class SaleOrder(models.Model):
    """One click on a recommended product asks for a quotation of it.

    Only products that were recommended to the customer can be asked for in this way. What he asks
    for together comes into one request, as long as nobody of ours has sent it.
    """

    _inherit = "sale.order"

    @api.model
    def _portal_get_offers(self, user):
        """Products recommended to a customer, with the reason; notes them as offered.

        :return: dicts with ``product`` (product.product, superuser) and ``reason``
        """
        partner = user.partner_id
        if partner.portal_hide_offers:
            return []
        company = user.company_id.sudo()
        # sudo: the client and the company are the customer's own
        rows, _held_out = (
            self.env["crm.product.recommendation"]
            .sudo()
            ._get_rows(company, partner.commercial_partner_id.sudo(), channel="portal")
        )
        products = self.env["product.product"].sudo()
        return [
            {"product": product, "reason": row["reason"]}
            for row in rows
            if (product := products.browse(row["product_id"])._portal_filter_orderable(company))
        ]

    @api.model
    def _portal_is_offered(self, user, product):
        """Whether a product was shown to the customer's company as recommended."""
        return bool(
            self.env["crm.product.offer"]
            .sudo()
            .search_count(
                [
                    ("company_id", "=", user.company_id.id),
                    ("partner_id", "=", user.partner_id.commercial_partner_id.id),
                    ("product_id", "=", product.id),
                    ("is_holdout", "=", False),
                ],
                limit=1,
            )
        )

    @api.model
    def _portal_request_offer(self, user, product_id, form_key):
        """Ask for a quotation of a recommended product.

        :param int product_id: untrusted
        :return: sale.order as superuser
        :raise PortalFormError: when it was not recommended or cannot be ordered
        """
        company = user.company_id.sudo()
        product = self.env["product.product"].sudo().browse(product_id).exists()
        if (
            not product
            or not self._portal_is_offered(user, product)
            or not product._portal_filter_orderable(company)
        ):
            raise PortalFormError(
                {"form": self.env._("This product cannot be ordered any more. Please ask us.")}
            )
        key, previous = self._portal_open_request(form_key)
        if previous:
            return previous
        self.env["crm.product.offer"]._mark_added(
            company, user.partner_id.commercial_partner_id, product
        )
        line = Command.create({"product_id": product.id, "product_uom_qty": 1})
        waiting = self.sudo().search(
            [
                ("partner_id", "=", user.partner_id.id),
                ("company_id", "=", company.id),
                ("create_uid", "=", user.id),
                ("is_portal_request", "=", True),
                ("portal_origin_id", "=", False),
                ("state", "=", "draft"),
            ],
            limit=1,
        )
        if waiting:
            if product not in waiting.order_line.product_id:
                waiting.write({"order_line": [line]})
            return waiting
        values = self._portal_prepare_request_values(user.partner_id, company)
        return self._portal_create_request(
            values | {"order_line": [line]},
            key,
            self.env._("%s asks for products recommended in the portal.", user.name),
        )
