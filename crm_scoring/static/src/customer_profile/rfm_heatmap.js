import { Component, onWillStart, useState } from "@odoo/owl";
import { formatDate, deserializeDate } from "@web/core/l10n/dates";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { Layout } from "@web/search/layout";
import { formatInteger, formatMonetary } from "@web/views/fields/formatters";
import { standardActionServiceProps } from "@web/webclient/actions/action_service";

const SCORES = [1, 2, 3, 4, 5];

/**
 * Clients by how recently (down) and how much and often (across) they buy; the darker a cell, the
 * more clients or turnover. A click opens the clients of the cell.
 */
export class RfmHeatmap extends Component {
    static template = "crm_scoring.RfmHeatmap";
    static components = { Layout };
    static props = { ...standardActionServiceProps };

    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
        this.display = { controlPanel: {} };
        this.state = useState({ measure: "clients" });
        onWillStart(async () => {
            this.data = await this.orm.call("crm.customer.profile", "get_rfm_cells", []);
        });
    }

    get measures() {
        return [
            { name: "clients", label: _t("Clients") },
            { name: "monetary_year", label: _t("Turnover, 12 months") },
            { name: "monetary", label: _t("Turnover, all time") },
        ];
    }

    get isEmpty() {
        return !this.data.cells.length;
    }

    get total() {
        return this.data.cells.reduce((sum, cell) => sum + cell.clients, 0);
    }

    get asOf() {
        return this.data.date ? formatDate(deserializeDate(this.data.date)) : "";
    }

    get values() {
        return SCORES;
    }

    get rows() {
        const highest = Math.max(...this.data.cells.map((cell) => cell[this.state.measure]), 1);
        return [...SCORES].reverse().map((recency) => ({
            recency,
            cells: SCORES.map((value) => {
                const cell = this.data.cells.find(
                    (cell) => cell.recency === recency && cell.value === value
                );
                const amount = cell ? cell[this.state.measure] : 0;
                const share = Math.max(amount, 0) / highest;
                return {
                    key: `${recency}-${value}`,
                    cell,
                    name: cell ? cell.name : "",
                    text: cell ? this.format(amount) : "–",
                    // the square root keeps small cells apart from empty ones
                    style: cell
                        ? `background-color: rgba(var(--o-crm-heat), ${(
                              0.08 +
                              0.82 * Math.sqrt(share)
                          ).toFixed(2)});`
                        : "",
                    dark: Math.sqrt(share) > 0.55,
                };
            }),
        }));
    }

    format(amount) {
        if (this.state.measure === "clients") {
            return formatInteger(amount);
        }
        return formatMonetary(Math.round(amount), {
            currencyId: this.data.currency_id || undefined,
            digits: [16, 0],
            humanReadable: true,
        });
    }

    openCell(cell) {
        const domain = [["score_recency", "=", cell.recency]];
        const pairs = [];
        for (const frequency of SCORES) {
            for (const monetary of SCORES) {
                if (Math.floor((frequency + monetary + 1) / 2) === cell.value) {
                    pairs.push([frequency, monetary]);
                }
            }
        }
        domain.push(...Array(pairs.length - 1).fill("|"));
        for (const [frequency, monetary] of pairs) {
            domain.push("&", ["score_frequency", "=", frequency], ["score_monetary", "=", monetary]);
        }
        this.openProfiles(`${cell.name} (R${cell.recency}, ${cell.value})`, domain);
    }

    openSegment(segment) {
        this.openProfiles(segment.name, [["segment", "=", segment.code]]);
    }

    openProspects() {
        this.openProfiles(_t("Prospects"), [["stage", "=", "prospect"]]);
    }

    openProfiles(name, domain) {
        return this.action.doAction({
            type: "ir.actions.act_window",
            name,
            res_model: "crm.customer.profile",
            domain,
            views: [
                [false, "list"],
                [false, "kanban"],
                [false, "pivot"],
                [false, "graph"],
                [false, "form"],
            ],
        });
    }
}

registry.category("actions").add("crm_scoring.rfm_heatmap", RfmHeatmap);
