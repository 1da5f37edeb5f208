import { Component, markup, useRef, useState } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { standardFieldProps } from "@web/views/fields/standard_field_props";
import { moveToStage } from "./process_statusbar";

const OPENABLE = ["interaction", "order", "agreement"];

/** Whether a field of a record has a value that counts as filled in, as the server sees it. */
function isFilled(record, name) {
    const value = record.data[name];
    switch (record.fields[name].type) {
        case "one2many":
        case "many2many":
            return value.count > 0;
        case "many2one":
            return Boolean(value && value.id);
        case "html": {
            const div = document.createElement("div");
            div.innerHTML = value || "";
            return Boolean(div.textContent.trim() || div.querySelector("img"));
        }
        case "char":
        case "text":
            return Boolean(value && value.trim());
        default:
            return Boolean(value);
    }
}

/**
 * The step at which a deal stands: its script, what is done, what is missing, what comes next.
 * The value of the field is described in `crm.lead._get_process_checklist`.
 */
export class ProcessChecklistField extends Component {
    static template = "crm_extended.ProcessChecklistField";
    static props = { ...standardFieldProps };

    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
        this.notification = useService("notification");
        this.root = useRef("root");
        this.state = useState({ busy: false, script: !this.env.isSmall });
    }

    get value() {
        return this.props.record.data[this.props.name];
    }

    get script() {
        const script = this.value.script;
        return script ? markup(script) : false;
    }

    /** What is typed counts at once, before it is saved. */
    get items() {
        const record = this.props.record;
        return this.value.items.map((item) => ({
            ...item,
            done: item.kind === "field" && item.name in record.data ? isFilled(record, item.name) : item.done,
            openable: item.kind === "field" || OPENABLE.includes(item.kind),
        }));
    }

    get missing() {
        return this.items.filter((item) => !item.done);
    }

    get isReady() {
        const lacks = this.missing.length || (this.value.next_is_won && this.value.open.length);
        return !this.value.strict || !lacks;
    }

    get nextHelp() {
        if (this.isReady) {
            return "";
        }
        return _t("Still missing: %s", [
            ...this.missing.map((item) => item.label),
            ...(this.value.next_is_won ? this.value.open : []),
        ].join(", "));
    }

    async onNext() {
        await this.run(() => {
            const next = this.value.next;
            return moveToStage(this.props.record, { id: next.id, display_name: next.name });
        });
    }

    async onBack() {
        await this.run(async () => {
            if (await this.props.record.save()) {
                await this.open("action_open_step_back");
            }
        });
    }

    async onItem(item) {
        if (item.kind === "field") {
            await this.focusField(item);
        } else {
            await this.run(async () => {
                if (await this.props.record.save()) {
                    await this.open("action_process_evidence", item.kind);
                }
            });
        }
    }

    async open(method, ...args) {
        const record = this.props.record;
        const action = await this.orm.call(record.resModel, method, [[record.resId], ...args]);
        await this.action.doAction(action, { onClose: () => record.load() });
    }

    async run(callback) {
        if (this.state.busy) {
            return;
        }
        this.state.busy = true;
        try {
            await callback();
        } finally {
            this.state.busy = false;
        }
    }

    /** Put the cursor into a field of the form, opening the tab it is on. */
    async focusField(item) {
        const form = this.root.el.closest(".o_form_view");
        if (this.focusIn(form, item.name)) {
            return;
        }
        const active = form.querySelector(".o_notebook_headers .nav-link.active");
        for (const tab of form.querySelectorAll(".o_notebook_headers .nav-link")) {
            tab.click();
            await new Promise((resolve) => setTimeout(resolve, 50));
            if (this.focusIn(form, item.name)) {
                return;
            }
        }
        active?.click();
        this.notification.add(_t("“%s” is not on this form.", item.label), { type: "info" });
    }

    focusIn(form, name) {
        for (const field of form.querySelectorAll(`.o_field_widget[name="${name}"]`)) {
            const input = field.querySelector("input, textarea, select, [contenteditable=true], a, button");
            if (field.offsetParent && input) {
                field.scrollIntoView({ block: "center", behavior: "smooth" });
                input.focus({ preventScroll: true });
                return true;
            }
        }
        return false;
    }
}

registry.category("fields").add("crm_process_checklist", {
    component: ProcessChecklistField,
    displayName: _t("Check List of the Sale Process"),
    supportedTypes: ["json"],
});
