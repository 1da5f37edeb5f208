from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError


class CrmSegmentMember(models.Model):
    """That a client is in a segment, since when and until when.

    - The client is a member from the day of entry on, and no longer on the day of exit. A client
      that comes back gets a new row: what was is kept.
    - A segment has one open row for a client.
    - Live segments write their rows themselves. Sales administrators add to and take out of static
      ones; nobody deletes a row (it goes with the client or the segment) or moves it to another.
    """

    _name = "crm.segment.member"
    _description = "Member of a Segment"
    _order = "date_entry desc, id desc"
    _rec_name = "partner_id"
    _log_access = False

    segment_id = fields.Many2one("crm.segment", required=True, index=True, ondelete="cascade")
    partner_id = fields.Many2one(
        "res.partner", string="Client", required=True, index=True, ondelete="cascade"
    )
    date_entry = fields.Date(
        string="Entered on", required=True, default=lambda self: fields.Date.context_today(self)
    )
    date_exit = fields.Date(string="Left on")

    _open_uniq = models.UniqueIndex(
        "(segment_id, partner_id) WHERE date_exit IS NULL",
        "The client is in this segment already.",
    )
    _check_dates = models.Constraint(
        "CHECK(date_exit >= date_entry)", "A client cannot leave before it enters."
    )

    @api.constrains("segment_id", "partner_id")
    def _check_partner_company(self):
        for member in self:
            company = member.partner_id.company_id
            if company and member.segment_id.company_id not in (company, company.browse()):
                raise ValidationError(
                    self.env._(
                        "“%(client)s” belongs to another company than the segment “%(name)s”.",
                        client=member.partner_id.display_name,
                        name=member.segment_id.name,
                    )
                )

    @api.model_create_multi
    def create(self, vals_list):
        Partner = self.env["res.partner"]
        members = super().create(
            [
                {
                    **vals,
                    "partner_id": Partner.browse(vals.get("partner_id")).commercial_partner_id.id,
                }
                for vals in vals_list
            ]
        )
        members._check_static()
        self.env["res.partner"].invalidate_model(["segment_ids"])
        return members

    def write(self, vals):
        self.check_access("write")
        if not vals.keys() <= {"date_entry", "date_exit"}:
            raise UserError(
                self.env._(
                    "A membership keeps its client and its segment: end it, and add another."
                )
            )
        self._check_static()
        self.env["res.partner"].invalidate_model(["segment_ids"])
        return super().write(vals)

    def _check_static(self):
        live = self.segment_id.filtered(lambda s: s.kind == "live")
        if live:
            raise UserError(
                self.env._(
                    "“%s” is a live segment: its members follow from its conditions.",
                    live[0].name,
                )
            )

    def action_leave(self):
        """Take the clients out as of today."""
        self.filtered(lambda m: not m.date_exit).write(
            {"date_exit": fields.Date.context_today(self)}
        )
