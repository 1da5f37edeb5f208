from odoo import models
from odoo.exceptions import AccessError, UserError
from odoo.tools import clean_context


class CrmInteractionChain(models.Model):
    """Conversations that are about the same become one.

    The one that is kept is that about a document, if there is one. Two documents have two
    conversations: whoever means to join them merges the documents. The user must be allowed to
    change all that is moved.
    """

    _inherit = "crm.interaction.chain"

    def action_merge(self, target_id=None, name=None):
        """Join these conversations.

        :param int target_id: the one which is kept; by default that about a document, else the
            oldest
        :param str name: its subject afterwards, unless it is about a document
        :return: the conversation that is left
        :raise UserError: if they cannot be joined
        """
        # the defaults of the dialog are not meant for what is created here
        self = self.with_context(clean_context(self.env.context))  # noqa: PLW0642
        self.check_access("write")
        problem = self._get_merge_problem()
        if problem:
            raise UserError(problem)
        target = self._get_merge_target()
        if target_id and target_id != target.id:
            if target.res_id or target_id not in self.ids:
                raise UserError(
                    self.env._("“%(chain)s” is the conversation to be kept.", chain=target.name)
                )
            target = self.browse(target_id)
        sources = self - target
        # sudo: to learn whether colleagues take part in them
        interactions = sources.sudo().interaction_ids.sudo(self.env.su)
        if not interactions.has_access("write"):
            raise AccessError(
                self.env._(
                    "Some interactions of these conversations belong to colleagues: ask a manager "
                    "to merge them."
                )
            )
        partner = sources.partner_id[:1]
        interactions._move_to_chain(target)
        sources.exists().sudo().unlink()
        if not target.res_id:
            values = {}
            if (name or "").strip():
                values["name"] = name.strip()
            if not target.partner_id and partner:
                values["partner_id"] = partner.id
            if values:
                target.write(values)
        return target

    def _get_merge_problem(self):
        """Why these conversations cannot be joined, in words for the user; False if they can."""
        if len(self) < 2:
            return self.env._("Choose at least two conversations to merge.")
        documented = self.filtered("res_id")
        if len(documented) > 1:
            return self.env._(
                "“%(first)s” and “%(second)s” are about two different documents, each of "
                "which has a conversation of its own. Merge the documents, or move single "
                "interactions.",
                first=documented[0].name,
                second=documented[1].name,
            )
        if len(self.company_id) > 1:
            return self.env._(
                "Conversations of different companies stay apart: %(companies)s.",
                companies=", ".join(self.company_id.mapped("name")),
            )
        return False

    def _get_merge_target(self):
        """The conversation that is kept when these are joined."""
        return self.filtered("res_id")[:1] or self.sorted("id")[:1]

    def _remove_empty(self):
        """Remove those about no document in which nothing is left."""
        # sudo: they were emptied by somebody who may change what was in them
        chains_sudo = self.sudo().exists()
        chains_sudo.filtered(lambda chain: not chain.res_id and not chain.interaction_ids).unlink()

    def action_open_merge(self):
        """Open the dialog in which these conversations are joined."""
        if len(self) < 2:
            raise UserError(self.env._("Choose at least two conversations to merge."))
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Merge Conversations"),
            "res_model": "crm.interaction.chain.merge",
            "views": [(False, "form")],
            "target": "new",
            "context": {"default_chain_ids": self.ids},
        }
