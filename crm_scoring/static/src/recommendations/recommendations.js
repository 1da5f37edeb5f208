import { Component, onWillStart, onWillUpdateProps, useState } from "@odoo/owl";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { standardWidgetProps } from "@web/views/widgets/standard_widget_props";

const COLORS = { repeat: "success", similar: "info", rule: "primary", popular: "secondary" };

/** What to offer next, with the reason; on a quotation a click adds the product. */
export class Recommendations extends Component {
    static template = "crm_scoring.Recommendations";
    static props = { ...standardWidgetProps };

    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
        this.state = useState({ rows: [], heldOut: false, canAdd: false, loaded: false, busy: false });
        onWillStart(() => this.load(this.props.record));
        onWillUpdateProps((next) => {
            if (this.getKey(next.record) !== this.key) {
                return this.load(next.record);
            }
        });
    }

    /** Changes when the document or what lies on it changes. */
    getKey(record) {
        const lines = record.data.order_line;
        return `${record.resId}-${lines ? lines.count : ""}-${record.data.state || ""}`;
    }

    async load(record) {
        this.key = this.getKey(record);
        if (!record.resId) {
            Object.assign(this.state, { rows: [], loaded: true });
            return;
        }
        const found = await this.orm.call("crm.product.recommendation", "get_for", [
            record.resModel,
            record.resId,
        ]);
        Object.assign(this.state, {
            rows: found.rows,
            heldOut: found.held_out,
            canAdd: found.can_add,
            loaded: true,
        });
    }

    getColor(row) {
        return COLORS[row.source];
    }

    async add(row) {
        if (this.state.busy) {
            return;
        }
        this.state.busy = true;
        try {
            const record = this.props.record;
            if (!(await record.save())) {
                return;
            }
            await this.orm.call("sale.order", "add_recommended_product", [
                [record.resId],
                row.product_id,
            ]);
            await record.load();
            await this.load(record);
        } finally {
            this.state.busy = false;
        }
    }

    open(row) {
        return this.action.doAction({
            type: "ir.actions.act_window",
            res_model: "product.product",
            res_id: row.product_id,
            views: [[false, "form"]],
        });
    }
}

registry.category("view_widgets").add("crm_recommendations", { component: Recommendations });
