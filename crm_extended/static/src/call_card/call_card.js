import { Component, useEffect, useState } from "@odoo/owl";
import { browser } from "@web/core/browser/browser";
import { _t } from "@web/core/l10n/translation";
import { useService } from "@web/core/utils/hooks";
import { ClientClock } from "../client_clock/client_clock";
import { FormViewDialog } from "@web/views/view_dialogs/form_view_dialog";
import { SelectCreateDialog } from "@web/views/view_dialogs/select_create_dialog";

const MINUTE = 60_000;
// how long a card stays that asks for nothing any more
const CLOSE_MISSED = 10_000;
const CLOSE_ENDED = 5 * MINUTE;

/**
 * The card of one call: who it is and what is open with him, or who it might be. It stands beside
 * the work and never takes the focus.
 */
export class CallCard extends Component {
    static template = "crm_extended.CallCard";
    static components = { ClientClock };
    static props = { card: Object, isNewest: Boolean };

    setup() {
        this.action = useService("action");
        this.dialog = useService("dialog");
        this.notification = useService("notification");
        this.orm = useService("orm");
        this.calls = useService("crm_extended.call_card");
        this.state = useState({
            folded: false,
            note: this.props.card.note,
            saved: this.props.card.note,
            busy: false,
        });
        useEffect(
            () => {
                const delay = this.closeDelay;
                if (!delay) {
                    return;
                }
                const timer = browser.setTimeout(() => this.close(), delay);
                return () => browser.clearTimeout(timer);
            },
            () => [this.closeDelay, this.state.note, this.state.busy]
        );
        useEffect(
            (note) => {
                // written in another tab, or by a colleague
                if (this.state.note === this.state.saved) {
                    this.state.note = note;
                }
                this.state.saved = note;
            },
            () => [this.props.card.note]
        );
        useEffect(
            (isNewest) => {
                // a telephone has room for one card
                this.state.folded = this.env.isSmall && !isNewest;
            },
            () => [this.props.isNewest]
        );
    }

    // ------------------------------------------------------------
    // What is shown
    // ------------------------------------------------------------

    get card() {
        return this.props.card;
    }

    get client() {
        return this.card.client;
    }

    get isUnknown() {
        return !this.client && !this.card.is_hidden;
    }

    /** Milliseconds after which the card closes by itself; 0 while somebody may need it. */
    get closeDelay() {
        if (this.state.busy || this.state.note !== this.state.saved) {
            return 0;
        }
        if (this.card.answered_by || (this.card.state === "missed" && !this.card.outcomes)) {
            return CLOSE_MISSED;
        }
        return ["ended", "missed"].includes(this.card.state) ? CLOSE_ENDED : 0;
    }

    get title() {
        const { state, direction, answered_by: colleague } = this.card;
        if (colleague) {
            return _t("Answered by %s", colleague);
        }
        if (state === "missed") {
            return direction === "out" ? _t("Not answered") : _t("Missed call");
        }
        if (state === "ended") {
            return _t("Call ended");
        }
        if (state === "answered") {
            return _t("On the phone");
        }
        return direction === "out" ? _t("Calling...") : _t("Incoming call");
    }

    get color() {
        const { state, answered_by: colleague } = this.card;
        if (colleague || state === "ended") {
            return "secondary";
        }
        return { ringing: "primary", answered: "success", missed: "danger" }[state];
    }

    get name() {
        if (this.client) {
            return this.client.name;
        }
        if (this.card.is_hidden) {
            return _t("A client out of your reach");
        }
        return this.card.name || this.card.number || _t("Hidden number");
    }

    get subtitle() {
        if (!this.client) {
            return this.isUnknown ? _t("Not among the contacts") : "";
        }
        return [this.client.function, this.client.company].filter(Boolean).join(", ");
    }

    get clock() {
        return this.client ? this.client.clock : this.isUnknown && this.card.clock;
    }

    get duration() {
        const minutes = Math.floor(this.card.duration);
        const seconds = Math.round((this.card.duration - minutes) * 60);
        return `${minutes}:${String(seconds).padStart(2, "0")}`;
    }

    // ------------------------------------------------------------
    // What the operator does
    // ------------------------------------------------------------

    close() {
        this.calls.close(this.card.id);
    }

    async run(callback) {
        if (this.state.busy) {
            return;
        }
        this.state.busy = true;
        try {
            return await callback();
        } finally {
            this.state.busy = false;
        }
    }

    call(method, ...args) {
        return this.orm.call("crm.telephony.call", method, [[this.card.id], ...args]);
    }

    openRecord(resModel, resId) {
        // on a telephone the card would hide what it has opened
        this.state.folded = this.env.isSmall;
        return this.action.doAction({
            type: "ir.actions.act_window",
            res_model: resModel,
            res_id: resId,
            views: [[false, "form"]],
        });
    }

    openClient() {
        return this.openRecord("res.partner", this.client.id);
    }

    onButton(button) {
        return this.run(async () => {
            this.state.folded = this.env.isSmall;
            await this.action.doAction(await this.call(button.method), {
                onClose: () => this.calls.load(this.card.id),
            });
        });
    }

    saveNote() {
        return this.run(async () => {
            await this.call("set_note", this.state.note);
            this.state.saved = this.state.note;
            this.notification.add(_t("Note saved"), { type: "success" });
            await this.calls.load(this.card.id);
        });
    }

    recordOutcome(outcome) {
        return this.run(async () => {
            const note = this.state.note.trim() || null;
            const result = await this.orm.call("crm.interaction", "action_record_outcome", [
                [this.card.interaction_id],
                outcome.id,
                this.card.outcomes.key,
                note,
            ]);
            if (result && result.type) {
                await this.action.doAction(result, {
                    onClose: () => this.calls.load(this.card.id),
                });
                return;
            }
            this.state.saved = this.state.note;
            this.notification.add(_t("Recorded: %s", outcome.name), { type: "success" });
            await this.calls.load(this.card.id);
        });
    }

    async setPartner(partnerId) {
        this.calls.set(this.card.id, await this.call("set_partner", partnerId));
    }

    async setDeal(leadId) {
        this.calls.set(this.card.id, await this.call("set_deal", leadId));
    }

    createContact() {
        this.dialog.add(FormViewDialog, {
            resModel: "res.partner",
            title: _t("New Contact"),
            context: {
                default_phone: this.card.number || false,
                default_name: this.card.name || false,
            },
            onRecordSaved: (record) => this.setPartner(record.resId),
        });
    }

    linkContact() {
        this.dialog.add(SelectCreateDialog, {
            resModel: "res.partner",
            title: _t("Who Is Calling?"),
            multiSelect: false,
            noCreate: true,
            onSelected: ([partnerId]) => this.setPartner(partnerId),
        });
    }

    createDeal() {
        const context = { default_type: "opportunity" };
        if (this.client) {
            context.default_partner_id = this.client.id;
        } else {
            context.default_phone = this.card.number || false;
            context.default_contact_name = this.card.name || false;
        }
        this.dialog.add(FormViewDialog, {
            resModel: "crm.lead",
            title: _t("New Deal"),
            context,
            onRecordSaved: (record) => this.setDeal(record.resId),
        });
    }
}
