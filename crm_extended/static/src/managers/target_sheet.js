import { Component, onWillStart, useRef, useState } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { parseFloat as parseNumber } from "@web/views/fields/parsers";
import { formatFloat } from "@web/views/fields/formatters";
import { standardActionServiceProps } from "@web/webclient/actions/action_service";

const MODEL = "crm.sales.target";
const STEPS = {
    ArrowUp: [-1, 0],
    ArrowDown: [1, 0],
    Enter: [1, 0],
};

/** A year of targets: a row for each bearer, a column for each month, cells like a spreadsheet. */
export class TargetSheet extends Component {
    static template = "crm_extended.TargetSheet";
    static props = { ...standardActionServiceProps };

    setup() {
        this.orm = useService("orm");
        this.notification = useService("notification");
        this.table = useRef("table");
        this.state = useState({ sheet: null, growth: "5", totals: {} });
        onWillStart(() => this.load());
    }

    async load(metricId = null, year = null) {
        this.state.sheet = await this.orm.call(MODEL, "get_sheet", [metricId, year]);
        this.state.totals = {};
    }

    reload() {
        return this.load(this.sheet.metric.id, this.sheet.year);
    }

    get sheet() {
        return this.state.sheet;
    }

    get monthNames() {
        return this.sheet.months.map((month) =>
            luxon.DateTime.fromISO(month).toFormat("LLL yy")
        );
    }

    get years() {
        return [this.sheet.year - 1, this.sheet.year, this.sheet.year + 1];
    }

    get canEdit() {
        return this.sheet.rows.some((row) => row.editable);
    }

    format(value) {
        if (value === null || value === undefined) {
            return "";
        }
        return formatFloat(value, { digits: [16, Number.isInteger(value) ? 0 : 2] });
    }

    getTotal(values) {
        const known = values.filter((value) => value !== null);
        if (!known.length) {
            return null;
        }
        const sum = known.reduce((total, value) => total + value, 0);
        return this.sheet.metric.additive ? sum : sum / known.length;
    }

    /** What the people below a team add up to, in place of a target that was not set. */
    getExpected(row, index) {
        if (!this.sheet.metric.additive || row.kind === "user") {
            return null;
        }
        const rows = this.sheet.rows;
        let sum = null;
        if (row.kind === "team") {
            for (const other of rows.slice(rows.indexOf(row) + 1)) {
                if (other.kind !== "user" || other.loose) {
                    break;
                }
                if (other.values[index] !== null) {
                    sum = (sum || 0) + other.values[index];
                }
            }
        } else {
            for (const team of rows.filter((other) => other.kind === "team" || other.loose)) {
                const value = team.values[index] ?? this.getExpected(team, index);
                if (value !== null) {
                    sum = (sum || 0) + value;
                }
            }
        }
        return sum;
    }

    /** What the year of a team or the company adds up to, where no target of it was set. */
    getExpectedTotal(row) {
        if (!this.sheet.metric.additive || row.kind === "user") {
            return null;
        }
        return this.getTotal(
            row.values.map((value, index) => value ?? this.getExpected(row, index))
        );
    }

    parse(text) {
        const value = text.trim() === "" ? null : parseNumber(text);
        if (value !== null && !(value >= 0)) {
            throw new Error("negative");
        }
        return value;
    }

    async change(row, index, ev) {
        await this.write([[row, index, ev.target.value]], ev.target);
    }

    /** Write cells; what cannot be read is marked and nothing of it is kept. */
    async write(cells, input) {
        const changes = [];
        for (const [row, index, text] of cells) {
            let value;
            try {
                value = this.parse(text);
            } catch {
                input?.classList.add("is-invalid");
                this.notification.add(_t("“%s” is no target: enter a number, zero or more.", text), {
                    type: "danger",
                });
                return;
            }
            if (value !== row.values[index]) {
                changes.push({ row, index, value });
            }
        }
        input?.classList.remove("is-invalid");
        if (!changes.length) {
            return;
        }
        const before = changes.map(({ row, index }) => row.values[index]);
        for (const { row, index, value } of changes) {
            row.values[index] = value;
        }
        try {
            await this.orm.call(MODEL, "set_sheet", [
                this.sheet.metric.id,
                changes.map(({ row, index, value }) => ({
                    key: row.key,
                    month: this.sheet.months[index],
                    value,
                })),
            ]);
        } catch (error) {
            changes.forEach(({ row, index }, place) => {
                row.values[index] = before[place];
            });
            throw error;
        }
    }

    /** Arrows and Enter go up and down; Tab goes along. */
    move(ev, rowIndex, index) {
        const step = STEPS[ev.key];
        if (!step) {
            return;
        }
        ev.preventDefault();
        let next = rowIndex + (ev.shiftKey && ev.key === "Enter" ? -1 : step[0]);
        while (this.sheet.rows[next] && !this.sheet.rows[next].editable) {
            next += next < rowIndex ? -1 : 1;
        }
        const cell = this.table.el.querySelector(`input[data-cell="${next}-${index}"]`);
        if (cell) {
            cell.focus();
            cell.select();
        } else {
            ev.target.blur();
        }
    }

    /** A block that was copied from a spreadsheet fills the cells from here on. */
    paste(ev, rowIndex, index) {
        const text = ev.clipboardData.getData("text");
        if (!/[\t\n]/.test(text.trim())) {
            return;
        }
        ev.preventDefault();
        const editable = this.sheet.rows.slice(rowIndex).filter((row) => row.editable);
        const cells = [];
        text.replace(/\r/g, "")
            .replace(/\n$/, "")
            .split("\n")
            .forEach((line, down) =>
                line.split("\t").forEach((value, along) => {
                    if (editable[down] && index + along < 12) {
                        cells.push([editable[down], index + along, value]);
                    }
                })
            );
        return this.write(cells);
    }

    async copyLastYear() {
        let growth;
        try {
            growth = parseNumber(this.state.growth || "0");
        } catch {
            this.notification.add(_t("Enter the growth in percent."), { type: "danger" });
            return;
        }
        const count = await this.orm.call(MODEL, "copy_last_year", [
            this.sheet.metric.id,
            this.sheet.year,
            growth,
        ]);
        this.notification.add(_t("Targets written: %s", count), { type: "success" });
        await this.reload();
    }

    async spread(row, ev) {
        const text = ev.target.value;
        if (text.trim() === "" || text === this.format(this.getTotal(row.values))) {
            return;
        }
        let total;
        try {
            total = this.parse(text);
        } catch {
            this.notification.add(_t("Enter the figure of the year."), { type: "danger" });
            return;
        }
        await this.orm.call(MODEL, "spread_year", [
            this.sheet.metric.id,
            this.sheet.year,
            row.key,
            total,
        ]);
        await this.reload();
    }
}

registry.category("actions").add("crm_sales_target_sheet", TargetSheet);
