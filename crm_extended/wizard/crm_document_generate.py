from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError


class CrmDocumentGenerate(models.TransientModel):
    """Choose a template; what it asks for and is not known is named before anything is printed."""

    _name = "crm.document.generate"
    _description = "Generate a Document"

    res_model = fields.Selection(
        [("crm.agreement.contract", "Contract"), ("sale.order", "Quotation")], required=True
    )
    res_id = fields.Integer(required=True)
    kind = fields.Char()
    template_id = fields.Many2one(
        "crm.document.template", required=True, domain="[('kind', '=', kind)]"
    )
    missing = fields.Text("Missing Data", compute="_compute_missing")
    accept_missing = fields.Boolean(
        "Print With Blanks", help="What is missing is left blank, to be filled in by hand."
    )

    @api.constrains("res_model", "res_id")
    def _check_record_access(self):
        """A dialog on a record that the user may not work on would show him what is in it."""
        for wizard in self:
            # constraints run as superuser
            record = wizard.sudo(False)._get_record()
            if not record.exists():
                raise ValidationError(self.env._("This document does not exist any more."))
            record.check_access("write")

    def _get_record(self):
        self.ensure_one()
        return self.env[self.res_model].browse(self.res_id)

    @api.depends("template_id", "res_model", "res_id")
    def _compute_missing(self):
        for wizard in self:
            record = wizard._get_record() if wizard.res_model and wizard.res_id else None
            wizard.missing = (
                "\n".join(record._get_missing_data(wizard.template_id))
                if record and wizard.template_id
                else False
            )

    def action_generate(self):
        """Print and keep the document."""
        self.ensure_one()
        if self.missing and not self.accept_missing:
            raise UserError(
                self.env._(
                    "Fill in what is missing, or print with blanks:\n%s",
                    self.missing,
                )
            )
        attachment = self._get_record()._generate_document(self.template_id)
        return {
            "type": "ir.actions.act_url",
            "url": f"/web/content/{attachment.id}?download=true",
            "target": "self",
            "close": True,
        }
