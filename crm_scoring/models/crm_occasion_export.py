from odoo import api, models
from odoo.fields import Domain

from ..tools.recommendations_xlsx import build_tables_workbook

KINDS = {
    "date": "date", "kind": "text", "partner_id": "text", "commercial_partner_id": "text",
    "holiday_id": "text", "product_id": "text", "date_source": "date", "user_id": "text",
    "state": "text", "date_mailed": "date",
}  # fmt: skip
PAGE = 2000  # occasions that are read at a time


class CrmOccasion(models.Model):
    """Occasions as a workbook with charts, as far as the user may see them."""

    _inherit = "crm.occasion"

    @api.model
    def _export_xlsx(self, model, domain):
        """Return the workbook: the days, how many of each kind by month, and what came of them.

        :param str model: this one
        :param list domain: of occasions
        :rtype: bytes
        """
        if model != self._name:
            raise ValueError(model)
        own = Domain("company_id", "in", self.env.companies.ids) & Domain(domain)
        kinds = dict(self._fields["kind"]._description_selection(self.env))
        states = dict(self._fields["state"]._description_selection(self.env))
        months, kept = {}, {}
        for month, kind, count in self._read_group(own, ["date:month", "kind"], ["__count"]):
            months.setdefault(month, {})[kind] = count
        for kind, state, count in self._read_group(own, ["kind", "state"], ["__count"]):
            kept.setdefault(kind, {})[state] = count
        return build_tables_workbook(
            [
                {
                    "title": self.env._("Occasions"),
                    "columns": [
                        (self._fields[name]._description_string(self.env), kind)
                        for name, kind in KINDS.items()
                    ],
                    "rows": self._get_export_rows(own, kinds, states),
                },
                {
                    "title": self.env._("By Month"),
                    "columns": [
                        (self.env._("Month"), "text"),
                        *((label, "number") for label in kinds.values()),
                    ],
                    "rows": [
                        [f"{month:%Y-%m}", *(counts.get(kind, 0) for kind in kinds)]
                        for month, counts in sorted(months.items())
                    ],
                    "chart": (0, list(range(1, len(kinds) + 1))),
                },
                {
                    "title": self.env._("What Became of Them"),
                    "columns": [
                        (self._fields["kind"]._description_string(self.env), "text"),
                        *((label, "number") for label in states.values()),
                    ],
                    "rows": [
                        [label, *(kept[kind].get(state, 0) for state in states)]
                        for kind, label in kinds.items()
                        if kind in kept
                    ],
                    "chart": (0, list(range(1, len(states) + 1))),
                },
            ]
        )

    @api.model
    def _get_export_rows(self, domain, kinds, states):
        """Yield the values of each occasion by day, a page in memory at a time."""
        names = {"kind": kinds, "state": states}
        ids = self.search(domain).ids
        for begin in range(0, len(ids), PAGE):
            page = self.browse(ids[begin : begin + PAGE])
            for occasion in page:
                yield [
                    names[name][occasion[name]]
                    if name in names
                    else occasion[name].display_name
                    if self._fields[name].type == "many2one"
                    else occasion[name]
                    for name in KINDS
                ]
            page.invalidate_recordset()
