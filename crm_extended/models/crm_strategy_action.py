from datetime import datetime, time, timedelta

import pytz
from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError


class CrmStrategyAction(models.Model):
    """One thing that a strategy does.

    - Work is given to the responsible of the record, else of its client, else to whom the strategy
      names; to the head of that person, or to somebody in particular. Who is away is represented.
    - Activities and interactions are put on the record, or on its client where the record is not
      talked about (a payment).
    - A mail goes to the client, once, by the queue; never to an address on the blacklist, and not
      to a client without an address.
    """

    _name = "crm.strategy.action"
    _description = "Action of a Strategy"
    _order = "sequence, id"

    strategy_id = fields.Many2one("crm.strategy", required=True, index=True, ondelete="cascade")
    company_id = fields.Many2one(related="strategy_id.company_id")
    res_model = fields.Char(related="strategy_id.res_model")
    sequence = fields.Integer(default=10)
    kind = fields.Selection(
        [
            ("interaction", "Plan an interaction"),
            ("activity", "Plan an activity"),
            ("plan", "Start an activity plan"),
            ("mail", "Send a mail"),
            ("tag", "Add a tag"),
            ("segment", "Add to a segment"),
            ("hand_over", "Give to somebody"),
        ],
        required=True,
        default="interaction",
    )
    summary = fields.Char("Subject", translate=True)
    delay = fields.Integer("After (Days)", default=1)
    assign = fields.Selection(
        [("responsible", "The responsible"), ("head", "The head"), ("user", "Somebody")],
        default="responsible",
        required=True,
        string="For",
    )
    user_id = fields.Many2one("res.users", "Colleague", domain=[("share", "=", False)])
    interaction_kind = fields.Selection(
        [("call", "Call"), ("meeting", "Meeting"), ("email", "Email"), ("message", "Message")],
        default="call",
        string="Contact",
    )
    activity_type_id = fields.Many2one("mail.activity.type", "Activity")
    plan_id = fields.Many2one("mail.activity.plan", "Activity Plan")
    template_id = fields.Many2one("mail.template", "Mail")
    lead_tag_id = fields.Many2one("crm.tag", "Tag of Deals")
    category_id = fields.Many2one("res.partner.category", "Tag of Clients")
    segment_id = fields.Many2one("crm.segment", domain=[("kind", "=", "static")])

    @api.depends("kind", "summary", "plan_id", "template_id", "segment_id", "user_id")
    def _compute_display_name(self):
        kinds = dict(self._fields["kind"]._description_selection(self.env))
        for action in self:
            parts = [kinds.get(action.kind), action._get_detail()]
            action.display_name = ": ".join(filter(None, parts))

    def _get_detail(self):
        """What the action is about, besides its kind."""
        self.ensure_one()
        # sudo: names of what may be out of reach for whoever looks at the strategy
        action_sudo = self.sudo()
        return {
            "plan": action_sudo.plan_id.name,
            "mail": action_sudo.template_id.name,
            "segment": action_sudo.segment_id.name,
            "tag": action_sudo.lead_tag_id.name or action_sudo.category_id.name,
            "hand_over": action_sudo.user_id.name,
        }.get(self.kind, self.summary)

    @api.constrains(
        "kind", "plan_id", "template_id", "segment_id", "lead_tag_id", "category_id", "user_id",
        "assign",
    )  # fmt: skip
    def _check_complete(self):
        for action in self:
            missing = action._get_missing_field()
            if missing:
                raise ValidationError(
                    self.env._(
                        "“%(field)s” is missing in “%(action)s” of “%(strategy)s”.",
                        field=self._fields[missing]._description_string(self.env),
                        action=action.display_name,
                        strategy=action.strategy_id.name,
                    )
                )
            wanted = action.plan_id.res_model or action.template_id.sudo().model
            if wanted and wanted not in (action.res_model, "res.partner"):
                raise ValidationError(
                    self.env._(
                        "“%(action)s” is made for other records than “%(strategy)s” is about.",
                        action=action.display_name,
                        strategy=action.strategy_id.name,
                    )
                )

    def _get_missing_field(self):
        """Name of a field without which this action cannot be carried out, or None."""
        self.ensure_one()
        is_deal = self.res_model == "crm.lead"
        needed = {
            "plan": "plan_id",
            "mail": "template_id",
            "segment": "segment_id",
            "hand_over": "user_id",
            "tag": "lead_tag_id" if is_deal else "category_id",
        }.get(self.kind)
        if not needed and self.assign == "user":
            needed = "user_id"
        return needed if needed and not self[needed] else None

    @api.model_create_multi
    def create(self, vals_list):
        actions = super().create(vals_list)
        actions.strategy_id._check_companies()
        return actions

    def write(self, vals):
        self.strategy_id._check_companies()
        res = super().write(vals)
        if "strategy_id" in vals:
            self.strategy_id._check_companies()
        return res

    # ------------------------------------------------------------
    # WHOM IT CONCERNS
    # ------------------------------------------------------------

    @api.model
    def _get_client(self, record):
        """The client of a record; empty if there is none."""
        if record._name == "res.partner":
            return record
        if "partner_id" in record._fields:
            return record.partner_id
        return self.env["res.partner"]

    @api.model
    def _get_document(self, record):
        """What activities and interactions are put on."""
        documents = self.env["crm.interaction.chain"]._get_document_models()
        return record if record._name in documents else self._get_client(record)

    @api.model
    def _get_company(self, record):
        company = record.company_id if "company_id" in record._fields else False
        return company or self.strategy_id.company_id or self.strategy_id.user_id.company_id

    def _get_user(self, record):
        """Who gets the work."""
        client = self._get_client(record)
        users = record.user_id if "user_id" in record._fields else self.env["res.users"]
        users |= client.user_id | client.commercial_partner_id.user_id
        company = self._get_company(record)
        usable = users.filtered(
            lambda user: user.active and not user.share and company in user.company_ids
        )
        user = usable[:1] or self.strategy_id.user_id
        if self.assign == "user":
            user = self.user_id
        elif self.assign == "head":
            user = user._get_heads().get(user, user).sudo()
        return user._get_available_user(company=company)

    def _get_refusal(self, record):
        """Why this action is not carried out for a record, in words; None if it is."""
        self.ensure_one()
        client = self._get_client(record)
        if self.kind == "mail":
            return self._get_mail_refusal(record, client)
        if self.kind in ("segment", "tag") and not client and record._name != "crm.lead":
            return self.env._("there is no client")
        if self.kind in ("interaction", "activity", "plan") and not self._get_document(record):
            return self.env._("there is no client")
        return None

    def _get_mail_refusal(self, record, client):
        """Why the client is not written to: no address, or he does not want it."""
        email = client.email_normalized
        if not email:
            return self.env._("the client has no e-mail address")
        # sudo: the blacklist is kept by marketing
        blacklisted = self.env["mail.blacklist"].sudo().search_count([("email", "=", email)])
        if blacklisted or not self._has_mail_consent(client):
            return self.env._("the client does not want mail")
        return None

    def _has_mail_consent(self, client):
        """Whether a client agrees to be written to; add-ons that keep consents know more."""
        return True

    # ------------------------------------------------------------
    # DOING IT
    # ------------------------------------------------------------

    def _perform(self, record, now):
        """Carry this action out for one record.

        :return: what was done, or why not, in words
        """
        self.ensure_one()
        refusal = self._get_refusal(record)
        if refusal:
            return self.env._(
                "%(action)s: not, %(reason)s", action=self.display_name, reason=refusal
            )
        getattr(self, f"_perform_{self.kind}")(record, now)
        return self.display_name

    def _get_subject(self, user):
        """What the work is called, in the language of who gets it."""
        action = self.with_context(lang=user.lang)
        return action.summary or action.strategy_id.name

    def _perform_interaction(self, record, now):
        document, user = self._get_document(record), self._get_user(record)
        self.env["crm.interaction"].create(
            {
                "kind": self.interaction_kind or "call",
                "direction": "none" if self.interaction_kind == "meeting" else "out",
                "state": "planned",
                "subject": self._get_subject(user),
                "date_start": self._get_moment(user, now),
                "user_id": user.id,
                "res_model": document._name,
                "res_id": document.id,
                "partner_id": self._get_client(record).id,
                "company_id": self._get_company(record).id,
            }
        )

    def _get_moment(self, user, now):
        """Nine o'clock so many days ahead, by the clock of who gets the work (naive, UTC)."""
        zone = pytz.timezone(user.tz or "UTC")
        day = pytz.utc.localize(now).astimezone(zone).date() + timedelta(days=self.delay)
        moment = zone.localize(datetime.combine(day, time(9))).astimezone(pytz.utc)
        return max(moment.replace(tzinfo=None), now)

    def _get_day(self, user, now):
        zone = pytz.timezone(user.tz or "UTC")
        return pytz.utc.localize(now).astimezone(zone).date() + timedelta(days=self.delay)

    def _perform_activity(self, record, now):
        user = self._get_user(record)
        document = self._get_document(record)
        document.with_context(mail_activity_quick_update=True).activity_schedule(
            activity_type_id=(
                self.activity_type_id or self.env.ref("mail.mail_activity_data_todo")
            ).id,
            summary=self._get_subject(user),
            date_deadline=self._get_day(user, now),
            user_id=user.id,
        )

    def _perform_plan(self, record, now):
        document = record if self.plan_id.res_model == record._name else self._get_client(record)
        user = self._get_user(record)
        for template in self.plan_id.template_ids:
            found = template._determine_responsible(user, document)
            if found["error"]:
                raise UserError(found["error"])
            document.with_context(mail_activity_quick_update=True).activity_schedule(
                activity_type_id=template.activity_type_id.id,
                summary=template.summary,
                note=template.note,
                user_id=found["responsible"].id,
                date_deadline=template._get_date_deadline(),
            )

    def _perform_mail(self, record, now):
        target = record if self.template_id.model == record._name else self._get_client(record)
        client = self._get_client(record)
        self.template_id.send_mail(
            target.id,
            email_values={
                "recipient_ids": [fields.Command.set(client.ids)],
                "email_to": False,
                "email_cc": False,
            },
        )

    def _perform_tag(self, record, now):
        if record._name == "crm.lead":
            record.tag_ids = [fields.Command.link(self.lead_tag_id.id)]
        else:
            self._get_client(record).category_id = [fields.Command.link(self.category_id.id)]

    def _perform_segment(self, record, now):
        client = self._get_client(record).commercial_partner_id
        known = self.env["crm.segment.member"].search_count(
            [
                ("segment_id", "=", self.segment_id.id),
                ("partner_id", "=", client.id),
                ("date_exit", "=", False),
            ]
        )
        if not known:
            self.env["crm.segment.member"].create(
                {"segment_id": self.segment_id.id, "partner_id": client.id}
            )

    def _perform_hand_over(self, record, now):
        document = record if "user_id" in record._fields else self._get_client(record)
        company = self._get_company(record)
        user = self.user_id._get_available_user(company=company)
        if company not in user.company_ids:
            raise UserError(
                self.env._(
                    "%(user)s does not work for %(company)s.",
                    user=user.name,
                    company=company.name,
                )
            )
        document.user_id = user
