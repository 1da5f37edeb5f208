import { Component, onWillStart, onWillUpdateProps, useState } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { useAutofocus, useService } from "@web/core/utils/hooks";
import { ConfirmationDialog } from "@web/core/confirmation_dialog/confirmation_dialog";
import { standardWidgetProps } from "@web/views/widgets/standard_widget_props";

/** One answer with what answers it in turn; it asks the tree to do what is done. */
class WhyNode extends Component {
    static template = "crm_claims.WhyNode";
    static props = { node: Object, depth: Number, tree: Object };

    setup() {
        useAutofocus();
    }

    get isEdited() {
        return this.props.tree.state.edited === this.props.node.id;
    }

    onKeydown(ev) {
        if (ev.key === "Enter") {
            ev.target.blur();
        } else if (ev.key === "Escape") {
            this.props.tree.edit(false);
        }
    }
}
WhyNode.components = { WhyNode };

/**
 * The 5-why trees of an investigation: why it happened, and why it was not noticed. Answers are
 * stored as they are given; the server says what may still be changed.
 */
export class WhyTree extends Component {
    static template = "crm_claims.WhyTree";
    static components = { WhyNode };
    static props = { ...standardWidgetProps };

    setup() {
        this.orm = useService("orm");
        this.dialog = useService("dialog");
        this.state = useState({ trees: [], edited: false });
        onWillStart(() => this.load(this.props.record.resId));
        onWillUpdateProps((nextProps) => {
            if (nextProps.record.resId !== this.props.record.resId) {
                return this.load(nextProps.record.resId);
            }
        });
    }

    get isReadonly() {
        return ["done", "cancelled"].includes(this.props.record.data.state);
    }

    async load(resId) {
        this.state.trees = resId
            ? await this.orm.call("crm.claim.investigation", "get_why_trees", [[resId]])
            : [];
    }

    reload() {
        return this.load(this.props.record.resId);
    }

    async add(kind, parentId) {
        const [id] = await this.orm.create("crm.claim.why", [
            {
                investigation_id: this.props.record.resId,
                parent_id: parentId,
                kind,
                name: _t("Because…"),
            },
        ]);
        await this.reload();
        this.state.edited = id;
    }

    async rename(node, name) {
        this.state.edited = false;
        if (name.trim() && name.trim() !== node.name) {
            await this.write(node, { name: name.trim() });
        }
    }

    async write(node, values) {
        try {
            await this.orm.write("crm.claim.why", [node.id], values);
        } finally {
            await this.reload();
        }
    }

    edit(id) {
        this.state.edited = !this.isReadonly && id;
    }

    /** A root cause takes what the others of its tree have left of 100 %. */
    toggleRoot(node) {
        if (node.is_root) {
            return this.write(node, { is_root: false });
        }
        const tree = this.state.trees.find((candidate) => candidate.kind === node.kind);
        return this.write(node, { is_root: true, share: Math.max(100 - tree.share, 0) });
    }

    setEvidence(node, evidence) {
        return this.write(node, { evidence });
    }

    setShare(node, text) {
        const share = parseFloat(text.replace(",", "."));
        if (!isNaN(share)) {
            return this.write(node, { share });
        }
    }

    remove(node) {
        const unlink = async () => {
            await this.orm.unlink("crm.claim.why", [node.id]);
            await this.reload();
        };
        if (!node.children.length) {
            return unlink();
        }
        this.dialog.add(ConfirmationDialog, {
            body: _t("Delete this answer and all that answers it?"),
            confirm: unlink,
            cancel: () => {},
        });
    }
}

registry.category("view_widgets").add("crm_claim_why_tree", {
    component: WhyTree,
    fieldDependencies: [{ name: "state", type: "selection" }],
});
