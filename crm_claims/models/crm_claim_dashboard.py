from odoo import api, fields, models
from odoo.addons.crm_extended.tools.metric_period import cut, get_moments, get_previous
from odoo.fields import Domain

#: ages of open claims in days: (from, to), the last one open-ended
AGES = [(0, 3), (4, 10), (11, 30), (31, None)]
MONTHS = 12
TOP = 10


class CrmDashboard(models.AbstractModel):
    """The dashboard of claims: what is open and late now, and what happened in a period.

    Everything is counted with the rights of the user, and each figure opens what it counts; days
    are those of his time zone. Charts are in ``crm_claim_dashboard_chart.py``.
    """

    _inherit = "crm.dashboard"

    @api.model
    def _get_kinds(self):
        kinds = super()._get_kinds()
        if self.env.user.has_group("crm_claims.crm_claims_group_user"):
            kinds = {**kinds, "claims": self.env._("Claims Dashboard")}
        return kinds

    @api.model
    @api.readonly
    def get_choices(self, kind):
        choices = super().get_choices(kind)
        if kind == "claims":
            handlers = self._get_claim_handlers()
            choices |= {
                "users": [{"id": user.id, "name": user.name} for user in handlers],
                "teams": [
                    {"id": team.id, "name": team.name}
                    for team in self.env["crm.claim.team"].search([])
                ],
                "mine": self.env.uid,
            }
        return choices

    @api.model
    def _get_claim_handlers(self):
        """People whose claims the user may look at."""
        user = self.env.user
        if not user.has_group("crm_claims.crm_claims_group_user_all"):
            return user
        group = self.env.ref("crm_claims.crm_claims_group_user")
        # sudo: names of colleagues
        users_sudo = self.env["res.users"].sudo()
        return users_sudo.search(
            [("all_group_ids", "in", group.ids), ("company_ids", "in", self.env.companies.ids)],
            order="name, id",
        )

    @api.model
    def _build_claims_dashboard(self, period, filters):
        # days and months are grouped in the time zone in which the domains are written
        self = self.with_context(tz=self._get_claim_zone())  # noqa: PLW0642
        scope = self._get_claim_scope(filters)
        return {
            "now": self._build_claim_now_tiles(scope),
            "tiles": self._build_claim_tiles(scope, period),
            "charts": [
                self._build_claim_trend(scope, period),
                self._build_claim_pareto(scope, period),
                self._build_claim_states(scope),
                self._build_claim_ages(scope),
                self._build_claim_decisions(scope, period),
                self._build_claim_people(scope, period),
            ],
            "tables": [self._build_claim_structure(scope, period)],
        }

    # ------------------------------------------------------------------
    # Conditions
    # ------------------------------------------------------------------

    @api.model
    def _get_claim_zone(self):
        return self.env["crm.metric"]._get_zone()

    @api.model
    def _get_claim_today(self):
        return fields.Date.context_today(self)

    @api.model
    def _get_claim_scope(self, filters):
        """Condition of the filters on claims, and on whatever has the same fields."""
        scope = Domain.TRUE
        if filters["user_ids"]:
            scope &= Domain("user_id", "in", filters["user_ids"])
        if filters["team_ids"]:
            scope &= Domain("team_id", "in", filters["team_ids"])
        if filters["segment_ids"]:
            self.env["crm.segment"].browse(filters["segment_ids"]).check_access("read")
            members = [("segment_ids", "in", filters["segment_ids"])]
            scope &= Domain("commercial_partner_id", "any", members)
        return scope

    @api.model
    def _get_claim_between(self, field, period):
        start, end = get_moments(period, self._get_claim_zone())
        return Domain(field, ">=", start) & Domain(field, "<", end)

    @api.model
    def _get_claim_action(self, name, domain, model="crm.claim", past=True):
        """Action that opens what a figure counts; of the past archived records, too."""
        return {
            "type": "ir.actions.act_window",
            "name": name,
            "res_model": model,
            "views": [(False, "list"), (False, "form")],
            "domain": list(domain),
            "context": {"create": False, **({"active_test": False} if past else {})},
        }

    @api.model
    def _get_past_claims(self):
        return self.env["crm.claim"].with_context(active_test=False)

    # ------------------------------------------------------------------
    # Tiles
    # ------------------------------------------------------------------

    @api.model
    def _build_claim_now_tiles(self, scope):
        _ = self.env._
        today = self._get_claim_today()
        is_open = scope & Domain("is_open", "=", True)
        of_claim = Domain("claim_id", "any", scope) if not scope.is_true() else Domain.TRUE
        midnight = get_moments((today, today), self._get_claim_zone())[0]
        missed = (
            of_claim
            & Domain("state", "in", ("failed", "running"))
            & Domain("date_deadline", ">=", midnight)
            & Domain("date_deadline", "<", fields.Datetime.now())
            & (Domain("state", "=", "failed") | Domain("date_done", "=", False))
        )
        answer = Domain("state", "in", ("decided", "rejected")) & Domain(
            "customer_answer", "=", False
        )
        tiles = [
            ("open", _("Open claims"), "fa-folder-open-o", False, "crm.claim", is_open),
            (
                "late", _("Past the promised date"), "fa-clock-o", True, "crm.claim",
                scope & Domain("is_overdue", "=", True),
            ),
            (
                "today", _("Promised for today"), "fa-calendar-check-o", False, "crm.claim",
                is_open & Domain("date_promised", "=", today),
            ),
            (
                "breached", _("Deadlines missed today"), "fa-bolt", True, "crm.claim.sla.status",
                missed,
            ),
            (
                "unassigned", _("Nobody responsible"), "fa-user-times", True, "crm.claim",
                is_open & Domain("user_id", "=", False),
            ),
            (
                "unanswered", _("Clients who wait for us"), "fa-reply", True, "crm.claim",
                scope & Domain("is_unanswered", "=", True),
            ),
            (
                "answer", _("Waiting for the client's answer"), "fa-hourglass-half", False,
                "crm.claim", scope & answer,
            ),
            (
                "approval", _("Decisions to approve"), "fa-gavel", False, "crm.claim.approval",
                of_claim & Domain("state", "=", "requested"),
            ),
        ]  # fmt: skip
        return [
            {
                "key": key,
                "label": label,
                "icon": icon,
                "bad": bad,
                "value": count,
                "text": str(count),
                "action": self._get_claim_action(label, domain, model, past=False),
            }
            for key, label, icon, bad, model, domain in tiles
            if self.env[model].has_access("read")
            for count in [self.env[model].search_count(domain)]
        ]

    @api.model
    def _build_claim_tiles(self, scope, period):
        """Figures of the period beside the period before."""
        before = cut(period, get_previous(period), self._get_claim_today())
        codes = [
            "claims_new", "claims_handled", "claims_satisfied_share", "claims_rating",
        ]  # fmt: skip
        now, then = (self._get_claim_figures(scope, days) for days in (period, before))
        compare = self.env["crm.manager.performance"]._build_cell
        tiles = []
        for metric in self._get_metrics(codes):
            cell = compare(metric, now[metric.code], then[metric.code])
            field = "date_registered" if metric.code == "claims_new" else "date_decided"
            domain = scope & self._get_claim_between(field, period)
            if metric.code == "claims_rating":
                domain &= Domain("rating_last_value", ">", 0)
            tiles.append(
                {
                    "key": metric.code,
                    "label": metric.name,
                    "description": metric.description or "",
                    "value": cell["value"],
                    "text": cell["text"],
                    "change_text": cell["change_text"],
                    "mood": cell["mood"],
                    "action": self._get_claim_action(metric.name, domain),
                }
            )
        return tiles

    @api.model
    def _get_claim_figures(self, scope, period):
        """Figures of a period by the code of their metric."""
        claims = self._get_past_claims()
        decided = scope & self._get_claim_between("date_decided", period)
        counts = dict(claims._read_group(decided, ["decision"], ["__count"]))
        handled = sum(counts.values())
        content = counts.get("satisfied", 0) + counts.get("partly", 0)
        [[rating]] = claims._read_group(
            decided & Domain("rating_last_value", ">", 0), [], ["rating_last_value:avg"]
        )
        return {
            "claims_new": claims.search_count(
                scope & self._get_claim_between("date_registered", period)
            ),
            "claims_handled": handled,
            "claims_satisfied_share": 100 * content / handled if handled else None,
            "claims_rating": rating or None,
        }
