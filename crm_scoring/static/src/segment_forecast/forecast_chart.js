import { Component, onWillStart, onWillUnmount, useEffect, useRef, useState } from "@odoo/owl";
import { loadBundle } from "@web/core/assets";
import { deserializeDate } from "@web/core/l10n/dates";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { formatFloat, formatMonetary } from "@web/views/fields/formatters";
import { standardFieldProps } from "@web/views/fields/standard_field_props";

const ACTUAL = "#3B82C4";
const EXPECTED = "#3FA35B";

/** The past as a line, the forecast as a line in two bands; one measure at a time. */
export class ForecastChart extends Component {
    static template = "crm_scoring.ForecastChart";
    static props = { ...standardFieldProps };

    setup() {
        this.canvas = useRef("canvas");
        this.state = useState({ measure: "turnover" });
        this.chart = null;
        onWillStart(() => loadBundle("web.chartjs_lib"));
        useEffect(
            () => this.renderChart(),
            () => [this.state.measure, JSON.stringify(this.value.months)]
        );
        onWillUnmount(() => this.chart?.destroy());
    }

    get value() {
        return this.props.record.data[this.props.name] || { months: [], labels: {}, money: [] };
    }

    get measures() {
        return Object.entries(this.value.labels).map(([code, label]) => ({ code, label }));
    }

    get summary() {
        const next = this.value.months.find((month) => month.is_forecast);
        if (!next) {
            return "";
        }
        const measure = this.state.measure;
        return _t("%(month)s: %(value)s, in 80 of 100 cases between %(low)s and %(high)s", {
            month: this.getMonth(next.date),
            value: this.format(next[measure]),
            low: this.format(next[`${measure}_low_80`]),
            high: this.format(next[`${measure}_high_80`]),
        });
    }

    getMonth(date) {
        return deserializeDate(date).toFormat("LLL yyyy");
    }

    format(number) {
        return this.value.money.includes(this.state.measure)
            ? formatMonetary(number, { currencyId: this.value.currency_id, digits: [16, 0] })
            : formatFloat(number, { digits: [16, 1] });
    }

    renderChart() {
        this.chart?.destroy();
        if (!this.canvas.el) {
            return;
        }
        const { months } = this.value;
        const measure = this.state.measure;
        const first = months.findIndex((month) => month.is_forecast);
        // bands and forecast start at the last month of the past, so that the lines meet
        const ahead = (name) =>
            months.map((month, index) =>
                month.is_forecast ? month[name] : index === first - 1 ? month[measure] : null
            );
        const band = (level, alpha) => [
            {
                label: _t("High (%s%)", level),
                data: ahead(`${measure}_high_${level}`),
                borderWidth: 0,
                pointRadius: 0,
                fill: "+1",
                backgroundColor: `rgba(63, 163, 91, ${alpha})`,
            },
            {
                label: _t("Low (%s%)", level),
                data: ahead(`${measure}_low_${level}`),
                borderWidth: 0,
                pointRadius: 0,
                fill: false,
            },
        ];
        this.chart = new Chart(this.canvas.el, {
            type: "line",
            data: {
                labels: months.map((month) => this.getMonth(month.date)),
                datasets: [
                    {
                        label: _t("Actual"),
                        data: months.map((month) => (month.is_forecast ? null : month[measure])),
                        borderColor: ACTUAL,
                        backgroundColor: ACTUAL,
                        pointRadius: 2,
                        borderWidth: 2,
                    },
                    {
                        label: _t("Forecast"),
                        data: ahead(measure),
                        borderColor: EXPECTED,
                        backgroundColor: EXPECTED,
                        pointRadius: 2,
                        borderWidth: 2,
                    },
                    ...band(80, 0.3),
                    ...band(95, 0.15),
                ],
            },
            options: {
                animation: false,
                maintainAspectRatio: false,
                interaction: { mode: "index", intersect: false },
                plugins: {
                    legend: { labels: { filter: (item) => item.datasetIndex < 2 } },
                    tooltip: {
                        filter: (item) =>
                            item.raw !== null &&
                            (item.datasetIndex === 0 || months[item.dataIndex].is_forecast),
                        callbacks: {
                            label: (item) => `${item.dataset.label}: ${this.format(item.raw)}`,
                        },
                    },
                },
                scales: { y: { ticks: { callback: (number) => this.format(number) } } },
            },
        });
    }
}

registry.category("fields").add("crm_forecast_chart", {
    component: ForecastChart,
    displayName: _t("Forecast Chart"),
    supportedTypes: ["json"],
    isEmpty: () => false,
});
