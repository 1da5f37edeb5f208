from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import format_amount, format_date

PORTAL_READABLE_FIELDS = frozenset(
    {
        "id",
        "active",
        "display_name",
        "name",
        "title",
        "kind",
        "state",
        "partner_id",
        "company_id",
        "currency_id",
        "date_start",
        "date_end",
        "minimum_amount",
        "create_date",
        "access_url",
    }
)


class CrmAgreement(models.Model):
    """The terms agreed with a customer, as he reads them.

    He sees the individual agreements of his own commercial partner once they are in force: not
    drafts under negotiation, not the standard terms of the company with their internal limits,
    and not how orders that deviate are treated.
    """

    _name = "crm.agreement"
    _inherit = ["crm.agreement", "crm.portal.mixin"]

    @api.model
    def _portal_readable_fields(self):
        return super()._portal_readable_fields() | PORTAL_READABLE_FIELDS

    @api.model
    def _portal_get_domain(self):
        """Agreements listed in the portal; the record rule limits them to the customer's own."""
        today = fields.Date.context_today(self)
        return (
            Domain("state", "=", "active")
            & Domain("kind", "=", "individual")
            & (Domain("date_end", "=", False) | Domain("date_end", ">=", today))
        )

    def _portal_get_terms(self):
        """The terms in plain words.

        :return: dicts with ``label`` and ``texts`` (list of sentences); a term that was not agreed
            is left out
        :rtype: list[dict]
        """
        self.ensure_one()
        agreement_sudo = self.sudo()  # names of price lists and payment terms, of this record only
        terms = [{"label": self.env._("Validity"), "texts": [self._portal_get_validity()]}]
        if agreement_sudo.pricelist_id:
            terms.append(
                {
                    "label": self.env._("Prices"),
                    "texts": [
                        self.env._(
                            "Your prices follow the price list “%(name)s”, in %(currency)s.",
                            name=agreement_sudo.pricelist_id.name,
                            currency=agreement_sudo.currency_id.name,
                        )
                    ],
                }
            )
        if discounts := agreement_sudo.discount_line_ids.filtered(
            lambda line: line.max_discount >= 0
        ):
            terms.append(
                {
                    "label": self.env._("Discounts"),
                    "texts": [self._portal_get_discount(line) for line in discounts],
                }
            )
        if agreement_sudo.payment_term_id:
            terms.append(
                {
                    "label": self.env._("Payment"),
                    "texts": [agreement_sudo.payment_term_id.display_name],
                }
            )
        if agreement_sudo.minimum_amount:
            terms.append(
                {
                    "label": self.env._("Smallest order"),
                    "texts": [
                        self.env._(
                            "%(amount)s before taxes.",
                            amount=format_amount(
                                self.env, agreement_sudo.minimum_amount, agreement_sudo.currency_id
                            ),
                        )
                    ],
                }
            )
        return terms

    def _portal_get_validity(self):
        self.ensure_one()
        start = format_date(self.env, self.date_start)
        if not self.date_end:
            return self.env._("In force since %(start)s, without an end date.", start=start)
        return self.env._(
            "In force from %(start)s until %(end)s.",
            start=start,
            end=format_date(self.env, self.date_end),
        )

    def _portal_get_discount(self, line):
        if line.mode == "fixed":
            return self.env._(
                "%(discount)s%% on %(target)s.",
                discount=f"{line.max_discount:g}",
                target=line._get_target_label(),
            )
        return self.env._(
            "Up to %(discount)s%% on %(target)s.",
            discount=f"{line.max_discount:g}",
            target=line._get_target_label(),
        )
