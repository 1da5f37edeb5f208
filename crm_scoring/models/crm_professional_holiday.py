from datetime import date

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain

from ..tools import occasion_dates

MONTHS = [
    ("1", "January"), ("2", "February"), ("3", "March"), ("4", "April"), ("5", "May"),
    ("6", "June"), ("7", "July"), ("8", "August"), ("9", "September"), ("10", "October"),
    ("11", "November"), ("12", "December"),
]  # fmt: skip
WEEKDAYS = [
    ("0", "Monday"), ("1", "Tuesday"), ("2", "Wednesday"), ("3", "Thursday"), ("4", "Friday"),
    ("5", "Saturday"), ("6", "Sunday"),
]  # fmt: skip
NUMBERS = [("1", "First"), ("2", "Second"), ("3", "Third"), ("4", "Fourth"), ("5", "Last")]


class CrmProfessionalHoliday(models.Model):
    """A day on which people of a profession or an industry are congratulated.

    - A fixed day, the n-th weekday of a month, or the n-th day of the year.
    - It concerns contacts with one of the professions, and contacts of companies of one of the
      industries, in the countries (all, if none is named; a contact without a country is that of
      its company). Without professions and industries it concerns nobody.
    """

    _name = "crm.professional.holiday"
    _description = "Professional Holiday"
    _order = "month_order, name"

    name = fields.Char(required=True, translate=True)
    active = fields.Boolean(default=True)
    rule = fields.Selection(
        [
            ("fixed", "The same day each year"),
            ("weekday", "A weekday of a month"),
            ("number", "A day of the year by number"),
        ],
        required=True,
        default="fixed",
    )
    month = fields.Selection(MONTHS, default="1")
    day = fields.Integer(default=1)
    week = fields.Selection(NUMBERS, string="Which", default="1")
    weekday = fields.Selection(WEEKDAYS, default="6")
    day_of_year = fields.Integer(string="Day of the Year", default=256)
    month_order = fields.Integer(compute="_compute_month_order", store=True, aggregator=None)
    profession_ids = fields.Many2many("crm.profession", string="Professions")
    industry_ids = fields.Many2many("res.partner.industry", string="Industries")
    country_ids = fields.Many2many("res.country", string="Countries", help="Empty: everywhere.")
    date_next = fields.Date(string="Next Time", compute="_compute_date_next")

    @api.depends("rule", "month", "day", "week", "weekday", "day_of_year")
    def _compute_month_order(self):
        for holiday in self:
            day = holiday._get_date(2024)
            holiday.month_order = day.month * 100 + day.day if day else 0

    @api.depends("rule", "month", "day", "week", "weekday", "day_of_year")
    def _compute_date_next(self):
        today = fields.Date.context_today(self)
        for holiday in self:
            this, following = holiday._get_date(today.year), holiday._get_date(today.year + 1)
            holiday.date_next = this if this and this >= today else following

    @api.constrains("rule", "month", "day", "week", "weekday", "day_of_year")
    def _check_day(self):
        for holiday in self:
            if not holiday._get_date(2024):
                raise ValidationError(
                    self.env._("“%s”: there is no such day. Correct month and day.", holiday.name)
                )

    def _get_date(self, year):
        """Return the day of this holiday in a year; False when there is none."""
        self.ensure_one()
        if self.rule == "number":
            if not 1 <= self.day_of_year <= 366:
                return False
            return occasion_dates.get_day_of_year(year, self.day_of_year)
        if not self.month:
            return False
        if self.rule == "weekday":
            if not self.week or not self.weekday:
                return False
            return occasion_dates.get_weekday(
                year, int(self.month), int(self.weekday), int(self.week)
            )
        try:
            date(2024, int(self.month), self.day)
        except ValueError:
            return False
        return occasion_dates.get_fixed_day(year, int(self.month), self.day)

    def _get_contact_domain(self):
        """Return the domain of the contacts this holiday concerns."""
        self.ensure_one()
        whom = Domain("profession_id", "in", self.profession_ids.ids) | Domain(
            "commercial_partner_id.industry_id", "in", self.industry_ids.ids
        )
        if self.country_ids:
            ids = self.country_ids.ids
            whom &= Domain("country_id", "in", ids) | (
                Domain("country_id", "=", False)
                & Domain("commercial_partner_id.country_id", "in", ids)
            )
        return whom
