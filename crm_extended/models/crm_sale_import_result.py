import os
import tempfile

import xlsxwriter
from odoo import models
from odoo.addons.crm_extended.tools import sales_file
from odoo.tools import SQL

RESULT_BATCH = 10_000
SHEET_ROWS = 1_000_000
CELL_CHARACTERS = 32_767


class CrmSaleImport(models.Model):
    """The workbook of refused rows, each with its reason."""

    _inherit = "crm.sale.import"

    def _get_refused(self):
        """Yield (row_no, reason, detail) of the refused rows in the order of the file."""
        position = 0
        while rows := self.env.execute_query(
            SQL(
                """
                SELECT row_no, reason, detail
                  FROM crm_sale_import_row
                 WHERE import_id = %s AND reason IS NOT NULL AND row_no > %s
              ORDER BY row_no
                 LIMIT %s
                """,
                self.id,
                position,
                RESULT_BATCH,
            )
        ):
            yield from rows
            position = rows[-1][0]

    def _write_result_file(self):
        """Write the refused rows, as they were in the file, with the reason of each.

        A workbook in which every text is a text: a cell that starts with "=" stays harmless.
        """
        labels = self._get_reason_labels()
        names = [column.name for column in self.column_ids]
        header = [
            self.env._("Row in File"),
            self.env._("Reason for Refusal"),
            self.env._("Refused Value"),
            *names,
        ]
        with tempfile.TemporaryFile(suffix=".xlsx") as target, self._open_file() as stream:
            workbook = xlsxwriter.Workbook(
                target,
                {
                    "constant_memory": True,
                    "strings_to_formulas": False,
                    "strings_to_urls": False,
                    "strings_to_numbers": False,
                    "remove_timezone": True,
                },
            )
            bold = workbook.add_format({"bold": True})
            sheet, line = None, 0
            rows = sales_file.read_rows(stream, self._get_format())
            for row_no, reason, detail in self._get_refused():
                cells = next((cells for number, cells in rows if number == row_no), [])
                if isinstance(cells, sales_file.BrokenRow):
                    cells = [cells.excerpt]
                if sheet is None or line > SHEET_ROWS:
                    sheet, line = workbook.add_worksheet(), 1
                    sheet.freeze_panes(1, 0)
                    sheet.set_column(1, 2, 28)
                    for place, title in enumerate(header):
                        sheet.write_string(0, place, title, bold)
                sheet.write_number(line, 0, row_no)
                sheet.write_string(line, 1, labels.get(reason, reason))
                sheet.write_string(line, 2, detail or "")
                for place, cell in enumerate(cells[: sales_file.MAX_COLUMNS], 3):
                    if isinstance(cell, int | float) and not isinstance(cell, bool):
                        sheet.write_number(line, place, cell)
                    elif cell not in (None, ""):
                        sheet.write_string(line, place, str(cell)[:CELL_CHARACTERS])
                line += 1
            workbook.close()
            target.seek(0)
            content = target.read()
        name = os.path.splitext(self.file_name or "sales")[0]
        attachments_sudo = self.env["ir.attachment"].sudo()  # binary field, see _open_file
        attachments_sudo.search(
            [
                ("res_model", "=", self._name),
                ("res_field", "=", "result_file"),
                ("res_id", "=", self.id),
            ]
        ).unlink()
        attachments_sudo.create(
            {
                "name": "result_file",
                "res_model": self._name,
                "res_field": "result_file",
                "res_id": self.id,
                "raw": content,
            }
        )
        self._set(result_file_name=self.env._("%(name)s - refused rows.xlsx", name=name))
        self.invalidate_recordset(["result_file"])
