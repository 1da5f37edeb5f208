from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from ..tools.scoring import adjust_class


class CrmLead(models.Model):
    """A deal whose computed class somebody disagrees with.

    The salesperson of the deal, the leader of its team and those who manage all deals may raise
    or lower the class of an open deal by one step, with a reason and, if they like, until a day.
    Every adjustment is logged (``crm.lead.class.adjustment``), and so is its end.
    """

    _inherit = "crm.lead"

    class_adjustment = fields.Integer(
        "Class Adjustment",
        readonly=True,
        copy=False,
        tracking=True,
        aggregator=None,
        help="+1 raises the computed class by one step, -1 lowers it.",
    )
    class_adjustment_ids = fields.One2many(
        "crm.lead.class.adjustment", "lead_id", "Class Adjustments", readonly=True
    )
    class_adjustment_user_id = fields.Many2one(
        "res.users", "Adjusted by", compute="_compute_class_adjustment_log"
    )
    class_adjustment_date = fields.Datetime("Adjusted on", compute="_compute_class_adjustment_log")
    class_adjustment_reason = fields.Text("Reason", compute="_compute_class_adjustment_log")
    class_adjustment_until = fields.Date(
        "Adjusted until",
        readonly=True,
        copy=False,
        help="On the day after, the class follows the score again.",
    )
    can_adjust_class = fields.Boolean(compute="_compute_can_adjust_class")

    _check_class_adjustment = models.Constraint(
        "CHECK(class_adjustment BETWEEN -1 AND 1)", "A class is adjusted by one step at most."
    )

    # Computes

    def _compute_class_adjustment_log(self):
        logs = self.env["crm.lead.class.adjustment"].sudo()  # who reads the deal reads why
        latest = dict(
            logs._read_group([("lead_id", "in", self._origin.ids)], ["lead_id"], ["id:max"])
        )
        for lead in self:
            log = logs.browse(latest.get(lead._origin) if lead.class_adjustment else None)
            lead.class_adjustment_user_id = log.user_id
            lead.class_adjustment_date = log.date
            lead.class_adjustment_reason = log.reason

    @api.depends_context("uid")
    @api.depends("user_id", "team_id.user_id", "won_status", "active")
    def _compute_can_adjust_class(self):
        writable = self._origin._filtered_access("write") if self._origin else self
        for lead in self:
            lead.can_adjust_class = lead._origin in writable and not lead._get_adjust_obstacle()

    # Class adjustment

    def _get_adjust_obstacle(self):
        """Return why the user may not adjust the class of the deal, or None."""
        self.ensure_one()
        if not self.active or self.won_status != "pending":
            return self.env._("The class of a closed deal cannot be adjusted. Reopen it first.")
        user = self.env.user
        if user not in (self.user_id | self.team_id.user_id) and not user.has_group(
            "sales_team.group_sale_salesman_all_leads"
        ):
            return self.env._(
                "Only the salesperson of the deal, the leader of its team and those who see all "
                "deals may adjust its class."
            )
        return None

    def adjust_class(self, adjustment, reason, until=None):
        """Adjust the computed class of open deals by hand.

        The adjustment stays until it is changed; it is logged in the chatter and kept in
        ``crm.lead.class.adjustment``.

        :param int adjustment: +1, -1, or 0 to follow the computed class again
        :param str reason: why, in words; required
        :param until: last day on which it counts, a date or its text; for good by default
        :raise UserError: unknown step, no reason, deal closed or not yet scored
        :raise AccessError: the user may not adjust the deal
        """
        if isinstance(adjustment, bool) or adjustment not in (-1, 0, 1):
            raise UserError(self.env._("A class is raised or lowered by one step: -1, 0 or +1."))
        reason = reason.strip() if isinstance(reason, str) else ""
        if not reason:
            raise UserError(self.env._("Say why you adjust the class: a reason is required."))
        until = fields.Date.to_date(until) if until and adjustment else None
        if until and until < fields.Date.today():
            raise UserError(self.env._("“Until”: the day is past. Choose today or later."))
        self.check_access("write")
        self._flush_scoring()
        now = fields.Datetime.now()
        logs = []
        for lead in self:
            if obstacle := lead._get_adjust_obstacle():
                raise AccessError(obstacle)
            if not lead.score_class_auto:
                raise UserError(
                    self.env._("“%(deal)s” has no class to adjust yet.", deal=lead.display_name)
                )
            values = lead._prepare_class_adjustment_values(adjustment, reason, now)
            logs.append(values | {"until": until})
            lead._track_set_log_message(reason)
        self._write_class_adjustment(
            {"class_adjustment": adjustment, "class_adjustment_until": until}
        )
        # sudo: nobody may write the log but this method
        self.env["crm.lead.class.adjustment"].sudo().create(logs)
        self.env["crm.lead.scoring"]._refresh(self.ids, now, self.env.uid)
        return True

    @api.model
    def _expire_class_adjustments(self, today=None):
        """Let the class of deals whose adjustment ran out follow the score again."""
        today = today or fields.Date.today()
        leads = self.with_context(active_test=False).search(
            [("class_adjustment_until", "<", today), ("class_adjustment", "!=", 0)]
        )
        now = fields.Datetime.now()
        reason = self.env._("The adjustment ran out.")
        logs = []
        for lead in leads.filtered("score_class_auto"):
            logs.append(lead._prepare_class_adjustment_values(0, reason, now))
            lead._track_set_log_message(reason)
        leads._write_class_adjustment({"class_adjustment": 0, "class_adjustment_until": False})
        self.env["crm.lead.class.adjustment"].sudo().create(logs)  # sudo: see adjust_class
        self.env["crm.lead.scoring.queue"]._enqueue(leads.ids)

    def _prepare_class_adjustment_values(self, adjustment, reason, now):
        self.ensure_one()
        return {
            "lead_id": self.id,
            "company_id": self.company_id.id,
            "user_id": self.env.uid,
            "date": now,
            "adjustment_before": self.class_adjustment,
            "adjustment": adjustment,
            "class_auto": self.score_class_auto,
            "class_before": self.score_class,
            "class_after": adjust_class(self.score_class_auto, adjustment),
            "score_value": self.score_value,
            "score_probability": self.score_probability,
            "reason": reason,
        }

    # Buttons

    def action_raise_class(self):
        return self._action_adjust_class(min(self.class_adjustment + 1, 1))

    def action_lower_class(self):
        return self._action_adjust_class(max(self.class_adjustment - 1, -1))

    def _action_adjust_class(self, adjustment):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Adjust class"),
            "res_model": "crm.lead.class.adjust",
            "view_mode": "form",
            "target": "new",
            "context": {"default_lead_id": self.id, "default_adjustment": str(adjustment)},
        }
