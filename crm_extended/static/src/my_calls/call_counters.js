import { Component, onWillStart, onWillUnmount, onWillUpdateProps, useState } from "@odoo/owl";
import { browser } from "@web/core/browser/browser";
import { _t } from "@web/core/l10n/translation";
import { useService } from "@web/core/utils/hooks";

const REFRESH = 60_000;
const FILTERS = ["to_call", "due_now", "later_today", "done_today", "coming"];

/**
 * How many calls are due now, come later today and were made today. A click shows them. Calls
 * become due while one looks: once a minute the numbers are asked for, and the list if they
 * have changed.
 */
export class CallCounters extends Component {
    static template = "crm_extended.CallCounters";
    static props = { model: Object, root: Object };

    setup() {
        this.orm = useService("orm");
        this.ui = useService("ui");
        this.state = useState({ counters: { due_now: 0, later_today: 0, done_today: 0 } });
        onWillStart(() => this.refresh());
        onWillUpdateProps((nextProps) => {
            // the list has been loaded anew
            if (nextProps.root !== this.props.root) {
                this.refresh();
            }
        });
        const timer = browser.setInterval(() => this.onTick(), REFRESH);
        onWillUnmount(() => browser.clearInterval(timer));
    }

    get tiles() {
        const counters = this.state.counters;
        return [
            { name: "due_now", label: _t("due now"), count: counters.due_now, color: "text-danger" },
            {
                name: "later_today",
                label: _t("later today"),
                count: counters.later_today,
                color: "text-warning",
            },
            {
                name: "done_today",
                label: _t("done today"),
                count: counters.done_today,
                color: "text-success",
            },
        ];
    }

    get activeFilters() {
        return this.env.searchModel
            .getSearchItems((item) => item.isActive && FILTERS.includes(item.name))
            .map((item) => item.name);
    }

    async refresh() {
        this.state.counters = await this.orm.silent.call("crm.interaction", "get_call_counters", []);
    }

    async onTick() {
        if (document.visibilityState === "hidden" || this.ui.activeElement !== document) {
            return;
        }
        const before = this.state.counters.due_now;
        await this.refresh();
        if (this.state.counters.due_now !== before) {
            await this.props.model.load();
        }
    }

    /** Show the calls that a tile counts; a second click shows again what is to do. */
    onClick(name) {
        const searchModel = this.env.searchModel;
        const wanted = this.activeFilters.includes(name) ? "to_call" : name;
        const items = searchModel.getSearchItems((item) => FILTERS.includes(item.name));
        const toggled = items.filter((item) => item.isActive !== (item.name === wanted));
        searchModel.blockNotification = true;
        for (const item of toggled.slice(1)) {
            searchModel.toggleSearchItem(item.id);
        }
        searchModel.blockNotification = false;
        if (toggled.length) {
            searchModel.toggleSearchItem(toggled[0].id);
        }
    }
}
