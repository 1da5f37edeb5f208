from odoo import models
from odoo.exceptions import AccessError, UserError
from odoo.tools import clean_context


class CrmInteraction(models.Model):
    """Interactions move to another conversation: a new one, an existing one, that of a document.

    Whoever moves them must be allowed to change them and to join the conversation they go to.
    What is planned takes its activity along. A conversation about no document that has lost its
    last interaction is removed.
    """

    _inherit = "crm.interaction"

    def action_move(self, chain_id=None, res_model=None, res_id=None, name=None, whole_chain=False):
        """Move these interactions to another conversation.

        :param int chain_id: an existing conversation, or
        :param str res_model, int res_id: the document whose conversation it is, or
        :param str name: the subject of a new conversation
        :param bool whole_chain: move everything of their conversations
        :return: the conversation (crm.interaction.chain)
        :raise UserError: if no destination is given, or it belongs to another company
        """
        # the defaults of the dialog are not meant for what is created here
        self = self.with_context(clean_context(self.env.context))  # noqa: PLW0642
        self.check_access("write")
        if not self:
            raise UserError(self.env._("Choose the interactions to be moved."))
        moved = self._get_whole_chains() if whole_chain else self
        chain = self._open_destination(chain_id, res_model, res_id, name)
        moved._move_to_chain(chain)
        return chain

    def _get_whole_chains(self):
        """All interactions of the conversations of these, if the user may change all of them.

        :raise AccessError: if some of them are somebody else's
        """
        # sudo: to learn whether there are others
        moved = self.sudo().chain_id.interaction_ids.sudo(self.env.su)
        if not moved.has_access("write"):
            raise AccessError(
                self.env._(
                    "Some interactions of this conversation belong to colleagues: move only your "
                    "own, or ask a manager to move the whole conversation."
                )
            )
        return moved

    def _open_destination(self, chain_id=None, res_model=None, res_id=None, name=None):
        """The conversation to which interactions move, created if need be."""
        Chain = self.env["crm.interaction.chain"]
        if chain_id:
            chain = Chain.browse(chain_id).exists()
            if not chain:
                raise UserError(self.env._("The conversation is gone: choose another one."))
            self._check_chain_access(chain)
            return chain
        if res_model and res_id:
            if res_model not in Chain._get_document_models():
                raise UserError(
                    self.env._("Interactions cannot be logged on this kind of document.")
                )
            document = self.env[res_model].browse(res_id).exists()
            if not document:
                raise UserError(self.env._("The document is gone: choose another one."))
            return Chain._open_for_documents(document)[document.id]
        if not (name or "").strip():
            raise UserError(self.env._("Give the new conversation a subject."))
        if len(self.company_id) > 1:
            raise UserError(
                self.env._("Interactions of different companies cannot share a conversation.")
            )
        return Chain.create(
            {
                "name": name.strip(),
                "partner_id": self.partner_id[:1].id,
                "user_id": (self.user_id[:1] or self.env.user).id,
                "company_id": self.company_id.id,
            }
        )

    def _move_to_chain(self, chain):
        """Move these interactions, which the user may change, to a conversation."""
        # sudo: what is seen of them may change with the move
        chain_sudo = chain.sudo()
        moved = self.filtered(lambda interaction: interaction.chain_id != chain)
        moved_sudo = moved.sudo()
        strangers = moved_sudo.filtered(
            lambda interaction: chain_sudo.company_id
            and interaction.company_id != chain_sudo.company_id
        )
        if strangers:
            raise UserError(
                self.env._(
                    "“%(subject)s” belongs to %(company)s, “%(chain)s” to %(other)s: interactions "
                    "stay in their company.",
                    subject=strangers[0].subject,
                    company=strangers[0].company_id.name,
                    chain=chain_sudo.name,
                    other=chain_sudo.company_id.name,
                )
            )
        if not moved:
            return
        sources_sudo = moved_sudo.chain_id
        activities_sudo = moved_sudo._detach_activities()
        moved.write({"chain_id": chain.id})
        torn_sudo = (moved_sudo | moved_sudo.child_ids).filtered(
            lambda interaction: interaction.parent_id
            and interaction.parent_id.chain_id != interaction.chain_id
        )
        torn_sudo.write({"parent_id": False})
        if chain_sudo.partner_id:
            moved_sudo.filtered(lambda interaction: not interaction.partner_id).write(
                {"partner_id": chain_sudo.partner_id.id}
            )
        if chain_sudo.state == "closed":
            chain_sudo.state = "open"
        activities_sudo.unlink()
        moved_sudo._plan_activities()
        for touched_sudo in sources_sudo | chain_sudo:
            document = touched_sudo._get_document()
            if document is not None:
                document.invalidate_recordset(["interaction_ids"])
        sources_sudo._remove_empty()

    def _detach_activities(self):
        """Take the activities of planned interactions off, so that they can be planned anew.

        :return: the activities, which no longer stand for the interactions
        """
        planned = self.filtered(lambda interaction: interaction.state in ("planned", "postponed"))
        activities = planned.activity_id.filtered("active")
        planned.filtered("activity_id")._internal().write({"activity_id": False})
        return activities

    def action_open_move(self):
        """Open the dialog that asks where these interactions belong."""
        return self._get_dialog_action(
            "crm.interaction.move",
            self.env._("Move to Another Conversation"),
            name=self[:1].subject,
        )
