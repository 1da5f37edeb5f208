import { registry } from "@web/core/registry";

registry.category("web_tour.tours").add("crm_extended_relations_tour", {
    steps: () => [
        {
            content: "Open the surroundings of the deal's client",
            trigger: "a[name=relations]",
            run: "click",
        },
        {
            content: "The client, its daughter with a line, and what the daughter has named",
            trigger:
                ".o_crm_relation_root:contains(Tour Mother) " +
                "~ .o_crm_relation_card:contains(Tour Daughter):contains(daughter of Tour Mother)",
        },
        {
            trigger: ".o_crm_relation_card:contains(Tour Friend) [data-risk=debt]",
        },
        {
            content: "One step only",
            trigger: ".o_crm_relations button:contains(One step)",
            run: "click",
        },
        { trigger: ".o_crm_relations:not(:has(.o_crm_relation_card:contains(Tour Friend)))" },
        {
            trigger: ".o_crm_relations button:contains(Two steps)",
            run: "click",
        },
        {
            content: "Hide a kind of relation and all that hangs on it",
            trigger: ".o_crm_relation_type:contains(mother of)",
            run: "click",
        },
        { trigger: ".o_crm_relations:not(:has(.o_crm_relation_card:contains(Tour Daughter)))" },
        {
            trigger: ".o_crm_relation_type:contains(mother of)",
            run: "click",
        },
        {
            content: "As a list",
            trigger: ".o_crm_relations button:contains(List)",
            run: "click",
        },
        { trigger: ".o_crm_relations_list tr:contains(Tour Daughter):contains(has named)" },
        {
            trigger: ".o_crm_relations button:contains(Graph)",
            run: "click",
        },
        {
            content: "Put the daughter in the middle",
            trigger: ".o_crm_relation_card:contains(Tour Daughter) .o_crm_relation_center",
            run: "click",
        },
        { trigger: ".o_crm_relation_root:contains(Tour Daughter)" },
        {
            content: "Note another relation",
            trigger: ".o_crm_relations button:contains(Add Relation)",
            run: "click",
        },
        { trigger: ".modal .o_field_widget[name=left_partner_id] input:value(Tour Daughter)" },
        {
            trigger: ".modal .o_form_button_cancel",
            run: "click",
        },
        {
            content: "A click opens the card",
            trigger: "body:not(:has(.modal)) .o_crm_relation_card:contains(Tour Friend) .o_crm_relation_open",
            run: "click",
        },
        { trigger: ".o_form_view .o_field_widget[name=name]:contains(Tour Friend), .o_form_view input:value(Tour Friend), .o_form_view textarea:value(Tour Friend)" },
    ],
});
