import { Component, onMounted, onWillStart, onWillUnmount, useRef, useState } from "@odoo/owl";
import { loadBundle } from "@web/core/assets";
import { getColor } from "@web/core/colors/colors";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { standardActionServiceProps } from "@web/webclient/actions/action_service";

const DECISION_COLORS = { satisfied: "#28a745", partly: "#ffac00", rejected: "#dc3545" };

/** A chart of the dashboard; a click on a bar or slice opens what it counts. */
class DashboardChart extends Component {
    static template = "crm_claims.DashboardChart";
    static props = { title: String, kind: String, rows: Array, onOpen: Function };

    setup() {
        this.canvas = useRef("canvas");
        onMounted(() => this.draw());
        onWillUnmount(() => this.chart?.destroy());
    }

    get total() {
        return this.props.rows.reduce((sum, row) => sum + row.value, 0);
    }

    get datasets() {
        const { kind, rows } = this.props;
        if (kind === "trend") {
            return [
                { label: _t("Handled"), data: rows.map((r) => r.handled), backgroundColor: "#71639e" },
                { label: _t("Still open"), data: rows.map((r) => r.open), backgroundColor: "#ffac00" },
            ];
        }
        const colors = rows.map((row, index) =>
            kind === "decision" ? DECISION_COLORS[row.key] : getColor(index, "light", rows.length)
        );
        return [
            {
                label: this.props.title,
                data: rows.map((row) => row.value),
                backgroundColor: ["decision", "state"].includes(kind) ? colors : "#71639e",
            },
        ];
    }

    draw() {
        if (!this.canvas.el) {
            return;
        }
        const { kind, rows } = this.props;
        const isRound = ["decision", "state"].includes(kind);
        const grid = { beginAtZero: true, ticks: { precision: 0 } };
        const scales = {
            x: kind === "cause" ? grid : { stacked: kind === "trend", grid: { display: false } },
            y:
                kind === "cause"
                    ? { grid: { display: false }, ticks: { callback: (_, i) => shorten(rows[i].label) } }
                    : { ...grid, stacked: kind === "trend" },
        };
        // eslint-disable-next-line no-undef
        this.chart = new Chart(this.canvas.el, {
            type: isRound ? "doughnut" : "bar",
            data: { labels: rows.map((row) => row.label), datasets: this.datasets },
            options: {
                indexAxis: kind === "cause" ? "y" : "x",
                maintainAspectRatio: false,
                animation: false,
                scales: isRound ? {} : scales,
                plugins: {
                    legend: {
                        display: isRound || kind === "trend",
                        position: "bottom",
                    },
                },
                onClick: (ev, elements) => {
                    if (elements.length) {
                        this.props.onOpen(rows[elements[0].index]);
                    }
                },
                onHover: (ev, elements) => {
                    ev.native.target.style.cursor = elements.length ? "pointer" : "default";
                },
            },
        });
    }
}

function shorten(text) {
    const parts = text.split(" / ");
    const last = parts[parts.length - 1];
    return last.length > 28 ? `${last.slice(0, 27)}…` : last;
}

/** What is open, late and frequent; each figure opens the records that it counts. */
export class ClaimDashboard extends Component {
    static template = "crm_claims.Dashboard";
    static components = { DashboardChart };
    static props = { ...standardActionServiceProps };

    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
        this.state = useState({ mine: false, version: 0, tiles: [], charts: {} });
        onWillStart(() => Promise.all([loadBundle("web.chartjs_lib"), this.load()]));
    }

    async load() {
        const data = await this.orm.call("crm.claim", "get_dashboard", [this.state.mine]);
        Object.assign(this.state, data, { version: this.state.version + 1 });
    }

    setMine(mine) {
        this.state.mine = mine;
        return this.load();
    }

    get labels() {
        return {
            open: { label: _t("Open claims"), icon: "fa-folder-open-o" },
            late: { label: _t("Past the promised date"), icon: "fa-clock-o", bad: true },
            today: { label: _t("Promised for today"), icon: "fa-calendar-check-o" },
            breached: { label: _t("Deadlines missed today"), icon: "fa-bolt", bad: true },
            unassigned: { label: _t("Nobody responsible"), icon: "fa-user-times", bad: true },
            answer: { label: _t("Waiting for the client's answer"), icon: "fa-hourglass-half" },
            approval: { label: _t("Decisions to approve"), icon: "fa-gavel" },
        };
    }

    get charts() {
        return [
            { kind: "trend", title: _t("Registered by week, and what became of them"), wide: true },
            { kind: "state", title: _t("Open claims by status") },
            { kind: "age", title: _t("Open claims by age, days") },
            { kind: "cause", title: _t("Most frequent causes, 90 days"), wide: true },
            { kind: "decision", title: _t("Decisions, 90 days"), wide: true },
        ];
    }

    open(row, title, model = "crm.claim") {
        return this.action.doAction({
            type: "ir.actions.act_window",
            name: row.label ? `${title}: ${row.label}` : title,
            res_model: model,
            views: [
                [false, "list"],
                [false, "form"],
            ],
            domain: row.domain,
        });
    }
}

registry.category("actions").add("crm_claim_dashboard", ClaimDashboard);
