from odoo import models


class CrmClaim(models.Model):
    """A claim that becomes confidential takes its subject out of titles that others read."""

    _inherit = "crm.claim"

    def write(self, vals):
        hidden = self.filtered(lambda claim: vals.get("confidential") and not claim.confidential)
        names = {claim: claim.display_name for claim in hidden}
        result = super().write(vals)
        # sudo: titles of investigations and steps, whoever works on them
        for claim_sudo in hidden.sudo():
            investigations = claim_sudo.investigation_ids
            full = names[claim_sudo.sudo(False)]
            for record in [
                *investigations,
                *investigations.with_context(active_test=False).task_ids,
            ]:
                if full in record.name:
                    record.name = record.name.replace(full, claim_sudo.name)
        return result
