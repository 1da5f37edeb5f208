from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import format_date

from ..tools.metric_period import add_months, cut, get_month_end, get_previous

MONTHS = 12


class CrmDashboard(models.AbstractModel):
    """Dashboards: tiles and charts of a period, each of which opens the records it counts.

    Tiles are metrics, so they are told to each as the comparison of managers tells them; a tile
    whose metric the user cannot be told is left out. Other add-ons add dashboards with a method
    ``_build_<kind>_dashboard`` and its kind in ``_get_kinds``.
    """

    _name = "crm.dashboard"
    _description = "Dashboard"

    @api.model
    def _get_kinds(self):
        """Names of the dashboards by kind, as far as the user may open them."""
        if not self.env.user.has_group("sales_team.group_sale_salesman"):
            return {}
        return {"sales": self.env._("Sales"), "clients": self.env._("Clients")}

    @api.model
    @api.readonly
    def get_choices(self, kind):
        """What the filters offer, and the name of the dashboard.

        :return: dict of ``name``, ``periods``, ``users``, ``teams``, ``segments``, and ``mine``:
            the user whom a button chooses, or False
        """
        self._check_kind(kind)
        Performance = self.env["crm.manager.performance"]
        users, teams = Performance._get_people()
        Segment = self.env["crm.segment"]
        segments = Segment.search([]) if Segment.has_access("read") else Segment
        return {
            "name": self._get_kinds()[kind],
            "periods": Performance._get_choices("period"),
            "users": [{"id": user.id, "name": user.name} for user in users],
            "teams": [{"id": team.id, "name": team.name} for team in teams],
            "segments": [{"id": segment.id, "name": segment.name} for segment in segments],
            "mine": False,
        }

    @api.model
    @api.readonly
    def get_dashboard(self, kind, options):
        """Figures of a dashboard.

        :param str kind: one of ``_get_kinds``
        :param dict options: ``period`` (with ``date_from`` and ``date_to`` if "custom"),
            ``user_ids``, ``team_ids``, ``segment_ids``
        :return: dict of ``period`` (in words), ``tiles`` (``key``, ``label``, ``text``,
            ``change_text``, ``mood``, ``action``), ``now`` (tiles that do not depend on the
            period), ``charts`` (``key``, ``title``, ``kind``, ``labels``, ``series``, ``actions``:
            one for each label, or a list of one for each series, or None) and ``tables``
            (``key``, ``title``, ``columns``, ``rows`` of cells with ``text``, ``heat`` from 0 to 1
            and ``action``)
        """
        self._check_kind(kind)
        Performance = self.env["crm.manager.performance"]
        filters = {
            name: Performance._parse_ids(options, name)
            for name in ("user_ids", "team_ids", "segment_ids")
        }
        period = Performance._get_days(options)
        board = getattr(self, f"_build_{kind}_dashboard")(period, filters)
        return {
            "period": Performance._format_period(period),
            "now": board.get("now", []),
            "tiles": board["tiles"],
            "charts": [chart for chart in board["charts"] if chart],
            "tables": board.get("tables", []),
        }

    @api.model
    def _check_kind(self, kind):
        if kind in self._get_kinds():
            return
        if isinstance(kind, str) and hasattr(self, f"_build_{kind}_dashboard"):
            raise AccessError(self.env._("You have no right to open this dashboard."))
        raise UserError(self.env._("There is no such dashboard."))

    # ------------------------------------------------------------
    # Pieces
    # ------------------------------------------------------------

    @api.model
    def _get_metrics(self, codes):
        return self.env["crm.manager.mail"]._get_metrics(codes)

    @api.model
    def _build_tiles(self, codes, period, filters):
        """Tiles of metrics beside the period before, by one statement for each kind of record."""
        metrics = self._get_metrics(codes)
        before = cut(period, get_previous(period), metrics._get_today())
        figures = metrics._get_figures([period, before], None, filters)
        compare = self.env["crm.manager.performance"]._build_cell
        tiles = []
        for metric in metrics:
            now, then = (figure.get(None) for figure in figures[metric.id])
            if now is None and metric._is_additive():
                now = 0
            cell = compare(metric, now, then if metric.timing != "now" else None)
            base = metric._get_parts()[:1]
            tiles.append(
                {
                    "key": metric.code,
                    "label": metric.name,
                    "description": metric.description or "",
                    "text": cell["text"],
                    "change_text": cell["change_text"],
                    "mood": cell["mood"],
                    "action": base._get_drill_down_action(period, filters=filters),
                }
            )
        return tiles

    @api.model
    def _build_months(self, code, period, filters, plan=False):
        """A chart of a metric over the twelve months up to the end of a period."""
        metric = self._get_metrics([code])
        if not metric:
            return None
        last = period[1].replace(day=1)
        months = [add_months(last, -back) for back in reversed(range(MONTHS))]
        periods = [(month, get_month_end(month)) for month in months]
        figures = metric._get_figures(periods, None, filters)[metric.id]
        series = [{"name": metric.name, "data": [one.get(None) or 0 for one in figures]}]
        if plan:
            plans = [one.get(None) for one in metric._get_plans(periods, None, filters)]
            if any(plans):
                series.append({"name": self.env._("Plan"), "data": plans})
        return {
            "key": f"months_{code}",
            "title": self.env._("%(metric)s by month", metric=metric.name),
            "kind": "bar",
            "wide": True,
            "labels": [format_date(self.env, month, date_format="LLL yy") for month in months],
            "series": series,
            "actions": [metric._get_drill_down_action(one, filters=filters) for one in periods],
        }

    @api.model
    def _build_people(self, code, period, filters):
        """A chart of a metric by person, the greatest first."""
        metric = self._get_metrics([code])
        if not metric:
            return None
        figures = metric._get_figures([period], "user", filters)[metric.id][0]
        # sudo: names
        names = {
            user.id: user.name
            for user in self.env["res.users"].sudo().browse([key for key in figures if key])
        }
        names[0] = self.env._("Nobody")
        top = sorted(
            ((key, value) for key, value in figures.items() if key is not None and value),
            key=lambda item: (-item[1], item[0]),
        )[:12]
        return {
            "key": f"people_{code}",
            "title": self.env._("%(metric)s by employee", metric=metric.name),
            "kind": "hbar",
            "labels": [names[key] for key, _value in top],
            "series": [{"name": metric.name, "data": [value for _key, value in top]}],
            "actions": [
                metric._get_drill_down_action(
                    period, "user", key, filters, name=f"{metric.name}: {names[key]}"
                )
                for key, _value in top
            ],
        }

    @api.model
    def _build_groups(self, key, title, code, field, period, filters, kind="hbar", limit=10):
        """A chart of the records of a metric, counted by a field of theirs."""
        metric = self._get_metrics([code])
        if not metric:
            return None
        domain = metric._get_records_domain(period, filters=filters)
        Model = self.env[metric.model].with_context(active_test=False)
        groups = Model._read_group(
            domain, [field], ["__count"], order=f"__count desc, {field}", limit=limit
        )
        labels = (
            dict(Model._fields[field]._description_selection(self.env))
            if Model._fields[field].type == "selection"
            else {}
        )
        rows = []
        for value, count in groups:
            name = labels.get(value) or (value.display_name if hasattr(value, "ids") else value)
            record = value.id if hasattr(value, "ids") else value
            action = metric._get_drill_down_action(period, filters=filters, name=f"{title}: {name}")
            action["domain"] = [*action["domain"], (field, "=", record or False)]
            rows.append((name or self.env._("Not given"), count, action))
        return {
            "key": key,
            "title": title,
            "kind": kind,
            "labels": [row[0] for row in rows],
            "series": [{"name": title, "data": [row[1] for row in rows]}],
            "actions": [row[2] for row in rows],
        }

    # ------------------------------------------------------------
    # Dashboards
    # ------------------------------------------------------------

    @api.model
    def _build_sales_dashboard(self, period, filters):
        _ = self.env._
        codes = [
            "orders_amount", "plan_orders_amount", "orders", "average_cheque", "deals_new",
            "deals_won", "win_rate", "deals_open_amount", "cycle_days", "discount",
        ]  # fmt: skip
        return {
            "tiles": self._build_tiles(codes, period, filters),
            "charts": [
                self._build_months("orders_amount", period, filters, plan=True),
                self._build_people("orders_amount", period, filters),
                self._build_groups(
                    "stages", _("Open deals by stage"), "deals_open", "stage_id", period, filters
                ),
                self._build_groups(
                    "reasons", _("Why deals are lost"), "deals_lost", "lost_reason_id", period,
                    filters,
                ),
                self._build_groups(
                    "sources", _("New deals by source"), "deals_new", "source_id", period,
                    filters, kind="doughnut",
                ),
            ],
        }  # fmt: skip

    @api.model
    def _build_clients_dashboard(self, period, filters):
        _ = self.env._
        codes = [
            "clients_served", "clients_new", "clients_returned", "orders_amount",
            "average_cheque", "interactions", "reached_share", "answer_hours", "unanswered",
            "overdue_work",
        ]  # fmt: skip
        return {
            "tiles": self._build_tiles(codes, period, filters),
            "charts": [
                self._build_months("clients_served", period, filters),
                self._build_months("clients_new", period, filters),
                self._build_top_clients(period, filters),
                self._build_segments(filters),
                self._build_groups(
                    "kinds", _("Interactions by kind"), "interactions", "kind", period, filters,
                    kind="doughnut",
                ),
            ],
        }  # fmt: skip

    @api.model
    def _build_top_clients(self, period, filters, limit=10):
        """The clients who bought most, contacts under their company."""
        metric = self._get_metrics(["orders_amount"])
        if not metric:
            return None
        orders = self.env["sale.order"].with_context(active_test=False)
        domain = metric._get_records_domain(period, filters=filters)
        company = self.env.company
        day = fields.Date.context_today(self)
        sums = {}
        for partner, currency, amount in orders._read_group(
            domain, ["partner_id", "currency_id"], ["amount_untaxed:sum"]
        ):
            client = partner.sudo().commercial_partner_id
            # sudo: the name of a client on an order that the user may read
            sums[client] = sums.get(client, 0) + currency._convert(
                amount, company.currency_id, company, min(day, period[1]), round=False
            )
        top = sorted(sums.items(), key=lambda item: (-item[1], item[0].id))[:limit]
        title = self.env._("Clients who bought most")
        actions = []
        for client, _amount in top:
            action = metric._get_drill_down_action(period, filters=filters, name=client.name)
            action["domain"] = [
                *action["domain"], ("partner_id.commercial_partner_id", "=", client.id),
            ]  # fmt: skip
            actions.append(action)
        return {
            "key": "top_clients",
            "title": title,
            "kind": "hbar",
            "labels": [client.name for client, _amount in top],
            "series": [{"name": metric.name, "data": [amount for _client, amount in top]}],
            "actions": actions,
        }

    @api.model
    def _build_segments(self, filters, limit=10):
        """How many clients are in each segment now."""
        Member = self.env["crm.segment.member"]
        if not Member.has_access("read"):
            return None
        domain = [("date_exit", "=", False), ("segment_id.active", "=", True)]
        if filters["segment_ids"]:
            domain.append(("segment_id", "in", filters["segment_ids"]))
        groups = Member._read_group(
            domain, ["segment_id"], ["__count"], order="__count desc, segment_id", limit=limit
        )
        title = self.env._("Clients by segment, now")
        return {
            "key": "segments",
            "title": title,
            "kind": "hbar",
            "labels": [segment.name for segment, _count in groups],
            "series": [{"name": title, "data": [count for _segment, count in groups]}],
            "actions": [
                {
                    "type": "ir.actions.act_window",
                    "name": segment.name,
                    "res_model": "crm.segment.member",
                    "views": [(False, "list"), (False, "form")],
                    "domain": [("segment_id", "=", segment.id), ("date_exit", "=", False)],
                    "context": {"create": False},
                }
                for segment, _count in groups
            ],
        }
