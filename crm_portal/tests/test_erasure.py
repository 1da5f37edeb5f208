from odoo.exceptions import AccessError
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from .common import PortalCase


@tagged("post_install", "-at_install")
class TestErasure(PortalCase):
    """Personal data go only after somebody of ours has looked, and then from everywhere."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.seller = new_test_user(
            cls.env,
            "portal_seller",
            "sales_team.group_sale_salesman_all_leads,base.group_partner_manager",
        )
        cls.head = new_test_user(
            cls.env, "portal_head", "sales_team.group_sale_manager,base.group_partner_manager"
        )
        cls.north.user_id = cls.seller
        cls.contact = cls.nina.partner_id
        cls.nina.name = "Nina O'Brien-Norton"
        cls.contact.phone = "+49 30 901820"

    def _get_request(self):
        return self.env["crm.portal.change"].search([("kind", "=", "erasure")])

    # ------------------------------------------------------------
    # Odoo's page "Delete Account"
    # ------------------------------------------------------------

    def test_deleted_account_waits_for_review(self):
        login = self.nina.login
        self.login(self.nina)
        response = self.post(
            "/my/deactivate_account",
            {"validation": login, "password": login, "request_blacklist": "on"},
        )
        self.assertIn("/web/login", response.headers["Location"])
        self.assertFalse(self.nina.active)
        self.assertNotEqual(self.nina.login, login)
        self.assertFalse(
            self.env["res.users.deletion"].search([("user_id", "=", self.nina.id)]),
            "nothing is deleted by a job",
        )
        request = self._get_request()
        self.assertRecordValues(
            request,
            [{"state": "new", "partner_id": self.contact.id, "requested_by_id": self.contact.id}],
        )
        self.assertEqual(request.activity_ids.user_id, self.seller)
        self.assertEqual(self.contact.name, "Nina O'Brien-Norton")
        with self.assertRaises(AccessError):
            request.with_user(self.seller).action_approve()
        request.with_user(self.head).action_approve()
        self.assertNotIn("Nina", self.contact.name)

    @mute_logger("odoo.addons.base.models.res_users")
    def test_wrong_password_deletes_nothing(self):
        self.login(self.nina)
        self.post("/my/deactivate_account", {"validation": self.nina.login, "password": "guessed"})
        self.assertTrue(self.nina.active)
        self.assertFalse(self._get_request())

    def test_account_of_a_company(self):
        """The card of a company is no personal data: its door is closed, nothing else."""
        self.nina.partner_id.write({"parent_id": False, "is_company": True})
        self.nina.sudo()._deactivate_portal_user()
        self.assertFalse(self.nina.active)
        self.assertFalse(self._get_request())
        self.assertFalse(self.env["res.users.deletion"].search([("user_id", "=", self.nina.id)]))

    # ------------------------------------------------------------
    # Traces
    # ------------------------------------------------------------

    def test_nothing_is_left_of_the_name(self):
        claim = self._create_claim()
        claim._portal_post_message(self.contact, "Yours, Nina O'Brien-Norton, nina@example.com", [])
        claim.with_user(self.handler).message_post(
            body="Dear Nina O'Brien-Norton, we called +49 30 901820. Ninasson is somebody else.",
            message_type="comment",
            subtype_xmlid="mail.mt_comment",
        )
        claim._send_acknowledgement()
        link = self.env["crm.claim.link"]._issue(claim)
        link._log_event("opened")
        link.event_ids.ip_address = "203.0.113.7"
        interaction = self.env["crm.interaction"].create(
            {
                "kind": "call",
                "subject": "Call with Nina O'Brien-Norton",
                "partner_id": self.contact.id,
                "participant_ids": [
                    (0, 0, {"partner_id": self.contact.id, "name": "Nina O'Brien-Norton",
                            "email": "nina@example.com", "phone": "+49 30 901820"})
                ],
            }
        )  # fmt: skip
        colleague = self._create_claim(self.ned)
        colleague._portal_post_message(self.ned.partner_id, "Ninasson wrote to ned@example.com", [])
        self.env["crm.portal.change"].with_user(self.nina)._portal_request_change(
            "erasure", self.contact.sudo(), {}, "erase"
        )
        self._get_request().with_user(self.head).action_approve()

        new_name = self.contact.name
        messages = self.env["mail.message"].search(
            [("model", "=", "crm.claim"), ("res_id", "=", claim.id)]
        )
        texts = [
            *messages.mapped(lambda message: message.body or ""),
            *messages.mapped(lambda message: message.email_from or ""),
            *messages.mail_ids.mapped(lambda mail: f"{mail.body_html} {mail.email_to}"),
            claim.partner_name,
            claim.email_from or "",
            claim.partner_phone or "",
            interaction.subject,
            *interaction.participant_ids.mapped(lambda one: f"{one.name} {one.email} {one.phone}"),
        ]
        self.assertGreater(len(texts), 8)
        for text in texts:
            for word in ("Brien", "nina@example.com", "901820"):
                self.assertNotIn(word, text)
        said = " ".join(messages.mapped("body"))
        self.assertIn(f"Dear {new_name}, we called", said)
        self.assertIn("Ninasson is somebody else", said)
        self.assertFalse(any(link.event_ids.mapped("ip_address")))
        self.assertTrue(claim.message_ids, "what was said stays")
        message = colleague._portal_get_messages()
        self.assertIn("ned@example.com", message.body)
        self.assertEqual(message.author_id, self.ned.partner_id)
