from odoo import models


class ResUsersSettings(models.Model):
    """Whoever makes the own calendar private hides the subjects of its meetings with it."""

    _inherit = "res.users.settings"

    def write(self, vals):
        res = super().write(vals)
        if "calendar_default_privacy" in vals:
            # sudo: the interactions may be in the hands of colleagues
            interactions_sudo = (
                self.env["crm.interaction"]
                .sudo()
                .search(
                    [
                        ("calendar_event_id.user_id", "in", self.user_id.ids),
                        ("calendar_event_id.privacy", "=", False),
                    ]
                )
            )
            with self.env["calendar.event"]._gather_meeting_changes() as changes:
                changes.add_written(interactions_sudo.calendar_event_id.ids, {"privacy"})
        return res
