from datetime import date, timedelta

from odoo.fields import Command
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from .common import PortalCase


@tagged("post_install", "-at_install")
class TestPortalNotices(PortalCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["res.lang"]._activate_lang("ru_RU")
        cls.north.user_id = cls.handler
        cls.contact = cls.nina.partner_id
        cls.contact.phone = "+4930901820"

    def _mails(self, partner=None):
        return self.env["mail.mail"].search(
            [("recipient_ids", "in", (partner or self.contact).ids)], order="id"
        )

    def _sms(self):
        return self.env["sms.sms"].search([("partner_id", "=", self.contact.id)])

    def _choose(self, **ticks):
        self.login(self.nina)
        events = self.env["crm.portal.notice.choice"]._get_events()
        data = {f"mail_{event}": "1" for event in events} | {"offers": "1"} | ticks
        return self.post("/my/notices", {key: value for key, value in data.items() if value})

    def _run_job(self):
        with self.enter_registry_test_mode():
            self.env.ref("crm_portal.ir_cron_portal_notify_delivered").method_direct_trigger()

    def test_page(self):
        self.login(self.nina)
        page = self.url_open("/my/notices").text
        self.assertIn("An order is delivered", page)
        self.assertNotIn("sms_order_delivered", page)
        self.company.portal_sms_notices = True
        self.assertIn("sms_order_delivered", self.url_open("/my/notices").text)

    def test_choice_is_stored(self):
        self.assertEqual(self._choose(mail_survey="", offers="").status_code, 303)
        choice = self.env["crm.portal.notice.choice"].search(
            [("partner_id", "=", self.contact.id), ("event", "=", "survey")]
        )
        self.assertFalse(choice.by_mail)
        self.assertTrue(self.contact.portal_hide_offers)
        self._choose(sms_order_confirmed="1", mail_nonsense="1")
        choices = self.env["crm.portal.notice.choice"].search(
            [("partner_id", "=", self.contact.id)]
        )
        self.assertTrue(all(choices.mapped("by_mail")))
        self.assertFalse(any(choices.mapped("by_sms")), "SMS is off in the company")
        self.assertFalse(self.contact.portal_hide_offers)

    @mute_logger("odoo.http")
    def test_others(self):
        self.login(None)
        self.assertEqual(self.url_open("/my/notices", allow_redirects=False).status_code, 303)
        self.authenticate("portal_handler", "portal_handler")
        self.assertEqual(self.url_open("/my/notices").status_code, 404)
        self.login(self.nina)
        for method, args in (
            ("search_read", [[]]),
            ("create", [{"event": "survey"}]),
            ("write", [[1], {"by_mail": False}]),
        ):
            self.assertIn("error", self.rpc("crm.portal.notice.choice", method, *args))
        self.assertIn("error", self.rpc("crm.portal.notice.choice", "_set_choices", [], []))

    def test_order_confirmed_once(self):
        order = self._create_order(self.contact, {self.drill: 1})
        mail = self._mails()
        self.assertEqual(len(mail), 1)
        self.assertIn(order.name, mail.subject)
        self.assertEqual((mail.model, mail.res_id), ("sale.order", order.id))
        order.action_unlock() if order.locked else None
        order._portal_notify("order_confirmed", "crm_portal.mail_template_order_confirmed")
        self.assertEqual(len(self._mails()), 1)

    def test_only_customers_with_an_account(self):
        stranger = self.env["res.partner"].create({"name": "S", "email": "s@example.com"})
        self._create_order(stranger, {self.drill: 1})
        self.assertFalse(self._mails(stranger))

    def test_choice_is_respected_and_sms(self):
        self.company.portal_sms_notices = True
        self._choose(mail_order_confirmed="", sms_order_confirmed="1")
        self._create_order(self.contact, {self.drill: 1})
        self.assertFalse(self._mails())
        sms = self._sms()
        self.assertEqual(len(sms), 1)
        self.assertIn("is confirmed", sms.body)
        self.company.portal_sms_notices = False
        self._create_order(self.contact, {self.drill: 1})
        self.assertEqual(len(self._sms()), 1)

    def test_order_delivered(self):
        order = self._create_order(self.contact, {self.drill: 2})
        mails = self._mails()
        self._run_job()
        self.assertEqual(self._mails(), mails)
        order.order_line.qty_delivered = 1
        self._run_job()
        self.assertEqual(self._mails(), mails)
        order.order_line.qty_delivered = 2
        self._run_job()
        self._run_job()
        self.assertEqual(len(self._mails() - mails), 1)
        self.assertIn("delivered", (self._mails() - mails).subject)

    def test_language(self):
        self.contact.lang = "ru_RU"
        template = self.env.ref("crm_portal.mail_template_order_confirmed")
        template.with_context(lang="ru_RU").subject = "Заказ {{ object.name }} подтверждён"
        self._create_order(self.contact, {self.drill: 1})
        self.assertIn("подтверждён", self._mails().subject)

    def test_claim_letters_respect_the_choice(self):
        self._choose(mail_claim_received="")
        claim = self._create_claim()
        claim._send_acknowledgement()
        self.assertFalse(self._mails())
        self.assertFalse(claim.is_acknowledgement_sent)
        self._choose()
        claim._send_acknowledgement()
        self.assertEqual(len(self._mails()), 1)
        self.company.portal_sms_notices = True
        self._choose(sms_claim_received="1")
        self._create_claim()._send_acknowledgement()
        self.assertEqual(len(self._sms()), 1)

    def test_claim_without_an_account(self):
        stranger = self.env["res.partner"].create({"name": "S", "email": "s@example.com"})
        claim = self._create_claim(partner_id=stranger.id)
        claim._send_acknowledgement()
        self.assertEqual(len(self._mails(stranger)), 1)

    def test_appointment(self):
        slot = self.handler._portal_get_slots(
            self.env.cr.now() + timedelta(days=2), self.env.cr.now() + timedelta(days=7)
        )[0]
        self.login(self.nina)
        self.post(
            "/my/call",
            {"kind": "call", "slot": slot.strftime("%Y%m%d%H%M"), "topic": "T", "form_key": "k"},
        )
        contact = self.env["crm.interaction"].search(
            [("portal_request_partner_id", "=", self.contact.id)]
        )
        mail = self._mails()
        self.assertEqual(len(mail), 1)
        self.assertEqual((mail.model, mail.res_id), ("res.partner", self.contact.id))
        contact.date_start += timedelta(days=1)
        self.assertEqual(len(self._mails()), 2)
        contact.subject = "Other"
        self.assertEqual(len(self._mails()), 2)
        contact.state = "cancelled"
        self.assertEqual(len(self._mails()), 3)
        self.assertIn("is cancelled", self._mails()[-1].body_html)

    def test_agreement(self):
        approver = new_test_user(
            self.env,
            login="portal_notice_approver",
            groups="sales_team.group_sale_manager,crm_extended.crm_agreements_group_approver",
        )
        agreement = self.env["crm.agreement"].create(
            {
                "partner_id": self.contact.id,
                "date_start": date.today(),
                "date_end": date.today() + timedelta(days=5),
            }
        )
        agreement.action_submit()
        self.assertFalse(self._mails())
        agreement.with_user(approver).action_approve()
        self.assertIn("is in force", self._mails().subject)
        agreement._remind()
        self.assertIn("ends soon", self._mails()[-1].subject)

    def test_change_decided(self):
        self.login(self.nina)
        self.post("/my/company/edit", {"form_key": "k", "name": "North Renamed Ltd"})
        change = self.env["crm.portal.change"].search([])
        self.assertFalse(self._mails())
        change.answer = "No papers, no change."
        change.action_reject()
        self.assertIn("No papers", self._mails().body_html)

    def test_meeting_is_left_to_the_calendar(self):
        contact = (
            self.env["crm.interaction"]
            .sudo()
            .create(
                {
                    "subject": "M",
                    "kind": "meeting",
                    "state": "planned",
                    "partner_id": self.contact.id,
                    "portal_request_partner_id": self.contact.id,
                    "participant_ids": [Command.clear()],
                }
            )
        )
        contact.date_start += timedelta(days=1)
        self.assertFalse(self._mails())
