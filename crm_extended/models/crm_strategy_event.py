from datetime import date, timedelta

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

# how long ago a payment may be that is still news
NEWS = 14
BIRTHDAY_FIELDS = ("birthday", "birthdate", "birthdate_date", "date_of_birth", "crm_birthdate")


class CrmStrategy(models.Model):
    """The events, and whom they concern.

    An add-on declares an event in `_get_events` and finds whom it concerns in a method
    `_find_<event>`: all that are concerned now, each with a key that is the same as long as it is
    the same event, and another one when it happens again.
    """

    _inherit = "crm.strategy"

    @api.model
    def _get_events(self):
        """The events, by code.

        :return: dict code → dict with `label`, `model`, `help`; `days` and `amount` where the
            event takes these; `triggers` where Odoo tells that it may have happened: triples of a
            model, fields that change, and what a record fulfils then (see `_listen`)
        """
        events = {
            "agreement_expires": {
                "label": self.env._("An agreement expires"),
                "model": "crm.agreement",
                "days": True,
                "help": self.env._("An active agreement ends within so many days."),
            },
            "big_payment": {
                "label": self.env._("A big payment arrives"),
                "model": "account.payment",
                "amount": True,
                "triggers": [
                    (
                        "account.payment",
                        ["state"],
                        [
                            ("state", "in", ["in_process", "paid"]),
                            ("payment_type", "=", "inbound"),
                            ("partner_type", "=", "customer"),
                        ],
                    )
                ],
                "help": self.env._(
                    "A customer's payment of the last two weeks, in its company's " "currency."
                ),  # fmt: skip
            },
            "no_contact": {
                "label": self.env._("No contact with a client"),
                "model": "res.partner",
                "days": True,
                "help": self.env._("The last contact was so many days ago, and none is planned."),
            },
        }
        if self._get_birthday_field():
            events["birthday"] = {
                "label": self.env._("A birthday comes"),
                "model": "res.partner",
                "days": True,
                "help": self.env._("The birthday of a client or contact is within so many days."),
            }
        return events

    @api.model
    def _select_events(self):
        return [(code, event["label"]) for code, event in self._get_events().items()]

    def _get_occurrences(self, now):
        """Whom this strategy concerns now, and has not been answered.

        :param datetime now: naive, UTC
        :return: list of (record under sudo, key), the longest concerned first
        """
        self.ensure_one()
        # sudo: the strategy acts for the company, whoever looks at it
        strategy_sudo = self.sudo()
        strategy_sudo.env.flush_all()
        found = getattr(strategy_sudo, f"_find_{self.event}")(now)
        if not found:
            return []
        answered = {
            (res_id, key)
            for res_id, key in strategy_sudo.env["crm.strategy.run"]
            .search_fetch(
                [("strategy_id", "=", self.id), ("res_id", "in", list(found))],
                ["res_id", "event_key"],
            )
            .mapped(lambda run: (run.res_id, run.event_key))
        }
        left = [res_id for res_id, key in found.items() if (res_id, key) not in answered]
        domain = Domain("id", "in", left) & strategy_sudo._get_domain()
        Records = strategy_sudo.env[self.res_model]
        if self.company_id and "company_id" in Records._fields:
            domain &= Domain("company_id", "in", (False, self.company_id.id))
        kept = set(Records.search(domain).ids)
        return [(Records.browse(res_id), found[res_id]) for res_id in left if res_id in kept]

    # ------------------------------------------------------------
    # EVENTS OF THIS ADD-ON
    # ------------------------------------------------------------

    def _find_agreement_expires(self, now):
        today = now.date()
        agreements = self.env["crm.agreement"].search(
            [
                ("state", "=", "active"),
                ("date_end", ">=", today),
                ("date_end", "<=", today + timedelta(days=self.days)),
            ],
            order="date_end, id",
        )
        return {agreement.id: str(agreement.date_end) for agreement in agreements}

    def _find_big_payment(self, now):
        payments = self.env["account.payment"].search(
            [
                ("payment_type", "=", "inbound"),
                ("partner_type", "=", "customer"),
                ("partner_id", "!=", False),
                ("state", "in", ("in_process", "paid")),
                ("date", ">=", now.date() - timedelta(days=NEWS)),
                ("amount_company_currency_signed", ">=", self.amount),
            ],
            order="date, id",
        )
        return dict.fromkeys(payments.ids, "paid")

    def _find_no_contact(self, now):
        # the conversations keep their last contact and what is planned: interactions, which are
        # many more, need not be read
        rows = self.env.execute_query(
            SQL(
                """SELECT client.id, MAX(chain.date_last)::date
                     FROM crm_interaction_chain chain
                     JOIN res_partner contact ON contact.id = chain.partner_id
                     JOIN res_partner client ON client.id = contact.commercial_partner_id
                    WHERE client.active AND %(company)s
                    GROUP BY client.id
                   HAVING MAX(chain.date_last) < %(limit)s AND MAX(chain.date_next) IS NULL
                    ORDER BY MAX(chain.date_last), client.id""",
                company=SQL(
                    "(chain.company_id = %s OR chain.company_id IS NULL)", self.company_id.id
                )
                if self.company_id
                else SQL("TRUE"),
                limit=now - timedelta(days=self.days),
            )
        )
        return {partner_id: str(day) for partner_id, day in rows}

    # ------------------------------------------------------------
    # BIRTHDAYS
    # ------------------------------------------------------------

    @api.model
    def _get_birthday_field(self):
        """Name of the field with the birthday of a contact, where some add-on has one."""
        partner_fields = self.env["res.partner"]._fields
        return next(
            (
                name
                for name in BIRTHDAY_FIELDS
                if name in partner_fields
                and partner_fields[name].type == "date"
                and partner_fields[name].store
            ),
            None,
        )

    def _find_birthday(self, now):
        name = self._get_birthday_field()
        if not name:
            return {}
        today = fields.Datetime.context_timestamp(self, now).date()
        found = []
        # the birthdays of this year and the next one, those of leap days on the day before
        column = SQL.identifier(name)
        for partner_id, month, day in self.env.execute_query(
            SQL(
                """SELECT id, EXTRACT(MONTH FROM %(column)s)::int, EXTRACT(DAY FROM %(column)s)::int
                     FROM res_partner
                    WHERE active AND partner_share AND %(column)s IS NOT NULL
                      AND TO_CHAR(%(column)s, 'MM-DD') IN %(days)s""",
                column=column,
                days=tuple(self._get_birthday_days(today)),
            )
        ):
            for year in (today.year, today.year + 1):
                moment = _get_birthday(year, month, day)
                if today <= moment <= today + timedelta(days=self.days):
                    found.append((moment, partner_id))
                    break
        return {partner_id: str(moment) for moment, partner_id in sorted(found)}

    def _get_birthday_days(self, today):
        """Month and day of all birthdays within the days of this strategy."""
        days = [today + timedelta(days=ahead) for ahead in range(min(self.days, 366) + 1)]
        names = {day.strftime("%m-%d") for day in days}
        return names | ({"02-29"} if "02-28" in names else set())


def _get_birthday(year, month, day):
    """The birthday in a year; that of a leap day is on the day before where there is none."""
    try:
        return date(year, month, day)
    except ValueError:
        return date(year, 2, 28)
