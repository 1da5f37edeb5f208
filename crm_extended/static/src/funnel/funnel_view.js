import { Component, useRef } from "@odoo/owl";
import { download } from "@web/core/network/download";
import { registry } from "@web/core/registry";
import { useModel } from "@web/model/model";
import { useSetupAction } from "@web/search/action_hook";
import { CogMenu } from "@web/search/cog_menu/cog_menu";
import { Layout } from "@web/search/layout";
import { SearchBar } from "@web/search/search_bar/search_bar";
import { useSearchBarToggler } from "@web/search/search_bar/search_bar_toggler";
import { ActionHelper } from "@web/views/action_helper";
import { standardViewProps } from "@web/views/standard_view_props";
import { FunnelModel } from "./funnel_model";
import { FunnelRenderer } from "./funnel_renderer";

/** The funnel below Odoo's search bar: filters apply to it, a grouping is compared below it. */
export class FunnelController extends Component {
    static template = "crm_extended.FunnelView";
    static components = { ActionHelper, CogMenu, FunnelRenderer, Layout, SearchBar };
    static props = { ...standardViewProps };

    setup() {
        this.model = useModel(FunnelModel, { resModel: this.props.resModel });
        useSetupAction({ rootRef: useRef("root") });
        this.searchBarToggler = useSearchBarToggler();
    }

    async onExport() {
        await download({
            url: "/crm_extended/funnel.xlsx",
            data: {
                domain: JSON.stringify(this.model.domain),
                groupby: this.model.groupBy || "",
            },
        });
    }
}

registry.category("views").add("crm_funnel", {
    type: "graph",
    Controller: FunnelController,
    searchMenuTypes: ["filter", "groupBy", "favorite"],
});
