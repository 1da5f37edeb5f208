from collections import Counter

from odoo import api, fields, models
from odoo.addons.crm_extended.tools import sales_file
from odoo.exceptions import UserError, ValidationError

SAMPLE_ROWS = 200
ACTIVE_STATES = ("queued", "running")
# what the user may change, and only before the start
OPTIONS = frozenset(
    {
        "name", "source", "file", "file_name", "encoding", "delimiter", "sheet", "date_style",
        "decimal_separator", "currency_id", "create_clients", "create_products", "client_match",
        "product_match", "no_client", "services", "service_codes", "column_ids", "company_id",
    }
)  # fmt: skip


class CrmSaleImport(models.Model):
    """One file of sales from elsewhere on its way into the sales history.

    - *Draft*: a file is chosen. *Checked*: the file was read; format, columns and styles are
      guessed and shown with a preview; nothing is written. Every change is checked again.
    - *Waiting* and *Importing*: a scheduled job works in committed batches (see
      ``crm_sale_import_run.py``). It can be cancelled; killed, it goes on where it stopped.
    - *Done*, *Failed*, *Cancelled*: rows read = new + updated + already there + refused, and the
      refused rows come back as a workbook with the reason of each. A failed or cancelled import
      can be started again: rows that are already there are not doubled.
    - ``source`` names the system the data come from. Rows are the same rows when source and row
      key are the same, whatever the file is called.
    - State, counters and progress are set by the import alone.
    """

    _name = "crm.sale.import"
    _description = "Sales History Import"
    _order = "id desc"
    _check_company_auto = True

    name = fields.Char(compute="_compute_name", store=True, readonly=False, precompute=True)
    state = fields.Selection(
        [
            ("draft", "Draft"),
            ("ready", "Checked"),
            ("queued", "Waiting"),
            ("running", "Importing"),
            ("done", "Done"),
            ("failed", "Failed"),
            ("cancelled", "Cancelled"),
        ],
        default="draft",
        required=True,
        readonly=True,
        copy=False,
        index=True,
    )
    company_id = fields.Many2one(
        "res.company", required=True, default=lambda self: self.env.company, ondelete="cascade"
    )
    user_id = fields.Many2one(
        "res.users",
        string="Imported by",
        default=lambda self: self.env.user,
        required=True,
        readonly=True,
        copy=False,
    )

    # file
    file = fields.Binary(attachment=True, copy=False)
    file_name = fields.Char(copy=False)
    source = fields.Char(
        string="Source System",
        required=True,
        default=lambda self: self.env._("Sales history"),
        help="Name of the system or shop the file comes from. The same rows imported again under "
        "the same name are recognised and not doubled.",
    )
    file_kind = fields.Char(string="Format", readonly=True, copy=False)
    packing = fields.Char(string="Compression", readonly=True, copy=False)
    member = fields.Char(string="File in the Archive", readonly=True, copy=False)
    header_row = fields.Integer(readonly=True, copy=False)
    encoding = fields.Char(help="Code page of a text file, such as utf-8, cp1251 or utf-16.")
    delimiter = fields.Selection(
        [(",", "Comma"), (";", "Semicolon"), ("\t", "Tab"), ("|", "Bar")],
        string="Column Separator",
    )
    sheet = fields.Char(
        string="Sheet", help="Sheet of the workbook, or file in the archive, that holds the sales."
    )

    # how to read it
    column_ids = fields.One2many("crm.sale.import.column", "import_id", string="Columns")
    date_style = fields.Selection(
        [
            ("ymd", "Year first (2011-03-31)"),
            ("dmy", "Day first (31.03.2011)"),
            ("mdy", "Month first (03/31/2011)"),
            ("serial", "Spreadsheet number (40633)"),
        ],
        string="Dates",
    )
    date_note = fields.Char(readonly=True, copy=False)
    decimal_separator = fields.Selection([(".", "Point: 1,234.56"), (",", "Comma: 1.234,56")])
    currency_id = fields.Many2one(
        "res.currency",
        required=True,
        default=lambda self: self.env.company.currency_id,
        help="Currency of rows that name none.",
    )

    # what to do
    create_clients = fields.Boolean(
        string="Create Missing Clients",
        default=lambda self: self.env["res.partner"].has_access("create"),
        help="Otherwise rows of unknown clients are refused.",
    )
    create_products = fields.Boolean(
        string="Create Missing Products",
        default=lambda self: self.env["product.product"].has_access("create"),
        help="Otherwise rows of unknown products are refused.",
    )
    client_match = fields.Selection(
        [
            ("ref", "Reference, VAT, email, name"),
            ("vat", "VAT, reference, email, name"),
            ("email", "Email, reference, VAT, name"),
            ("name", "Name, reference, VAT, email"),
        ],
        string="Find Clients by",
        default="ref",
        required=True,
    )
    product_match = fields.Selection(
        [("code", "Code or barcode, then name"), ("name", "Name, then code or barcode")],
        string="Find Products by",
        default="code",
        required=True,
    )
    no_client = fields.Selection(
        [("refuse", "Refuse"), ("walk_in", "Book to the Walk-in Client")],
        string="Rows without a Client",
        default="refuse",
        required=True,
        help="Sales over the counter name no client. Booked to the walk-in client they count for "
        "products and turnover; the walk-in client is left out of client analytics.",
    )
    services = fields.Selection(
        [("import", "Import as Services"), ("refuse", "Refuse")],
        string="Charges such as Postage",
        default="import",
        required=True,
        help="Where nearly all product codes carry digits, codes without any (POST, D, BANK "
        "CHARGES) and codes of one or two characters are charges, not goods.",
    )
    service_codes = fields.Char(
        string="More Charge Codes", help="Further codes that are charges, separated by commas."
    )

    # preview: see crm_sale_import_preview.py
    preview_html = fields.Html(string="Preview", readonly=True, copy=False)
    preview_rows = fields.Integer(string="Rows Checked", readonly=True, copy=False)
    preview_complete = fields.Boolean(readonly=True, copy=False)

    # running: see crm_sale_import_run.py
    phase = fields.Selection(
        [
            ("read", "Reading the file"),
            ("match", "Finding clients and products"),
            ("create", "Creating missing clients and products"),
            ("book", "Booking rows"),
            ("result", "Writing the list of refused rows"),
        ],
        readonly=True,
        copy=False,
    )
    position = fields.Integer(
        string="Rows Done", readonly=True, copy=False, help="Row the current phase has reached."
    )
    progress = fields.Float(readonly=True, copy=False, aggregator=None, help="Percent done.")
    cancel_requested = fields.Boolean(readonly=True, copy=False)
    error_message = fields.Char(readonly=True, copy=False)
    date_start = fields.Datetime(string="Started", readonly=True, copy=False)
    date_end = fields.Datetime(string="Finished", readonly=True, copy=False)

    # outcome
    count_read = fields.Integer(string="Rows Read", readonly=True, copy=False)
    count_new = fields.Integer(string="Imported", readonly=True, copy=False)
    count_updated = fields.Integer(string="Updated", readonly=True, copy=False)
    count_present = fields.Integer(string="Already There", readonly=True, copy=False)
    count_refused = fields.Integer(string="Refused", readonly=True, copy=False)
    refusals = fields.Json(string="Refused by Reason", readonly=True, copy=False)
    outcome_html = fields.Html(compute="_compute_outcome_html", string="Result by Reason")
    created_clients = fields.Integer(string="Clients Created", readonly=True, copy=False)
    created_products = fields.Integer(string="Products Created", readonly=True, copy=False)
    result_file = fields.Binary(string="Refused Rows", attachment=True, readonly=True, copy=False)
    result_file_name = fields.Char(readonly=True, copy=False)
    history_count = fields.Integer(compute="_compute_history_count", string="History Rows")

    @api.depends("file_name")
    def _compute_name(self):
        for job in self:
            job.name = job.file_name or job.name or self.env._("New import")

    def _compute_history_count(self):
        counts = dict(
            self.env["crm.sale.history"]._read_group(
                [("import_id", "in", self.ids)], ["import_id"], ["__count"]
            )
        )
        for job in self:
            job.history_count = counts.get(job, 0)

    @api.depends("refusals")
    def _compute_outcome_html(self):
        for job in self:
            job.outcome_html = job._render_refusals(job.refusals or {})

    @api.constrains("column_ids")
    def _check_columns(self):
        for job in self:
            counts = Counter(job.column_ids.filtered("target").mapped("target"))
            labels = dict(job.column_ids._get_targets())
            for target, count in counts.items():
                if count > 1:
                    raise ValidationError(
                        self.env._(
                            "Field “%(field)s” takes one column, %(count)s are mapped to it. "
                            "Clear the others.",
                            field=labels[target],
                            count=count,
                        )
                    )

    # ------------------------------------------------------------------
    # CRUD
    # ------------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            self._check_client_values(vals)
        return super().create(vals_list)

    def write(self, vals):
        self._check_client_values(vals)
        touched = OPTIONS & vals.keys() - {"name"}
        if touched and any(job.state in (*ACTIVE_STATES, "done") for job in self):
            raise UserError(
                self.env._("This import has started; its file and options cannot change any more.")
            )
        if "file" in vals:
            vals = {**vals, **self._get_reset_values()}
        elif touched:
            # what was shown no longer holds
            vals = {**vals, "preview_html": False, "preview_rows": 0}
        return super().write(vals)

    def _check_client_values(self, vals):
        """Refuse fields that only the import itself sets, when they come from a user.

        The import writes them as superuser (``_set``), so that neither RPC nor a form can fake a
        state or a counter.
        """
        if self.env.su:
            return
        forbidden = vals.keys() - OPTIONS
        if forbidden:
            raise UserError(
                self.env._(
                    "Fields set by the import itself cannot be written: %(fields)s.",
                    fields=", ".join(sorted(forbidden)),
                )
            )

    def _set(self, **values):
        """Write values that only the import sets."""
        self_sudo = self.sudo()  # the guard of write() lets the superuser pass, nobody else
        return super(CrmSaleImport, self_sudo).write(values)

    @api.model
    def _get_reset_values(self):
        return {
            "state": "draft",
            "file_kind": False,
            "packing": False,
            "member": False,
            "header_row": 0,
            "encoding": False,
            "delimiter": False,
            "sheet": False,
            "date_style": False,
            "date_note": False,
            "decimal_separator": False,
            "column_ids": [fields.Command.clear()],
            "preview_html": False,
            "preview_rows": 0,
        }

    @api.ondelete(at_uninstall=False)
    def _unlink_except_active(self):
        if any(job.state in ACTIVE_STATES for job in self):
            raise UserError(self.env._("Cancel the import before you delete it."))

    def unlink(self):
        self._clear_stage()
        return super().unlink()

    # ------------------------------------------------------------------
    # actions
    # ------------------------------------------------------------------

    def action_check(self):
        """Read the file (again), guess what is not set, and show the preview."""
        self.ensure_one()
        self.check_access("write")
        if self.state in (*ACTIVE_STATES, "done"):
            raise UserError(self.env._("This import has started already."))
        try:
            if not self.column_ids:
                self._detect()
            self._refresh_preview()
        except sales_file.TableError as error:
            raise UserError(self._describe_table_error(error)) from error
        self._set(state="ready", error_message=False)
        return True

    def action_detect(self):
        """Forget the guesses and the mapping, and read the head of the file once more.

        Encoding, separator and sheet the user has set are kept.
        """
        self.ensure_one()
        self.write({"column_ids": [fields.Command.clear()], "date_style": False,
                    "decimal_separator": False})  # fmt: skip
        return self.action_check()

    def action_start(self):
        """Queue the import; the scheduled job does the rest."""
        self.ensure_one()
        self.check_access("write")
        if self.state not in ("ready", "failed", "cancelled"):
            raise UserError(self.env._("Check the file first, then start the import."))
        self._check_startable()
        self._check_rights()
        self._set(
            state="queued",
            cancel_requested=False,
            error_message=False,
            user_id=self.env.uid,
            date_end=False,
        )
        # sudo: a sales manager may not read scheduled jobs, only wake this one
        self.env.ref("crm_extended.ir_cron_crm_sale_import").sudo()._trigger()
        return True

    def _check_startable(self):
        targets = set(self.column_ids.mapped("target")) - {False}
        missing = []
        labels = dict(self.column_ids._get_targets())
        if "date" not in targets:
            missing.append(labels["date"])
        if not targets & {"amount", "price_unit"}:
            missing.append(labels["amount"])
        has_client = targets & {"client_ref", "client_vat", "client_email", "client_name"}
        if not has_client and self.no_client == "refuse":
            missing.append(labels["client_ref"])
        if missing:
            raise UserError(
                self.env._(
                    "Say which column of the file holds: %(fields)s.", fields=", ".join(missing)
                )
            )

    def _check_rights(self):
        """Clients and products are created with the rights of the user who starts the import."""
        for allowed, model, remedy in (
            (
                not self.create_clients,
                "res.partner",
                self.env._(
                    "You may not create clients. Ask for that right, or import without “Create "
                    "Missing Clients”."
                ),
            ),
            (
                not self.create_products,
                "product.product",
                self.env._(
                    "You may not create products. Ask for that right, or import without “Create "
                    "Missing Products”."
                ),
            ),
        ):
            if not allowed and not self.env[model].has_access("create"):
                raise UserError(remedy)

    def action_cancel(self):
        """Cancel: at once when it waits, after the current batch when it runs."""
        self.ensure_one()
        self.check_access("write")
        if self.state == "running":
            self._set(cancel_requested=True)
        elif self.state in ("draft", "ready", "queued", "failed"):
            self._set(state="cancelled")
        return True

    def action_view_history(self):
        self.ensure_one()
        return {
            **self.env["ir.actions.act_window"]._for_xml_id("crm_extended.crm_sale_history_action"),
            "domain": [("import_id", "=", self.id)],
            "context": {},
        }

    def action_delete_history(self):
        """Take all rows of this import out of the history again."""
        self.ensure_one()
        if self.state in ACTIVE_STATES:
            raise UserError(self.env._("Cancel the import before you delete its rows."))
        self._delete_history()
        return True
