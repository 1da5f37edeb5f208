import json
import logging

from odoo import api, fields, models, tools
from odoo.exceptions import AccessError, UserError
from odoo.tools import SQL

from ..tools import win_model, win_quality

_logger = logging.getLogger(__name__)

# Closed deals, and of the rarer outcome, without which there is nothing to learn.
MIN_TRAINING, MIN_TRAINING_RARER = 10, 1
# A new version is tried when so many deals were closed since the last one: a number and a share.
RETRAIN_DEALS, RETRAIN_SHARE = 5, 0.02
# Deals closed since the last version from which on it is judged by them.
JUDGE_DEALS = 30


class CrmLeadScoringModel(models.Model):
    """A version of the model that estimates the probability of winning, for one company.

    - A scheduled job trains it on the company's closed deals as they were while they were open
      (``_read_closed_deals``); the mathematics is in ``tools.win_model``. A company with fewer
      than ten closed deals, or with wins only, has no model: its win rates speak alone.
    - A new version takes over only if, trained without the deals closed since the last version,
      it is at least as good on them as the last version is. Versions that were refused or
      followed stay, with their figures; nobody edits one.
    - What a version is worth is measured on later deals than those it learned from, and said as
      a verdict: ready, usable, not ready.
    """

    _name = "crm.lead.scoring.model"
    _description = "Model of winning"
    _order = "id desc"
    _rec_name = "date"
    _log_access = False

    company_id = fields.Many2one("res.company", readonly=True, ondelete="cascade", index=True)
    date = fields.Datetime("Trained on", readonly=True, required=True)
    state = fields.Selection(
        [("active", "In Use"), ("followed", "Followed"), ("refused", "Not Better")],
        readonly=True,
        required=True,
    )
    verdict = fields.Selection(
        [("ready", "Ready"), ("usable", "Usable"), ("not_ready", "Not Ready")],
        readonly=True,
        required=True,
        help="Ready: ranks deals well and promises what happens. Usable: better than the win "
        "rate alone. Not ready: too few deals, or they cannot be told apart by what is known.",
    )
    deals = fields.Integer("Closed Deals", readonly=True, aggregator=None)
    won = fields.Integer(readonly=True, aggregator=None)
    last_closed = fields.Datetime("Last Deal Closed", readonly=True)
    judged = fields.Integer("Judged on Deals", readonly=True, aggregator=None)
    judged_later = fields.Boolean(
        "Judged on Later Deals",
        readonly=True,
        help="Trained on the earlier deals and judged on the later ones. With few deals each is "
        "judged by models trained on the others.",
    )
    auc = fields.Float(
        "AUC",
        digits=(5, 3),
        readonly=True,
        aggregator=None,
        help="How often a deal that was won had a higher probability than one that was lost: "
        "0.5 is chance, 1 is certainty.",
    )
    auc_low = fields.Float("AUC at least", digits=(5, 3), readonly=True, aggregator=None)
    log_loss = fields.Float(
        digits=(6, 4),
        readonly=True,
        aggregator=None,
        help="Surprise of the outcomes: the lower the better.",
    )
    rate_loss = fields.Float(
        "Log Loss of the Win Rate",
        digits=(6, 4),
        readonly=True,
        aggregator=None,
        help="The same when every deal gets the win rate: what a model must beat.",
    )
    error = fields.Float(
        "Calibration Error",
        digits=(5, 3),
        readonly=True,
        aggregator=None,
        help="Mean distance between promised and observed win rates, 0 to 1.",
    )
    half_life = fields.Float(readonly=True, aggregator=None)
    data = fields.Json(readonly=True)
    input_ids = fields.One2many("crm.lead.scoring.model.input", "version_id", readonly=True)
    point_ids = fields.One2many("crm.lead.scoring.model.point", "version_id", readonly=True)
    plot = fields.Json(compute="_compute_plot")
    summary = fields.Text(compute="_compute_summary")

    @api.depends_context("lang")
    @api.depends("verdict", "deals", "won", "auc")
    def _compute_summary(self):
        for version in self:
            version.summary = version._get_summary()

    @api.depends("point_ids")
    def _compute_plot(self):
        for version in self:
            version.plot = [
                {"x": point.promised, "y": point.observed, "size": point.deals}
                for point in version.point_ids.sorted("promised")
            ]

    def _get_summary(self):
        """Say in words what the version is worth."""
        self.ensure_one()
        number = {
            "deals": self.deals,
            "won": self.won,
            "auc": round(100 * self.auc),
            "rate": round(100 * self.won / self.deals) if self.deals else 0,
        }
        if self.verdict == "not_ready":
            rarer = min(self.won, self.deals - self.won)
            if self.deals < win_quality.MIN_DEALS or rarer < win_quality.MIN_RARER:
                return self.env._(
                    "Not enough data: %(deals)s closed deals, %(won)s of them won. The "
                    "probabilities stay near the win rate of %(rate)s%%.",
                    **number,
                )
            return self.env._(
                "Not ready: what is known about the %(deals)s closed deals does not tell won from "
                "lost ones. The probabilities stay near the win rate of %(rate)s%%.",
                **number,
            )
        text = self.env._(
            "Learned from %(deals)s closed deals, %(won)s of them won. Of a won and a lost deal it "
            "ranks the won one higher in %(auc)s of 100 cases.",
            **number,
        )
        if self.verdict == "usable":
            text += " " + self.env._("Usable for ranking; promises may be some points off.")
        return text

    # Buttons

    def action_train(self):
        """Learn anew from the closed deals of the companies the user works in."""
        if not self.env.user.has_group("sales_team.group_sale_manager"):
            raise AccessError(self.env._("Only sales administrators may let the model learn."))
        # sudo: learned from all deals of the company; nobody may write a version
        model_sudo = self.sudo()
        if not any(model_sudo._train(company, force=True) for company in self.env.companies):
            raise UserError(
                self.env._(
                    "There is nothing to learn from yet: at least %(deals)s closed deals are "
                    "needed, won and lost ones.",
                    deals=MIN_TRAINING,
                )
            )
        return {"type": "ir.actions.client", "tag": "soft_reload"}

    # Training

    @api.model
    def _cron_train(self):
        """Try a new version for each company that closed enough deals since its last one."""
        cron = self.env["ir.cron"]
        companies = [*self.env["res.company"].search([]), self.env["res.company"]]
        for done, company in enumerate(companies, 1):
            self._train(company)
            if not cron._commit_progress(1, remaining=len(companies) - done):
                break

    @api.model
    def _train(self, company, now=None, force=False):
        """Train a version for a company and put it to use if it is better.

        :param company: ``res.company`` record; empty: deals without a company
        :param bool force: even if hardly any deal was closed since the last version
        :return: the new version; empty if none was tried
        """
        now = now or fields.Datetime.now()
        current = self.search([("company_id", "=", company.id), ("state", "=", "active")], limit=1)
        last = self.search([("company_id", "=", company.id)], limit=1)
        count, won_count = self._count_closed_deals(company)
        if min(won_count, count - won_count) < MIN_TRAINING_RARER or count < MIN_TRAINING:
            return self.browse()
        if last and not force and count - last.deals < max(RETRAIN_DEALS, RETRAIN_SHARE * count):
            return self.browse()
        won, columns, closed = self._read_closed_deals(company, win_model.MAX_DEALS)
        inputs = self._prepare_inputs()
        prior = self._get_prior()
        better = not current or self._is_better(current, inputs, columns, won, closed, prior)
        quality = win_quality.judge(inputs, columns, won, prior)
        model, _unseen = win_model.fit(inputs, columns, won, prior)
        values = self._prepare_values(company, now, model, quality, closed[-1])
        if better:
            current.write({"state": "followed"})
        version = self.create(values | {"state": "active" if better else "refused"})
        version._create_lines(model, quality)
        _logger.info(
            "Model of winning of company %s: %s closed deals, AUC %s, %s, %s",
            company.id, len(won), quality["auc"], version.verdict, version.state,
        )  # fmt: skip
        self.env.registry.clear_cache()
        self.env["crm.scorecard"]._request_full_refresh()
        return version

    @api.model
    def _count_closed_deals(self, company):
        self.env["crm.lead"].flush_model(["won_status", "company_id"])
        [(count, won)] = self.env.execute_query(
            SQL(
                """SELECT count(*), count(*) FILTER (WHERE won_status = 'won') FROM crm_lead
                    WHERE won_status IN ('won', 'lost') AND company_id %s""",
                SQL("= %s", company.id) if company else SQL("IS NULL"),
            )
        )
        return count, won

    @api.model
    def _get_prior(self):
        """Return the win rate of the whole database, which companies with few deals lean on."""
        [(count, won)] = self.env.execute_query(
            SQL(
                """SELECT count(*), count(*) FILTER (WHERE won_status = 'won') FROM crm_lead
                    WHERE won_status IN ('won', 'lost')"""
            )
        )
        return (won + 1) / (count + 2)

    @api.model
    def _prepare_inputs(self):
        """Return the inputs in the form of :func:`win_model.fit`."""
        entries = self._get_inputs() + self._get_moment_inputs(SQL("now()"))
        inputs = [
            {key: val for key, val in e.items() if key not in ("sql", "derived")} for e in entries
        ]
        return [*inputs, {"name": "score_value", "kind": "number", "monotone": 1}]

    @api.model
    def _is_better(self, current, inputs, columns, won, closed, prior):
        """Whether what would be learned now is at least as good as the version in use, judged
        by the deals closed since that version, which neither has seen."""
        cut = sum(moment <= current.last_closed for moment in closed)
        later = won[cut:]
        if len(later) < JUDGE_DEALS:  # too few to tell; a version of few deals learns from more
            return current.deals < 2 * JUDGE_DEALS
        if min(sum(won[:cut]), cut - sum(won[:cut])) < MIN_TRAINING_RARER:
            return True  # the deals of the version in use are not there any more
        early = {name: values[:cut] for name, values in columns.items()}
        late = {name: values[cut:] for name, values in columns.items()}
        candidate, _unseen = win_model.fit(inputs, early, won[:cut], prior)
        losses = []
        for model in (candidate, current.data):
            known = {
                item["name"]: late.get(item["name"], [None] * len(later))
                for item in model["inputs"]
            }
            chance = win_model.predict(model, known or late)
            losses.append(win_quality.measure(chance, later, prior)["log_loss"])
        return losses[0] <= losses[1] + 1e-9

    @api.model
    def _prepare_values(self, company, now, model, quality, last_closed):
        return {
            "company_id": company.id,
            "date": now,
            "verdict": win_quality.get_verdict(quality, model["deals"], model["won"]),
            "deals": model["deals"],
            "won": model["won"],
            "last_closed": last_closed,
            "judged": quality["deals"],
            "judged_later": quality["later"],
            "auc": quality["auc"] or 0.5,
            "auc_low": quality["auc_low"] or 0.0,
            "log_loss": quality["log_loss"],
            "rate_loss": quality["rate_loss"],
            "error": quality["error"],
            "half_life": model["half_life"] or 0.0,
            "data": model,
        }

    def _create_lines(self, model, quality):
        """Keep what a version looks at and how well it promises, for lists and charts."""
        self.ensure_one()
        total = sum(item["spread"] for item in model["inputs"]) or 1.0
        lines = [
            {"version_id": self.id, "name": item["name"], "share": 100 * item["spread"] / total}
            for item in model["inputs"]
        ]
        lines += [
            {"version_id": self.id, "name": name, "share": 0.0, "leak": leak}
            for name, leak in sorted(model["leaks"].items())
        ]
        self.env["crm.lead.scoring.model.input"].create(lines)
        self.env["crm.lead.scoring.model.point"].create(
            [
                {
                    "version_id": self.id,
                    "deals": point["deals"],
                    "promised": 100 * point["promised"],
                    "observed": 100 * point["observed"],
                }
                for point in quality["points"]
            ]
        )

    # Use

    @api.model
    @tools.ormcache()
    def _get_active(self):
        """Return the versions in use: ``{company id or False: dict(id, verdict, data)}``."""
        versions = self.env(su=True, context={})[self._name].search([("state", "=", "active")])
        return {
            version.company_id.id: {
                "id": version.id,
                "verdict": version.verdict,
                "data": version.data,
            }
            for version in versions
        }

    def _get_contributions(self, lead_id, value):
        """Return what each input does to the probability of a deal, the most helpful first.

        :param int lead_id: id of the deal
        :param float value: its score
        :return: list of ``(log-odds beyond those of the average deal, words)``
        """
        self.ensure_one()
        inputs = self._get_inputs() + self._get_moment_inputs(SQL("(now() AT TIME ZONE 'UTC')"))
        self.env["crm.lead"].flush_model()
        columns = SQL(", ").join(
            SQL("%s AS %s", i["sql"], SQL.identifier(i["name"])) for i in inputs
        )
        rows = self.env.execute_query_dict(
            SQL("SELECT %s FROM crm_lead WHERE id = %s", columns, lead_id)
        )
        if not rows:
            return []
        values = rows[0] | {"score_value": value}
        found = []
        for item in self.data["inputs"]:
            name = item["name"]
            if name not in values:
                continue
            [odds] = win_model.get_contribution(item, [values[name]])
            words = f"{self._get_input_label(name)} ({self._get_value_label(name, values[name])})"
            found.append((float(odds) - item["mean"], words))
        return sorted(found, reverse=True)

    @api.model
    def _get_log_odds(self, model, columns):
        """Return the SQL of the log-odds that a model gives to a deal.

        :param dict model: see :func:`win_model.fit`
        :param dict columns: name of the input → SQL of its value
        """
        terms = [SQL("%s::float8", model["base"])]
        terms += [
            self._get_contribution(item, columns[item["name"]])
            for item in model["inputs"]
            if item["name"] in columns
        ]
        return SQL("(%s)", SQL(" + ").join(terms))

    @api.model
    def _get_contribution(self, item, column):
        """Return the SQL of the log-odds that one input adds; see
        :func:`win_model.get_contribution`."""
        if item["kind"] == "number":
            known = SQL("%s IS NOT NULL", column)
            if "limit" in item:
                known = SQL("%s <= %s::float8", column, item["limit"])
            if not item["bounds"]:
                found = SQL("%s::float8", item["weights"][0])
            else:
                found = SQL(
                    "(%s::float8[])[width_bucket(%s, %s::float8[]) + 1]",
                    item["weights"][: len(item["bounds"]) + 1],
                    column,
                    item["bounds"],
                )
            return SQL("CASE WHEN %s THEN %s ELSE %s::float8 END", known, found, item["missing"])
        return SQL(
            """CASE WHEN %s IS NULL THEN %s::float8
                    ELSE COALESCE((%s::jsonb ->> %s)::float8, %s::float8) END""",
            column,
            item["missing"],
            json.dumps(item["weights"]),
            column,
            item["other"],
        )
