from collections import defaultdict

from odoo import models
from odoo.addons.crm_claims.models.crm_claim import REMEDIES
from odoo.addons.crm_claims.models.crm_claim_cost import COST_KINDS


class CrmClaimReportExport(models.TransientModel):
    """Tables of the workbook about deadlines, recurrence, cost and work load."""

    _inherit = "crm.claim.report.export"

    def _get_deadline_table(self):
        """Deadlines kept and missed by policy and target."""
        targets = dict(
            self.env["crm.claim.sla.report"]._fields["target"]._description_selection(self.env)
        )
        rows = [
            (sla.display_name or self.env._("Without a policy"), targets.get(target, ""), *values)
            for sla, target, *values in self._read(
                "crm.claim.sla.report",
                ["sla_id", "target"],
                [
                    "kept_count:sum",
                    "missed_count:sum",
                    "running_count:sum",
                    "kept_percent:avg",
                    "hours_late:avg",
                ],
            )
        ]
        return {
            "name": self.env._("Deadlines"),
            "title": self.env._("Deadlines Kept by Policy"),
            "columns": [
                (self.env._("Policy"), "text"),
                (self.env._("Target"), "text"),
                (self.env._("Kept"), "integer"),
                (self.env._("Missed"), "integer"),
                (self.env._("Running"), "integer"),
                (self.env._("Kept (%)"), "percent"),
                (self.env._("Mean Hours Late"), "number"),
            ],
            "rows": sorted(rows, key=lambda row: row[:2]),
            "charts": [
                {
                    "type": "stacked",
                    "title": self.env._("Deadlines Kept by Policy"),
                    "columns": [2, 3],
                }
            ],
        }

    def _get_recurrence_table(self):
        """Products and lots that were claimed more than once, the most frequent first."""
        rows = [
            (product.display_name or "", lot or "", claims, quantity, amount, last.isoformat())
            for product, lot, claims, quantity, amount, last in self._read(
                "crm.claim.recurrence",
                ["product_id", "lot_name"],
                ["claim_count:count_distinct", "quantity:sum", "amount:sum", "date:max"],
            )
            if claims > 1
        ]
        return {
            "name": self.env._("Recurrence"),
            "title": self.env._("Products and Lots Claimed Repeatedly"),
            "columns": [
                (self.env._("Product"), "text"),
                (self.env._("Lot / Serial"), "text"),
                (self.env._("Claims"), "integer"),
                (self.env._("Quantity"), "number"),
                (self.env._("Amount Claimed"), "money"),
                (self.env._("Last"), "text"),
            ],
            "rows": sorted(rows, key=lambda row: (-row[2], row[0], row[1])),
            "rows_in_chart": 15,
            "charts": [
                {
                    "type": "column",
                    "title": self.env._("Products and Lots Claimed Repeatedly"),
                    "columns": [2],
                }
            ],
        }

    def _get_cost_table(self):
        nobody = self._get_nobody()
        cells = defaultdict(float)
        for department, kind, amount in self._read(
            "crm.claim.cost.report", ["department_id", "kind"], ["amount:sum"]
        ):
            cells[department.display_name or nobody, kind] += amount
        labels = dict(
            self.env["crm.claim.cost.report"]._fields["kind"]._description_selection(self.env)
        )
        order = [f"remedy_{key}" for key, __ in REMEDIES] + [
            f"cost_{key}" for key, __ in COST_KINDS
        ]
        kinds = [kind for kind in order if any(key[1] == kind for key in cells)]
        rows = []
        for department in sorted({key[0] for key in cells}):
            values = [cells.get((department, kind), 0.0) for kind in kinds]
            rows.append((department, *values, sum(values)))
        sums = [sum(row[index] for row in rows) for index in range(1, len(kinds) + 2)]
        return {
            "name": self.env._("Cost"),
            "title": self.env._("Cost of Claims by Bearing Department"),
            "columns": [
                (self.env._("Department"), "text"),
                *((labels[kind], "money") for kind in kinds),
                (self.env._("Total"), "money"),
            ],
            "rows": rows,
            "total": (self.env._("Total"), *sums),
            "charts": [
                {
                    "type": "stacked",
                    "title": self.env._("Cost of Claims by Bearing Department"),
                    "columns": list(range(1, len(kinds) + 1)),
                }
            ]
            if kinds
            else [],
        }

    def _get_work_table(self):
        nobody = self.env._("Nobody")
        rows = [
            (user.display_name or nobody, count, *values)
            for user, count, *values in self._read(
                "crm.claim.outcome",
                ["user_id"],
                [
                    "__count",
                    "open_count:sum",
                    "late_count:sum",
                    "decided_count:sum",
                    "days_to_decide:avg",
                    "rating:avg",
                ],
            )
        ]
        return {
            "name": self.env._("Work Load"),
            "title": self.env._("Claims by Responsible"),
            "columns": [
                (self.env._("Responsible"), "text"),
                (self.env._("Registered"), "integer"),
                (self.env._("Open Now"), "integer"),
                (self.env._("Late Now"), "integer"),
                (self.env._("With a Decision"), "integer"),
                (self.env._("Mean Days to Decide"), "number"),
                (self.env._("Mean Rating (1-5)"), "number"),
            ],
            "rows": sorted(rows, key=lambda row: (-row[2], row[0])),
            "charts": [
                {
                    "type": "column",
                    "title": self.env._("Claims by Responsible"),
                    "columns": [1, 2, 3],
                }
            ],
        }
