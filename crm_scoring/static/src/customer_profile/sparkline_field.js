import { Component } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { deserializeDate } from "@web/core/l10n/dates";
import { registry } from "@web/core/registry";
import { formatMonetary } from "@web/views/fields/formatters";
import { standardFieldProps } from "@web/views/fields/standard_field_props";

const HEIGHT = 36;
const BAR = 6;
const GAP = 2;

/** Turnover of the last months as small bars; returns that outweigh the sales hang below. */
export class CustomerSparkline extends Component {
    static template = "crm_scoring.CustomerSparkline";
    static props = { ...standardFieldProps };

    get value() {
        return this.props.record.data[this.props.name] || { months: [], amounts: [] };
    }

    get width() {
        return this.value.months.length * (BAR + GAP);
    }

    get height() {
        return HEIGHT;
    }

    get baseline() {
        const { top, bottom } = this.range;
        return (HEIGHT * top) / (top - bottom || 1);
    }

    get range() {
        const amounts = this.value.amounts;
        return { top: Math.max(...amounts, 0), bottom: Math.min(...amounts, 0) };
    }

    get bars() {
        const { top, bottom } = this.range;
        const scale = HEIGHT / (top - bottom || 1);
        return this.value.amounts.map((amount, index) => ({
            key: this.value.months[index],
            x: index * (BAR + GAP),
            y: amount >= 0 ? this.baseline - Math.max(amount * scale, 1) : this.baseline,
            height: Math.max(Math.abs(amount) * scale, 1),
            width: BAR,
            color: amount > 0 ? "text-primary" : amount < 0 ? "text-danger" : "text-muted",
            title: this.getTitle(index),
        }));
    }

    getTitle(index) {
        const month = deserializeDate(this.value.months[index]).toFormat("LLLL yyyy");
        const amount = formatMonetary(this.value.amounts[index], {
            currencyId: this.value.currency_id,
        });
        return `${month}: ${amount}`;
    }

    get label() {
        return _t("Turnover by month, the last %s months", this.value.months.length);
    }
}

registry.category("fields").add("crm_customer_sparkline", {
    component: CustomerSparkline,
    displayName: _t("Sparkline"),
    supportedTypes: ["json"],
});
