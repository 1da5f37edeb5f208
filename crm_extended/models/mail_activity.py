from odoo import models


class MailActivity(models.Model):
    """Calls and meetings that are planned as activities are contacts with a client.

    - An activity that plans an interaction is the same thing seen from elsewhere: whoever does,
      moves, reassigns or deletes the one does so to the other.
    - An activity whose type stands for a call or a meeting, on a document that is talked about,
      becomes a done interaction when it is marked as done, with the feedback and its files,
      whoever marks it and however it was planned (by hand, by an activity plan, by a rule).
      Other activities are work, not contacts.
    - A meeting with an activity and an event is one interaction: marking the activity as done
      marks the meeting, deleting the activity leaves the meeting in the calendar.
    """

    _inherit = "mail.activity"

    def write(self, vals):
        res = super().write(vals)
        if not {"date_deadline", "user_id"}.isdisjoint(vals):
            self._get_pending_interactions()._follow_activities()
        return res

    def unlink(self):
        interactions_sudo = self._get_pending_interactions().filtered(
            lambda interaction: not interaction.calendar_event_id.active
        )
        res = super().unlink()
        if interactions_sudo:
            interactions_sudo.write({"state": "cancelled"})
        return res

    def _get_pending_interactions(self):
        """Interactions still to come which these activities plan (under sudo)."""
        # sudo: the activity decides, whoever is responsible for the interaction
        return (
            self.env["crm.interaction"]
            .sudo()
            .search([("activity_id", "in", self.ids), ("state", "in", ("planned", "postponed"))])
        )

    # ------------------------------------------------------------
    # DONE
    # ------------------------------------------------------------

    def _action_done(self, feedback=False, attachment_ids=None):
        # sudo: whoever does it, the interaction is recorded
        pending_sudo = self._get_pending_interactions() | self._get_pending_meetings()
        values_list = self._prepare_done_interactions(feedback, pending_sudo)
        # with the rights of the user: a file is not made readable by naming it
        files = self.env["ir.attachment"].browse(attachment_ids or [])
        files = files.exists()._filtered_access("read").sudo()
        res = super()._action_done(feedback=feedback, attachment_ids=attachment_ids)
        # an activity whose document is gone is deleted instead
        pending_sudo = pending_sudo.exists().filtered(
            lambda interaction: interaction.state in ("planned", "postponed")
        )
        if pending_sudo:
            pending_sudo._finish_from_activities(feedback)
        recorded_sudo = self.env["crm.interaction"].sudo()._internal().create(values_list)
        (pending_sudo | recorded_sudo)._copy_attachments(files)
        return res

    def _get_pending_meetings(self):
        """Meetings still to come whose events these activities belong to (under sudo)."""
        Interaction_sudo = self.env["crm.interaction"].sudo()
        events = self.sudo().calendar_event_id
        if not events:
            return Interaction_sudo
        return Interaction_sudo.search(
            [("calendar_event_id", "in", events.ids), ("state", "in", ("planned", "postponed"))]
        )

    def _prepare_done_interactions(self, feedback, pending_sudo):
        """Values of the interactions which these activities become when they are done.

        Activities that have an interaction, of their own or of their event, need no other.

        :param pending_sudo: the interactions which the activities plan
        :return: list of values
        """
        Interaction_sudo = self.env["crm.interaction"].sudo()
        kinds = Interaction_sudo._get_kinds_by_activity_category()
        documents = self.env["crm.interaction.chain"]._get_document_models()
        activities_sudo = self.sudo().filtered(
            lambda activity: activity.activity_type_id.category in kinds
            and activity.res_id
            and activity.res_model in documents
        )
        activities_sudo -= pending_sudo.activity_id
        if not activities_sudo:
            return []
        recorded_sudo = Interaction_sudo.search(
            [
                "|",
                ("activity_id", "in", activities_sudo.ids),
                ("calendar_event_id", "in", activities_sudo.calendar_event_id.ids),
            ]
        )
        activities_sudo -= recorded_sudo.activity_id
        events = recorded_sudo.calendar_event_id
        values_list = []
        for model, activities in activities_sudo.grouped("res_model").items():
            # an activity outlives its document where that is deleted behind the back of Odoo
            existing = self.env[model].sudo().browse(activities.mapped("res_id")).exists()
            by_id = {document.id: document for document in existing}
            for activity in activities.filtered(lambda row, ids=by_id: row.res_id in ids):
                event = activity.calendar_event_id
                if event and event in events:
                    continue
                # two activities of one event are one meeting
                events |= event
                values_list.append(
                    Interaction_sudo._prepare_done_activity_values(
                        activity, by_id[activity.res_id], feedback
                    )
                )
        return values_list
