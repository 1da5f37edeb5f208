import { registry } from "@web/core/registry";

/** A salesperson misses a client, sees the next attempt planned, reaches the client, logs a note. */
registry.category("web_tour.tours").add("crm_extended_interaction_tour", {
    steps: () => [
        {
            trigger: ".o_crm_outcome_buttons button:contains(Silence)",
            run: "click",
        },
        {
            content: "the next attempt is planned",
            trigger: "div[name=interaction_next] [name=interaction_next_id] :contains(2)",
        },
        {
            trigger: ".o_crm_outcome_buttons button:enabled:contains(Talked)",
            run: "click",
        },
        {
            content: "nothing is planned any more",
            trigger: ".o_form_view:not(:has(div[name=interaction_next]))",
        },
        {
            trigger: "button[name=action_log_interaction]",
            run: "click",
        },
        {
            trigger: ".modal [name=subject] input",
            run: "edit Sent the price list",
        },
        {
            trigger: ".modal footer .btn-primary",
            run: "click",
        },
        {
            content: "the button counts all three",
            trigger: "body:not(:has(.modal)) button[name=action_view_interactions]:contains(3)",
            run: "click",
        },
        {
            trigger: ".o_list_view .o_data_row:contains(Sent the price list)",
        },
    ],
});
