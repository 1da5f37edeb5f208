import { Component, onWillUnmount, useState } from "@odoo/owl";
import { browser } from "@web/core/browser/browser";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { SelectMenu } from "@web/core/select_menu/select_menu";
import { useService } from "@web/core/utils/hooks";
import { standardFieldProps } from "@web/views/fields/standard_field_props";
import { isCallingTime } from "./calling_hours";

const { DateTime } = luxon;
const TICK = 1000;

function formatHour(hour) {
    const minutes = Math.round(hour * 60);
    return `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, "0")}`;
}

/**
 * The running clock of a client: green when the client may be called, red when not. Where the
 * time zone comes from is told by its tooltip; a click corrects it, where that is allowed.
 */
export class ClientClock extends Component {
    static template = "crm_extended.ClientClock";
    static components = { SelectMenu };
    static props = {
        clock: Object,
        editable: { type: Boolean, optional: true },
        onChanged: { type: Function, optional: true },
    };
    static defaultProps = { editable: false };

    setup() {
        this.orm = useService("orm");
        this.notification = useService("notification");
        this.state = useState({ now: DateTime.now(), groups: [], own: false });
        const timer = browser.setInterval(() => {
            const now = DateTime.now();
            if (now.minute !== this.state.now.minute || now.hour !== this.state.now.hour) {
                this.state.now = now;
            }
        }, TICK);
        onWillUnmount(() => browser.clearInterval(timer));
    }

    get local() {
        return this.state.now.setZone(this.props.clock.tz);
    }

    get time() {
        const local = this.local;
        if (!local.isValid) {
            return this.props.clock.tz; // a zone that this browser does not know
        }
        const time = local.toLocaleString(DateTime.TIME_SIMPLE);
        return local.toISODate() === this.state.now.toISODate()
            ? time
            : `${local.toFormat("ccc")} ${time}`;
    }

    get isCallingTime() {
        return this.local.isValid && isCallingTime(this.props.clock, this.local);
    }

    get city() {
        return this.props.clock.tz.split("/").pop().replaceAll("_", " ");
    }

    get tooltip() {
        const clock = this.props.clock;
        const zone = `${clock.tz.replaceAll("_", " ")} (${clock.source_label})`;
        const hours = `${formatHour(clock.hour_from)} – ${formatHour(clock.hour_to)}`;
        return this.isCallingTime
            ? _t("%(zone)s. May be called now: calling hours %(hours)s.", { zone, hours })
            : _t("%(zone)s. Not now: calling hours %(hours)s.", { zone, hours });
    }

    get canEdit() {
        return this.props.editable && Boolean(this.props.clock.partner_id);
    }

    async loadChoices() {
        if (this.state.groups.length) {
            return;
        }
        const choices = await this.orm.call("res.partner", "get_client_tz_choices", [
            [this.props.clock.partner_id],
        ]);
        if (!choices.editable) {
            this.notification.add(_t("You may not change the time zone of this client."), {
                type: "warning",
            });
            return;
        }
        const toChoice = (zone) => {
            const local = DateTime.now().setZone(zone);
            const time = local.isValid ? local.toLocaleString(DateTime.TIME_SIMPLE) : "";
            return { value: zone, label: `${zone.replaceAll("_", " ")}  ${time}` };
        };
        const groups = [];
        if (choices.own) {
            groups.push({
                label: _t("Automatic"),
                choices: [{ value: "auto", label: _t("By phone number and address") }],
            });
        }
        if (choices.likely.length) {
            groups.push({
                label: _t("Zones of the country"),
                choices: choices.likely.map(toChoice),
            });
        }
        groups.push({ label: _t("Other zones"), choices: choices.other.map(toChoice) });
        this.state.groups = groups;
    }

    async onSelect(zone) {
        await this.orm.call("res.partner", "action_set_client_tz", [
            [this.props.clock.partner_id],
            zone === "auto" ? false : zone,
        ]);
        this.state.groups = [];
        await this.props.onChanged?.();
    }
}

export class ClientClockField extends Component {
    static template = "crm_extended.ClientClockField";
    static components = { ClientClock };
    static props = { ...standardFieldProps, editable: { type: Boolean, optional: true } };

    get clock() {
        return this.props.record.data[this.props.name];
    }

    async onChanged() {
        const record = this.props.record;
        // what is being entered is not lost
        if (await record.save()) {
            await record.load();
        }
    }
}

export const clientClockField = {
    component: ClientClockField,
    displayName: _t("Client's Clock"),
    supportedTypes: ["json"],
    supportedOptions: [
        {
            label: _t("Time zone can be corrected"),
            name: "editable",
            type: "boolean",
        },
    ],
    extractProps: ({ options }) => ({ editable: Boolean(options.editable) }),
};

registry.category("fields").add("crm_client_clock", clientClockField);
