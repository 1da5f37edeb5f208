import { Component, onWillStart, useState } from "@odoo/owl";
import { loadBundle } from "@web/core/assets";
import { registry } from "@web/core/registry";
import { KeepLast } from "@web/core/utils/concurrency";
import { useService } from "@web/core/utils/hooks";
import { useSetupAction } from "@web/search/action_hook";
import { standardActionServiceProps } from "@web/webclient/actions/action_service";
import { FigureChart } from "./figure_chart";
import { PickMany } from "./pick_many";

/** The filters that dashboards and pages of figures share. */
export class PeriodFilters extends Component {
    static template = "crm_extended.PeriodFilters";
    static components = { PickMany };
    static props = { choices: Object, options: Object, onChange: Function };

    setPeriod(period) {
        const today = luxon.DateTime.now();
        const days =
            period === "custom" && !this.props.options.date_from
                ? { date_from: today.startOf("month").toISODate(), date_to: today.toISODate() }
                : {};
        this.props.onChange({ period, ...days });
    }

    get isMine() {
        const { user_ids } = this.props.options;
        return user_ids.length === 1 && user_ids[0] === this.props.choices.mine;
    }
}

/** A page of figures of a period: it is loaded anew whenever a filter changes. */
export class FigurePage extends Component {
    static components = { FigureChart, PeriodFilters };
    static props = { ...standardActionServiceProps };

    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
        this.keepLast = new KeepLast();
        this.state = useState({
            options: this.props.state?.options || {
                period: "this_month",
                user_ids: [],
                team_ids: [],
                segment_ids: [],
                ...this.defaults,
            },
            page: null,
            version: 0,
        });
        // coming back from the records, the page is as it was left
        useSetupAction({ getLocalState: () => ({ options: { ...this.state.options } }) });
        onWillStart(async () => {
            await Promise.all([loadBundle("web.chartjs_lib"), this.loadChoices(), this.load()]);
        });
    }

    get defaults() {
        return {};
    }

    async loadChoices() {
        this.choices = await this.orm.call("crm.dashboard", "get_choices", [this.kind]);
    }

    get kind() {
        return this.props.action.params?.kind || "sales";
    }

    async load() {
        const { period, date_from, date_to } = this.state.options;
        if (period === "custom" && !(date_from && date_to && date_from <= date_to)) {
            return;
        }
        this.state.page = await this.keepLast.add(this.call());
        this.state.version++;
    }

    set(values) {
        Object.assign(this.state.options, values);
        return this.load();
    }

    get page() {
        return this.state.page;
    }

    open(action) {
        return action && this.action.doAction(action);
    }
}

/** Tiles and charts; each opens the records that it counts. */
export class Dashboard extends FigurePage {
    static template = "crm_extended.Dashboard";

    call() {
        return this.orm.call("crm.dashboard", "get_dashboard", [this.kind, this.state.options]);
    }

    /** What a click on a bar opens; charts of several series may open another list for each. */
    openChart(chart, index, seriesIndex) {
        const action = chart.actions[index];
        return this.open(Array.isArray(action) ? action[seriesIndex] : action);
    }
}

/** What keeps turnover from the plan, on one page. */
export class SalesTrouble extends FigurePage {
    static template = "crm_extended.SalesTrouble";

    call() {
        // until somebody chooses, the server says what is usual
        return this.orm.call("crm.sales.trouble", "get_trouble", [this.state.options]);
    }

    getBar(row) {
        const most = Math.max(...this.page.split.factors.map((one) => Math.abs(one.amount)));
        return most ? Math.round((100 * Math.abs(row.amount)) / most) : 0;
    }
}

registry.category("actions").add("crm_dashboard", Dashboard);
registry.category("actions").add("crm_sales_trouble", SalesTrouble);
