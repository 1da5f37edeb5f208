import { Component } from "@odoo/owl";
import { DropdownItem } from "@web/core/dropdown/dropdown_item";
import { download } from "@web/core/network/download";
import { registry } from "@web/core/registry";
import { STATIC_ACTIONS_GROUP_NUMBER } from "@web/search/action_menus/action_menus";

// model -> where its workbook comes from
const URLS = {
    "crm.customer.profile": "/crm_scoring/clients.xlsx",
    "crm.product.rule": "/crm_scoring/recommendations.xlsx",
    "crm.product.recommendation": "/crm_scoring/recommendations.xlsx",
    "crm.product.offer": "/crm_scoring/recommendations.xlsx",
    "crm.campaign.effect": "/crm_scoring/campaigns.xlsx",
    "crm.occasion": "/crm_scoring/occasions.xlsx",
    "crm.channel.cost": "/crm_scoring/channels.xlsx",
    "crm.channel.report": "/crm_scoring/channels.xlsx",
    "crm.segment.forecast": "/crm_scoring/forecasts.xlsx",
    "crm.segment.forecast.line": "/crm_scoring/forecasts.xlsx",
};

/** Workbook with charts of what the list, the pivot or the chart shows. */
export class CustomerProfileExport extends Component {
    static template = "crm_scoring.CustomerProfileExport";
    static components = { DropdownItem };
    static props = {};

    async onExport() {
        await download({
            url: URLS[this.env.searchModel.resModel],
            data: {
                model: this.env.searchModel.resModel,
                domain: JSON.stringify(this.env.searchModel.domain),
            },
        });
    }
}

registry.category("cogMenu").add(
    "crm-customer-profile-export",
    {
        Component: CustomerProfileExport,
        groupNumber: STATIC_ACTIONS_GROUP_NUMBER,
        isDisplayed: (env) =>
            env.searchModel?.resModel in URLS &&
            ["list", "kanban", "pivot", "graph"].includes(env.config.viewType),
    },
    { sequence: 11 }
);
