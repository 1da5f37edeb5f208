import { Component } from "@odoo/owl";
import { Dropdown } from "@web/core/dropdown/dropdown";
import { DropdownItem } from "@web/core/dropdown/dropdown_item";
import { FileModel } from "@web/core/file_viewer/file_model";
import { useFileViewer } from "@web/core/file_viewer/file_viewer_hook";
import { deserializeDateTime } from "@web/core/l10n/dates";
import { _t } from "@web/core/l10n/translation";
import { user } from "@web/core/user";

const { DateTime } = luxon;

const KIND_ICONS = {
    call: "fa-phone",
    meeting: "fa-users",
    email: "fa-envelope",
    message: "fa-comment",
    other: "fa-pencil",
};
const DIRECTION_ICONS = { in: "fa-arrow-down", out: "fa-arrow-up" };

/** One contact on the time line: who, when, what came of it, and what can be done about it. */
export class TimelineEntry extends Component {
    static template = "crm_extended.TimelineEntry";
    static components = { Dropdown, DropdownItem };
    static props = {
        entry: Object,
        body: { type: [Object, String], optional: true },
        showChain: Boolean,
        busy: Boolean,
        onAction: Function,
        onOpen: Function,
        onToggleBody: Function,
        onCreateContact: Function,
        onOpenChain: Function,
    };

    setup() {
        this.fileViewer = useFileViewer();
    }

    get entry() {
        return this.props.entry;
    }

    get icon() {
        return KIND_ICONS[this.entry.kind] || KIND_ICONS.other;
    }

    get directionIcon() {
        return DIRECTION_ICONS[this.entry.direction];
    }

    get kindTitle() {
        const { kind_label, direction, direction_label } = this.entry;
        return direction === "none" ? kind_label : `${kind_label}, ${direction_label.toLowerCase()}`;
    }

    get isUnhandled() {
        return this.entry.state === "new";
    }

    get isPlanned() {
        return ["planned", "postponed"].includes(this.entry.state);
    }

    get date() {
        return deserializeDateTime(
            this.isPlanned ? this.entry.date_deadline : this.entry.date_start
        );
    }

    get dateText() {
        if (!this.isPlanned) {
            return this.date.toLocaleString(DateTime.TIME_SIMPLE);
        }
        const format = { ...DateTime.DATETIME_MED, weekday: "short" };
        if (this.date.hasSame(DateTime.now(), "year")) {
            delete format.year;
        }
        return this.date.toLocaleString(format);
    }

    get dateTitle() {
        return this.date.toLocaleString(DateTime.DATETIME_FULL);
    }

    get relativeDate() {
        return this.date.toRelative();
    }

    get durationText() {
        const minutes = Math.round(this.entry.duration);
        return minutes ? _t("%s min", minutes) : "";
    }

    get answerText() {
        const hours = this.entry.answer_hours;
        if (hours === false) {
            return "";
        }
        const minutes = Math.round(hours * 60);
        if (!minutes) {
            return _t("answered"); // at once, or before work began
        }
        return minutes < 60
            ? _t("answered in %s working minutes", minutes)
            : _t("answered in %s working hours", Math.round(hours * 10) / 10);
    }

    /** The client is named unless a participant is the client, whose name is shown anyway. */
    get partnerName() {
        const { partner, participants } = this.entry;
        return partner && !participants.some((person) => person.partner_id === partner.id)
            ? partner.name
            : "";
    }

    get isMine() {
        return this.entry.user && this.entry.user.id === user.userId;
    }

    get userImage() {
        return `/web/image/res.users/${this.entry.user.id}/avatar_128`;
    }

    get outcomes() {
        const { can_write, outcome_buttons } = this.entry;
        return (can_write && outcome_buttons && outcome_buttons.outcomes) || [];
    }

    /** As many buttons as fit on a phone; the others are in a menu. */
    get firstOutcomes() {
        return this.outcomes.slice(0, 2);
    }

    get otherOutcomes() {
        return this.outcomes.slice(2);
    }

    getOutcomeClass(outcome) {
        const asks = outcome.question && outcome.question !== "none";
        return outcome.reached && !asks ? "btn-success" : "btn-secondary";
    }

    get answerClass() {
        return { accepted: "text-success", declined: "text-danger" }[this.entry.attendee_answer];
    }

    get hasUnknown() {
        return this.entry.participants.some((person) => !person.partner_id);
    }

    get doneLabel() {
        return this.isUnhandled ? _t("Handled") : _t("Done");
    }

    getAddress(person) {
        return [person.phone, person.email].filter(Boolean).join(" · ");
    }

    fileIcon(file) {
        const mimetype = file.mimetype || "";
        if (mimetype.startsWith("image/")) {
            return "fa-file-image-o";
        }
        if (mimetype === "application/pdf") {
            return "fa-file-pdf-o";
        }
        return "fa-file-o";
    }

    onClickFile(file) {
        const files = this.entry.attachments.map((attachment) =>
            Object.assign(new FileModel(), { ...attachment, type: "binary" })
        );
        const chosen = files.find(({ id }) => id === file.id);
        if (chosen.isViewable) {
            this.fileViewer.open(chosen, files);
        } else {
            window.open(chosen.downloadUrl, "_blank");
        }
    }

    recordOutcome(outcome) {
        this.props.onAction(this.entry, "action_record_outcome", [
            outcome.id,
            this.entry.outcome_buttons.key,
        ]);
    }
}
