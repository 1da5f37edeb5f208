import { onMounted, onPatched, useState } from "@odoo/owl";
import { useHotkey } from "@web/core/hotkeys/hotkey_hook";
import { registry } from "@web/core/registry";
import { ListController } from "@web/views/list/list_controller";
import { ListRenderer } from "@web/views/list/list_renderer";
import { listView } from "@web/views/list/list_view";
import { CallCounters } from "./call_counters";

const MAX_DIGIT = 9;

export class MyCallsController extends ListController {
    static template = "crm_extended.MyCallsListView";
    static components = { ...ListController.components, CallCounters };
}

/**
 * One row is current: arrows choose it, digits press its outcome buttons, Enter opens it. When
 * its outcome has been recorded, the row that takes its place becomes current.
 */
export class MyCallsRenderer extends ListRenderer {
    setup() {
        super.setup();
        this.current = useState({ resId: false, index: 0 });
        // keys are for the list unless a field, a menu or a dialog has the focus
        const isAvailable = (target) =>
            !target?.closest?.(".o_popover, .o-dropdown--menu, .o_control_panel");
        useHotkey("arrowdown", () => this.moveCurrent(1), { allowRepeat: true, isAvailable });
        useHotkey("arrowup", () => this.moveCurrent(-1), { allowRepeat: true, isAvailable });
        useHotkey("enter", () => this.openCurrent(), {
            isAvailable: (target) => isAvailable(target) && !target?.closest?.("button, a"),
        });
        for (let digit = 1; digit <= MAX_DIGIT; digit++) {
            useHotkey(`${digit}`, () => this.pressOutcome(digit), { isAvailable });
        }
        onMounted(() => {
            if (!this.uiService.isSmall) {
                this.rootRef.el.focus({ preventScroll: true });
            }
            this.keepCurrent();
        });
        onPatched(() => this.keepCurrent());
    }

    get rows() {
        const collect = (list) =>
            list.isGrouped
                ? list.groups.flatMap((group) => (group.isFolded ? [] : collect(group.list)))
                : list.records;
        return collect(this.props.list);
    }

    get currentRecord() {
        const rows = this.rows;
        return (
            rows.find((record) => record.resId === this.current.resId) ||
            rows[Math.min(this.current.index, rows.length - 1)]
        );
    }

    getRowClass(record) {
        const names = super.getRowClass(record);
        return record === this.currentRecord ? `${names} o_crm_current_call` : names;
    }

    /** Remember the place of the current row, for the time when it is gone. */
    keepCurrent() {
        const record = this.currentRecord;
        const index = record ? this.rows.indexOf(record) : 0;
        const resId = record ? record.resId : false;
        if (index !== this.current.index || resId !== this.current.resId) {
            Object.assign(this.current, { index, resId });
        }
    }

    moveCurrent(step) {
        const rows = this.rows;
        const index = Math.max(
            0,
            Math.min(rows.indexOf(this.currentRecord) + step, rows.length - 1)
        );
        if (rows[index]) {
            Object.assign(this.current, { index, resId: rows[index].resId });
            this.getRowElement(rows[index])?.scrollIntoView({ block: "nearest" });
        }
    }

    getRowElement(record) {
        return this.rootRef.el.querySelector(`.o_data_row[data-id='${record.id}']`);
    }

    pressOutcome(digit) {
        const record = this.currentRecord;
        const buttons = record
            ? this.getRowElement(record).querySelectorAll(".o_crm_outcome_buttons button")
            : [];
        buttons[digit - 1]?.click();
    }

    openCurrent() {
        if (this.currentRecord) {
            this.props.openRecord(this.currentRecord);
        }
    }
}

registry.category("views").add("crm_my_calls", {
    ...listView,
    Controller: MyCallsController,
    Renderer: MyCallsRenderer,
});
