import { registry } from "@web/core/registry";
import {
    RottingStatusBarDurationField,
    rottingStatusBarDurationField,
} from "@mail/js/rotting_mixin/rotting_statusbar";

/**
 * Move a deal to another stage and save it, with everything else that was typed. When the server
 * refuses, the deal is shown where it still stands.
 *
 * @param {Object} record of the form
 * @param {{id: number, display_name: string}} stage
 */
export async function moveToStage(record, stage) {
    const previous = record.data.stage_id;
    const wasDirty = await record.isDirty();
    await record.update({ stage_id: stage });
    try {
        return await record.save();
    } catch (error) {
        if (wasDirty) {
            await record.update({ stage_id: previous });
        } else {
            await record.discard();
        }
        throw error;
    }
}

/** The stages of a sale process, in the order of its steps. */
export class ProcessStatusBarField extends RottingStatusBarDurationField {
    getAllItems() {
        const order = this.props.record.data.process_stage_ids.currentIds;
        const place = (item) => (order.includes(item.value) ? order.indexOf(item.value) : -1);
        return super.getAllItems().sort((first, second) => place(first) - place(second));
    }

    async selectItem(item) {
        await moveToStage(this.props.record, { id: item.value, display_name: item.label });
    }
}

registry.category("fields").add("crm_process_statusbar", {
    ...rottingStatusBarDurationField,
    component: ProcessStatusBarField,
});
