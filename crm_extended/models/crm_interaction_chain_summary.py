from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.tools import SQL

EMPTY_SUMMARY = {
    "interaction_count": 0,
    "unhandled_count": 0,
    "date_first": False,
    "date_last": False,
    "date_next": False,
    "guest_user_ids": False,
}


class CrmInteractionChain(models.Model):
    """The summary of a conversation, by which lists of conversations are sorted and filtered.

    First and last contact are the earliest and the latest interaction that took place or that
    arrived; the next contact is the earliest one that is planned or postponed; unhandled are
    those that arrived and that nobody has taken care of. Guests are colleagues who are responsible
    for an interaction in somebody else's conversation: they see the conversation, too, and the
    record rules find them here without looking through the interactions.

    The summary is counted from the interactions and never set by hand. All conversations that
    a transaction has touched are counted in one statement, when the first of them is read or
    when the transaction ends. Two transactions that touch one conversation cannot both count
    without the interactions of the other: the later one fails on the row of the conversation,
    and Odoo runs its request again.
    """

    _inherit = "crm.interaction.chain"

    interaction_count = fields.Integer(
        string="Interactions Count", compute="_compute_summary", store=True
    )
    unhandled_count = fields.Integer(
        string="Unhandled",
        compute="_compute_summary",
        store=True,
        help="Interactions that arrived and that nobody has taken care of.",
    )
    date_first = fields.Datetime(string="First Contact", compute="_compute_summary", store=True)
    date_last = fields.Datetime(string="Last Contact", compute="_compute_summary", store=True)
    date_next = fields.Datetime(
        string="Next Contact",
        compute="_compute_summary",
        store=True,
        help="When the next planned or postponed interaction is due.",
    )
    guest_user_ids = fields.Many2many(
        "res.users",
        "crm_interaction_chain_guest_rel",
        "chain_id",
        "user_id",
        string="Guests",
        compute="_compute_summary",
        store=True,
        copy=False,
        help="Colleagues who are responsible for an interaction of this conversation.",
    )

    _order_idx = models.Index("(date_next, date_last DESC, id DESC)")

    @api.depends(
        "user_id",
        "interaction_ids.user_id",
        "interaction_ids.state",
        "interaction_ids.date_start",
        "interaction_ids.date_deadline",
    )
    def _compute_summary(self):
        stored = self._origin
        for chain in self:
            if chain not in stored:  # on a form that is being filled in
                chain.update({name: chain._origin[name] for name in EMPTY_SUMMARY})
        if not stored:
            return
        self.env["crm.interaction"].flush_model(
            ["chain_id", "user_id", "state", "date_start", "date_deadline"]
        )
        self.flush_model(["user_id"])
        # Rows that end up with the values they had are written, too: only a written row makes
        # a transaction fail that counted at the same time. The rows are locked in the order of
        # their ids, so that two transactions wait for each other in one direction only.
        self.env.cr.execute(
            SQL(
                """
                WITH touched AS MATERIALIZED (
                    SELECT id, user_id FROM crm_interaction_chain
                     WHERE id = ANY(%(ids)s)
                     ORDER BY id
                       FOR NO KEY UPDATE
                ), summary AS (
                    SELECT touched.id,
                           count(i.id) AS interaction_count,
                           count(*) FILTER (WHERE i.state = 'new') AS unhandled_count,
                           min(i.date_start) FILTER (WHERE i.state IN ('new', 'done'))
                               AS date_first,
                           max(i.date_start) FILTER (WHERE i.state IN ('new', 'done'))
                               AS date_last,
                           min(i.date_deadline) FILTER (WHERE i.state IN ('planned', 'postponed'))
                               AS date_next
                      FROM touched
                 LEFT JOIN crm_interaction i ON i.chain_id = touched.id
                  GROUP BY touched.id
                ), guest AS (
                    SELECT DISTINCT touched.id AS chain_id, i.user_id
                      FROM touched
                      JOIN crm_interaction i ON i.chain_id = touched.id
                     WHERE i.user_id IS NOT NULL AND i.user_id IS DISTINCT FROM touched.user_id
                ), gone AS (
                    DELETE FROM crm_interaction_chain_guest_rel rel
                     USING touched
                     WHERE rel.chain_id = touched.id
                       AND (rel.chain_id, rel.user_id) NOT IN (SELECT chain_id, user_id FROM guest)
                ), come AS (
                    INSERT INTO crm_interaction_chain_guest_rel (chain_id, user_id)
                    SELECT chain_id, user_id FROM guest
                    ON CONFLICT DO NOTHING
                )
                UPDATE crm_interaction_chain chain
                   SET interaction_count = summary.interaction_count,
                       unhandled_count = summary.unhandled_count,
                       date_first = summary.date_first,
                       date_last = summary.date_last,
                       date_next = summary.date_next
                  FROM summary
                 WHERE chain.id = summary.id
                """,
                ids=stored.ids,
            )
        )
        stored.invalidate_recordset(list(EMPTY_SUMMARY), flush=False)

    @api.model_create_multi
    def create(self, vals_list):
        chains = super().create([{**vals, **EMPTY_SUMMARY} for vals in vals_list])
        # nothing to count yet
        empty = self.browse(
            chain.id
            for chain, vals in zip(chains, vals_list, strict=True)
            if not vals.get("interaction_ids")
        )
        for name in EMPTY_SUMMARY:
            self.env.remove_to_compute(self._fields[name], empty)
        return chains

    def write(self, vals):
        if not self.env.su and not EMPTY_SUMMARY.keys().isdisjoint(vals):
            raise AccessError(
                self.env._(
                    "First, last and next contact and the counts of a conversation follow its "
                    "interactions: they cannot be set by hand."
                )
            )
        return super().write(vals)
