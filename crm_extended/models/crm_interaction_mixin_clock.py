from datetime import timedelta

import pytz
from odoo import api, fields, models
from odoo.tools import format_time

from ..tools.calling_window import to_local
from ..tools.time_zone import find_time_zone

# for how long a page stays open at most: days whose holidays the live clock knows
CLOCK_DAYS = 7


class CrmInteractionClock(models.AbstractModel):
    """The clock of the client with whom a document is talked about.

    The time zone comes from the client's own field, else from the phone number, the state or
    the country of the client, else from the company. The local time is shown next to the phone
    number, green when the client may be called: within the hours agreed with the client, or
    else those of the company, on the working days of the company.

    `client_clock` is what the screen needs to let the clock run without asking again.
    """

    _inherit = "crm.interaction.mixin"

    client_tz = fields.Char(string="Client's Time Zone", compute="_compute_client_time")
    client_time = fields.Char(string="Client's Time", compute="_compute_client_time")
    client_time_help = fields.Char(
        string="Source of the Client's Time", compute="_compute_client_time"
    )
    is_calling_time = fields.Boolean(compute="_compute_client_time")
    client_clock = fields.Json(string="Client's Clock", compute="_compute_client_clock")

    @api.depends_context("lang", "company")
    def _compute_client_time(self):
        now = fields.Datetime.now()
        sources = self._get_client_tz_sources()
        windows = self._get_calling_windows(now)
        for document in self:
            name, source = document._get_client_time_zone()
            zone = pytz.timezone(name)
            document.client_tz = name
            document.client_time = format_time(
                self.env, to_local(now, zone).time(), time_format="short"
            )
            document.client_time_help = f"{name.replace('_', ' ')}, {sources[source]}"
            document.is_calling_time = windows[document].contains(now, zone)

    @api.depends_context("lang", "company")
    def _compute_client_clock(self):
        windows = self._get_calling_windows(fields.Datetime.now())
        for document in self:
            name, source = document._get_client_time_zone()
            document.client_clock = {
                **self._prepare_client_clock(name, source, windows[document]),
                "partner_id": document._get_interaction_partner()._origin.id or False,
            }

    @api.model
    def _prepare_client_clock(self, name, source, window):
        """What the screen needs to show a running clock.

        :param str name: time zone
        :param str source: where it comes from: own, phone, state, country or company
        :param CallingWindow window: when the client may be called
        :return: dict with tz, source, source_label, hour_from, hour_to, weekdays (Monday is 0),
            holidays (ISO dates of the next days), partner_id (whose zone can be corrected)
        """
        yesterday = to_local(fields.Datetime.now(), pytz.timezone(name)).date() - timedelta(days=1)
        horizon = yesterday + timedelta(days=CLOCK_DAYS)
        return {
            "tz": name,
            "source": source,
            "source_label": self._get_client_tz_sources()[source],
            "hour_from": window.hour_from,
            "hour_to": window.hour_to,
            "weekdays": sorted(window.weekdays),
            "holidays": sorted(
                day.isoformat() for day in window.holidays if yesterday <= day <= horizon
            ),
            "partner_id": False,
        }

    def _get_client_tz_sources(self):
        """How the source of a time zone is put into words."""
        return {
            "own": self.env._("as entered for the client"),
            "phone": self.env._("by the phone number"),
            "state": self.env._("by the state"),
            "country": self.env._("by the country"),
            "company": self.env._("our own: nothing is known about the client"),
        }

    def _get_client_time_zone(self):
        """Time zone of the client.

        :return: (name of a time zone, source: own, phone, state, country or company)
        """
        self.ensure_one()
        # sudo: the clock tells nothing that the document itself does not
        partner_sudo = self._get_interaction_partner().sudo()
        company_sudo = self._get_interaction_company().sudo()
        commercial_sudo = partner_sudo.commercial_partner_id
        state, country = self._get_interaction_address()
        return find_time_zone(
            own=partner_sudo.tz or commercial_sudo.tz,
            phone=self._get_interaction_phone(),
            state_code=state.code,
            country_code=country.code,
            default=company_sudo.partner_id.tz or company_sudo.resource_calendar_id.tz,
        )

    def _get_interaction_address(self):
        """State and country of the client: of the contact, its company, or the document.

        :return: (res.country.state, res.country), of one and the same address
        """
        self.ensure_one()
        partner_sudo = self._get_interaction_partner().sudo()
        for holder_sudo in (partner_sudo, partner_sudo.commercial_partner_id):
            country = holder_sudo.country_id or holder_sudo.state_id.country_id
            if country:
                return holder_sudo.state_id, country
        return self._get_interaction_state(), self._get_interaction_country()

    def _get_interaction_country(self):
        """Country of the client, where the contact itself has none."""
        self.ensure_one()
        return self.env["res.country"]

    def _get_interaction_state(self):
        """State of the client, where the contact itself has no country."""
        self.ensure_one()
        return self.env["res.country.state"]

    # ------------------------------------------------------------
    # CALLING HOURS
    # ------------------------------------------------------------

    def _get_calling_window(self, now):
        """When the client of this document may be called.

        :param datetime now: naive, UTC; public holidays are looked up from then on
        :return: CallingWindow
        """
        self.ensure_one()
        return self._get_calling_windows(now)[self]

    def _get_calling_windows(self, now):
        """When the clients of these documents may be called.

        :param datetime now: naive, UTC; public holidays are looked up from then on
        :return: dict document → CallingWindow
        """
        of_companies = {}
        windows = {}
        for document in self:
            company = document._get_interaction_company()
            if company not in of_companies:
                of_companies[company] = company._get_calling_window(now)
            # sudo: the hours of the client tell nothing that the document itself does not
            partner_sudo = document._get_interaction_partner().sudo()
            windows[document] = partner_sudo._adapt_calling_window(of_companies[company])
        return windows

    def _get_client_window(self, now):
        """When and by which clock the client of this document may be called.

        :param datetime now: naive, UTC
        :return: (CallingWindow, time zone)
        """
        self.ensure_one()
        return self._get_calling_window(now), pytz.timezone(self._get_client_time_zone()[0])
