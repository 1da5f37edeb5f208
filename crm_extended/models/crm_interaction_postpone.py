import pytz
from odoo import fields, models
from odoo.exceptions import UserError

from ..tools.postpone import PRESETS, get_postponed


class CrmInteraction(models.Model):
    """Interactions that wait are put off: by an hour, until tomorrow or next week, until a date.

    Days begin at 9:00 by the clock of the user who postpones. An attempt of the ladder waits on
    until the client may be called, unless the user names the moment himself.
    """

    _inherit = "crm.interaction"

    def _postpone(self, until):
        self.write({"state": "postponed", "date_deadline": until})

    def action_postpone(self, preset):
        """Postpone by one of the usual periods.

        :param str preset: "hour", "tomorrow" or "week"
        """
        if preset not in PRESETS:
            raise UserError(self.env._("Choose until when to postpone."))
        zone = pytz.timezone(self.env.user.tz or "UTC")
        until = get_postponed(preset, fields.Datetime.now(), zone)
        retries = self.filtered(lambda interaction: interaction.attempt_number)
        (self - retries)._postpone(until)
        moments = {chain: chain._get_next_open(until) for chain in retries.chain_id}
        for moment, attempts in retries.grouped(lambda row: moments[row.chain_id]).items():
            attempts._postpone(moment)
        return True

    def action_postpone_hour(self):
        return self.action_postpone("hour")

    def action_postpone_tomorrow(self):
        return self.action_postpone("tomorrow")

    def action_postpone_week(self):
        return self.action_postpone("week")

    def action_postpone_until(self, date):
        """Postpone until a date.

        :param date: datetime (naive, UTC), or its text
        :raise UserError: if it has passed
        """
        until = fields.Datetime.to_datetime(date)
        if not until or until <= fields.Datetime.now():
            raise UserError(
                self.env._("“Until” has passed already: choose a time that is still to come.")
            )
        self._postpone(until)
        return True

    def action_open_postpone(self):
        """Open the dialog that asks until when these interactions are postponed."""
        return self._get_dialog_action("crm.interaction.postpone", self.env._("Postpone"))

    def _get_dialog_action(self, model, title, *, size="medium", **defaults):
        """Window action of a dialog about these interactions.

        :param str size: of the dialog, as Odoo names it: "medium", "large"
        """
        return {
            "type": "ir.actions.act_window",
            "name": title,
            "res_model": model,
            "views": [(False, "form")],
            "target": "new",
            "context": {
                "default_interaction_ids": self.ids,
                "dialog_size": size,
                **{f"default_{field}": value for field, value in defaults.items()},
            },
        }
