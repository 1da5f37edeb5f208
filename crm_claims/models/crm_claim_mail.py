from odoo import api, fields, models
from odoo.tools import email_normalize


class CrmClaim(models.Model):
    """Mail of a claim: what we send to the customer, and what his mails do.

    Nothing is sent by creating or importing claims. A mail goes out when a person or the portal
    does something: registers (``_confirm_registration``) or acknowledges, asks, announces a
    decision, closes.

    A question and a decision are a person's words: they are recorded as contacts with the customer
    and answer what he has written before. The acknowledgement and the request for a rating are a
    machine's: his complaint waits on.
    """

    _inherit = "crm.claim"

    # ------------------------------------------------------------------
    # To the customer
    # ------------------------------------------------------------------

    def _confirm_registration(self):
        """Tell the customer that his claim has arrived; called by whoever registers a claim
        together with the customer (portal, gateway), never by ``create``."""
        self._send_acknowledgement()

    def _send_acknowledgement(self):
        """Send the acknowledgement with number and promised date, once per claim."""
        claims = self.filtered(lambda claim: not claim.is_acknowledgement_sent)
        sent = claims._send_to_customer("crm_claims.mail_template_acknowledgement")
        # sudo: the mark is a controlled field
        sent.sudo().write({"is_acknowledgement_sent": True})

    def _send_decision(self):
        self._send_to_customer("crm_claims.mail_template_decision", is_personal=True)

    def _send_question(self):
        self._send_to_customer("crm_claims.mail_template_question", is_personal=True)

    def _send_rating_request(self):
        """Ask the customer of a closed claim for a rating."""
        self.filtered("partner_id")._send_to_customer("crm_claims.mail_template_rating")

    def _send_to_customer(self, template_xmlid, is_personal=False):
        """Queue a template to the customer of each claim that has an address.

        :param bool is_personal: the user has written what the template says; it is a contact
        :return: claims for which a mail was queued
        """
        template = self.env.ref(template_xmlid, raise_if_not_found=False)
        claims = self.filtered(lambda claim: claim.partner_id.email or claim.email_from)
        if not template or not claims:
            return self.browse()
        # sudo: templates are the company's, whoever's act makes them go out
        mails = template.sudo().send_mail_batch(
            claims.ids, force_send=False, email_layout_xmlid="mail.mail_notification_light"
        )
        # sudo: a mail of a template brings answers to its sender, who need not be an alias of ours
        addresses = claims.sudo()._get_reply_addresses()
        for mail in mails.filtered(lambda mail: not mail.reply_to and addresses[mail.res_id]):
            mail.reply_to = addresses[mail.res_id]
        if is_personal:
            self.env["crm.interaction"]._record_sent_mails(mails)
        return claims

    def _get_reply_addresses(self):
        """Where answers of customers arrive at their claims.

        :return: claim id → address of the team, else that for all documents, else ``False``
        :rtype: dict
        """
        addresses = self._notify_get_reply_to()
        return {
            claim.id: claim.team_id.alias_email or addresses[claim.id] or False for claim in self
        }

    # ------------------------------------------------------------------
    # From the customer
    # ------------------------------------------------------------------

    @api.model
    def message_new(self, msg_dict, custom_values=None):
        """A mail to a team's alias registers a claim of its sender, known or not."""
        values = {
            "subject": msg_dict.get("subject") or self.env._("No subject"),
            "description": msg_dict.get("body"),
            "email_from": msg_dict.get("from"),
            "partner_id": msg_dict.get("author_id") or False,
            "channel": "email",
            **(custom_values or {}),
        }
        if not values["partner_id"]:
            values["partner_name"] = msg_dict.get("from")
        claim = super().message_new(msg_dict, custom_values=values)
        claim._confirm_registration()
        return claim

    def _message_post_after_hook(self, message, msg_vals):
        """A customer's message while we wait for him takes the claim up again."""
        result = super()._message_post_after_hook(message, msg_vals)
        if self._is_our_answer(message):
            self._stamp_answered()
        if (
            self.state == "waiting_client"
            and message.message_type in ("comment", "email")
            and self._is_from_customer(message)
        ):
            # sudo: the customer's words move the claim, he has no write access himself
            self.sudo()._move_to("investigating")
        return result

    def _is_our_answer(self, message):
        """Whether a person of ours has written to the customer with this message."""
        self.ensure_one()
        author_sudo = message.sudo().author_id
        return (
            message.message_type == "comment"
            and not message.is_internal
            and message.subtype_id == self.env.ref("mail.mt_comment")
            and bool(author_sudo.user_ids.filtered(lambda user: not user.share))
            and not self._is_from_customer(message)
        )

    def _stamp_answered(self):
        """Keep when somebody of us first wrote to the customer."""
        claims = self.filtered(lambda claim: not claim.date_answered)
        if claims:
            # sudo: the stamp is a controlled field
            claims.sudo().write({"date_answered": fields.Datetime.now()})
            claims._apply_deadlines()

    def _is_from_customer(self, message):
        self.ensure_one()
        claim_sudo = self.sudo()
        if message.author_id and claim_sudo.commercial_partner_id:
            author = message.sudo().author_id.commercial_partner_id
            return author == claim_sudo.commercial_partner_id
        sender = email_normalize(message.email_from or "")
        return bool(sender) and sender == email_normalize(claim_sudo.email_from or "")

    # ------------------------------------------------------------------
    # Rating
    # ------------------------------------------------------------------

    def _rating_get_parent_field_name(self):
        return "team_id"
