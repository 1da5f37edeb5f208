from odoo import models


class AgreedPriceRules:
    """Rules of price lists, read once for many products.

    An order is compared with its agreement line by line, and Odoo looks the rules of a price list
    up for each. An instance of this class in the context makes one look-up per price list and
    moment of it, also where a list is based on another. It is an object of the server, so that no
    client can send one, and it equals only itself, since Odoo shares environments between equal
    contexts.

    :param products: every product that will be asked about, `product.product` records
    """

    def __init__(self, products):
        self.products = products
        self._found = {}

    def find(self, pricelist, products, moment, fetch):
        """Rules that may apply to `products`, in the order of the price list.

        :param fetch: function of products that reads the rules
        """
        key = pricelist.id, moment
        if key not in self._found:
            rules = fetch(self.products)
            by_template = {}
            for index, rule in enumerate(rules):
                by_template.setdefault(rule.product_tmpl_id.id, []).append(index)
            self._found[key] = rules.ids, by_template
        ids, by_template = self._found[key]
        wanted = {False, *products.product_tmpl_id.ids}
        found = sorted(index for key in wanted for index in by_template.get(key, ()))
        return [ids[index] for index in found]


class ProductPricelist(models.Model):
    _inherit = "product.pricelist"

    def _get_applicable_rules(self, products, date, **kwargs):
        known = self.env.context.get("crm_agreement_price_rules")
        if (
            type(known) is not AgreedPriceRules
            or not self
            or products._name != "product.product"
            or products - known.products
        ):
            return super()._get_applicable_rules(products, date, **kwargs)
        ids = known.find(
            self,
            products,
            date,
            lambda every: super(ProductPricelist, self)._get_applicable_rules(
                every, date, **kwargs
            ),
        )
        return self.env["product.pricelist.item"].browse(ids)
