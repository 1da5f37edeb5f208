from datetime import date, datetime
from unittest.mock import patch

from freezegun import freeze_time
from odoo.exceptions import AccessError
from odoo.tests import BaseCase, HttpCase, tagged
from odoo.tools import mute_logger

from ..tools.mail_table import render_plain_text
from .common_managers import ManagersCommon

# Wednesday 4 February 2026, 09:00 in Moscow
NOW = datetime(2026, 2, 4, 6, 0)


class TestMailTable(BaseCase):
    def _render(self, columns, rows):
        return render_plain_text(
            {
                "title": "Yesterday",
                "intro": "",
                "sections": [
                    {
                        "title": "By employee",
                        "columns": columns,
                        "rows": [{"cells": [{"text": text} for text in row]} for row in rows],
                        "note": "",
                    }
                ],
                "links": [{"name": "Open", "url": "https://example.com"}],
                "footer": "Why you get it:",
                "unsubscribe_url": "https://example.com/u",
            }
        )

    def test_narrow_table(self):
        text = self._render(["Person", "Orders"], [["Anna", "12"], ["Boris the Great", "1"]])
        self.assertIn("Person           Orders\nAnna                 12\nBoris", text)
        self.assertTrue(text.endswith("https://example.com/u\n"))

    def test_wide_table_becomes_blocks(self):
        text = self._render(["Person", "A" * 50, "B" * 50], [["Anna", "1", "2"]])
        self.assertIn(f"Anna\n  {'A' * 50}: 1\n  {'B' * 50}: 2", text)


@tagged("post_install", "-at_install")
class TestManagerMail(ManagersCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.email = "office@example.com"
        cls.company.partner_id.email = "office@example.com"
        everybody = cls.anna | cls.head | cls.admin | cls.dan
        for user in everybody:
            user.email = f"{user.login}@example.com"
        cls.env["res.users"].search([("id", "not in", everybody.ids)]).write(
            {"crm_mail_daily": False, "crm_mail_weekly": False, "crm_mail_monthly": False}
        )
        cls._make_order(cls.anna, 100, cls._at(3))
        cls._make_order(cls.boris, 40, cls._at(3))
        cls._make_order(cls.dan, 7, cls._at(3))
        cls._make_order(cls.anna, 300, cls._at(27, month=1))
        cls.Mail = cls.env["crm.manager.mail"]

    def _run(self, now=NOW):
        """What the scheduled job does at a moment: rows of the log by (login, kind)."""
        before = self.Mail.search([])
        with freeze_time(now):
            for user, kind, period in self.Mail._get_due():
                self.Mail._send(user, kind, period)
        rows = self.Mail.search([]) - before
        return {(row.user_id.login, row.kind): row for row in rows}

    def test_every_morning(self):
        self.head.crm_mail_daily = True
        self.env["crm.sales.target"].create(
            {"metric_id": self.env["crm.metric"]._get_by_code("orders_amount").id,
             "month": "2026-02-01", "value": 1000, "user_id": self.anna.id}
        )  # fmt: skip
        row = self._run()["mgr_head", "daily"]
        self.assertEqual((row.state, row.date_from), ("sent", date(2026, 2, 3)))
        mail = row.mail_id
        self.assertEqual(mail.email_to, self.head.email_formatted)
        for text in (mail.body_html, mail.crm_body_text):
            self.assertIn(self.anna.name, text)
            self.assertIn(self.boris.name, text)
            self.assertNotIn(self.dan.name, text, "another team")
            self.assertRegex(text, r"140")
            self.assertRegex(text, r"10.%")
            self.assertIn("/crm_extended/mails/unsubscribe?token=", text)
        self.assertFalse(self._run(), "once a day")
        self.assertTrue(self._run(datetime(2026, 2, 5, 6)), "and again tomorrow")

    def test_hour_of_the_recipient(self):
        self.head.crm_mail_daily = True
        self.head.tz = "America/New_York"
        self.assertFalse(self._run(), "one o'clock at night")
        self.assertTrue(self._run(datetime(2026, 2, 4, 13)))

    def test_nothing_happened(self):
        self.head.crm_mail_daily = True
        rows = self._run(datetime(2025, 6, 4, 6))
        row = rows["mgr_head", "daily"]
        self.assertEqual(row.state, "skipped")
        self.assertTrue(row.note)
        self.assertFalse(row.mail_id)

    def test_leads_no_team(self):
        self.anna.crm_mail_daily = True
        self.assertEqual(self._run()["mgr_anna", "daily"].state, "skipped")

    def test_every_monday(self):
        self.anna.crm_mail_weekly = True
        self.assertFalse(
            [key for key in self._run(datetime(2026, 2, 5, 6)) if key[1] == "weekly"], "Thursday"
        )
        row = self._run(datetime(2026, 2, 9, 6))["mgr_anna", "weekly"]
        self.assertEqual((row.date_from, row.date_to), (date(2026, 2, 2), date(2026, 2, 8)))
        text = row.mail_id.crm_body_text
        self.assertIn("100", text)
        self.assertNotIn(self.boris.name, text)

    def test_on_the_first(self):
        self.admin.crm_mail_monthly = True
        self.head.crm_mail_monthly = True
        rows = self._run(datetime(2026, 3, 1, 6))
        self.assertEqual(rows["mgr_head", "monthly"].state, "skipped")
        row = rows["mgr_admin", "monthly"]
        self.assertEqual(row.state, "sent", row.note)
        self.assertEqual((row.date_from, row.date_to), (date(2026, 2, 1), date(2026, 2, 28)))
        mail = row.mail_id
        names = mail.attachment_ids.mapped("name")
        self.assertIn("2026-02.xlsx", names)
        (values,) = mail._prepare_outgoing_list()
        message = self.env["ir.mail_server"]._build_email__(
            email_from=values["email_from"],
            email_to=values["email_to"],
            subject=values["subject"],
            body=values["body"],
            body_alternative=values["body_alternative"],
            attachments=values["attachments"],
            headers=values["headers"],
            subtype="html",
            subtype_alternative="plain",
        )
        parts = {part.get_content_type(): part for part in message.walk()}
        self.assertIn("multipart/related", parts)
        picture = parts["image/png"]
        cid = picture["Content-ID"].strip("<>")
        self.assertIn(f"cid:{cid}", values["body"])
        self.assertEqual(picture.get_content_disposition(), "inline")
        self.assertTrue(picture.get_content().startswith(b"\x89PNG"))
        files = [part.get_filename() for part in message.iter_attachments()]
        self.assertEqual(files, ["2026-02.xlsx"])
        self.assertIn("147", parts["text/plain"].get_content())
        self.assertIn("List-Unsubscribe-Post", message)

    def test_made_up_for_after_a_stop(self):
        self.admin.crm_mail_monthly = True
        self.admin.crm_mail_daily = True
        rows = self._run(datetime(2026, 3, 4, 6))
        self.assertIn(("mgr_admin", "monthly"), rows)
        self.assertEqual(rows["mgr_admin", "daily"].date_from, date(2026, 3, 3))

    def test_failure_disturbs_nobody(self):
        (self.head | self.admin).crm_mail_daily = True
        Mail = type(self.Mail)
        build = Mail._build_daily_mail

        def fail_for_the_head(mail, period):
            if mail.env.user == self.head:
                raise ValueError("broken")
            return build(mail, period)

        with (
            patch.object(Mail, "_build_daily_mail", fail_for_the_head),
            mute_logger("odoo.addons.crm_extended.models.crm_manager_mail"),
        ):
            rows = self._run()
            self.assertEqual(rows["mgr_head", "daily"].state, "failed")
            self.assertIn("broken", rows["mgr_head", "daily"].note)
            self.assertEqual(rows["mgr_admin", "daily"].state, "sent")
            for _again in range(4):
                self._run()
        self.assertEqual(rows["mgr_head", "daily"].attempts, 3)
        self.assertFalse(rows["mgr_head", "daily"].mail_id)

    def test_second_run_finds_it_taken(self):
        """Two jobs that have read the same list send one mail."""
        self.head.crm_mail_daily = True
        with freeze_time(NOW):
            due = self.Mail._get_due()
            for _job in range(2):
                for user, kind, period in due:
                    self.Mail._send(user, kind, period)
        rows = self.Mail.search([("user_id", "=", self.head.id)])
        self.assertEqual(len(rows), 1)
        mails = self.env["mail.mail"].search([("email_to", "=", self.head.email_formatted)])
        self.assertEqual(len(mails), 1)

    def test_job(self):
        self.head.crm_mail_daily = True
        cron = self.env.ref("crm_extended.ir_cron_crm_manager_mail")
        with self.enter_registry_test_mode(), freeze_time(NOW):
            cron.method_direct_trigger()
        self.assertEqual(self.Mail.search([("user_id", "=", self.head.id)]).state, "sent")

    def test_language(self):
        self.env["res.lang"]._activate_lang("ru_RU")
        self.head.write({"lang": "ru_RU", "crm_mail_daily": True})
        mail = self._run()["mgr_head", "daily"].mail_id
        self.assertIn("Вчера", mail.subject)
        self.assertIn("Оборот", mail.body_html)

    def test_subscription_is_one_s_own(self):
        self.anna.with_user(self.anna).write({"crm_mail_weekly": True})
        with self.assertRaises(AccessError):
            self.boris.with_user(self.anna).write({"crm_mail_weekly": True})
        with self.assertRaises(AccessError):
            self.Mail.with_user(self.anna).search([])
        settings = self.env["res.config.settings"].create({})
        with self.assertRaises(AccessError):
            settings.with_user(self.anna).action_subscribe_to_manager_mails()
        settings.action_subscribe_to_manager_mails()
        self.assertTrue(self.head.crm_mail_daily and self.boris.crm_mail_weekly)
        self.assertFalse(self.boris.crm_mail_daily)


@tagged("post_install", "-at_install")
class TestUnsubscribe(ManagersCommon, HttpCase):
    def test_by_link(self):
        self.head.write({"crm_mail_daily": True, "crm_mail_weekly": True})
        token = self.env["crm.manager.mail"]._get_unsubscribe_token(self.head, "daily")
        url = "/crm_extended/mails/unsubscribe"
        page = self.url_open(url, params={"token": token})
        self.assertEqual(page.status_code, 200)
        self.head.invalidate_recordset()
        self.assertTrue(self.head.crm_mail_daily, "looking changes nothing")
        page = self.url_open(url, data={"token": token})
        self.assertEqual(page.status_code, 200)
        self.head.invalidate_recordset()
        self.assertEqual((self.head.crm_mail_daily, self.head.crm_mail_weekly), (False, True))
        # one click of a mail program: the token is in the address
        self.head.crm_mail_weekly = True
        weekly = self.env["crm.manager.mail"]._get_unsubscribe_token(self.head, "weekly")
        self.url_open(f"{url}?token={weekly}", data={"List-Unsubscribe": "One-Click"})
        self.head.invalidate_recordset()
        self.assertFalse(self.head.crm_mail_weekly)
        for wrong in ("", "x", token[:-4] + "AAAA"):
            self.assertEqual(self.url_open(url, params={"token": wrong}).status_code, 404)
