import re

from markupsafe import escape
from odoo import models
from odoo.tools import SQL, email_normalize

#: tables that repeat a card, by their ``partner_id``: columns to empty, and that of the name
COPIES = {
    "crm_claim": (("email_from", "partner_phone"), "partner_name"),
    "crm_interaction_participant": (
        ("email", "email_normalized", "phone", "phone_sanitized"),
        "name",
    ),
    "sms_sms": (("number",), None),
    "survey_user_input": (("email",), "nickname"),
}
#: tables with texts, the column that names the message, and the texts
TEXTS = (
    ("mail_message", "id", ("subject", "body", "reply_to")),
    ("mail_mail", "mail_message_id", ("body_html", "email_to", "email_cc")),
    ("mail_tracking_value", "mail_message_id", ("old_value_char", "new_value_char")),
)


class CrmPortalChange(models.Model):
    """What of an erased person stands beside his card: in copies, discussions and logs.

    Documents keep what was said and when, under the name that his card has afterwards: in the
    messages that he wrote or was sent, and in those on his card, his claims, orders, deals and
    appointments, his name, e-mail address and phone number are replaced wherever they stand as
    whole words. Copies of his e-mail address and phone number on claims, contacts and surveys are
    emptied, and the log of his links loses the addresses they were opened from. Files are evidence
    and stay as they are, as does a signature under an order.
    """

    _inherit = "crm.portal.change"

    def _prepare_replacements(self, partner_sudo, values):
        """What to look for in texts, and what to write instead; before the card is emptied.

        :param dict values: what the card gets, see :meth:`_prepare_erased_values`
        :return: list of (regular expression of PostgreSQL, replacement)
        """
        words = {}
        for email in {partner_sudo.email, email_normalize(partner_sudo.email or "")}:
            words[email] = ""
        for phone in {partner_sudo.phone, partner_sudo._phone_format(number=partner_sudo.phone)}:
            words[phone] = ""
        if new_name := values.get("name"):
            words[partner_sudo.name] = new_name
            words[str(escape(partner_sudo.name))] = str(escape(new_name))
        return [
            (rf"(?<!\w){re.escape(word)}(?!\w)", replacement.replace("\\", r"\\"))
            for word, replacement in sorted(
                ((word, new) for word, new in words.items() if word and len(word) > 1),
                key=lambda pair: -len(pair[0]),
            )
        ]

    def _erase_traces(self, partner_sudo, replacements):
        """Replace and empty what repeats the card of somebody who has been erased.

        :param partner_sudo: res.partner, whose card is emptied already; its name is the one that
            the copies get
        :param list replacements: see :meth:`_prepare_replacements`
        """
        self.env.flush_all()
        for table, (emptied, name_column) in COPIES.items():
            values = [SQL("%s = NULL", SQL.identifier(column)) for column in emptied]
            if name_column:
                values.append(SQL("%s = %s", SQL.identifier(name_column), partner_sudo.name))
            self.env.cr.execute(
                SQL(
                    "UPDATE %s SET %s WHERE partner_id = %s",
                    SQL.identifier(table),
                    SQL(", ").join(values),
                    partner_sudo.id,
                )
            )
        self.env.cr.execute(
            SQL(
                """
                UPDATE crm_claim_link_event event SET ip_address = NULL, user_agent = NULL
                  FROM crm_claim_link link
                 WHERE link.id = event.link_id AND link.partner_id = %s
                """,
                partner_sudo.id,
            )
        )
        if replacements:
            self._replace_in_texts(partner_sudo, replacements)
        self.env.invalidate_all()

    def _replace_in_texts(self, partner_sudo, replacements):
        def set_replaced(columns):
            values = []
            for column in map(SQL.identifier, columns):
                text = column
                for pattern, new in replacements:
                    text = SQL("regexp_replace(%s, %s, %s, 'gi')", text, pattern, new)
                values.append(SQL("%s = %s", column, text))
            return SQL(", ").join(values)

        messages = self._get_messages_about(partner_sudo)
        self.env.cr.execute(
            SQL("UPDATE mail_message SET email_from = NULL WHERE author_id = %s", partner_sudo.id)
        )
        for table, key, columns in TEXTS:
            self.env.cr.execute(
                SQL(
                    "UPDATE %s SET %s WHERE %s = ANY(%s)",
                    SQL.identifier(table),
                    set_replaced(columns),
                    SQL.identifier(key),
                    messages,
                )
            )
        self.env.cr.execute(
            SQL(
                "UPDATE crm_interaction SET %s WHERE partner_id = %s",
                set_replaced(("subject", "body", "result_note")),
                partner_sudo.id,
            )
        )

    def _get_messages_about(self, partner_sudo):
        """Ids of the messages in which somebody is spoken to or of."""
        rows = self.env.execute_query(
            SQL(
                """
                WITH document (model, id) AS (
                    SELECT 'res.partner', %(partner)s
                     UNION ALL SELECT 'crm.claim', id FROM crm_claim
                                WHERE partner_id = %(partner)s
                     UNION ALL SELECT 'sale.order', id FROM sale_order
                                WHERE partner_id = %(partner)s
                     UNION ALL SELECT 'crm.lead', id FROM crm_lead
                                WHERE partner_id = %(partner)s
                     UNION ALL SELECT 'crm.portal.change', id FROM crm_portal_change
                                WHERE partner_id = %(partner)s
                     UNION ALL SELECT 'crm.portal.feedback', id FROM crm_portal_feedback
                                WHERE partner_id = %(partner)s)
                SELECT message.id
                  FROM document
                  JOIN mail_message message
                    ON message.model = document.model AND message.res_id = document.id
                 UNION SELECT id FROM mail_message WHERE author_id = %(partner)s
                 UNION SELECT mail_message_id FROM mail_notification
                        WHERE res_partner_id = %(partner)s
                 UNION SELECT mail.mail_message_id
                         FROM mail_mail_res_partner_rel rel
                         JOIN mail_mail mail ON mail.id = rel.mail_mail_id
                        WHERE rel.res_partner_id = %(partner)s
                """,
                partner=partner_sudo.id,
            )
        )
        return [message_id for (message_id,) in rows]
