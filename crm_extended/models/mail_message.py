from collections import defaultdict

from odoo import fields, models
from odoo.tools import is_html_empty

from .mail_mail import FAILED_STATES
from .mail_notification import FAILED_STATUSES


class MailMessage(models.Model):
    """A message that has become an interaction takes it along.

    - It is moved to another document: its interaction moves to the conversation of that document,
      if there can be one in the same company.
    - It is edited: the interaction shows it as it is.
    - It is deleted: what nobody has answered yet is cancelled, there is nothing left to answer;
      what took place stays, without its text. So does what is emptied, which is how a message is
      deleted on the screen.
    """

    _inherit = "mail.message"

    crm_interaction_ids = fields.One2many(
        "crm.interaction",
        "mail_message_id",
        string="Interactions",
        copy=False,
        groups=fields.NO_ACCESS,
    )

    def _get_interactions(self):
        # sudo: the message decides, whoever may see its interaction. Read through the field, those
        # of all messages that are moved one by one (Odoo merges deals so) come in one query.
        return self.sudo().crm_interaction_ids

    def write(self, vals):
        res = super().write(vals)
        if "model" in vals or "res_id" in vals:
            self._move_interactions()
        if "body" in vals and is_html_empty(vals["body"]):
            self.sudo().filtered(lambda message: message._filter_empty())._cancel_interactions()
        return res

    def unlink(self):
        interactions_sudo = self._get_interactions().filtered(
            lambda interaction: interaction.state == "new"
        )
        res = super().unlink()
        if interactions_sudo:
            interactions_sudo.write({"state": "cancelled"})
        return res

    def _cancel_interactions(self):
        self._get_interactions().filtered(lambda interaction: interaction.state == "new").write(
            {"state": "cancelled"}
        )

    def _move_interactions(self):
        """Move the interactions of these messages to the conversations of their documents."""
        Chain_sudo = self.env["crm.interaction.chain"].sudo()
        moved = defaultdict(Chain_sudo.interaction_ids.browse)
        for interaction_sudo in self._get_interactions():
            message_sudo = interaction_sudo.mail_message_id
            document = (message_sudo.model, message_sudo.res_id)
            if document != (interaction_sudo.res_model, interaction_sudo.res_id):
                moved[document] |= interaction_sudo
        models_with_chain = Chain_sudo._get_document_models()
        for (model, res_id), interactions_sudo in moved.items():
            if model not in models_with_chain or not res_id:
                continue
            document_sudo = self.env[model].sudo().browse(res_id).exists()
            if not document_sudo:
                continue
            chain_sudo = Chain_sudo._open_for_documents(document_sudo)[res_id]
            interactions_sudo.filtered(
                lambda interaction, company=chain_sudo.company_id: (
                    not company or interaction.company_id == company
                )
            )._move_to_chain(chain_sudo)

    # ------------------------------------------------------------
    # DELIVERY
    # ------------------------------------------------------------

    def _get_external_notifications(self):
        """Notifications of this message by e-mail or SMS to people outside, under sudo."""
        self.ensure_one()
        return self.sudo().notification_ids.filtered(
            lambda notification: notification.notification_type in ("email", "sms")
            and (not notification.res_partner_id or notification.res_partner_id.partner_share)
        )

    def _is_delivery_failed(self):
        """Whether nobody outside has got this message."""
        notifications = self._get_external_notifications()
        if notifications:
            return all(
                notification.notification_status in FAILED_STATUSES
                for notification in notifications
            )
        # sudo: a mail that is no notification tells its own state
        mails_sudo = self.sudo().mail_ids
        return bool(mails_sudo) and all(mail.state in FAILED_STATES for mail in mails_sudo)

    def _get_delivery_failure(self):
        """Who outside has not got this message and why; False if all have, or may yet.

        :rtype: str or bool
        """
        failures = [
            self.env._(
                "%(recipient)s: %(reason)s",
                recipient=notification.res_partner_id.name
                or notification.mail_email_address
                or notification.sms_number
                or self.env._("Unknown"),
                reason=notification.format_failure_reason(),
            )
            for notification in self._get_external_notifications()
            if notification.notification_status in FAILED_STATUSES
        ]
        # sudo: as above
        failures += [
            mail.failure_reason or self.env._("Unknown error")
            for mail in self.sudo().mail_ids
            if mail.state in FAILED_STATES and not mail.is_notification
        ]
        return "; ".join(failures) or False
