import { registry } from "@web/core/registry";
import { CharField, charField } from "@web/views/fields/char/char_field";

/** Whom to call, and about what: two lines of one cell, so that neither is cut off. */
export class CallClientField extends CharField {
    static template = "crm_extended.CallClientField";
}

/** Which attempt it is, and how the one before ended. */
export class CallAttemptField extends CharField {
    static template = "crm_extended.CallAttemptField";
}

registry.category("fields").add("crm_call_client", {
    ...charField,
    component: CallClientField,
    fieldDependencies: [{ name: "res_name", type: "char" }],
});

registry.category("fields").add("crm_call_attempt", {
    ...charField,
    component: CallAttemptField,
    fieldDependencies: [
        { name: "last_outcome_id", type: "many2one", relation: "crm.interaction.outcome" },
        { name: "last_note", type: "text" },
    ],
});
