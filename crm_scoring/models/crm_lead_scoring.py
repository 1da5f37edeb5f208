import json

from odoo import api, fields, models
from odoo.api import SUPERUSER_ID
from odoo.tools import SQL

from ..tools import scoring

# Columns of the side table that a refresh writes, with their types.
COLUMNS = {
    "scorecard_id": "int4",
    "class_auto": "text",
    "score_value": "numeric",
    "score_probability": "numeric",
    "sample_size": "int4",
    "score_expected_amount": "numeric",
    "score_peak": "numeric",
    "peak_date": "timestamp",
    "score_drop": "numeric",
    "score_drop_percent": "numeric",
    "amount_at_risk": "numeric",
    "details": "text",
}


class CrmLeadScoring(models.Model):
    """The numbers of a deal's score, one narrow row per deal.

    A night rewrites them for every deal; in the table of deals with its thirty indexes
    each of these writes would cost ten times more. The deal shows them as its own
    fields. Only the class lives on the deal: it changes rarely and lists are sorted and
    grouped by it.

    Deals that are won, lost or archived keep the score they had when they were open.
    """

    _name = "crm.lead.scoring"
    _description = "Score of a deal"
    _rec_name = "lead_id"
    _log_access = False

    lead_id = fields.Many2one("crm.lead", "Deal", required=True, readonly=True, ondelete="cascade")
    scorecard_id = fields.Many2one("crm.scorecard", readonly=True, ondelete="set null")
    class_auto = fields.Selection([(c, c) for c in "ABCD"], "Computed Class", readonly=True)
    score_value = fields.Float("Score", readonly=True, digits=(5, 1))
    score_probability = fields.Float("Probability (%)", readonly=True, digits=(5, 1))
    sample_size = fields.Integer("Similar Closed Deals", readonly=True)
    score_expected_amount = fields.Monetary(
        "Expected Amount", readonly=True, currency_field="currency_id"
    )
    score_peak = fields.Float("Highest Score", readonly=True, digits=(5, 1))
    peak_date = fields.Datetime("Highest on", readonly=True)
    score_drop = fields.Float("Drop (points)", readonly=True, digits=(5, 1))
    score_drop_percent = fields.Float("Drop (%)", readonly=True, digits=(5, 1))
    amount_at_risk = fields.Monetary("Money at Risk", readonly=True, currency_field="currency_id")
    details = fields.Json(readonly=True)
    currency_id = fields.Many2one(related="lead_id.company_currency")

    _unique_lead = models.Constraint("UNIQUE(lead_id)", "A deal has one score.")

    @api.model
    def _refresh(self, lead_ids, now, author=None):
        """Score open deals and write what changed; the same input gives the same score.

        The number of statements depends on the number of scorecards and companies among
        the deals, not on the number of deals or factors.

        :param list lead_ids: ids of deals; those that are not open are left alone
        :param datetime now: moment of the refresh, naive UTC
        :param author: id of the user whose change led to the refresh, if any
        :return: ids of the deals whose score changed
        """
        # A clean environment: neither the rights nor the context of whoever triggers
        # the refresh may change a score.
        root = self.env(user=SUPERUSER_ID, su=True, context={})[self._name]
        deals = root._read_deals(lead_ids)
        groups = {}
        for deal in deals:
            rule = root.env["crm.scorecard"]._find_rule(deal["company_id"], deal["team_id"])
            if rule:
                key = (rule["id"], deal["company_id"])
                groups.setdefault(key, (rule, []))[1].append(deal)
        scored = []
        for (_rule_id, company_id), (rule, members) in groups.items():
            model = root
            if company_id:
                model = root.with_context(allowed_company_ids=[company_id])
            scored += model._score(rule, members, now)
        changed = [deal for deal in scored if deal["changed"]]
        if changed:
            root._store(changed, now, author)
        return [deal["lead_id"] for deal in changed]

    @api.model
    def _get_measured_fields(self):
        rules = self.env["crm.scorecard"]._get_rules()
        return sorted({f["field"] for rule in rules for f in rule["factors"] if "field" in f})

    @api.model
    def _read_deals(self, lead_ids):
        """Read what a refresh needs about deals and their present score."""
        lead_model = self.env["crm.lead"]
        measured = self._get_measured_fields()
        own = [
            "active",
            "automated_probability",
            "class_adjustment",
            "company_id",
            "expected_revenue",
            "score_class",
            "team_id",
            "won_status",
        ]
        lead_model.flush_model(list({*own, *measured} & lead_model._fields.keys()))
        old = [name for name in COLUMNS if name != "details"]
        return self.env.execute_query_dict(
            SQL(
                """SELECT l.id AS lead_id, l.company_id, l.team_id, l.expected_revenue,
                          l.automated_probability, l.score_class,
                          COALESCE(l.class_adjustment, 0) AS class_adjustment,
                          s.id AS scoring_id, s.details AS old_details, %s%s
                     FROM crm_lead l LEFT JOIN crm_lead_scoring s ON s.lead_id = l.id
                    WHERE l.id = ANY(%s) AND l.active AND l.won_status = 'pending'
                 ORDER BY l.id""",
                SQL(", ").join(
                    SQL("s.%s AS %s", SQL.identifier(n), SQL.identifier(f"old_{n}")) for n in old
                ),
                SQL().join(
                    SQL(", l.%s AS %s", SQL.identifier(n), SQL.identifier(f"measured_{n}"))
                    for n in measured
                ),
                list(lead_ids),
            )
        )

    @api.model
    def _score(self, rule, deals, now):
        """Add the new score to deals of one scorecard and one company."""
        conditions = [f for f in rule["factors"] if f["kind"] == "condition"]
        ids = [deal["lead_id"] for deal in deals]
        matches = self.env["crm.scorecard.factor"]._match(conditions, ids, now)
        for deal in deals:
            contributions = self._get_contributions(rule, deal, matches, now)
            deal["contributions"] = scoring.rank_contributions(contributions, "factor")
            deal["value"] = scoring.total_value(rule["base"], [c["points"] for c in contributions])
        estimates = self.env["crm.lead.scoring.rate"]._estimate(deals)
        for deal in deals:
            deal["new"] = self._prepare_values(rule, deal, estimates[deal["lead_id"]], now)
            class_auto = deal["new"]["class_auto"]
            deal["new_class"] = scoring.adjust_class(class_auto, deal["class_adjustment"])
            deal["changed"] = self._is_changed(deal)
        return deals

    @api.model
    def _get_contributions(self, rule, deal, matches, now):
        """Return the points of each factor that applies to a deal, with its reasons."""
        contributions = []
        for factor in rule["factors"]:
            entry = {"factor": factor["id"], "name": factor["name"]}
            if factor["kind"] == "condition":
                if (factor["id"], deal["lead_id"]) not in matches or not factor["points"]:
                    continue
                entry["points"] = factor["points"]
            else:
                value = self._measure(factor, deal, now)
                found = scoring.band_points(value, factor["bands"])
                if not found or not found[0]:
                    continue
                entry |= {"points": found[0], "value": value, "bound": found[1]}
                if factor["expected"] is not None:
                    entry["expected"] = factor["expected"]
            contributions.append(entry)
        return contributions

    @api.model
    def _measure(self, factor, deal, now):
        """Return the measured value: the number, or whole days since the date."""
        value = deal[f"measured_{factor['field']}"]
        if value is None:
            return None
        if factor["dated"]:
            # as dates, so that a deal does not change its band in the middle of a day
            return float((fields.Date.to_date(now) - fields.Date.to_date(value)).days)
        return round(float(value), 2)

    @api.model
    def _prepare_values(self, rule, deal, estimate, now):
        """Return the new values of :data:`COLUMNS` for a deal."""
        value, amount = deal["value"], float(deal["expected_revenue"] or 0)
        peak, peak_date = deal["old_score_peak"], deal["old_peak_date"]
        if peak is None or value > float(peak):
            peak, peak_date = value, now
        peak = float(peak)
        drop, drop_percent = scoring.drop_from_peak(value, peak)
        currency = self.env["res.company"].browse(deal["company_id"]).currency_id
        currency = currency or self.env.company.currency_id
        details = {
            "base": rule["base"],
            "factors": deal["contributions"],
            "estimate": estimate,
        }
        return {
            "scorecard_id": rule["id"],
            "class_auto": scoring.class_from_value(value, rule["bounds"]),
            "score_value": value,
            "score_probability": estimate["probability"],
            "sample_size": estimate["sample"],
            "score_expected_amount": currency.round(amount * estimate["probability"] / 100),
            "score_peak": peak,
            "peak_date": peak_date,
            "score_drop": drop,
            "score_drop_percent": drop_percent,
            "amount_at_risk": currency.round(amount * drop_percent / 100),
            "details": json.dumps(details, sort_keys=True),
        }

    @api.model
    def _is_changed(self, deal):
        """Whether anything must be written: most nights change few deals."""
        if deal["score_class"] != deal["new_class"]:
            return True
        for name, value in deal["new"].items():
            if name == "details":
                if json.loads(value) != deal["old_details"]:
                    return True
            else:
                old = deal[f"old_{name}"]
                if isinstance(value, float):
                    if old is None or abs(float(old) - value) > 1e-6:
                        return True
                elif old != value:
                    return True
        return False

    @api.model
    def _is_worth_history(self, deal):
        """Whether a change deserves a row of history: a point, a class, money, a peak."""
        if deal["scoring_id"] is None or deal["score_class"] != deal["new_class"]:
            return True
        new = deal["new"]
        if new["score_peak"] > float(deal["old_score_peak"]):
            return True
        return any(
            round(float(deal[f"old_{name}"])) != round(new[name])
            for name in ("score_value", "score_probability", "score_expected_amount")
        )

    @api.model
    def _store(self, deals, now, author):
        """Write scores, history and changed classes of deals in one statement."""
        columns = [[deal["lead_id"] for deal in deals]]
        columns += [[deal["new"][name] for deal in deals] for name in COLUMNS]
        columns.append([deal["new_class"] for deal in deals])
        columns.append([deal["class_adjustment"] for deal in deals])
        columns.append([self._is_worth_history(deal) for deal in deals])
        types = ["int4", *COLUMNS.values(), "text", "int4", "bool"]
        names = ["lead_id", *COLUMNS, "new_class", "adjustment", "log"]
        own = [SQL.identifier(name) for name in COLUMNS]
        self.env.cr.execute(
            SQL(
                """WITH new AS MATERIALIZED (
                       SELECT * FROM unnest(%(arrays)s) AS n(%(names)s)
                   ), side AS (
                       INSERT INTO crm_lead_scoring (lead_id, %(own)s)
                       SELECT lead_id, %(values)s FROM new ORDER BY lead_id
                       ON CONFLICT (lead_id) DO UPDATE SET %(assignments)s
                   ), history AS (
                       INSERT INTO crm_lead_score (
                           lead_id, company_id, date, user_id, score_value, score_probability,
                           score_expected_amount, amount, score_class, class_auto,
                           class_adjustment, score_peak, details)
                       SELECT n.lead_id, l.company_id, %(now)s, %(author)s, n.score_value,
                              n.score_probability, n.score_expected_amount, l.expected_revenue,
                              n.new_class, n.class_auto, n.adjustment, n.score_peak,
                              n.details::jsonb
                         FROM new n JOIN crm_lead l ON l.id = n.lead_id
                        WHERE n.log ORDER BY n.lead_id
                   )
                   UPDATE crm_lead l SET score_class = n.new_class FROM new n
                    WHERE l.id = n.lead_id AND l.score_class IS DISTINCT FROM n.new_class""",
                arrays=SQL(", ").join(
                    SQL("%s::%s[]", values, SQL.identifier(kind))
                    for kind, values in zip(types, columns, strict=True)
                ),
                names=SQL(", ").join(map(SQL.identifier, names)),
                own=SQL(", ").join(own),
                values=SQL(", ").join(
                    SQL("details::jsonb") if name == "details" else SQL.identifier(name)
                    for name in COLUMNS
                ),
                assignments=SQL(", ").join(SQL("%s = EXCLUDED.%s", name, name) for name in own),
                now=now,
                author=author,
            )
        )
        leads = self.env["crm.lead"].browse(columns[0])
        leads.invalidate_recordset(self.env["crm.lead"]._get_score_fields(), flush=False)
        self.invalidate_model(flush=False)
        moved = [deal["lead_id"] for deal in deals if deal["score_class"] != deal["new_class"]]
        self.env["crm.lead"].browse(moved).modified(["score_class"])
