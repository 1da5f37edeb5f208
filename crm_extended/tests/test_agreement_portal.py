from odoo.addons.mail.tests.common import mail_new_test_user
from odoo.tests import HttpCase, JsonRpcException, tagged

from .agreement_common import AgreementCommon

PIXEL = (  # a png of one point, as the browser sends a signature
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGA"
    "WjR9awAAAABJRU5ErkJggg=="
)


@tagged("post_install", "-at_install")
class TestAgreementPortal(AgreementCommon, HttpCase):
    """A quotation past its agreement is neither signed nor paid online."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.portal_user = mail_new_test_user(
            cls.env, "ag_portal", groups="base.group_portal", partner_id=cls.contact.id
        )
        cls.agreement = cls._create_agreement(enforcement="approve")
        cls.order = cls._create_order(
            partner_id=cls.contact.id,
            require_signature=True,
            require_payment=False,
        )
        cls.order.action_quotation_sent()
        cls.order.order_line.discount = 20.0  # a quotation that is out goes past its agreement
        cls.order._portal_ensure_token()

    def _sign(self):
        return self.make_jsonrpc_request(
            f"/my/orders/{self.order.id}/accept",
            {"access_token": self.order.access_token, "name": "Anna", "signature": PIXEL},
        )

    def _get_page(self):
        return self.url_open(
            f"/my/orders/{self.order.id}?access_token={self.order.access_token}"
        ).text

    def test_held_then_signed(self):
        page = self._get_page()
        self.assertIn('name="agreement_hold"', page)
        self.assertNotIn('data-bs-target="#modalaccept"', page)
        self.assertNotIn("5 %", page.split("agreement_hold")[1][:800], "terms stay internal")
        answer = self._sign()
        self.assertTrue(answer["error"])
        self.assertEqual(self.order.state, "sent")
        self.assertFalse(self.order.signature)

        self.order._request_deviation_approval("Please")
        self.assertIn("error", self._sign(), "a request is no approval")
        self.order.with_user(self.approver)._decide_deviations(True, "Fine")
        self.env.invalidate_all()
        self.assertNotIn('name="agreement_hold"', self._get_page())
        answer = self._sign()
        self.assertTrue(answer.get("force_refresh"))
        self.assertEqual(self.order.state, "sale")

    def test_no_money_is_taken(self):
        self.order.write({"require_payment": True, "prepayment_percent": 1.0})
        self.assertFalse(self.order._has_to_be_paid())
        provider = self.env["payment.provider"].search([], limit=1)
        with self.assertRaisesRegex(JsonRpcException, "ValidationError"):
            self.make_jsonrpc_request(
                f"/my/orders/{self.order.id}/transaction",
                {
                    "access_token": self.order.access_token,
                    "provider_id": provider.id,
                    "payment_method_id": self.env["payment.method"]
                    .with_context(active_test=False)
                    .search([], limit=1)
                    .id,
                    "token_id": None,
                    "amount": self.order.amount_total,
                    "flow": "direct",
                    "tokenization_requested": False,
                    "landing_route": "/my",
                },
            )
        self.assertFalse(self.order.sudo().transaction_ids)

    def test_portal_user_cannot_read_agreements(self):
        self.authenticate("ag_portal", "ag_portal")
        self.assertFalse(
            self.env["crm.agreement.deviation"].with_user(self.portal_user).has_access("read")
        )
