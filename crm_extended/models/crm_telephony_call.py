from datetime import timedelta
from functools import partial

from odoo import SUPERUSER_ID, api, fields, models
from odoo.fields import Domain
from odoo.service.model import retrying
from odoo.tools import SQL

from ..tools.telephony_event import merge_event, read_moment, summarize

# an event that comes later than this opens no card: its call is over
CARD_DELAY = timedelta(minutes=5)
# facts of a call are kept as long as an exchange may still report its recording
KEEP_CALLS = timedelta(days=90)
LOCK_TIMEOUT = "10s"


class CrmTelephonyCall(models.Model):
    """A call as an exchange has reported it, event by event.

    The facts of all events are merged (`tools/telephony_event.py`), and the interaction follows
    from the merged facts. So the order of the events and their repetition do not matter: each of
    them brings call and interaction to where all events known so far lead.

    Two events of one call never work at the same time. `_receive` takes a lock on the call in
    one transaction and works in another, which begins when the lock is there and sees all that
    was done before. So one call is one row and one interaction, and nothing has to be tried
    again because two events met.

    The people whose extensions rang (`user_ids`) see the call, as long as they are users of
    interactions: that is how the card opens on a screen whose user may not see the interaction
    itself, because another one is responsible for it.
    """

    _name = "crm.telephony.call"
    _description = "Telephony Call"
    _order = "id desc"
    _rec_name = "uid"
    _check_company_auto = True

    provider_id = fields.Many2one(
        "crm.telephony.provider", required=True, readonly=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="provider_id.company_id", store=True, index=True)
    uid = fields.Char(string="Call ID", required=True, readonly=True)
    facts = fields.Json(groups=fields.NO_ACCESS)
    direction = fields.Selection(
        [("in", "Incoming"), ("out", "Outgoing"), ("internal", "Internal")], readonly=True
    )
    state = fields.Selection(
        [
            ("ringing", "Ringing"),
            ("answered", "Talking"),
            ("ended", "Ended"),
            ("missed", "Missed"),
        ],
        string="Status",
        required=True,
        readonly=True,
        default="ringing",
    )
    date_start = fields.Datetime(string="Started", readonly=True)
    number = fields.Char(string="Client's Number", readonly=True)
    number_sanitized = fields.Char(readonly=True)
    name = fields.Char(string="Client's Name", readonly=True)
    user_ids = fields.Many2many("res.users", string="Operators", readonly=True)
    user_id = fields.Many2one(
        "res.users", string="Answered By", readonly=True, index="btree_not_null"
    )
    interaction_id = fields.Many2one(
        "crm.interaction", readonly=True, index="btree_not_null", ondelete="set null"
    )
    is_erased = fields.Boolean(
        readonly=True, help="Its interaction was deleted: what still arrives is not recorded."
    )

    _provider_uid_uniq = models.UniqueIndex("(provider_id, uid)", "This call is already there.")

    # ------------------------------------------------------------
    # EVENTS
    # ------------------------------------------------------------

    @api.model
    def _receive(self, provider_id, events):
        """Take checked events of a provider, in a transaction of its own that is committed.

        :param int provider_id: the crm.telephony.provider
        :param list events: CallEvent
        :return: list of what became of each: recorded, repeated or ignored
        """
        self.env.cr.execute(SQL("SET LOCAL lock_timeout = %s", LOCK_TIMEOUT))
        # always in the same order, so that two lists of events cannot wait for each other
        for uid in sorted({event.call_id for event in events if event.is_known}):
            self.env.cr.execute(
                SQL(
                    "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))",
                    f"crm.telephony.call/{provider_id}/{uid}",
                )
            )
        with self.env.registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            provider_sudo = env["crm.telephony.provider"].browse(provider_id)
            company_id = provider_sudo.company_id.id
            call = env["crm.telephony.call"].with_context(allowed_company_ids=[company_id])
            return retrying(partial(call._process, provider_id, events), call.env)

    @api.model
    def _process(self, provider_id, events):
        """Merge events into their calls and see to what follows; runs as the superuser."""
        known = [event for event in events if event.is_known]
        calls = {
            call.uid: call
            for call in self.search(
                [
                    ("provider_id", "=", provider_id),
                    ("uid", "in", [event.call_id for event in known]),
                ]
            )
        }
        missing = dict.fromkeys(event.call_id for event in known if event.call_id not in calls)
        created = self.create([{"provider_id": provider_id, "uid": uid} for uid in missing])
        calls.update({call.uid: call for call in created})
        results = []
        for event in events:
            result = calls[event.call_id]._take(event) if event.is_known else "ignored"
            results.append(result)
        return results

    def _take(self, event):
        """Merge one event into this call.

        :return: recorded, repeated (it said nothing new) or ignored (nothing to be recorded)
        """
        self.ensure_one()
        if self.is_erased:
            return "ignored"
        facts = self.facts or {}
        merged = merge_event(facts, event)
        if merged == facts:
            return "repeated"
        old, new = summarize(facts), summarize(merged)
        shown = (self.state, self.user_ids, self.user_id)
        self.write({"facts": merged, **self._prepare_summary_values(new)})
        if new.direction == "internal":
            return "ignored"
        if new.is_identified:
            self._update_interaction(old, new)
        if shown != (self.state, self.user_ids, self.user_id):
            self._notify(event)
        return "recorded"

    def _prepare_summary_values(self, summary):
        provider = self.provider_id
        return {
            "direction": summary.direction,
            "state": summary.state,
            "date_start": summary.start,
            "number": summary.number,
            "number_sanitized": self._normalize_number(summary.number),
            "name": summary.name,
            "user_ids": [fields.Command.set(provider._get_users(self._get_own_lines(summary)).ids)],
            "user_id": provider._get_users([summary.operator] if summary.operator else []).id,
        }

    def _get_own_lines(self, summary):
        """Our side of a call: the extensions, or the number itself where none is named."""
        return summary.extensions or ([summary.line.lower()] if summary.line else [])

    def _normalize_number(self, number):
        """A client's number in E.164, False if it is none.

        Some exchanges leave out the plus of international numbers: a number that is none in the
        country of the provider is tried again with it.
        """
        if not number:
            return False
        country = self.provider_id.country_id or self.company_id.country_id
        partner = self.env["res.partner"]
        return partner._phone_format(number=number, country=country) or (
            number.isdecimal()
            and len(number) > 9
            and partner._phone_format(number=f"+{number}", country=country)
        )

    def _notify(self, event):
        """Tell the screens of the operators that there is something to show.

        The message names the call only. What the card shows is read by each operator under his
        own rights.
        """
        if read_moment(event.moment) < fields.Datetime.now() - CARD_DELAY:
            return
        group = "crm_extended.crm_interactions_group_user"
        message = {"call_id": self.id, "state": self.state, "user_id": self.user_id.id}
        for user in self.user_ids:
            if user.has_group(group):
                user._bus_send("crm_extended.call", message)

    @api.autovacuum
    def _gc_calls(self):
        self.search(
            [("write_date", "<", fields.Datetime.now() - KEEP_CALLS)], limit=10_000
        ).unlink()

    # ------------------------------------------------------------
    # CLIENT
    # ------------------------------------------------------------

    def _get_number_domain(self):
        """Contacts, deals or participants with the number of this call."""
        return Domain("phone_sanitized", "=", self.number_sanitized) & Domain(
            "company_id", "in", (False, self.company_id.id)
        )

    def _find_partners(self):
        """Contacts with the number of this call, the most likely caller first.

        A person comes before a company: it is people who call, and a person leads to the company
        as well. Then who has an open deal, then who was talked to last, then who is longest with
        us. Portal and internal users count like any contact.
        """
        self.ensure_one()
        partners = self.env["res.partner"]
        if not self.number_sanitized:
            return partners
        partners = partners.search(self._get_number_domain(), limit=20, order="id")
        if not partners:
            partners = self._find_former_callers()
        if len(partners) < 2:
            return partners
        dealing = self.env["crm.lead"].search(
            [("partner_id", "in", partners.ids), ("won_status", "=", "pending")]
        )
        talked = dict(
            self.env["crm.interaction"]._read_group(
                [("partner_id", "in", partners.ids), ("company_id", "=", self.company_id.id)],
                ["partner_id"],
                ["date_start:max"],
            )
        )
        return partners.sorted(
            lambda partner: (
                partner.is_company,
                partner not in dealing.partner_id,
                -talked[partner].timestamp() if partner in talked else 0,
                partner.id,
            )
        )

    def _find_former_callers(self):
        """Contacts who are known to have called from this number before."""
        participants = self.env["crm.interaction.participant"].search(
            [
                ("phone_sanitized", "=", self.number_sanitized),
                ("company_id", "=", self.company_id.id),
                ("partner_id.active", "=", True),
            ],
            order="id desc",
            limit=20,
        )
        return participants.partner_id

    def _get_open_deals(self, partner):
        """Open deals of a client, or those that only know the number.

        :param partner: the contact that calls, may be empty
        """
        domain = Domain("won_status", "=", "pending")
        domain &= Domain("company_id", "in", (False, self.company_id.id))
        number = Domain("phone_sanitized", "=", self.number_sanitized)
        if partner:
            client = Domain("partner_id", "child_of", partner.commercial_partner_id.id)
            domain &= client | (Domain("partner_id", "=", False) & number)
        elif self.number_sanitized:
            domain &= number
        else:
            return self.env["crm.lead"]
        return self.env["crm.lead"].search(domain, limit=10)

    def _get_call_document(self, partner):
        """The document in whose conversation this call is recorded.

        :param partner: the contact that calls, may be empty
        :return: the only open deal, else the contact; an empty recordset if nobody is known
        """
        deals = self._get_open_deals(partner)
        return deals if len(deals) == 1 else partner
