from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..tools.document_text import find_placeholders

KINDS = {"contract": "crm.agreement.contract", "offer": "sale.order"}


class CrmDocumentTemplate(models.Model):
    """The text of a contract or an offer, with placeholders for what differs.

    A placeholder such as ``{{ client.name }}`` stands for one datum of a fixed list
    (`crm.document.source`); it is replaced, never evaluated, so that whoever may edit templates
    cannot read with them what he may not read otherwise. An unknown placeholder is refused when the
    template is saved.
    """

    _name = "crm.document.template"
    _description = "Document Template"
    _order = "kind, sequence, name"

    name = fields.Char(required=True, translate=True)
    active = fields.Boolean(default=True)
    sequence = fields.Integer(default=10)
    kind = fields.Selection(
        [("contract", "Contract"), ("offer", "Offer")], required=True, default="contract"
    )
    company_id = fields.Many2one("res.company", index=True, help="Empty: for all companies.")
    body = fields.Html(required=True, sanitize_attributes=True)
    placeholder_html = fields.Html(compute="_compute_placeholder_html", sanitize=False)

    @api.depends("kind")
    def _compute_placeholder_html(self):
        for template in self:
            source = self.env[KINDS[template.kind or "contract"]]
            template.placeholder_html = self.env["ir.qweb"]._render(
                "crm_extended.crm_document_placeholders",
                {"labels": source._get_document_labels()},
            )

    @api.constrains("body", "kind")
    def _check_placeholders(self):
        for template in self:
            known = self.env[KINDS[template.kind]]._get_document_labels()
            unknown = [name for name in find_placeholders(template.body) if name not in known]
            if unknown:
                raise ValidationError(
                    self.env._(
                        "Template “%(name)s” has placeholders that do not exist: %(unknown)s. "
                        "Known are: %(known)s.",
                        name=template.name,
                        unknown=", ".join(unknown),
                        known=", ".join(known),
                    )
                )
