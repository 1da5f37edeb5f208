from odoo import api, fields, models

from ..tools.metric_period import cut, get_previous, get_year_before
from ..tools.plan_miss import (
    FACTORS,
    MARKETING,
    get_expected,
    get_factors,
    split_difference,
)

#: a channel with fewer leads says nothing about its quality
LEAST_LEADS = 5
#: what is usual, if nobody says it
USUAL = ("year", "previous")


class CrmSalesTrouble(models.AbstractModel):
    """Where turnover is lost: what keeps it from the plan, why deals are lost, which channels.

    - Turnover is leads received * deals of a lead * orders of a deal * turnover of an order. What
      is expected of the last three is what they were in the period of comparison; the leads
      expected are those with which they make the plan. Without a plan, the turnover of the
      period of comparison takes its place.
    - The difference is split over the four factors exactly (``tools.plan_miss``): traffic and
      the quality of leads belong to marketing, conversion and the average cheque to sales.
    - Each loss reason has a price: the expected revenue of the deals lost over it, as far as
      deals are won usually. Each channel has one too: what its leads would have brought more if
      they had become orders as those of all channels do. The three dearest causes of all are
      the levers.
    """

    _name = "crm.sales.trouble"
    _inherit = "crm.dashboard"
    _description = "Sources of Trouble"

    @api.model
    def _get_kinds(self):
        return {"sales": self.env._("Sources of Trouble")} if super()._get_kinds() else {}

    @api.model
    @api.readonly
    def get_trouble(self, options):
        """Figures of the page.

        :param dict options: as those of ``get_dashboard``, and ``comparison``: "previous" or
            "year"; without it the year before, or the period before where that tells nothing
        :return: dict of ``period``, ``other``, ``comparison``, ``split`` (see ``_get_split``),
            ``reasons``, ``objections``, ``channels`` (lists of rows) and ``levers`` (``text``,
            ``amount``, ``amount_text``, ``action``)
        """
        self._check_kind("sales")
        Performance = self.env["crm.manager.performance"]
        filters = {
            name: Performance._parse_ids(options, name)
            for name in ("user_ids", "team_ids", "segment_ids")
        }
        period = Performance._get_days(options)
        today = self.env["crm.metric"]._get_today()
        for comparison in [options.get("comparison")] if options.get("comparison") else USUAL:
            other = (get_year_before if comparison == "year" else get_previous)(period)
            other = cut(period, other, today)
            split = self._get_split(period, other, filters, today)
            if split["factors"]:
                break
        reasons = self._get_reasons(period, filters)
        channels = self._get_channels(period, filters)
        page = {
            "period": Performance._format_period(period),
            "other": Performance._format_period(other),
            "comparison": comparison,
            "split": split,
            "reasons": reasons,
            "objections": self._get_objections(period, filters),
            "channels": channels,
        }
        page["levers"] = self._get_levers(split, reasons, channels, period, filters)
        return page

    # ------------------------------------------------------------
    # Plan and fact
    # ------------------------------------------------------------

    @api.model
    def _get_split(self, period, other, filters, today=None):
        """The difference between fact and plan, split over its factors.

        :param tuple other: the period whose factors are the usual ones
        :return: dict of ``fact``, ``plan``, ``planned`` (whether there was a plan),
            ``difference`` and ``factors``: rows of ``key``, ``owner`` ("marketing" or "sales"),
            ``expected``, ``actual``, ``amount``; ``factors`` is empty when there is nothing to
            compare with
        """
        codes = ["leads_new", "deals_new", "orders", "orders_amount"]
        metrics = self._get_metrics(codes)
        if len(metrics) < len(codes):
            return {"fact": 0, "plan": 0, "planned": False, "difference": 0, "factors": []}
        figures = metrics._get_figures([period, other], None, filters)
        now, then = (
            [figures[metric.id][index].get(None) or 0 for metric in metrics] for index in (0, 1)
        )
        amount = metrics[-1]
        so_far = (period[0], max(period[0], min(period[1], today or period[1])))
        plan = amount._get_plans([so_far], None, filters)[0].get(None)
        planned = plan is not None
        usual = get_factors(*then)
        plan = plan if planned else then[-1]
        expected = get_expected(plan, usual)
        rows = []
        if expected:
            actual = get_factors(*now, usual=expected)
            parts = split_difference(expected, actual)
            labels = self._get_factor_labels()
            rows = [
                {
                    "key": key,
                    "label": labels[key],
                    "owner": "marketing" if key in MARKETING else "sales",
                    "expected": expected[key],
                    "actual": actual[key],
                    "expected_text": self._format_factor(key, expected[key]),
                    "actual_text": self._format_factor(key, actual[key]),
                    "amount": parts[key],
                    "amount_text": self._format_money(parts[key], signed=True),
                }
                for key in FACTORS
            ]
        owners = {
            owner: sum(row["amount"] for row in rows if row["owner"] == owner)
            for owner in ("marketing", "sales")
        }
        return {
            "fact": now[-1],
            "fact_text": self._format_money(now[-1]),
            "plan": plan,
            "plan_text": self._format_money(plan),
            "planned": planned,
            "difference": now[-1] - plan,
            "difference_text": self._format_money(now[-1] - plan, signed=True),
            "factors": rows,
            "owners": [
                {"key": key, "amount": value, "text": self._format_money(value, signed=True)}
                for key, value in owners.items()
            ],
        }

    @api.model
    def _get_factor_labels(self):
        return {
            "traffic": self.env._("Leads received"),
            "quality": self.env._("Quality of leads: deals of 100 leads"),
            "conversion": self.env._("Conversion: orders of 100 deals"),
            "cheque": self.env._("Average cheque"),
        }

    @api.model
    def _format_factor(self, key, value):
        if key == "cheque":
            return self._format_money(value)
        number = self.env["crm.metric"].new({"unit": "number"})
        return number._format_value(round(value if key == "traffic" else 100 * value, 1))

    @api.model
    def _format_money(self, amount, signed=False):
        text = self.env["crm.metric"].new({"unit": "money"})._format_value(abs(amount or 0))
        if amount and round(amount) < 0:
            return f"\N{MINUS SIGN}{text}"
        return f"+{text}" if signed and round(amount or 0) > 0 else text

    # ------------------------------------------------------------
    # Reasons, objections, channels
    # ------------------------------------------------------------

    @api.model
    def _get_reasons(self, period, filters):
        """Lost deals by stage and reason, the dearest first."""
        metric = self._get_metrics(["deals_lost"])
        if not metric:
            return []
        domain = list(metric._get_records_domain(period, filters=filters))
        leads = self.env["crm.lead"].with_context(active_test=False)
        rows = {}
        for stage, reason, company, count, amount in leads._read_group(
            domain,
            ["lost_stage_id", "lost_reason_id", "company_id"],
            ["__count", "expected_revenue:sum"],
        ):
            row = rows.setdefault((stage, reason), [0, 0.0])
            row[0] += count
            row[1] += self._convert(amount, company, period)
        none = self.env._("Not given")
        return [
            {
                "stage": stage.name or none,
                "reason": reason.name or none,
                "count": count,
                "amount": amount,
                "amount_text": self._format_money(amount),
                "reason_id": reason.id,
                "action": {
                    **metric._get_drill_down_action(
                        period, filters=filters, name=reason.name or none
                    ),
                    "domain": [
                        *domain,
                        ("lost_stage_id", "=", stage.id),
                        ("lost_reason_id", "=", reason.id),
                    ],
                },
            }
            for (stage, reason), (count, amount) in sorted(
                rows.items(), key=lambda item: (-item[1][1], -item[1][0], item[0][1].id or 0)
            )
        ]

    @api.model
    def _get_objections(self, period, filters):
        """Objections raised in the period by stage, with what became of them."""
        Objection = self.env["crm.lead.objection"]
        domain = [("date", ">=", period[0]), ("date", "<=", period[1])]
        audience = self.env["crm.metric"]._get_audience()
        if audience["kind"] != "all":
            domain += [
                "|", ("user_id", "=", audience["user_id"]), ("team_id", "in", audience["team_ids"]),
            ]  # fmt: skip
        for name, field in (("user_ids", "user_id"), ("team_ids", "team_id")):
            if filters[name]:
                domain.append((field, "in", filters[name]))
        if filters["segment_ids"]:
            domain.append(("lead_id.partner_id.segment_ids", "in", filters["segment_ids"]))
        rows = {}
        for objection, stage, state, count in Objection._read_group(
            domain, ["objection_id", "stage_id", "state"], ["__count"]
        ):
            row = rows.setdefault((objection, stage), {"raised": 0, "overcome": 0, "fatal": 0})
            row[state] += count
        return [
            {
                "objection": objection.display_name,
                "stage": stage.name or self.env._("Not given"),
                "count": sum(states.values()),
                "overcome": states["overcome"],
                "fatal": states["fatal"],
                "action": {
                    "type": "ir.actions.act_window",
                    "name": objection.display_name,
                    "res_model": "crm.lead.objection",
                    "views": [(False, "list"), (False, "form")],
                    "domain": [
                        *domain,
                        ("objection_id", "=", objection.id),
                        ("stage_id", "=", stage.id),
                    ],
                },
            }
            for (objection, stage), states in sorted(
                rows.items(), key=lambda item: (-item[1]["fatal"], -sum(item[1].values()))
            )
        ][:20]

    @api.model
    def _get_channels(self, period, filters):
        """What became of the leads received in the period, by their source."""
        metric = self._get_metrics(["leads_new"])
        if not metric:
            return []
        domain = list(metric._get_records_domain(period, filters=filters))
        leads = self.env["crm.lead"].with_context(active_test=False)
        rows = {}
        for source, kind, status, company, count, amount in leads._read_group(
            domain,
            ["source_id", "type", "won_status", "company_id"],
            ["__count", "expected_revenue:sum"],
        ):
            row = rows.setdefault(source, {"leads": 0, "deals": 0, "won": 0, "amount": 0.0})
            row["leads"] += count
            row["deals"] += count if kind == "opportunity" else 0
            if status == "won":
                row["won"] += count
                row["amount"] += self._convert(amount, company, period)
        return [
            {
                "source": source.name or self.env._("Not given"),
                **row,
                "amount_text": self._format_money(row["amount"]),
                "quality": 100 * row["deals"] / row["leads"],
                "conversion": 100 * row["won"] / row["leads"],
                "per_lead": row["amount"] / row["leads"],
                "per_lead_text": self._format_money(row["amount"] / row["leads"]),
                "action": {
                    **metric._get_drill_down_action(
                        period, filters=filters, name=source.name or self.env._("Not given")
                    ),
                    "domain": [*domain, ("source_id", "=", source.id)],
                },
            }
            for source, row in sorted(rows.items(), key=lambda item: -item[1]["leads"])
        ]

    @api.model
    def _convert(self, amount, company, period):
        """Money of deals in the currency of the user's company."""
        # sudo: which currency a company keeps its books in is no secret
        own, wanted = company.sudo().currency_id, self.env.company.currency_id
        if not amount or not own or own == wanted:
            return amount or 0.0
        day = min(period[1], fields.Date.context_today(self))
        return own._convert(amount, wanted, self.env.company, day, round=False)

    # ------------------------------------------------------------
    # Levers
    # ------------------------------------------------------------

    @api.model
    def _get_levers(self, split, reasons, channels, period, filters):
        """The three dearest causes, in words."""
        levers = [
            *self._get_factor_levers(split, period, filters),
            *self._get_reason_levers(reasons, period, filters),
            *self._get_channel_levers(channels),
        ]
        levers = [lever for lever in levers if lever["amount"] > 0]
        levers.sort(key=lambda lever: -lever["amount"])
        return [
            {**lever, "amount_text": self._format_money(lever["amount"])} for lever in levers[:3]
        ]

    @api.model
    def _get_factor_levers(self, split, period, filters):
        _ = self.env._
        texts = {
            "traffic": _("Too few leads: %(actual)s instead of %(expected)s."),
            "quality": _("Leads are worse: %(actual)s deals of 100 instead of %(expected)s."),
            "conversion": _("Deals become orders more seldom: %(actual)s of 100 instead of "
                            "%(expected)s."),
            "cheque": _("Orders are smaller: %(actual)s on average instead of %(expected)s."),
        }  # fmt: skip
        codes = {
            "traffic": "leads_new",
            "quality": "leads_new",
            "conversion": "deals_new",
            "cheque": "orders",
        }
        for row in split["factors"]:
            yield {
                "kind": row["key"],
                "text": texts[row["key"]]
                % {"actual": row["actual_text"], "expected": row["expected_text"]},
                "amount": -row["amount"],
                "action": self._get_metrics([codes[row["key"]]])._get_drill_down_action(
                    period, filters=filters
                ),
            }

    @api.model
    def _get_reason_levers(self, reasons, period, filters):
        """The price of a reason: what was lost over it, as far as deals are won usually."""
        metric = self._get_metrics(["win_rate"])
        lost = self._get_metrics(["deals_lost"])
        if not metric or not lost:
            return
        rate = metric._get_figures([period], None, filters)[metric.id][0].get(None) or 0
        sums = {}
        for row in reasons:
            total = sums.setdefault(row["reason_id"], {"name": row["reason"], "n": 0, "sum": 0})
            total["n"] += row["count"]
            total["sum"] += row["amount"]
        for reason_id, total in sums.items():
            if not reason_id:
                continue
            domain = lost._get_records_domain(period, filters=filters)
            yield {
                "kind": "reason",
                "text": self.env._(
                    "Lost over “%(reason)s”: %(amount)s in all, deals: %(count)s.",
                    reason=total["name"],
                    count=total["n"],
                    amount=self._format_money(total["sum"]),
                ),
                "amount": total["sum"] * rate / 100,
                "action": {
                    **lost._get_drill_down_action(period, filters=filters, name=total["name"]),
                    "domain": [*domain, ("lost_reason_id", "=", reason_id)],
                },
            }

    @api.model
    def _get_channel_levers(self, channels):
        """The price of a channel: what its leads would have brought more as average ones."""
        leads = sum(row["leads"] for row in channels)
        average = sum(row["amount"] for row in channels) / leads if leads else 0
        for row in channels:
            if row["leads"] < LEAST_LEADS:
                continue
            yield {
                "kind": "channel",
                "text": self.env._(
                    "A lead from “%(channel)s” brings %(own)s, others %(average)s on average.",
                    channel=row["source"],
                    own=row["per_lead_text"],
                    average=self._format_money(average),
                ),
                "amount": row["leads"] * (average - row["per_lead"]),
                "action": row["action"],
            }
