from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import clean_context

# marks calls of this module's own code: no client can send an object
INTERNAL = object()

# the result of an attempt and the source of a row are recorded by business methods only
CONTROLLED_FIELDS = frozenset(
    {
        "outcome_id",
        "attempt_number",
        "activity_id",
        "mail_message_id",
        "calendar_event_id",
        "attendee_answer",
        "call_uid",
        "date_answered",
        "answer_id",
        "answer_hours",
        "chain_user_id",
        "recording_url",
    }
)
# they follow the chain, and say who reads the message
DOCUMENT_FIELDS = frozenset({"res_model", "res_id"})
PENDING_STATES = ("new", "planned", "postponed")


class CrmInteraction(models.Model):
    """One contact with somebody: a call, a meeting, an e-mail, a message.

    An interaction either arrived and waits for somebody (new), is planned or postponed, or is
    over (done, cancelled). State changes follow `_get_transitions`, whoever makes them. What
    is done stays done: a wrong entry is corrected by an administrator, a missed call by the
    next attempt.

    Every interaction belongs to a chain, the subject of the conversation. Whoever enters an
    interaction may name the chain or the document (`res_model` and `res_id`, which the chain
    gives back afterwards); otherwise it joins the chain of the client, or starts its own.

    A planned interaction about a document has an activity there (`activity_id`), so that it
    is seen in everybody's usual to-do lists. Finishing either one finishes the other.

    The outcome of a call (`crm.interaction.outcome`) is recorded by `action_record_outcome`
    only, because the next attempt and the fate of the deal hang on it.
    """

    _name = "crm.interaction"
    _description = "Interaction"
    _order = "date_start desc, id desc"
    _rec_name = "subject"
    _check_company_auto = True

    # what
    subject = fields.Char(required=True, default=lambda self: self._default_subject())
    kind = fields.Selection(
        [
            ("call", "Call"),
            ("meeting", "Meeting"),
            ("email", "Email"),
            ("message", "Message"),
            ("other", "Other"),
        ],
        required=True,
        default="call",
    )
    direction = fields.Selection(
        [("in", "Incoming"), ("out", "Outgoing"), ("none", "Neither")],
        required=True,
        default="out",
    )
    state = fields.Selection(
        [
            ("new", "New"),
            ("planned", "Planned"),
            ("postponed", "Postponed"),
            ("done", "Done"),
            ("cancelled", "Cancelled"),
        ],
        string="Status",
        required=True,
        default="done",
        group_expand=True,
        copy=False,
        help="New: arrived and not yet handled. Planned, postponed: still to come.",
    )
    body = fields.Html(string="Notes", groups="crm_extended.crm_interactions_group_user")

    # when
    date_start = fields.Datetime(
        string="Date", required=True, default=fields.Datetime.now, index=True, copy=False
    )
    duration = fields.Float(string="Duration (minutes)", digits=(10, 1), copy=False)
    date_end = fields.Datetime(
        string="End",
        compute="_compute_date_end",
        inverse="_inverse_date_end",
        store=True,
        precompute=True,
        copy=False,
    )
    date_deadline = fields.Datetime(
        string="Due",
        compute="_compute_date_deadline",
        store=True,
        precompute=True,
        readonly=False,
        copy=False,
        help="When somebody has to see to it: the planned time, or the time until which it is "
        "postponed.",
    )
    is_overdue = fields.Boolean(compute="_compute_is_overdue", search="_search_is_overdue")

    # who
    user_id = fields.Many2one(
        "res.users",
        string="Responsible",
        default=lambda self: self.env.user,
        index=True,
        domain=[("share", "=", False)],
    )
    partner_id = fields.Many2one("res.partner", string="Client", index=True, check_company=True)
    participant_ids = fields.One2many(
        "crm.interaction.participant",
        "interaction_id",
        string="Participants",
        groups="crm_extended.crm_interactions_group_user",
    )
    company_id = fields.Many2one(
        "res.company",
        string="Company",
        required=True,
        default=lambda self: self.env.company,
        index=True,
    )

    # about what
    chain_id = fields.Many2one(
        "crm.interaction.chain",
        string="Conversation",
        required=True,
        index=True,
        ondelete="cascade",
        check_company=True,
        help="What it belongs to. Left empty: the conversation about the document or client.",
    )
    res_model = fields.Char(
        string="Document Model", compute="_compute_document", store=True, precompute=True
    )
    res_id = fields.Many2oneReference(
        string="Document ID",
        model_field="res_model",
        compute="_compute_document",
        store=True,
        precompute=True,
    )
    res_name = fields.Char(string="Document", related="chain_id.res_name")
    parent_id = fields.Many2one(
        "crm.interaction",
        string="Follows",
        index="btree_not_null",
        check_company=True,
        domain="[('chain_id', '=', chain_id)]",
        help="The interaction which this one answers or continues.",
    )
    child_ids = fields.One2many("crm.interaction", "parent_id", string="Followed By")

    # result
    outcome_id = fields.Many2one(
        "crm.interaction.outcome",
        string="Outcome",
        index="btree_not_null",
        ondelete="restrict",
        check_company=True,
        readonly=True,
        copy=False,
    )
    attempt_number = fields.Integer(
        string="Attempt",
        readonly=True,
        copy=False,
        help="Which attempt this is to reach the client since the last contact.",
    )
    result_note = fields.Text(
        string="Result", copy=False, groups="crm_extended.crm_interactions_group_user"
    )
    outcome_buttons = fields.Json(compute="_compute_outcome_buttons")

    # sources: nothing is recorded twice
    mail_message_id = fields.Many2one(
        "mail.message", string="Message", ondelete="set null", readonly=True, copy=False
    )
    calendar_event_id = fields.Many2one(
        "calendar.event", string="Meeting", ondelete="set null", readonly=True, copy=False
    )
    activity_id = fields.Many2one(
        "mail.activity", string="Activity", ondelete="set null", readonly=True, copy=False
    )
    call_uid = fields.Char(string="Call ID", readonly=True, copy=False)

    _document_idx = models.Index("(res_model, res_id)")
    _pending_idx = models.Index(
        "(user_id, date_deadline, state) WHERE state IN ('new', 'planned', 'postponed')"
    )
    _mail_message_uniq = models.UniqueIndex(
        "(mail_message_id) WHERE mail_message_id IS NOT NULL",
        "This message is already recorded as an interaction.",
    )
    _calendar_event_uniq = models.UniqueIndex(
        "(calendar_event_id) WHERE calendar_event_id IS NOT NULL",
        "This meeting is already recorded as an interaction.",
    )
    _activity_uniq = models.UniqueIndex(
        "(activity_id) WHERE activity_id IS NOT NULL",
        "This activity already belongs to an interaction.",
    )
    _call_uid_uniq = models.UniqueIndex(
        "(call_uid) WHERE call_uid IS NOT NULL",
        "This call is already recorded as an interaction.",
    )
    _check_duration = models.Constraint(
        "CHECK (duration >= 0)", "The duration of an interaction cannot be negative."
    )

    @api.model
    def _default_subject(self):
        return self._get_default_subject(self.env.context.get("default_kind") or "call")

    @api.model
    def _get_default_subject(self, kind):
        """What an interaction is called until somebody says what it is about, or False."""
        if kind == "other":
            return False
        return dict(self._fields["kind"]._description_selection(self.env)).get(kind, False)

    @api.onchange("kind")
    def _onchange_kind(self):
        """A subject and a direction that nobody has chosen follow the kind."""
        kinds = ("call", "meeting", "email", "message")
        if not self.subject or self.subject in map(self._get_default_subject, kinds):
            self.subject = self._get_default_subject(self.kind)
        if self.kind == "meeting" and self.direction == "out":
            self.direction = "none"
        elif self.kind != "meeting" and self.direction == "none":
            self.direction = "out"

    @api.depends("chain_id.res_model", "chain_id.res_id")
    def _compute_document(self):
        for interaction in self:
            # sudo: the chain may be one that only its responsible sees
            chain_sudo = interaction.chain_id.sudo()
            interaction.res_model = chain_sudo.res_model
            interaction.res_id = chain_sudo.res_id

    # ------------------------------------------------------------
    # CRUD
    # ------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        if not vals_list:
            return self.browse()
        # read the defaults of the context here, then drop them: they would leak into the
        # chains, activities and messages created below
        defaults = self.default_get(list(self._fields))
        self._check_controlled_fields(defaults)
        for vals in vals_list:
            self._check_controlled_fields(vals)
        vals_list = [{**defaults, **vals} for vals in vals_list]
        self = self.with_context(clean_context(self.env.context))  # noqa: PLW0642
        self._check_parent_access({vals.get("parent_id") for vals in vals_list})
        self._resolve_chains(vals_list)
        interactions = super().create(vals_list)
        if any(vals.get("attachment_ids") for vals in vals_list):
            interactions._own_attachments()
        interactions._plan_activities()
        return interactions

    def write(self, vals):
        self._check_controlled_fields(vals)
        if vals.get("chain_id"):
            self._check_chain_access(self.env["crm.interaction.chain"].browse(vals["chain_id"]))
        self._check_parent_access({vals.get("parent_id")})
        if "state" not in vals:
            res = super().write(vals)
            if vals.get("attachment_ids"):
                self._own_attachments()
            if not {"date_start", "date_deadline", "user_id"}.isdisjoint(vals):
                self._update_activities()
            return res
        changed = self.filtered(lambda interaction: interaction.state != vals["state"])
        changed._check_transition(vals["state"])
        # the time of a planned contact that took place is the time when it took place; what
        # came in keeps the time at which it came in
        happened = changed.filtered(
            lambda interaction: vals["state"] == "done"
            and interaction.state in ("planned", "postponed")
            and "date_start" not in vals
            and interaction._takes_place_when_done()
        )
        res = super().write(vals)
        if vals.get("attachment_ids"):
            self._own_attachments()
        if happened:
            super(CrmInteraction, happened).write({"date_start": fields.Datetime.now()})
        if vals["state"] == "done":
            changed._finish_activities()
        elif vals["state"] == "cancelled":
            changed._cancel_activities()
        else:
            self._plan_activities()
            self._update_activities()
        return res

    def _takes_place_when_done(self):
        """Whether this planned contact took place at the time when it is marked as done."""
        self.ensure_one()
        return self.direction != "in"

    def _is_over_with_document(self):
        """Whether this contact is no longer needed when its document is deleted."""
        self.ensure_one()
        return self.state in ("planned", "postponed")

    def _check_controlled_fields(self, vals):
        """Refuse values that only business methods may write."""
        controlled = self._get_controlled_fields()
        names = controlled.intersection(name for name, value in vals.items() if value)
        names |= (controlled | DOCUMENT_FIELDS).intersection(vals) if self else set()
        if names and not self.env.su and self.env.context.get("crm_internal") is not INTERNAL:
            raise AccessError(
                self.env._(
                    "These fields are filled by the system only: %(fields)s.",
                    fields=", ".join(
                        sorted(self._fields[name]._description_string(self.env) for name in names)
                    ),
                )
            )

    @api.model
    def _get_controlled_fields(self):
        """Names of the fields that only business methods may write."""
        return CONTROLLED_FIELDS

    def _internal(self):
        """These records, allowed to write the controlled fields."""
        return self.with_context(crm_internal=INTERNAL)

    @api.model
    def _get_transitions(self):
        """Map each state to the states reachable from it; other add-ons extend it."""
        return {
            "new": {"planned", "postponed", "done", "cancelled"},
            "planned": {"postponed", "done", "cancelled"},
            "postponed": {"planned", "done", "cancelled"},
            "done": set(),
            "cancelled": {"planned"},
        }

    def _check_transition(self, state):
        transitions = self._get_transitions()
        labels = dict(self._fields["state"]._description_selection(self.env))
        for interaction in self:
            if state not in transitions[interaction.state]:
                raise UserError(
                    self.env._(
                        "“%(subject)s” cannot go from %(old)s to %(new)s.",
                        subject=interaction.subject,
                        old=labels[interaction.state],
                        new=labels.get(state, state),
                    )
                )
