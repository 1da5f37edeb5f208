from odoo import http
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import PortalCase, make_picture

READABLE = ["name", "subject", "description", "state", "remedy", "partner_id", "date_promised"]
FORBIDDEN = [
    "cause_id",
    "department_id",
    "fault_ids",
    "user_id",
    "team_id",
    "stage_id",
    "severity",
    "category_id",
    "confidential",
    "decision",
    "decision_text",
    "amount_granted",
    "recourse",
    "investigation_ids",
    "credit_note_ids",
    "message_ids",
    "message_follower_ids",
    "activity_ids",
    "rating_ids",
    "access_token",
    "portal_form_key",
    "create_uid",
    "write_uid",
]


@tagged("post_install", "-at_install")
class TestPageAttacks(PortalCase):
    """Every page and form, asked for by everybody who has no business there."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.claim = cls._create_decided_claim(subject="Burnt Orchard Affair")
        cls.other_claim = cls._create_decided_claim(cls.boris, subject="Of Balt")
        cls.token = cls.claim._portal_ensure_token()
        cls.other_token = cls.other_claim._portal_ensure_token()

    def test_page_matrix(self):
        url = f"/my/claims/{self.claim.id}"
        for who, user, token, status in (
            ("customer", self.nina, None, 200),
            ("colleague", self.ned, None, 200),
            ("public", None, None, 303),
            ("other customer", self.boris, None, 404),
            ("customer of another company", self.carla, None, 404),
            ("public with the token", None, self.token, 200),
            ("public with a wrong token", None, "wrong", 303),
            ("public with an empty token", None, "", 303),
            ("public with a token of another claim", None, self.other_token, 303),
            ("public with a token out of ASCII", None, "ключ", 303),
            ("other customer with a wrong token", self.boris, "wrong", 404),
            ("other customer with the token of his own claim", self.boris, self.other_token, 404),
            ("other customer with the right token", self.boris, self.token, 200),
        ):
            with self.subTest(who), mute_logger("odoo.http"):
                self.login(user)
                query = "" if token is None else f"?access_token={token}"
                response = self.url_open(url + query, allow_redirects=False)
                self.assertEqual(response.status_code, status)
                self.assertEqual("Burnt Orchard Affair" in response.text, status == 200)
                if status == 303:
                    self.assertIn("/web/login", response.headers["Location"])

    def test_missing_looks_like_forbidden(self):
        """Numbers cannot be tried out."""
        self.login(self.boris)
        with mute_logger("odoo.http"):
            forbidden = self.url_open(f"/my/claims/{self.claim.id}")
            for claim_id in (self.claim.id + 10_000, 0, 2**31, 2**63, 10**30):
                missing = self.url_open(f"/my/claims/{claim_id}")
                self.assertEqual(missing.status_code, forbidden.status_code)

    def test_answer_matrix(self):
        data = {"reason": "attack", "rate": "1", "body": "attack"}
        for who, user, token, status in (
            ("public", None, None, 404),
            ("other customer", self.boris, None, 404),
            ("customer of another company", self.carla, None, 404),
            ("public with a wrong token", None, "wrong", 404),
            ("public with a token of another claim", None, self.other_token, 404),
            ("public with a token out of ASCII", None, "ключ", 404),
            ("other customer with the right token", self.boris, self.token, 404),
        ):
            self.login(user)
            for action in ("accept", "reject", "withdraw", "rate", "message"):
                with self.subTest(who, action=action), mute_logger("odoo.http"):
                    values = data | ({"access_token": token} if token else {})
                    response = self.post(f"/my/claims/{self.claim.id}/{action}", values)
                    self.assertEqual(response.status_code, status)
        self.assertRecordValues(self.claim, [{"state": "decided", "customer_answer": False}])
        self.assertFalse(self.claim._portal_get_messages())
        self.assertFalse(self.claim.rating_ids.filtered("consumed"))

    def test_answers_need_csrf(self):
        self.login(self.nina)
        with mute_logger("odoo.http"):
            for action in ("accept", "reject", "withdraw", "rate", "message"):
                response = self.url_open(
                    f"/my/claims/{self.claim.id}/{action}", data={"reason": "x", "body": "x"}
                )
                self.assertEqual(response.status_code, 400, action)
        self.assertFalse(self.claim.customer_answer)

    def test_pages_for_members_only(self):
        self.login(None)
        for url in (
            "/my/claims",
            "/my/claims/page/2",
            "/my/claims/new",
            "/my/claims/new/lines?order_id=1",
            "/my/agreements",
            "/my/agreements/1",
        ):
            response = self.url_open(url, allow_redirects=False)
            self.assertEqual(response.status_code, 303, url)
            self.assertIn("/web/login", response.headers["Location"])

    def test_fuzzed_parameters(self):
        """Nonsense may be refused or ignored, but is never an error of the server."""
        values = (
            "",
            "0",
            "-1",
            "abc",
            "%00",
            "'; DROP TABLE crm_claim; --",
            "1" * 400,
            "[]",
            "None",
            "ключ",
            "../../etc/passwd",
            "{{7*7}}",
            "\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16"),
        )
        self.login(self.nina)
        with mute_logger("odoo.http"):
            for value in values:
                for url in (
                    "/my/claims",
                    "/my/claims/new",
                    "/my/claims/new/lines",
                    f"/my/claims/{self.claim.id}",
                    "/my/agreements",
                ):
                    query = "&".join(
                        f"{key}={value}"
                        for key in (
                            "page",
                            "sortby",
                            "filterby",
                            "groupby",
                            "search",
                            "search_in",
                            "order_id",
                            "access_token",
                            "notice",
                            "error",
                        )
                    )
                    response = self.url_open(f"{url}?{query}", allow_redirects=False)
                    self.assertLess(response.status_code, 500, f"{url}?{query}")
                for url in (
                    "/my/claims/new",
                    f"/my/claims/{self.other_claim.id}/accept",
                    f"/my/claims/{self.claim.id}/rate",
                ):
                    response = self.post(
                        url,
                        {
                            key: value
                            for key in (
                                "subject",
                                "description",
                                "remedy",
                                "order_id",
                                "form_key",
                                "rate",
                                "reason",
                                "access_token",
                                "line_x",
                                "quantity_x",
                            )
                        },
                    )
                    self.assertLess(response.status_code, 500, url)

    def test_no_open_redirect(self):
        self.login(None)
        response = self.url_open(
            f"/my/claims/{self.claim.id}?redirect=https://evil.example", allow_redirects=False
        )
        self.assertTrue(
            response.headers["Location"].startswith((self.base_url() + "/web/login", "/web/login"))
        )

    def test_confidential_claim(self):
        self.claim.confidential = True
        with mute_logger("odoo.http"):
            for user, status in ((self.nina, 200), (self.ned, 404), (self.boris, 404)):
                self.login(user)
                response = self.url_open(f"/my/claims/{self.claim.id}")
                self.assertEqual(response.status_code, status, user.name)

    def test_former_colleague(self):
        self.ned.partner_id.parent_id = self.balt
        self.login(self.ned)
        with mute_logger("odoo.http"):
            self.assertEqual(self.url_open(f"/my/claims/{self.claim.id}").status_code, 404)


@tagged("post_install", "-at_install")
class TestRpcAttacks(PortalCase):
    """Remote calls of signed-in customers, past the pages."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.claim = cls._create_claim(cause_id=cls.cause.id, user_id=cls.handler.id)
        cls.other_claim = cls._create_claim(cls.boris, subject="Of Balt")

    def setUp(self):
        super().setUp()
        self.login(self.nina)

    def assertRefused(self, answer, error="AccessError"):
        self.assertIn("error", answer, answer)
        self.assertIn(error, answer["error"]["data"]["name"])

    @mute_logger("odoo.http", "odoo.addons.base.models.ir_rule")
    def test_own_claims_only(self):
        claims = self.call("crm.claim", "search_read", [], READABLE)
        self.assertEqual([claim["id"] for claim in claims], [self.claim.id])
        self.assertRefused(self.rpc("crm.claim", "read", [self.other_claim.id], ["name"]))
        self.assertEqual(self.call("crm.claim", "search_count", []), 1)

    @mute_logger("odoo.http")
    def test_forbidden_fields(self):
        for field in FORBIDDEN:
            with self.subTest(field):
                self.assertRefused(self.rpc("crm.claim", "read", [self.claim.id], [field]))
                self.assertRefused(self.rpc("crm.claim", "search", [[field, "in", [1]]]))
                self.assertRefused(
                    self.rpc("crm.claim", "search_read", [["id", "=", self.claim.id]], [field])
                )
        for field in ("cause_id", "department_id", "user_id", "severity", "decision"):
            with self.subTest(field):
                self.assertRefused(
                    self.rpc("crm.claim", "formatted_read_group", [], [field], ["__count"])
                )
                self.assertRefused(self.rpc("crm.claim", "search", [], order=f"{field} desc"))
        self.assertRefused(
            self.rpc("crm.claim", "formatted_read_group", [], [], ["amount_granted:sum"])
        )

    @mute_logger("odoo.http")
    def test_forbidden_fields_by_detours(self):
        for method, args in (
            ("export_data", [[self.claim.id], ["cause_id/name", "user_id/login"]]),
            ("search", [[["cause_id.name", "like", "Secret"]]]),
            ("search", [[["line_ids.claim_id.user_id", "!=", False]]]),
            (
                "web_read",
                [[self.claim.id], {"cause_id": {"fields": {"name": {}}}}],
            ),
            (
                "web_search_read",
                [[], {"subject": {}, "fault_ids": {"fields": {"reason": {}}}}],
            ),
        ):
            with self.subTest(method=method, args=args):
                self.assertRefused(self.rpc("crm.claim", method, *args), "")
        described = self.call("crm.claim", "fields_get")
        self.assertFalse(set(described) & set(FORBIDDEN))
        everything = self.call("crm.claim", "read", [self.claim.id])
        self.assertFalse(set(everything[0]) & set(FORBIDDEN))

    @mute_logger("odoo.http")
    def test_no_writing(self):
        followers = self.claim.message_partner_ids
        for method, args in (
            ("write", [[self.claim.id], {"subject": "Changed"}]),
            ("write", [[self.claim.id], {"state": "closed"}]),
            ("create", [{"subject": "x", "partner_id": self.nina.partner_id.id}]),
            ("unlink", [[self.claim.id]]),
            ("copy", [[self.claim.id]]),
            ("web_save", [[self.claim.id], {"subject": "x"}, {}]),
            ("load", [["subject"], [["x"]]]),
            ("message_subscribe", [[self.claim.id], [self.boris.partner_id.id]]),
            ("activity_schedule", [[self.claim.id]]),
        ):
            with self.subTest(method):
                answer = self.rpc("crm.claim", method, *args)
                # nobody is subscribed without an error: posting in the portal calls that, too
                refused = "error" in answer or (
                    answer["result"] is False
                    if method == "message_subscribe"
                    else method == "load" and not answer["result"].get("ids")
                )
                self.assertTrue(refused, answer)
        self.assertEqual(self.claim.message_partner_ids, followers)
        self.assertEqual(self.claim.subject, "Drill does not drill")
        self.assertEqual(self.claim.state, "new")

    @mute_logger("odoo.http")
    def test_private_methods_are_not_callable(self):
        for method in (
            "_customer_accept",
            "_portal_file_claim",
            "_portal_rate",
            "_portal_post_message",
            "_send_acknowledgement",
        ):
            with self.subTest(method):
                self.assertIn("error", self.rpc("crm.claim", method, [self.claim.id]))

    @mute_logger("odoo.http")
    def test_forged_context(self):
        answer = self.rpc(
            "crm.claim",
            "search_read",
            [],
            ["name"],
            context={
                "allowed_company_ids": [self.other_company.id],
                "active_test": False,
                "su": True,
                "uid": 1,
            },
        )
        self.assertFalse(
            "result" in answer
            and self.other_claim.id in [claim["id"] for claim in answer["result"]]
        )

    @mute_logger("odoo.http")
    def test_related_models(self):
        for model in (
            "crm.claim.stage",
            "crm.claim.team",
            "crm.claim.cause",
            "crm.claim.category",
            "crm.claim.fault",
            "crm.claim.investigation",
            "crm.agreement.discount",
            "crm.agreement.deviation",
            "rating.rating",
            "ir.attachment",
        ):
            with self.subTest(model):
                answer = self.rpc(model, "search_read", [], ["id"])
                self.assertTrue("error" in answer or not answer["result"], answer)

    @mute_logger("odoo.http")
    def test_lines_of_others(self):
        mine, theirs = self.env["crm.claim.line"].create(
            [
                {"claim_id": self.claim.id, "product_id": self.drill.id},
                {"claim_id": self.other_claim.id, "product_id": self.drill.id},
            ]
        )
        lines = self.call("crm.claim.line", "search_read", [], ["quantity"])
        self.assertEqual([line["id"] for line in lines], [mine.id])
        self.assertRefused(self.rpc("crm.claim.line", "read", [theirs.id], ["quantity"]))
        self.assertRefused(self.rpc("crm.claim.line", "read", [mine.id], ["quantity_granted"]))
        self.assertRefused(self.rpc("crm.claim.line", "write", [mine.id], {"quantity": 1}))

    @mute_logger("odoo.http")
    def test_messages_of_others(self):
        secret = self.other_claim.message_post(
            body="For Balt only",
            message_type="comment",
            subtype_xmlid="mail.mt_comment",
            attachments=[("balt.png", make_picture())],
        )
        note = self.claim.message_post(
            body="Nina is a difficult one",
            message_type="comment",
            subtype_xmlid="mail.mt_note",
            attachments=[("note.png", make_picture())],
        )
        entry = self.claim.message_post(body="Guilty and difficult: the warehouse")
        entry |= self.claim._message_log(body="Logged as difficult")
        hidden = secret | note | entry
        for message in hidden:
            with self.subTest(message.body):
                self.assertRefused(self.rpc("mail.message", "read", [message.id], ["body"]))
        found = self.rpc("mail.message", "search", [["id", "in", hidden.ids]])
        self.assertEqual(found["result"], [])
        fetched = self.jsonrpc(
            "/mail/chatter_fetch", thread_model="crm.claim", thread_id=self.claim.id
        )
        self.assertEqual(fetched["result"]["messages"], [])
        for thread_id in (self.other_claim.id, self.claim.id):
            for url in ("/mail/chatter_fetch", "/mail/thread/messages"):
                text = str(self.jsonrpc(url, thread_model="crm.claim", thread_id=thread_id))
                self.assertNotIn("For Balt only", text)
                self.assertNotIn("difficult", text)
        posted = self.jsonrpc(
            "/mail/message/post",
            thread_model="crm.claim",
            thread_id=self.other_claim.id,
            post_data={"body": "attack", "message_type": "comment"},
        )
        self.assertIn("error", posted)
        self.assertNotIn("attack", str(self.other_claim.message_ids.mapped("body")))
        for attachment in (secret | note).attachment_ids:
            for url in ("/web/content", "/web/image"):
                response = self.url_open(f"{url}/{attachment.id}?access_token=wrong")
                self.assertNotEqual(response.content, attachment.raw, url)
                response = self.url_open(f"{url}/{attachment.id}")
                self.assertNotEqual(response.content, attachment.raw, url)

    @mute_logger("odoo.http")
    def test_uploads_in_the_discussion(self):
        def upload(claim, name, content):
            return self.url_open(
                "/mail/attachment/upload",
                data={
                    "csrf_token": http.Request.csrf_token(self),
                    "thread_model": "crm.claim",
                    "thread_id": claim.id,
                    "is_pending": "true",
                },
                files={"ufile": (name, content, "image/png")},
            )

        accepted = upload(self.claim, "photo.png", make_picture())
        self.assertIn("data", accepted.json())
        for content in (b"<svg onload='alert(1)'/>", b"<html><script>1</script></html>"):
            self.assertIn(
                "cannot be accepted", upload(self.claim, "p.png", content).json()["error"]
            )
        self.assertEqual(upload(self.other_claim, "p.png", make_picture()).status_code, 404)

    @mute_logger("odoo.http")
    def test_agreement_fields(self):
        for field in (
            "enforcement",
            "discount_line_ids",
            "note",
            "user_id",
            "approved_by_id",
            "deviation_ids",
            "parent_id",
            "access_token",
            "message_ids",
        ):
            with self.subTest(field):
                self.assertRefused(self.rpc("crm.agreement", "search", [[field, "in", [1]]]))
                self.assertRefused(self.rpc("crm.agreement", "search_read", [], [field]))
