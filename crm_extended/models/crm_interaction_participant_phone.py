from odoo import api, fields, models
from odoo.addons.phone_validation.tools.phone_validation import phone_get_region_data_for_number
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL
from odoo.tools.sql import column_exists, create_column, table_exists

from ..tools.phone_digits import MIN_DIGITS, get_digits, get_phone_patterns


class CrmInteractionParticipant(models.Model):
    """Participants are found by phone number in any spelling, also by the last digits.

    The digits of a number (with the calling code of the country, where the number is valid) are
    kept beside it and indexed from both ends, so that no search reads the whole table.
    """

    _inherit = "crm.interaction.participant"

    phone_digits = fields.Char(compute="_compute_phone_digits", store=True, precompute=True)
    phone_search = fields.Char(
        string="Phone Number", store=False, search="_search_phone_search", copy=False
    )

    _phone_digits_idx = models.Index(
        "(phone_digits text_pattern_ops) WHERE phone_digits IS NOT NULL"
    )
    _phone_digits_reverse_idx = models.Index(
        "(reverse(phone_digits) text_pattern_ops) WHERE phone_digits IS NOT NULL"
    )

    def _auto_init(self):
        """Fill the digits of participants from before 19.0.1.1.0 in one statement."""
        cr = self.env.cr
        is_new = table_exists(cr, self._table) and not column_exists(
            cr, self._table, "phone_digits"
        )
        if is_new:
            create_column(cr, self._table, "phone_digits", "varchar")
        res = super()._auto_init()
        if is_new:
            # as `_compute_phone_digits` does
            cr.execute(
                SQL(
                    r"""UPDATE crm_interaction_participant
                           SET phone_digits = NULLIF(regexp_replace(
                               COALESCE(NULLIF(phone_sanitized, ''), phone), '\D', '', 'g'), '')
                         WHERE phone IS NOT NULL OR phone_sanitized IS NOT NULL"""
                )
            )
        return res

    @api.depends("phone", "phone_sanitized")
    def _compute_phone_digits(self):
        for participant in self:
            participant.phone_digits = (
                get_digits(participant.phone_sanitized or participant.phone) or False
            )

    def _search_phone_search(self, operator, value):
        return self._get_phone_search_domain(operator, value, self._get_phone_domain)

    @api.model
    def _get_phone_search_domain(self, operator, value, get_domain):
        """Domain of a search field for phone numbers.

        :param operator, value: as given to the search method of the field
        :param get_domain: function from a typed number to a domain
        :raise UserError: if there are too few digits to search by
        """
        if operator == "in":
            return Domain.OR(get_domain(number) for number in value if number)
        if operator in ("like", "ilike", "=like", "=ilike"):
            return get_domain(value)
        return NotImplemented

    def _get_phone_domain(self, number):
        """Domain of the participants with this number, however it is spelt."""
        return Domain.custom(
            to_sql=lambda model, alias, query: self._get_phone_condition(
                model._field_to_sql(alias, "phone_digits", query), number
            )
        )

    @api.model
    def _get_phone_condition(self, digits, number):
        """SQL condition that compares a column of digits, indexed from both ends.

        :param SQL digits: the column
        :param str number: what somebody has typed
        :raise UserError: if there are too few digits to search by
        """
        full = self.env["res.partner"]._phone_format(number=number)
        national = full and phone_get_region_data_for_number(full)["national_number"]
        endings, beginnings = get_phone_patterns(
            number, national, self.env.company.country_id.phone_code
        )
        if not endings:
            raise UserError(
                self.env._(
                    "“%(number)s” is too short to search by: type at least %(count)s digits.",
                    number=number,
                    count=MIN_DIGITS,
                )
            )
        return SQL(
            "(%s)",
            SQL(" OR ").join(
                [
                    *(
                        SQL("reverse(%s) LIKE %s", digits, f"{ending[::-1]}%")
                        for ending in sorted(endings)
                    ),
                    *(
                        SQL("%s LIKE %s", digits, f"{beginning}%")
                        for beginning in sorted(beginnings)
                    ),
                ]
            ),
        )
