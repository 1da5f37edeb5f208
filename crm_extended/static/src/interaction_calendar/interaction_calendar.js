import { registry } from "@web/core/registry";
import { CalendarController } from "@web/views/calendar/calendar_controller";
import { calendarView } from "@web/views/calendar/calendar_view";

/**
 * A list says what is due; a calendar shows a week, past and future. The filter by which the list
 * opens would leave the calendar empty but for today, so it is put off on the way in.
 */
export class InteractionCalendarController extends CalendarController {
    setup() {
        const { searchModel } = this.env;
        const due = searchModel.getSearchItems((item) => item.name === "due" && item.isActive);
        for (const item of due) {
            searchModel.toggleSearchItem(item.id);
        }
        super.setup();
    }
}

registry.category("views").add("crm_interaction_calendar", {
    ...calendarView,
    Controller: InteractionCalendarController,
});
