from odoo import fields, models

SHOWN = 200


class CrmStrategyPreview(models.TransientModel):
    """Whom a strategy would touch now, and how. Nothing is done, and nobody is written to."""

    _name = "crm.strategy.preview"
    _description = "Dry Run of a Strategy"

    strategy_id = fields.Many2one("crm.strategy", required=True, readonly=True, ondelete="cascade")
    count = fields.Integer("Concerned Now", readonly=True)
    shown_count = fields.Integer(compute="_compute_shown_count")
    daily_limit = fields.Integer(related="strategy_id.daily_limit")
    start = fields.Selection(related="strategy_id.start")
    line_ids = fields.One2many("crm.strategy.preview.line", "preview_id", readonly=True)

    def _compute_shown_count(self):
        for preview in self:
            preview.shown_count = len(preview.line_ids)

    def _fill(self, now):
        """List what would be done, without doing it."""
        self.ensure_one()
        # nobody is told of companies in which he does not work
        companies = self.env.user.company_ids
        occurrences = [
            (record, key)
            for record, key in self.strategy_id._get_occurrences(now)
            if self.strategy_id._get_record_company(record).sudo(False) <= companies
        ]
        # nor can he try out the terms of a secret agreement by conditions
        records = self.env[self.strategy_id.res_model].browse([r.id for r, __ in occurrences])
        hidden = set(self.env["crm.secrecy.rule"]._filter_hidden(records).ids)
        occurrences = [pair for pair in occurrences if pair[0].id not in hidden]
        self.count = len(occurrences)
        # sudo: as the strategy would act; shown are names and actions
        actions_sudo = self.strategy_id.sudo().action_ids
        self.env["crm.strategy.preview.line"].create(
            [
                {
                    "preview_id": self.id,
                    "res_model": record._name,
                    "res_id": record.id,
                    "name": self.strategy_id._get_record_name(record),
                    "partner_name": actions_sudo._get_client(record).display_name,
                    "event_key": key,
                    "result": "\n".join(self._get_words(actions_sudo, record)),
                }
                for record, key in occurrences[:SHOWN]
            ]
        )

    def _get_words(self, actions_sudo, record):
        for action_sudo in actions_sudo:
            refusal = action_sudo._get_refusal(record)
            name = action_sudo.display_name
            if refusal:
                yield self.env._("%(action)s: not, %(reason)s", action=name, reason=refusal)
            elif action_sudo.kind in ("interaction", "activity", "plan", "task"):
                yield f"{name} → {action_sudo._get_user(record).name}"
            else:
                yield name

    def action_open_records(self):
        """All that the strategy concerns, as a list."""
        self.ensure_one()
        occurrences = self.strategy_id._get_occurrences(fields.Datetime.now())
        return {
            "type": "ir.actions.act_window",
            "name": self.strategy_id.name,
            "res_model": self.strategy_id.res_model,
            "views": [(False, "list"), (False, "form")],
            "domain": [("id", "in", [record.id for record, __ in occurrences])],
        }


class CrmStrategyPreviewLine(models.TransientModel):
    """One record that a strategy would touch."""

    _name = "crm.strategy.preview.line"
    _inherit = ["crm.strategy.record.mixin"]
    _description = "Record in the Dry Run of a Strategy"

    preview_id = fields.Many2one(
        "crm.strategy.preview", required=True, ondelete="cascade", index=True
    )
    name = fields.Char("Document")
    partner_name = fields.Char("Client")
    event_key = fields.Char("Event")
    result = fields.Text("What Would Be Done")
