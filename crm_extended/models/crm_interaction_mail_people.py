import itertools

from odoo import api, models
from odoo.tools import email_normalize, ormcache, parse_contact_from_email
from odoo.tools.mail import email_split_tuples

# of the header of one mail; it names them all, a conversation has no use for more
MAX_HEADER_PEOPLE = 100


class CrmInteraction(models.Model):
    """Who takes part in a message: From, To and Cc.

    Somebody is ours who is an internal user, or the partner of one of our companies. Our people
    take part, but are never the client. The addresses of the companies themselves, aliases and
    catchall are nobody. Who is not known by address takes part by name. Of a header that names
    a crowd, the first hundred take part.

    People are dicts: `role` (from, to, cc), `partner` (empty if not known), `name`, `email`
    (normalised), `phone`, `is_own`.
    """

    _inherit = "crm.interaction"

    @api.model
    @ormcache()
    def _get_company_partner_ids(self):
        """Partners that stand for our own companies."""
        companies_sudo = self.env["res.company"].sudo().with_context(active_test=False).search([])
        return frozenset(companies_sudo.partner_id.ids)

    @api.model
    def _is_own_partner(self, partner):
        return not partner.partner_share or partner.id in self._get_company_partner_ids()

    @api.model
    def _is_message_of_ours(self, message, company):
        """Whether one of our people, or one of our own addresses, has sent this message."""
        if message.author_id:
            return self._is_own_partner(message.author_id)
        email = email_normalize(message.email_from or "")
        if not email or email.rpartition("@")[2] != company.alias_domain_id.name:
            return False
        return bool(self.env["mail.alias.domain"]._find_aliases([email]))

    @api.model
    def _is_internal_message(self, message):
        """Whether this message is a note, which nobody outside reads."""
        to_res_id = self.env["ir.model.data"]._xmlid_to_res_id
        if message.is_internal or message.subtype_id.id == to_res_id("mail.mt_note"):
            return True
        # spares a query for nearly all
        return message.subtype_id.id != to_res_id("mail.mt_comment") and (
            not message.subtype_id or message.subtype_id.internal
        )

    @api.model
    def _get_incoming_people(self, message, company):
        """People of a message from outside: its sender, and whom its header names.

        A note under a client's name is what a machine took down; an e-mail is always a client's
        own, also when it answers a note.
        """
        if message.message_type != "email" and self._is_internal_message(message):
            return []
        return [self._get_sender(message), *self._get_header_people(message, company)]

    @api.model
    def _get_outgoing_people(self, message, company, recipients_data):
        """People of a message of ours: its author, whom it is sent to, whom its header names."""
        if message.message_type == "sms":
            people = self._get_sms_people(message, company)
        elif self._is_internal_message(message) or not message.author_id:
            return []
        else:
            people = self._get_notified_people(message, recipients_data)
            people += self._get_header_people(message, company, people)
        return [self._get_sender(message), *people] if people else []

    @api.model
    def _get_sender(self, message):
        name, email = parse_contact_from_email(message.email_from or "")
        author = message.author_id
        return {
            "role": "from",
            "partner": author,
            "name": author.name or name or email,
            "email": email or author.email_normalized,
            "is_own": bool(author) and self._is_own_partner(author),
        }

    @api.model
    def _get_notified_people(self, message, recipients_data):
        """People outside whom a message is sent to by e-mail: those who are addressed, and as
        copies those who just follow the document."""
        companies = self._get_company_partner_ids()
        people = []
        for data in recipients_data:
            if not data["share"] or data["notif"] != "email" or data["id"] in companies:
                continue
            partner = self.env["res.partner"].browse(data["id"] or [])
            addressed = not partner or partner in message.partner_ids
            people.append(
                {
                    "role": "to" if addressed else "cc",
                    "partner": partner,
                    "name": data["name"],
                    "email": data["email_normalized"],
                    "is_own": False,
                }
            )
        if not any(person["role"] == "to" for person in people):
            for person in people:
                person["role"] = "to"
        return people

    @api.model
    def _get_mail_people(self, mail):
        """People of a mail that is no notification: the user who sends it, and its recipients."""
        user_partner = self.env.user.partner_id
        people = [
            {
                "role": "to",
                "partner": partner,
                "name": partner.name,
                "email": partner.email_normalized,
                "is_own": self._is_own_partner(partner),
            }
            for partner in mail.recipient_ids
        ]
        for name, address in email_split_tuples(mail.email_to or ""):
            people.append(
                {
                    "role": "to",
                    "partner": user_partner.browse(),
                    "name": name or address,
                    "email": email_normalize(address),
                    "is_own": False,
                }
            )
        if all(person["is_own"] for person in people):
            return []
        sender = {
            "role": "from",
            "partner": user_partner,
            "name": user_partner.name,
            "email": user_partner.email_normalized,
            "is_own": True,
        }
        return [sender, *people]

    @api.model
    def _get_header_people(self, message, company, known=()):
        """People whom the header of an e-mail names, but for the sender and those `known`."""
        if not message.incoming_email_to and not message.incoming_email_cc:
            return []
        seen = {person["email"] for person in known}
        seen.add(email_normalize(message.email_from or ""))
        found = {}
        for role, header in (("to", message.incoming_email_to), ("cc", message.incoming_email_cc)):
            for name, address in email_split_tuples(header or ""):
                email = email_normalize(address)
                if email and email not in seen:
                    found.setdefault(email, (role, name))
        found = dict(itertools.islice(found.items(), MAX_HEADER_PEOPLE))
        if not found:
            return []
        partners = {}
        for partner in self.env["res.partner"].search_fetch(
            [("email_normalized", "in", list(found)), ("company_id", "in", [False, company.id])],
            ["name", "email_normalized", "partner_share", "company_id"],
            # our own people first
            order="partner_share, id",
        ):
            partners.setdefault(partner.email_normalized, partner)
        nobody = self.env["res.partner"]
        companies = self._get_company_partner_ids()
        people = []
        for email, (role, name) in found.items():
            partner = partners.get(email, nobody)
            if partner.id in companies:
                continue
            people.append(
                {
                    "role": role,
                    "partner": partner,
                    "name": partner.name or name or email,
                    "email": email,
                    "is_own": bool(partner) and not partner.partner_share,
                }
            )
        return people

    @api.model
    def _get_sms_people(self, message, company):
        """People whom an SMS is sent to, by what has been made of their numbers."""
        people = []
        for notification in message.notification_ids:
            number = notification.sms_number
            if notification.notification_type != "sms" or not (
                number or notification.res_partner_id
            ):
                continue
            partner = notification.res_partner_id
            if not notification.res_partner_id:
                partner = self.env["res.partner"].search(
                    [("phone_sanitized", "=", number), ("company_id", "in", [False, company.id])],
                    order="partner_share, is_company, id",
                    limit=1,
                )
            people.append(
                {
                    "role": "to",
                    "partner": partner,
                    "name": partner.name,
                    "email": partner.email_normalized,
                    "phone": number or partner.phone,
                    "is_own": bool(partner) and self._is_own_partner(partner),
                }
            )
        return people
