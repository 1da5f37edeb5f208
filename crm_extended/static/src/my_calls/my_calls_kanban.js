import { registry } from "@web/core/registry";
import { KanbanController } from "@web/views/kanban/kanban_controller";
import { kanbanView } from "@web/views/kanban/kanban_view";
import { CallCounters } from "./call_counters";

/** My Calls on a phone: one card per call, with the counters on top. */
export class MyCallsKanbanController extends KanbanController {
    static template = "crm_extended.MyCallsKanbanView";
    static components = { ...KanbanController.components, CallCounters };
}

registry.category("views").add("crm_my_calls_kanban", {
    ...kanbanView,
    Controller: MyCallsKanbanController,
});
