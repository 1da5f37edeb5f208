import json
from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import HttpCase, tagged

from .common import ClaimCommon


@tagged("post_install", "-at_install")
class TestClaimDoors(ClaimCommon):
    """From where a claim is registered, and who may have it opened again."""

    def _new(self, action, **values):
        return (
            self.env["crm.claim"]
            .with_user(self.user_all)
            .with_context(**action["context"])
            .create({"subject": "x", "partner_id": self.contact.id, **values})
        )

    def test_from_an_invoice(self):
        self.env["account.chart.template"].try_loading("generic_coa", self.company)
        order = self._create_order()
        self.product.invoice_policy = "order"
        invoice = order._create_invoices()
        invoice.action_post()
        claim = self._new(invoice.with_user(self.user_all).action_register_claim())
        self.assertEqual((claim.order_id, claim.partner_id), (order, self.contact))
        self.assertEqual(invoice.with_user(self.user_all).claim_count, 1)
        with self.assertRaises(AccessError):
            invoice.with_user(self.user_accountant).action_register_claim()

    def test_from_a_product(self):
        template = self.product.product_tmpl_id.with_user(self.user_all)
        claim = self._new(template.action_view_claims())
        self.assertEqual(claim.line_ids.product_id, self.product)
        self.env.invalidate_all()
        self.assertEqual(template.claim_count, 1)

    def test_from_any_partner(self):
        for rank in ("customer_rank", "supplier_rank"):
            partner = self.env["res.partner"].create({"name": rank, rank: 1})
            claim = self._create_claim(partner_id=partner.id)
            self.assertEqual(claim.partner_name, rank)

    # ------------------------------------------------------------
    # Reopened by the client
    # ------------------------------------------------------------

    def _closed(self):
        claim = self._create_claim(user_id=self.user_all.id)
        self._decide(claim)
        claim._customer_accept(self.contact)
        return claim

    def test_client_reopens(self):
        claim = self._closed()
        claim._customer_reopen(self.contact, "It broke again")
        self.assertEqual((claim.state, claim.reopen_count), ("investigating", 1))
        self.assertEqual(claim.activity_ids.user_id, self.user_all)
        self.assertIn("It broke again", " ".join(map(str, claim.message_ids.mapped("body"))))

    def test_client_reopens_in_time_with_a_reason_and_his_own(self):
        claim = self._closed()
        stranger = self.env["res.partner"].create({"name": "Stranger"})
        with self.assertRefused(AccessError, "Only the client"):
            claim._customer_reopen(stranger, "Mine")
        with self.assertRefused(UserError, "Say why"):
            claim._customer_reopen(self.contact, " ")
        claim.sudo().date_closed = fields.Datetime.now() - timedelta(days=31)
        with self.assertRefused(UserError, "file a new one"):
            claim._customer_reopen(self.contact, "It broke again")
        self.company.claim_reopen_days = 0
        with self.assertRefused(UserError, "file a new one"):
            self._closed()._customer_reopen(self.contact, "It broke again")

    # ------------------------------------------------------------
    # Plans and ready answers
    # ------------------------------------------------------------

    def test_activity_plan(self):
        plan = self.env.ref("crm_claims.mail_activity_plan_first_steps")
        claim = self._create_claim(user_id=self.user_all.id).with_user(self.user_all)
        self.env["mail.activity.schedule"].with_user(self.user_all).with_context(
            active_model="crm.claim", active_ids=claim.ids
        ).create(
            {"plan_id": plan.id, "plan_on_demand_user_id": self.user_all.id}
        ).action_schedule_plan()
        self.assertEqual(len(claim.activity_ids), 3)
        plan.with_user(self.user_manager).name = "Ours"
        other = self.env["mail.activity.plan"].search([("res_model", "!=", "crm.claim")], limit=1)
        if other:
            with self.assertRaises(AccessError):
                other.with_user(self.user_manager).name = "Ours"

    def test_ready_answers(self):
        claim = self._create_claim(user_id=self.user_all.id)
        template = self.env.ref("crm_claims.mail_template_answer_photos")
        composer = (
            self.env["mail.compose.message"]
            .with_user(self.user_all)
            .with_context(default_model="crm.claim", default_res_ids=claim.ids)
            .create({"template_id": template.id})
        )
        self.assertIn(claim.name, composer.body)
        self.assertIn(self.contact, composer.partner_ids)
        composer.action_send_mail()
        self.assertTrue(claim.date_answered, "a ready answer is an answer")


@tagged("post_install", "-at_install")
class TestClaimRemote(HttpCase):
    """A claim is registered by JSON-2 with the rights of the owner of the key."""

    def test_json2(self):
        user = self.env["res.users"].create(
            {
                "name": "Remote",
                "login": "claims_remote",
                "group_ids": [(4, self.env.ref("crm_claims.crm_claims_group_user").id)],
            }
        )
        key = (
            self.env["res.users.apikeys"]
            .with_user(user)
            ._generate("rpc", "Test", fields.Datetime.now() + timedelta(days=1))
        )

        def call(method, **body):
            response = self.url_open(
                f"/json/2/crm.claim/{method}",
                data=json.dumps(body),
                headers={"Authorization": f"bearer {key}", "Content-Type": "application/json"},
            )
            return response.status_code, response.json()

        status, ids = call(
            "create",
            vals_list=[{"subject": "From afar", "partner_name": "Somebody", "user_id": user.id}],
        )
        self.assertEqual(status, 200)
        claim = self.env["crm.claim"].browse(ids)
        self.assertEqual((claim.subject, claim.state), ("From afar", "new"))
        self.assertTrue(claim.date_promised)
        status, error = call("write", ids=ids, vals={"state": "closed"})
        self.assertEqual(status, 422)
        self.assertIn("cannot go from New to Closed", error["message"])
        status, error = call("_customer_accept", ids=ids, partner=user.partner_id.id)
        self.assertGreaterEqual(status, 400)
        self.assertEqual(claim.state, "new")
