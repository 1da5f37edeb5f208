import pytz
from odoo import Command, api, fields, models
from odoo.exceptions import UserError

from ..tools.postpone import get_postponed


class CrmInteraction(models.Model):
    """What comes next: the following contact of a conversation, or the answer to this one."""

    _inherit = "crm.interaction"

    def action_plan_next(self, values=None):
        """Plan the interaction that follows these, one in each conversation.

        The last of the given interactions of a conversation is the one that it follows, and
        whose participants it takes over.

        :param dict values: kind, subject, date_start, duration, user_id, body of what is planned;
            by default a call about the same tomorrow at 9:00
        :return: the new interactions
        """
        self.check_access("read")
        values = values or {}
        unknown = values.keys() - {"kind", "subject", "date_start", "duration", "user_id", "body"}
        if unknown:
            raise UserError(
                self.env._(
                    "These fields are not part of a plan: %(fields)s.",
                    fields=", ".join(sorted(unknown)),
                )
            )
        last = [
            interactions.sorted(lambda interaction: (interaction.date_start, interaction.id))[-1]
            for interactions in self.grouped("chain_id").values()
        ]
        return self.create([interaction._prepare_next_values(values) for interaction in last])

    def _prepare_next_values(self, values):
        """Values of the interaction that follows this one."""
        self.ensure_one()
        return {
            "subject": self.subject,
            "kind": "call",
            "direction": "out",
            "state": "planned",
            "date_start": self._default_next_date(),
            "user_id": self.env.uid,
            "chain_id": self.chain_id.id,
            "company_id": self.company_id.id,
            "partner_id": self.partner_id.id,
            "parent_id": self.id,
            "participant_ids": self._prepare_next_participants(),
            **{name: value for name, value in values.items() if value},
        }

    def _prepare_next_participants(self):
        """Those who took part and are to be met again; not those who only got a copy."""
        return [
            Command.create(
                {
                    "role": "attendee",
                    "partner_id": participant.partner_id.id,
                    "name": participant.name,
                    "phone": participant.phone,
                    "email": participant.email,
                }
            )
            for participant in self.participant_ids
            if participant.role != "cc"
            # sudo: our own people are not met, they are responsible
            and (not participant.partner_id or participant.partner_id.sudo().partner_share)
        ]

    @api.model
    def _default_next_date(self):
        """Tomorrow at 9:00, by the clock of the user."""
        zone = pytz.timezone(self.env.user.tz or "UTC")
        return get_postponed("tomorrow", fields.Datetime.now(), zone)

    @api.model
    def _get_plan_action(self, context):
        """Window action of the dialog in which an interaction is planned."""
        return self._get_log_action(
            {
                **context,
                "default_state": "planned",
                "default_date_start": self._default_next_date(),
            }
        ) | {"name": self.env._("Plan Interaction")}

    def action_open_plan(self):
        """Open the dialog in which the next interaction is planned."""
        defaults = {"kind": "call"}
        if len(self) == 1:
            defaults = {"kind": self.kind, "subject": self.subject}
        return self._get_dialog_action(
            "crm.interaction.plan", self.env._("Plan Next"), size="large", **defaults
        )

    def action_reply(self):
        """Answer this interaction: open what it takes to do so.

        A message is answered in Odoo's composer, and so is an e-mail that somebody has logged,
        where the document has messages; everything else by logging the answer.
        """
        action = super().action_reply()
        if action:
            return action
        if self.kind == "email":
            document = self.chain_id._get_document()
            if document is not None and hasattr(document, "message_post"):
                return self._get_mail_action(document)
        return self._get_log_action(
            {
                "default_chain_id": self.chain_id.id,
                "default_partner_id": self.partner_id.id,
                "default_parent_id": self.id,
                "default_kind": self.kind,
                "default_direction": "none" if self.kind == "meeting" else "out",
                "default_subject": self._get_reply_subject(),
                "default_state": "done",
            }
        )

    def _get_mail_action(self, document):
        """Dialog in which an e-mail about the document is written to those who took part."""
        senders = self.participant_ids.filtered(lambda participant: participant.role == "from")
        partners = (senders or self.participant_ids).partner_id or self.partner_id
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Reply"),
            "res_model": "mail.compose.message",
            "views": [(False, "form")],
            "target": "new",
            "context": {
                "default_composition_mode": "comment",
                "default_model": document._name,
                "default_res_ids": document.ids,
                "default_partner_ids": partners.ids,
                "default_subject": self._get_reply_subject(),
            },
        }
