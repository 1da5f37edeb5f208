import pytz
from odoo import api, models


class CrmInteraction(models.Model):
    """Planned interactions about a document have an activity there, which follows them."""

    _inherit = "crm.interaction"

    @api.model
    def _get_activity_type_xmlids(self):
        """Map a kind of interaction to the activity type by which it is planned."""
        return {
            "call": "mail.mail_activity_data_call",
            "meeting": "mail.mail_activity_data_meeting",
            "email": "mail.mail_activity_data_email",
        }

    def _get_activity_date(self):
        """The day on which the interaction is due, in the time zone of its responsible."""
        self.ensure_one()
        zone = pytz.timezone(self.user_id.tz or self.env.user.tz or "UTC")
        return pytz.utc.localize(self.date_deadline).astimezone(zone).date()

    def _prepare_activity_values(self):
        """Values of the activity by which this interaction is planned on its document."""
        self.ensure_one()
        return {
            "summary": self.subject,
            "date_deadline": self._get_activity_date(),
            "user_id": (self.user_id or self.env.user).id,
        }

    def _plan_activities(self):
        """Give each planned interaction about a document its activity."""
        xmlids = self._get_activity_type_xmlids()
        for interaction in self:
            if interaction.state not in ("planned", "postponed") or interaction.activity_id:
                continue
            document = interaction.chain_id.sudo()._get_document()
            if document is None or not document.sudo(False).has_access("write"):
                continue
            activity = (
                document.sudo(False)
                # no mail to the colleague for every attempt: the list shows what is due
                .with_context(mail_activity_automation_skip=False, mail_activity_quick_update=True)
                .activity_schedule(
                    xmlids.get(interaction.kind, "mail.mail_activity_data_todo"),
                    **interaction._prepare_activity_values(),
                )
            )
            interaction._internal().activity_id = activity

    def _update_activities(self):
        """Move the activities of planned interactions to their day and responsible."""
        for interaction in self:
            # sudo: whoever may move the interaction moves its activity
            activity_sudo = interaction.activity_id.sudo()
            if interaction.state not in ("planned", "postponed") or not activity_sudo.active:
                continue
            values = {"date_deadline": interaction._get_activity_date()}
            if interaction.user_id and interaction.user_id != activity_sudo.user_id:
                values["user_id"] = interaction.user_id.id
            activity_sudo.with_context(mail_activity_quick_update=True).write(values)

    def _finish_activities(self):
        for interaction in self:
            # sudo: the activity may be somebody else's, its interaction is done all the same
            activity_sudo = interaction.activity_id.sudo().filtered("active")
            if activity_sudo:
                activity_sudo._action_done(feedback=interaction._get_activity_feedback())

    def _get_activity_feedback(self):
        """What the message about the finished activity says.

        The outcome only: the document is read by more people than the notes of a contact.
        """
        self.ensure_one()
        return self.outcome_id.name

    def _cancel_activities(self):
        # sudo: as above
        activities_sudo = self.activity_id.sudo().filtered("active")
        if activities_sudo:
            activities_sudo.unlink()
