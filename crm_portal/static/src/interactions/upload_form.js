import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { Interaction } from "@web/public/interaction";

import { deleteDraft, loadDraft, saveDraft } from "./drafts";

const MEGABYTE = 1024 * 1024;
const PREVIEWED_TYPES = ["image/jpeg", "image/png", "image/gif", "image/webp"];
const DRAFT_DELAY = 400; // milliseconds after the last key
const UNKEPT_FIELDS = new Set(["csrf_token", "access_token", "photos", "files"]);

/**
 * A form of the portal with which words and files are sent. Without this code it is an ordinary
 * form; with it photos are shown and can be removed before sending, may be dropped on it or taken
 * with the camera, sending shows its progress, what was typed and chosen is kept as a draft, and
 * nothing is lost when the server objects or the network fails.
 */
export class UploadForm extends Interaction {
    static selector = "form.o_crm_portal_upload_form:not(.o_crm_portal_claim_form)";
    dynamicContent = {
        _root: {
            "t-on-submit.prevent": this.onSubmit,
            "t-on-input": this.onInput,
        },
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
        this.draftKey = this.el.dataset.draft;
        this.dropEl = this.el.querySelector(".o_crm_portal_drop");
        this.previewsEl = this.el.querySelector(".o_crm_portal_previews");
        this.progressEl = this.el.querySelector(".o_crm_portal_progress");
        this.summaryEl = this.el.querySelector(".o_crm_portal_summary");
        this.submitEl = this.el.querySelector(".o_crm_portal_send");
        this.enhanceInputs();
        this.registerCleanup(() => {
            clearTimeout(this.draftTimer);
            this.files.forEach((item) => URL.revokeObjectURL(item.url));
        });
    }

    /** Buttons instead of the browser's inputs; keyboards and screen readers still use those. */
    enhanceInputs() {
        this.dropEl.classList.add("o_enhanced");
        for (const inputEl of this.dropEl.querySelectorAll("input[type=file]")) {
            inputEl.classList.replace("form-control", "visually-hidden");
            const labelEl = inputEl.labels[0];
            labelEl.classList.remove("form-label", "small");
            labelEl.classList.add("btn", "btn-light", "mb-0");
            inputEl.parentElement.className = inputEl.parentElement.className.replace(
                "col-sm-6",
                "col-auto"
            );
        }
        if (window.matchMedia("(pointer: coarse)").matches) {
            this.el.querySelector(".o_crm_portal_camera").classList.remove("d-none");
        } else {
            this.el.querySelector(".o_crm_portal_hint").classList.remove("d-none");
        }
    }

    async willStart() {
        this.draft = this.draftKey && (await loadDraft(this.draftKey));
    }

    start() {
        if (this.draft && !this.el.dataset.restored) {
            this.restoreDraft(this.draft);
        }
    }

    // ------------------------------------------------------------
    // Drafts
    // ------------------------------------------------------------

    onInput() {
        clearTimeout(this.draftTimer);
        this.draftTimer = setTimeout(() => this.keepDraft(), DRAFT_DELAY);
    }

    getDraftValues() {
        return [...new FormData(this.el)].filter(
            ([name, value]) => typeof value === "string" && !UNKEPT_FIELDS.has(name)
        );
    }

    /** @param {[string, string][]} values @returns {boolean} whether there is anything to keep */
    isWorthKeeping(values) {
        return values.some(([, value]) => value.trim());
    }

    async keepDraft() {
        clearTimeout(this.draftTimer);
        if (!this.draftKey || this.sent) {
            return;
        }
        const values = this.getDraftValues();
        if (this.files.length || this.isWorthKeeping(values)) {
            await saveDraft(this.draftKey, { values, files: this.files.map(({ file }) => file) });
        } else {
            await deleteDraft(this.draftKey);
        }
    }

    restoreDraft(draft) {
        this.setValues(draft.values);
        this.addFiles(draft.files);
        this.showDraftNotice();
    }

    /** @param {[string, string][]} values */
    setValues(values) {
        for (const [name, value] of values) {
            for (const inputEl of this.el.querySelectorAll(`[name="${CSS.escape(name)}"]`)) {
                if (inputEl.type === "radio") {
                    inputEl.checked = inputEl.value === value;
                } else {
                    inputEl.value = value;
                }
            }
        }
    }

    showDraftNotice() {
        const noticeEl = document.createElement("div");
        noticeEl.className =
            "o_crm_portal_draft alert alert-info d-flex flex-wrap gap-2 justify-content-between " +
            "align-items-center";
        noticeEl.setAttribute("role", "status");
        const textEl = document.createElement("span");
        textEl.textContent = _t("We have kept what you had not sent yet.");
        const buttonEl = document.createElement("button");
        buttonEl.type = "button";
        buttonEl.className = "btn btn-sm btn-light";
        buttonEl.textContent = _t("Start afresh");
        buttonEl.addEventListener("click", () => this.discardDraft());
        noticeEl.append(textEl, buttonEl);
        this.el.prepend(noticeEl);
    }

    async discardDraft() {
        clearTimeout(this.draftTimer);
        this.sent = true; // nothing is kept any more
        await deleteDraft(this.draftKey);
        window.location.reload();
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
        this.keepDraft();
    }

    onFilesChosen(ev) {
        this.addFiles(ev.currentTarget.files);
        ev.currentTarget.value = ""; // so that the same file can be chosen again after removal
        this.keepDraft();
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
        this.keepDraft();
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
        await this.waitFor(this.keepDraft());
        const { status, body } = await this.waitFor(this.send(data));
        if (body?.redirect) {
            this.sent = true;
            await deleteDraft(this.draftKey);
            this.leave(body.redirect); // the button stays locked until we are gone
            return;
        }
        this.setSending(false);
        if (body?.errors) {
            this.showErrors(body.errors);
        } else if (status === 200 || status === 400) {
            this.showSignIn();
        } else {
            this.showErrors({ form: this.getFailureMessage(status) });
        }
    }

    /** Go to a page, also when only its last part differs from this one. */
    leave(url) {
        window.location.assign(url);
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
        if (status === 404) {
            return _t("This page is out of date. Please open it again; nothing is lost.");
        }
        return _t("This could not be sent. Nothing is lost: please try again.");
    }

    /** The session has ended: back to this page through the login, where the draft waits. */
    showSignIn() {
        this.showErrors({
            form: _t("You have been signed out. We have kept what you typed and chose."),
        });
        const linkEl = document.createElement("a");
        const here = window.location.pathname + window.location.search;
        linkEl.href = `/web/login?redirect=${encodeURIComponent(here)}`;
        linkEl.className = "alert-link ms-2";
        linkEl.textContent = _t("Sign in and go on");
        this.summaryEl.append(linkEl);
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

registry.category("public.interactions").add("crm_portal.upload_form", UploadForm);
