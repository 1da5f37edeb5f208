import logging
import os

import psycopg2
import psycopg2.errors
from odoo import api, fields, models
from odoo.addons.crm_extended.tools import sales_file
from odoo.exceptions import UserError, ValidationError
from odoo.tools import SQL

_logger = logging.getLogger(__name__)

RETRIES = 5
# share of the work, in percent, that is done when a phase begins and how much it brings
WEIGHTS = {
    "read": (0, 35),
    "match": (35, 5),
    "create": (40, 20),
    "book": (60, 35),
    "result": (95, 5),
}


class ImportStopped(Exception):
    """The user cancelled, or the time of the scheduled job is over."""

    def __init__(self, cancelled):
        super().__init__(cancelled)
        self.cancelled = cancelled


class CrmSaleImport(models.Model):
    """Running an import: phases, committed batches, cancelling and resuming.

    1. *read*: the file is typed row by row and copied into the waiting room.
    2. *match*: clients and products are looked up, all at once.
    3. *create*: missing clients and products are created, in batches.
    4. *book*: rows go from the waiting room to the history, a set-based statement a batch.
    5. *result*: refused rows are written to a workbook.

    Each batch is one transaction that also records how far it got, so that a killed import goes on
    with the next batch. Booking is an upsert by row key besides: no order of events doubles a row.
    One process works on an import at a time (advisory lock, freed by a crash).
    """

    _inherit = "crm.sale.import"

    # ------------------------------------------------------------------
    # doors
    # ------------------------------------------------------------------

    @api.model
    def _cron_run(self):
        """Work on waiting imports, the oldest first; go on with those a crash interrupted."""
        for job in self.search([("state", "in", ("queued", "running"))], order="id"):
            if not job._run():
                return
        self._commit_batch(0, 0)

    @api.model
    def _import_file(self, path, options=None, progress=None):
        """Import a file of the server's disk in this process, committing as it goes.

        Behind ``python3 -m sandbox import FILE``. The same import as from the screen: the file is
        checked, the columns are guessed, and a repeated call adds nothing twice.

        :param str path: csv, zipped csv, csv.xz, csv.gz or xlsx file
        :param dict options: values of ``crm.sale.import`` (``source``, ``currency_id``,
            ``no_client``, ``create_clients``, ``services``, ``date_style``...). ``currency`` may
            hold a currency code, ``company`` the name of a company, ``columns`` a dict of column
            name -> field
        :param callable progress: called as ``progress(phase, percent, counters)``
        :return: dict with import_id, state, error, read, imported, updated, present, refused,
            refusals ({reason: rows}), reasons ({reason: words}), created_clients,
            created_products; read = imported + updated + present + refused
        :raise UserError: the file cannot be read or the mapping is incomplete; nothing is written
        """
        options = dict(options or {})
        columns = options.pop("columns", {})
        if code := options.pop("currency", ""):
            currency = self.env["res.currency"].with_context(active_test=False)
            currency = currency.search([("name", "=", code.upper())], limit=1)
            if not currency:
                raise UserError(self.env._("There is no currency %(code)s.", code=code))
            options["currency_id"] = currency.id
        if name := options.pop("company", ""):
            company = self.env["res.company"].search([("name", "=", name)], limit=1)
            if not company:
                raise UserError(self.env._("There is no company “%(name)s”.", name=name))
            options["company_id"] = company.id
        unknown = options.keys() - self._fields.keys()
        if unknown:
            raise UserError(
                self.env._("Unknown options: %(names)s.", names=", ".join(sorted(unknown)))
            )
        with open(path, "rb") as stream:
            content = stream.read()
        job = self.create({**options, "file_name": os.path.basename(path)})
        # sudo: straight into the file store, without the base64 detour of a binary field
        self.env["ir.attachment"].sudo().create(
            {
                "name": "file",
                "res_model": self._name,
                "res_field": "file",
                "res_id": job.id,
                "raw": content,
                "type": "binary",
            }
        )
        del content
        job.invalidate_recordset()
        job.action_check()
        if columns:
            job._map_columns(columns)
        job._check_startable()
        job._set(state="queued")
        job._commit_batch(0, None)
        job._run(progress=progress)
        return job._get_report()

    def _map_columns(self, columns):
        """Map columns by name, for the command line. Fields named take no other column."""
        targets = dict(self.column_ids._get_targets())
        for name, target in columns.items():
            column = self.column_ids.filtered(lambda column, name=name: column.name == name)[:1]
            if not column:
                raise UserError(self.env._("The file has no column “%(name)s”.", name=name))
            if target and target not in targets:
                raise UserError(
                    self.env._(
                        "There is no field “%(name)s”; there are: %(names)s.",
                        name=target,
                        names=", ".join(targets),
                    )
                )
            self.column_ids.filtered(lambda column, target=target: column.target == target).write(
                {"target": False}
            )
            column.target = target
        self.action_check()

    def _get_report(self):
        self.ensure_one()
        labels = self._get_reason_labels()
        refusals = self.refusals or {}
        return {
            "import_id": self.id,
            "state": self.state,
            "error": self.error_message or "",
            "read": self.count_read,
            "imported": self.count_new,
            "updated": self.count_updated,
            "present": self.count_present,
            "refused": self.count_refused,
            "refusals": refusals,
            "reasons": {reason: labels.get(reason, reason) for reason in refusals},
            "created_clients": self.created_clients,
            "created_products": self.created_products,
        }

    # ------------------------------------------------------------------
    # engine
    # ------------------------------------------------------------------

    def _run(self, progress=None):
        """Work on this import until it is done, cancelled or the time is over.

        :return: True when another import may be taken up
        """
        self.ensure_one()
        if not self._lock():
            return True
        job = self.with_user(self.user_id).with_company(self.company_id)
        job = job.with_context(
            lang=self.user_id.lang, allowed_company_ids=self.company_id.ids, tracking_disable=True
        )
        try:
            job._prepare_resume()
            for phase in list(WEIGHTS)[list(WEIGHTS).index(job.phase) :]:
                if job.phase != phase:
                    job._transact(lambda phase=phase: {"phase": phase, "position": 0})
                getattr(job, f"_run_{phase}")(progress)
            job._finish()
        except ImportStopped as stop:
            if stop.cancelled:
                job._set(state="cancelled", date_end=fields.Datetime.now())
                job._commit_batch(0, 0)
            return stop.cancelled
        except sales_file.TableError as error:
            job._fail(job._describe_table_error(error))
        except (UserError, ValidationError) as error:
            job._fail(str(error))
        except Exception as error:
            _logger.exception("Sales import %s failed", job.id)
            job._fail(
                job.env._(
                    "Unexpected error: %(error)s. Start again to go on where it stopped.",
                    error=str(error).strip().splitlines()[0] if str(error).strip() else repr(error),
                )
            )
        finally:
            job._unlock()
        if progress:
            progress(job.state, job.progress, job._get_report())
        return True

    def _lock(self):
        [(locked,)] = self.env.execute_query(
            SQL("SELECT pg_try_advisory_lock(hashtext(%s), %s)", self._table, self.id)
        )
        return locked

    def _unlock(self):
        self.env.execute_query(
            SQL("SELECT pg_advisory_unlock(hashtext(%s), %s)", self._table, self.id)
        )

    def _commit_batch(self, processed, remaining):
        """Commit; return the seconds the scheduled job has left."""
        return self.env["ir.cron"]._commit_progress(processed, remaining=remaining)

    def _rollback(self):
        self.env.cr.rollback()
        self.env.invalidate_all()

    def _fail(self, message):
        self._rollback()
        self._set(state="failed", error_message=message, date_end=fields.Datetime.now())
        self._commit_batch(0, 0)

    def _transact(self, work, progress=None):
        """Do one batch, record how far it got and commit; again if someone wrote in between.

        :param callable work: does the batch and returns values of this record
        :raise ImportStopped: cancelled, or no time left
        """
        for attempt in range(RETRIES):
            try:
                self._set(**work())
                self.env.flush_all()
                seconds_left = self._commit_batch(1, 1)
                break
            except (psycopg2.errors.SerializationFailure, psycopg2.errors.DeadlockDetected):
                # the button Cancel writes on the same row
                self._rollback()
                if attempt == RETRIES - 1:
                    raise
        self.invalidate_recordset(["cancel_requested"])
        if progress:
            progress(self.phase, self.progress, self._get_report())
        if self.cancel_requested:
            raise ImportStopped(cancelled=True)
        if not seconds_left:
            raise ImportStopped(cancelled=False)

    def _prepare_resume(self):
        """Decide where to begin: anew, or where an earlier run stopped."""
        self.ensure_one()
        values = {"state": "running", "cancel_requested": False, "error_message": False}
        fresh = not self.phase
        if not fresh:
            [(staged,)] = self.env.execute_query(
                SQL("SELECT count(*) FROM crm_sale_import_row WHERE import_id = %s", self.id)
            )
            # the waiting room is lost when the database server crashes
            fresh = staged != (self.position if self.phase == "read" else self.count_read)
        if fresh:
            self._clear_stage()
            values.update(
                phase="read", position=0, progress=0, date_start=fields.Datetime.now(),
                count_read=0, count_new=0, count_updated=0, count_present=0, count_refused=0,
                refusals={}, created_clients=0, created_products=0, result_file=False,
            )  # fmt: skip
        elif self.phase == "book":
            # clients or products may have been deleted meanwhile
            self._drop_dead_keys()
            self._match_keys()
            self._create_missing()
        self._transact(lambda: values)

    def _get_progress(self, share):
        start, weight = WEIGHTS[self.phase]
        return start + weight * max(0.0, min(share, 1.0))

    def _clear_stage(self):
        for table in ("crm_sale_import_row", "crm_sale_import_key"):
            self.env.cr.execute(
                SQL(
                    "DELETE FROM %s WHERE import_id = ANY(%s)",
                    SQL.identifier(table),
                    list(self.ids),
                )
            )
        self.env["crm.sale.import.key"].invalidate_model()
