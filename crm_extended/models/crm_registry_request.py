from datetime import timedelta

from odoo import api, fields, models

# enough to count a day's quota and to see what went wrong lately
KEEP = timedelta(days=30)


class CrmRegistryRequest(models.Model):
    """What became of each question to a register.

    Rows are only added, never changed, so that workers that ask at the same time do not wait for
    each other; the quota of a day and the pause after failures are counted from them. A row keeps
    neither the key nor the answer. Kept for thirty days.
    """

    _name = "crm.registry.request"
    _description = "Question to a Register"
    _order = "id desc"
    _rec_name = "number"

    provider_id = fields.Many2one(
        "crm.registry.provider", required=True, readonly=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(
        related="provider_id.company_id", store=True, index="btree_not_null"
    )
    date = fields.Datetime(required=True, readonly=True, default=fields.Datetime.now)
    user_id = fields.Many2one(
        "res.users", readonly=True, default=lambda self: self.env.user, index="btree_not_null"
    )
    method = fields.Selection(
        [("find", "By number"), ("suggest", "By name"), ("check", "Status")],
        required=True,
        readonly=True,
    )
    number = fields.Char("Asked For", readonly=True, help="A number, or how many clients.")
    code = fields.Selection(
        [
            ("ok", "Answered"),
            ("not_found", "Not found"),
            ("timeout", "No answer in time"),
            ("unauthorized", "Key refused"),
            ("quota", "Quota used up"),
            ("rate", "Too many requests"),
            ("server", "Failure of the service"),
            ("broken", "Unreadable answer"),
            ("request", "Question refused"),
        ],
        string="Result",
        required=True,
        readonly=True,
    )
    retry_after = fields.Integer(readonly=True, help="Seconds the service asked us to wait.")
    duration = fields.Float("Seconds", readonly=True, digits=(8, 2))

    _provider_date_idx = models.Index("(provider_id, date)")

    @api.autovacuum
    def _gc_requests(self):
        self.search([("date", "<", fields.Datetime.now() - KEEP)], limit=10000).unlink()
