from odoo import fields, models
from odoo.tools import SQL


class CrmSaleImportRow(models.Model):
    """Waiting room of an import: the typed rows of one file, and the refused ones with the reason.

    Filled by COPY and read by set-based statements only; nobody sees it on a screen. The table is
    unlogged: losing it in a crash of the database server costs reading the file again, which the
    import notices by itself (see ``crm.sale.import._prepare_resume``).
    """

    _name = "crm.sale.import.row"
    _description = "Sales Import Row"
    _log_access = False

    # ids, not relations: no foreign key to check for each copied row
    import_id = fields.Integer(required=True)
    row_no = fields.Integer(
        string="Row Number", required=True, help="Number of the row in the file, from 1."
    )
    date = fields.Date()
    document = fields.Char()
    client_key = fields.Char(help="Strongest identifier of the client in this row.")
    product_key = fields.Char(help="Strongest identifier of the product in this row.")
    quantity = fields.Float(digits=(16, 6))
    amount_currency = fields.Float(digits=(16, 6))
    currency_id = fields.Integer()
    is_return = fields.Boolean()
    content_key = fields.Char(help="Digest of what identifies the row (see tools.sales_typing).")
    occurrence = fields.Integer(
        string="Repetition", help="1 for the first row with this content, 2 for the next..."
    )
    reason = fields.Char(help="Code of the reason for refusal; empty for a good row.")
    detail = fields.Char(help="The value that was refused.")

    _import_row_unique = models.UniqueIndex("(import_id, row_no)")

    def init(self):
        # A table of the registry cannot be declared unlogged; the statement is skipped on later
        # updates because it would rewrite the table.
        [(persistence,)] = self.env.execute_query(
            SQL(
                "SELECT relpersistence FROM pg_class WHERE oid = %s::regclass",
                self._table,
            )
        )
        if persistence != "u":
            self.env.cr.execute(SQL("ALTER TABLE %s SET UNLOGGED", SQL.identifier(self._table)))
