import io

from odoo import http
from odoo.fields import Command
from odoo.tests import HttpCase, new_test_user
from PIL import Image


def make_picture(image_format="PNG", size=(8, 8)):
    """Bytes of a small real picture."""
    stream = io.BytesIO()
    Image.new("RGB", size, "red").save(stream, image_format)
    return stream.getvalue()


class PortalCase(HttpCase):
    """Two customers of one company of ours, two contacts with the first, and a customer of another.

    ``nina`` and her colleague ``ned`` belong to North, ``boris`` to Balt; ``carla`` is a customer
    of our second company. North bought five drills and two batteries, Balt one drill.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["res.lang"]._activate_lang("en_US")
        cls.env["ir.default"].set("res.partner", "lang", "en_US")  # language of visitors
        cls.company = cls.env.ref("base.main_company")
        cls.company.portal_claims_per_hour = 100
        cls.other_company = cls.env["res.company"].create({"name": "Sister Company"})
        cls.north, cls.balt, cls.cape = cls.env["res.partner"].create(
            [
                {"name": "North Test Ltd", "is_company": True, "email": "north@example.com"},
                {"name": "Balt Test OU", "is_company": True, "email": "balt@example.com"},
                {"name": "Cape Test Ltd", "is_company": True, "email": "cape@example.com"},
            ]
        )
        cls.nina = cls._create_customer("nina", cls.north)
        cls.ned = cls._create_customer("ned", cls.north)
        cls.boris = cls._create_customer("boris", cls.balt)
        cls.carla = cls._create_customer("carla", cls.cape, cls.other_company)
        cls.handler = new_test_user(
            cls.env,
            login="portal_handler",
            password="portal_handler",
            groups="crm_claims.crm_claims_group_user_all",
            name="Henry Handler",
        )
        cls.drill, cls.battery = cls.env["product.product"].create(
            [
                {"name": "Test Drill", "list_price": 100.0, "taxes_id": False},
                {"name": "Test Battery", "list_price": 20.0, "taxes_id": False},
            ]
        )
        cls.order = cls._create_order(cls.north, {cls.drill: 5, cls.battery: 2})
        cls.order_balt = cls._create_order(cls.balt, {cls.drill: 1})
        cls.line_drill = cls.order.order_line[0]
        cls.line_battery = cls.order.order_line[1]
        cls.cause = cls.env["crm.claim.cause"].create({"name": "Secret cause"})
        cls.department = cls.env["hr.department"].create({"name": "Guilty Secret Department"})

    @classmethod
    def _create_customer(cls, login, company_partner, company=None):
        company = company or cls.company
        partner = cls.env["res.partner"].create(
            {
                "name": login.capitalize(),
                "email": f"{login}@example.com",
                "parent_id": company_partner.id,
                "lang": "en_US",
                "tz": "Asia/Tokyo",
            }
        )
        return (
            cls.env["res.users"]
            .with_context(no_reset_password=True)
            .create(
                {
                    "name": partner.name,
                    "login": f"{login}@example.com",
                    "password": f"{login}@example.com",
                    "partner_id": partner.id,
                    "company_id": company.id,
                    "company_ids": [Command.set(company.ids)],
                    "group_ids": [Command.set([cls.env.ref("base.group_portal").id])],
                }
            )
        )

    @classmethod
    def _create_order(cls, partner, products):
        order = cls.env["sale.order"].create(
            {
                "partner_id": partner.id,
                "company_id": cls.company.id,
                "order_line": [
                    Command.create(
                        {"product_id": product.id, "product_uom_qty": quantity, "price_unit": 100.0}
                    )
                    for product, quantity in products.items()
                ],
            }
        )
        order.action_confirm()
        return order

    @classmethod
    def _create_claim(cls, user=None, **values):
        user = user or cls.nina
        return cls.env["crm.claim"].create(
            {
                "subject": "Drill does not drill",
                "description": "<p>It turns, but it does not drill.</p>",
                "partner_id": user.partner_id.id,
                "company_id": user.company_id.id,
                "user_id": False,
                "remedy": "refund",
                "channel": "portal",
                **values,
            }
        )

    @classmethod
    def _create_decided_claim(cls, user=None, **values):
        return cls._create_claim(
            user,
            **{
                "state": "decided",
                "cause_id": cls.cause.id,
                "decision": "satisfied",
                "decision_text": "<p>You get your money back.</p>",
                "amount_granted": 100.0,
                **values,
            },
        )

    def login(self, user):
        """Sign in as a user of the portal, or out with ``None``."""
        self.authenticate(user and user.login, user and user.login)

    def post(self, url, data=None, files=None, **kwargs):
        """POST a form with a valid CSRF token and do not follow the redirection."""
        data = {"csrf_token": http.Request.csrf_token(self), **(data or {})}
        return self.url_open(url, data=data, files=files, allow_redirects=False, **kwargs)

    def rpc(self, model, method, *args, **kwargs):
        """JSON-RPC ``call_kw`` as the signed-in user; the answer, with ``result`` or ``error``."""
        return self.url_open(
            f"/web/dataset/call_kw/{model}/{method}",
            json={
                "jsonrpc": "2.0",
                "method": "call",
                "params": {
                    "model": model,
                    "method": method,
                    "args": list(args),
                    "kwargs": kwargs,
                },
            },
        ).json()

    def call(self, model, method, *args, **kwargs):
        """Result of an RPC that must succeed."""
        answer = self.rpc(model, method, *args, **kwargs)
        self.assertIn("result", answer, answer)
        return answer["result"]

    def jsonrpc(self, url, **params):
        return self.url_open(
            url, json={"jsonrpc": "2.0", "method": "call", "params": params}
        ).json()
