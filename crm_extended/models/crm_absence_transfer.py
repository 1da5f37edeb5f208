from odoo import api, fields, models


class CrmAbsenceTransfer(models.Model):
    """One piece of work that a substitute has, or had, for somebody who was away.

    A row is open as long as the work is with the substitute. It ends when the work comes back, when
    it goes on to another substitute (there is a row for that one, too), or when at the end of the
    absence it turned out to be done, deleted or given to somebody by hand. What was given by hand
    is not taken again. Rows are written by the system only.
    """

    _name = "crm.absence.transfer"
    _description = "Work Handed Over in an Absence"
    _order = "date desc, id desc"

    absence_id = fields.Many2one(
        "crm.absence", required=True, readonly=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one("res.company", required=True, readonly=True, index=True)
    res_model = fields.Char("Document Model", required=True, readonly=True)
    res_id = fields.Many2oneReference("Document ID", model_field="res_model", readonly=True)
    name = fields.Char("What", readonly=True)
    kind = fields.Char(compute="_compute_kind")
    user_id = fields.Many2one(
        "res.users", "From", required=True, readonly=True, index=True, ondelete="cascade"
    )
    substitute_id = fields.Many2one(
        "res.users", "To", required=True, readonly=True, index=True, ondelete="cascade"
    )
    date = fields.Datetime("Handed Over On", required=True, readonly=True)
    date_end = fields.Datetime("Ended On", readonly=True)
    state = fields.Selection(
        [
            ("open", "With the substitute"),
            ("returned", "Returned"),
            ("passed", "Passed on"),
            ("done", "Done meanwhile"),
            ("kept", "Reassigned by hand"),
            ("failed", "Could not be moved"),
        ],
        required=True,
        readonly=True,
        default="open",
    )

    _open_uniq = models.UniqueIndex("(res_model, res_id) WHERE state = 'open'")
    _record_idx = models.Index("(res_model, res_id, absence_id)")
    _wrong_idx = models.Index(
        "(company_id, user_id, substitute_id, res_model) WHERE state = 'open'"
    )

    @api.depends("res_model")
    def _compute_kind(self):
        names = {
            model: self.env["ir.model"]._get(model).name for model in set(self.mapped("res_model"))
        }
        for transfer in self:
            transfer.kind = names[transfer.res_model]

    def action_open_record(self):
        """Open the piece of work, or the document of an activity."""
        self.ensure_one()
        res_model, res_id = self.res_model, self.res_id
        if res_model == "mail.activity":
            activity = self.env[res_model].browse(res_id).exists()
            activity.check_access("read")
            res_model, res_id = activity.res_model, activity.res_id
        if not res_model or not self.env[res_model].browse(res_id).exists():
            return {
                "type": "ir.actions.client",
                "tag": "display_notification",
                "params": {"message": self.env._("It is over and gone."), "type": "info"},
            }
        return {
            "type": "ir.actions.act_window",
            "res_model": res_model,
            "res_id": res_id,
            "views": [(False, "form")],
        }
