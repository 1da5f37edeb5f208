from odoo import fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import format_amount

from ..tools.agreement_terms import next_period


class CrmAgreement(models.Model):
    """The terms themselves: what a derived or renewed agreement takes over, what holds on a day,
    how far a price may go, and how an individual agreement differs from its standard one.
    """

    _inherit = "crm.agreement"

    # ------------------------------------------------------------------
    # Business
    # ------------------------------------------------------------------

    def _prepare_inherited_values(self):
        """Terms that an individual agreement takes over when it is derived from `self`."""
        self.ensure_one()
        return {name: self._get_term_value(name) for name in self._get_term_fields()}

    def _get_term_value(self, name):
        """One term as it would be written on another agreement.

        :param str name: one of :meth:`_get_term_fields`
        """
        self.ensure_one()
        field = self._fields[name]
        value = self[name]
        if field.type == "one2many":
            return [
                fields.Command.clear(),
                *(fields.Command.create(line._prepare_copy_values()) for line in value),
            ]
        if field.type == "many2one":
            return value.id
        if field.type == "reference":
            return f"{value._name},{value.id}" if value else False
        return value

    def _prepare_renewal_values(self):
        self.ensure_one()
        if not self.date_end:
            raise UserError(self.env._("Agreement %s has no end and needs no renewal.", self.name))
        date_start, date_end = next_period(
            self.date_start, self.date_end, fields.Date.context_today(self)
        )
        return {"date_start": date_start, "date_end": date_end, "renewed_from_id": self.id}

    def _renew(self):
        """:return: the new draft, or the one that an earlier renewal left"""
        self.ensure_one()
        draft = self.renewal_ids.filtered(lambda agreement: agreement.state == "draft")[:1]
        if draft:
            return draft
        if self.state in ("draft", "to_approve"):
            raise UserError(
                self.env._("Agreement %s is not in force yet: edit it instead.", self.name)
            )
        renewal = self.copy(self._prepare_renewal_values())
        self.activity_unlink(["crm_extended.mail_activity_agreement_ends"])
        return renewal

    def _governs_prices(self):
        """An agreement with neither a price list nor prices or discounts leaves prices free."""
        self.ensure_one()
        return bool(self.pricelist_id or self.discount_line_ids or self.price_rule != "list")

    def _get_discount_lines(self):
        """Discount lines by what they are about, to be looked up for many products.

        :return: mapping of ``(applied_on, id or False)`` to a line
        :rtype: dict
        """
        self.ensure_one()
        return {line._get_target(): line for line in self.discount_line_ids}

    def _get_discount_line(self, product, lines=None):
        """The line that governs a product: its own, that of the nearest category, that for all.

        :param product: `product.product` record
        :param dict lines: what :meth:`_get_discount_lines` returned, when many are looked up
        :return: `crm.agreement.discount` record, empty when the product has no discount
        """
        self.ensure_one()
        lines = self._get_discount_lines() if lines is None else lines
        category_ids = [int(key) for key in (product.categ_id.parent_path or "").split("/") if key]
        targets = [
            ("product", product.id),
            *(("category", category_id) for category_id in reversed(category_ids)),
            ("all", False),
        ]
        found = (lines[key] for key in targets if key in lines)
        return next(found, self.env["crm.agreement.discount"])

    def _get_max_discount(self, product):
        """Largest discount on a product, in percent on top of the agreed price.

        :param product: `product.product` record
        :rtype: float
        """
        line = self._get_discount_line(product)
        return line.max_discount if line.mode == "max" else 0.0

    def _get_fixed_prices(self):
        """:return: agreed prices by product id, in the agreement's currency, per product unit
        :rtype: dict[int, float]
        """
        self.ensure_one()
        if self.price_rule != "fixed":
            return {}
        return {line.product_id.id: line.price for line in self.price_line_ids}

    def _get_in_force_domain(self, date):
        """Agreements that hold on a day."""
        return (
            Domain("state", "=", "active")
            & Domain("date_start", "<=", date)
            & (Domain("date_end", "=", False) | Domain("date_end", ">=", date))
        )

    def _is_in_force(self, date):
        self.ensure_one()
        return bool(
            self.state == "active"
            and self.date_start <= date
            and (not self.date_end or self.date_end >= date)
        )

    def _get_term_labels(self):
        """Terms in words, to be shown and compared.

        :return: mapping of a key to ``(label, text)``
        :rtype: dict[str, tuple[str, str]]
        """
        self.ensure_one()

        def label(name):
            return self._fields[name]._description_string(self.env)

        terms = {
            name: (label(name), self._get_condition_text(name))
            for name in self._get_condition_fields()
        }
        for name in self._get_term_line_fields():
            for line in self[name]:
                terms[line._get_target()] = (line._get_target_label(), line._get_value_label())
        return terms

    def _get_condition_text(self, name):
        """One term in words; empty when it is not part of the agreement.

        :param str name: one of :meth:`_get_condition_fields`
        :rtype: str
        """
        self.ensure_one()
        field = self._fields[name]
        value = self.sudo()[name]  # names of terms are told to whoever reads the agreement
        if name == "overdue_days":
            if not self.overdue_control:
                return ""
            return self.env._("%s days", value)
        if name == "markup_percent" and self.price_rule != "markup":
            return ""
        if not value:
            return ""
        if name == "prepayment_percent":
            return self.env._("%(percent)g %%", percent=value * 100.0)
        if name == "markup_percent":
            return self.env._("%(percent)g %%", percent=value)
        if name == "delivery_days":
            return self.env._("%s days", value)
        if field.type == "monetary":
            currency = self[field.get_currency_field(self)]
            return format_amount(self.env, value, currency) if currency else str(value)
        if field.type == "selection":
            return dict(field._description_selection(self.env)).get(value, "")
        if field.type == "boolean":
            return self.env._("Yes")
        return value.display_name or "" if field.relational or field.type == "reference" else value

    def _render_differences(self, other):
        """The differences from another agreement as a table."""
        return self.env["ir.qweb"]._render(
            "crm_extended.crm_agreement_differences", {"differences": self._get_differences(other)}
        )

    def _get_differences(self, other=None):
        """Terms of an agreement that are not those of another, by default of its standard one.

        :param other: the agreement to compare with
        :return: list of dicts with `label`, `standard`, `own` (texts, empty when not agreed)
        """
        self.ensure_one()
        other = self.parent_id if other is None else other
        if not other:
            return []
        own = self._get_term_labels()
        standard = other._get_term_labels()
        return [
            {
                "label": (own.get(key) or standard.get(key))[0],
                "standard": standard.get(key, ("", ""))[1],
                "own": own.get(key, ("", ""))[1],
            }
            for key in {**own, **standard}
            if own.get(key, ("", ""))[1] != standard.get(key, ("", ""))[1]
        ]

    # ------------------------------------------------------------------
    # Print
    # ------------------------------------------------------------------

    def _get_print_name(self):
        self.ensure_one()
        return self.env._("Agreed terms %s", self.name.replace("/", "-"))

    def _get_internal_terms(self):
        """Terms that are the company's own business and never printed for the client."""
        return {
            "enforcement",
            "markup_percent",
            "overdue_control",
            "overdue_days",
            "price_rule",
            "warehouse_ref",
        }

    def _get_printed_terms(self):
        """Terms as the client reads them: without how they are enforced and how far one may go.

        :return: list of ``(label, text)``
        """
        self.ensure_one()
        hidden = self._get_internal_terms()
        labels = self._get_term_labels()
        shown = [
            labels[name]
            for name in self._get_condition_fields()
            if name not in hidden and labels[name][1]
        ]
        return shown + [
            (
                self.env._("Discount on %s", line._get_target_label()),
                self.env._("%(percent)g %%", percent=line.max_discount),
            )
            for line in self.discount_line_ids
            if line.mode == "fixed" and line.max_discount > 0
        ]
