from odoo import fields, models
from odoo.fields import Domain
from odoo.tools import SQL

PHONE_DIGITS = r"regexp_replace(phone::text, '\D', '', 'g')"


class ResPartner(models.Model):
    """Clients are found by phone number in any spelling.

    The number may be their own, or one from which they have called: that of a participant of an
    interaction who is known to be them.
    """

    _inherit = "res.partner"

    phone_search = fields.Char(
        string="Phone in Any Spelling",
        store=False,
        search="_search_phone_search",
        copy=False,
        groups="base.group_user",
        help="In any spelling; the last digits are enough.",
    )

    _phone_digits_idx = models.Index(f"(({PHONE_DIGITS}) text_pattern_ops) WHERE phone IS NOT NULL")
    _phone_digits_reverse_idx = models.Index(
        f"(reverse({PHONE_DIGITS}) text_pattern_ops) WHERE phone IS NOT NULL"
    )

    def _get_phone_digits_sql(self, alias):
        """The digits of the phone number, as they are indexed."""
        return SQL(r"regexp_replace(%s::text, '\D', '', 'g')", SQL.identifier(alias, "phone"))

    def _search_phone_search(self, operator, value):
        return self.env["crm.interaction.participant"]._get_phone_search_domain(
            operator, value, self._get_phone_domain
        )

    def _get_phone_domain(self, number):
        """Domain of the partners with this number, however it is spelt."""
        Participant = self.env["crm.interaction.participant"]
        self.flush_model(["phone"])
        found = SQL(
            "SELECT partner.id FROM res_partner partner WHERE partner.phone IS NOT NULL AND %s",
            Participant._get_phone_condition(self._get_phone_digits_sql("partner"), number),
        )
        if Participant.has_access("read"):
            # the interactions which the user sees: a colleague's remain unknown
            participants = Participant._search(
                Participant._get_phone_domain(number) & Domain("partner_id", "!=", False)
            )
            found = SQL(
                "%s UNION %s",
                found,
                participants.select(
                    SQL.identifier(participants.table, "partner_id"),
                ),
            )
        return Domain.custom(
            to_sql=lambda model, alias, query: SQL("%s IN (%s)", SQL.identifier(alias, "id"), found)
        )
