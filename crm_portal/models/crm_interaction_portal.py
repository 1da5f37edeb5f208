from datetime import timedelta

import pytz
from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tools import format_datetime, plaintext2html

from .crm_claim_filing import PortalFormError
from .res_users_portal import SLOT_MINUTES

DAYS_SHOWN = 10
MEETING_MINUTES = 60
ALTERNATIVES = 4
MAX_TOPIC_LENGTH = 120
MAX_NOTE_LENGTH = 2000
MAX_OPEN_REQUESTS = 3


class CrmInteraction(models.Model):
    """A customer asks to be called, or to meet, at a time of his choice.

    He is offered the free half hours of his manager, by his own clock. What he chooses is checked
    again while the manager's time is held for him: if somebody was faster, he is offered the
    nearest free times instead. The request is a planned contact of the manager; a meeting is in
    both calendars as well. He sees his requests and may cancel them until they begin.
    """

    _name = "crm.interaction"
    _inherit = ["crm.interaction", "crm.portal.request"]

    portal_request_partner_id = fields.Many2one(
        "res.partner",
        "Requested By",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="set null",
        help="The customer who asked for this contact in the portal.",
    )

    @api.model
    def _get_controlled_fields(self):
        return super()._get_controlled_fields() | {"portal_request_partner_id"}

    # ------------------------------------------------------------
    # What is offered
    # ------------------------------------------------------------

    @api.model
    def _portal_get_kinds(self):
        """What a customer may ask for: kind, and how long it takes in minutes."""
        return {"call": SLOT_MINUTES, "meeting": MEETING_MINUTES}

    @api.model
    def _portal_get_zone(self, user):
        """The customer's clock: his own setting, else by his phone number or address (pytz)."""
        # sudo: states and countries, which customers may not read
        name, _source = user.partner_id.sudo()._get_client_time_zone()
        return pytz.timezone(name)

    @api.model
    def _portal_get_offer(self, manager_sudo, kind, zone, now=None):
        """Free times of a manager by the customer's clock.

        :param manager_sudo: res.users
        :param str kind: ``call`` or ``meeting``
        :param zone: time zone of the customer (pytz)
        :return: list of (date, list of (value, moment)): ``value`` is what the form sends back,
            ``moment`` a naive datetime in UTC
        """
        now = now or fields.Datetime.now()
        slots = manager_sudo._portal_get_slots(
            now, now + timedelta(days=DAYS_SHOWN), self._portal_get_kinds()[kind], now
        )
        days = {}
        for slot in slots:
            date = pytz.utc.localize(slot).astimezone(zone).date()
            days.setdefault(date, []).append((slot.strftime("%Y%m%d%H%M"), slot))
        return list(days.items())

    @api.model
    def _portal_get_request_domain(self, partner):
        """Requests of a customer that are still to come."""
        return [
            ("portal_request_partner_id", "=", partner.id),
            ("state", "in", ("planned", "postponed")),
            ("date_start", ">", fields.Datetime.now() - timedelta(hours=1)),
        ]

    # ------------------------------------------------------------
    # Requests
    # ------------------------------------------------------------

    @api.model
    def _portal_parse_slot(self, value):
        """Read the time that the form sends back; ``None`` when it is not one."""
        value = value if isinstance(value, str) else ""
        if len(value) != 12 or not (value.isascii() and value.isdigit()):
            return None
        try:
            return fields.Datetime.to_datetime(
                f"{value[:4]}-{value[4:6]}-{value[6:8]} {value[8:10]}:{value[10:12]}:00"
            )
        except ValueError:
            return None

    @api.model
    def _portal_request(self, post):
        """Plan the contact that the signed-in customer asks for.

        :param dict post: untrusted; the keys read are ``kind``, ``slot``, ``topic``, ``note``,
            ``phone`` and ``form_key``
        :return: crm.interaction as superuser
        :raise PortalFormError: with a message for each wrong field; nothing is written then
        """
        user = self.env.user
        key, previous = self._portal_open_request(post.get("form_key"))
        if previous:
            return previous
        manager = user.partner_id._portal_get_manager(user.company_id)
        if not manager:
            raise PortalFormError(
                {"form": self.env._("Nobody can be asked here at the moment. Please write to us.")}
            )
        clean = self.env["crm.claim"]._portal_clean_text
        errors = {}
        kind = post.get("kind")
        if kind not in self._portal_get_kinds():
            errors["kind"] = self.env._("Please choose a call or a meeting.")
        topic = " ".join(clean(post.get("topic"), MAX_TOPIC_LENGTH).split())
        if not topic:
            errors["topic"] = self.env._("Please tell us in a few words what it is about.")
        slot = self._portal_parse_slot(post.get("slot"))
        if not slot:
            errors["slot"] = self.env._("Please choose a time.")
        open_domain = self._portal_get_request_domain(user.partner_id)
        if self.sudo().search_count(open_domain) >= MAX_OPEN_REQUESTS:
            errors["form"] = self.env._(
                "You have %(count)s appointments with us already. Please cancel one of them first.",
                count=MAX_OPEN_REQUESTS,
            )
        if errors:
            raise PortalFormError(errors)
        self._portal_hold_slot(manager, slot, kind)
        phone = clean(post.get("phone"), 40)
        # sudo: customers do not write contacts; all values are checked above
        interaction = self.sudo().create(
            self._portal_prepare_request(manager, user, kind, slot, topic)
            | {
                "body": plaintext2html(
                    "\n".join(
                        filter(
                            None,
                            [
                                clean(post.get("note"), MAX_NOTE_LENGTH),
                                self.env._("Phone: %s", phone) if phone else "",
                            ],
                        )
                    )
                ),
                "portal_request_key": key,
            }
        )
        if kind == "meeting":
            interaction._portal_create_event()
        return interaction

    @api.model
    def _portal_hold_slot(self, manager_sudo, slot, kind):
        """Refuse a time that is not free; hold the manager's time until the request is stored.

        :raise PortalFormError: names the nearest free times
        """
        self.env.cr.execute(
            "UPDATE res_users SET write_date = write_date WHERE id = %s", [manager_sudo.id]
        )
        now = fields.Datetime.now()
        minutes = self._portal_get_kinds()[kind]
        if now < slot < now + timedelta(days=DAYS_SHOWN) and slot in manager_sudo._portal_get_slots(
            slot - timedelta(hours=12), slot + timedelta(hours=12), minutes, now
        ):
            return
        free = manager_sudo._portal_get_slots(now, now + timedelta(days=DAYS_SHOWN), minutes, now)
        nearest = sorted(sorted(free, key=lambda moment: abs(moment - slot))[:ALTERNATIVES])
        zone = self._portal_get_zone(self.env.user)
        message = self.env._("This time is not free any more.")
        if nearest:
            message += " " + self.env._(
                "Free near it: %(times)s.",
                times="; ".join(
                    format_datetime(self.env, moment, tz=zone.zone, dt_format="EEE d MMM, HH:mm")
                    for moment in nearest
                ),
            )
        raise PortalFormError({"slot": message})

    @api.model
    def _portal_prepare_request(self, manager_sudo, user, kind, slot, topic):
        return {
            "kind": kind,
            "direction": "in" if kind == "call" else "none",
            "state": "planned",
            "subject": topic,
            "date_start": slot,
            "duration": self._portal_get_kinds()[kind],
            "user_id": manager_sudo.id,
            "partner_id": user.partner_id.id,
            "company_id": user.company_id.id,
            "portal_request_partner_id": user.partner_id.id,
        }

    def _portal_get_when(self):
        """When the appointment is, by the clock and in the language of the customer."""
        self.ensure_one()
        partner_sudo = self.sudo().portal_request_partner_id or self.sudo().partner_id
        name = "UTC"  # a template is tried out on contacts with nobody
        if partner_sudo:
            name, _source = partner_sudo._get_client_time_zone()
        return format_datetime(
            self.env,
            self.date_start,
            tz=name,
            dt_format="EEEE d MMMM, HH:mm",
            lang_code=partner_sudo.lang,
        )

    def _portal_create_event(self):
        """Put a requested meeting into both calendars; Odoo sends the invitation."""
        self.ensure_one()
        return self.env["calendar.event"].create(
            {
                "name": self.subject,
                "start": self.date_start,
                "stop": self.date_start + timedelta(minutes=self.duration),
                "user_id": self.user_id.id,
                "partner_ids": [Command.set((self.user_id.partner_id | self.partner_id).ids)],
                "planned_interaction_id": self.id,
            }
        )

    def _portal_cancel_request(self):
        """The customer calls off what he asked for.

        :raise UserError: when it has begun or is over
        """
        self.ensure_one()
        if self.state not in ("planned", "postponed") or self.date_start <= fields.Datetime.now():
            raise UserError(self.env._("This appointment cannot be cancelled any more."))
        event = self.calendar_event_id
        self.state = "cancelled"
        if event.active:
            event.active = False
