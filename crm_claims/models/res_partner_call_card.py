from odoo import models
from odoo.addons.crm_extended.models.res_partner_call_card import ROWS
from odoo.fields import Domain


class ResPartner(models.Model):
    """The card of a call lists the open claims of the client."""

    _inherit = "res.partner"

    def _get_call_card_sections(self):
        sections = super()._get_call_card_sections()
        Claim = self.env["crm.claim"]
        if not Claim.has_access("read"):
            return sections
        claims = Claim.search(self._get_call_card_client_domain() & Domain("is_open", "=", True))
        if not claims:
            return sections
        section = {
            "name": "claims",
            "label": self.env._("Open claims"),
            "count": len(claims),
            "rows": [claim._prepare_call_card_row() for claim in claims[:ROWS]],
        }
        # before the last contacts: a claim decides how the talk goes
        position = next(
            (place for place, item in enumerate(sections) if item["name"] == "contacts"),
            len(sections),
        )
        return [*sections[:position], section, *sections[position:]]
