import re
from datetime import timedelta

from odoo import fields
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import PortalCase

SECRETS = ("Burnt Orchard Affair", "It burned down.", "You get an orchard.", "Nina's own words")
NONSENSE = (
    "",
    "0",
    "-1",
    "abc",
    "\x00",
    "'; DROP TABLE crm_claim; --",
    "1" * 400,
    "[]",
    "None",
    "ключ",
    "../../etc/passwd",
    "{{7*7}}",
    "<script>alert(1)</script>",
    "=1+1",
    "\U0001f600",
    "2026-13-45",
    "https://evil.example",
)
#: every name that a form or an address of ours has; a route takes what it knows
PARAMETERS = (
    "page", "sortby", "filterby", "groupby", "search", "search_in", "order_id", "access_token",
    "notice", "error", "subject", "description", "remedy", "form_key", "rate", "reason", "body",
    "feedback", "follower_id", "quantity_1", "quantity_x", "redirect", "thumb", "date", "time",
    "partner_id", "name", "email", "phone", "vat", "note", "product_id", "kind", "token", "lang",
)  # fmt: skip
RECORD_ARGUMENT = re.compile(r"<(?:\w+(?:\([^)]*\))?:)?(\w+)>")


@tagged("post_install", "-at_install")
class TestRouteAttacks(PortalCase):
    """Every route of this add-on, those of colleagues to come included, asked for by everybody.

    The routes are taken from the server's own map, so that none is forgotten.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.portal_claim_scope = "own"
        cls.claim = cls._create_decided_claim(
            subject="Burnt Orchard Affair",
            description="<p>It burned down.</p>",
            decision_text="<p>You get an orchard.</p>",
        )
        cls.claim._portal_post_message(cls.nina.partner_id, "Nina's own words", [])
        cls.other_claim = cls._create_decided_claim(cls.boris, subject="Of Balt")
        links = cls.env["crm.claim.link"]
        cls.other_token = links._issue(cls.other_claim)._get_token()
        revoked, expired = links._issue(cls.claim, days=1), links._issue(cls.claim, days=2)
        revoked.date_revoked = fields.Datetime.now()
        cls.revoked_token = revoked._get_token()
        expired.date_expire = fields.Datetime.now() - timedelta(hours=1)
        cls.expired_token = expired._get_token()
        cls.claims = cls.claim | cls.other_claim

    def get_routes(self):
        """``(rule, method, type)`` of each of our routes."""
        http = self.env["ir.http"]
        routes = set()
        for rule, endpoint in http._generate_routing_rules(
            sorted(self.env.registry._init_modules), http._get_converters()
        ):
            function = getattr(endpoint, "original_endpoint", None) or endpoint.func
            if function.__module__.startswith("odoo.addons.crm_portal."):
                routing = endpoint.routing
                for method in routing["methods"] or ["GET", "POST"]:
                    routes.add((rule, method, routing["type"]))
        return sorted(routes)

    def ask(self, rule, method, kind, argument, data):
        url = RECORD_ARGUMENT.sub(str(argument), rule)
        if kind == "jsonrpc":
            return self.url_open(url, json={"jsonrpc": "2.0", "method": "call", "params": data})
        if method == "POST":
            return self.post(url, data)
        return self.url_open(url, params=data, allow_redirects=False)

    def get_state(self):
        self.env.invalidate_all()
        return (
            self.claims.mapped("state"),
            self.claims.mapped("customer_answer"),
            self.claims.mapped("write_date"),
            len(self.claims.message_ids),
            len(self.claims.portal_follower_ids),
            len(self.claims.rating_ids.filtered("consumed")),
        )

    def test_the_map_knows_our_routes(self):
        rules = {rule for rule, __, __ in self.get_routes()}
        for rule in ("/my/claims", "/my/claims/<int:claim_id>", "/my/claims/<int:claim_id>/reopen"):
            self.assertIn(rule, rules)

    @mute_logger("odoo.http", "odoo.addons.base.models.ir_rule")
    def test_who_has_no_business_there(self):
        before = self.get_state()
        for who, user, token in (
            ("public", None, None),
            ("public with a wrong token", None, "wrong"),
            ("public with the token of another claim", None, self.other_token),
            ("public with a revoked token", None, self.revoked_token),
            ("public with an expired token", None, self.expired_token),
            ("other customer", self.boris, None),
            ("other customer with the token of his own claim", self.boris, self.other_token),
            ("customer of another company of ours", self.carla, None),
            ("colleague, where each sees his own", self.ned, None),
            ("colleague with an expired token", self.ned, self.expired_token),
        ):
            self.login(user)
            data = {
                "reason": "attack", "rate": "1", "body": "attack", "subject": "attack",
                "follower_id": str(self.ned.partner_id.id),
            }  # fmt: skip
            if token:
                data["access_token"] = token
            for rule, method, kind in self.get_routes():
                if not RECORD_ARGUMENT.search(rule) or "page" in rule:
                    continue
                with self.subTest(who, rule=rule, method=method):
                    # the token of another claim opens that one, which is not this one's number
                    response = self.ask(rule, method, kind, self.claim.id, data)
                    self.assertLess(response.status_code, 500)
                    for secret in SECRETS:
                        self.assertNotIn(secret, response.text)
        self.assertEqual(self.get_state(), before)

    @mute_logger("odoo.http", "odoo.addons.base.models.ir_rule")
    def test_lists_show_nothing_of_others(self):
        for user in (self.ned, self.boris, self.carla):
            self.login(user)
            for rule, method, kind in self.get_routes():
                if method != "GET" or (RECORD_ARGUMENT.search(rule) and "page" not in rule):
                    continue
                for data in (
                    {},
                    {"search": "Orchard", "search_in": "content"},
                    {"groupby": "partner", "sortby": "state", "filterby": "all"},
                ):
                    with self.subTest(user.login, rule=rule, data=data):
                        response = self.ask(rule, method, kind, 1, data)
                        self.assertLess(response.status_code, 500)
                        for secret in SECRETS:
                            self.assertNotIn(secret, response.text)

    @mute_logger("odoo.http", "odoo.addons.base.models.ir_rule")
    def test_nonsense_is_no_error_of_the_server(self):
        self.company.portal_messages_per_hour = 10_000
        self.login(self.nina)
        for rule, method, kind in self.get_routes():
            for value in NONSENSE:
                with self.subTest(rule, method=method, value=value[:30]):
                    data = dict.fromkeys(PARAMETERS, value)
                    response = self.ask(rule, method, kind, self.claim.id, data)
                    self.assertLess(response.status_code, 500, (rule, method, value))
                    self.assertNotIn("<script>alert(1)</script>", response.text)
                    location = response.headers.get("Location", "")
                    self.assertNotIn("evil.example", location.partition("?")[0])

    @mute_logger("odoo.http", "odoo.addons.base.models.ir_rule")
    def test_odd_numbers_are_no_error_of_the_server(self):
        for user in (None, self.nina):
            self.login(user)
            for rule, method, kind in self.get_routes():
                if not RECORD_ARGUMENT.search(rule):
                    continue
                for number in (0, 2**31, 2**63, 10**30, "-1", "abc", "1.5", "ключ"):
                    with self.subTest(rule, method=method, number=number):
                        response = self.ask(rule, method, kind, number, {})
                        self.assertLess(response.status_code, 500, (rule, method, number))

    @mute_logger("odoo.http")
    def test_forms_need_their_csrf_token(self):
        self.login(self.nina)
        for rule, method, kind in self.get_routes():
            if method == "POST" and kind == "http":
                with self.subTest(rule):
                    url = RECORD_ARGUMENT.sub(str(self.claim.id), rule)
                    response = self.url_open(url, data={"reason": "x"}, allow_redirects=False)
                    self.assertEqual(response.status_code, 400)

    @mute_logger("odoo.http")
    def test_a_forged_host_is_in_no_mail(self):
        """Links in mails come from the configured address, not from the request."""
        self.login(self.nina)
        self.url_open("/my/claims/new", headers={"Host": "evil.example"})
        claim = self._create_claim()
        claim._send_acknowledgement()
        mail = self.env["mail.mail"].search(
            [("model", "=", "crm.claim"), ("res_id", "=", claim.id)]
        )
        self.assertNotIn("evil.example", mail.body_html)
        self.assertIn(claim.get_base_url(), mail.body_html)

    @mute_logger("odoo.http")
    def test_ex_customer(self):
        """Who was archived is out at once, with the session and the link that he still has."""
        token = self.claim._portal_ensure_token()
        self.login(self.nina)
        url = f"/my/claims/{self.claim.id}"
        self.assertEqual(self.url_open(url, allow_redirects=False).status_code, 200)
        self.nina.active = False
        self.env.flush_all()
        response = self.url_open(url, allow_redirects=False)
        self.assertNotIn("Burnt Orchard Affair", response.text)
        self.assertIn("/web/login", response.headers["Location"])
        self.nina.partner_id.active = False
        self.login(None)
        response = self.url_open(f"{url}?access_token={token}", allow_redirects=False)
        self.assertEqual(response.status_code, 410)
        self.assertNotIn("Burnt Orchard Affair", response.text)
