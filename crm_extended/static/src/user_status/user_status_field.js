import { Component, onWillRender, useState } from "@odoo/owl";
import { Avatar } from "@mail/views/web/fields/avatar/avatar";
import {
    Many2OneAvatarUser,
    Many2OneAvatarUserField,
    many2OneAvatarUserField,
} from "@mail/views/web/fields/many2one_avatar_user_field/many2one_avatar_user_field";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";

/** A dot that tells whether a user is there; words in its tooltip, or beside it. */
export class UserStatus extends Component {
    static template = "crm_extended.UserStatus";
    static props = { resId: Number, inWords: { type: Boolean, optional: true } };

    setup() {
        this.service = useService("crm_user_status");
        this.statuses = useState(this.service.statuses);
        onWillRender(() => this.service.request(this.props.resId));
    }

    get status() {
        return this.statuses[this.props.resId];
    }

    get icon() {
        return { present: "fa-circle", away: "fa-plane", off: "fa-moon-o" }[this.status.state];
    }
}

/** A user to whom work is assigned: as usual, with a mark that tells whether he is there. */
export class UserStatusField extends Many2OneAvatarUserField {
    static template = "crm_extended.UserStatusField";
    static components = { Avatar, Many2OneAvatarUser, UserStatus };
    static props = { ...Many2OneAvatarUserField.props, teamField: { type: String, optional: true } };

    /** On a deal the leader of its team is marked, as Odoo does. */
    get m2oProps() {
        const props = super.m2oProps;
        const team = this.props.teamField && this.props.record.data[this.props.teamField];
        if (!team) {
            return props;
        }
        return {
            ...props,
            context: { ...props.context, crm_formatted_display_name_team: Number(team.id) },
        };
    }
}

registry.category("fields").add("crm_user_status", {
    ...many2OneAvatarUserField,
    component: UserStatusField,
    extractProps: (fieldInfo, dynamicInfo) => ({
        ...many2OneAvatarUserField.extractProps(fieldInfo, dynamicInfo),
        teamField: fieldInfo.attrs.teamField,
    }),
    listViewWidth: [130],
});
