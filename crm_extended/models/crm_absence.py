from datetime import datetime, time, timedelta

import pytz
from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Domain
from odoo.tools import SQL, format_datetime

from ..tools.substitution import find_circle

LEAVE_FIELDS = frozenset({"user_id", "company_id", "date_from", "date_to"})
SYNC_LIMIT = 200


class CrmAbsence(models.Model):
    """Somebody is away for a time, and somebody stands in.

    - From the first moment to the last, what is due goes to the substitute, and what would be
      assigned to who is away goes there at once. When the absence is over, cut short or cancelled,
      what is still open comes back (`crm_absence_job.py`). Deals, orders and clients keep their
      responsible; the substitute sees and changes them meanwhile.
    - A substitute who is away too is represented by his own. A circle of substitutes is refused
      when it is entered; where one comes about all the same, nothing is moved.
    - Absences are entered by hand, or follow the time off in the working schedules and in Odoo's
      time off (`crm_absence_leave.py`). Those take the standing substitute of the user; whoever is
      responsible for the user is asked for one if there is none.
    - An absence holds for one company: the substitute works there, and sees its clients.
    - Everybody enters his own absence and names a substitute; heads do so for their team, sales
      administrators for all.
    """

    _name = "crm.absence"
    _description = "Absence"
    _inherit = ["mail.thread", "mail.activity.mixin"]
    _order = "date_from desc, id desc"
    _check_company_auto = True

    user_id = fields.Many2one(
        "res.users",
        string="Who Is Away",
        required=True,
        index=True,
        default=lambda self: self.env.user,
        domain=[("share", "=", False)],
        tracking=True,
        ondelete="cascade",
    )
    substitute_id = fields.Many2one(
        "res.users",
        string="Substitute",
        compute="_compute_substitute_id",
        store=True,
        readonly=False,
        precompute=True,
        index="btree_not_null",
        domain="[('share', '=', False), ('id', '!=', user_id), ('company_ids', 'in', company_id)]",
        tracking=True,
        help="Who gets what is due in the meantime.",
    )
    company_id = fields.Many2one(
        "res.company",
        string="Company",
        required=True,
        index=True,
        default=lambda self: self.env.company,
    )
    date_from = fields.Datetime(
        string="Away From", required=True, default=lambda self: self._default_day(0), tracking=True
    )
    date_to = fields.Datetime(
        string="Back On",
        required=True,
        index=True,
        default=lambda self: self._default_day(1),
        tracking=True,
        help="From this moment on work stays with, or comes back to, who was away.",
    )
    period = fields.Char(
        compute="_compute_period",
        string="By the Clock of Who Is Away",
        help="The same period in the time zone of who is away.",
    )
    reason = fields.Selection(
        [
            ("vacation", "Vacation"),
            ("sick", "Sick Leave"),
            ("trip", "Business Trip"),
            ("training", "Training"),
            ("other", "Other"),
        ],
        required=True,
        default="vacation",
        groups="crm_extended.crm_interactions_group_user",
    )
    note = fields.Text(help="What the substitute should know.")
    source = fields.Selection(
        [("manual", "Entered by Hand"), ("calendar", "Working Schedule"), ("leave", "Time Off")],
        required=True,
        readonly=True,
        default="manual",
        copy=False,
    )
    leave_id = fields.Many2one(
        "resource.calendar.leaves", readonly=True, copy=False, ondelete="set null"
    )
    is_cancelled = fields.Boolean("Cancelled", readonly=True, copy=False)
    is_cut_short = fields.Boolean(
        readonly=True, copy=False, help="Came back early: changes of the time off do not count."
    )
    is_announced = fields.Boolean(readonly=True, copy=False)
    is_over_told = fields.Boolean(readonly=True, copy=False)
    state = fields.Selection(
        [("planned", "Planned"), ("away", "Away"), ("over", "Over"), ("cancelled", "Cancelled")],
        string="Status",
        compute="_compute_state",
        search="_search_state",
    )
    acting_user_id = fields.Many2one(
        "res.users",
        string="Covered By",
        compute="_compute_acting_user_id",
        help="Who has the work now: the substitute, or the substitute's substitute.",
    )
    transfer_ids = fields.One2many("crm.absence.transfer", "absence_id", string="Handed Over")
    open_count = fields.Integer("With the Substitute", compute="_compute_transfer_counts")
    transfer_count = fields.Integer("Handed Over in All", compute="_compute_transfer_counts")

    _dates_ordered = models.Constraint(
        "CHECK (date_from < date_to)", "Who is away must come back after having left."
    )
    _leave_uniq = models.UniqueIndex("(leave_id) WHERE leave_id IS NOT NULL")
    _current_idx = models.Index("(date_to, date_from) WHERE is_cancelled IS NOT TRUE")

    @api.model
    def _default_day(self, days):
        """Midnight, by the clock of the user, of today or so many days later (naive, UTC)."""
        zone = pytz.timezone(self.env.user.tz or "UTC")
        today = pytz.utc.localize(fields.Datetime.now()).astimezone(zone).date()
        moment = zone.localize(datetime.combine(today + timedelta(days=days), time.min))
        return moment.astimezone(pytz.utc).replace(tzinfo=None)

    @api.depends("user_id", "company_id")
    def _compute_substitute_id(self):
        for absence in self:
            # sudo: the standing substitute is a preference of a colleague
            standing = absence.user_id.sudo().crm_substitute_id.sudo(False)
            if not absence.substitute_id and standing._can_substitute(absence.company_id):
                absence.substitute_id = standing

    @api.depends("user_id", "substitute_id", "state")
    def _compute_display_name(self):
        for absence in self:
            names = (absence.user_id.sudo().name or "", absence.substitute_id.sudo().name or "—")
            absence.display_name = " → ".join(names)

    @api.depends("user_id", "date_from", "date_to")
    def _compute_period(self):
        for absence in self:
            zone = absence.user_id.sudo().tz or self.env.user.tz or "UTC"
            moments = [
                format_datetime(self.env, moment, tz=zone, dt_format="short") if moment else ""
                for moment in (absence.date_from, absence.date_to)
            ]
            absence.period = f"{' — '.join(moments)} ({zone})"

    @api.depends("date_from", "date_to", "is_cancelled")
    def _compute_state(self):
        now = fields.Datetime.now()
        for absence in self:
            if absence.is_cancelled:
                absence.state = "cancelled"
            elif not absence.date_from or absence.date_from > now:
                absence.state = "planned"
            else:
                absence.state = "away" if absence.date_to > now else "over"

    def _search_state(self, operator, value):
        if operator != "in":
            return NotImplemented
        now = fields.Datetime.now()
        valid = Domain("is_cancelled", "=", False)
        domains = {
            "cancelled": Domain("is_cancelled", "=", True),
            "planned": valid & Domain("date_from", ">", now),
            "away": valid & Domain("date_from", "<=", now) & Domain("date_to", ">", now),
            "over": valid & Domain("date_to", "<=", now),
        }
        return Domain.OR(domains[state] for state in value if state in domains)

    def _compute_acting_user_id(self):
        cover = self._get_cover()
        for absence in self:
            found = cover.get((absence.company_id.id, absence.user_id.id))
            holder = absence.state == "away" and found and found.holder
            absence.acting_user_id = holder or False

    @api.depends("transfer_ids.state")
    def _compute_transfer_counts(self):
        counts = {
            (absence, state): count
            for absence, state, count in self.env["crm.absence.transfer"]._read_group(
                [("absence_id", "in", self.ids)], ["absence_id", "state"], ["__count"]
            )
        }
        for absence in self:
            absence.open_count = counts.get((absence, "open"), 0)
            absence.transfer_count = sum(
                count for (owner, _state), count in counts.items() if owner == absence
            )

    # ------------------------------------------------------------
    # CHECKS
    # ------------------------------------------------------------

    @api.constrains("user_id", "substitute_id", "company_id")
    def _check_substitute(self):
        for absence in self:
            user_sudo, substitute = absence.user_id.sudo(), absence.substitute_id
            if absence.company_id not in user_sudo.company_ids:
                raise ValidationError(
                    self.env._(
                        "“Company”: %(user)s does not work for %(company)s.",
                        user=user_sudo.name,
                        company=absence.company_id.sudo().name,
                    )
                )
            if substitute == absence.user_id:
                raise ValidationError(
                    self.env._("“Substitute”: nobody can stand in for himself. Choose a colleague.")
                )
            if substitute and not substitute._can_substitute(absence.company_id):
                raise ValidationError(
                    self.env._(
                        "“Substitute”: %(user)s has no access to the CRM of %(company)s. Choose a "
                        "colleague who has.",
                        user=substitute.sudo().name,
                        company=absence.company_id.sudo().name,
                    )
                )

    @api.constrains("user_id", "company_id", "date_from", "date_to")
    def _check_entered_twice(self):
        """Nobody is away twice at a time; time off may come on top of what was entered by hand."""
        now = fields.Datetime.now()
        for absence in self.filtered(lambda row: row.source == "manual" and row.date_to > now):
            # sudo: also what a colleague has entered for him
            other_sudo = self.sudo().search(
                [
                    ("id", "!=", absence.id),
                    ("user_id", "=", absence.user_id.id),
                    ("company_id", "=", absence.company_id.id),
                    ("source", "=", "manual"),
                    ("is_cancelled", "=", False),
                    ("date_from", "<", absence.date_to),
                    ("date_to", ">", max(absence.date_from, now)),
                ],
                limit=1,
            )
            if other_sudo and not absence.is_cancelled:
                raise ValidationError(
                    self.env._(
                        "“Away From”: %(user)s is away in that time already: %(period)s. Change "
                        "that absence instead.",
                        user=absence.user_id.sudo().name,
                        period=other_sudo.period,
                    )
                )

    @api.constrains("user_id", "substitute_id", "company_id", "date_from", "date_to")
    def _check_circle(self):
        for absence in self:
            found = absence._find_circle()
            if found:
                path, start, stop = found
                # sudo: names of colleagues
                names = self.env["res.users"].sudo().browse(path).mapped("name")
                # mapped() folds repetitions: the first closes the circle
                raise ValidationError(
                    self.env._(
                        "“Substitute”: %(chain)s is a circle. Between %(start)s and %(stop)s "
                        "nobody of them would be there; choose somebody else.",
                        chain=" → ".join([*names, names[0]] if len(names) < len(path) else names),
                        start=format_datetime(self.env, start, dt_format="short"),
                        stop=format_datetime(self.env, stop, dt_format="short"),
                    )
                )

    def _find_circle(self):
        """The circle of substitutes that this absence closes; see `find_circle`."""
        self.ensure_one()
        if self.is_cancelled or self.substitute_id in (self.user_id, self.substitute_id.browse()):
            return None
        self.flush_model()
        # sudo: the chain may go through colleagues whose absences one does not see
        others_sudo = self.sudo().search(
            [
                ("id", "!=", self.id),
                ("company_id", "=", self.company_id.id),
                ("is_cancelled", "=", False),
                ("date_from", "<", self.date_to),
                ("date_to", ">", self.date_from),
            ]
        )
        return find_circle(self._get_link(), [other._get_link() for other in others_sudo])

    def _get_link(self):
        return self.user_id.id, self.substitute_id.id or None, self.date_from, self.date_to

    @api.model
    def _get_controlled_fields(self):
        """Fields that only business methods write."""
        return {
            "source",
            "leave_id",
            "is_cancelled",
            "is_cut_short",
            "is_announced",
            "is_over_told",
            "transfer_ids",
        }

    def _check_controlled_fields(self, vals):
        if self.env.su:
            return
        if self._get_controlled_fields() & vals.keys():
            raise AccessError(
                self.env._("The history of an absence is written by the system only.")
            )
        if LEAVE_FIELDS & vals.keys() and self.filtered(lambda row: row.source != "manual"):
            raise UserError(
                self.env._(
                    "Person and period of this absence are those of the time off: change them "
                    "there."
                )
            )
        if self.filtered("is_cancelled"):
            raise UserError(self.env._("This absence is cancelled. Enter a new one."))

    # ------------------------------------------------------------
    # CRUD
    # ------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        if not self.env.su:
            controlled = self._get_controlled_fields()
            # `default_...` of a client must not say what the system says
            context = {
                key: value
                for key, value in self.env.context.items()
                if key.removeprefix("default_") not in controlled
            }
            self = self.with_context(context)  # noqa: PLW0642
            for vals in vals_list:
                self.browse()._check_controlled_fields(vals)
        absences = super().create(vals_list)
        absences._exclude_each_other()
        absences._apply()
        return absences

    def write(self, vals):
        self._check_controlled_fields(vals)
        res = super().write(vals)
        if not {"user_id", "company_id"}.isdisjoint(vals):
            # Odoo has asked before: nobody makes his own absence that of somebody else
            self.check_access("write")
        if not {"user_id", "substitute_id", "company_id", "date_from", "date_to", "is_cancelled"} \
                .isdisjoint(vals):  # fmt: skip
            self._exclude_each_other()
            self._apply()
        return res

    def _exclude_each_other(self):
        """Let absences of a company be entered one after the other.

        Two that are entered at the same moment do not see each other, and could make a circle. So
        each touches the same row: the second one waits, and is repeated by Odoo after the first,
        which it then sees.
        """
        self.env.execute_query(
            SQL(
                "UPDATE res_company SET write_date = write_date WHERE id IN %s RETURNING id",
                tuple(sorted(self.company_id.ids)) or (0,),
            )
        )

    @api.ondelete(at_uninstall=False)
    def _unlink_except_used(self):
        # sudo: whether there are any
        if self.sudo().transfer_ids:
            raise UserError(
                self.env._(
                    "Work was handed over in this absence: cancel it instead of deleting it."
                )
            )

    def unlink(self):
        res = super().unlink()
        self.env.registry.clear_cache()
        return res

    # ------------------------------------------------------------
    # ACTIONS
    # ------------------------------------------------------------

    def action_cancel(self):
        """Take the absence back; what is still open comes back at once."""
        self.check_access("write")
        # sudo: written by the system only; whether the user may is checked above
        self.sudo().filtered(lambda row: not row.is_cancelled).write({"is_cancelled": True})
        return True

    def action_back(self):
        """Who was away is back early: from now on work stays with him."""
        self.check_access("write")
        now = fields.Datetime.now()
        for absence in self:
            if absence.state != "away":
                raise UserError(
                    self.env._("%(user)s is not away.", user=absence.user_id.sudo().name)
                )
        # sudo: as above
        self.sudo().write({"date_to": now, "is_cut_short": True})
        return True

    def action_open_transfers(self):
        """What was handed over in this absence."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Handed Over"),
            "res_model": "crm.absence.transfer",
            "views": [(False, "list")],
            "domain": [("absence_id", "=", self.id)],
        }
