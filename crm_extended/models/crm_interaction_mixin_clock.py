import pytz
from odoo import api, fields, models
from odoo.tools import format_time

from ..tools.calling_window import to_local
from ..tools.time_zone import find_time_zone


class CrmInteractionClock(models.AbstractModel):
    """The clock of the client with whom a document is talked about.

    The time zone comes from the client's own field, else from the phone number, else from the
    country, else from the company. The local time is shown next to the phone number, green
    when the client may be called.
    """

    _inherit = "crm.interaction.mixin"

    client_tz = fields.Char(string="Client's Time Zone", compute="_compute_client_time")
    client_time = fields.Char(string="Client's Time", compute="_compute_client_time")
    client_time_help = fields.Char(
        string="Source of the Client's Time", compute="_compute_client_time"
    )
    is_calling_time = fields.Boolean(compute="_compute_client_time")

    @api.depends_context("lang", "company")
    def _compute_client_time(self):
        now = fields.Datetime.now()
        sources = self._get_client_tz_sources()
        windows = {}
        for document in self:
            name, source = document._get_client_time_zone()
            zone = pytz.timezone(name)
            company = document._get_interaction_company()
            if company not in windows:
                windows[company] = company._get_calling_window(now)
            document.client_tz = name
            document.client_time = format_time(
                self.env, to_local(now, zone).time(), time_format="short"
            )
            document.client_time_help = f"{name.replace('_', ' ')}, {sources[source]}"
            document.is_calling_time = windows[company].contains(now, zone)

    def _get_client_tz_sources(self):
        """How the source of a time zone is put into words."""
        return {
            "own": self.env._("as entered for the client"),
            "phone": self.env._("by the phone number"),
            "country": self.env._("by the country"),
            "company": self.env._("our own: nothing is known about the client"),
        }

    def _get_client_time_zone(self):
        """Time zone of the client.

        :return: (name of a time zone, source: own, phone, country or company)
        """
        self.ensure_one()
        # sudo: the clock tells nothing that the document itself does not
        partner_sudo = self._get_interaction_partner().sudo()
        company_sudo = self._get_interaction_company().sudo()
        commercial_sudo = partner_sudo.commercial_partner_id
        return find_time_zone(
            own=partner_sudo.tz,
            phone=self._get_interaction_phone(),
            country_code=(
                partner_sudo.country_id
                or commercial_sudo.country_id
                or self._get_interaction_country()
            ).code,
            default=company_sudo.partner_id.tz or company_sudo.resource_calendar_id.tz,
        )

    def _get_interaction_phone(self):
        """Phone number under which the client is called about this document."""
        self.ensure_one()
        partner_sudo = self._get_interaction_partner().sudo()
        return partner_sudo.phone or partner_sudo.commercial_partner_id.phone

    def _get_interaction_country(self):
        """Country of the client, where the contact itself has none."""
        self.ensure_one()
        return self.env["res.country"]
