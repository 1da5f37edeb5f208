import { Component } from "@odoo/owl";
import { DropdownItem } from "@web/core/dropdown/dropdown_item";
import { download } from "@web/core/network/download";
import { registry } from "@web/core/registry";
import { STATIC_ACTIONS_GROUP_NUMBER } from "@web/search/action_menus/action_menus";

/** Workbook with charts of the clients that the list, the pivot or the chart shows. */
export class CustomerProfileExport extends Component {
    static template = "crm_scoring.CustomerProfileExport";
    static components = { DropdownItem };
    static props = {};

    async onExport() {
        await download({
            url: "/crm_scoring/clients.xlsx",
            data: { domain: JSON.stringify(this.env.searchModel.domain) },
        });
    }
}

registry.category("cogMenu").add(
    "crm-customer-profile-export",
    {
        Component: CustomerProfileExport,
        groupNumber: STATIC_ACTIONS_GROUP_NUMBER,
        isDisplayed: (env) =>
            env.searchModel?.resModel === "crm.customer.profile" &&
            ["list", "kanban", "pivot", "graph"].includes(env.config.viewType),
    },
    { sequence: 11 }
);
