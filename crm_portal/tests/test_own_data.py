import base64
import io
import json
import zipfile
from datetime import date, timedelta

from odoo import fields
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import PortalCase, make_picture


@tagged("post_install", "-at_install")
class TestPortalOwnData(PortalCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.claim = cls._create_claim(cls.nina, subject="Burnt Orchard Affair")
        cls.claim._portal_post_message(
            cls.nina.partner_id, "See the photo", [("p.png", make_picture(), "image/png")]
        )
        cls.claim.message_post(body="Nina is a difficult one", subtype_xmlid="mail.mt_note")
        cls._create_claim(cls.boris, subject="Of Balt")

    def _export(self):
        return self.post("/my/data/export")

    def test_export(self):
        self.login(self.nina)
        self.assertIn("Download", self.url_open("/my/data").text)
        response = self._export()
        self.assertEqual(response.headers["Content-Type"], "application/zip")
        archive = zipfile.ZipFile(io.BytesIO(response.content))
        text = archive.read("data.json").decode()
        data = json.loads(text)
        self.assertEqual(data["login"], "nina@example.com")
        self.assertIn(self.order.name, [order["name"] for order in data["orders"]])
        self.assertEqual([claim["subject"] for claim in data["claims"]], ["Burnt Orchard Affair"])
        self.assertIn("See the photo", text)
        for secret in (
            "difficult",
            "Of Balt",
            self.order_balt.name,
            "Secret cause",
            "access_token",
        ):
            self.assertNotIn(secret, text)
        files = [name for name in archive.namelist() if name != "data.json"]
        self.assertEqual(len(files), 1)
        self.assertTrue(files[0].startswith("files/claims/") and ".." not in files[0])

    def test_confidential_claims_of_colleagues(self):
        self.claim.confidential = True
        self.login(self.ned)
        archive = zipfile.ZipFile(io.BytesIO(self._export().content))
        self.assertNotIn("Burnt", archive.read("data.json").decode())

    def test_rate(self):
        self.login(self.nina)
        stamps = [
            ("res.users", self.nina.id, "export", str(index), fields.Datetime.now())
            for index in range(3)
        ]
        for row in stamps:
            self.env.cr.execute(
                "INSERT INTO crm_portal_notice (res_model, res_id, event, stamp, date)"
                " VALUES (%s, %s, %s, %s, %s)",
                row,
            )
        self.assertEqual(self._export().status_code, 429)

    @mute_logger("odoo.http")
    def test_others(self):
        for url in ("/my/data", "/my/recommended", "/my/news"):
            self.login(None)
            self.assertEqual(self.url_open(url, allow_redirects=False).status_code, 303, url)
            self.authenticate("portal_handler", "portal_handler")
            self.assertEqual(self.url_open(url).status_code, 404, url)
        self.assertEqual(self._export().status_code, 404)
        self.login(self.nina)
        for model in ("crm.portal.news", "crm.portal.notice", "crm.portal.export"):
            self.assertIn("error", self.rpc(model, "search_read", [], ["id"]), model)

    def test_erasure_request(self):
        self.login(self.nina)
        self.assertEqual(self.post("/my/data/erase", {"form_key": "k"}).status_code, 422)
        self.assertEqual(
            self.post("/my/data/erase", {"form_key": "k", "confirm": "1"}).status_code, 303
        )
        change = self.env["crm.portal.change"].search([("kind", "=", "erasure")])
        self.assertEqual((change.partner_id, change.state), (self.nina.partner_id, "new"))
        self.assertTrue(self.nina.active)
        self.assertIn("is being checked", self.url_open("/my/data").text)


@tagged("post_install", "-at_install")
class TestPortalNews(PortalCase):
    def _news(self, **values):
        return self.env["crm.portal.news"].create(
            {"name": "Open on Saturdays", "body": "<p>Yes<script>1</script></p>",
             "is_published": True, **values}
        )  # fmt: skip

    def _sees(self, user=None):
        self.login(user or self.nina)
        return "Open on Saturdays" in self.url_open("/my/news").text

    def test_shown(self):
        news = self._news()
        self.assertTrue(self._sees())
        self.assertIn("Open on Saturdays", self.url_open("/my").text)
        self.assertNotIn("<script>1", self.url_open("/my/news").text)
        news.is_published = False
        self.assertFalse(self._sees())

    def test_dates(self):
        news = self._news(date_from=date.today() + timedelta(days=2))
        self.assertFalse(self._sees())
        news.write(
            {
                "date_from": date.today() - timedelta(days=9),
                "date_to": date.today() + timedelta(days=1),
            }
        )
        self.assertTrue(self._sees())
        news.date_to = date.today() - timedelta(days=2)
        self.assertFalse(self._sees())

    def test_companies_and_segments(self):
        news = self._news(company_ids=self.other_company.ids)
        self.assertFalse(self._sees())
        self.assertTrue(self._sees(self.carla))
        segment = self.env["crm.segment"].create({"name": "Chosen", "kind": "static"})
        news.write({"company_ids": [(5,)], "segment_id": segment.id})
        self.assertFalse(self._sees())
        self.env["crm.segment.member"].create(
            {"segment_id": segment.id, "partner_id": self.north.id}
        )
        self.assertTrue(self._sees())
        self.assertFalse(self._sees(self.boris))

    @mute_logger("odoo.http")
    def test_picture(self):
        news = self._news(image=base64.b64encode(make_picture(size=(40, 40))))
        self.login(self.nina)
        response = self.url_open(f"/my/news/{news.id}/image")
        self.assertEqual(response.status_code, 200)
        self.assertTrue(response.headers["Content-Type"].startswith("image/"))
        news.is_published = False
        for news_id in (news.id, 0, 2**31, 2**63):
            self.assertEqual(self.url_open(f"/my/news/{news_id}/image").status_code, 404)


@tagged("post_install", "-at_install")
class TestPortalOffers(PortalCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.north.user_id = cls.handler
        cls.saw = cls.env["product.product"].create(
            {"name": "Recommended Saw", "list_price": 50.0, "taxes_id": False}
        )
        cls.advice = cls.env["crm.product.advice"]._get_for(cls.company)
        cls.advice.write({"holdout_percent": 0, "just_bought_days": 0})
        cls.env["crm.product.recommendation"].sudo().create(
            {
                "company_id": cls.company.id,
                "partner_id": cls.north.id,
                "product_id": cls.saw.id,
                "because_product_id": cls.drill.id,
                "source": "similar",
                "rank": 1,
            }
        )

    def _ask(self, product=None, key="k"):
        return self.post(f"/my/recommended/{(product or self.saw).id}", {"form_key": key})

    def _requests(self):
        return self.env["sale.order"].search(
            [("is_portal_request", "=", True), ("partner_id", "=", self.nina.partner_id.id)]
        )

    def test_shown_with_the_reason(self):
        self.login(self.nina)
        page = self.url_open("/my/recommended").text
        self.assertIn("Recommended Saw", page)
        self.assertIn("Clients who buy", page)
        self.login(self.boris)
        self.assertNotIn("Recommended Saw", self.url_open("/my/recommended").text)

    def test_not_wanted(self):
        self.nina.partner_id.portal_hide_offers = True
        self.login(self.nina)
        page = self.url_open("/my/recommended").text
        self.assertNotIn("Recommended Saw", page)
        self.assertIn("You do not want recommendations", page)

    def test_request(self):
        self.login(self.nina)
        self.url_open("/my/recommended")
        self.assertEqual(self._ask().status_code, 303)
        self.assertEqual(self._ask().status_code, 303)
        self.assertEqual(self._ask(key="k2").status_code, 303)
        order = self._requests()
        self.assertEqual(len(order), 1)
        self.assertRecordValues(
            order.order_line, [{"product_id": self.saw.id, "product_uom_qty": 1, "price_unit": 50}]
        )
        self.assertEqual(order.activity_ids.user_id, self.handler)
        offer = self.env["crm.product.offer"].search([("product_id", "=", self.saw.id)])
        self.assertRecordValues(offer, [{"is_added": True, "channel": "portal"}])

    @mute_logger("odoo.http")
    def test_only_what_was_recommended(self):
        self.login(self.nina)
        self.url_open("/my/recommended")
        self.assertEqual(self._ask(self.battery).status_code, 422)
        self.saw.sale_ok = False
        self.assertEqual(self._ask().status_code, 422)
        self.login(self.boris)
        self.saw.sale_ok = True
        self.assertEqual(self._ask().status_code, 422)
        for product_id in (0, 2**31, 2**63):
            response = self.post(f"/my/recommended/{product_id}", {"form_key": "x"})
            self.assertIn(response.status_code, (404, 422))
        self.assertFalse(self._requests())
