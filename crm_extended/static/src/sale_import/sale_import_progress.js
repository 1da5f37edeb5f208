import { onMounted, onWillUnmount } from "@odoo/owl";
import { registry } from "@web/core/registry";
import { ProgressBarField, progressBarField } from "@web/views/fields/progress_bar/progress_bar_field";

const DELAY = 3000;
const ACTIVE = ["queued", "running"];

/** Progress bar of a sales import: reads the record again while the import is under way. */
export class SaleImportProgress extends ProgressBarField {
    setup() {
        super.setup();
        onMounted(() => {
            this.timer = setInterval(() => this.refresh(), DELAY);
        });
        onWillUnmount(() => clearInterval(this.timer));
    }

    async refresh() {
        const record = this.props.record;
        if (this.loading || document.hidden || !ACTIVE.includes(record.data.state)) {
            return;
        }
        this.loading = true;
        try {
            await record.load();
        } finally {
            this.loading = false;
        }
    }
}

registry.category("fields").add("crm_sale_import_progress", {
    ...progressBarField,
    component: SaleImportProgress,
});
