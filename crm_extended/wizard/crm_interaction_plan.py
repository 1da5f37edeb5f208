from odoo import api, fields, models


class CrmInteractionPlan(models.TransientModel):
    """Asks what comes next; planning itself is a matter of the interactions that it follows."""

    _name = "crm.interaction.plan"
    _description = "Plan the Next Interaction"

    interaction_ids = fields.Many2many("crm.interaction", required=True)
    kind = fields.Selection(
        selection=lambda self: self.env["crm.interaction"]
        ._fields["kind"]
        ._description_selection(self.env),
        required=True,
        default="call",
    )
    subject = fields.Char(help="Left empty: the same subject as before.")
    date_start = fields.Datetime(
        string="When",
        required=True,
        default=lambda self: self.env["crm.interaction"]._default_next_date(),
    )
    duration = fields.Float(string="Duration (minutes)", digits=(10, 1))
    user_id = fields.Many2one(
        "res.users",
        string="Responsible",
        default=lambda self: self.env.user,
        domain=[("share", "=", False)],
    )
    body = fields.Html(string="Notes")
    handled = fields.Boolean(
        string="No answer needed",
        help="Mark what has arrived as handled now. Otherwise it is handled by what is planned, "
        "when that is done: the time until then is the answer time.",
    )
    unhandled_count = fields.Integer(compute="_compute_unhandled_count")

    @api.depends("interaction_ids")
    def _compute_unhandled_count(self):
        for wizard in self:
            wizard.unhandled_count = len(wizard._get_unhandled())

    def _get_unhandled(self):
        return self.interaction_ids.filtered(lambda interaction: interaction.state == "new")

    def action_confirm(self):
        self.ensure_one()
        names = ("kind", "subject", "date_start", "duration", "body")
        self.interaction_ids.action_plan_next(
            {name: self[name] for name in names} | {"user_id": self.user_id.id}
        )
        if self.handled:
            self._get_unhandled().action_done()
        return {"type": "ir.actions.act_window_close"}
