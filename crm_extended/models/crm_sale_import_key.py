from odoo import fields, models


class CrmSaleImportKey(models.Model):
    """A client or product named in an import, found or created once for all of its rows.

    One record for each distinct key and name of the waiting rows; once all are read, one for each
    key, with the most frequent name. ``res_id`` is the partner or product
    that was matched or created; empty: not found, and not to be created.
    """

    _name = "crm.sale.import.key"
    _description = "Sales Import Key"
    _log_access = False

    import_id = fields.Many2one("crm.sale.import", required=True, ondelete="cascade")
    kind = fields.Selection([("client", "Client"), ("product", "Product")], required=True)
    key = fields.Char(string="Identifier", required=True)
    ref = fields.Char(string="Reference", help="Client reference or product code.")
    vat = fields.Char(string="VAT")
    email = fields.Char()
    name = fields.Char(
        required=True, help="One spelling of the name; the most frequent one stays in the end."
    )
    row_count = fields.Integer(string="Rows", help="Rows with this key (and, at first, this name).")
    country = fields.Char()
    is_service = fields.Boolean(
        string="Charge", help="The code stands for a charge, not for goods."
    )
    res_id = fields.Integer(string="Record ID")
    matched_by = fields.Char(help="Field that found the record, or 'created'.")

    _key_name_unique = models.UniqueIndex("(import_id, kind, key, name)")
