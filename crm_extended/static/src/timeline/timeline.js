import { Component, markup, onWillStart, onWillUpdateProps, useRef, useState } from "@odoo/owl";
import { deserializeDateTime } from "@web/core/l10n/dates";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { KeepLast } from "@web/core/utils/concurrency";
import { useService } from "@web/core/utils/hooks";
import { standardWidgetProps } from "@web/views/widgets/standard_widget_props";
import { TimelineEntry } from "./timeline_entry";

const { DateTime } = luxon;

/**
 * All that was said about a document or in a conversation, newest first, with what is planned on
 * top. It is loaded in pages; what is done on an entry is done by the server, after which the
 * pages that are shown are read again.
 */
export class Timeline extends Component {
    static template = "crm_extended.Timeline";
    static components = { TimelineEntry };
    static props = {
        resModel: String,
        resId: [Number, Boolean],
        // changes whenever the record around has been read again
        version: { optional: true },
        onChanged: { type: Function, optional: true },
    };

    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
        this.notification = useService("notification");
        this.root = useRef("root");
        this.keepLast = new KeepLast();
        this.state = useState({
            planned: [],
            entries: [],
            hasMore: false,
            counts: { all: 0, unhandled: 0 },
            kinds: {},
            kind: null,
            unhandled: false,
            canLog: false,
            bodies: {},
            busy: false,
            loaded: false,
        });
        onWillStart(() => this.load());
        onWillUpdateProps((nextProps) => {
            if (nextProps.resId !== this.props.resId || nextProps.resModel !== this.props.resModel) {
                Object.assign(this.state, { kind: null, unhandled: false, bodies: {}, loaded: false });
                return this.load(nextProps);
            }
            if (nextProps.version !== this.props.version) {
                this.reload(nextProps);
            }
        });
    }

    // ------------------------------------------------------------
    // DATA
    // ------------------------------------------------------------

    fetch(props, before = null) {
        return this.orm.call("crm.interaction", "get_timeline", [props.resModel, props.resId], {
            before,
            kind: this.state.kind,
            unhandled: this.state.unhandled,
        });
    }

    getLast(entries) {
        const last = entries.at(-1);
        return [last.date_start, last.id];
    }

    /**
     * Read the first page, and as many more as it takes to show as much as before.
     *
     * @param {object} props
     * @param {number} size number of entries that were shown
     */
    async load(props = this.props, size = 0) {
        if (!props.resId) {
            return;
        }
        const read = async () => {
            const page = await this.fetch(props);
            while (page.has_more && page.entries.length < size) {
                const next = await this.fetch(props, this.getLast(page.entries));
                page.entries.push(...next.entries);
                page.has_more = next.has_more;
            }
            return page;
        };
        const page = await this.keepLast.add(read());
        Object.assign(this.state, {
            planned: page.planned,
            entries: page.entries,
            hasMore: page.has_more,
            counts: page.counts,
            kinds: page.kinds,
            canLog: page.can_log,
            loaded: true,
        });
    }

    reload(props = this.props) {
        return this.load(props, this.state.entries.length);
    }

    async loadMore() {
        const page = await this.keepLast.add(
            this.fetch(this.props, this.getLast(this.state.entries))
        );
        this.state.entries.push(...page.entries);
        this.state.hasMore = page.has_more;
    }

    /** Read again what is shown, and the record around unless somebody is editing it. */
    async changed() {
        if (!(this.props.onChanged && (await this.props.onChanged()))) {
            await this.reload();
        }
    }

    // ------------------------------------------------------------
    // WHAT IS SHOWN
    // ------------------------------------------------------------

    get filters() {
        const { counts, kinds } = this.state;
        const filters = [{ kind: null, label: _t("All"), count: counts.all }];
        for (const [kind, label] of Object.entries(kinds)) {
            if (counts[kind]) {
                filters.push({ kind, label, count: counts[kind] });
            }
        }
        return filters;
    }

    get showChain() {
        return this.props.resModel === "res.partner";
    }

    /** Entries under the day on which they took place. */
    get days() {
        const days = [];
        for (const entry of this.state.entries) {
            const date = deserializeDateTime(entry.date_start);
            const key = date.toISODate();
            if (days.at(-1)?.key !== key) {
                days.push({ key, label: this.getDayLabel(date), entries: [] });
            }
            days.at(-1).entries.push(entry);
        }
        return days;
    }

    getDayLabel(date) {
        const now = DateTime.now();
        if (date.hasSame(now, "day")) {
            return _t("Today");
        }
        if (date.hasSame(now.minus({ days: 1 }), "day")) {
            return _t("Yesterday");
        }
        const format = { weekday: "long", day: "numeric", month: "long" };
        if (!date.hasSame(now, "year")) {
            format.year = "numeric";
        }
        return date.toLocaleString(format);
    }

    // ------------------------------------------------------------
    // WHAT IS DONE
    // ------------------------------------------------------------

    async setFilter(kind, unhandled = false) {
        Object.assign(this.state, { kind, unhandled });
        await this.load();
    }

    async guard(callback) {
        if (this.state.busy) {
            return;
        }
        this.state.busy = true;
        try {
            await callback();
        } catch (error) {
            // show what is there now, then the message
            await this.reload();
            throw error;
        } finally {
            this.state.busy = false;
        }
    }

    async follow(result) {
        if (result && result.type) {
            await this.action.doAction(result, { onClose: () => this.changed() });
            if (result.target === "new") {
                return;
            }
        }
        await this.changed();
    }

    onAction(entry, method, args = []) {
        return this.guard(async () => {
            const result = await this.orm.call("crm.interaction", method, [[entry.id], ...args]);
            await this.follow(result);
        });
    }

    onCreateContact(entry, person) {
        return this.guard(async () => {
            await this.orm.call("crm.interaction.participant", "action_create_partner", [
                [person.id],
            ]);
            this.notification.add(_t("Contact created: %s", person.name), { type: "success" });
            await this.changed();
        });
    }

    onOpen(entry) {
        return this.action.doAction({
            type: "ir.actions.act_window",
            res_model: "crm.interaction",
            res_id: entry.id,
            views: [[false, "form"]],
        });
    }

    onOpenChain(entry) {
        return this.action.doAction({
            type: "ir.actions.act_window",
            res_model: "crm.interaction.chain",
            res_id: entry.chain.id,
            views: [[false, "form"]],
        });
    }

    async onToggleBody(entry) {
        if (this.state.bodies[entry.id]) {
            delete this.state.bodies[entry.id];
            return;
        }
        const body = await this.orm.call("crm.interaction", "get_timeline_body", [[entry.id]]);
        this.state.bodies[entry.id] = markup(body);
    }

    log(method) {
        return this.guard(async () => {
            const result = await this.orm.call(this.props.resModel, method, [[this.props.resId]]);
            await this.action.doAction(result, { onClose: () => this.changed() });
        });
    }

    /** Arrow keys move between entries. */
    onKeydown(ev) {
        const entry = ev.target.closest(".o_crm_timeline_entry");
        if (ev.target !== entry || !["ArrowDown", "ArrowUp"].includes(ev.key)) {
            return;
        }
        const entries = [...this.root.el.querySelectorAll(".o_crm_timeline_entry")];
        const next = entries[entries.indexOf(entry) + (ev.key === "ArrowDown" ? 1 : -1)];
        if (next) {
            ev.preventDefault();
            next.focus();
        }
    }
}

/** The time line of the record of a form: `<widget name="crm_timeline"/>`. */
export class TimelineWidget extends Component {
    static template = "crm_extended.TimelineWidget";
    static components = { Timeline };
    static props = { ...standardWidgetProps };

    async onChanged() {
        const record = this.props.record;
        if (await record.isDirty()) {
            return false;
        }
        await record.model.load();
        return true;
    }
}

export const timelineWidget = {
    component: TimelineWidget,
};

registry.category("view_widgets").add("crm_timeline", timelineWidget);
