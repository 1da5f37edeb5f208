from odoo import api, fields, models
from odoo.fields import Command


class CrmSegmentAssign(models.TransientModel):
    """Puts chosen clients on lists kept by hand, or takes them off."""

    _name = "crm.segment.assign"
    _description = "Add to Segments"

    partner_ids = fields.Many2many("res.partner", string="Clients", required=True)
    segment_ids = fields.Many2many(
        "crm.segment", string="Segments", required=True, domain=[("kind", "=", "static")]
    )
    operation = fields.Selection(
        [("add", "Add"), ("remove", "Take Out")], required=True, default="add"
    )

    @api.model
    def default_get(self, fields):
        values = super().default_get(fields)
        if self.env.context.get("active_model") == "res.partner":
            ids = self.env.context.get("active_ids") or []
            clients = self.env["res.partner"].browse(ids).commercial_partner_id
            values["partner_ids"] = [Command.set(clients.ids)]
        return values

    def action_confirm(self):
        """Add those who are not in yet, or take out those who are."""
        self.ensure_one()
        Member = self.env["crm.segment.member"]
        clients = self.partner_ids.commercial_partner_id
        members = Member.search(
            [
                ("segment_id", "in", self.segment_ids.ids),
                ("partner_id", "in", clients.ids),
                ("date_exit", "=", False),
            ]
        )
        if self.operation == "remove":
            members.action_leave()
        else:
            there = {(member.segment_id.id, member.partner_id.id) for member in members}
            Member.create(
                [
                    {"segment_id": segment.id, "partner_id": client.id}
                    for segment in self.segment_ids
                    for client in clients
                    if (segment.id, client.id) not in there
                ]
            )
        return {"type": "ir.actions.act_window_close"}
