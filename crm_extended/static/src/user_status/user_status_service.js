import { reactive } from "@odoo/owl";
import { browser } from "@web/core/browser/browser";
import { registry } from "@web/core/registry";

// how long an answer is shown before it is asked for again, in milliseconds
const FRESH = 60 * 1000;

/**
 * Whether colleagues are there now. All users that a screen asks for at once, the rows of a list or
 * the proposals of a picker, are asked of the server in one request.
 */
export const userStatusService = {
    dependencies: ["orm"],
    start(env, { orm }) {
        const statuses = reactive({});
        const asked = {};
        let waiting = new Set();

        async function ask() {
            const ids = [...waiting];
            waiting = new Set();
            try {
                const answer = await orm.silent.call("res.users", "get_work_status", [ids]);
                Object.assign(statuses, answer);
            } catch {
                // a dot less on the screen is no reason for an error
                ids.forEach((id) => delete asked[id]);
            }
        }

        return {
            statuses,
            /** @param {number} id of a user; its status appears in `statuses` */
            request(id) {
                if (!id || Date.now() - (asked[id] || 0) < FRESH) {
                    return;
                }
                asked[id] = Date.now();
                waiting.add(id);
                if (waiting.size === 1) {
                    browser.setTimeout(ask, 0);
                }
            },
        };
    },
};

registry.category("services").add("crm_user_status", userStatusService);
