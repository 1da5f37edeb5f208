import json

from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.tools import SQL
from odoo.tools.misc import formatLang

from ..tools.duplicate_evidence import LIKELY


class CrmPartnerDuplicate(models.Model):
    """Two cards that may be one client, why, and what somebody has decided about it.

    *To review* pairs come from the search through all clients, and from clients that were entered
    although a similar one was known. *Not a duplicate* is remembered for ever: neither search nor
    form names the pair again. *Entered with a reason* were accepted by whoever created the second
    card. A pair goes with either of its cards; when they are merged it has done its work.
    """

    _name = "crm.partner.duplicate"
    _description = "Possible Duplicate"
    _order = "score desc, id"
    _rec_name = "partner_id"

    partner_id = fields.Many2one(
        "res.partner", "Client", required=True, readonly=True, ondelete="cascade", index=True
    )
    other_id = fields.Many2one(
        "res.partner", "Other Client", required=True, readonly=True, ondelete="cascade", index=True
    )
    score = fields.Float("Likeness", readonly=True, digits=(3, 2), aggregator="avg")
    reasons = fields.Char("Reason Codes", readonly=True)
    reason_text = fields.Char("Reasons", compute="_compute_reason_text")
    state = fields.Selection(
        [
            ("open", "To Review"),
            ("rejected", "Not a Duplicate"),
            ("accepted", "Entered with a Reason"),
        ],
        required=True,
        readonly=True,
        default="open",
        index=True,
    )
    group_id = fields.Many2one(
        "crm.partner.duplicate.group", readonly=True, ondelete="set null", index=True
    )
    decision_user_id = fields.Many2one("res.users", "Decided by", readonly=True)
    decision_date = fields.Datetime("Decided on", readonly=True)

    _pair_uniq = models.Constraint(
        "unique(partner_id, other_id)", "This pair is already in the list.",
    )  # fmt: skip
    _pair_order = models.Constraint("CHECK (partner_id < other_id)", "The older card comes first.")

    @api.depends("reasons")
    @api.depends_context("lang")
    def _compute_reason_text(self):
        for pair in self:
            pair.reason_text = ", ".join(
                self._get_reason_texts(
                    [tuple(reason) for reason in json.loads(pair.reasons or "[]")]
                )
            )

    @api.model
    def _get_reason_texts(self, reasons):
        """Reasons in words.

        :param reasons: pairs of a code and a value, as in Evidence
        :return: list of str
        """
        texts = {
            "number_kpp": self.env._("same INN and KPP"),
            "number": self.env._("same tax number"),
            "branch": self.env._("same INN, other KPP: a branch"),
            "other_number": self.env._("other tax number"),
            "near_number": self.env._("tax number differs by one digit"),
            "registry": self.env._("same registration number"),
            "email": self.env._("same e-mail"),
            "phone": self.env._("same phone"),
            "account": self.env._("same bank account"),
            "reference": self.env._("same reference"),
            "near_reference": self.env._("reference differs by one character"),
            "birthdate": self.env._("same date of birth"),
            "address": self.env._("same address"),
        }
        lines = []
        codes = dict(reasons)
        if "other_number" in codes and (codes.get("name") or 0) == 1:
            texts["other_number"] = self.env._("same name, other INN")
            reasons = [reason for reason in reasons if reason[0] != "name"]
        for code, value in reasons:
            if code == "name":
                lines.append(
                    self.env._("names alike %(ratio)s", ratio=formatLang(self.env, value, digits=2))
                )
            elif code in texts:
                lines.append(texts[code])
        return lines

    def write(self, vals):
        if not self.env.su:
            raise AccessError(
                self.env._(
                    "Possible duplicates are found by the program: decide about them by the "
                    "buttons Not a Duplicate and Review Again."
                )
            )
        return super().write(vals)

    # ------------------------------------------------------------
    # STORING
    # ------------------------------------------------------------

    @api.model
    def _get_decided(self, partner_ids):
        """Pairs of these partners about which somebody has decided.

        :return: set of frozensets of two ids
        """
        rows = self.env.execute_query(
            SQL(
                """
                SELECT partner_id, other_id FROM crm_partner_duplicate
                 WHERE state != 'open' AND partner_id = ANY(%(ids)s)
                 UNION ALL
                SELECT partner_id, other_id FROM crm_partner_duplicate
                 WHERE state != 'open' AND other_id = ANY(%(ids)s)
                """,
                ids=list(partner_ids),
            )
        )
        return {frozenset(row) for row in rows}

    @api.model
    def _store(self, pairs, regroup=True):
        """Store pairs; those about which somebody has decided stay as they are.

        :param pairs: list of (partner id, other partner id, Evidence, state)
        :param bool regroup: form the groups of these partners anew
        """
        if not pairs:
            return
        rows = {}
        for partner_id, other_id, evidence, state in pairs:
            ids = (min(partner_id, other_id), max(partner_id, other_id))
            rows[ids] = (*ids, evidence.score, json.dumps(evidence.reasons), state)
        columns = list(zip(*rows.values(), strict=True))
        self.flush_model()
        self.env.execute_query(
            SQL(
                """
                INSERT INTO crm_partner_duplicate (partner_id, other_id, score, reasons, state,
                            decision_user_id, decision_date, create_uid, create_date, write_uid,
                            write_date)
                SELECT n.partner_id, n.other_id, n.score, n.reasons, n.state,
                       CASE WHEN n.state != 'open' THEN %(user)s END,
                       CASE WHEN n.state != 'open' THEN now() AT TIME ZONE 'UTC' END,
                       %(user)s, now() AT TIME ZONE 'UTC', %(user)s, now() AT TIME ZONE 'UTC'
                  FROM unnest(%(partners)s::int[], %(others)s::int[], %(scores)s::float[],
                              %(reasons)s::text[], %(states)s::text[])
                       n(partner_id, other_id, score, reasons, state)
           ON CONFLICT (partner_id, other_id) DO UPDATE
                   SET score = excluded.score, reasons = excluded.reasons, state = excluded.state,
                       decision_user_id = excluded.decision_user_id,
                       decision_date = excluded.decision_date
                 WHERE crm_partner_duplicate.state = 'open'
             RETURNING 1
                """,
                user=self.env.uid,
                partners=list(columns[0]),
                others=list(columns[1]),
                scores=list(columns[2]),
                reasons=list(columns[3]),
                states=list(columns[4]),
            )
        )
        self.invalidate_model()
        if regroup:
            self.env["crm.partner.duplicate.group"]._regroup(
                {partner_id for row in rows for partner_id in row}
            )

    @api.model
    def _store_found(self, found, first, last):
        """Store what a search has found; pairs to review that it did not find again go.

        :param found: list of (partner id, other partner id, Evidence)
        :param int first, last: the search has looked at pairs whose first card is in between
        """
        self._store([(*pair, "open") for pair in found], regroup=False)
        self.env.cr.execute(
            SQL(
                """
                DELETE FROM crm_partner_duplicate d
                 WHERE d.state = 'open' AND d.partner_id > %(first)s AND d.partner_id <= %(last)s
                   AND NOT EXISTS (
                       SELECT FROM unnest(%(partners)s::int[], %(others)s::int[]) n(one, other)
                        WHERE n.one = d.partner_id AND n.other = d.other_id)
                """,
                first=first,
                last=last,
                partners=[pair[0] for pair in found],
                others=[pair[1] for pair in found],
            )
        )
        self.invalidate_model()

    # ------------------------------------------------------------
    # CLIENTS THAT NOBODY ENTERED BY HAND
    # ------------------------------------------------------------

    @api.model
    def _cron_check(self, batch_size=200):
        """Look at the clients that came by mail, sign-up or a job, and list those to review."""
        cron = self.env["ir.cron"]
        Fingerprint = self.env["crm.partner.fingerprint"]
        while True:
            fingerprints = Fingerprint.search(
                [("is_unchecked", "=", True)], limit=batch_size, order="partner_id"
            ).try_lock_for_update()
            if not fingerprints:
                cron._commit_progress(remaining=0)
                return
            self._check_cards(fingerprints.partner_id)
            fingerprints.is_unchecked = False
            if not cron._commit_progress(len(fingerprints), remaining=1):
                return

    @api.model
    def _check_cards(self, partners):
        """List duplicates of these partners for review."""
        Fingerprint = self.env["crm.partner.fingerprint"]
        stored = Fingerprint._get_cards(partners.ids)
        partners = partners.filtered(lambda partner: partner.id in stored)
        found = Fingerprint._search_cards(
            [stored[partner.id] for partner in partners],
            exclude=[partner._get_family_ids() for partner in partners],
            minimum=LIKELY,
        )
        pairs = []
        for partner, candidates in zip(partners, found, strict=True):
            known = partner.browse([candidate for candidate, _evidence in candidates])
            company = partner.company_id
            usable = {
                other.id for other in known
                if not company or not other.company_id or other.company_id == company
            }  # fmt: skip
            pairs += [
                (partner.id, candidate, evidence, "open")
                for candidate, evidence in candidates
                if evidence.kind == "duplicate" and candidate in usable
            ]
        self._store(pairs)

    # ------------------------------------------------------------
    # ACTIONS
    # ------------------------------------------------------------

    def action_reject(self):
        """Remember that these are not the same client."""
        self.check_access("write")
        self._decide("rejected")

    def action_reopen(self):
        """Forget what was decided about these pairs."""
        self.check_access("write")
        self._decide("open")

    def _decide(self, state):
        decided = state != "open"
        # sudo: fields that nobody writes by hand; access was checked
        self.sudo().write(
            {
                "state": state,
                "decision_user_id": self.env.uid if decided else False,
                "decision_date": fields.Datetime.now() if decided else False,
            }
        )
        self.env["crm.partner.duplicate.group"].sudo()._regroup(
            {*self.partner_id.ids, *self.other_id.ids}
        )

    @api.model
    def _remember_apart(self, pairs):
        """Remember pairs of ids as not being the same client, whether they were found or not."""
        pairs = [(min(pair), max(pair)) for pair in pairs]
        self.env.execute_query(
            SQL(
                """
                INSERT INTO crm_partner_duplicate (partner_id, other_id, score, reasons, state,
                            decision_user_id, decision_date, create_uid, create_date)
                SELECT n.partner_id, n.other_id, 0, '[]', 'rejected', %(user)s,
                       now() AT TIME ZONE 'UTC', %(user)s, now() AT TIME ZONE 'UTC'
                  FROM unnest(%(partners)s::int[], %(others)s::int[]) n(partner_id, other_id)
           ON CONFLICT (partner_id, other_id) DO UPDATE
                   SET state = 'rejected', decision_user_id = excluded.decision_user_id,
                       decision_date = excluded.decision_date
             RETURNING 1
                """,
                user=self.env.uid,
                partners=[pair[0] for pair in pairs],
                others=[pair[1] for pair in pairs],
            )
        )
        self.invalidate_model()
        self.env["crm.partner.duplicate.group"]._regroup({i for pair in pairs for i in pair})
