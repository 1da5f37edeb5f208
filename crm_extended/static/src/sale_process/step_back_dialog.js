import { RedirectWarningDialog } from "@web/core/errors/error_dialogs";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";

/** A deal of a strict process was about to go back: leads to the dialog that asks why. */
export class StepBackErrorDialog extends RedirectWarningDialog {
    setup() {
        super.setup();
        this.title = _t("Step Back");
    }
}

registry
    .category("error_dialogs")
    .add("odoo.addons.crm_extended.exceptions.StepBackNeeded", StepBackErrorDialog);
