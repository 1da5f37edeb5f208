from datetime import timedelta

import pytz
from odoo import fields, models
from odoo.fields import Command, Domain

from ..tools.telephony_event import summarize
from ..tools.time_zone import find_time_zone

# a call planned for later than that is not the one that is being made
ATTEMPT_AHEAD = timedelta(hours=12)


class CrmTelephonyCall(models.Model):
    """The interaction of a call.

    A call becomes one interaction as soon as its direction and the client's number are known:

    * an incoming call is new (unhandled) until somebody answers it; answered, it is done and
      belongs to who answered. Missed, it stays new, belongs to the salesperson of the deal or
      client, else to the operator whose line rang, and a call back is planned inside the
      client's calling window;
    * an outgoing call takes the place of the call that was planned with this client for now
      (at most 12 hours ahead), else it is a new one. Answered, it is done when it ends. Not
      answered, it stays pending, because what follows depends on the outcome that the operator
      chooses (no answer, busy, wrong number).

    Talking to the client, whoever called, ends what was planned because he could not be
    reached: retries of the ladder, earlier missed calls and their call backs.

    What people have changed on the interaction since is kept: only what the events say anew is
    written.
    """

    _inherit = "crm.telephony.call"

    def _get_interaction_uid(self):
        """Value of `call_uid`: calls of two providers may have the same number."""
        self.ensure_one()
        return f"{self.provider_id.id}:{self.uid}"

    def _update_interaction(self, old, new):
        """Record this call as an interaction, or bring its interaction up to date.

        :param old, new: CallSummary before and after the event
        """
        self.ensure_one()
        interaction = self.interaction_id or self._find_interaction()
        if not interaction:
            interaction = self._adopt_attempt(new) or self._create_interaction(new)
            old = summarize({})
        self.interaction_id = interaction
        values = self._prepare_interaction_changes(interaction, old, new)
        if values:
            # in the name of who talked, as far as that is known: he finishes the activity
            actor = self.user_id or self.env.user
            interaction._internal().with_user(actor).sudo().write(values)
        if self._is_over(new) and not self._is_over(old):
            self._finish_attempts(new)
        elif new.state == "missed" and old.state != "missed" and interaction.state == "new":
            self._plan_call_back()

    def _find_interaction(self):
        """The interaction of a call whose facts have been cleaned away."""
        return self.env["crm.interaction"].search(
            [("call_uid", "=", self._get_interaction_uid())], limit=1
        )

    # ------------------------------------------------------------
    # VALUES
    # ------------------------------------------------------------

    def _get_responsible(self, document, partner, summary):
        """Who talked; else who is responsible for the client; else whose line rang.

        :param document: what the conversation is about, or None
        """
        provider = self.provider_id
        if summary.is_reached and summary.operator:
            talked = provider._get_users([summary.operator])
            if talked:
                return talked
        users = self.env["res.users"]
        if document and "user_id" in document._fields:
            users |= document.user_id
        users |= partner.user_id | partner.commercial_partner_id.user_id
        users |= provider._get_users(self._get_own_lines(summary))
        return users.filtered(
            lambda user: user.active and not user.share and self.company_id in user.company_ids
        )[:1]

    def _get_interaction_subject(self, summary, lang):
        """Subject of the interaction, in the language of its responsible."""
        env = self.with_context(lang=lang).env
        if summary.direction == "out":
            return env._("Outgoing call")
        if summary.state == "missed":
            return env._("Missed call")
        return env._("Incoming call")

    def _derive_interaction_values(self, document, partner, summary):
        """What a summary of the call says about its interaction."""
        user = self._get_responsible(document, partner, summary)
        is_taken = summary.direction == "in" and summary.is_reached
        return {
            "direction": summary.direction,
            "duration": round(summary.duration / 60, 1),
            "recording_url": summary.recording_url or False,
            "date_start": summary.start,
            "user_id": user.id,
            "subject": self._get_interaction_subject(
                summary, user.lang or self.company_id.partner_id.lang
            ),
            # taken: nobody had to wait, and what was missed before is answered by it
            "date_answered": is_taken and summary.start,
        }

    def _prepare_interaction_changes(self, interaction, old, new):
        """Values that the event changes.

        What the events have said before is not written again: people may have changed it.
        """
        document, partner = interaction.chain_id._get_document(), interaction.partner_id
        derived = self._derive_interaction_values(document, partner, new)
        before = self._derive_interaction_values(document, partner, old)
        values = {name: value for name, value in derived.items() if value != before[name]}
        if interaction.subject != before["subject"]:
            values.pop("subject", None)
        if interaction.outcome_id:
            # the outcome has set time and responsible
            values.pop("date_start", None)
            values.pop("user_id", None)
        elif not derived["user_id"]:
            values.pop("user_id", None)
        values = {
            name: value
            for name, value in values.items()
            if interaction._fields[name].convert_to_write(interaction[name], interaction) != value
        }
        if values.get("date_answered"):
            values["answer_hours"] = 0.0
        if interaction.state in self._get_open_states(new) and self._is_over(new):
            values["state"] = "done"
            # or else it would be the time of the event
            values.setdefault("date_start", interaction.date_start)
        elif interaction.state in ("planned", "postponed") and "date_start" in values:
            values["date_deadline"] = values["date_start"]
        return values

    def _get_open_states(self, summary):
        """States from which the call makes its interaction done."""
        return ("new",) if summary.direction == "in" else ("new", "planned", "postponed")

    def _is_over(self, summary):
        """Whether nothing remains to be done about the call."""
        return summary.is_reached if summary.direction == "in" else summary.state == "ended"

    # ------------------------------------------------------------
    # RECORDING
    # ------------------------------------------------------------

    def _create_interaction(self, summary):
        """Record the call with the client whose number it is."""
        partner = self._find_partners()[:1]
        document = self._get_call_document(partner)
        chain = self._find_chain(document)
        values = {
            **self._derive_interaction_values(document, partner, summary),
            "kind": "call",
            "state": "new",
            "call_uid": self._get_interaction_uid(),
            "company_id": self.company_id.id,
            "partner_id": partner.id or (document and document._get_interaction_partner().id),
            "participant_ids": [Command.create(self._prepare_participant_values(summary, partner))],
        }
        if chain:
            values["chain_id"] = chain.id
        elif document:
            values |= {"res_model": document._name, "res_id": document.id}
        interaction = self.env["crm.interaction"]._internal().create(values)
        if not document and not chain and self.number:
            interaction.chain_id.name = self._format_number()
        return interaction

    def _format_number(self):
        """The client's number as people read it."""
        if not self.number_sanitized:
            return self.number
        return self.env["res.partner"]._phone_format(
            number=self.number_sanitized, force_format="INTERNATIONAL"
        )

    def _prepare_participant_values(self, summary, partner):
        number = self.number_sanitized or summary.number
        name = summary.name
        if not number and not name:
            name = self.env._("Hidden number")
        return {
            "role": "from" if summary.direction == "in" else "to",
            "partner_id": partner.id,
            "phone": number,
            "name": name,
        }

    def _find_chain(self, document):
        """The conversation with a number that nobody knows goes on where it was."""
        chains = self.env["crm.interaction.chain"]
        if document or not self.number_sanitized:
            return chains
        participant = self.env["crm.interaction.participant"].search(
            [
                ("phone_sanitized", "=", self.number_sanitized),
                ("company_id", "=", self.company_id.id),
                ("partner_id", "=", False),
                ("interaction_id.chain_id.state", "=", "open"),
                ("interaction_id.chain_id.res_id", "in", (False, 0)),
            ],
            order="id desc",
            limit=1,
        )
        return participant.interaction_id.chain_id

    def _adopt_attempt(self, summary):
        """The planned call which this outgoing call is, empty if none was planned."""
        attempts = self.env["crm.interaction"]
        if summary.direction != "out":
            return attempts
        partner = self._find_partners()[:1]
        document = self._get_call_document(partner)
        chain = self._find_chain(document)
        if partner:
            client = Domain("partner_id", "child_of", partner.commercial_partner_id.id)
        elif chain:
            client = Domain("chain_id", "=", chain.id)
        elif document:
            client = Domain("res_model", "=", document._name) & Domain("res_id", "=", document.id)
        else:
            return attempts
        attempts = attempts.search(
            client
            & Domain("kind", "=", "call")
            & Domain("direction", "!=", "in")
            & Domain("state", "in", ("planned", "postponed"))
            & Domain("call_uid", "=", False)
            & Domain("company_id", "=", self.company_id.id)
            & Domain("date_deadline", "<=", summary.start + ATTEMPT_AHEAD),
            order="date_deadline, id",
        )
        own = attempts.filtered(
            lambda attempt: document
            and (attempt.res_model, attempt.res_id) == (document._name, document.id)
        )
        attempt = (own or attempts)[:1]
        if attempt:
            attempt._internal().write({"call_uid": self._get_interaction_uid()})
            if not attempt.participant_ids:
                attempt.participant_ids = [
                    Command.create(self._prepare_participant_values(summary, partner))
                ]
        return attempt

    # ------------------------------------------------------------
    # WHAT FOLLOWS
    # ------------------------------------------------------------

    def _finish_attempts(self, summary):
        """The client was talked to: he need not be called back any more."""
        interaction = self.interaction_id
        chain = interaction.chain_id
        chain._cancel_retries()
        call_backs = self.env["crm.interaction"].search(
            [
                ("chain_id", "=", chain.id),
                ("kind", "=", "call"),
                ("direction", "=", "out"),
                ("state", "in", ("planned", "postponed")),
                ("attempt_number", "=", 0),
                ("call_uid", "=", False),
                ("parent_id.kind", "=", "call"),
                ("parent_id.direction", "=", "in"),
                ("parent_id.date_start", "<=", summary.start),
            ]
        )
        # planned because the events of this call came in the wrong order: never needed
        mistaken = call_backs.filtered(
            lambda call: call.parent_id == interaction
            and call.state == "planned"
            and call.write_uid == self.env.user
        )
        mistaken._cancel_activities()
        mistaken.unlink()
        (call_backs - mistaken).write({"state": "cancelled"})

    def _plan_call_back(self):
        """Plan the call back, unless the client is called by then anyway."""
        interaction = self.interaction_id
        chain = interaction.chain_id
        moment = self._get_call_back_moment()
        planned = self.env["crm.interaction"].search(
            [
                ("chain_id", "=", chain.id),
                ("kind", "=", "call"),
                ("direction", "!=", "in"),
                ("state", "in", ("planned", "postponed")),
                "|",
                ("parent_id", "=", interaction.id),
                ("date_deadline", "<=", moment),
            ],
            limit=1,
        )
        if planned:
            return
        lang = interaction.user_id.lang or self.company_id.partner_id.lang
        self.env["crm.interaction"]._internal().create(
            {
                "kind": "call",
                "direction": "out",
                "state": "planned",
                "subject": self.with_context(lang=lang).env._("Call back"),
                "chain_id": chain.id,
                "parent_id": interaction.id,
                "partner_id": interaction.partner_id.id,
                "company_id": self.company_id.id,
                "user_id": interaction.user_id.id,
                "date_start": moment,
                "participant_ids": [
                    Command.create({"role": "to", "phone": number, "partner_id": partner.id})
                    for number, partner in [
                        (self.number_sanitized or self.number, interaction.partner_id)
                    ]
                    if number
                ],
            }
        )

    def _get_call_back_moment(self):
        """Now, or the next moment at which the client may be called by his clock."""
        now = fields.Datetime.now()
        now += timedelta(seconds=-now.second % 60)
        chain = self.interaction_id.chain_id
        window, zone = chain._get_client_window(now)
        if not chain._get_phone_owner_sudo() and self.number_sanitized:
            name, _source = find_time_zone(phone=self.number_sanitized, default=zone.zone)
            zone = pytz.timezone(name)
        try:
            return window.move_into(now, zone)
        except ValueError:
            # no open day within a year: the call must not be lost for that
            return now
