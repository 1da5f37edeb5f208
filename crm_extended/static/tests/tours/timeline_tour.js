import { registry } from "@web/core/registry";

/** A salesperson reads a deal's time line, learns who wrote, plans what is next, handles a mail. */
registry.category("web_tour.tours").add("crm_extended_timeline_tour", {
    steps: () => [
        {
            trigger: ".o_notebook_headers a[name=interactions]",
            run: "click",
        },
        {
            content: "what is planned stands on top",
            trigger: ".o_crm_timeline_planned .o_crm_timeline_entry:contains(Ring back)",
        },
        {
            content: "a page has its limit",
            trigger: ".o_crm_timeline:not(:contains(Old 44))",
        },
        {
            trigger: ".o_crm_timeline_more",
            run: "click",
        },
        {
            trigger: ".o_crm_timeline_entry:contains(Old 44)",
        },
        {
            trigger: ".o_crm_timeline_unhandled .o_crm_timeline_toggle",
            run: "click",
        },
        {
            trigger: ".o_crm_timeline_unhandled .o_crm_timeline_body b:contains(Thanks)",
        },
        {
            content: "who wrote becomes a contact",
            trigger: ".o_crm_timeline_unhandled .o_crm_timeline_people button",
            run: "click",
        },
        {
            trigger: ".o_crm_timeline_unhandled:not(:has(.o_crm_timeline_people button))",
        },
        {
            trigger: ".o_crm_timeline_unhandled button[name=action_open_plan]:enabled",
            run: "click",
        },
        {
            trigger: ".modal [name=subject] input",
            run: "edit Send the price list",
        },
        {
            trigger: ".modal footer .btn-primary",
            run: "click",
        },
        {
            trigger: "body:not(:has(.modal)) .o_crm_timeline_planned:contains(Send the price list)",
        },
        {
            trigger: ".o_crm_timeline_unhandled button[name=action_done]:enabled",
            run: "click",
        },
        {
            trigger: ".o_crm_timeline:not(:has(.o_crm_timeline_unhandled))",
        },
        {
            trigger: ".o_crm_timeline_entry:contains(Ring back) button[name=postpone]:enabled",
            run: "click",
        },
        {
            trigger: ".o-dropdown-item[data-preset=tomorrow]",
            run: "click",
        },
        {
            trigger: ".o_crm_timeline_entry[data-state=postponed]:contains(Ring back)",
        },
        {
            content: "the pages that were shown are still shown",
            trigger: ".o_crm_timeline_entry:contains(Old 44)",
        },
        {
            trigger: ".o_crm_timeline_filters button[data-filter=email]",
            run: "click",
        },
        {
            trigger: ".o_crm_timeline:not(:contains(Old 1)) .o_crm_timeline_entry:contains(How much)",
        },
    ],
});
