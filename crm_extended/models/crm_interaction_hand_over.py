from markupsafe import Markup
from odoo import models
from odoo.exceptions import UserError
from odoo.tools import clean_context


class CrmInteraction(models.Model):
    """What waits is handed over to a colleague, who is told so by Odoo's own notification.

    The note goes along: it is in the message and stays with the interaction. A conversation
    about no document follows its interaction, unless somebody else is responsible for it; that
    about a document stays with whoever is responsible for the document.
    """

    _inherit = "crm.interaction"

    def action_hand_over(self, user_id, note=None):
        """Make a colleague responsible for these interactions.

        :param int user_id: the colleague
        :param str note: what the colleague should know
        :raise UserError: if one of them is over, or the colleague cannot work with them
        """
        # the defaults of the dialog are not meant for what is created here
        self = self.with_context(clean_context(self.env.context))  # noqa: PLW0642
        self.check_access("write")
        user = self.env["res.users"].browse(user_id).exists()
        self._check_hand_over(user)
        given = self.filtered(lambda interaction: interaction.user_id != user)
        if not given:
            return True
        # sudo: from here on they may be out of reach of whoever hands them over
        given_sudo = given.sudo()
        chains_sudo = given_sudo.chain_id.filtered(
            lambda chain: not chain.res_id
            and (not chain.user_id or chain.user_id in (given_sudo & chain.interaction_ids).user_id)
        )
        note = (note or "").strip()
        if note:
            for interaction_sudo in given_sudo:
                interaction_sudo.body = (
                    interaction_sudo.body or Markup()
                ) + interaction_sudo._get_hand_over_note(user, note)
        given.write({"user_id": user.id})
        chains_sudo.write({"user_id": user.id})
        if user != self.env.user:
            given_sudo._notify_hand_over(user, note)
        return True

    def _check_hand_over(self, user):
        if not user or not user.active or user.share:
            raise UserError(self.env._("Choose the colleague to whom you hand over."))
        # sudo: the rights of the colleague, not one's own
        user_sudo = user.sudo()
        if not user_sudo.has_group("crm_extended.crm_interactions_group_user"):
            raise UserError(
                self.env._(
                    "%(user)s does not work with interactions: choose another colleague.",
                    user=user_sudo.name,
                )
            )
        for interaction in self:
            if interaction.state in ("done", "cancelled"):
                raise UserError(
                    self.env._(
                        "“%(subject)s” is over: only what waits can be handed over.",
                        subject=interaction.subject,
                    )
                )
            if interaction.company_id not in user_sudo.company_ids:
                raise UserError(
                    self.env._(
                        "%(user)s does not work for %(company)s, to which “%(subject)s” belongs.",
                        user=user_sudo.name,
                        company=interaction.company_id.name,
                        subject=interaction.subject,
                    )
                )

    def _get_hand_over_note(self, user, note):
        """The note as it stays with the interaction."""
        return Markup("<p><em>%s</em><br/>%s</p>") % (
            self.env._("%(giver)s → %(taker)s", giver=self.env.user.name, taker=user.sudo().name),
            note,
        )

    def _notify_hand_over(self, user, note):
        """Tell the colleague, in the inbox or by e-mail as the colleague prefers."""
        body = Markup("<p>%s</p>") % self.env._(
            "%(user)s has handed over to you:", user=self.env.user.name
        )
        body += Markup("<ul>%s</ul>") % Markup().join(
            Markup("<li>%s</li>") % interaction._get_html_link(title=interaction.subject)
            for interaction in self
        )
        if note:
            body += Markup("<blockquote>%s</blockquote>") % note
        self.env["mail.thread"].message_notify(
            model=self._name,
            res_id=self[:1].id,
            partner_ids=user.partner_id.ids,
            subject=self.env._("Handed over: %(subject)s", subject=self[:1].subject),
            body=body,
            author_id=self.env.user.partner_id.id,
        )

    def action_open_hand_over(self):
        """Open the dialog that asks to whom these interactions are handed over."""
        return self._get_dialog_action("crm.interaction.hand.over", self.env._("Hand Over"))
