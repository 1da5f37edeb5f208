import io
from collections import Counter
from itertools import islice

from odoo import fields, models
from odoo.addons.crm_extended.tools import sales_file, sales_typing
from odoo.tools import SQL

from .crm_sale_import_run import ImportStopped

READ_BATCH = 20_000
BOOK_BATCH = 50_000
CREATE_BATCH = 500
COPY_COLUMNS = (
    "import_id", "row_no", "date", "document", "client_key", "product_key", "quantity",
    "amount_currency", "currency_id", "is_return", "content_key", "occurrence", "reason", "detail",
)  # fmt: skip
_COPY_ESCAPES = str.maketrans(
    {"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r", "\x00": "\ufffd"}
)


def _copy_text(value):
    return value.translate(_COPY_ESCAPES) if value else "\\N"


class CrmSaleImport(models.Model):
    """The phases of an import, see ``crm_sale_import_run.py``."""

    _inherit = "crm.sale.import"

    def _run_read(self, progress):
        currencies = {
            currency.name.upper(): currency.id
            for currency in self.env["res.currency"].with_context(active_test=False).search([])
        }
        with self._open_file() as stream:
            size = max(stream.seek(0, io.SEEK_END), 1)
            rows = self._type_rows(stream)
            done = self.position
            # typed once more, which is cheap beside remembering where the parser stood
            for _row in islice(rows, done):
                pass
            while batch := list(islice(rows, READ_BATCH)):
                done += len(batch)
                share = stream.tell() / size if not stream.closed else 1.0

                def work(batch=batch, done=done, share=share):
                    self._stage(batch, currencies)
                    return {
                        "position": done,
                        "count_read": done,
                        "progress": self._get_progress(share),
                    }

                self._transact(work, progress)
        if not done:
            raise sales_file.TableError("no_rows")

    def _stage(self, batch, currencies):
        """Copy typed rows into the waiting room, with the clients and products they name."""
        collector = sales_typing.KeyCollector()
        buffer = io.StringIO()
        prefix = f"{self.id}\t"
        for row_no, _cells, typed in batch:
            if isinstance(typed, sales_typing.Refusal):
                buffer.write(
                    f"{prefix}{row_no}" + "\t\\N" * 10 + f"\t{typed.reason}\t"
                    f"{_copy_text(typed.detail)}\n"
                )
                continue
            collector.add(typed)
            buffer.write(
                f"{prefix}{row_no}\t{typed.date.isoformat()}\t{_copy_text(typed.document)}\t"
                f"{_copy_text(typed.client_key)}\t{_copy_text(typed.product_key)}\t"
                f"{typed.quantity:f}\t{typed.amount:f}\t{currencies[typed.currency]}\t"
                f"{'t' if typed.is_return else 'f'}\t{typed.content_key}\t1\t\\N\t\\N\n"
            )
        buffer.seek(0)
        self.env.cr.copy_expert(
            f"COPY crm_sale_import_row ({', '.join(COPY_COLUMNS)}) FROM STDIN", buffer
        )
        self._store_keys(collector)

    def _run_match(self, progress):
        def work():
            self.env.cr.execute(SQL("ANALYZE crm_sale_import_row"))
            self._settle_keys()
            self._count_occurrences()
            self._match_keys()
            return {"progress": self._get_progress(1)}

        self._transact(work, progress)

    def _run_create(self, progress):
        total = max(self._count_missing(), 1)
        while missing := self._count_missing():

            def work(missing=missing):
                counts = self._create_missing(CREATE_BATCH)
                return {
                    "created_clients": self.created_clients + counts["client"],
                    "created_products": self.created_products + counts["product"],
                    "progress": self._get_progress(1 - missing / total),
                }

            self._transact(work, progress)
        self._transact(lambda: self._refuse_unmatched() or {}, progress)

    def _run_book(self, progress):
        [(last,)] = self.env.execute_query(
            SQL("SELECT MAX(row_no) FROM crm_sale_import_row WHERE import_id = %s", self.id)
        )
        while self.position < (last or 0):

            def work():
                end, new, updated, present = self._book(self.position, BOOK_BATCH)
                return {
                    "position": end,
                    "count_new": self.count_new + new,
                    "count_updated": self.count_updated + updated,
                    "count_present": self.count_present + present,
                    "progress": self._get_progress(end / last),
                }

            self._transact(work, progress)

    def _run_result(self, progress):
        counts = Counter(
            dict(
                self.env.execute_query(
                    SQL(
                        """
                        SELECT reason, count(*)
                          FROM crm_sale_import_row
                         WHERE import_id = %s AND reason IS NOT NULL
                      GROUP BY reason
                        """,
                        self.id,
                    )
                )
            )
        )

        def work():
            values = {"count_refused": sum(counts.values()), "refusals": dict(counts)}
            if counts:
                self._write_result_file()
            return values

        self._transact(work, progress)

    def _finish(self):
        """Clear the waiting room, let other add-ons recompute, and say that it is done."""

        def work():
            self._clear_stage()
            self.env.cr.execute(SQL("ANALYZE crm_sale_history"))
            self._after_import()
            return {
                "state": "done",
                "phase": False,
                "progress": 100,
                "date_end": fields.Datetime.now(),
            }

        try:
            self._transact(work)
        except ImportStopped:
            # it is done all the same
            return

    def _after_import(self):
        """Hook: what is computed from sales facts may be refreshed here."""
