import logging

from odoo import Command, api, fields, models
from odoo.exceptions import ConcurrencyError
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY
from odoo.tools import clean_context

from .crm_interaction import INTERNAL
from .mail_thread import IncomingMail

_logger = logging.getLogger(__name__)


class CrmInteraction(models.Model):
    """E-mails, comments and SMS on a document become interactions of its chain.

    What comes in is what somebody outside has written: a mail through the gateway, from a known
    sender or not, or a comment in the portal. It arrives as new, for the responsible of the
    document. What goes out is what one of our people has written and what reaches somebody
    outside: a comment or an answer by mail with a client among its recipients, an SMS. It is
    done at once, by its author.

    Not recorded are internal notes, notifications and tracking, what actions, scheduled jobs and
    mailings send, automatic answers of either side, bounces (the gateway stops them), and
    everything on documents without `crm.interaction.mixin`. Messages that are older than this
    module stay what they are.

    A message is recorded once; body and attachments stay with it. What becomes of it afterwards
    is seen to by `mail.message` (moved, deleted) and `mail.notification` (not delivered).

    A mail that came in is never lost because it could not be recorded: the failure is logged,
    and a clash with another transaction is tried again when the mail is safe.
    """

    _inherit = "crm.interaction"

    @api.model
    def _get_message_kinds(self):
        """Map the type of a message to the kinds of interaction it becomes when it comes in and
        when it goes out. Other types are not recorded; other channels extend it."""
        return {
            "email": ("email", "email"),
            "comment": ("message", "email"),
            "sms": ("message", "message"),
        }

    @api.model
    def _record_message(self, document, message, msg_vals, recipients_data):
        """Record a message that has just been notified, if it is a contact with somebody outside.

        :param document: record with `crm.interaction.mixin`
        :param message: mail.message
        :param dict msg_vals: values with which it has just been created; empty if it is older
        :param recipients_data: whom it reaches, see `mail.thread._notify_get_recipients`
        :return: the interaction; empty if the message is none or could not be recorded
        """
        # sudo: whoever writes, the contact is recorded; without the defaults of another form
        Interaction = self.sudo().with_context(clean_context(self.env.context))
        values = Interaction._prepare_message_values(
            document.sudo(), message.sudo(), recipients_data
        )
        # only a message that has waited for its hour can have been recorded before
        if not values or (not msg_vals and Interaction._find_by_messages(message)):
            return self.browse()
        if values["direction"] == "out":
            return Interaction._internal().create([values])
        try:
            with self.env.cr.savepoint():
                return Interaction._internal().create([dict(values)])
        except Exception as error:
            _logger.exception(
                "Message %s on %s,%s is not recorded as an interaction",
                message.id,
                document._name,
                document.id,
            )
            if isinstance(error, (ConcurrencyError, *PG_CONCURRENCY_EXCEPTIONS_TO_RETRY)):
                Interaction._record_after_commit(values)
            return self.browse()

    @api.model
    def _record_after_commit(self, values):
        """Record a message once the transaction that brought it is over.

        :param dict values: result of `_prepare_message_values`
        """
        registry, uid, context = self.env.registry, self.env.uid, self.env.context

        @self.env.cr.postcommit.add
        def record():
            with registry.cursor() as cr:
                env = api.Environment(cr, uid, context, su=True)
                Interaction = env["crm.interaction"]
                message = env["mail.message"].browse(values["mail_message_id"]).exists()
                if message and not Interaction._find_by_messages(message):
                    Interaction._internal().create([values])

    @api.model
    def _find_by_messages(self, messages):
        """Interactions that these messages have become."""
        return self.search([("mail_message_id", "in", messages.ids)])

    # ------------------------------------------------------------
    # VALUES
    # ------------------------------------------------------------

    @api.model
    def _prepare_message_values(self, document, message, recipients_data):
        """Values of the interaction that a message becomes; all records are under sudo.

        :return: dict, empty if the message is no contact with somebody outside
        """
        kinds = self._get_message_kinds().get(message.message_type)
        if not kinds or self._is_automatic_message(message):
            return {}
        company = message.record_company_id or document._get_interaction_company()
        if self._is_message_of_ours(message, company):
            direction = "out"
            people = self._get_outgoing_people(message, company, recipients_data)
        else:
            direction = "in"
            people = self._get_incoming_people(message, company)
        clients = [person for person in people if not person["is_own"]]
        if not clients:
            return {}
        now = fields.Datetime.now()
        values = {
            "res_model": document._name,
            "res_id": document.id,
            "company_id": company.id,
            "kind": kinds[direction == "out"],
            "direction": direction,
            "subject": message.subject or document._message_compute_subject(),
            # a sender's clock may be ahead of ours
            "date_start": min(message.date or now, now),
            "mail_message_id": message.id,
            "parent_id": self._get_parent_of_message(document, message).id,
            "participant_ids": [
                Command.create(self._prepare_message_participant_values(person))
                for person in people
            ],
        }
        if direction == "in":
            values["state"] = "new"
            values["user_id"] = document.user_id.id if "user_id" in document._fields else False
        else:
            values["state"] = "cancelled" if self._is_undelivered(message) else "done"
            values["user_id"] = self._get_message_user(message).id
        client = self._get_message_client(document, clients)
        if client:
            values["partner_id"] = client.id
        return values

    @api.model
    def _prepare_message_participant_values(self, person):
        """Values of a participant, see `_get_incoming_people`."""
        return {
            "role": person["role"],
            "partner_id": person["partner"].id,
            "name": person["name"] or False,
            "email": person["email"] or False,
            "phone": person.get("phone") or False,
        }

    @api.model
    def _get_incoming_mail(self, message):
        """What the gateway knows of a message that it has just brought, or None."""
        mail = self.env.context.get("crm_incoming_mail")
        # the class proves where it comes from; the number, that it is not about another message
        if isinstance(mail, IncomingMail) and mail.message_id == message.message_id:
            return mail
        return None

    @api.model
    def _is_automatic_message(self, message):
        """Whether no person has written this message."""
        mail = self._get_incoming_mail(message)
        robot_id = self.env["ir.model.data"]._xmlid_to_res_id("base.partner_root")
        return (
            bool(mail and mail.is_automatic)
            or self.env.context.get("crm_automatic_message") is INTERNAL
            or message.author_id.id == robot_id
        )

    @api.model
    def _get_parent_of_message(self, document, message):
        """The interaction of the same document which this message answers."""
        mail = self._get_incoming_mail(message)
        parent_id = (mail and mail.parent_id) or message.parent_id.id
        if not parent_id:
            return self.browse()
        return self.search_fetch(
            [
                ("mail_message_id", "=", parent_id),
                ("res_model", "=", document._name),
                ("res_id", "=", document.id),
            ],
            ["company_id", "chain_id"],
        )

    @api.model
    def _get_message_user(self, message):
        """Who of us has written this message; empty if nobody in particular."""
        if message.author_id == self.env.user.partner_id:
            return self.env.user
        return message.author_id.user_ids.filtered(lambda user: not user.share)[:1]

    @api.model
    def _get_message_client(self, document, clients):
        """The client with whom this contact was: of the people outside, the document's client,
        else one of its colleagues, else the first who is known, else the document's client."""
        partners = self.env["res.partner"].union(*(person["partner"] for person in clients))
        client = document._get_interaction_partner()
        if client in partners or not partners:
            return client
        family = partners.filtered(
            lambda partner: client and partner.commercial_partner_id == client.commercial_partner_id
        )
        return (family or partners)[:1]
