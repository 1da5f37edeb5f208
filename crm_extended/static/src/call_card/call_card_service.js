import { reactive } from "@odoo/owl";
import { browser } from "@web/core/browser/browser";
import { registry } from "@web/core/registry";
import { CallCardContainer } from "./call_card_container";

const STORAGE_KEY = "crm_extended.calls";
const CHANNEL = "crm_extended.call_cards";

/**
 * Cards of the calls that come to this user. The server names the call only; the card is read
 * with the user's own rights. A card that is closed in one tab closes in all of them, and one
 * that is open comes back when the page is loaded anew.
 */
export const callCardService = {
    dependencies: ["bus_service", "orm"],

    start(env, { bus_service: bus, orm }) {
        const cards = reactive({});
        const tabs = browser.BroadcastChannel ? new browser.BroadcastChannel(CHANNEL) : null;

        function remember() {
            browser.sessionStorage.setItem(STORAGE_KEY, JSON.stringify(Object.keys(cards)));
        }

        async function load(callId) {
            const entry = cards[callId];
            const number = ++entry.request;
            let card;
            try {
                card = await orm.silent.call("crm.telephony.call", "get_card", [[callId]]);
            } catch {
                // it is gone, or no longer this user's
                forget(callId);
                return;
            }
            // answers may overtake each other: the last question counts
            if (cards[callId] && cards[callId].request === number) {
                cards[callId].card = card;
            }
        }

        async function open(callId) {
            cards[callId] = { card: null, request: 0 };
            remember();
            await load(callId);
        }

        function forget(callId) {
            delete cards[callId];
            remember();
        }

        function close(callId) {
            forget(callId);
            tabs?.postMessage({ close: callId });
        }

        function set(callId, card) {
            if (cards[callId]) {
                cards[callId].request++;
                cards[callId].card = card;
            }
        }

        function onMessage({ call_id: callId, state }) {
            if (cards[callId]) {
                load(callId);
            } else if (["ringing", "answered"].includes(state)) {
                open(callId);
            }
        }

        bus.subscribe("crm_extended.call", onMessage);
        tabs?.addEventListener("message", ({ data }) => data.close && forget(data.close));
        for (const callId of JSON.parse(browser.sessionStorage.getItem(STORAGE_KEY) || "[]")) {
            open(parseInt(callId));
        }

        registry
            .category("main_components")
            .add("crm_extended.CallCardContainer", {
                Component: CallCardContainer,
                props: { cards },
            });

        return { cards, close, load, set };
    },
};

registry.category("services").add("crm_extended.call_card", callCardService);
