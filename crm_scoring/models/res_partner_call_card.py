from odoo import models
from odoo.fields import Domain

COLORS = {"a": "success", "b": "info", "c": "warning", "d": "secondary"}


class ResPartner(models.Model):
    """The card of a call tells the class of the client's deals and his segment.

    A client counts as much as the best of his open deals that the operator may see.
    """

    _inherit = "res.partner"

    def _get_call_card_badges(self):
        badges = super()._get_call_card_badges()
        Lead = self.env["crm.lead"]
        if not Lead.has_access("read"):
            return badges
        [[best]] = Lead._read_group(
            self._get_call_card_client_domain()
            & Domain([("won_status", "=", "pending"), ("score_class", "!=", False)]),
            [],
            ["score_class:min"],
        )
        own = []
        if best:
            classes = dict(Lead._fields["score_class"]._description_selection(self.env))
            own.append(
                {
                    "name": "class",
                    "label": self.env._("Class"),
                    "value": classes[best],
                    "color": COLORS.get(best.lower(), "secondary"),
                }
            )
        if self._has_field_access(self._fields["rfm_segment"], "read") and self.rfm_segment:
            segments = dict(self._fields["rfm_segment"]._description_selection(self.env))
            own.append(
                {
                    "name": "segment",
                    "label": self.env._("Segment"),
                    "value": segments[self.rfm_segment],
                    "color": "light",
                }
            )
        return own + badges
