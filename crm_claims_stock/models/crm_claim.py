from odoo import api, fields, models
from odoo.exceptions import ValidationError


class CrmClaim(models.Model):
    """A claim about a delivery.

    The delivery names the order and, until somebody else is entered, the claimant; a delivery of
    another order is refused.
    """

    _inherit = "crm.claim"

    picking_id = fields.Many2one(
        "stock.picking",
        "Delivery",
        index="btree_not_null",
        tracking=True,
        copy=False,
        check_company=True,
        domain="[('picking_type_code', '=', 'outgoing'), ('state', '=', 'done'),"
        " ('company_id', '=', company_id)]",
    )

    @api.onchange("picking_id")
    def _onchange_picking_id(self):
        if self.picking_id:
            self.update(self._prepare_picking_values(self.picking_id))

    @api.model_create_multi
    def create(self, vals_list):
        filled = []
        for vals in vals_list:
            if vals.get("picking_id"):
                picking = self.env["stock.picking"].browse(vals["picking_id"])
                known = {key: value for key, value in vals.items() if value}
                vals = vals | self._prepare_picking_values(picking) | known
            filled.append(vals)
        return super().create(filled)

    @api.constrains("picking_id", "order_id")
    def _check_picking_order(self):
        for claim in self.filtered("picking_id"):
            # sudo: handlers need not read deliveries and orders of other salespeople
            order_sudo = claim.picking_id.sudo().sale_id
            if order_sudo and claim.sudo().order_id and order_sudo != claim.sudo().order_id:
                raise ValidationError(
                    self.env._(
                        "Delivery %(delivery)s belongs to order %(order)s: choose that order, or "
                        "another delivery.",
                        delivery=claim.picking_id.sudo().name,
                        order=order_sudo.name,
                    )
                )

    @api.model
    def _prepare_picking_values(self, picking):
        """Values of a claim that its delivery knows: claimant and, where it has one, order."""
        # sudo: handlers need not read orders of other salespeople
        picking_sudo = picking.sudo()
        order_sudo = picking_sudo.sale_id
        values = {
            "order_id": order_sudo.id,
            "partner_id": order_sudo.partner_id.id or picking_sudo.partner_id.id,
        }
        return {name: value for name, value in values.items() if value}

    def action_view_delivery(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Delivery"),
            "res_model": "stock.picking",
            "view_mode": "form",
            "res_id": self.picking_id.id,
        }
