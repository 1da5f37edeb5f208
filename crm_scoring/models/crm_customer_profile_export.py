from odoo import api, models
from odoo.fields import Domain

from ..tools.profiles_xlsx import build_profiles_workbook

# column -> kind in the workbook
COLUMNS = {
    "partner_id": "text", "user_id": "text", "country_id": "text", "customer_class": "text",
    "segment": "text", "stage": "text", "rfm": "text", "abc_turnover": "text",
    "abc_margin": "text", "xyz": "text", "date_first": "date", "date_last": "date",
    "date_next": "date", "recency": "number", "frequency": "number", "monetary_year": "money",
    "monetary": "money", "average_purchase": "money", "amount_returned": "money",
    "margin": "money", "rhythm": "decimal", "trend": "decimal", "p_alive": "decimal",
    "expected_orders_90": "decimal", "expected_amount_90": "money", "likeness": "decimal",
}  # fmt: skip
PAGE = 2000  # profiles that are read at a time


class CrmCustomerProfile(models.Model):
    """The analysis as a workbook with charts, as far as the user may see it."""

    _inherit = "crm.customer.profile"

    @api.model
    def _export_profiles_xlsx(self, domain):
        """Return the workbook of the profiles in a domain.

        :param list domain: of profiles
        :rtype: bytes
        """
        domain = Domain(domain) & Domain("company_id", "in", self.env.companies.ids)
        columns = self._get_export_columns()
        labels = {name: self._fields[name]._description_string(self.env) for name in columns} | {
            "clients_sheet": self.env._("Clients"),
            "summary_sheet": self.env._("Summary"),
            "rfm_sheet": self.env._("RFM"),
            "abc_sheet": self.env._("ABC and XYZ"),
            "clients": self.env._("Clients"),
            "recency_score": self.env._("Recency score"),
            "value_score": self.env._("Value score (frequency and turnover)"),
            "share": self.env._("Share of the turnover"),
            "none": self.env._("None"),
        }
        return build_profiles_workbook(
            labels, columns, self._get_export_rows(domain), self._get_export_summaries(domain)
        )

    @api.model
    def _get_export_columns(self):
        """The columns that the user may see."""
        return {
            name: kind
            for name, kind in COLUMNS.items()
            if self._has_field_access(self._fields[name], "read")
        }

    @api.model
    def _get_export_rows(self, domain):
        """Yield the values of each profile, a page in memory at a time."""
        columns = self._get_export_columns()
        kinds = {
            name: dict(self._fields[name]._description_selection(self.env))
            for name in columns
            if self._fields[name].type == "selection"
        }
        last_id = 0
        while True:
            page = self.search(domain & Domain("id", ">", last_id), order="id", limit=PAGE)
            if not page:
                return
            last_id = page[-1].id
            for profile in page:
                yield [
                    kinds[name].get(profile[name])
                    if name in kinds
                    else profile[name].display_name
                    if self._fields[name].type == "many2one"
                    else profile[name]
                    for name in columns
                ]
            page.invalidate_recordset()

    @api.model
    def _get_export_summaries(self, domain):
        """Return the tables behind the charts.

        :return: dict with ``segment``, ``stage``, ``customer_class`` (lists of (name, clients,
            turnover of the year)), ``rfm`` ({(recency, value): clients}) and ``abc_xyz``
            ({(abc, xyz or None): (clients, turnover)})
        """
        summaries = {}
        for name in ("segment", "stage", "customer_class"):
            names = dict(self._fields[name]._description_selection(self.env))
            order = list(names)
            groups = self._read_group(domain, [name], ["__count", "monetary_year:sum"])
            summaries[name] = [
                (names[code], count, total)
                for code, count, total in sorted(
                    (group for group in groups if group[0]), key=lambda g: order.index(g[0])
                )
            ]
        cells = self.get_rfm_cells(list(domain))["cells"]
        summaries["rfm"] = {(cell["recency"], cell["value"]): cell["clients"] for cell in cells}
        groups = self._read_group(
            domain & Domain("abc_turnover", "!=", False),
            ["abc_turnover", "xyz"],
            ["__count", "monetary_year:sum"],
        )
        summaries["abc_xyz"] = {
            (abc, xyz or None): (count, total) for abc, xyz, count, total in groups
        }
        return summaries
