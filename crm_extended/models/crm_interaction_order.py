from odoo import api, models


class CrmInteraction(models.Model):
    """Lists grouped by conversation show first what somebody has to see to first.

    Odoo sorts such groups by the order of conversations, which knows nothing of the filter of
    the list: an unhandled mail would come after a call planned for next week.
    """

    _inherit = "crm.interaction"

    @api.model
    def _get_read_group_order(self, dict_order, groupby, aggregates):
        order = super()._get_read_group_order(dict_order, groupby, aggregates)
        direction = dict_order.get("date_deadline", "")
        if list(groupby) != ["chain_id"] or not direction or "chain_id" in dict_order:
            return order
        aggregate = "max" if direction.startswith("DESC") else "min"
        return order.removesuffix("chain_id") + f"date_deadline:{aggregate} {direction}, chain_id"
