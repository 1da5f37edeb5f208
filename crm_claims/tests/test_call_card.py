from odoo.tests import new_test_user, tagged

from .common import ClaimCommon


@tagged("post_install", "-at_install")
class TestCallCard(ClaimCommon):
    """Open claims on the card of a client who calls."""

    def test_claims(self):
        client = self.env["res.partner"].create({"name": "Caller", "is_company": True})
        contact = self.env["res.partner"].create({"name": "Carl", "parent_id": client.id})
        claim = self.env["crm.claim"].create({"subject": "Broken", "partner_id": client.id})
        handler = new_test_user(
            self.env,
            "card_handler",
            "base.group_user,sales_team.group_sale_salesman,crm_claims.crm_claims_group_user_all",
        )
        seller = new_test_user(
            self.env, "card_seller", "base.group_user,sales_team.group_sale_salesman"
        )

        def rows(user):
            sections = contact.with_user(user)._get_call_card_values()["sections"]
            return [
                row["id"] for item in sections if item["name"] == "claims" for row in item["rows"]
            ]

        self.assertEqual(rows(handler), claim.ids)
        if not self.env["crm.claim"].with_user(seller).has_access("read"):
            self.assertEqual(rows(seller), [])

    def test_register(self):
        """The claim that is registered from the card knows who called."""
        client = self.env["res.partner"].create({"name": "Caller", "phone": "+37129000333"})
        handler = new_test_user(
            self.env,
            "card_handler",
            "base.group_user,sales_team.group_sale_salesman,crm_claims.crm_claims_group_user",
        )
        provider = self.env["crm.telephony.provider"].create({"name": "Exchange"})
        interaction = self.env["crm.interaction"].create(
            {"subject": "Incoming call", "direction": "in", "partner_id": client.id}
        )
        call = self.env["crm.telephony.call"].create(
            {
                "provider_id": provider.id,
                "uid": "1",
                "direction": "in",
                "interaction_id": interaction.id,
                "user_ids": handler.ids,
            }
        )
        own = call.with_user(handler)
        self.assertIn("claim", [button["name"] for button in own.get_card()["buttons"]])
        action = own.action_register_claim()
        self.assertEqual(action["res_model"], "crm.claim")
        self.assertEqual(action["context"]["default_partner_id"], client.id)
        self.assertEqual(action["context"]["default_channel"], "phone")
