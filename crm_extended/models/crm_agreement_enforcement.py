from odoo import api, fields, models

from .crm_agreement import ENFORCEMENTS
from .crm_agreement_deviation import DEVIATION_KINDS


class CrmAgreementEnforcement(models.Model):
    """What happens when an order deviates in one point, where that differs from the rest."""

    _name = "crm.agreement.enforcement"
    _description = "Enforcement of One Term"
    _inherit = ["crm.agreement.term.line"]

    kind = fields.Selection(DEVIATION_KINDS, "Deviation", required=True)
    enforcement = fields.Selection(ENFORCEMENTS, "What Happens", required=True, default="warn")

    _kind_uniq = models.UniqueIndex(
        "(agreement_id, kind)", "An agreement has one line per kind of deviation."
    )

    @api.depends("kind", "enforcement")
    def _compute_display_name(self):
        for line in self:
            line.display_name = f"{line._get_target_label()}: {line._get_value_label()}"

    @api.model
    def _get_copied_fields(self):
        return ["kind", "enforcement"]

    def _get_target(self):
        self.ensure_one()
        return "enforcement", self.kind

    def _get_target_label(self):
        self.ensure_one()
        kinds = dict(self._fields["kind"]._description_selection(self.env))
        return self.env._("When it deviates: %s", kinds.get(self.kind, ""))

    def _get_value_label(self):
        self.ensure_one()
        return dict(self._fields["enforcement"]._description_selection(self.env)).get(
            self.enforcement, ""
        )
