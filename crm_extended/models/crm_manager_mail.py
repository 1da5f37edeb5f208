import logging
from datetime import timedelta

import pytz
from odoo import api, fields, models
from odoo.tools import SQL, format_date, hash_sign
from werkzeug.urls import url_encode

from ..tools.metric_period import get_period

_logger = logging.getLogger(__name__)

KINDS = [
    ("daily", "Every Morning"),
    ("weekly", "Every Monday"),
    ("monthly", "On the 1st"),
]
UNSUBSCRIBE_SCOPE = "crm_manager_mail_unsubscribe"
#: how often a mail that cannot be made is tried again
MOST_ATTEMPTS = 3
#: days on which a mail may still go out, if the server was down on its own day
GRACE = {"daily": 0, "weekly": 2, "monthly": 4}


class CrmManagerMail(models.Model):
    """One mail of figures to somebody about a period: sent, left out, or failed; never twice.

    - The morning mail tells the head of a team what his people did yesterday, the Monday mail
      tells each his own week beside his own past, the mail of the 1st tells the sales
      administrators the month of the company, with charts and a workbook.
    - They go out from the hour of the company's settings on, in the time zone of the recipient,
      to whoever has subscribed. When the server was down, the morning mail is dropped with its
      day, the others are made up for within a few days.
    - A row of the log belongs to one recipient, kind and period, and there can be no second one;
      it is written in the same transaction as the mail. So whatever is killed or runs twice, a
      mail goes out once. Killed while it is being handed to the mail server, it is not sent again
      either, and the log says so (`crm_manager_mail_post.py`).
    - When there is nothing to tell, no mail goes out, and the log says so.
    - Figures are told with the rights of the recipient.
    """

    _name = "crm.manager.mail"
    _description = "Mail of Figures"
    _order = "id desc"
    _rec_name = "kind"

    user_id = fields.Many2one(
        "res.users", string="Recipient", required=True, readonly=True, index=True,
        ondelete="cascade",
    )  # fmt: skip
    kind = fields.Selection(KINDS, required=True, readonly=True)
    date_from = fields.Date(string="From", required=True, readonly=True)
    date_to = fields.Date(string="To", required=True, readonly=True)
    state = fields.Selection(
        [("sent", "Sent"), ("skipped", "Left Out"), ("failed", "Failed")],
        required=True,
        readonly=True,
        default="sent",
    )
    note = fields.Char(readonly=True)
    attempts = fields.Integer(readonly=True, default=1)
    company_id = fields.Many2one("res.company", required=True, readonly=True, index=True)
    mail_id = fields.Many2one(
        "mail.mail", string="Mail", readonly=True, ondelete="set null", index="btree_not_null"
    )
    date_handed = fields.Datetime("Given to the Mail Server On", readonly=True)

    _once = models.UniqueIndex(
        "(user_id, kind, date_from)", "This mail has been dealt with already."
    )

    # ------------------------------------------------------------
    # Scheduled job
    # ------------------------------------------------------------

    @api.model
    def _cron_send(self):
        """Send whatever is due, one recipient after the other."""
        due = self._get_due()
        cron = self.env["ir.cron"]
        cron._commit_progress(remaining=len(due))
        for user, kind, period in due:
            self._send(user, kind, period)
            if not cron._commit_progress(1):
                break  # the time of this run is over; the next one goes on

    @api.model
    def _get_due(self, now=None):
        """Mails that have to go out by now and were not dealt with yet.

        :param datetime now: naive, UTC
        :return: list of (user, kind, period)
        """
        now = now or fields.Datetime.now()
        subscribed = self.env["res.users"].search(
            [
                ("share", "=", False),
                "|",
                ("crm_mail_daily", "=", True),
                "|",
                ("crm_mail_weekly", "=", True),
                ("crm_mail_monthly", "=", True),
            ]
        )
        due = []
        for user in subscribed:
            local = pytz.utc.localize(now).astimezone(pytz.timezone(user.tz or "UTC"))
            for kind, _label in KINDS:
                period = user[f"crm_mail_{kind}"] and self._get_due_period(kind, local, user)
                if period:
                    due.append((user, kind, period))
        done = self.search(
            [
                ("user_id", "in", subscribed.ids),
                ("date_from", ">=", now.date() - timedelta(days=45)),
                "|",
                ("state", "!=", "failed"),
                ("attempts", ">=", MOST_ATTEMPTS),
            ]
        )
        known = {(row.user_id.id, row.kind, row.date_from) for row in done}
        return [one for one in due if (one[0].id, one[1], one[2][0]) not in known]

    @api.model
    def _get_due_period(self, kind, local, user):
        """Period that a mail tells at a moment of the recipient, or None if it is not its time."""
        if local.hour < user.company_id.crm_mail_hour:
            return None
        today = local.date()
        gone = {"daily": 0, "weekly": today.weekday(), "monthly": today.day - 1}[kind]
        if gone > GRACE[kind]:
            return None
        key = {"daily": "yesterday", "weekly": "last_week", "monthly": "last_month"}[kind]
        return get_period(key, today)

    @api.model
    def _send(self, user, kind, period):
        """Send one mail, or note why not. A mail that fails does not hold up the others."""
        if not self._claim(user, kind, period):
            return
        row = self.search(
            [("user_id", "=", user.id), ("kind", "=", kind), ("date_from", "=", period[0])]
        )
        try:
            with self.env.cr.savepoint():
                mail = self._as_recipient(user)._build_mail(kind, period)
                if mail.get("skipped"):
                    row.write({"state": "skipped", "note": mail["skipped"]})
                else:
                    row.write({"state": "sent", "note": False, "mail_id": self._post(mail).id})
        except Exception as error:  # one recipient's figures must not stop the rest
            _logger.exception("Mail of figures %s for user %s", kind, user.id)
            row.invalidate_recordset()
            row.write({"state": "failed", "note": str(error)[:500]})

    @api.model
    def _claim(self, user, kind, period):
        """Take the row of a mail; False if somebody has it already."""
        self.flush_model()
        claimed = self.env.execute_query(
            SQL(
                """INSERT INTO crm_manager_mail AS row
                          (user_id, kind, date_from, date_to, company_id, state, attempts,
                           create_uid, create_date, write_uid, write_date)
                   VALUES (%(user)s, %(kind)s, %(first)s, %(last)s, %(company)s, 'sent', 1,
                           %(uid)s, now() AT TIME ZONE 'UTC', %(uid)s, now() AT TIME ZONE 'UTC')
              ON CONFLICT (user_id, kind, date_from) DO UPDATE
                      SET attempts = row.attempts + 1
                    WHERE row.state = 'failed' AND row.attempts < %(most)s
                RETURNING id""",
                user=user.id,
                kind=kind,
                first=period[0],
                last=period[1],
                company=user.company_id.id,
                uid=self.env.uid,
                most=MOST_ATTEMPTS,
            )
        )
        self.invalidate_model()
        return bool(claimed)

    @api.model
    def _as_recipient(self, user):
        """This model in the name of the recipient: his rights, language, time zone, company."""
        context = {
            "lang": user.lang or "en_US",
            "tz": user.tz or "UTC",
            "allowed_company_ids": user.company_id.ids,
        }
        return self.env(user=user, su=False, context=context)[self._name]

    # ------------------------------------------------------------
    # The mail
    # ------------------------------------------------------------

    @api.model
    def _build_mail(self, kind, period):
        """What a mail says, for the present user.

        :return: dict of ``subject``, ``title``, ``intro``, ``sections``, ``charts`` (``cid``,
            ``title``, ``png``), ``files`` (name, bytes, type), ``links``, ``footer``,
            ``unsubscribe_url``; or only ``skipped``: why there is none
        """
        mail = getattr(self, f"_build_{kind}_mail")(period)
        if mail.get("skipped"):
            return mail
        url = self.get_base_url()
        user = self.env.user
        return {
            "charts": [],
            "files": [],
            "intro": "",
            "kind": kind,
            "company": self.env.company,
            "user": user,
            "links": [
                {
                    "name": self.env._("Open the comparison"),
                    "url": f"{url}/odoo/managers",
                }
            ],
            "footer": self.env._(
                "You get this mail because you have subscribed to it. To change that, open your "
                "preferences, or this address to unsubscribe:"
            ),
            "unsubscribe": self.env._("Unsubscribe"),
            "unsubscribe_url": f"{url}/crm_extended/mails/unsubscribe?"
            + url_encode({"token": self._get_unsubscribe_token(user, kind)}),
            **mail,
        }

    @api.model
    def _get_unsubscribe_token(self, user, kind):
        # sudo: the secret of the database signs the link
        return hash_sign(self.sudo().env, UNSUBSCRIBE_SCOPE, [user.id, kind])

    @api.model
    def _format_days(self, period):
        first, last = (format_date(self.env, day) for day in period)
        return first if first == last else f"{first} \N{EN DASH} {last}"
