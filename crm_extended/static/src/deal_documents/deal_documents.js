import { Component, onWillStart, useState } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { Layout } from "@web/search/layout";
import { standardActionServiceProps } from "@web/webclient/actions/action_service";

/** All documents of a deal by kind: `get_documents` of crm.lead. A click opens the document. */
export class DealDocuments extends Component {
    static template = "crm_extended.DealDocuments";
    static components = { Layout };
    static props = { ...standardActionServiceProps };

    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
        this.display = { controlPanel: {} };
        this.leadId = this.props.action.context.active_id;
        this.state = useState({ data: null });
        this.env.config.setDisplayName(_t("Documents"));
        onWillStart(() => this.load());
    }

    async load() {
        this.state.data = await this.orm.call("crm.lead", "get_documents", [[this.leadId]]);
    }

    openDocument(kind, document) {
        return this.action.doAction({
            type: "ir.actions.act_window",
            res_model: kind.model,
            res_id: document.id,
            views: [[false, "form"]],
        });
    }

    openAll(kind) {
        return this.action.doAction({
            type: "ir.actions.act_window",
            name: kind.label,
            res_model: kind.model,
            views: [
                [false, "list"],
                [false, "form"],
            ],
            domain: [["id", "in", kind.documents.map((document) => document.id)]],
        });
    }

    openDeal() {
        return this.action.doAction({
            type: "ir.actions.act_window",
            res_model: "crm.lead",
            res_id: this.leadId,
            views: [[false, "form"]],
        });
    }

    async run(method) {
        const action = await this.orm.call("crm.lead", method, [[this.leadId]]);
        return this.action.doAction(action, { onClose: () => this.load() });
    }
}

registry.category("actions").add("crm_extended.deal_documents", DealDocuments);
