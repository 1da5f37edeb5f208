from odoo.tests import TransactionCase, new_test_user, tagged


@tagged("post_install", "-at_install")
class TestCallCard(TransactionCase):
    """Class and segment on the card of a client who calls."""

    def test_class_is_that_of_the_best_visible_deal(self):
        groups = "base.group_user,sales_team.group_sale_salesman"
        seller = new_test_user(self.env, "card_seller", groups)
        colleague = new_test_user(self.env, "card_colleague", groups)
        client = self.env["res.partner"].create({"name": "Caller", "is_company": True})
        deals = self.env["crm.lead"].create(
            [
                {
                    "name": "Deal",
                    "type": "opportunity",
                    "partner_id": client.id,
                    "user_id": user.id,
                }
                for user in (seller, seller, colleague)
            ]
        )
        self.env.flush_all()
        for deal, score_class in zip(deals, "CBA", strict=True):
            self.env.cr.execute(
                "UPDATE crm_lead SET score_class = %s WHERE id = %s", [score_class, deal.id]
            )
        self.env.invalidate_all()
        values = client.with_user(seller)._get_call_card_values()
        badges = {badge["name"]: badge["value"] for badge in values["badges"]}
        self.assertEqual(badges["class"], "B")
        [section] = [item for item in values["sections"] if item["name"] == "deals"]
        self.assertEqual({row["badge"] for row in section["rows"]}, {"C", "B"})
        nobody = self.env["res.partner"].create({"name": "New"}).with_user(seller)
        self.assertNotIn("class", [b["name"] for b in nobody._get_call_card_values()["badges"]])
