import { registry } from "@web/core/registry";

const ROW = ".o_crm_duplicates_row:contains(Заречная Кофейня)";

/** A client who is known already is typed in: told at once, refused, and created with a reason. */
registry.category("web_tour.tours").add("crm_extended_duplicates_tour", {
    steps: () => [
        {
            content: "a misspelt name, the cursor stays in it",
            trigger: ".o_form_view [name=name] :is(input, textarea)",
            run: "fill Заречная кофейян",
        },
        {
            content: "told while typing: nothing has left the field",
            trigger: `.o_crm_duplicates .alert-danger ${ROW}:contains(names alike)`,
            run() {
                const input = document.querySelector(".o_form_view [name=name] :is(input, textarea)");
                if (document.activeElement !== input) {
                    throw new Error("the cursor has left the name");
                }
            },
        },
        {
            content: "nobody is alike",
            trigger: ".o_form_view [name=name] :is(input, textarea)",
            run: "edit Щщ Ъъ",
        },
        {
            trigger: "body:not(:has(.o_crm_duplicates_row)) .o_form_view",
        },
        {
            trigger: ".o_form_view [name=name] :is(input, textarea)",
            run: "edit Заречная кофейня",
        },
        {
            content: "the number agrees as well",
            trigger: ".o_form_view [name=phone] input",
            run: "fill +7 495 765 43 21",
        },
        {
            trigger: `.o_crm_duplicates .alert-danger ${ROW}:contains(same phone)`,
        },
        {
            content: "who may, says why",
            trigger: ".o_crm_duplicates .o_crm_duplicates_reason",
            run: "edit Another shop of the same owner",
        },
        {
            trigger: ".o_form_button_save",
            run: "click",
        },
        {
            content: "saved, and no longer asked",
            trigger: "body:has(.o_form_status_indicator_buttons.invisible):not(:has(.o_crm_duplicates_row)) .o_form_view",
        },
    ],
});
