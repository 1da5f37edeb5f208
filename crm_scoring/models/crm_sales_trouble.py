from odoo import api, models

from ..tools.recommendations_xlsx import build_tables_workbook

RATES = ("quality", "conversion")  # factors that are told of 100


class CrmSalesTrouble(models.AbstractModel):
    """Why the plan was missed as a workbook with charts."""

    _inherit = "crm.sales.trouble"

    @api.model
    def _export_xlsx(self, options):
        """Return the workbook: the split, the dearest causes, reasons, objections, channels.

        :param dict options: as those of ``get_trouble``
        :rtype: bytes
        """
        _ = self.env._
        page = self.get_trouble(options)
        period = page["period"]
        owners = {"marketing": _("Marketing"), "sales": _("Sales")}
        split, sides = page["split"], ("expected", "actual")
        factors = [
            [
                row["label"],
                owners[row["owner"]],
                # as on the page: of 100
                *(row[name] * (100 if row["key"] in RATES else 1) for name in sides),
                row["amount"],
            ]
            for row in split["factors"]
        ]
        totals = [
            [_("Expected"), None, None, None, split["plan"]],
            [_("Actual"), None, None, None, split["fact"]],
            [_("Difference"), None, None, None, split["difference"]],
        ]
        return build_tables_workbook(
            [
                {
                    "title": _("Plan and Fact"),
                    "columns": [
                        (period, "text"),
                        (_("Whose"), "text"),
                        (_("Expected"), "decimal"),
                        (_("Actual"), "decimal"),
                        (_("In money"), "decimal"),
                    ],
                    "rows": factors + totals,
                    "chart": (0, [4]),
                },
                {
                    "title": _("The largest levers"),
                    "columns": [(_("Lever"), "text"), (_("In money"), "decimal")],
                    "rows": [[row["text"], row["amount"]] for row in page["levers"]],
                    "chart": (0, [1]),
                },
                {
                    "title": _("Lost deals"),
                    "columns": [
                        (_("Reason"), "text"),
                        (_("Stage"), "text"),
                        (_("Deals"), "number"),
                        (_("Revenue"), "decimal"),
                    ],
                    "rows": [
                        [row["reason"], row["stage"], row["count"], row["amount"]]
                        for row in page["reasons"]
                    ],
                    "chart": (0, [3]),
                },
                {
                    "title": _("Objections"),
                    "columns": [
                        (_("Objection"), "text"),
                        (_("Stage"), "text"),
                        (_("Times Raised"), "number"),
                        (_("Overcome"), "number"),
                        (_("Deal lost"), "number"),
                    ],
                    "rows": [
                        [row["objection"], row["stage"], row["count"], row["overcome"],
                         row["fatal"]]
                        for row in page["objections"]
                    ],
                    "chart": (0, [2, 3, 4]),
                },
                {
                    "title": _("Quality of channels"),
                    "columns": [
                        (_("Source"), "text"),
                        (_("Leads"), "number"),
                        (_("Deals"), "number"),
                        (_("Won"), "number"),
                        (_("Revenue"), "decimal"),
                        (_("Of a lead"), "decimal"),
                    ],
                    "rows": [
                        [row["source"], row["leads"], row["deals"], row["won"], row["amount"],
                         row["per_lead"]]
                        for row in page["channels"]
                    ],
                    "chart": (0, [1, 2, 3]),
                },
            ]
        )  # fmt: skip
