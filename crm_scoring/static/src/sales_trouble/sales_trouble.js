import { SalesTrouble } from "@crm_extended/managers/dashboard";
import { download } from "@web/core/network/download";
import { patch } from "@web/core/utils/patch";

/** Why the plan was missed, with a workbook to take away. */
patch(SalesTrouble.prototype, {
    download() {
        return download({
            url: "/crm_scoring/trouble.xlsx",
            data: { options: JSON.stringify(this.state.options) },
        });
    },
});
