from odoo import api, models
from odoo.fields import Domain

from ..tools.recommendations_xlsx import build_tables_workbook

PAGE = 5000


class CrmProductRecommendation(models.Model):
    """Rules, recommendations and what was taken as one workbook, as far as the user may see it."""

    _inherit = "crm.product.recommendation"

    @api.model
    def _export_xlsx(self, model, domain):
        """Return the workbook.

        :param str model: the model the domain is about; the other tables are complete
        :param list domain: of that model
        :rtype: bytes
        """
        names = ("crm.product.rule", "crm.product.recommendation", "crm.product.offer")
        if model not in names:
            raise ValueError(model)
        own = Domain("company_id", "in", self.env.companies.ids)
        domains = {name: own & (Domain(domain) if name == model else Domain.TRUE) for name in names}
        return build_tables_workbook(
            [
                self._get_rule_table(domains["crm.product.rule"]),
                self._get_recommendation_table(domains["crm.product.recommendation"]),
                self._get_offer_table(domains["crm.product.offer"]),
            ]
        )

    @api.model
    def _get_rule_table(self, domain):
        rules = self.env["crm.product.rule"]
        kinds = {
            "text": "text", "count": "number", "support": "decimal", "confidence": "decimal",
            "lift": "decimal", "leverage": "decimal",
        }  # fmt: skip
        return {
            "title": self.env._("Product Rules"),
            "columns": self._get_labels(rules, kinds),
            "rows": ([rule[name] for name in kinds] for rule in rules.search(domain)),
            "chart": (0, [4]),
        }

    @api.model
    def _get_recommendation_table(self, domain):
        kinds = {
            "partner_id": "text", "product_id": "text", "source": "text", "reason": "text",
            "date_last": "date", "date_due": "date", "score": "decimal",
        }  # fmt: skip
        sources = dict(self._fields["source"]._description_selection(self.env))

        def get_rows():
            last_id = 0
            while page := self.search(domain & Domain("id", ">", last_id), order="id", limit=PAGE):
                last_id = page[-1].id
                for row in page:
                    yield [
                        row.partner_id.display_name, row.product_id.display_name,
                        sources[row.source], row.reason, row.date_last, row.date_due, row.score,
                    ]  # fmt: skip
                page.invalidate_recordset()

        return {
            "title": self.env._("Recommended Products"),
            "columns": self._get_labels(self, kinds),
            "rows": get_rows(),
        }

    @api.model
    def _get_offer_table(self, domain):
        """One line per source, the hold-out beside those to whom it was shown."""
        offers = self.env["crm.product.offer"]
        sources = dict(offers._fields["source"]._description_selection(self.env))
        groups = offers._read_group(
            domain, ["source", "is_holdout"], ["__count", "taken_count:sum", "amount:sum"]
        )
        figures = {(source, held): numbers for source, held, *numbers in groups}
        rows = []
        for source, label in sources.items():
            shown = figures.get((source, False), (0, 0, 0.0))
            held = figures.get((source, True), (0, 0, 0.0))
            if shown[0] or held[0]:
                rows.append(
                    [
                        label,
                        shown[0],
                        shown[1],
                        100 * shown[1] / shown[0] if shown[0] else None,
                        held[0],
                        held[1],
                        100 * held[1] / held[0] if held[0] else None,
                        shown[2],
                    ]  # fmt: skip
                )
        return {
            "title": self.env._("Offered and Taken"),
            "columns": [
                (self.env._("Source"), "text"),
                (self.env._("Offered"), "number"),
                (self.env._("Taken"), "number"),
                (self.env._("Taken (%)"), "decimal"),
                (self.env._("Hold-out"), "number"),
                (self.env._("Hold-out, taken"), "number"),
                (self.env._("Hold-out, taken (%)"), "decimal"),
                (self.env._("Turnover"), "decimal"),
            ],
            "rows": rows,
            "chart": (0, [3, 6]),
        }

    @api.model
    def _get_labels(self, model, kinds):
        return [
            (model._fields[name]._description_string(self.env), kind)
            for name, kind in kinds.items()
        ]
