import { Component } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { standardFieldProps } from "@web/views/fields/standard_field_props";

/**
 * Clients like the one being registered, with the reasons: one of them can be opened, or completed
 * with what has been entered. What may be done is decided by the server.
 */
export class KnownClients extends Component {
    static template = "crm_extended.KnownClients";
    static props = { ...standardFieldProps };

    setup() {
        this.action = useService("action");
        this.orm = useService("orm");
        this.busy = false;
    }

    get found() {
        return this.props.record.data[this.props.name] || { candidates: [] };
    }

    get title() {
        if (this.found.is_certain) {
            return _t("This client is known already");
        }
        return this.found.candidates.some((row) => row.kind === "duplicate")
            ? _t("This client may be known already")
            : _t("Similar clients");
    }

    get isRefused() {
        return this.found.is_certain && this.found.mode === "block" && !this.found.may_create;
    }

    getKind(row) {
        return {
            branch: _t("Branch"),
            other_number: _t("Other client"),
        }[row.kind];
    }

    getReasons(row) {
        return row.reasons.join(", ");
    }

    open(row) {
        return this.action.doAction({
            type: "ir.actions.act_window",
            res_model: "res.partner",
            res_id: row.id,
            views: [[false, "form"]],
            target: "current",
        });
    }

    async complete(row) {
        const { record } = this.props;
        if (this.busy) {
            return;
        }
        this.busy = true;
        try {
            if (!(await record.save({ reload: false }))) {
                return;
            }
            const action = await this.orm.call("crm.partner.register", "action_complete", [
                [record.resId],
                row.id,
            ]);
            await this.action.doAction(action);
        } finally {
            this.busy = false;
        }
    }
}

registry.category("fields").add("crm_known_clients", {
    component: KnownClients,
    supportedTypes: ["json"],
});
