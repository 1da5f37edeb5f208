from odoo import api, fields, models
from odoo.fields import Domain


class CrmClaim(models.Model):
    """Claims on which the client has written or called, and nobody has answered yet."""

    _inherit = "crm.claim"

    is_unanswered = fields.Boolean(
        "Client Waits for Us",
        compute="_compute_is_unanswered",
        search="_search_is_unanswered",
        help="The client has written or called since, and nobody has answered.",
    )

    @api.model
    def _get_unanswered_domain(self):
        return Domain("res_model", "=", self._name) & Domain("unhandled_count", ">", 0)

    def _compute_is_unanswered(self):
        # sudo: whether a claim that the user reads has something unanswered
        chains_sudo = self.env["crm.interaction.chain"].sudo()
        groups = chains_sudo._read_group(
            self._get_unanswered_domain() & Domain("res_id", "in", self._origin.ids), ["res_id"]
        )
        waiting = {res_id for (res_id,) in groups}
        for claim in self:
            claim.is_unanswered = claim._origin.id in waiting

    def _search_is_unanswered(self, operator, value):
        if operator != "in":
            return NotImplemented
        # sudo: the record rules decide which of these claims are shown
        chains = self.env["crm.interaction.chain"].sudo()._search(self._get_unanswered_domain())
        waiting = Domain("id", "in", chains.subselect("res_id"))
        return waiting if True in value else ~waiting
