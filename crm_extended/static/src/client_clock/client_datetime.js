import { Component } from "@odoo/owl";
import { DateTimeInput } from "@web/core/datetime/datetime_input";
import { localization } from "@web/core/l10n/localization";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { standardFieldProps } from "@web/views/fields/standard_field_props";

const { Settings } = luxon;

/**
 * A moment entered by the clock of the client or by one's own: each input shows the same moment
 * by its clock. The zone comes from the `client_clock` field of the record.
 */
export class ClientDateTimeField extends Component {
    static template = "crm_extended.ClientDateTimeField";
    static components = { DateTimeInput };
    static props = { ...standardFieldProps };

    get zone() {
        return this.props.record.data.client_clock?.tz || Settings.defaultZone;
    }

    get city() {
        const zone = this.props.record.data.client_clock?.tz || "";
        return zone.split("/").pop().replaceAll("_", " ");
    }

    /** Calls are agreed to the minute. */
    get format() {
        return localization.dateTimeFormat.replace(/[:.]ss/, "");
    }

    get value() {
        return this.props.record.data[this.props.name];
    }

    /** The reading of the client's clock, as if it were one's own. */
    get clientValue() {
        return (
            this.value &&
            this.value.setZone(this.zone).setZone(Settings.defaultZone, { keepLocalTime: true })
        );
    }

    onChange(value) {
        this.props.record.update({ [this.props.name]: value });
    }

    onClientChange(reading) {
        this.onChange(
            reading &&
                reading
                    .setZone(this.zone, { keepLocalTime: true })
                    .setZone(Settings.defaultZone)
        );
    }
}

registry.category("fields").add("crm_client_datetime", {
    component: ClientDateTimeField,
    displayName: _t("Moment by Two Clocks"),
    supportedTypes: ["datetime"],
    fieldDependencies: [{ name: "client_clock", type: "json" }],
});
