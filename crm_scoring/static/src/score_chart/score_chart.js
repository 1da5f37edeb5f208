/** @odoo-module **/
import { Component } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { standardFieldProps } from "@web/views/fields/standard_field_props";

/**
 * Score of a deal over time, small: a line from 0 to 100 and its highest point.
 * The value is a list of {date, label, value}; dates are milliseconds.
 */
export class ScoreTrend extends Component {
    static template = "crm_scoring.ScoreTrend";
    static props = { ...standardFieldProps };
    width = 240;
    height = 56;

    get points() {
        const rows = this.props.record.data[this.props.name] || [];
        if (!rows.length) {
            return [];
        }
        const first = rows[0].date;
        const span = rows[rows.length - 1].date - first || 1;
        return rows.map((row) => ({
            ...row,
            x: 4 + ((this.width - 8) * (row.date - first)) / span,
            y: this.height - 4 - ((this.height - 8) * row.value) / 100,
        }));
    }
    get line() {
        return this.points.map((p) => `${p.x.toFixed(1)},${p.y.toFixed(1)}`).join(" ");
    }
    get peak() {
        return this.points.reduce((best, p) => (!best || p.value >= best.value ? p : best), null);
    }
    get last() {
        return this.points[this.points.length - 1];
    }
    get title() {
        return _t("Score from 0 to 100 over time");
    }
}

/**
 * Calibration of a model: what was promised (to the right) against what happened (upwards); on
 * the diagonal they are the same. The value is a list of {x, y, size}, in percent.
 */
export class ScorePlot extends Component {
    static template = "crm_scoring.ScorePlot";
    static props = { ...standardFieldProps };
    side = 240;
    margin = 34;

    place(percent) {
        return (this.side * percent) / 100;
    }
    get points() {
        const rows = this.props.record.data[this.props.name] || [];
        const most = Math.max(1, ...rows.map((row) => row.size));
        return rows.map((row) => ({
            x: this.margin + this.place(row.x),
            y: this.side - this.place(row.y) + 6,
            r: 3 + 4 * Math.sqrt(row.size / most),
            title: _t("Promised %(promised)s %, won %(won)s % of %(deals)s deals", {
                promised: row.x.toFixed(0),
                won: row.y.toFixed(0),
                deals: row.size,
            }),
        }));
    }
    get ticks() {
        return [0, 25, 50, 75, 100];
    }
}

const json = { supportedTypes: ["jsonb", "json"], isEmpty: () => false };
registry.category("fields").add("crm_score_trend", { ...json, component: ScoreTrend });
registry.category("fields").add("crm_score_plot", { ...json, component: ScorePlot });
