import { Component, useState } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { standardFieldProps } from "@web/views/fields/standard_field_props";

const ICONS = { callback: "fa-clock-o", number: "fa-chain-broken", lost: "fa-thumbs-o-down" };

/**
 * One button for each outcome of an attempt to reach the client. The value of the field is
 * `{key, outcomes: [{id, name, reached, note_required, question}]}`; the key goes back with the
 * click, so that the server can tell a second click on the same attempt.
 */
export class OutcomeButtonsField extends Component {
    static template = "crm_extended.OutcomeButtonsField";
    static props = { ...standardFieldProps };

    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
        this.notification = useService("notification");
        this.state = useState({ busy: false });
    }

    get value() {
        return this.props.record.data[this.props.name] || { key: 0, outcomes: [] };
    }

    getIcon(outcome) {
        return ICONS[outcome.question] || (outcome.reached ? "fa-phone" : "");
    }

    async onClick(outcome) {
        if (this.state.busy) {
            return;
        }
        this.state.busy = true;
        const record = this.props.record;
        const key = this.value.key;
        try {
            if (!(await record.save())) {
                return;
            }
            const result = await this.orm.call(record.resModel, "action_record_outcome", [
                [record.resId],
                outcome.id,
                key,
            ]);
            if (result && result.type) {
                await this.action.doAction(result, { onClose: () => this.reload() });
            } else {
                this.notification.add(_t("Recorded: %s", outcome.name), { type: "success" });
                await this.reload();
            }
        } catch (error) {
            // somebody else was faster: show what is there now, then the message
            await this.reload();
            throw error;
        } finally {
            this.state.busy = false;
        }
    }

    async reload() {
        await this.props.record.model.load();
    }
}

export const outcomeButtonsField = {
    component: OutcomeButtonsField,
    displayName: _t("Outcome Buttons"),
    supportedTypes: ["json"],
};

registry.category("fields").add("crm_outcome_buttons", outcomeButtonsField);
