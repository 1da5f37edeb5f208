import { Component } from "@odoo/owl";
import { Domain } from "@web/core/domain";
import { _t } from "@web/core/l10n/translation";
import { useService } from "@web/core/utils/hooks";
import { formatFloat, formatInteger } from "@web/views/fields/formatters";

// a bar that says "1" must still be seen and be hit with a finger
const MIN_WIDTH = 5;

/**
 * The stages as bars, as wide as the deals that reached them and divided by what became of
 * these; between two bars the share that went on. Every figure opens its deals.
 */
export class FunnelRenderer extends Component {
    static template = "crm_extended.FunnelRenderer";
    // the model stays the same object: the funnel it has loaded is what changes
    static props = { model: Object, funnel: Object };

    setup() {
        this.action = useService("action");
    }

    get funnel() {
        return this.props.funnel;
    }

    get facts() {
        const total = this.funnel.total;
        const facts = [
            { key: "deals", label: _t("Deals"), value: formatInteger(total.deals), domain: [] },
            this.getShareFact("won", _t("Won")),
            this.getShareFact("lost", _t("Lost")),
            this.getShareFact("still_there", _t("Still open")),
        ];
        if (total.days_to_win !== null && total.days_to_win !== false) {
            const label = _t("Median days to win");
            facts.push({ key: "days", label, value: this.formatDays(total.days_to_win) });
        }
        return facts;
    }

    getShareFact(key, label) {
        const { deals, [key]: value } = this.funnel.total;
        return {
            key,
            label,
            value: formatInteger(value),
            share: deals ? this.formatPercent((100 * value) / deals) : "",
            domain: [[key, "=", 1]],
        };
    }

    get stages() {
        const widest = Math.max(...this.funnel.stages.map((stage) => stage.reached), 1);
        const stages = this.funnel.stages.map((stage) => ({
            ...stage,
            width: Math.max((100 * stage.reached) / widest, MIN_WIDTH),
            segments: this.getSegments(stage),
        }));
        stages.forEach((stage, index) => {
            const next = stages[index + 1];
            stage.connector = next && this.getConnector(stage.width, next.width);
        });
        return stages;
    }

    /** Parts of a bar: who passed and came back counts where he is now. */
    getSegments(stage) {
        const gone = stage.is_won
            ? { won: stage.won, went_back: stage.reached - stage.won }
            : {
                  passed: stage.reached - stage.still_there - stage.lost - stage.went_back,
                  still_there: stage.still_there,
                  went_back: stage.went_back,
                  lost: stage.lost,
              };
        return Object.entries(gone)
            .filter(([, value]) => value > 0)
            .map(([key, value]) => ({ key, value, title: `${this.getLabel(key)}: ${value}` }));
    }

    getLabel(key) {
        return {
            passed: _t("Went on"),
            still_there: _t("Still there"),
            went_back: _t("Went back or set aside"),
            lost: _t("Lost"),
            won: _t("Won"),
        }[key];
    }

    get legend() {
        return ["passed", "still_there", "lost", "went_back", "won"].map((key) => ({
            key,
            label: this.getLabel(key),
        }));
    }

    getConnector(upper, lower) {
        const points = [
            [50 - upper / 2, 0],
            [50 + upper / 2, 0],
            [50 + lower / 2, 100],
            [50 - lower / 2, 100],
        ];
        return `clip-path: polygon(${points.map(([x, y]) => `${x}% ${y}%`).join(", ")})`;
    }

    formatNumber(value) {
        return formatInteger(value);
    }

    formatPercent(value) {
        return _t("%s%", formatFloat(value, { digits: [16, value > 0 && value < 10 ? 1 : 0] }));
    }

    formatDays(value) {
        return formatFloat(value, { digits: [16, value < 10 ? 1 : 0] });
    }

    hasDays(stage) {
        return typeof stage.days_median === "number";
    }

    /** Conversion as a shade: the darker the cell, the more deals went on. */
    getHeat(value) {
        return `--crm-funnel-heat: ${Math.round(value * 0.6)}%`;
    }

    openDeals(title, ...domains) {
        if (this.props.model.hasData()) {
            const domain = Domain.and([this.props.model.domain, ...domains]).toList();
            return this.openAction(domain, title);
        }
    }

    async openAction(domain, title) {
        const model = this.props.model;
        this.action.doAction(
            await model.orm.call(model.resModel, "get_deals_action", [domain, title])
        );
    }

    onFact(fact) {
        return this.openDeals(fact.label, fact.domain);
    }

    onStage(stage, key) {
        const domain = [["stage_id", "=", stage.id]];
        if (!key) {
            return this.openDeals(stage.name, domain);
        }
        return this.openDeals(_t("%(stage)s: %(figure)s", {
            stage: stage.name,
            figure: this.getLabel(key),
        }), domain, [[key, "=", 1]]);
    }

    onGroup(group, stage) {
        if (!stage) {
            return this.openDeals(group.label, group.domain);
        }
        return this.openDeals(
            `${group.label}: ${stage.name}`,
            group.domain,
            [["stage_id", "=", stage.id]]
        );
    }
}
