from markupsafe import Markup
from odoo import api, fields, models
from odoo.tools import SQL

from ..exceptions import KnownClient
from ..tools.duplicate_evidence import CERTAIN, LIKELY, compare
from ..tools.duplicate_keys import get_exact_keys, get_hash

# where Odoo itself makes partners nobody can be asked; an object cannot be sent by a client
UNASKED = object()
UNASKED_KEY = "crm_duplicates_unasked"
# keys of which two users must not enter the same at the same moment
GUARDED = ("vat", "registry", "phone", "email", "account", "name")


class ResPartner(models.Model):
    """One client is one card: whoever enters it, whatever the way.

    Each company chooses a mode. *Off*: nothing is checked. *Warn*: the form shows similar clients
    while somebody types; what is saved all the same is listed for review. *Block*: an employee
    cannot save a client who is certainly known already, by any road (form, assistant, import,
    lead, RPC), nor change a card into one. Who has the right "Create duplicates" may do so with
    a reason, which stays on the card.

    Where nobody can be asked (mail, sign-up on the website, jobs, users and companies, other
    add-ons under their own rights), nothing is ever refused: the card is looked at in the
    background and, if need be, listed for review.

    A client of another company of ours is no duplicate, because nobody here could use that card;
    a card which the user may not see counts, but is only named "a client you cannot see".
    """

    _inherit = "res.partner"

    # customers read the cards of their colleagues
    crm_birthdate = fields.Date(
        "Date of Birth", groups="base.group_user", help="Tells namesakes apart."
    )
    crm_duplicate_reason = fields.Char(
        "Reason for a Duplicate",
        tracking=True,
        copy=False,
        help="Why this client was entered although a similar one was known.",
    )
    crm_duplicate_count = fields.Integer(
        compute="_compute_crm_duplicate_count", string="Possible Duplicates"
    )

    crm_merge_count = fields.Integer(compute="_compute_crm_merge_count", string="Merges")

    def _compute_crm_duplicate_count(self):
        self.crm_duplicate_count = 0
        Duplicate = self.env["crm.partner.duplicate"]
        if not Duplicate.has_access("read"):
            return
        for side in ("partner_id", "other_id"):
            for partner, count in Duplicate._read_group(
                [(side, "in", self.ids), ("state", "=", "open")], [side], ["__count"]
            ):
                partner.crm_duplicate_count += count

    def _compute_crm_merge_count(self):
        self.crm_merge_count = 0
        Merge = self.env["crm.partner.merge"]
        if Merge.has_access("read"):
            for partner, count in Merge._read_group(
                [("partner_id", "in", self.ids)], ["partner_id"], ["__count"]
            ):
                partner.crm_merge_count = count

    def action_view_duplicates(self):
        """Open the pairs to review of this client."""
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "crm_extended.crm_partner_duplicate_action"
        )
        return action | {
            "domain": [
                ("state", "=", "open"),
                "|", ("partner_id", "in", self.ids), ("other_id", "in", self.ids),
            ]
        }  # fmt: skip

    def action_view_merges(self):
        """Open the merges into this client."""
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "crm_extended.crm_partner_merge_action"
        )
        return action | {"domain": [("partner_id", "in", self.ids)]}

    # ------------------------------------------------------------
    # CRUD
    # ------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        partners = super().create(vals_list)
        asked = partners.filtered(lambda p: p._is_duplicate_asked())
        blocked = asked.filtered(lambda p: p._get_duplicate_mode() == "block")
        Fingerprint = self.env["crm.partner.fingerprint"].sudo()
        if blocked:
            blocked._guard_duplicates()
        if asked:
            Fingerprint._refresh(asked.ids)
        if partners - asked:
            unchecked = (partners - asked).filtered(lambda p: p._get_duplicate_mode() != "off")
            Fingerprint._refresh(unchecked.ids, unchecked=True)
            Fingerprint._refresh((partners - asked - unchecked).ids)
        asked._control_duplicates()
        return partners

    def write(self, vals):
        if not self._changes_identity(vals):
            return super().write(vals)
        before = {}
        if "company_id" not in vals:
            # in another company, other cards count
            before = self.env["crm.partner.fingerprint"].sudo()._get_cards(self.ids)
        # who leaves his company is no longer part of its card
        families = {
            partner.id: partner._get_family_ids() for partner in self if "parent_id" in vals
        }
        result = super().write(vals)
        self._identity_changed(before, families)
        return result

    @api.model
    def _changes_identity(self, vals):
        names = self.env["crm.partner.fingerprint"]._get_partner_fields()
        return any(name in vals for name in (*names, "company_id"))

    def _identity_changed(self, before, families=None):
        """Store what these partners are compared by, and look whether they became duplicates.

        :param dict before: fingerprints by id before the change
        :param dict families: ids of the cards above and below by id before the change
        """
        Fingerprint = self.env["crm.partner.fingerprint"].sudo()
        asked = self.filtered(lambda p: p._is_duplicate_asked())
        blocked = asked.filtered(lambda p: p._get_duplicate_mode() == "block")
        if blocked:
            blocked._guard_duplicates()
        Fingerprint._refresh(asked.ids)
        if others := self - asked:
            quiet = others.filtered(lambda p: p._get_duplicate_mode() == "off")
            Fingerprint._refresh(quiet.ids)
            Fingerprint._refresh((others - quiet).ids, unchecked=True)
        asked._control_duplicates(before, families)

    # ------------------------------------------------------------
    # CONTROL
    # ------------------------------------------------------------

    def _is_duplicate_asked(self):
        """Whether this card is entered by an employee who can answer for it."""
        if self.env.su or self.env.context.get(UNASKED_KEY) is UNASKED:
            return False
        # sudo: whether it is the card of a colleague or of a company of ours
        partner_sudo = self.sudo()
        own = partner_sudo.ref_company_ids or partner_sudo.user_ids.filtered(
            lambda user_sudo: not user_sudo.share
        )
        return self.env.user._is_internal() and not own

    @api.model
    def _find_or_create_from_emails(self, emails, *args, **kwargs):
        """Senders and recipients of mails get their cards whoever they are."""
        partners = super(
            ResPartner, self.with_context(**{UNASKED_KEY: UNASKED})
        )._find_or_create_from_emails(emails, *args, **kwargs)
        return [partner.with_env(self.env) for partner in partners]

    def _get_duplicate_mode(self):
        """Mode of the company that this card belongs to."""
        # sudo: the mode is a setting of the company, also for those who may not read it
        return (self.company_id or self.env.company).sudo().crm_duplicate_mode

    def _guard_duplicates(self):
        """Let two transactions that enter the same client wait for each other.

        Neither could see the card of the other. The later one fails with a serialization error,
        is repeated by Odoo, and then finds the card of the first.
        """
        cards = self.env["crm.partner.fingerprint"].sudo()._read_cards(self.ids).values()
        keys = sorted(
            {
                get_hash(kind, value)
                for card in cards
                for kind, value in get_exact_keys(card)
                if kind in GUARDED
            }
        )
        self.env.execute_query(
            SQL(
                """
                INSERT INTO crm_partner_guard (key) SELECT unnest(%s::bigint[])
           ON CONFLICT (key) DO UPDATE SET turn = crm_partner_guard.turn + 1 RETURNING 1
                """,
                keys,
            )
        )

    def _control_duplicates(self, before=None, families=None):
        """Refuse or list these partners if they are known already.

        :param dict before: their fingerprints before a change; what was alike then is not new
        :param dict families: cards above and below before a change; these were no duplicates then
        :raise KnownClient: in mode "block"; names the known clients, and what to do
        """
        partners = self.filtered(lambda p: p._get_duplicate_mode() != "off")
        if not partners:
            return
        Fingerprint = self.env["crm.partner.fingerprint"].sudo()
        cards = Fingerprint._get_cards(partners.ids)
        partners = partners.filtered(lambda p: p.id in cards)
        found = Fingerprint._search_cards(
            [cards[partner.id] for partner in partners],
            exclude=[partner._get_family_ids() for partner in partners],
            minimum=LIKELY,
        )
        decided = self.env["crm.partner.duplicate"].sudo()._get_decided(partners.ids)
        # sudo: cards that the user may not see count, too
        known = self.sudo().browse({pair[0] for candidates in found for pair in candidates})
        known_cards = Fingerprint._get_cards(known.ids) if before else {}
        rarity = Fingerprint._get_rarity([*(before or {}).values(), *known_cards.values()])
        pairs = []
        for partner, candidates in zip(partners, found, strict=True):
            usable = set(known._filter_usable_for(partner).ids)
            candidates = [
                (candidate, evidence)
                for candidate, evidence in candidates
                if evidence.kind == "duplicate"
                and candidate in usable
                and frozenset((partner.id, candidate)) not in decided
            ]
            old = before and before.get(partner.id)
            family = (families or {}).get(partner.id, ())
            was = {
                candidate: compare(old, known_cards[candidate], rarity).score
                if old and candidate not in family
                else 0
                for candidate, _evidence in candidates
            }
            state = "open"
            if partner._get_duplicate_mode() == "block":
                certain = [
                    (candidate, evidence)
                    for candidate, evidence in candidates
                    if evidence.score >= CERTAIN > was[candidate]
                ]
                if certain:
                    partner._check_duplicate_reason(certain)
                    state = "accepted"
            pairs += [
                (partner.id, candidate, evidence, state)
                for candidate, evidence in candidates
                if was[candidate] < LIKELY or state == "accepted"
            ]
        self.env["crm.partner.duplicate"].sudo()._store(pairs)

    def _check_duplicate_reason(self, candidates):
        """Let those pass who may and say why; the reason and the known clients stay on the card.

        :param candidates: list of (partner id, Evidence)
        """
        reason = (self.crm_duplicate_reason or "").strip()
        allowed = self.env.user.has_group("crm_extended.crm_duplicates_group_creator")
        shown = self._describe_candidates(candidates)
        lines = [f"{row['name']} ({', '.join(row['reasons']) or row['percent']})" for row in shown]
        names = "\n".join(f"• {line}" for line in lines)
        if not allowed or not reason:
            if allowed:
                remedy = self.env._(
                    "Open the known client instead, or enter the reason for a duplicate."
                )
            else:
                remedy = self.env._(
                    "Open the known client instead. If it is somebody else, ask a colleague who "
                    "has the right to create duplicates."
                )
            raise KnownClient(
                self.env._(
                    "“%(name)s” is already known:\n%(names)s\n\n%(remedy)s",
                    name=self.display_name,
                    names=names,
                    remedy=remedy,
                )
            )
        self.message_post(
            body=Markup("<p>%s</p><ul>%s</ul>")
            % (
                self.env._(
                    "Entered although similar clients were known. Reason: %(reason)s",
                    reason=reason,
                ),
                Markup().join(Markup("<li>%s</li>") % line for line in lines),
            )
        )

    def _filter_usable_for(self, partner):
        """Those of these cards that could be used instead of `partner`."""
        company = partner.company_id or self.env.company
        return self.filtered(lambda known: known.company_id in (company, company.browse()))

    def _get_family_ids(self):
        """Cards that are no duplicates of this one by their place: itself, above and below it."""
        family = {self.id}
        parent = self.parent_id
        while parent and parent.id not in family:
            family.add(parent.id)
            parent = parent.parent_id
        # sudo: contacts that the user may not see are contacts all the same
        return family | set(self.sudo().with_context(active_test=False).child_ids.ids)
