from odoo import api, fields, models


class CrmAgreementReplay(models.TransientModel):
    """One page that tells what proposed terms would have made of the last twelve months."""

    _name = "crm.agreement.replay"
    _description = "Replay of an Agreement"

    agreement_id = fields.Many2one("crm.agreement", required=True)
    page_html = fields.Html(compute="_compute_page", sanitize=False)
    order_ids = fields.Many2many("sale.order", compute="_compute_page", string="Orders Held Back")

    @api.constrains("agreement_id")
    def _check_agreement_access(self):
        """A dialog on a record that the user may not work on would show him what is in it."""
        # constraints run as superuser
        self.sudo(False).agreement_id.check_access("read")

    @api.depends("agreement_id")
    def _compute_page(self):
        for wizard in self:
            agreement = wizard.agreement_id
            agreement.check_access("read")
            figures = agreement._replay()
            wizard.page_html = agreement._render_replay(figures)
            wizard.order_ids = figures["orders"].browse([order.id for order in figures["held"]])

    def action_view_held(self):
        """Open the orders that would have been held back."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("sale.action_orders")
        return action | {
            "name": self.env._("Orders Held Back"),
            "domain": [("id", "in", self.order_ids.ids)],
            "context": {"create": False},
        }
