from odoo import api, models
from odoo.fields import Domain

from ..tools.funnel_xlsx import STAGE_FIGURES, build_funnel_workbook

# for the sorts of one statement over all deals, which PostgreSQL would otherwise do on disk
WORK_MEM = "64MB"


class CrmFunnelReport(models.Model):
    """What the screen of the funnel and its workbook show of the report."""

    _inherit = "crm.funnel.report"

    @api.model
    def _get_funnel_measures(self):
        """:return: aggregates of a stage, and of a group of deals in a stage"""
        return [
            "reached:sum",
            "started:sum",
            "skipped:sum",
            "passed:sum",
            "still_there:sum",
            "lost:sum",
            "went_back:sum",
            "won:sum",
            "conversion:avg",
            "lost_share:avg",
            "days_median:avg",
        ]

    @api.model
    def _get_funnel_total_measures(self):
        """:return: more aggregates over all stages, where each deal is won, lost or open in one"""
        return [
            "lead_id:count_distinct",
            "days_to_win:avg",
        ]

    @api.model
    @api.readonly
    def get_funnel(self, domain, groupby=None):
        """What the funnel shows, as far as the user may read the deals.

        :param list domain: over the fields of this report
        :param str groupby: a grouping such as ``user_id`` or ``date_deal:month``, or None
        :return: ``{"total": {deals, won, lost, still_there, days_to_win}, "stages": [...],
            "groups": [...]}``. A stage is its id, name, is_won and measures; a group is its
            label, domain, totals and, by id of the stage, measures. Percentages are 0 to 100.
        :rtype: dict
        :raise ValueError: if the domain or the grouping names no field of this report
        """
        if groupby and groupby.partition(":")[0] not in self._fields:
            raise ValueError(f"Invalid grouping {groupby!r} of {self._name!r}")
        grouping_sets = [[], ["stage_id"], ["process_id"]]
        if groupby:
            grouping_sets += [[groupby], [groupby, "stage_id"]]
        # all figures in one statement: the way of every deal is followed once, in memory
        self.env.cr.execute(f"SET LOCAL work_mem = '{WORK_MEM}'")
        (total,), stages, processes, *grouped = self.formatted_read_grouping_sets(
            Domain(domain),
            grouping_sets,
            [*self._get_funnel_measures(), *self._get_funnel_total_measures()],
        )
        return {
            "total": self._name_funnel_totals(total),
            "stages": [
                {"id": stage.id, "name": stage.display_name, "is_won": stage.is_won}
                | self._name_funnel_measures(row)
                for stage, row in self._sort_funnel_stages(stages, processes)
            ],
            "groups": self._get_funnel_groups(groupby, *grouped) if groupby else [],
        }

    @api.model
    def _name_funnel_measures(self, row):
        return {name.partition(":")[0]: row[name] for name in self._get_funnel_measures()}

    @api.model
    def _name_funnel_totals(self, row):
        return {
            "deals": row["lead_id:count_distinct"],
            "won": row["won:sum"] or 0,
            "lost": row["lost:sum"] or 0,
            "still_there": row["still_there:sum"] or 0,
            "days_to_win": row["days_to_win:avg"],
        }

    @api.model
    def _sort_funnel_stages(self, stage_rows, process_rows):
        """Order stages by the steps if all deals are of one process, else by the pipeline.

        :return: list of (stage, row)
        """
        path = []
        if len(process_rows) == 1 and process_rows[0]["process_id"]:
            # sudo: the order of steps is shown with the figures of the stages
            process_id = process_rows[0]["process_id"][0]
            path = self.env["crm.sale.process"].sudo().browse(process_id)._get_path()
        stages = self.env["crm.stage"].browse(row["stage_id"][0] for row in stage_rows)

        def get_position(pair):
            stage = pair[0]
            # names, by which Odoo sorts in the end, differ from language to language
            step = path.index(stage.id) if stage.id in path else len(path)
            return step, stage.sequence, stage.id

        return sorted(zip(stages, stage_rows, strict=True), key=get_position)

    @api.model
    def _get_funnel_groups(self, groupby, total_rows, stage_rows):
        """The funnels of the salespeople, teams, months... see :meth:`get_funnel`."""
        stages = {}
        for row in stage_rows:
            stages.setdefault(row[groupby], {})[row["stage_id"][0]] = self._name_funnel_measures(
                row
            )
        return [
            {
                "label": row[groupby][1] if row[groupby] else self.env._("None"),
                "domain": list(row["__extra_domain"]),
                "stages": stages[row[groupby]],
                **self._name_funnel_totals(row),
            }
            for row in total_rows
        ]

    @api.model
    @api.readonly
    def get_deals_action(self, domain, name):
        """Open the deals behind a figure of the funnel.

        :param list domain: over the fields of this report
        :param str name: title of the list
        :return: an action
        :rtype: dict
        """
        leads = self.search(Domain(domain)).lead_id
        return {
            "type": "ir.actions.act_window",
            "name": name,
            "res_model": "crm.lead",
            "views": [
                [self.env.ref("crm.crm_case_tree_view_oppor").id, "list"],
                [self.env.ref("crm.crm_case_kanban_view_leads").id, "kanban"],
                [False, "form"],
            ],
            "domain": [("id", "in", leads.ids)],
            # lost deals are archived
            "context": {"active_test": False, "create": False},
        }

    @api.readonly
    def action_open_deal(self):
        """Open the deal of this row."""
        self.ensure_one()
        return self.lead_id._get_records_action()

    # ------------------------------------------------------------------
    # Workbook
    # ------------------------------------------------------------------

    @api.model
    def _export_funnel_xlsx(self, domain, groupby=None):
        """:return: the funnel of :meth:`get_funnel` as an xlsx file
        :rtype: bytes
        """
        funnel = self.get_funnel(domain, groupby)
        group_label = ""
        if groupby:
            field = self._fields[groupby.partition(":")[0]]
            group_label = field._description_string(self.env)
        return build_funnel_workbook(self._get_workbook_labels(group_label), funnel)

    @api.model
    def _get_workbook_labels(self, group_label):
        labels = {
            name: str(self._fields[name]._description_string(self.env))
            for name in (*STAGE_FIGURES, "stage_id", "days_to_win")
        }
        return labels | {
            "title": self.env._("Funnel"),
            "groups": self.env._("Comparison"),
            "group": group_label,
            "deals": self.env._("Deals"),
            "win_rate": self.env._("Won (%)"),
        }
