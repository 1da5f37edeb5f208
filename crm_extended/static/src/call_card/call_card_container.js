import { Component, useState } from "@odoo/owl";
import { CallCard } from "./call_card";

/** All calls of this moment, the newest on top. */
export class CallCardContainer extends Component {
    static template = "crm_extended.CallCardContainer";
    static components = { CallCard };
    static props = { cards: Object };

    setup() {
        this.cards = useState(this.props.cards);
    }

    get shown() {
        return Object.values(this.cards)
            .map((entry) => entry.card)
            .filter(Boolean)
            .sort((one, other) => other.id - one.id);
    }
}
