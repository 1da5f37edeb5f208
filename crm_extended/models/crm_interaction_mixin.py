from odoo import api, fields, models


class CrmInteractionMixin(models.AbstractModel):
    """A document with which conversations are connected.

    The mixin gives a document its chain of interactions, counters and buttons. It adds no
    stored column: everything is read from the chain, in one query for a whole list.

    The responsible, the client, the company and the name of the chain follow the document.
    When the document is deleted its conversation remains, without a document; when it is
    merged into another, the conversation moves along.

    A model that carries the mixin should also carry `mail.activity.mixin`, because planned
    interactions are shown as activities.
    """

    _name = "crm.interaction.mixin"
    _description = "Interaction Mixin"

    interaction_chain_id = fields.Many2one(
        "crm.interaction.chain", string="Conversation", compute="_compute_interaction_chain"
    )
    # at most one; whoever asks for those of many documents one by one makes one query
    interaction_chain_ids = fields.One2many(
        "crm.interaction.chain",
        "res_id",
        string="Interaction Chains",
        domain=lambda self: [("res_model", "=", self._name)],
        copy=False,
        groups=fields.NO_ACCESS,
    )
    interaction_ids = fields.One2many(
        "crm.interaction",
        "res_id",
        string="Interactions",
        domain=lambda self: [("res_model", "=", self._name)],
        copy=False,
        # whoever reads a whole client or order without these groups must not be refused
        groups="crm_extended.crm_interactions_group_user,account.group_account_invoice,"
        "account.group_account_readonly",
    )
    interaction_count = fields.Integer(
        string="Interactions Count", compute="_compute_interaction_count"
    )
    interaction_next_id = fields.Many2one(
        "crm.interaction", string="Next Interaction", compute="_compute_interaction_next"
    )
    interaction_next_date = fields.Datetime(
        string="Next Contact", compute="_compute_interaction_next"
    )
    interaction_attempt_key = fields.Integer(
        string="Attempt Key", compute="_compute_interaction_chain"
    )
    interaction_outcome_buttons = fields.Json(compute="_compute_interaction_outcome_buttons")

    @api.depends("interaction_ids.chain_id")
    def _compute_interaction_chain(self):
        chains = (
            self.env["crm.interaction.chain"]._find_for_documents(self)
            if self._can_read_interactions()
            else {}
        )
        for document in self:
            chain = chains.get(document._origin.id, self.env["crm.interaction.chain"])
            document.interaction_chain_id = chain
            # sudo: just a number, which a click on an outcome brings back
            document.interaction_attempt_key = chain.sudo().outcome_number

    @api.depends("interaction_ids.state")
    def _compute_interaction_count(self):
        counts = self._get_interaction_counts() if self._can_read_interactions() else {}
        for document in self:
            document.interaction_count = counts.get(document._origin.id, 0)

    @api.depends("interaction_ids.state", "interaction_ids.date_deadline")
    def _compute_interaction_next(self):
        following = {}
        if self._can_read_interactions():
            for interaction in self.env["crm.interaction"].search_fetch(
                [
                    ("res_model", "=", self._name),
                    ("res_id", "in", self.ids),
                    ("state", "in", ("planned", "postponed")),
                ],
                ["res_id", "date_deadline"],
                order="date_deadline, id",
            ):
                following.setdefault(interaction.res_id, interaction)
        for document in self:
            interaction = following.get(document._origin.id, self.env["crm.interaction"])
            document.interaction_next_id = interaction
            document.interaction_next_date = interaction.date_deadline

    @api.depends("interaction_ids.state")
    @api.depends_context("lang", "company")
    def _compute_interaction_outcome_buttons(self):
        self.interaction_outcome_buttons = False
        if not self._can_read_interactions():
            return
        Outcome = self.env["crm.interaction.outcome"]
        buttons = {}
        for document in self:
            if not document.id or not document._is_interaction_open():
                continue
            company = document._get_interaction_company()
            if company not in buttons:
                buttons[company] = Outcome._get_buttons(company)
            document.interaction_outcome_buttons = {
                "key": document.interaction_attempt_key,
                "outcomes": buttons[company],
            }

    # ------------------------------------------------------------
    # CRUD
    # ------------------------------------------------------------

    def write(self, vals):
        res = super().write(vals)
        if not self._get_interaction_chain_triggers().isdisjoint(vals):
            self._update_interaction_chains()
        return res

    def unlink(self):
        # sudo: the conversation outlives its document, also where others took part in it
        chains_sudo = (
            self.env["crm.interaction.chain"]
            .sudo()
            .search([("res_model", "=", self._name), ("res_id", "in", self.ids)])
        )
        res = super().unlink()
        if chains_sudo:
            chains_sudo.interaction_ids.filtered(
                lambda interaction: interaction._is_over_with_document()
            ).write({"state": "cancelled"})
            chains_sudo.write({"res_model": False, "res_id": False, "state": "closed"})
        return res

    # ------------------------------------------------------------
    # HOOKS
    # ------------------------------------------------------------

    @api.model
    def _can_read_interactions(self):
        return self.env["crm.interaction"].has_access("read")

    def _get_interaction_partner(self):
        """The client with whom this document is talked about; empty if not known."""
        self.ensure_one()
        return self.partner_id if "partner_id" in self._fields else self.env["res.partner"]

    def _get_interaction_company(self):
        """The company in which interactions of this document are recorded."""
        self.ensure_one()
        company = self.company_id if "company_id" in self._fields else None
        return company or self.env.company

    def _get_interaction_domain(self):
        """Interactions shown by the button of these documents."""
        return [("res_model", "=", self._name), ("res_id", "in", self.ids)]

    def _get_interaction_counts(self):
        """Number of interactions of each document.

        :return: dict document id → number
        """
        return dict(
            self.env["crm.interaction"]._read_group(
                self._get_interaction_domain(), ["res_id"], ["__count"]
            )
        )

    def _is_interaction_open(self):
        """Whether attempts to reach the client still make sense."""
        self.ensure_one()
        return "active" not in self._fields or self.active

    def _prepare_interaction_values(self):
        """Values with which an interaction about this document starts."""
        self.ensure_one()
        partner = self._get_interaction_partner()
        return {
            "res_model": self._name,
            "res_id": self.id,
            "partner_id": partner.id,
            "company_id": self._get_interaction_company().id,
        }

    def _prepare_interaction_chain_values(self):
        """Values of this document's chain: created with them, and kept equal to them."""
        self.ensure_one()
        return {
            "name": self.display_name or self._description,
            "res_model": self._name,
            "res_id": self.id,
            "partner_id": self._get_interaction_partner().id,
            "user_id": self.user_id.id if "user_id" in self._fields else False,
            "company_id": self.company_id.id if "company_id" in self._fields else False,
        }

    @api.model
    def _get_interaction_chain_triggers(self):
        """Fields of the document from which its chain takes values."""
        return {"name", "partner_id", "user_id", "company_id"}

    def _update_interaction_chains(self):
        """Bring name, client, responsible and company of the chains up to date."""
        # sudo: the chain follows the document, whoever changes it
        for chain_sudo in self.sudo().interaction_chain_ids:
            document_sudo = self.sudo().browse(chain_sudo.res_id)
            values = document_sudo._prepare_interaction_chain_values()
            changed = {
                name: value
                for name, value in values.items()
                if name not in ("res_model", "res_id")
                and chain_sudo._fields[name].convert_to_write(chain_sudo[name], chain_sudo) != value
            }
            if changed:
                chain_sudo.write(changed)

    def _merge_interaction_chains(self, others):
        """Move the conversations about `others` to this document, which replaces them."""
        self.ensure_one()
        Chain = self.env["crm.interaction.chain"]
        chains = Chain._find_for_documents(others)
        if chains:
            target = Chain._open_for_documents(self)[self.id]
            Chain.browse([chain.id for chain in chains.values()])._merge_into(target)

    # ------------------------------------------------------------
    # ACTIONS
    # ------------------------------------------------------------

    def action_view_interactions(self):
        """Open the interactions of these documents."""
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "crm_extended.crm_interaction_action_document"
        )
        action["domain"] = self._get_interaction_domain()
        context = {}
        if len(self) == 1:
            context = {
                f"default_{name}": value
                for name, value in self._prepare_interaction_values().items()
            }
        action["context"] = context
        return action

    def action_log_interaction(self):
        """Open the dialog in which an interaction about this document is entered."""
        self.ensure_one()
        return self.env["crm.interaction"]._get_log_action(
            {f"default_{name}": value for name, value in self._prepare_interaction_values().items()}
        )

    def action_plan_interaction(self):
        """Open the dialog in which an interaction about this document is planned."""
        self.ensure_one()
        return self.env["crm.interaction"]._get_plan_action(
            {f"default_{name}": value for name, value in self._prepare_interaction_values().items()}
        )

    # ------------------------------------------------------------
    # OUTCOMES
    # ------------------------------------------------------------

    def action_record_outcome(
        self, outcome_id, key=None, note=None, callback=None, agreed=False, phone=None
    ):
        """Record how an attempt to reach the client of this document ended.

        :param int outcome_id: the crm.interaction.outcome
        :param int key: `interaction_attempt_key` of the screen on which the button was pressed
        :param str note: what was said
        :param callback: agreed moment of the next call (naive, UTC; a datetime or its string),
            for an outcome that asks for it
        :param bool agreed: the client wants to be called then, even outside the calling hours
        :param str phone: another number instead of a wrong one, empty if none is known
        :return: True, or an action: before recording a dialog that asks for what the outcome
            needs; afterwards a dialog about the loss of the deal, or the list of deals if this
            one is in other hands now
        :raise UserError: if this attempt has been recorded already, or an answer is wrong
        """
        self.ensure_one()
        self.check_access("write")
        outcome = self.env["crm.interaction.outcome"].browse(outcome_id)
        question = outcome._get_question_action(self, key, note, callback, phone)
        if question:
            return question
        chain = self.env["crm.interaction.chain"]._open_for_documents(self)[self.id]
        chain._record_outcome(
            outcome, key=key, note=note, callback=callback, agreed=agreed, phone=phone
        )
        if not self.has_access("read"):
            return self._get_interaction_left_action() or True
        return chain._get_follow_up_action(outcome) or True

    def _interaction_give_up(self, outcome):
        """What becomes of the document when the last attempt of a ladder has failed.

        :raise UserError: if the document does not allow it; the reason is then shown to the
            responsible
        """

    def _get_interaction_lost_action(self):
        """Dialog that asks whether the document is lost, or None if there is nothing to lose."""
        return None

    def _get_interaction_left_action(self):
        """Where the user goes from a document that is in other hands now, or None."""
        return None
