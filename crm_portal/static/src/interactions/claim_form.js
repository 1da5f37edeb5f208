import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { Interaction } from "@web/public/interaction";

const MEGABYTE = 1024 * 1024;
const PREVIEWED_TYPES = ["image/jpeg", "image/png", "image/gif", "image/webp"];

/**
 * The form with which a customer files a claim. Without this code it is an ordinary form; with it
 * photos are shown and can be removed before sending, the products of the chosen order appear at
 * once, and sending shows its progress and loses nothing when the server objects or the network
 * fails.
 */
export class ClaimForm extends Interaction {
    static selector = "form.o_crm_portal_claim_form";
    dynamicContent = {
        _root: { "t-on-submit.prevent": this.onSubmit },
        "select[name=order_id]": { "t-on-change": this.onOrderChange },
        ".o_crm_portal_file_input": { "t-on-change": this.onFilesChosen },
        ".o_crm_portal_drop": {
            "t-on-dragover.prevent": () => this.setDragging(true),
            "t-on-dragleave": () => this.setDragging(false),
            "t-on-drop.prevent": this.onDrop,
        },
    };

    setup() {
        this.el.noValidate = true; // the server's messages are clearer, and in the page's language
        this.files = [];
        this.sending = false;
        this.dropEl = this.el.querySelector(".o_crm_portal_drop");
        this.linesEl = this.el.querySelector(".o_crm_portal_lines");
        this.previewsEl = this.el.querySelector(".o_crm_portal_previews");
        this.progressEl = this.el.querySelector(".o_crm_portal_progress");
        this.summaryEl = this.el.querySelector(".o_crm_portal_summary");
        this.submitEl = this.el.querySelector("button[type=submit]:not([name])");
        this.registerCleanup(() => this.files.forEach((item) => URL.revokeObjectURL(item.url)));
    }

    // ------------------------------------------------------------
    // Order lines
    // ------------------------------------------------------------

    async onOrderChange(ev) {
        const orderId = encodeURIComponent(ev.currentTarget.value);
        let html = "";
        if (orderId) {
            try {
                const response = await this.waitFor(
                    fetch(`/my/claims/new/lines?order_id=${orderId}`)
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

    // ------------------------------------------------------------
    // Photos and files
    // ------------------------------------------------------------

    setDragging(dragging) {
        this.dropEl.classList.toggle("o_dragging", dragging);
    }

    onDrop(ev) {
        this.setDragging(false);
        this.addFiles(ev.dataTransfer.files);
    }

    onFilesChosen(ev) {
        this.addFiles(ev.currentTarget.files);
        ev.currentTarget.value = ""; // so that the same file can be chosen again after removal
    }

    addFiles(files) {
        for (const file of files) {
            const url = PREVIEWED_TYPES.includes(file.type) ? URL.createObjectURL(file) : "";
            this.files.push({ file, url });
        }
        this.updateFiles();
    }

    removeFile(item) {
        URL.revokeObjectURL(item.url);
        this.files = this.files.filter((other) => other !== item);
        this.updateFiles();
        this.el.querySelector(".o_crm_portal_file_input").focus();
    }

    updateFiles() {
        this.previewsEl.replaceChildren(...this.files.map((item) => this.createPreview(item)));
        this.showErrors({ files: this.checkFiles() }, ["files"]);
    }

    createPreview(item) {
        const itemEl = document.createElement("li");
        let pictureEl;
        if (item.url) {
            pictureEl = document.createElement("img");
            pictureEl.src = item.url;
            pictureEl.alt = item.file.name;
        } else {
            pictureEl = document.createElement("span");
            pictureEl.className = "o_crm_portal_preview_icon fa fa-file-o fa-2x text-muted";
        }
        pictureEl.classList.add("border", "rounded");
        const nameEl = document.createElement("div");
        nameEl.className = "small text-truncate";
        nameEl.textContent = item.file.name;
        const removeEl = document.createElement("button");
        removeEl.type = "button";
        removeEl.className = "btn btn-sm btn-dark position-absolute top-0 end-0 m-1 fa fa-times";
        removeEl.setAttribute("aria-label", _t("Remove %s", item.file.name));
        removeEl.addEventListener("click", () => this.removeFile(item));
        itemEl.append(pictureEl, nameEl, removeEl);
        return itemEl;
    }

    /**
     * The server checks again; this only spares a customer a long upload in vain.
     *
     * @returns {string} what is wrong, empty when nothing is
     */
    checkFiles() {
        const { maxFiles, maxFileSize, maxTotalSize } = this.el.dataset;
        if (this.files.length > Number(maxFiles)) {
            return _t("Please send no more than %s files at once.", maxFiles);
        }
        const large = this.files.find(({ file }) => file.size > maxFileSize * MEGABYTE);
        if (large) {
            return _t("%(name)s is larger than %(size)s MB. Please send a smaller file.", {
                name: large.file.name,
                size: maxFileSize,
            });
        }
        if (this.files.reduce((sum, { file }) => sum + file.size, 0) > maxTotalSize * MEGABYTE) {
            return _t(
                "All files together are larger than %s MB. Please send fewer or smaller files.",
                maxTotalSize
            );
        }
        return "";
    }

    // ------------------------------------------------------------
    // Sending
    // ------------------------------------------------------------

    async onSubmit() {
        if (this.sending) {
            return;
        }
        const problem = this.checkFiles();
        if (problem) {
            this.showErrors({ files: problem });
            return;
        }
        const data = new FormData(this.el);
        data.delete("photos");
        data.delete("files");
        this.files.forEach(({ file }) => data.append("files", file, file.name));
        this.setSending(true);
        const { status, body } = await this.waitFor(this.send(data));
        if (body?.redirect) {
            window.location.assign(body.redirect); // keep the button locked until we are gone
            return;
        }
        this.setSending(false);
        if (body?.errors) {
            this.showErrors(body.errors);
        } else {
            this.showErrors({ form: this.getFailureMessage(status) });
        }
    }

    /**
     * fetch() cannot tell how much of an upload is through, so this is an XMLHttpRequest.
     *
     * @param {FormData} data
     * @returns {Promise<{status: number, body: Object|null}>} status 0 when the network failed
     */
    send(data) {
        return new Promise((resolve) => {
            const xhr = new XMLHttpRequest();
            xhr.open("POST", this.el.action);
            xhr.setRequestHeader("X-Requested-With", "XMLHttpRequest");
            xhr.upload.addEventListener("progress", (ev) => {
                if (ev.lengthComputable) {
                    this.progressEl.value = Math.round((100 * ev.loaded) / ev.total);
                }
            });
            xhr.addEventListener("loadend", () => {
                let body = null;
                try {
                    body = JSON.parse(xhr.responseText);
                } catch {
                    // a page instead of an answer: signed out, too large, or a server at fault
                }
                resolve({ status: xhr.status, body });
            });
            xhr.send(data);
        });
    }

    getFailureMessage(status) {
        if (status === 0) {
            return _t(
                "There is no connection to us at the moment. Nothing is lost: please send again."
            );
        }
        if (status === 413) {
            return _t("The files are too large to be sent. Please remove some of them.");
        }
        if (status === 200 || status === 400) {
            return _t(
                "You have been signed out. Please copy your text, sign in again and reload this page."
            );
        }
        return _t("Your claim could not be sent. Nothing is lost: please try again.");
    }

    setSending(sending) {
        this.sending = sending;
        this.submitEl.disabled = sending;
        this.progressEl.value = 0;
        this.progressEl.classList.toggle("d-none", !sending);
    }

    /**
     * @param {Object} errors message by field; "form" is about the whole form
     * @param {string[]} [fields] fields to update, all of them by default
     */
    showErrors(errors, fields) {
        const known = new Set(["form"]);
        let firstEl = null;
        for (const slotEl of this.el.querySelectorAll("[data-error-for]")) {
            const field = slotEl.dataset.errorFor;
            known.add(field);
            if (fields && !fields.includes(field)) {
                continue;
            }
            const message = errors[field] || "";
            slotEl.textContent = message;
            const inputEl = this.el.querySelector(`[aria-describedby~="${slotEl.id}"]`);
            if (inputEl && inputEl.tagName !== "FIELDSET") {
                inputEl.classList.toggle("is-invalid", Boolean(message));
                inputEl.setAttribute("aria-invalid", message ? "true" : "false");
            }
            firstEl ||= message ? slotEl : null;
        }
        if (fields) {
            return;
        }
        const unplaced = Object.keys(errors).filter((field) => !known.has(field));
        const summary = [errors.form, ...unplaced.map((field) => errors[field])].filter(Boolean);
        this.summaryEl.textContent =
            summary.join(" ") || (firstEl ? _t("Please check the marked fields.") : "");
        this.summaryEl.classList.toggle("d-none", !this.summaryEl.textContent);
        (summary.length ? this.summaryEl : firstEl)?.scrollIntoView({ block: "center" });
        if (summary.length) {
            this.summaryEl.focus({ preventScroll: true });
        }
    }
}

registry.category("public.interactions").add("crm_portal.claim_form", ClaimForm);
