import dataclasses

import pytz
from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError

from ..tools.time_zone import get_country_zones


class ResPartner(models.Model):
    """When and under which number a client is called.

    A client may have calling hours of its own, in its own time; without them those of the
    company hold. They belong to the whole client, as its tax number does. Hours that end
    before they begin go over midnight.

    Whoever may change the client corrects its time zone on the clock. A colleague's zone is
    the colleague's own setting and is left alone.
    """

    _inherit = "res.partner"

    crm_calling_hour_from = fields.Float(
        string="Calls From",
        help="When this client may be called, by the client's clock. Left at 0:00 to 0:00: in "
        "the calling hours of the company.",
    )
    crm_calling_hour_to = fields.Float(string="Calls Until")
    crm_wrong_phone = fields.Char(
        string="Number Found Wrong",
        readonly=True,
        copy=False,
        help="Somebody else answered under this number.",
    )

    @api.constrains("crm_calling_hour_from", "crm_calling_hour_to")
    def _check_crm_calling_hours(self):
        for partner in self:
            hour_from, hour_to = partner.crm_calling_hour_from, partner.crm_calling_hour_to
            if not hour_from and not hour_to:
                continue
            if not 0 <= hour_from < 24 or not 0 < hour_to <= 24 or hour_from == hour_to:
                raise ValidationError(
                    self.env._(
                        "Correct the calling hours of %(client)s: enter both hours, from 0:00 "
                        "to 24:00, the second one different from the first; or 0:00 twice for "
                        "the hours of the company.",
                        client=partner.display_name,
                    )
                )

    @api.model
    def _commercial_fields(self):
        return [*super()._commercial_fields(), "crm_calling_hour_from", "crm_calling_hour_to"]

    def _adapt_calling_window(self, window):
        """The calling window of a company, with the hours of this client where it has some.

        :param CallingWindow window: working days and hours of the company
        :return: CallingWindow
        """
        # a contact that is not yet saved has not taken over the hours of its client
        client = self.commercial_partner_id or self
        if not client.crm_calling_hour_to:
            return window
        return dataclasses.replace(
            window,
            hour_from=client.crm_calling_hour_from,
            hour_to=client.crm_calling_hour_to,
        )

    # ------------------------------------------------------------
    # TIME ZONE
    # ------------------------------------------------------------

    @api.readonly
    def get_client_tz_choices(self):
        """Time zones to choose from for this client.

        :return: dict: `likely` zones of the client's country, `other` zones, both lists of
            names; `own`, the zone entered for the client or False; `editable`
        """
        self.ensure_one()
        self.check_access("read")
        _state, country = self._get_interaction_address()
        likely = get_country_zones(country.code)
        names = [value for value, _label in self._fields["tz"]._description_selection(self.env)]
        return {
            "likely": [name for name in likely if name in names],
            "other": [name for name in names if name not in likely],
            "own": self.tz or False,
            "editable": self.has_access("write") and not self._has_employee_clock(),
        }

    def _has_employee_clock(self):
        """Whether the time zone is the setting of a colleague."""
        # sudo: whoever talks to clients need not read users
        return not all(user_sudo.share for user_sudo in self.sudo().user_ids)

    def action_set_client_tz(self, tz):
        """Correct the time zone of this client.

        :param str tz: name of a time zone; empty to find it by the phone number and address
        :return: True
        """
        self.check_access("write")
        if tz and tz not in pytz.all_timezones_set:
            raise UserError(self.env._("“%(name)s” is not a time zone.", name=tz))
        if self._has_employee_clock():
            raise AccessError(
                self.env._("The time zone of a colleague is set in the preferences of that user.")
            )
        self.tz = tz or False
        return True
