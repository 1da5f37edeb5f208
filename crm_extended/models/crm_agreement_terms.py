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
        return {
            "pricelist_id": self.pricelist_id.id,
            "payment_term_id": self.payment_term_id.id,
            "minimum_amount": self.minimum_amount,
            "enforcement": self.enforcement,
            "discount_line_ids": [
                fields.Command.clear(),
                *(
                    fields.Command.create(line._prepare_copy_values())
                    for line in self.discount_line_ids
                ),
            ],
        }

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
        return self.copy(self._prepare_renewal_values())

    def _governs_prices(self):
        """An agreement with neither a price list nor a discount line leaves prices free."""
        self.ensure_one()
        return bool(self.pricelist_id or self.discount_line_ids)

    def _get_max_discount(self, product):
        """Largest discount on a product, in percent on top of the agreed price list.

        The line of the product counts first, then that of the nearest category upwards, then the
        one for everything. A product without a line has no discount.

        :param product: `product.product` record
        :rtype: float
        """
        self.ensure_one()
        by_target = {line._get_target(): line.max_discount for line in self.discount_line_ids}
        category_ids = [int(key) for key in (product.categ_id.parent_path or "").split("/") if key]
        targets = [
            ("product", product.id),
            *(("category", category_id) for category_id in reversed(category_ids)),
            ("all", False),
        ]
        return next((by_target[key] for key in targets if key in by_target), 0.0)

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

        selection = dict(self._fields["enforcement"]._description_selection(self.env))
        terms = {
            "pricelist_id": (label("pricelist_id"), self.pricelist_id.sudo().display_name or ""),
            "payment_term_id": (
                label("payment_term_id"),
                self.payment_term_id.sudo().display_name or "",
            ),
            "minimum_amount": (
                label("minimum_amount"),
                format_amount(self.env, self.minimum_amount, self.currency_id)
                if self.minimum_amount and self.currency_id
                else "",
            ),
            "enforcement": (label("enforcement"), selection.get(self.enforcement, "")),
        }
        for line in self.discount_line_ids:
            terms[line._get_target()] = (
                self.env._("Largest discount: %s", line._get_target_label()),
                self.env._("%(discount)g %%", discount=line.max_discount),
            )
        return terms

    def _get_differences(self):
        """Terms of an individual agreement that are not those of its standard one.

        :return: list of dicts with `label`, `standard`, `own` (texts, empty when not agreed)
        """
        self.ensure_one()
        if not self.parent_id:
            return []
        own = self._get_term_labels()
        standard = self.parent_id._get_term_labels()
        return [
            {
                "label": (own.get(key) or standard.get(key))[0],
                "standard": standard.get(key, ("", ""))[1],
                "own": own.get(key, ("", ""))[1],
            }
            for key in {**own, **standard}
            if own.get(key, ("", ""))[1] != standard.get(key, ("", ""))[1]
        ]
