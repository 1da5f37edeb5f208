import { Component, onMounted, onPatched, onWillStart, onWillUpdateProps, useRef, useState } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { KeepLast } from "@web/core/utils/concurrency";
import { useService } from "@web/core/utils/hooks";
import { Layout } from "@web/search/layout";
import { FormViewDialog } from "@web/views/view_dialogs/form_view_dialog";
import { standardActionServiceProps } from "@web/webclient/actions/action_service";
import { standardWidgetProps } from "@web/views/widgets/standard_widget_props";
import { CARD, layoutRelations } from "./relation_layout";

// the colours of tags, by number
const COLORS = [
    "#8f8f8f", "#ee2d2d", "#dc8534", "#d8a800", "#5794dd", "#9f628f",
    "#db8865", "#41a9a2", "#304be0", "#ee2f8a", "#61c36e", "#9872e6",
];
const MIN_ZOOM = 0.3;
const MAX_ZOOM = 1.5;
// smaller than this nothing can be read: rather scroll
const SMALLEST_FIT = 0.55;

/**
 * The surroundings of a client, two steps deep, as a graph or a list. A click opens a card; the
 * graph can be centred on any of them.
 */
export class Relations extends Component {
    static template = "crm_extended.Relations";
    static props = { partnerId: [Number, Boolean] };

    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
        this.dialog = useService("dialog");
        this.ui = useService("ui");
        this.canvas = useRef("canvas");
        this.keepLast = new KeepLast();
        this.card = CARD;
        this.state = useState({
            partnerId: this.props.partnerId,
            mode: this.ui.isSmall ? "list" : "graph",
            depth: 2,
            past: false,
            hidden: {},
            zoom: 1,
            near: null,
            data: null,
        });
        onWillStart(() => this.load());
        onWillUpdateProps((props) => {
            if (props.partnerId !== this.props.partnerId) {
                this.state.partnerId = props.partnerId;
                return this.load();
            }
        });
        this.mustFit = true;
        const fit = () => {
            // a page of a form that is not shown has no width yet
            if (this.mustFit && this.canvas.el?.clientWidth) {
                this.mustFit = false;
                this.fit();
            }
        };
        onMounted(fit);
        onPatched(fit);
    }

    // ------------------------------------------------------------
    // DATA
    // ------------------------------------------------------------

    async load() {
        const { partnerId, depth, past } = this.state;
        this.state.data = partnerId
            ? await this.keepLast.add(
                  this.orm.call("res.partner", "get_relation_graph", [[partnerId]], { depth, past })
              )
            : null;
        this.state.near = null;
        this.mustFit = true;
    }

    get edges() {
        return this.state.data.edges.filter((edge) => !this.state.hidden[edge.type_id]);
    }

    /** What is still reached when kinds of relations are hidden. */
    get nodes() {
        const { nodes } = this.state.data;
        const linked = new Map();
        for (const edge of this.edges) {
            for (const [here, there] of [
                [edge.from, edge.to],
                [edge.to, edge.from],
            ]) {
                linked.set(here, [...(linked.get(here) || []), there]);
            }
        }
        const root = nodes.find((node) => node.depth === 0);
        const depths = new Map([[root.id, 0]]);
        const queue = [root.id];
        for (const id of queue) {
            for (const next of linked.get(id) || []) {
                if (!depths.has(next)) {
                    depths.set(next, depths.get(id) + 1);
                    queue.push(next);
                }
            }
        }
        return nodes
            .filter((node) => depths.has(node.id))
            .map((node) => ({ ...node, depth: depths.get(node.id) }));
    }

    get layout() {
        const nodes = this.nodes;
        const layout = layoutRelations(nodes, this.edges);
        const names = new Map(nodes.map((node) => [node.id, node.name]));
        const cards = nodes.map((node) => {
            const parent = layout.parents.get(node.id);
            return {
                ...node,
                ...layout.places.get(node.id),
                color: parent ? COLORS[parent.edge.color % COLORS.length] : null,
                relation: parent
                    ? `${this.getLabel(parent.edge, node.id)} ${names.get(parent.id)}`
                    : node.detail,
            };
        });
        return { ...layout, cards };
    }

    /** What the node is to the other end of the edge. */
    getLabel(edge, id) {
        return edge.from === id ? edge.label : edge.inverse;
    }

    getColor(number) {
        return COLORS[number % COLORS.length];
    }

    getLineTitle(line) {
        const names = new Map(this.state.data.nodes.map((node) => [node.id, node.name]));
        const { edge } = line;
        return [`${names.get(edge.from)} ${edge.label} ${names.get(edge.to)}`, edge.period]
            .filter(Boolean)
            .join(", ");
    }

    isNear(edge) {
        return this.state.near && [edge.from, edge.to].includes(this.state.near);
    }

    /** Rows of the list, those of the client itself first. */
    get rows() {
        const nodes = new Map(this.state.data.nodes.map((node) => [node.id, node]));
        return this.edges
            .map((edge) => {
                const [from, to] = [nodes.get(edge.from), nodes.get(edge.to)];
                return from.depth <= to.depth
                    ? { edge, here: from, label: edge.label, there: to }
                    : { edge, here: to, label: edge.inverse, there: from };
            })
            .sort((a, b) => a.here.depth - b.here.depth || a.here.id - b.here.id);
    }

    // ------------------------------------------------------------
    // BUTTONS
    // ------------------------------------------------------------

    setMode(mode) {
        this.state.mode = mode;
        this.mustFit = true;
    }

    setDepth(depth) {
        this.state.depth = depth;
        return this.load();
    }

    togglePast() {
        this.state.past = !this.state.past;
        return this.load();
    }

    toggleType(id) {
        this.state.hidden[id] = !this.state.hidden[id];
        this.mustFit = true;
    }

    zoom(factor) {
        this.state.zoom = Math.min(MAX_ZOOM, Math.max(MIN_ZOOM, this.state.zoom * factor));
    }

    /** Show all of it, if it stays readable, with the client in the middle. */
    fit() {
        const el = this.canvas.el;
        const { width, height, places } = this.layout;
        const room = Math.min(1, (el.clientWidth - 32) / width);
        this.state.zoom = Math.max(SMALLEST_FIT, room);
        const root = this.nodes.find((node) => node.depth === 0);
        const place = places.get(root.id);
        requestAnimationFrame(() => {
            el.scrollLeft = (place.x + CARD.width / 2) * this.state.zoom - el.clientWidth / 2;
            el.scrollTop = (height * this.state.zoom - el.clientHeight) / 2;
        });
    }

    open(id) {
        return this.action.doAction({
            type: "ir.actions.act_window",
            res_model: "res.partner",
            res_id: id,
            views: [[false, "form"]],
        });
    }

    center(id) {
        this.state.partnerId = id;
        return this.load();
    }

    edit(relationId = false) {
        this.dialog.add(FormViewDialog, {
            resModel: "crm.partner.relation",
            resId: relationId,
            title: relationId ? _t("Relation") : _t("New Relation"),
            context: { default_left_partner_id: this.state.partnerId },
            onRecordSaved: () => this.load(),
        });
    }

    openAll() {
        return this.action.doActionButton({
            type: "object",
            name: "action_view_relation_rows",
            resModel: "res.partner",
            resId: this.state.partnerId,
        });
    }
}

/** On the form of a client or of a document that has one. */
export class RelationsWidget extends Component {
    static template = "crm_extended.RelationsWidget";
    static components = { Relations };
    static props = { ...standardWidgetProps };

    get partnerId() {
        const { record } = this.props;
        return record.resModel === "res.partner" ? record.resId : record.data.partner_id?.id || false;
    }
}

registry.category("view_widgets").add("crm_relations", { component: RelationsWidget });

/** On a screen of its own. */
export class RelationsAction extends Component {
    static template = "crm_extended.RelationsAction";
    static components = { Layout, Relations };
    static props = { ...standardActionServiceProps };

    get partnerId() {
        const { action } = this.props;
        return action.params.partner_id || action.context.active_id || false;
    }
}

registry.category("actions").add("crm_relations", RelationsAction);
