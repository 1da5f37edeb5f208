from collections import defaultdict

from odoo import api, models
from odoo.exceptions import ValidationError


class CrmInteraction(models.Model):
    """How an interaction finds the conversation that it belongs to.

    In this order: the chain that is named, the chain of the document that is named, the chain
    of the client, a new one. Nobody joins a conversation without seeing it or its document.
    """

    _inherit = "crm.interaction"

    def _check_chain_access(self, chains):
        """A conversation is joined by those who see it or the document which it is about."""
        if self.env.su or chains.has_access("read"):
            return
        for chain_sudo in chains.sudo():
            document = chain_sudo._get_document()
            if document is None:
                chain_sudo.sudo(False).check_access("read")
            else:
                document.sudo(False).check_access("read")

    @api.model
    def _check_parent_access(self, parent_ids):
        """Nobody follows an interaction that he does not see: its subject would show."""
        if not self.env.su:
            self.browse(id_ for id_ in parent_ids if id_).check_access("read")

    def _resolve_chains(self, vals_list):
        """Complete `vals_list` in place: chain, client, company, documents by batch.

        `res_model` and `res_id` are taken out of the values: the chain gives them back.
        """
        Chain = self.env["crm.interaction.chain"]
        by_document = defaultdict(list)
        alone = []
        for vals in vals_list:
            res_model, res_id = vals.pop("res_model", None), vals.pop("res_id", None)
            if vals.get("chain_id"):
                continue
            if res_model and res_id:
                if res_model not in Chain._get_document_models():
                    raise ValidationError(
                        self.env._("Interactions cannot be logged on this kind of document.")
                    )
                by_document[res_model, res_id].append(vals)
            elif vals.get("partner_id"):
                by_document["res.partner", vals["partner_id"]].append(vals)
            else:
                alone.append(vals)
        for res_model in {model for model, _res_id in by_document}:
            documents = self.env[res_model].browse(
                {res_id for model, res_id in by_document if model == res_model}
            )
            # sources have just had their document in hand
            if not self.env.su and len(documents.exists()) < len(documents):
                raise ValidationError(self.env._("The document of the interaction is gone."))
            chains = Chain._open_for_documents(documents)
            for document in documents:
                for vals in by_document[res_model, document.id]:
                    vals["chain_id"] = chains[document.id].id
        if alone:
            chains = Chain.create([self._prepare_chain_values(vals) for vals in alone])
            for vals, chain in zip(alone, chains, strict=True):
                vals["chain_id"] = chain.id
        chains = Chain.browse({vals["chain_id"] for vals in vals_list})
        self._check_chain_access(chains)
        for vals in vals_list:
            # sudo: access has just been checked, by the document where there is one
            chain_sudo = Chain.browse(vals["chain_id"]).sudo()
            if chain_sudo.company_id:
                vals["company_id"] = chain_sudo.company_id.id
            vals.setdefault("partner_id", chain_sudo.partner_id.id)

    @api.model
    def _prepare_chain_values(self, vals):
        """Values of the chain that an interaction about no document starts."""
        return {
            "name": vals.get("subject") or self._default_subject(),
            "user_id": vals.get("user_id"),
            "company_id": vals.get("company_id") or self.env.company.id,
        }
