from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command


class CrmClaimDelivery(models.TransientModel):
    """Which items of a delivery a new claim is about; the claim is stored by its own form."""

    _name = "crm.claim.delivery"
    _description = "Claim about a Delivery"

    picking_id = fields.Many2one("stock.picking", "Delivery", required=True, readonly=True)
    line_ids = fields.One2many(
        "crm.claim.delivery.line",
        "wizard_id",
        compute="_compute_line_ids",
        store=True,
        readonly=False,
    )

    @api.depends("picking_id")
    def _compute_line_ids(self):
        for wizard in self:
            wizard.line_ids = [
                Command.clear(),
                *(
                    Command.create(
                        {
                            "order_line_id": sold.id,
                            "product_id": product.id,
                            "lot_name": lot,
                            "quantity_delivered": quantity,
                        }
                    )
                    for sold, product, lot, quantity in wizard.picking_id._get_delivered_items()
                ),
            ]

    def action_register(self):
        """Open the form of a new claim with the chosen items; without any it has none yet."""
        self.ensure_one()
        self.picking_id.check_access("read")
        claimed = self.line_ids.filtered(lambda line: line.quantity > 0)
        for line in claimed:
            if line.product_uom_id.compare(line.quantity, line.quantity_delivered) > 0:
                raise UserError(
                    self.env._(
                        "%(product)s: %(quantity)s claimed, but %(delivered)s delivered. Enter "
                        "what is claimed of this delivery.",
                        product=line.product_id.display_name,
                        quantity=f"{line.quantity:g}",
                        delivered=f"{line.quantity_delivered:g}",
                    )
                )
        values = self.env["crm.claim"]._prepare_picking_values(self.picking_id)
        return {
            "type": "ir.actions.act_window",
            "res_model": "crm.claim",
            "name": self.env._("Register Claim"),
            "view_mode": "form",
            "context": {
                "default_picking_id": self.picking_id.id,
                "default_company_id": self.picking_id.company_id.id,
                "default_line_ids": [
                    Command.create(line._prepare_claim_line_values()) for line in claimed
                ],
                **{f"default_{name}": value for name, value in values.items()},
            },
        }
