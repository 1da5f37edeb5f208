import re

from lxml import etree
from odoo import api, models
from odoo.fields import Domain


class CrmSecrecyCostMixin(models.AbstractModel):
    """A model with fields that tell cost or margin.

    The right to them is asked for where Odoo asks for rights on fields, so reading, searching,
    sorting, grouping, exporting and writing obey alike, and screens leave them out.
    """

    _name = "crm.secrecy.cost.mixin"
    _description = "Cost and Margin as a Commercial Secret"

    # names of fields, also of optional apps
    _secret_cost_fields = frozenset()

    def _has_field_access(self, field, operation):
        if (
            field.name in self._secret_cost_fields
            and not self.env.su
            and not self.env["crm.secrecy.rule"]._sees_cost()
        ):
            return False
        return super()._has_field_access(field, operation)

    def _add_precomputed_values(self, vals_list):
        records = self
        if not self.env.su and any(
            name in self._fields and self._fields[name].precompute
            for name in self._secret_cost_fields
        ):
            # sudo: what is computed beforehand is kept, not told; given values are checked before
            records = self.sudo()
        return super(CrmSecrecyCostMixin, records)._add_precomputed_values(vals_list)


class ProductTemplate(models.Model):
    _name = "product.template"
    _inherit = ["product.template", "crm.secrecy.cost.mixin"]

    _secret_cost_fields = frozenset({"standard_price"})


class ProductProduct(models.Model):
    _name = "product.product"
    _inherit = ["product.product", "crm.secrecy.cost.mixin"]

    _secret_cost_fields = frozenset({"standard_price", "avg_cost", "total_value"})


class ProductSupplierinfo(models.Model):
    """What we pay a vendor is what a product costs us."""

    _name = "product.supplierinfo"
    _inherit = ["product.supplierinfo", "crm.secrecy.cost.mixin"]

    _secret_cost_fields = frozenset({"price", "discount", "price_discounted"})

    def _order_to_sql(self, order, *args, **kwargs):
        if order in (None, "", self._order) and not self._has_field_access(
            self._fields["price"], "read"
        ):
            # Odoo's own order of vendors goes by the price as well
            order = "sequence, min_qty DESC, id"
        return super()._order_to_sql(order, *args, **kwargs)


class SaleOrder(models.Model):
    _name = "sale.order"
    _inherit = ["sale.order", "crm.secrecy.cost.mixin"]

    _secret_cost_fields = frozenset({"margin", "margin_percent"})


class SaleOrderLine(models.Model):
    _name = "sale.order.line"
    _inherit = ["sale.order.line", "crm.secrecy.cost.mixin"]

    _secret_cost_fields = frozenset({"purchase_price", "margin", "margin_percent"})


class SaleReport(models.Model):
    _name = "sale.report"
    _inherit = ["sale.report", "crm.secrecy.cost.mixin"]

    _secret_cost_fields = frozenset({"margin"})


class Base(models.AbstractModel):
    _inherit = "base"

    @api.model
    def _search(self, domain, *args, **kwargs):
        """Nobody searches by cost and margin who may not see them.

        Odoo asks for the right to a field when it comes to its column. A field that is searched by
        a method, or on the way over a field that bypasses rights, never comes to that.
        """
        if not self.env.su and not self.env["crm.secrecy.rule"]._sees_cost():
            self._check_secret_cost_domain(Domain(domain))
        return super()._search(domain, *args, **kwargs)

    @api.model
    def _check_secret_cost_domain(self, domain):
        for condition in domain.iter_conditions():
            model = self
            for name in condition.field_expr.split("."):
                field = model._fields.get(name)
                if field is None:
                    break
                if name in getattr(model, "_secret_cost_fields", ()):
                    model._check_field_access(field, "read")
                if not field.comodel_name:
                    break
                model = self.env[field.comodel_name]
            else:
                if isinstance(condition.value, Domain):
                    model._check_secret_cost_domain(condition.value)

    @api.model
    def get_view(self, view_id=None, view_type="form", **options):
        """Leave out of a screen the fields of cost and margin that the user may not see.

        Odoo does so by the groups of a field only.
        """
        result = super().get_view(view_id, view_type, **options)
        if self.env.su or self.env["crm.secrecy.rule"]._sees_cost():
            return result
        tree = etree.fromstring(result["arch"])
        if self._remove_secret_cost_nodes(tree):
            result["arch"] = etree.tostring(tree, encoding="unicode").replace("\t", "")
        return result

    @api.model
    def _remove_secret_cost_nodes(self, tree):
        """Remove the fields of this model and what depends on them; return whether any was there.

        :param tree: the root of a view of this model, or of one inside a field
        """
        hidden = getattr(self, "_secret_cost_fields", ())
        pattern = re.compile(rf"\b({'|'.join(hidden)})\b") if hidden else None
        found = False
        for node in list(tree):
            if not isinstance(node.tag, str) or node.getparent() is None:
                continue
            name = node.get("name")
            if pattern and (
                (node.tag == "field" and name in hidden)
                or node.get("for") in hidden
                or any(
                    pattern.search(node.get(key, ""))
                    for key in ("invisible", "readonly", "required", "domain", "context")
                    if node.tag != "field" or key not in ("domain", "context")
                )
                or any(pattern.search(node.get(key, "")) for key in ("t-if", "t-out", "t-esc"))
            ):
                # what stands under its label is shown with it: a unit, a percentage
                value = node.getnext()
                if node.tag == "label" and value is not None and value.tag == "div":
                    self._remove_view_node(value)
                self._remove_view_node(node)
                found = True
                continue
            field = self._fields.get(name) if node.tag in ("field", "groupby") else None
            model = self.env[field.comodel_name] if field and field.comodel_name else self
            found = model._remove_secret_cost_nodes(node) or found
        return found

    @api.model
    def _remove_view_node(self, node):
        """Remove an element and keep the text that follows it."""
        parent, previous = node.getparent(), node.getprevious()
        if node.tail and node.tail.strip():
            if previous is not None:
                previous.tail = (previous.tail or "") + node.tail
            else:
                parent.text = (parent.text or "") + node.tail
        parent.remove(node)
