from odoo import api, fields, models
from odoo.exceptions import AccessError, ConcurrencyError
from psycopg2.errors import UniqueViolation

from .crm_interaction_list import PARTNER_NAME_FIELDS

# what only the code of a document may say about a chain
CONTROLLED_FIELDS = frozenset({"res_model", "res_id", "outcome_number"})
# what decides who sees all that was said
ACCESS_FIELDS = frozenset({"user_id", "company_id"})


class CrmInteractionChain(models.Model):
    """The subject of a conversation: what a series of interactions is about.

    Every interaction belongs to exactly one chain. A chain is about one document (a deal, an
    order, an agreement, a claim, a client: any model with `crm.interaction.mixin`) or, as long
    as nobody knows what it is about, about none. A document has at most one chain, created
    when somebody first talks about the document.

    The responsible, the client and the company of a chain follow those of its document, so
    that whoever takes over a deal sees all that was said about it; they are changed on the
    document only. Without a document they are changed by those who may change everything that
    was said. A chain without a company belongs to a document that all companies share.

    The summary of a chain (`crm_interaction_chain_summary.py`) is kept on it, because lists are
    sorted and grouped by it.
    """

    _name = "crm.interaction.chain"
    _description = "Conversation"
    _order = "date_next, date_last desc, id desc"
    _check_company_auto = True

    name = fields.Char(string="Subject", required=True)
    state = fields.Selection(
        [("open", "Open"), ("closed", "Closed")],
        string="Status",
        required=True,
        default="open",
        index=True,
    )
    partner_id = fields.Many2one("res.partner", string="Client", index=True, check_company=True)
    user_id = fields.Many2one(
        "res.users",
        string="Responsible",
        index=True,
        default=lambda self: self.env.user,
    )
    company_id = fields.Many2one("res.company", string="Company", index=True)

    # document
    res_model = fields.Char(string="Document Model", readonly=True)
    res_id = fields.Many2oneReference(string="Document ID", model_field="res_model", readonly=True)
    res_name = fields.Char(string="Document", compute="_compute_res_name")

    # contents
    interaction_ids = fields.One2many("crm.interaction", "chain_id", string="Interactions")
    outcome_number = fields.Integer(
        string="Recorded Outcomes",
        readonly=True,
        copy=False,
        help="Counts the outcomes recorded in this conversation. The screen sends back the number "
        "it has shown, so that two clicks on one attempt are recorded once.",
    )

    _document_uniq = models.UniqueIndex(
        "(res_model, res_id) WHERE res_id IS NOT NULL AND res_id != 0",
        "This document already has a chain of interactions.",
    )

    @api.depends("res_model", "res_id")
    def _compute_res_name(self):
        self.res_name = False
        for res_model, chains in self.filtered("res_id").grouped("res_model").items():
            if res_model not in self.env:
                continue
            Document = self.env[res_model].with_context(active_test=False)
            if not Document.has_access("read"):
                continue
            # one query: which are there and may be read, and only what their names are made of
            documents = Document.search_fetch(
                [("id", "in", chains.mapped("res_id"))],
                PARTNER_NAME_FIELDS if res_model == "res.partner" else ["display_name"],
                order="id",
            )
            names = {document.id: document.display_name for document in documents}
            for chain in chains:
                chain.res_name = names.get(chain.res_id, False)

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            self._check_controlled_fields(vals)
        # `default_res_model` and the like in a context speak of somebody else's document
        controlled = self._get_controlled_fields()
        forged = {f"default_{name}" for name in controlled} & set(self.env.context)
        if forged:
            context = {k: v for k, v in self.env.context.items() if k not in forged}
            self = self.with_context(context)  # noqa: PLW0642
        return super().create(vals_list)

    def write(self, vals):
        self._check_controlled_fields(vals)
        self._check_access_fields(vals)
        res = super().write(vals)
        if vals.get("company_id"):
            # sudo: the company follows the document, also for interactions of other people
            self.sudo().interaction_ids.filtered(
                lambda interaction: interaction.company_id.id != vals["company_id"]
            ).write({"company_id": vals["company_id"]})
        return res

    @api.model
    def _get_controlled_fields(self):
        """Names of the fields that only the code of a document may write."""
        return CONTROLLED_FIELDS

    def _check_controlled_fields(self, vals):
        if not self.env.su and not self._get_controlled_fields().isdisjoint(vals):
            raise AccessError(
                self.env._(
                    "The document of a chain cannot be set by hand. Log the interaction from "
                    "the document instead."
                )
            )

    def _check_access_fields(self, vals):
        """Refuse to open to somebody what the user may not change himself."""
        if self.env.su:
            return
        changed = self.filtered(
            lambda chain: any(
                name in vals and chain[name].id != (vals[name] or False) for name in ACCESS_FIELDS
            )
        )
        # sudo: to learn what there is; the rights of the user are asked for
        chains_sudo = changed.sudo()
        if chains_sudo.filtered("res_id"):
            raise AccessError(
                self.env._(
                    "Responsible and company of “%(chain)s” are those of its document: change "
                    "them there.",
                    chain=chains_sudo.filtered("res_id")[0].name,
                )
            )
        if not chains_sudo.interaction_ids.sudo(False).has_access("write"):
            raise AccessError(
                self.env._(
                    "Some interactions of this conversation belong to colleagues: ask its "
                    "responsible or a manager to hand it over."
                )
            )

    # ------------------------------------------------------------
    # DOCUMENTS
    # ------------------------------------------------------------

    @api.model
    def _get_document_models(self):
        """Names of the models whose records can have a chain."""
        return {
            name
            for name in self.env.registry.descendants(["crm.interaction.mixin"], "_inherit")
            if not self.env[name]._abstract
        }

    def _get_document(self):
        """The document this chain is about, with the user's own rights.

        :return: a record with `crm.interaction.mixin`, or None
        """
        self.ensure_one()
        if not self.res_id or self.res_model not in self._get_document_models():
            return None
        return self.env[self.res_model].browse(self.res_id).exists() or None

    @api.model
    def _find_for_documents(self, documents):
        """Chains of the given documents.

        :return: dict document id → chain (under the user's rights; not filtered by rules)
        """
        # sudo: the chain of a document is found by whoever may see the document
        chains_sudo = self.sudo().search_fetch(
            [("res_model", "=", documents._name), ("res_id", "in", documents.ids)], order="id"
        )
        return {chain.res_id: chain.sudo(self.env.su) for chain in chains_sudo}

    @api.model
    def _open_for_documents(self, documents):
        """Chains of the given documents, created where missing, reopened where closed.

        :param documents: saved records of one model with `crm.interaction.mixin`
        :return: dict document id → chain
        :raise AccessError: if the user may not read one of the documents
        """
        documents.check_access("read")
        chains = self._find_for_documents(documents)
        closed = [chain.id for chain in chains.values() if chain.sudo().state == "closed"]
        # sudo: the chain belongs to the document, whose access has just been checked
        Chain_sudo = self.sudo()
        if closed:
            Chain_sudo.browse(closed).state = "open"
        missing = documents.filtered(lambda document: document.id not in chains)
        if missing:
            try:
                created = Chain_sudo.create(
                    [document._prepare_interaction_chain_values() for document in missing]
                )
            except UniqueViolation as error:
                # somebody opened the chain at the same moment: run the request again, then
                # it will be there
                raise ConcurrencyError(str(error)) from error
            chains.update({chain.res_id: chain.sudo(self.env.su) for chain in created})
        return chains

    def _merge_into(self, target):
        """Move all interactions of these chains into `target` and delete the chains."""
        # sudo: called by the merge of documents, which has its own access checks
        sources_sudo = self.sudo() - target.sudo()
        sources_sudo.interaction_ids.write({"chain_id": target.id})
        sources_sudo.unlink()

    # ------------------------------------------------------------
    # ACTIONS
    # ------------------------------------------------------------

    def action_open_document(self):
        """Open the document which the chain is about.

        :return: a window action, or False for a chain without a document
        """
        self.ensure_one()
        document = self._get_document()
        if document is None:
            return False
        return {
            "type": "ir.actions.act_window",
            "res_model": document._name,
            "res_id": document.id,
            "views": [(False, "form")],
        }

    def action_log_interaction(self):
        """Open the dialog in which an interaction of this chain is entered."""
        self.ensure_one()
        return self.env["crm.interaction"]._get_log_action(
            {"default_chain_id": self.id, "default_partner_id": self.partner_id.id}
        )

    def action_plan_interaction(self):
        """Open the dialog in which an interaction of this chain is planned."""
        self.ensure_one()
        return self.env["crm.interaction"]._get_plan_action(
            {"default_chain_id": self.id, "default_partner_id": self.partner_id.id}
        )

    def action_close(self):
        self.state = "closed"

    def action_reopen(self):
        self.state = "open"
