import { Component, onMounted, onWillUnmount, useRef, useState } from "@odoo/owl";
import { serializeDate } from "@web/core/l10n/dates";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { KeepLast } from "@web/core/utils/concurrency";
import { useService } from "@web/core/utils/hooks";
import { debounce } from "@web/core/utils/timing";
import { useRecordObserver } from "@web/model/relational_model/utils";
import { standardWidgetProps } from "@web/views/widgets/standard_widget_props";

const DELAY = 350;
const SHOWN = 4;
const TEXTS = [
    "name", "vat", "kpp", "company_registry", "phone", "email", "ref", "street", "street2", "city",
    "zip",
];
const RELATIONS = ["parent_id", "country_id", "company_id"];
// one of these must be typed before anything can be alike
const TELLING = ["name", "vat", "phone", "email", "company_registry", "ref"];

/**
 * Clients like the one that is being entered, shown while somebody is typing: nothing is saved,
 * and nothing but the server decides. Where duplicates are blocked, who may create one enters the
 * reason here; it is saved with the card.
 */
export class Duplicates extends Component {
    static template = "crm_extended.Duplicates";
    static props = { ...standardWidgetProps };

    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
        this.root = useRef("root");
        this.keepLast = new KeepLast();
        this.typed = {};
        this.asked = null;
        this.state = useState({ mode: "off", mayCreate: false, isCertain: false, rows: [], all: false });
        this.check = debounce(() => this.load(), DELAY);
        this.onInput = this.onInput.bind(this);
        useRecordObserver((record) => {
            // read here so that a change of any of them is observed
            const values = this.getValues(record);
            this.typed = this.getFocused();
            if (!record.isNew && !record.dirty) {
                this.typed = {};
                this.asked = JSON.stringify(values);
                Object.assign(this.state, { rows: [], isCertain: false });
            } else if (JSON.stringify(values) !== this.asked) {
                this.check();
            }
        });
        onMounted(() => {
            this.form = this.root.el.closest(".o_form_view, .o_form_renderer") || document.body;
            this.form.addEventListener("input", this.onInput);
        });
        onWillUnmount(() => {
            this.form.removeEventListener("input", this.onInput);
            this.check.cancel();
        });
    }

    /** What is being typed reaches the record only when the cursor leaves the field. */
    onInput(ev) {
        const name = this.getField(ev.target);
        if (name) {
            this.typed[name] = ev.target.value;
            this.check();
        }
    }

    getField(element) {
        const name = element.closest(".o_field_widget[name]")?.getAttribute("name");
        return TEXTS.includes(name) ? name : undefined;
    }

    /** The server may answer for one field while somebody types in the next one already. */
    getFocused() {
        const element = document.activeElement;
        const isTyped = this.form?.contains(element) && element.matches("input, textarea");
        const name = isTyped && this.getField(element);
        return name ? { [name]: element.value } : {};
    }

    getValues(record) {
        const { data } = record;
        const values = {};
        for (const name of TEXTS) {
            if (name in data) {
                values[name] = data[name] || false;
            }
        }
        for (const name of RELATIONS) {
            if (name in data) {
                values[name] = data[name]?.id || false;
            }
        }
        if ("is_company" in data) {
            values.is_company = data.is_company;
        }
        if (data.crm_birthdate) {
            values.crm_birthdate = serializeDate(data.crm_birthdate);
        }
        if (data.bank_ids?.records) {
            values.bank_accounts = data.bank_ids.records
                .map((bank) => bank.data.acc_number)
                .filter(Boolean);
        }
        return values;
    }

    async load() {
        const { record } = this.props;
        const values = { ...this.getValues(record), ...this.typed };
        const key = JSON.stringify(values);
        if (key === this.asked) {
            return;
        }
        this.asked = key;
        if (!TELLING.some((name) => (values[name] || "").trim().length > 2)) {
            Object.assign(this.state, { rows: [], isCertain: false });
            return;
        }
        const found = await this.keepLast.add(
            this.orm.silent.call("res.partner", "get_duplicates", [values, record.resId || false])
        );
        Object.assign(this.state, {
            mode: found.mode,
            mayCreate: found.may_create,
            isCertain: found.is_certain,
            rows: found.candidates,
        });
    }

    get shown() {
        return this.state.all ? this.state.rows : this.state.rows.slice(0, SHOWN);
    }

    get isBlocked() {
        return this.state.mode === "block" && this.state.isCertain;
    }

    get title() {
        if (this.isBlocked) {
            return _t("This client is known already");
        }
        return this.state.rows.some((row) => row.kind === "duplicate")
            ? _t("This client may be known already")
            : _t("Similar clients");
    }

    get allTitle() {
        return _t("Show all (%s)", this.state.rows.length);
    }

    getKind(row) {
        return {
            branch: _t("Branch"),
            other_number: _t("Other client"),
        }[row.kind];
    }

    getReasons(row) {
        return row.reasons.join(", ");
    }

    open(row) {
        this.action.doAction({
            type: "ir.actions.act_window",
            res_model: "res.partner",
            res_id: row.id,
            views: [[false, "form"]],
            target: "current",
        });
    }

    setReason(ev) {
        this.props.record.update({ crm_duplicate_reason: ev.target.value.trim() || false });
    }
}

registry.category("view_widgets").add("crm_duplicates", {
    component: Duplicates,
    fieldDependencies: [{ name: "crm_duplicate_reason", type: "char" }],
});
