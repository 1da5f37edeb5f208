from odoo import fields, models
from odoo.addons.crm_extended.tools import sales_mapping
from odoo.exceptions import UserError


class CrmSaleImportColumn(models.Model):
    """A column of the file and the field of the sales history it fills.

    The guess comes from the header and from the values below it. The user may change it as long
    as the import has not started; a field takes one column at most.
    """

    _name = "crm.sale.import.column"
    _description = "Sales Import Column"
    _order = "position"
    _log_access = False

    import_id = fields.Many2one("crm.sale.import", required=True, index=True, ondelete="cascade")
    position = fields.Integer(string="Place", required=True, help="Place in the file, from 0.")
    name = fields.Char(string="Column of the File", required=True)
    sample = fields.Char(string="First Values")
    target = fields.Selection(
        selection="_get_targets", string="Field", help="Leave empty to ignore the column."
    )
    guessed = fields.Boolean(help="The field was guessed from the header or the values.")

    _position_unique = models.Constraint(
        "UNIQUE(import_id, position)", "A column of the file appears once."
    )

    def _get_targets(self):
        """Return the fields a column can fill, in the order of the form."""
        labels = {
            "date": self.env._("Date"),
            "document": self.env._("Document number"),
            "line": self.env._("Line number in the document"),
            "client_ref": self.env._("Client: reference"),
            "client_vat": self.env._("Client: VAT or INN"),
            "client_email": self.env._("Client: email"),
            "client_name": self.env._("Client: name"),
            "client_country": self.env._("Client: country"),
            "product_code": self.env._("Product: code or barcode"),
            "product_name": self.env._("Product: name"),
            "quantity": self.env._("Quantity"),
            "price_unit": self.env._("Unit price, untaxed"),
            "discount": self.env._("Discount, %"),
            "amount": self.env._("Amount of the line, untaxed"),
            "currency": self.env._("Currency"),
            "is_return": self.env._("Return mark"),
        }
        return [(target, labels[target]) for target in sales_mapping.TARGETS]

    def write(self, vals):
        if not self.env.su:
            if vals.keys() - {"target"}:
                raise UserError(self.env._("Only the field of a column can be changed."))
            # the import refuses the change once it has started, and forgets its preview
            self.import_id.write({"column_ids": []})
        return super().write({**vals, "guessed": False} if "target" in vals else vals)
