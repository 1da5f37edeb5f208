import { Component, onWillStart, useState } from "@odoo/owl";
import { loadBundle } from "@web/core/assets";
import { ConfirmationDialog } from "@web/core/confirmation_dialog/confirmation_dialog";
import { Dialog } from "@web/core/dialog/dialog";
import { _t } from "@web/core/l10n/translation";
import { download } from "@web/core/network/download";
import { registry } from "@web/core/registry";
import { KeepLast } from "@web/core/utils/concurrency";
import { useService } from "@web/core/utils/hooks";
import { useSetupAction } from "@web/search/action_hook";
import { standardActionServiceProps } from "@web/webclient/actions/action_service";
import { FigureChart } from "./figure_chart";
import { PickMany } from "./pick_many";

const MODEL = "crm.manager.performance";
const WRITABLE = ["metric_ids", "user_ids", "team_ids", "segment_ids"];

/** Two lists are behind a ratio: which of them shall be opened. */
export class RecordChoice extends Component {
    static template = "crm_extended.RecordChoice";
    static components = { Dialog };
    static props = { actions: Array, onChoose: Function, close: Function };

    choose(action) {
        this.props.close();
        this.props.onChoose(action);
    }
}

/** Figures of people or teams side by side; each opens the records behind it. */
export class ManagerPerformance extends Component {
    static template = "crm_extended.ManagerPerformance";
    static components = { FigureChart, PickMany };
    static props = { ...standardActionServiceProps };

    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
        this.dialog = useService("dialog");
        this.keepLast = new KeepLast();
        this.labels = { team: _t("Team"), person: _t("Employee") };
        const saved = this.props.state || {};
        this.state = useState({
            options: saved.options || null,
            performanceId: saved.performanceId || this.props.action.params?.performance_id || 0,
            metricId: saved.metricId || 0,
            turned: false,
            report: null,
            error: "",
            naming: false,
            name: "",
            shared: false,
        });
        // coming back from the records, the screen is as it was left
        useSetupAction({
            getLocalState: () => ({
                options: { ...this.state.options },
                performanceId: this.state.performanceId,
                metricId: this.state.metricId,
            }),
        });
        onWillStart(async () => {
            await Promise.all([loadBundle("web.chartjs_lib"), this.loadSettings()]);
            await this.load();
        });
    }

    async loadSettings() {
        this.settings = await this.orm.call(MODEL, "get_settings", [this.state.performanceId]);
        if (!this.state.options) {
            this.state.options = { ...this.settings.options };
            this.state.performanceId = this.settings.performance_id || 0;
            this.state.metricId = this.settings.options.chart_metric_id || 0;
        }
    }

    async load() {
        if (!this.state.options.metric_ids?.length) {
            this.state.error = _t("Choose at least one metric.");
            this.state.report = null;
            return;
        }
        const { period, date_from, date_to } = this.state.options;
        if (period === "custom" && !(date_from && date_to && date_from <= date_to)) {
            this.state.error = _t("Enter the first and the last day.");
            return;
        }
        const report = await this.keepLast.add(
            this.orm.call(MODEL, "get_report", [this.state.options])
        );
        this.state.error = "";
        this.state.report = report;
        if (!this.shown.some((metric) => metric.id === this.state.metricId)) {
            this.state.metricId = this.shown[0]?.id || 0;
        }
    }

    set(values) {
        Object.assign(this.state.options, values);
        return this.load();
    }

    setPeriod(period) {
        const today = luxon.DateTime.now();
        const days =
            period === "custom" && !this.state.options.date_from
                ? { date_from: today.startOf("month").toISODate(), date_to: today.toISODate() }
                : {};
        return this.set({ period, ...days });
    }

    choose(id) {
        const chosen = this.settings.analyses.find((one) => one.id === id);
        if (chosen) {
            this.state.performanceId = id;
            this.state.metricId = chosen.options.chart_metric_id || 0;
            return this.set({ ...chosen.options });
        }
    }

    // ------------------------------------------------------------
    // What is shown
    // ------------------------------------------------------------

    get report() {
        return this.state.report;
    }

    get current() {
        return this.settings.analyses.find((one) => one.id === this.state.performanceId);
    }

    get shown() {
        return (this.report?.metrics || [])
            .map((metric, index) => ({ ...metric, index }))
            .filter((metric) => !metric.problem);
    }

    get charted() {
        return this.shown.find((metric) => metric.id === this.state.metricId);
    }

    /** Whether the smallest figure comes first: where less is better, unless turned over. */
    get ascending() {
        return (this.charted?.better === "down") !== this.state.turned;
    }

    get ranked() {
        const metric = this.charted;
        if (!metric) {
            return this.report.rows;
        }
        const sign = this.ascending ? 1 : -1;
        const value = (row) => row.cells[metric.index].value;
        const rows = [...this.report.rows].sort((a, b) => {
            if (value(a) === null || value(b) === null) {
                return (value(a) === null) - (value(b) === null);
            }
            return sign * (value(a) - value(b)) || a.name.localeCompare(b.name);
        });
        const best = (metric.better === "down") === this.ascending;
        return rows.map((row, index) => {
            // equal figures share their place
            const place = rows.findIndex((other) => value(other) === value(row)) + 1;
            return {
                ...row,
                place: best && metric.better !== "none" && row.key && value(row) !== null ? place : 0,
                index,
            };
        });
    }

    getBar(metric, cell) {
        const values = this.report.rows.map((row) => Math.abs(row.cells[metric.index].value || 0));
        const most = Math.max(...values, 0);
        return most ? Math.round((100 * Math.abs(cell.value || 0)) / most) : 0;
    }

    get series() {
        const index = this.charted.index;
        const series = [
            {
                name: this.report.period,
                data: this.ranked.map((row) => row.cells[index].value),
            },
        ];
        if (this.ranked.some((row) => row.cells[index].other !== null)) {
            const comparison = this.settings.comparisons.find(
                (one) => one.id === this.report.comparison
            );
            series.push({
                name: this.report.other || comparison.name,
                data: this.ranked.map((row) => row.cells[index].other),
            });
        }
        return series;
    }

    rank(metric) {
        this.state.turned = this.state.metricId === metric.id ? !this.state.turned : false;
        this.state.metricId = metric.id;
        this.state.options.chart_metric_id = metric.id;
    }

    // ------------------------------------------------------------
    // What is done
    // ------------------------------------------------------------

    async open(metric, key, other = false) {
        const actions = await this.orm.call(MODEL, "get_records_actions", [
            this.state.options,
            metric.id,
            key,
            other,
        ]);
        if (actions.length === 1) {
            return this.action.doAction(actions[0]);
        }
        this.dialog.add(RecordChoice, {
            actions,
            onChoose: (action) => this.action.doAction(action),
        });
    }

    download() {
        return download({
            url: "/crm_extended/managers.xlsx",
            data: { options: JSON.stringify(this.state.options) },
        });
    }

    get values() {
        const { options } = this.state;
        const values = {
            group_by: options.group,
            period: options.period,
            date_from: options.period === "custom" ? options.date_from : false,
            date_to: options.period === "custom" ? options.date_to : false,
            comparison: options.comparison,
            chart_metric_id: this.state.metricId || false,
        };
        for (const name of WRITABLE) {
            values[name] = [[6, 0, options[name] || []]];
        }
        return values;
    }

    async save() {
        await this.orm.write(MODEL, [this.state.performanceId], this.values);
        await this.loadSettings();
    }

    async saveAs() {
        const [id] = await this.orm.create(MODEL, [
            { name: this.state.name, shared: this.state.shared, ...this.values },
        ]);
        Object.assign(this.state, { performanceId: id, naming: false, name: "" });
        await this.loadSettings();
        this.render();
    }

    remove() {
        this.dialog.add(ConfirmationDialog, {
            body: _t("Delete the comparison “%s”?", this.current.name),
            confirmLabel: _t("Delete"),
            confirm: async () => {
                await this.orm.unlink(MODEL, [this.state.performanceId]);
                Object.assign(this.state, { options: null, performanceId: 0 });
                await this.loadSettings();
                await this.load();
            },
            cancel: () => {},
        });
    }
}

registry.category("actions").add("crm_manager_performance", ManagerPerformance);
