import { KeepLast } from "@web/core/utils/concurrency";
import { Model } from "@web/model/model";

/** What an empty funnel could look like, shown faded behind the help text. */
const SAMPLE_STAGES = [
    { id: 1, reached: 48, passed: 31, lost: 9, still_there: 8, days_median: 3 },
    { id: 2, reached: 31, passed: 19, lost: 7, still_there: 5, days_median: 6 },
    { id: 3, reached: 19, passed: 11, lost: 5, still_there: 3, days_median: 12 },
    { id: 4, reached: 11, passed: 0, lost: 0, still_there: 0, won: 11, is_won: true },
].map((stage) => ({
    name: "",
    started: 0,
    skipped: 0,
    went_back: 0,
    won: 0,
    conversion: stage.is_won ? null : (100 * stage.passed) / stage.reached,
    lost_share: stage.is_won ? null : (100 * stage.lost) / stage.reached,
    ...stage,
}));
const SAMPLE = {
    total: { deals: 48, won: 11, lost: 21, still_there: 16, days_to_win: 21 },
    stages: SAMPLE_STAGES,
    groups: [],
};

/** The funnel for the search of the view: `get_funnel` of crm.funnel.report. */
export class FunnelModel extends Model {
    setup(params) {
        this.resModel = params.resModel;
        this.keepLast = new KeepLast();
        this.funnel = SAMPLE;
    }

    async load({ context, domain, groupBy }) {
        // stages are drawn anyway; the first other grouping is compared below the funnel
        const other = groupBy.filter((spec) => spec !== "stage_id")[0] || null;
        const funnel = await this.keepLast.add(
            this.orm.call(this.resModel, "get_funnel", [domain, other], { context })
        );
        this.domain = domain;
        this.groupBy = other;
        this.isSample = !funnel.stages.length;
        this.funnel = this.isSample ? SAMPLE : funnel;
    }

    hasData() {
        return !this.isSample;
    }
}
