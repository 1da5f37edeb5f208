import logging
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import ConcurrencyError
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY, retrying
from odoo.tools import clean_context

from ..tools.opening_savepoint import OpeningSavepoint
from .crm_interaction import INTERNAL
from .mail_thread import IncomingMail

_logger = logging.getLogger(__name__)

# a mail that claims to be older than this comes from a clock that stands still
MAX_MAIL_AGE = timedelta(days=365)
MAX_SUBJECT_SIZE = 1000


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

    What comes in is never lost because it could not be recorded: the failure is logged, and a
    clash with another transaction is tried again when the message is safe.
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
        contact = Interaction._prepare_message_contact(
            document.sudo(), message.sudo(), recipients_data
        )
        if not contact:
            return self.browse()
        if contact["direction"] == "out" and message.message_type != "email":
            return Interaction._record_contact(contact)
        try:
            with OpeningSavepoint(self.env.cr) as savepoint:
                return Interaction._record_contact(contact, savepoint)
        except Exception as error:
            _logger.exception(
                "Message %s on %s,%s is not recorded as an interaction",
                message.id,
                document._name,
                document.id,
            )
            if isinstance(error, (ConcurrencyError, *PG_CONCURRENCY_EXCEPTIONS_TO_RETRY)):
                Interaction._record_after_commit(document, message, recipients_data)
            return self.browse()

    @api.model
    def _record_sent_mails(self, mails):
        """Record mails that the user has just sent to clients, past the discussion of documents.

        For code that knows that a person has written them: a template says nothing about it.

        :param mails: mail.mail, each about a document with `crm.interaction.mixin`
        :return: the interactions
        """
        # sudo: as above
        Interaction = self.sudo().with_context(clean_context(self.env.context))
        interactions = self.browse()
        for mail in mails.sudo():
            document = self.env[mail.model].sudo().browse(mail.res_id)
            people = self._get_mail_people(mail)
            if people and self.env.user._is_internal() and not self.env.user._is_superuser():
                interactions |= Interaction._record_contact(
                    {
                        "document": document,
                        "message": mail.mail_message_id,
                        "company": document._get_interaction_company(),
                        "direction": "out",
                        "kind": "email",
                        "user": self.env.user,
                        "people": people,
                    }
                )
        return interactions

    @api.model
    def _record_after_commit(self, document, message, recipients_data):
        """Record a message once the transaction that has brought it is over."""
        registry, uid, context = self.env.registry, self.env.uid, self.env.context

        @self.env.cr.postcommit.add
        def record():
            try:
                with registry.cursor() as cr:
                    env = api.Environment(cr, uid, context, su=True)
                    retrying(
                        lambda: env["crm.interaction"]._record_late(
                            document.with_env(env), message.with_env(env), recipients_data
                        ),
                        env,
                    )
            except Exception:
                # the message is safe, and whoever has committed it must not think otherwise
                _logger.exception("Message %s is not recorded as an interaction", message.id)

    @api.model
    def _record_late(self, document, message, recipients_data):
        contact = self._prepare_message_contact(document, message, recipients_data)
        return self._record_contact(contact) if contact else self.browse()

    # ------------------------------------------------------------
    # WHAT IS A CONTACT
    # ------------------------------------------------------------

    @api.model
    def _prepare_message_contact(self, document, message, recipients_data):
        """What is known of the contact that a message is; all records are under sudo.

        :return: dict with `document`, `message`, `company`, `direction`, `kind`, `user`
            and `people` (see `_get_incoming_people`); empty if the message is no contact with
            somebody outside
        """
        kinds = self._get_message_kinds().get(message.message_type)
        if not kinds or self._is_automatic_message(message):
            return {}
        company = message.record_company_id or document._get_interaction_company()
        if self._is_message_of_ours(message, company):
            direction, user = "out", self._get_message_user(message)
            people = self._get_outgoing_people(message, company, recipients_data)
        else:
            direction = "in"
            user = document.user_id if "user_id" in document._fields else self.env["res.users"]
            people = self._get_incoming_people(message, company)
        if all(person["is_own"] for person in people):
            return {}
        return {
            "document": document,
            "message": message,
            "company": company,
            "direction": direction,
            "kind": kinds[direction == "out"],
            "user": user,
            "people": people,
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

    # ------------------------------------------------------------
    # VALUES
    # ------------------------------------------------------------

    @api.model
    def _prepare_contact_values(self, contact, chain, parent, usable):
        """Values of the interaction that a contact becomes.

        :param dict contact: see `_prepare_message_contact`
        :param chain: the chain of the document
        :param parent: the interaction which the message answers
        :param set usable: ids of contacts that the company may use
        """
        document, message = contact["document"], contact["message"]
        subject = message.subject or document._message_compute_subject() or ""
        values = {
            "chain_id": chain.id,
            "company_id": (chain.company_id or contact["company"]).id,
            "kind": contact["kind"],
            "direction": contact["direction"],
            "subject": subject[:MAX_SUBJECT_SIZE],
            "date_start": self._get_message_date(message),
            "mail_message_id": message.id,
            "parent_id": parent.id,
            "user_id": contact["user"].id,
            "partner_id": self._get_message_client(contact, usable).id,
        }
        if contact["direction"] == "in":
            values["state"] = "new"
        else:
            values["state"] = "cancelled" if self._is_undelivered(message) else "done"
        return values

    @api.model
    def _get_message_date(self, message):
        """When a message was written, as far as one can believe its sender's clock."""
        now = fields.Datetime.now()
        date = message.date or now
        if date > now or (message.message_type == "email" and date < now - MAX_MAIL_AGE):
            return now
        return date

    @api.model
    def _get_message_user(self, message):
        """Who of us has written this message; empty if nobody in particular."""
        if message.author_id == self.env.user.partner_id:
            return self.env.user
        return message.author_id.user_ids.filtered(lambda user: not user.share)[:1]

    @api.model
    def _get_message_client(self, contact, usable):
        """The client with whom this contact was: of the people outside, the document's client,
        else one of its colleagues, else the first who is known, else the document's client."""
        partners = self.env["res.partner"].browse(
            person["partner"].id
            for person in contact["people"]
            if not person["is_own"] and person["partner"].id in usable
        )
        client = contact["document"]._get_interaction_partner()
        if client in partners or not partners:
            return client if client.id in usable else client.browse()
        family = partners.filtered(
            lambda partner: client and partner.commercial_partner_id == client.commercial_partner_id
        )
        return (family or partners)[:1]
