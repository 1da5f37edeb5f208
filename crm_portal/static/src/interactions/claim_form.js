import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";

import { UploadForm } from "./upload_form";

const UNCOUNTED_FIELDS = new Set(["form_key", "order_id"]);

/**
 * The form with which a customer files a claim: the products of the chosen order appear at once.
 */
export class ClaimForm extends UploadForm {
    static selector = "form.o_crm_portal_claim_form";
    dynamicContent = {
        ...this.dynamicContent,
        "select[name=order_id]": { "t-on-change": this.onOrderChange },
    };

    setup() {
        super.setup();
        this.linesEl = this.el.querySelector(".o_crm_portal_lines");
    }

    isWorthKeeping(values) {
        return super.isWorthKeeping(values.filter(([name]) => !UNCOUNTED_FIELDS.has(name)));
    }

    /**
     * A draft about one order does not follow the customer who comes from another.
     */
    async restoreDraft(draft) {
        const selectEl = this.el.querySelector("select[name=order_id]");
        const orderId = Object.fromEntries(draft.values).order_id || "";
        if (selectEl && orderId !== selectEl.value) {
            const isKnown = [...selectEl.options].some((option) => option.value === orderId);
            if (selectEl.value || !isKnown) {
                return;
            }
            selectEl.value = orderId;
            await this.waitFor(this.loadLines(orderId));
        }
        super.restoreDraft(draft);
    }

    // ------------------------------------------------------------
    // Order lines
    // ------------------------------------------------------------

    onOrderChange(ev) {
        return this.loadLines(ev.currentTarget.value);
    }

    async loadLines(orderId) {
        let html = "";
        if (orderId) {
            try {
                const response = await this.waitFor(
                    fetch(`/my/claims/new/lines?order_id=${encodeURIComponent(orderId)}`)
                );
                const isForm = response.ok && !response.url.includes("/web/login");
                html = isForm ? await this.waitFor(response.text()) : "";
            } catch {
                const message = _t(
                    "The products could not be loaded. You can still describe what happened."
                );
                this.showErrors({ order_id: message }, ["order_id"]);
            }
        }
        const content = new DOMParser().parseFromString(html, "text/html");
        this.linesEl.replaceChildren(...content.body.childNodes);
    }
}

registry.category("public.interactions").add("crm_portal.claim_form", ClaimForm);
