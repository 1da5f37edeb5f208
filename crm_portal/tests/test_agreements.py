from datetime import date, timedelta

from odoo.fields import Command
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from .common import PortalCase


@tagged("post_install", "-at_install")
class TestPortalAgreements(PortalCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.approver = new_test_user(
            cls.env,
            login="portal_approver",
            groups="sales_team.group_sale_manager,crm_extended.crm_agreements_group_approver",
        )
        cls.payment_term = cls.env["account.payment.term"].create({"name": "Thirty days, please"})
        cls.agreement = cls._create_agreement(cls.north, title="Tools 2026")
        cls.agreement_balt = cls._create_agreement(cls.balt, title="Balt terms")

    @classmethod
    def _create_agreement(cls, partner, active=True, **values):
        agreement = cls.env["crm.agreement"].create(
            {
                "partner_id": partner.id,
                "date_start": date.today() - timedelta(days=30),
                "date_end": date.today() + timedelta(days=30),
                "payment_term_id": cls.payment_term.id,
                "minimum_amount": 250.0,
                "note": "<p>Secret: they will pay more.</p>",
                "discount_line_ids": [
                    Command.create(
                        {"applied_on": "product", "product_id": cls.drill.id, "max_discount": 12.5}
                    ),
                    Command.create({"applied_on": "all", "max_discount": 5}),
                ],
                **values,
            }
        )
        if active:
            agreement.action_submit()
            agreement.with_user(cls.approver).action_approve()
        return agreement

    def setUp(self):
        super().setUp()
        self.login(self.nina)

    def test_list(self):
        self._create_agreement(self.north, active=False, title="Being negotiated")
        page = self.url_open("/my/agreements").text
        self.assertIn("Tools 2026", page)
        self.assertNotIn("Balt terms", page)
        self.assertNotIn("Being negotiated", page)

    def test_counter(self):
        result = self.jsonrpc("/my/counters", counters=["agreement_count"])["result"]
        self.assertEqual(result, {"agreement_count": 1})

    def test_terms_in_plain_words(self):
        page = self.url_open(f"/my/agreements/{self.agreement.id}").text
        for text in (
            "Tools 2026",
            "In force from",
            "Up to 12.5% on Test Drill",
            "Up to 5% on all products",
            "Thirty days, please",
            "250.00",
        ):
            self.assertIn(text, page)
        for secret in ("Secret", "approval", "Approved"):
            self.assertNotIn(secret, page)

    def test_empty_list(self):
        self.login(self.carla)
        self.assertIn("No individual agreement yet", self.url_open("/my/agreements").text)

    @mute_logger("odoo.http")
    def test_of_others(self):
        draft = self._create_agreement(self.north, active=False)
        for agreement_id in (self.agreement_balt.id, draft.id, 0, 2**31, 2**63):
            self.assertEqual(self.url_open(f"/my/agreements/{agreement_id}").status_code, 404)
        self.login(self.carla)
        self.assertEqual(self.url_open(f"/my/agreements/{self.agreement.id}").status_code, 404)

    def test_suspended(self):
        self.agreement.with_user(self.approver).action_suspend()
        self.assertNotIn("Tools 2026", self.url_open("/my/agreements").text)


@tagged("post_install", "-at_install")
class TestPortalRenewal(TestPortalAgreements):
    def _renew(self, agreement=None):
        return self.post(f"/my/agreements/{(agreement or self.agreement).id}/renew")

    def test_ask_once(self):
        self.agreement.sudo().user_id = self.handler
        self.assertIn("Ask to renew", self.url_open(f"/my/agreements/{self.agreement.id}").text)
        self.assertEqual([self._renew().status_code, self._renew().status_code], [303, 303])
        activity = self.agreement.activity_ids.filtered(lambda a: a.user_id == self.handler)
        self.assertEqual(len(activity), 1)
        self.assertIn("Nina", activity.note)
        page = self.url_open(f"/my/agreements/{self.agreement.id}").text
        self.assertNotIn(">Ask to renew", page)
        self.assertIn("You asked to renew", page)

    def test_renewal_under_way(self):
        self.agreement._renew()
        self._renew()
        self.assertFalse(self.agreement.renewal_asked_on)
        page = self.url_open(f"/my/agreements/{self.agreement.id}").text
        self.assertIn("is being prepared", page)

    @mute_logger("odoo.http")
    def test_renewal_of_others(self):
        for user in (self.boris, self.carla):
            self.login(user)
            self.assertEqual(self._renew().status_code, 404)
        self.login(None)
        self._renew()
        self.assertFalse(self.agreement.renewal_asked_on)
        self.assertIn("error", self.rpc("crm.agreement", "read", [1], ["renewal_asked_on"]))

    def test_contracts(self):
        contracts = self.env["crm.agreement.contract"].create(
            [
                {"name": "Paper 17", "agreement_id": self.agreement.id},
                {"name": "Paper draft", "agreement_id": self.agreement.id},
                {"name": "Paper Balt", "agreement_id": self.agreement_balt.id},
            ]
        )
        for contract in contracts[0] | contracts[2]:
            for state in ("to_approve", "approved", "signed"):
                contract.state = state
        page = self.url_open("/my/agreements").text
        self.assertIn("Paper 17", page)
        self.assertNotIn("Paper draft", page)
        self.assertNotIn("Paper Balt", page)

    @mute_logger("odoo.http")
    def test_file_of_a_contract(self):
        contracts = self.env["crm.agreement.contract"].create(
            [
                {"name": "Paper 17", "agreement_id": self.agreement.id},
                {"name": "Paper 18", "agreement_id": self.agreement.id},
                {"name": "Paper draft", "agreement_id": self.agreement.id},
            ]
        )
        text, internal = self.env["ir.attachment"].create(
            [
                {"name": name, "raw": content, "res_model": "crm.agreement.contract",
                 "res_id": contracts[0].id}
                for name, content in (("text.html", b"<script>1</script>"), ("x.txt", b"Internal"))
            ]
        )  # fmt: skip
        contracts[0].document_id = text
        draft_text = text.copy({"res_id": contracts[2].id})
        contracts[2].document_id = draft_text
        for contract in contracts[:2]:
            for state in ("to_approve", "approved", "signed"):
                contract.state = state
        urls = [f"/my/agreements/contracts/{contract.id}/file" for contract in contracts]
        page = self.url_open("/my/agreements").text
        self.assertIn(urls[0], page)
        self.assertNotIn(urls[1], page)  # no text of it is here
        response = self.url_open(urls[0])
        self.assertEqual(response.content, b"<script>1</script>")
        self.assertIn("attachment", response.headers["Content-Disposition"])
        self.assertEqual(response.headers["X-Content-Type-Options"], "nosniff")
        for url in (*urls[1:], "/my/agreements/contracts/999999999/file"):
            self.assertEqual(self.url_open(url).status_code, 404)
        for user in (self.boris, self.carla, None):
            self.login(user)
            response = self.url_open(urls[0], allow_redirects=False)
            self.assertIn(response.status_code, (303, 404))
            self.assertNotIn(b"script>1", response.content)
        self.assertTrue(internal.exists())
