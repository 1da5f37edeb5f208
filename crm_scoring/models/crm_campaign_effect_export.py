from odoo import api, models
from odoo.fields import Domain

from ..tools.recommendations_xlsx import build_tables_workbook


class CrmCampaignEffect(models.Model):
    """Effects of campaigns as a workbook with charts, as far as the user may see them."""

    _inherit = "crm.campaign.effect"

    @api.model
    def _export_xlsx(self, model, domain):
        """Return the workbook of the effects in a domain.

        :rtype: bytes
        """
        if model != self._name:
            raise ValueError(model)
        effects = self.search(Domain("company_id", "in", self.env.companies.ids) & Domain(domain))
        lines, balance = (
            self.env["crm.campaign.effect.line"],
            self.env["crm.campaign.effect.balance"],
        )

        def label(model, name):
            return model._fields[name]._description_string(self.env)

        def choices(model, name):
            return dict(model._fields[name]._description_selection(self.env))

        verdicts, states = choices(lines, "verdict"), choices(self, "state")
        measures, figures = choices(lines, "measure"), choices(balance, "figure")
        numbers = ("before", "after", "others_before", "others_after", "effect", "low", "high")
        return build_tables_workbook(
            [
                {
                    "title": self.env._("Campaign Effects"),
                    "columns": [
                        (label(self, "name"), "text"),
                        (label(self, "date"), "date"),
                        (label(self, "state"), "text"),
                        (label(self, "addressed_count"), "number"),
                        (label(self, "matched_count"), "number"),
                        (label(self, "turnover_effect"), "decimal"),
                        (label(self, "turnover_total"), "decimal"),
                        (label(self, "verdict"), "text"),
                    ],
                    "rows": [
                        [
                            effect.name, effect.date, states[effect.state],
                            effect.addressed_count, effect.matched_count,
                            effect.turnover_effect, effect.turnover_total,
                            verdicts.get(effect.verdict),
                        ]
                        for effect in effects
                    ],
                    "chart": (0, [5]),
                },
                {
                    "title": self.env._("Results"),
                    "columns": [
                        (label(self, "name"), "text"),
                        (label(lines, "measure"), "text"),
                        *((label(lines, name), "decimal") for name in numbers),
                        (label(lines, "verdict"), "text"),
                        (label(lines, "text"), "text"),
                    ],
                    "rows": [
                        [
                            effect.name, measures[line.measure],
                            *(line[name] for name in numbers),
                            verdicts[line.verdict], line.text,
                        ]
                        for effect in effects
                        for line in effect.line_ids
                    ],
                    "chart": (1, [2, 3, 4, 5]),
                },
                {
                    "title": self.env._("Likeness"),
                    "columns": [
                        (label(self, "name"), "text"),
                        (label(balance, "figure"), "text"),
                        *(
                            (label(balance, name), "decimal")
                            for name in (
                                "addressed", "everybody", "alike", "difference_before",
                                "difference_after",
                            )
                        ),
                    ],
                    "rows": [
                        [
                            effect.name, figures[line.figure], line.addressed, line.everybody,
                            line.alike, line.difference_before, line.difference_after,
                        ]
                        for effect in effects
                        for line in effect.balance_ids
                    ],
                    "chart": (1, [5, 6]),
                },
            ]
        )  # fmt: skip
