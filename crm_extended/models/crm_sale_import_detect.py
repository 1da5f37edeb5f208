import io
import os
from itertools import islice

from odoo import api, fields, models
from odoo.addons.crm_extended.tools import sales_file, sales_mapping, sales_values
from odoo.exceptions import UserError

SAMPLE_ROWS = 200


class CrmSaleImport(models.Model):
    """Reading the head of a file: its format, its columns, and what they seem to hold."""

    _inherit = "crm.sale.import"

    def _open_file(self):
        """Return the uploaded file as a seekable binary stream, without holding it in memory
        where the file store allows that."""
        self.ensure_one()
        # sudo: attachments of a binary field are reachable through the record only
        attachment_sudo = (
            self.env["ir.attachment"]
            .sudo()
            .search(
                [
                    ("res_model", "=", self._name),
                    ("res_field", "=", "file"),
                    ("res_id", "=", self.id),
                ],
                limit=1,
            )
        )
        if not attachment_sudo:
            raise UserError(self.env._("Choose the file with the sales first."))
        if attachment_sudo.store_fname:
            path = attachment_sudo._full_path(attachment_sudo.store_fname)
            if os.path.isfile(path):
                return open(path, "rb")
        return io.BytesIO(attachment_sudo.raw or b"")

    def _get_format(self):
        """Return the stored description of the file as the reader wants it."""
        self.ensure_one()
        return sales_file.TableFormat(
            kind=self.file_kind or "csv",
            packing=self.packing or "",
            member=self.member or "",
            encoding=self.encoding or "utf-8",
            delimiter=self.delimiter or ",",
            sheet=self.sheet or "",
            header_row=self.header_row,
        )

    def _detect(self):
        """Read the head of the file; store its format, columns and the guessed fields."""
        self.ensure_one()
        with self._open_file() as stream:
            fmt = sales_file.detect(
                stream,
                self.file_name or "",
                encoding=self.encoding or "",
                delimiter=self.delimiter or "",
                sheet=self.sheet or "",
            )
            header = sales_file.read_header(stream, fmt)
            samples = [
                cells
                for _row_no, cells in islice(sales_file.read_rows(stream, fmt), SAMPLE_ROWS)
                if not isinstance(cells, sales_file.BrokenRow)
            ]
        if not samples:
            raise sales_file.TableError("no_rows")
        width = min(max([len(header), *(len(cells) for cells in samples)]), sales_file.MAX_COLUMNS)
        targets = sales_mapping.guess_targets(header, samples)
        self._set(
            file_kind=fmt.kind,
            packing=fmt.packing,
            member=fmt.member,
            header_row=fmt.header_row,
            encoding=fmt.encoding,
            delimiter=fmt.delimiter if fmt.kind == "csv" else False,
            sheet=fmt.sheet or fmt.member,
            column_ids=[fields.Command.clear()]
            + [
                fields.Command.create(
                    self._prepare_column_values(position, header, samples, targets)
                )
                for position in range(width)
            ],
        )

    def _prepare_column_values(self, position, header, samples, targets):
        name = header[position] if position < len(header) else ""
        values = []
        for cells in samples:
            text = sales_values.clean_text(cells[position] if position < len(cells) else "")
            if text and text not in values:
                values.append(text)
            if len(values) == 3:
                break
        return {
            "position": position,
            "name": self._printable(name)[:128]
            or self.env._("Column %(number)s", number=position + 1),
            "sample": self._printable(", ".join(values))[:128],
            "target": targets[position],
            "guessed": bool(targets[position]),
        }

    @api.model
    def _printable(self, text):
        """Return a text that PostgreSQL and a web page can hold."""
        return text.replace("\x00", "\ufffd")
