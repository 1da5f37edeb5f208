import { Component, useState } from "@odoo/owl";
import { Dropdown } from "@web/core/dropdown/dropdown";
import { _t } from "@web/core/l10n/translation";

/** Choose several of a list of names; nothing chosen means all. */
export class PickMany extends Component {
    static template = "crm_extended.PickMany";
    static components = { Dropdown };
    static props = {
        label: String,
        items: Array, // {id, name, category?, problem?, description?}
        value: Array,
        all: { type: String, optional: true },
        onChange: Function,
    };

    setup() {
        this.state = useState({ text: "" });
    }

    get summary() {
        const { items, value } = this.props;
        if (!value.length) {
            return this.props.all || _t("All");
        }
        const chosen = items.filter((item) => value.includes(item.id));
        return chosen.length === 1 ? chosen[0].name : String(value.length);
    }

    get groups() {
        const text = this.state.text.trim().toLowerCase();
        const groups = new Map();
        for (const item of this.props.items) {
            if (text && !item.name.toLowerCase().includes(text)) {
                continue;
            }
            const category = item.category || "";
            groups.set(category, [...(groups.get(category) || []), item]);
        }
        return [...groups].map(([name, items]) => ({ name, items }));
    }

    toggle(id) {
        const value = this.props.value;
        this.props.onChange(
            value.includes(id) ? value.filter((other) => other !== id) : [...value, id]
        );
    }
}
