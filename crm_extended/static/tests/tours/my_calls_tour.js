import { registry } from "@web/core/registry";

const CURRENT = ".o_crm_current_call";

/** A salesperson works through three calls with the keyboard alone. */
registry.category("web_tour.tours").add("crm_extended_my_calls_tour", {
    steps: () => [
        {
            content: "the oldest call is current, the keys are shown",
            trigger: `${CURRENT}:contains(Tools for the yard) .o_crm_outcome_digit:contains(2)`,
        },
        {
            content: "the number is a link, the clock runs",
            trigger: `${CURRENT}:has(a[href^='tel:']) .o_crm_client_clock[data-calling]`,
        },
        {
            trigger: "[data-counter=due_now]:contains(3)",
            run: "press ArrowDown",
        },
        {
            trigger: `${CURRENT}:contains(Second deal)`,
            run: "press ArrowUp",
        },
        {
            content: "nobody answers",
            trigger: `${CURRENT}:contains(Tools for the yard)`,
            run: "press 2",
        },
        {
            content: "the next row has come up",
            trigger: `body:has([data-counter=due_now]:contains(2)) ${CURRENT}:contains(Second deal)`,
        },
        {
            trigger: `body:has([data-counter=done_today]:contains(1)) ${CURRENT} .o_crm_outcome_buttons button:enabled`,
            run: "press 1",
        },
        {
            trigger: `body:has([data-counter=done_today]:contains(2)) ${CURRENT}:contains(Third deal) .o_crm_outcome_buttons button:enabled`,
            run: "press 3",
        },
        {
            content: "both clocks are shown",
            trigger: ".modal .o_crm_client_datetime:has(.o_crm_client_datetime_client):has(.o_crm_client_datetime_own)",
        },
        {
            trigger: ".modal footer .btn-primary",
            run: "click",
        },
        {
            content: "all three are done",
            trigger: "body:not(:has(.modal)) [data-counter=done_today]:contains(3)",
            run: "click",
        },
        {
            content: "the tile shows them",
            trigger: ".o_data_row:contains(Second deal)",
        },
    ],
});
