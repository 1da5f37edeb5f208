from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from ..tools.time_zone import find_time_zone

GROUP = "crm_extended.crm_interactions_group_user"
# after all calls that are due
RANK_LATER = 1000


class CrmInteraction(models.Model):
    """A call as a row of *My Calls*: whom to call now, and what is known before dialling.

    Calls that are due come first, the most important ones on top (`_get_call_importance_sql`,
    which says nothing here: scoring adds the class of the deal), then the oldest. Calls for
    later follow by their time.

    A missed call is listed until its call back is planned: then that one is.

    The number and the clock are those of the document, else of the client, else of whoever
    called without being known yet.
    """

    _inherit = "crm.interaction"

    client_name = fields.Char(string="Client Name", compute="_compute_client_phone", groups=GROUP)
    client_phone = fields.Char(string="Phone", compute="_compute_client_phone", groups=GROUP)
    is_phone_wrong = fields.Boolean(
        string="Wrong Number", compute="_compute_client_phone", groups=GROUP
    )
    client_clock = fields.Json(
        string="Client's Time", compute="_compute_client_clock", groups=GROUP
    )
    call_rank = fields.Integer(
        string="Order of Calls", compute="_compute_call_rank", aggregator=None
    )
    attempt_label = fields.Char(
        string="Which Attempt",
        compute="_compute_attempt_label",
        groups=GROUP,
        help="Attempts to reach the client since the last contact, and how many there will be.",
    )
    last_outcome_id = fields.Many2one(
        "crm.interaction.outcome",
        string="Last Outcome",
        compute="_compute_last_outcome",
        groups=GROUP,
    )
    last_note = fields.Text(string="Last Note", compute="_compute_last_outcome", groups=GROUP)

    is_call_back_planned = fields.Boolean(
        string="Call Back Planned",
        compute="_compute_is_call_back_planned",
        search="_search_is_call_back_planned",
        help="A missed call for which the call back is in the list already.",
    )

    # ------------------------------------------------------------
    # NUMBER AND CLOCK
    # ------------------------------------------------------------

    def _get_client_documents_sudo(self):
        """What each call is about, else its client.

        :return: dict interaction → record with `crm.interaction.mixin`, empty if nothing is known
        """
        # sudo: whoever was asked to call has to know the number, if not the whole deal
        documents = {}
        known_models = self.env["crm.interaction.chain"]._get_document_models()
        for res_model, interactions in self.sudo().grouped("res_model").items():
            ids = []
            if res_model in known_models:
                ids = self.env[res_model].sudo().browse(interactions.mapped("res_id")).exists()._ids
            for interaction_sudo in interactions:
                documents[interaction_sudo.sudo(False)] = (
                    self.env[res_model].sudo().browse(interaction_sudo.res_id).with_prefetch(ids)
                    if interaction_sudo.res_id in ids
                    else interaction_sudo.partner_id
                )
        return documents

    def _get_participant_phone(self):
        """Number of somebody who called and is not known as a client."""
        self.ensure_one()
        return next((line.phone for line in self.sudo().participant_ids if line.phone), False)

    def _get_participant_name(self):
        """Name of somebody who called and is not known as a client."""
        self.ensure_one()
        return next((line.name for line in self.sudo().participant_ids if line.name), False)

    @api.depends("res_model", "res_id", "partner_id", "participant_ids.phone")
    def _compute_client_phone(self):
        documents = self._get_client_documents_sudo()
        for interaction in self:
            document_sudo = documents.get(interaction)
            phone = document_sudo and document_sudo._get_interaction_phone()
            interaction.is_phone_wrong = bool(phone) and document_sudo._has_wrong_phone()
            interaction.client_phone = phone or interaction._get_participant_phone()
            interaction.client_name = (
                # sudo: as the number
                interaction.sudo().partner_id.display_name
                or interaction._get_participant_name()
                or interaction.subject
            )

    @api.depends("res_model", "res_id", "partner_id", "participant_ids.phone")
    @api.depends_context("lang", "company")
    def _compute_client_clock(self):
        documents = self._get_client_documents_sudo()
        for interaction in self:
            document_sudo = documents.get(interaction)
            interaction.client_clock = (
                document_sudo.client_clock if document_sudo else interaction._get_unknown_clock()
            )

    def _get_unknown_clock(self):
        """The clock of somebody of whom only the number is known."""
        self.ensure_one()
        # sudo: the company's country and schedule, which everybody knows
        company = (self.company_id or self.env.company).sudo()
        name, source = find_time_zone(
            phone=self._get_participant_phone(),
            country_code=company.country_id.code,
            default=company.partner_id.tz or company.resource_calendar_id.tz,
        )
        return self.env["crm.interaction.mixin"]._prepare_client_clock(
            name, source, company._get_calling_window()
        )

    # ------------------------------------------------------------
    # ORDER
    # ------------------------------------------------------------

    def _compute_call_rank(self):
        ranks = {}
        if self.ids:
            query = self.env["crm.interaction"].sudo()._search([("id", "in", self.ids)])
            rank = self._get_call_rank_sql(query.table, query)
            ranks = dict(
                self.env.execute_query(query.select(SQL.identifier(query.table, "id"), rank))
            )
        for interaction in self:
            interaction.call_rank = ranks.get(interaction.id, RANK_LATER)

    @api.model
    def _get_call_rank_sql(self, alias, query):
        """Rank of a call in the order of calls: those that are due first, by importance."""
        return SQL(
            """CASE WHEN %(state)s IN ('new', 'planned', 'postponed') AND %(deadline)s <= %(now)s
                    THEN %(importance)s ELSE %(later)s END""",
            state=self._field_to_sql(alias, "state", query),
            deadline=self._field_to_sql(alias, "date_deadline", query),
            now=fields.Datetime.now(),
            importance=self._get_call_importance_sql(alias, query),
            later=RANK_LATER,
        )

    @api.model
    def _get_call_importance_sql(self, alias, query):
        """Importance of a call that is due, 0 for the most important; other add-ons tell them
        apart.

        :param str alias: name of the table of interactions in the query
        :param query: the query in which the expression is used
        :return: SQL expression, an integer below 1000
        """
        return SQL("0")

    def _order_field_to_sql(self, alias, field_name, direction, nulls, query):
        if field_name == "call_rank":
            return SQL("%s %s %s", self._get_call_rank_sql(alias, query), direction, nulls)
        return super()._order_field_to_sql(alias, field_name, direction, nulls, query)

    # ------------------------------------------------------------
    # ATTEMPTS
    # ------------------------------------------------------------

    @api.depends("chain_id.interaction_ids.state", "chain_id.interaction_ids.outcome_id")
    def _compute_attempt_label(self):
        counts = self.chain_id._get_attempt_counts()
        for interaction in self:
            if interaction.state not in ("new", "planned", "postponed"):
                interaction.attempt_label = str(interaction.attempt_number or "")
                continue
            made = counts.get(interaction.chain_id.id, 0)
            ladder = made and interaction.last_outcome_id.retry_ids
            interaction.attempt_label = (
                self.env._("%(number)s of %(total)s", number=made + 1, total=len(ladder) + 1)
                if ladder
                else str(made + 1)
            )

    @api.depends("chain_id.interaction_ids.state", "chain_id.interaction_ids.outcome_id")
    def _compute_last_outcome(self):
        last = {}
        if self.chain_id:
            # under the rules of the user: a colleague's note is not shown by the way
            query = self.env["crm.interaction"]._search(
                Domain("chain_id", "in", self.chain_id.ids)
                & Domain("state", "=", "done")
                & (Domain("outcome_id", "!=", False) | Domain("result_note", "!=", False))
            )
            last = {
                chain_id: (outcome_id, note)
                for chain_id, outcome_id, note in self.env.execute_query(
                    SQL(
                        """
                        SELECT DISTINCT ON (chain_id) chain_id, outcome_id, result_note
                          FROM crm_interaction
                         WHERE id IN %s
                         ORDER BY chain_id, date_start DESC, id DESC
                        """,
                        query.subselect(),
                    )
                )
            }
        for interaction in self:
            outcome_id, note = last.get(interaction.chain_id.id, (False, False))
            interaction.last_outcome_id = outcome_id
            interaction.last_note = note

    # ------------------------------------------------------------
    # MISSED CALLS
    # ------------------------------------------------------------

    @api.model
    def _get_call_back_domain(self):
        """Calls that are planned because the client has called or was not reached."""
        return (
            Domain("kind", "=", "call")
            & Domain("direction", "!=", "in")
            & Domain("state", "in", ("planned", "postponed"))
            & (Domain("attempt_number", ">", 0) | Domain("parent_id.direction", "=", "in"))
        )

    @api.depends("chain_id.interaction_ids.state")
    def _compute_is_call_back_planned(self):
        planned = self.search(
            self._get_call_back_domain() & Domain("chain_id", "in", self.chain_id.ids)
        ).chain_id
        for interaction in self:
            interaction.is_call_back_planned = (
                interaction.direction == "in"
                and interaction.state == "new"
                and interaction.chain_id in planned
            )

    def _search_is_call_back_planned(self, operator, value):
        if operator != "in":
            return NotImplemented
        return (
            Domain("direction", "=", "in")
            & Domain("state", "=", "new")
            & Domain("chain_id.interaction_ids", "any", self._get_call_back_domain())
        )

    # ------------------------------------------------------------
    # COUNTERS
    # ------------------------------------------------------------

    @api.model
    def _get_call_counter_domains(self):
        """What *My Calls* counts: the same as its filters of these names.

        :return: dict name of the filter → domain
        """
        pending = Domain("state", "in", ("new", "planned", "postponed"))
        return {
            "due_now": pending & Domain("date_deadline", "<=", "now"),
            "later_today": pending
            & Domain("date_deadline", ">", "now")
            & Domain("date_deadline", "<", "today +1d"),
            "done_today": Domain("state", "=", "done")
            & Domain("outcome_id", "!=", False)
            & Domain("date_start", ">=", "today"),
        }

    @api.model
    @api.readonly
    def get_call_counters(self):
        """Number of the user's own calls: due now, later today, done today.

        :return: dict name of the filter → number
        """
        mine = (
            Domain("kind", "=", "call")
            & Domain("is_call_back_planned", "=", False)
            & Domain("user_id", "=", self.env.uid)
        )
        return {
            name: self.search_count(mine & domain)
            for name, domain in self._get_call_counter_domains().items()
        }
