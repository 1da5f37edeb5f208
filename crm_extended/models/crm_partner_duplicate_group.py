from itertools import combinations

from odoo import Command, api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import SQL

from ..tools.duplicate_evidence import LIKELY
from ..tools.duplicate_groups import group_pairs

# Odoo merges at most three at once: the card that stays and two others
MERGED_AT_ONCE = 2
# what somebody decides about a group
OPEN_FIELDS = {"partner_ids", "target_id"}


class CrmPartnerDuplicateGroup(models.Model):
    """Cards that are probably one client, to be looked at by a person.

    Groups are formed from the pairs to review whenever these change: the best pair first; cards
    with two different tax numbers, or which somebody has told apart, never come into one group.
    Nothing is merged on its own. Somebody takes out of the group what does not belong there,
    chooses the card that stays and merges, or says that it is no duplicate.
    """

    _name = "crm.partner.duplicate.group"
    _description = "Group of Possible Duplicates"
    _order = "score desc, id"

    name = fields.Char(compute="_compute_name")
    partner_ids = fields.Many2many(
        "res.partner",
        "crm_partner_duplicate_group_rel",
        "group_id",
        "partner_id",
        string="Clients",
        context={"active_test": False},
    )
    target_id = fields.Many2one(
        "res.partner",
        "Card That Stays",
        domain="[('id', 'in', partner_ids)]",
        ondelete="set null",
        help="The others are merged into it.",
    )
    pair_ids = fields.One2many("crm.partner.duplicate", "group_id", "Why", readonly=True)
    score = fields.Float("Likeness", digits=(3, 2), readonly=True, aggregator="avg")
    size = fields.Integer("Cards", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True, index=True)
    reason_text = fields.Char("Reasons", compute="_compute_reason_text")

    @api.depends("partner_ids")
    def _compute_name(self):
        for group in self:
            # sudo: a group is shown to those who may see its pairs; names as far as they may
            partners = group.partner_ids._filtered_access("read")
            group.name = " / ".join(dict.fromkeys(partners.mapped("display_name")))

    @api.depends("pair_ids.reasons")
    @api.depends_context("lang")
    def _compute_reason_text(self):
        for group in self:
            reasons = [pair.reason_text for pair in group.pair_ids if pair.reason_text]
            words = dict.fromkeys(word for text in reasons for word in text.split(", "))
            group.reason_text = ", ".join(list(words)[:5])

    def write(self, vals):
        if not self.env.su and not OPEN_FIELDS.issuperset(vals):
            raise AccessError(
                self.env._(
                    "Of a group of duplicates only its clients and the card that stays are chosen."
                )
            )
        return super().write(vals)

    # ------------------------------------------------------------
    # FORMING
    # ------------------------------------------------------------

    @api.model
    def _regroup(self, partner_ids=None):
        """Form the groups of these partners, or all groups, anew from the pairs to review.

        :param partner_ids: set of ids; None for all
        """
        Pair = self.env["crm.partner.duplicate"]
        Pair.flush_model()
        self.flush_model()
        if partner_ids is not None:
            partner_ids = self._get_neighbours(partner_ids)
        condition = SQL(
            "(%(all)s OR partner_id = ANY(%(ids)s) OR other_id = ANY(%(ids)s))",
            all=partner_ids is None,
            ids=list(partner_ids or ()),
        )
        pairs = self.env.execute_query(
            SQL(
                """
                SELECT score, partner_id, other_id FROM crm_partner_duplicate
                 WHERE state = 'open' AND %s
                """,
                condition,
            )
        )
        apart = self.env.execute_query(
            SQL(
                """
                SELECT partner_id, other_id FROM crm_partner_duplicate
                 WHERE state = 'rejected' AND %s
                """,
                condition,
            )
        )
        members = {member for _score, *ids in pairs for member in ids}
        numbers = self._get_numbers(members)
        groups = group_pairs(pairs, LIKELY, apart, numbers)
        self._replace_groups(groups, partner_ids)

    @api.model
    def _get_neighbours(self, partner_ids):
        """These partners and those that they are grouped with or alike to, near and far."""
        seen, fresh = set(), set(partner_ids)
        while fresh and len(seen) < 2000:
            seen |= fresh
            rows = self.env.execute_query(
                SQL(
                    """
                    SELECT other_id FROM crm_partner_duplicate
                     WHERE state = 'open' AND partner_id = ANY(%(ids)s)
                     UNION
                    SELECT partner_id FROM crm_partner_duplicate
                     WHERE state = 'open' AND other_id = ANY(%(ids)s)
                     UNION
                    SELECT r.partner_id FROM crm_partner_duplicate_group_rel r
                      JOIN crm_partner_duplicate_group_rel s ON s.group_id = r.group_id
                     WHERE s.partner_id = ANY(%(ids)s)
                    """,
                    ids=list(fresh),
                )
            )
            fresh = {partner_id for (partner_id,) in rows} - seen
        return seen

    @api.model
    def _get_numbers(self, partner_ids):
        """Valid tax numbers by partner."""
        Fingerprint = self.env["crm.partner.fingerprint"]
        return {
            partner_id: card.vat
            for partner_id, card in Fingerprint._get_cards(partner_ids).items()
            if card.vat and card.is_vat_valid
        }

    @api.model
    def _replace_groups(self, groups, partner_ids):
        """Replace the groups of some partners, or all, by new ones; those that stay are kept."""
        wanted = {tuple(group) for group in groups}
        old = self.env.execute_query(
            SQL(
                """
                SELECT r.group_id, array_agg(r.partner_id ORDER BY r.partner_id)
                  FROM crm_partner_duplicate_group_rel r
                 WHERE %(all)s OR r.group_id IN (
                       SELECT group_id FROM crm_partner_duplicate_group_rel
                        WHERE partner_id = ANY(%(ids)s))
              GROUP BY r.group_id
                """,
                all=partner_ids is None,
                ids=list(partner_ids or ()),
            )
        )
        kept = {tuple(members): group_id for group_id, members in old if tuple(members) in wanted}
        gone = [group_id for group_id, members in old if tuple(members) not in wanted]
        self.browse(gone).exists().unlink()
        new = [group for group in sorted(wanted) if group not in kept]
        created = self.create([{"partner_ids": [Command.set(group)]} for group in new])
        created._refresh_facts()
        self.browse(kept.values())._refresh_facts()

    def _refresh_facts(self):
        """Score, size, company, pairs and the card that stays, in one go."""
        if not self:
            return
        self.flush_model()
        self.env.cr.execute(
            SQL(
                """
                UPDATE crm_partner_duplicate d SET group_id = a.group_id
                  FROM crm_partner_duplicate_group_rel a
                  JOIN crm_partner_duplicate_group_rel b ON b.group_id = a.group_id
                 WHERE a.group_id = ANY(%(ids)s) AND d.partner_id = a.partner_id
                   AND d.other_id = b.partner_id AND d.group_id IS DISTINCT FROM a.group_id;
                UPDATE crm_partner_duplicate_group g
                   SET size = f.size, company_id = f.company_id,
                       score = COALESCE(s.score, 0),
                       target_id = CASE WHEN g.target_id = ANY(f.members) THEN g.target_id
                                        ELSE f.target END
                  FROM (SELECT r.group_id, count(*) AS size, array_agg(p.id) AS members,
                               CASE WHEN count(DISTINCT p.company_id) = 1
                                    THEN MIN(p.company_id) END AS company_id,
                               (array_agg(p.id ORDER BY p.active DESC NULLS LAST,
                                  (p.vat IS NOT NULL) DESC, p.create_date, p.id))[1] AS target
                          FROM crm_partner_duplicate_group_rel r
                          JOIN res_partner p ON p.id = r.partner_id
                         WHERE r.group_id = ANY(%(ids)s)
                      GROUP BY r.group_id) f
             LEFT JOIN (SELECT group_id, MIN(score) AS score FROM crm_partner_duplicate
                         WHERE group_id = ANY(%(ids)s) AND state = 'open'
                      GROUP BY group_id) s ON s.group_id = f.group_id
                 WHERE g.id = f.group_id
                """,
                ids=self.ids,
            )
        )
        self.env.invalidate_all()

    # ------------------------------------------------------------
    # ACTIONS
    # ------------------------------------------------------------

    def action_merge(self):
        """Merge the cards of the group into the one that stays."""
        self.check_access("write")
        for group in self:
            partners, target = group.partner_ids, group.target_id
            if len(partners) < 2:
                raise UserError(self.env._("A group needs two clients to be merged."))
            if target not in partners:
                raise UserError(self.env._("Choose the card that stays among those of the group."))
            partners.check_access("write")
            self._check_colleagues(partners)
            # sudo: what points to the cards may belong to other departments; the user may merge
            wizard_sudo = self.env["base.partner.merge.automatic.wizard"].sudo()
            others = partners - target
            for start in range(0, len(others), MERGED_AT_ONCE):
                part = others[start : start + MERGED_AT_ONCE]
                wizard_sudo._merge((target + part).ids, target.sudo())
        return True

    @api.model
    def _check_colleagues(self, partners):
        """As where Odoo edits a card: that of a colleague is for who may edit users.

        His login would get the e-mail address of the card that stays, and with it a new password.

        :raise AccessError: if the user may not edit a colleague among these clients
        """
        # sudo: who is a colleague does not depend on who asks
        users_sudo = partners.sudo().with_context(active_test=False).user_ids
        colleagues_sudo = users_sudo.filtered(lambda user: user._is_internal())
        if colleagues := colleagues_sudo.sudo(False) - self.env.user:
            colleagues.check_access("write")

    def action_reject(self):
        """Remember for each two cards of these groups that they are not the same client."""
        self.check_access("write")
        Pair = self.env["crm.partner.duplicate"]
        for group in self:
            group.partner_ids.check_access("read")
            # sudo: pairs are written by the program alone; access was checked
            Pair.sudo()._remember_apart(combinations(sorted(group.partner_ids.ids), 2))
        return True
