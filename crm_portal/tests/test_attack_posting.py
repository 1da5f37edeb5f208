import base64
from datetime import timedelta

from odoo import fields
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import PortalCase, make_picture

SVG = b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"


@tagged("post_install", "-at_install")
class TestPostingAttacks(PortalCase):
    """Messages by remote calls and by Odoo's own discussion routes, past our pages."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.portal_claim_scope = "own"
        cls.claim = cls._create_claim(subject="Burnt Orchard Affair")
        cls.other_claim = cls._create_claim(cls.boris, subject="Of Balt")
        cls.answer = cls.claim.with_user(cls.handler).message_post(
            body="We pay nothing.", message_type="comment", subtype_xmlid="mail.mt_comment"
        )

    def setUp(self):
        super().setUp()
        self.login(self.nina)

    def send(self, claim=None, **post_data):
        post_data = {
            "body": "attack",
            "message_type": "comment",
            "subtype_xmlid": "mail.mt_comment",
            **post_data,
        }
        return self.jsonrpc(
            "/mail/message/post",
            thread_model="crm.claim",
            thread_id=(claim or self.claim).id,
            post_data=post_data,
        )

    # ------------------------------------------------------------
    # Whose words
    # ------------------------------------------------------------

    @mute_logger("odoo.http")
    def test_nobody_speaks_for_us(self):
        answer = self.rpc(
            "crm.claim",
            "message_post",
            [self.claim.id],
            body="We pay a million.",
            author_id=self.handler.partner_id.id,
            email_from=self.handler.email,
            message_type="email",
            subtype_xmlid="mail.mt_note",
            partner_ids=[self.boris.partner_id.id],
            is_internal=True,
        )
        self.assertIn("result", answer, answer)
        message = self.claim.message_ids[0]
        self.assertRecordValues(
            message,
            [
                {
                    "author_id": self.nina.partner_id.id,
                    "message_type": "comment",
                    "subtype_id": self.env.ref("mail.mt_comment").id,
                    "is_internal": False,
                }
            ],
        )
        self.assertFalse(message.partner_ids)

    @mute_logger("odoo.http", "odoo.addons.base.models.ir_rule")
    def test_messages_are_not_made_or_changed_directly(self):
        own = self.claim._portal_post_message(self.nina.partner_id, "My words", [])
        count = len(self.claim.message_ids)
        for method, args in (
            (
                "create",
                [
                    {
                        "model": "crm.claim",
                        "res_id": self.claim.id,
                        "body": "We pay a million.",
                        "author_id": self.handler.partner_id.id,
                        "message_type": "comment",
                        "subtype_id": self.env.ref("mail.mt_comment").id,
                    }
                ],
            ),
            ("write", [own.ids, {"body": "Other words"}]),
            ("write", [own.ids, {"author_id": self.handler.partner_id.id}]),
            ("write", [self.answer.ids, {"body": "We pay a million."}]),
            ("unlink", [own.ids]),
            ("unlink", [self.answer.ids]),
            ("copy", [own.ids]),
        ):
            with self.subTest(method, args=args):
                self.assertIn("error", self.rpc("mail.message", method, *args))
        for message in own | self.answer:
            with self.subTest(message.body):
                changed = self.jsonrpc(
                    "/mail/message/update_content",
                    message_id=message.id,
                    update_data={"body": "Other words", "attachment_ids": []},
                )
                self.assertIn("error", changed)
        self.env.invalidate_all()
        self.assertEqual(len(self.claim.message_ids), count)
        self.assertIn("My words", own.body)
        self.assertIn("We pay nothing.", self.answer.body)

    @mute_logger("odoo.http", "odoo.addons.base.models.ir_rule")
    def test_claims_of_others(self):
        count = len(self.other_claim.message_ids)
        self.assertIn("error", self.send(self.other_claim))
        self.assertIn(
            "error", self.rpc("crm.claim", "message_post", [self.other_claim.id], body="attack")
        )
        for url, params in (
            ("/mail/thread/messages", {}),
            ("/mail/chatter_fetch", {}),
            ("/portal/chatter_init", {}),
            ("/mail/thread/data", {"request_list": ["followers", "attachments"]}),
            ("/mail/thread/subscribe", {"partner_ids": [self.nina.partner_id.id]}),
            ("/mail/data", {"fetch_params": [["mail.thread", {
                "thread_model": "crm.claim", "thread_id": self.other_claim.id,
                "request_list": ["followers", "attachments"]}]]}),
        ):  # fmt: skip
            with self.subTest(url):
                key = "res" if url.endswith("subscribe") else "thread"
                params |= {f"{key}_model": "crm.claim", f"{key}_id": self.other_claim.id}
                answer = self.url_open(url, json={"jsonrpc": "2.0", "params": params})
                self.assertNotIn("Of Balt", answer.text)
        self.assertEqual(len(self.other_claim.message_ids), count)
        self.assertNotIn(self.nina.partner_id, self.other_claim.message_partner_ids)

    @mute_logger("odoo.http")
    def test_tokens_open_no_discussion(self):
        """Neither links nor what Odoo would take for a token or a signature."""
        link = self.env["crm.claim.link"]._issue(self.claim)
        self.login(None)
        signature = self.claim._sign_token(self.nina.partner_id.id)
        for access in (
            {"token": link._get_token()},
            {"token": self.claim.access_token},
            {"token": "ключ"},
            {"hash": signature, "pid": self.nina.partner_id.id},
            {"hash": signature, "pid": "x"},
        ):
            for url, params in (
                ("/mail/chatter_fetch", {}),
                ("/mail/thread/messages", {}),
                ("/portal/chatter_init", {}),
                ("/mail/message/post", {"post_data": {"body": "attack"}}),
                ("/mail/message/reaction", {
                    "message_id": self.answer.id, "content": "+", "action": "add"}),
                ("/mail/message/update_content", {
                    "message_id": self.answer.id, "update_data": {"body": "attack"}}),
            ):  # fmt: skip
                with self.subTest(url, access=access):
                    answer = self.jsonrpc(
                        url, thread_model="crm.claim", thread_id=self.claim.id, **params, **access
                    )
                    self.assertNotIn("We pay nothing", str(answer))
                    self.assertNotIn("Burnt Orchard", str(answer))
        self.assertNotIn("attack", str(self.claim.message_ids.mapped("body")))

    @mute_logger("odoo.http")
    def test_odoo_link_to_the_document(self):
        self.login(None)
        for token in (self.claim.access_token, "x", "ключ"):
            response = self.url_open(
                f"/mail/view?model=crm.claim&res_id={self.claim.id}&access_token={token}"
            )
            self.assertEqual(response.status_code, 200)
            self.assertIn("/web/login", response.url)
            self.assertNotIn("Burnt Orchard Affair", response.text)
        self.login(self.nina)
        response = self.url_open(f"/mail/view?model=crm.claim&res_id={self.claim.id}")
        self.assertURLEqual(response.url, f"/my/claims/{self.claim.id}")

    # ------------------------------------------------------------
    # Files
    # ------------------------------------------------------------

    @mute_logger("odoo.http")
    def test_files_by_a_remote_call(self):
        def post(*files):
            return self.rpc(
                "crm.claim",
                "message_post",
                [self.claim.id],
                body="see",
                attachments=[[name, base64.b64encode(content).decode()] for name, content in files],
            )

        self.assertIn("cannot be accepted", str(post(("photo.png", SVG))))
        self.assertIn("cannot be accepted", str(post(("x.exe", b"MZ\x90\x00\x03"))))
        self.company.portal_claim_max_files = 1
        two = [("a.png", make_picture()), ("b.png", make_picture())]
        self.assertIn("no more than 1", str(post(*two)))
        self.assertFalse(self.claim._portal_get_messages().attachment_ids)

    @mute_logger("odoo.http")
    def test_files_uploaded_for_something_else(self):
        """What was uploaded for a document that looks at no file is not attached to a claim."""
        attachment = self.env["ir.attachment"].create(
            {
                "name": "photo.png",
                "raw": SVG,
                "res_model": "mail.compose.message",
                "res_id": 0,
            }
        )
        answer = self.send(
            attachment_ids=[attachment.id], attachment_tokens=[attachment._get_ownership_token()]
        )
        self.assertIn("cannot be accepted", str(answer))
        self.assertFalse(self.claim._portal_get_messages().attachment_ids)

    @mute_logger("odoo.http")
    def test_files_of_others(self):
        attachment = self.env["ir.attachment"].create(
            {
                "name": "balt.png",
                "raw": make_picture(),
                "res_model": "crm.claim",
                "res_id": self.other_claim.id,
            }
        )
        self.assertIn("error", self.send(attachment_ids=[attachment.id]))
        self.rpc(
            "crm.claim",
            "message_post",
            [self.claim.id],
            body="mine now",
            attachment_ids=[attachment.id],
        )
        self.assertEqual(attachment.res_id, self.other_claim.id)
        self.assertNotIn(attachment, self.claim._portal_get_messages().attachment_ids)
        response = self.url_open(f"/my/claims/{self.claim.id}/files/{attachment.id}")
        self.assertEqual(response.status_code, 404)

    @mute_logger("odoo.http")
    def test_what_staff_attached_internally(self):
        note = self.claim.with_user(self.handler).message_post(
            body="internal",
            subtype_xmlid="mail.mt_note",
            attachments=[("secret.png", make_picture())],
        )
        response = self.url_open(f"/my/claims/{self.claim.id}/files/{note.attachment_ids.id}")
        self.assertEqual(response.status_code, 404)

    def test_nothing_runs_in_the_browser(self):
        """Staff may send what they like: the customer's browser stores it and shows no page."""
        sent = self.claim.with_user(self.handler).message_post(
            body="look",
            message_type="comment",
            subtype_xmlid="mail.mt_comment",
            attachments=[("a.html", b"<html><script>1</script></html>"), ("b.svg", SVG)],
        )
        for attachment in sent.attachment_ids:
            for query in ("", "?thumb=1"):
                response = self.url_open(f"/my/claims/{self.claim.id}/files/{attachment.id}{query}")
                self.assertEqual(response.status_code, 200)
                self.assertTrue(response.headers["Content-Disposition"].startswith("attachment"))
                self.assertEqual(response.headers["X-Content-Type-Options"], "nosniff")

    # ------------------------------------------------------------
    # How often
    # ------------------------------------------------------------

    @mute_logger("odoo.http")
    def test_messages_per_hour_on_every_road(self):
        self.company.portal_messages_per_hour = 3
        for __ in range(3):
            self.assertEqual(
                self.post(f"/my/claims/{self.claim.id}/message", {"body": "x"}).status_code, 303
            )
        response = self.post(f"/my/claims/{self.claim.id}/message", {"body": "my long text"})
        self.assertEqual(response.status_code, 422)
        self.assertIn("written 3 times within the last hour", response.text)
        self.assertIn("my long text", response.text)
        self.assertIn("last hour", str(self.send()))
        self.assertIn(
            "last hour", str(self.rpc("crm.claim", "message_post", [self.claim.id], body="x"))
        )
        self.assertEqual(len(self.claim._portal_get_messages()), 4)
        self.claim.message_ids.date = fields.Datetime.now() - timedelta(hours=2)
        self.env.flush_all()
        self.assertIn("result", self.send())

    def test_mails_are_not_refused(self):
        """A mail that is refused is lost: its files are kept, whatever they are."""
        message = (
            self.claim.with_user(self.nina)
            .sudo()
            .message_post(
                body="see",
                message_type="email",
                subtype_xmlid="mail.mt_comment",
                attachments=[("page.html", b"<html>signature</html>")],
            )
        )
        self.assertEqual(message.attachment_ids.name, "page.html")


@tagged("post_install", "-at_install")
class TestJson2Attacks(PortalCase):
    """The same customer with a key for Odoo's JSON-2 interface, which he should not have."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.portal_claim_scope = "own"
        cls.claim = cls._create_claim(cause_id=cls.cause.id)
        cls.colleagues_claim = cls._create_claim(cls.ned)
        cls.other_claim = cls._create_claim(cls.boris)
        cls.key = (
            cls.env["res.users.apikeys"]
            .with_user(cls.nina)
            .sudo()
            ._generate("rpc", "test", fields.Datetime.now() + timedelta(days=1))
        )

    def json2(self, model, method, **params):
        return self.url_open(
            f"/json/2/{model}/{method}",
            json=params,
            headers={"Authorization": f"bearer {self.key}"},
        )

    @mute_logger("odoo.http", "odoo.addons.base.models.ir_rule")
    def test_matrix(self):
        found = self.json2("crm.claim", "search_read", domain=[], fields=["name"])
        self.assertEqual([row["id"] for row in found.json()], [self.claim.id])
        for method, params in (
            ("read", {"ids": [self.claim.id], "fields": ["cause_id"]}),
            ("read", {"ids": [self.other_claim.id], "fields": ["name"]}),
            ("read", {"ids": [self.colleagues_claim.id], "fields": ["name"]}),
            ("search", {"domain": [["cause_id.name", "like", "Secret"]]}),
            ("search", {"domain": [], "order": "severity"}),
            ("formatted_read_group", {"domain": [], "groupby": ["cause_id"]}),
            ("formatted_read_group", {"domain": [], "aggregates": ["amount_granted:sum"]}),
            ("write", {"ids": [self.claim.id], "vals": {"subject": "x"}}),
            ("create", {"vals_list": [{"subject": "x"}]}),
            ("unlink", {"ids": [self.claim.id]}),
            ("get_portal_url", {"ids": [self.claim.id]}),
            ("action_send_portal_link", {"ids": [self.claim.id]}),
            ("_customer_accept", {"ids": [self.claim.id], "partner": 1}),
            ("_portal_get_messages", {"ids": [self.claim.id]}),
            ("action_record_answer", {"ids": [self.claim.id], "answer": "accepted", "reason": "x"}),
            ("action_merge", {"ids": [self.claim.id], "other_ids": [self.other_claim.id]}),
        ):
            with self.subTest(method, params=params):
                response = self.json2("crm.claim", method, **params)
                self.assertGreaterEqual(response.status_code, 400)
                self.assertNotIn("Secret", response.text.replace('Secret"', ""))
        for model in ("crm.claim.link", "crm.claim.link.event", "crm.claim.link.send"):
            with self.subTest(model):
                response = self.json2(model, "search_read", domain=[], fields=["id"])
                self.assertEqual(response.status_code, 403)
        self.assertEqual(self.claim.subject, "Drill does not drill")
