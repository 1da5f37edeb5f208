from odoo import api, models

from .crm_interaction_list import fetch_specification, read_found


class CrmInteractionChain(models.Model):
    """The list of conversations reads only the names of clients and colleagues."""

    _inherit = "crm.interaction.chain"

    @api.readonly
    def web_read(self, specification):
        fetch_specification(self, specification)
        return super().web_read(specification)

    @api.model
    @api.readonly
    def web_search_read(
        self, domain, specification, offset=0, limit=None, order=None, count_limit=None
    ):
        chains = self.search_fetch(
            domain, specification.keys(), offset=offset, limit=limit, order=order
        )
        return self._format_web_search_read_results(
            domain, read_found(chains, specification), offset, limit, count_limit
        )
