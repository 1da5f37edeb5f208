from datetime import datetime, time

import pytz
from odoo import api, fields, models
from odoo.exceptions import AccessError

MAIL_HOUR = 10  # by the client's clock


class CrmOccasion(models.Model):
    """A day to get in touch: a birthday, a professional holiday, a service that is due.

    - Listed some days before by a daily job, each once: a contact has one birthday and each holiday
      once a year, a product sold to a client one service for each due day.
    - A service is due some months after the last purchase of the product (see the product), and
      again after as many. Bought anew: counted from then, and what was listed is cancelled. What
      was given back needs none.
    - What happens then are automation rules on this model, to be changed like any other: an
      activity for the responsible when it is listed; a letter on its day at ten by the client's
      clock, switched off until somebody has read the letters.
    - Letters go to nobody on the blacklist and to nobody who refused; see
      ``res.partner._get_occasion_refusals``.
    - Salespersons see those of their own clients and of clients without a salesperson.
    """

    _name = "crm.occasion"
    _description = "Occasion to Get in Touch"
    _inherit = ["mail.thread", "mail.activity.mixin"]
    _order = "date, id"
    _rec_name = "partner_id"

    kind = fields.Selection(
        [("birthday", "Birthday"), ("holiday", "Professional holiday"), ("service", "Service due")],
        required=True,
        readonly=True,
        index=True,
    )
    partner_id = fields.Many2one(
        "res.partner", string="Contact", required=True, readonly=True, index=True,
        ondelete="cascade",
    )  # fmt: skip
    commercial_partner_id = fields.Many2one(
        related="partner_id.commercial_partner_id", string="Client", store=True, index=True
    )
    company_id = fields.Many2one("res.company", required=True, readonly=True, ondelete="cascade")
    user_id = fields.Many2one("res.users", string="Responsible", index="btree_not_null")
    date = fields.Date(string="Day", required=True, readonly=True, index=True)
    date_mail = fields.Datetime(
        string="Letter at",
        compute="_compute_date_mail",
        store=True,
        help="Ten in the morning of that day, by the client's clock.",
    )
    period = fields.Char(required=True, readonly=True)
    holiday_id = fields.Many2one("crm.professional.holiday", readonly=True, ondelete="set null")
    product_id = fields.Many2one("product.product", readonly=True, ondelete="cascade")
    date_source = fields.Date(string="Bought on", readonly=True)
    state = fields.Selection(
        [("planned", "Ahead"), ("done", "Done"), ("cancelled", "Cancelled")],
        required=True,
        default="planned",
        tracking=True,
    )
    date_mailed = fields.Datetime(string="Letter Sent on", readonly=True, copy=False)
    can_mail = fields.Boolean(string="May Get Letters", compute="_compute_can_mail")

    _once = models.UniqueIndex(
        "(kind, partner_id, COALESCE(holiday_id, 0), COALESCE(product_id, 0), period)",
        "This occasion is listed already.",
    )

    @api.depends("kind", "partner_id", "holiday_id", "product_id")
    @api.depends_context("lang")
    def _compute_display_name(self):
        kinds = dict(self._fields["kind"]._description_selection(self.env))
        for occasion in self:
            what = occasion.holiday_id.name or occasion.product_id.display_name
            name = kinds.get(occasion.kind, "")
            if what:
                name = what if occasion.kind == "holiday" else f"{name}: {what}"
            occasion.display_name = f"{name}, {occasion.partner_id.display_name or ''}"

    @api.depends("date", "partner_id")
    def _compute_date_mail(self):
        for occasion in self:
            if not occasion.date or not occasion.partner_id:
                occasion.date_mail = False
                continue
            zone = pytz.timezone(occasion.partner_id._get_client_time_zone()[0])
            local = zone.localize(datetime.combine(occasion.date, time(MAIL_HOUR)))
            occasion.date_mail = local.astimezone(pytz.utc).replace(tzinfo=None)

    @api.model
    def _get_facts(self):
        """Return the names of the fields that only the daily job and the letters write."""
        return {
            "kind", "partner_id", "company_id", "date", "date_mail", "period", "holiday_id",
            "product_id", "date_source", "date_mailed",
        }  # fmt: skip

    def write(self, vals):
        if not self.env.su and vals.keys() & self._get_facts():
            raise AccessError(
                self.env._("Whose occasion it is, and when, is written by the system only.")
            )
        return super().write(vals)

    def _compute_can_mail(self):
        analyses = self.env["crm.customer.analysis"]
        for company, occasions in self.grouped("company_id").items():
            required = analyses._get_for(company).occasion_consent_required
            refused = occasions.partner_id._get_occasion_refusals(required)
            for occasion in occasions:
                occasion.can_mail = occasion.partner_id not in refused

    # ------------------------------------------------------------------
    # actions
    # ------------------------------------------------------------------

    def action_done(self):
        """Mark as done; the activities of it are done too."""
        self.write({"state": "done"})
        self.activity_ids.action_feedback()

    def action_cancel(self):
        """Nothing will be done about it."""
        self.write({"state": "cancelled"})
        self.activity_ids.unlink()

    # ------------------------------------------------------------------
    # for automation rules
    # ------------------------------------------------------------------

    def _schedule_activities(self):
        """Plan an activity for the responsible on the day, or today when the day is over."""
        for occasion in self.filtered("user_id"):
            occasion.activity_schedule(
                "mail.mail_activity_data_todo",
                date_deadline=max(occasion.date, fields.Date.context_today(occasion)),
                summary=occasion.with_context(
                    lang=occasion.user_id.lang or self.env.lang
                ).display_name,
                user_id=occasion.user_id.id,
            )

    def _send_letters(self):
        """Send the letter of its kind to each contact who may get one, once.

        A greeting that is two days late, because the rule was switched on just now, is none.
        """
        late = fields.Date.subtract(fields.Date.today(), days=1)
        for kind, occasions in self.grouped("kind").items():
            template = self.env.ref(
                f"crm_scoring.mail_template_occasion_{kind}", raise_if_not_found=False
            )
            due = occasions.filtered(
                lambda o: o.state == "planned"
                and not o.date_mailed
                and o.can_mail
                and (o.kind == "service" or o.date >= late)
            )
            if not template or not due:
                continue
            # sudo: written by the system only
            due.sudo().date_mailed = fields.Datetime.now()
            template.send_mail_batch(due.ids)
