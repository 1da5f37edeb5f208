from odoo.tests import tagged

from .common import ClaimCommon


@tagged("post_install", "-at_install")
class TestDealDocuments(ClaimCommon):
    def test_claims_are_documents_of_the_deal(self):
        """Those about the deal's orders, for people who may read them."""
        deal = self.env["crm.lead"].create({"name": "Deal", "user_id": self.env.uid})
        order = self._create_order(opportunity_id=deal.id)
        claim, confidential = self.env["crm.claim"].create(
            [
                {"subject": "Bent", "order_id": order.id, "user_id": self.user_own.id},
                {"subject": "Secret", "order_id": order.id, "confidential": True},
            ]
        )
        kinds = {kind["kind"]: kind for kind in deal.get_documents()["kinds"]}
        self.assertEqual(
            {document["id"] for document in kinds["claim"]["documents"]},
            set((claim | confidential).ids),
        )
        self.user_all.group_ids |= self.env.ref("sales_team.group_sale_salesman_all_leads")
        kinds = {
            kind["kind"]: kind for kind in deal.with_user(self.user_all).get_documents()["kinds"]
        }
        (shown,) = kinds["claim"]["documents"]
        self.assertEqual(shown["name"], claim.name)
        self.assertEqual(shown["detail"], "Bent")
        accountant = self.user_accountant
        accountant.group_ids -= self.env.ref("account.group_account_invoice")
        accountant.group_ids |= self.env.ref("sales_team.group_sale_salesman_all_leads")
        kinds = [kind["kind"] for kind in deal.with_user(accountant).get_documents()["kinds"]]
        self.assertNotIn("claim", kinds)
