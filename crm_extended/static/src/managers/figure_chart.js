import { Component, onMounted, onWillUnmount, onWillUpdateProps, useRef } from "@odoo/owl";
import { getColor } from "@web/core/colors/colors";
import { formatFloat, formatInteger } from "@web/views/fields/formatters";

const PALETTE = ["#71639e", "#b8c4ce", "#28a745", "#ffac00", "#3b82c4", "#dc3545"];

/** A chart of Chart.js; a click on a bar or slice tells which row it is. */
export class FigureChart extends Component {
    static template = "crm_extended.FigureChart";
    static props = {
        title: { type: String, optional: true },
        kind: String, // bar, hbar, line, doughnut
        labels: Array,
        // {name, data, color, colors: of the slices, percent: a line by a second axis up to 100}
        series: Array,
        stacked: { type: Boolean, optional: true },
        height: { type: Number, optional: true },
        format: { type: Function, optional: true },
        onOpen: { type: Function, optional: true },
    };
    static defaultProps = { height: 240 };

    setup() {
        this.canvas = useRef("canvas");
        onMounted(() => this.draw(this.props));
        onWillUpdateProps((props) => {
            this.chart?.destroy();
            this.chart = null;
            // the canvas may come and go with the figures
            Promise.resolve().then(() => requestAnimationFrame(() => this.draw(props)));
        });
        onWillUnmount(() => this.chart?.destroy());
    }

    get isEmpty() {
        return !this.props.series.some((one) => one.data.some((value) => value));
    }

    draw(props) {
        if (!this.canvas.el || this.chart) {
            return;
        }
        const isRound = props.kind === "doughnut";
        const isLying = props.kind === "hbar";
        const hasPercent = props.series.some((one) => one.percent);
        const numbers = {
            beginAtZero: true,
            stacked: props.stacked,
            ticks: { precision: 0, callback: (value) => (props.format || formatNumber)(value) },
        };
        const names = {
            stacked: props.stacked,
            grid: { display: false },
            ticks: {
                callback: function (value) {
                    return shorten(this.getLabelForValue(value));
                },
            },
        };
        const scales = { [isLying ? "x" : "y"]: numbers, [isLying ? "y" : "x"]: names };
        if (hasPercent) {
            scales.percent = {
                position: "right",
                min: 0,
                max: 100,
                grid: { display: false },
                ticks: { callback: (value) => `${value} %` },
            };
        }
        // eslint-disable-next-line no-undef
        this.chart = new Chart(this.canvas.el, {
            type: { bar: "bar", hbar: "bar", line: "line", doughnut: "doughnut" }[props.kind],
            data: {
                labels: props.labels,
                datasets: props.series.map((one, index) => ({
                    label: one.name,
                    data: one.data,
                    ...(one.percent ? { type: "line", yAxisID: "percent", order: -1 } : {}),
                    borderColor: one.color || PALETTE[index % PALETTE.length],
                    backgroundColor: isRound
                        ? one.colors ||
                          one.data.map((_, i) => getColor(i, "light", one.data.length))
                        : one.color || PALETTE[index % PALETTE.length],
                    tension: 0.3,
                    maxBarThickness: 28,
                })),
            },
            options: {
                indexAxis: isLying ? "y" : "x",
                maintainAspectRatio: false,
                animation: false,
                scales: isRound ? {} : scales,
                plugins: {
                    legend: {
                        display: isRound || props.series.length > 1,
                        position: "bottom",
                        labels: { boxWidth: 12 },
                    },
                    tooltip: {
                        callbacks: {
                            label: (item) =>
                                ` ${isRound ? item.label : item.dataset.label}: ${(
                                    props.format || formatNumber
                                )(item.raw)}`,
                        },
                    },
                },
                onClick: (ev, elements) => {
                    if (elements.length && props.onOpen) {
                        props.onOpen(elements[0].index, elements[0].datasetIndex);
                    }
                },
                onHover: (ev, elements) => {
                    ev.native.target.style.cursor =
                        elements.length && props.onOpen ? "pointer" : "default";
                },
            },
        });
    }
}

/** A number as the user writes it; fractions only where there are any. */
function formatNumber(value) {
    return Number.isInteger(value) ? formatInteger(value) : formatFloat(value, { digits: [16, 2] });
}

function shorten(text) {
    if (!text || text.length <= 24) {
        return text;
    }
    // of a path its end tells most
    const end = text.split(" / ").pop();
    return end !== text && end.length <= 24 ? end : `${end.slice(0, 23)}…`;
}
