# ruff: noqa: RUF001 Cyrillic is meant
from datetime import timedelta

from odoo import Command, fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from .common_duplicates import DuplicatesCommon


@tagged("post_install", "-at_install")
class TestDuplicateMerge(DuplicatesCommon):
    """Duplicates are found, told apart or merged; a merge keeps everything and can be undone."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.twin = cls.env["res.partner"].create(
            {
                "name": "Заречная Кофейня",
                "is_company": True,
                "phone": "8 495 765 43 21",
                "website": "https://zarechnaya.example",
                "category_id": [Command.create({"name": "Кофе"})],
                "bank_ids": [
                    Command.create({"acc_number": "GB33BUKB20201555555555"}),
                    Command.create({"acc_number": "DE75512108001245126199"}),
                ],
            }
        )
        cls.contact = cls.env["res.partner"].create({"name": "Анна", "parent_id": cls.twin.id})
        cls.lead = cls.env["crm.lead"].create({"name": "Coffee", "partner_id": cls.twin.id})
        cls.order = cls.env["sale.order"].create({"partner_id": cls.twin.id})
        cls.file = cls.env["ir.attachment"].create(
            {"name": "a.txt", "raw": b"a", "res_model": "res.partner", "res_id": cls.twin.id}
        )
        cls.message = cls.twin.message_post(body="Разговор")
        cls.interaction = cls.env["crm.interaction"].create(
            {"subject": "Звонок", "kind": "call", "partner_id": cls.twin.id}
        )

    def merge(self, user=None):
        """Merge by Odoo's own screen."""
        wizard = (
            self.env["base.partner.merge.automatic.wizard"]
            .with_user(user or self.env.ref("base.user_admin"))
            .with_context(active_model="res.partner", active_ids=[self.client.id, self.twin.id])
            .create({"dst_partner_id": self.client.id})
        )
        wizard.action_merge()
        self.env.invalidate_all()
        return self.env["crm.partner.merge"].search([("partner_id", "=", self.client.id)])

    def test_merge_keeps_everything_and_is_logged(self):
        merge = self.merge()
        self.assertFalse(self.twin.exists())
        self.assertEqual(self.lead.partner_id, self.client)
        self.assertEqual(self.order.partner_id, self.client)
        self.assertEqual(self.contact.parent_id, self.client)
        self.assertEqual(self.file.res_id, self.client.id)
        self.assertEqual(self.message.res_id, self.client.id)
        self.assertEqual(self.interaction.partner_id, self.client)
        self.assertEqual(len(self.client.bank_ids), 2)
        self.assertEqual(self.client.website, "https://zarechnaya.example")
        self.assertEqual(merge.source_names, "Заречная Кофейня")
        for thing in (f"#{self.twin.id}", "Sales Order: 1", "https://zarechnaya.example"):
            self.assertIn(thing, merge.summary)
        self.assertEqual(self.client.with_user(self.user_manager).crm_merge_count, 1)

    def test_undo(self):
        twin_id, values = self.twin.id, self.twin.read(["name", "phone", "website", "is_company"])
        client_values = self.client.read(["name", "phone", "website", "vat", "category_id"])
        chain = self.interaction.chain_id
        merge = self.merge()
        later = self.env["crm.lead"].create({"name": "Later", "partner_id": self.client.id})
        self.client.city = "Пермь"  # changed since: stays
        merge.with_user(self.user_manager).action_undo()
        self.env.invalidate_all()
        twin = self.env["res.partner"].browse(twin_id)
        self.assertEqual(twin.read(["name", "phone", "website", "is_company"]), values)
        self.assertEqual(
            self.client.read(["name", "phone", "website", "vat", "category_id"]), client_values
        )
        self.assertEqual(self.client.city, "Пермь")
        self.assertEqual(self.lead.partner_id, twin)
        self.assertEqual(self.order.partner_id, twin)
        self.assertEqual(later.partner_id, self.client)
        self.assertEqual(self.contact.parent_id, twin)
        self.assertEqual(self.contact.commercial_partner_id, twin)
        self.assertEqual(self.file.res_id, twin_id)
        self.assertEqual(self.message.res_id, twin_id)
        self.assertEqual(self.interaction.partner_id, twin)
        self.assertEqual(self.interaction.chain_id, chain)
        self.assertEqual(twin.category_id.mapped("name"), ["Кофе"])
        self.assertEqual(
            sorted(twin.bank_ids.mapped("acc_number")),
            ["DE75512108001245126199", "GB33BUKB20201555555555"],
        )
        self.assertEqual(self.client.bank_ids.mapped("acc_number"), ["GB33BUKB20201555555555"])
        self.assertEqual((merge.state, merge.undo_note), ("undone", ""))
        self.assertEqual(merge.undo_user_id, self.user_manager)
        self.assertTrue(self.ask(self.user_sales, name="Заречная кофейня"))
        with self.assertRaisesRegex(UserError, "undone already"):
            merge.action_undo()

    def test_undo_has_an_end(self):
        merge = self.merge()
        with self.assertRaises(AccessError):
            merge.with_user(self.user_sales).action_undo()
        with self.assertRaises(AccessError):
            merge.with_user(self.user_manager).write({"state": "done"})
        self.env.cr.execute(
            "UPDATE crm_partner_merge SET create_date = %s WHERE id = %s",
            [fields.Datetime.now() - timedelta(days=31), merge.id],
        )
        merge.invalidate_recordset()
        with self.assertRaisesRegex(UserError, "final"):
            merge.action_undo()
        self.env["crm.partner.merge"]._gc_records()
        self.assertEqual((merge.state, merge.record), ("expired", False))
        self.assertTrue(merge.summary, "what came from where stays")

    def test_undo_after_a_later_merge(self):
        merge = self.merge()
        third = self.env["res.partner"].create({"name": "Кофейня"})
        self.env["base.partner.merge.automatic.wizard"]._merge([self.client.id, third.id], third)
        self.env.invalidate_all()
        with self.assertRaisesRegex(UserError, "later merge"):
            merge.action_undo()
        # the log of the first merge has gone along
        later = self.env["crm.partner.merge"].search([("partner_id", "=", third.id)]) - merge
        later.action_undo()
        self.env.invalidate_all()
        merge.action_undo()
        self.env.invalidate_all()
        self.assertEqual(self.lead.partner_id.name, "Заречная Кофейня")

    # ------------------------------------------------------------
    # SEARCH AND REVIEW
    # ------------------------------------------------------------

    def search_all(self):
        action = (
            self.env["crm.partner.duplicate.search"].with_user(self.user_manager).action_start()
        )
        self.run_job("ir_cron_crm_partner_duplicate_search")
        search = self.env["crm.partner.duplicate.search"].browse(action["res_id"])
        self.assertEqual((search.state, search.progress), ("done", 100))
        return self.env["crm.partner.duplicate.group"].search(
            [("partner_ids", "in", (self.client | self.twin).ids)]
        )

    def test_search_and_merge(self):
        group = self.search_all()
        self.assertEqual(group.partner_ids, self.client | self.twin)
        self.assertEqual(group.target_id, self.client, "the card with the number stays")
        self.assertGreater(group.score, 0.9)
        self.assertIn("same phone", group.reason_text)
        with self.assertRaises(AccessError):
            group.with_user(self.user_sales).action_merge()
        group.with_user(self.user_manager).action_merge()
        self.env.invalidate_all()
        self.assertFalse(group.exists() or self.twin.exists())
        self.assertFalse(self.env["crm.partner.duplicate.group"].search([("size", "<", 2)]))
        self.assertEqual(self.lead.partner_id, self.client)
        self.assertFalse(self.search_all())

    def test_not_a_duplicate_is_remembered(self):
        self.search_all().with_user(self.user_manager).action_reject()
        self.assertEqual(self.pairs(self.twin).state, "rejected")
        self.assertFalse(self.search_all(), "neither by the search")
        for partner, other in ((self.client, self.twin), (self.twin, self.client)):
            found = (
                self.env["res.partner"]
                .with_user(self.user_sales)
                .get_duplicates({"name": partner.name, "phone": partner.phone}, partner.id)
            )
            self.assertNotIn(other.id, [row["id"] for row in found["candidates"]])
        self.company.crm_duplicate_mode = "block"
        self.twin.with_user(self.user_sales).write({"name": "Заречная кофейня"})
        # the decision holds for the card that the twin is merged into
        third = self.env["res.partner"].create({"name": "Кофейня у моста"})
        self.env["base.partner.merge.automatic.wizard"]._merge([self.twin.id, third.id], third)
        self.assertEqual(self.pairs(third, "rejected").partner_id, self.client)

    def test_member_taken_out(self):
        third = self.env["res.partner"].create(
            {"name": "Заречная Кофейня", "is_company": True, "phone": self.client.phone}
        )
        group = self.search_all()
        self.assertEqual(len(group.partner_ids), 3)
        group = group.with_user(self.user_manager)
        group.partner_ids = [Command.unlink(third.id)]
        group.action_merge()
        self.assertTrue(third.exists())
        self.assertFalse(self.twin.exists())

    def test_two_numbers_are_never_in_one_group(self):
        self.twin.vat = "7736050003"
        between = self.env["res.partner"].create(
            {"name": "Заречная Кофейня", "is_company": True, "phone": self.client.phone}
        )
        for group in self.search_all():
            self.assertFalse({self.client, self.twin} <= set(group.partner_ids), between)

    def test_search_is_killed_and_goes_on(self):
        search = self.env["crm.partner.duplicate.search"].create({})
        # old cards are folded first, page by page
        while not search.position:
            self.assertTrue(search._run_page())
        # the next run of the job takes it up where it was
        self.run_job("ir_cron_crm_partner_duplicate_search")
        self.assertEqual(search.state, "done")
        self.assertGreaterEqual(search.card_count, 2)
        self.assertEqual(self.env["crm.partner.duplicate.search"].search_count([]), 1)
        stopped = self.env["crm.partner.duplicate.search"].create({})
        stopped.with_user(self.user_manager).action_cancel()
        self.assertFalse(stopped._run_page())
        with self.assertRaises(UserError):
            self.env["crm.partner.duplicate.search"].with_user(self.user_sales).action_start()

    def test_colleague_is_merged_by_who_edits_users(self):
        """Else the colleague's login would get the address, and the password, of the other card."""
        colleague = new_test_user(self.env, "dup_colleague", groups="base.group_user")
        bait = self.env["res.partner"].create({"name": "Bait", "email": "bait@merge.example"})
        for target in (bait, colleague.partner_id):
            group = self.env["crm.partner.duplicate.group"].create(
                {"partner_ids": [Command.set([self.client.id, bait.id])]}
            )
            group = group.with_user(self.user_manager)
            group.write(
                {
                    "partner_ids": [Command.set([colleague.partner_id.id, bait.id])],
                    "target_id": target.id,
                }
            )
            with self.assertRaises(AccessError):
                group.action_merge()
        self.assertTrue(bait.exists())
        self.assertNotEqual(colleague.email, "bait@merge.example")
        group.with_user(self.env.ref("base.user_admin")).action_merge()
        self.assertFalse(bait.exists())

    def test_summary_tells_nothing_that_is_for_some_groups_only(self):
        self.twin.signup_type = "secret-kind"
        merge = self.merge()
        self.assertEqual(self.client.signup_type, "secret-kind")
        self.assertIn("https://zarechnaya.example", merge.summary)
        self.assertNotIn("secret-kind", merge.summary)

    def test_status_of_the_register_is_no_obstacle(self):
        pair = self.env["res.partner"].create([{"name": "Pair", "email": "a@pair.example"}] * 2)
        pair[1].counterparty_status = "bankrupt"
        wizard = (
            self.env["base.partner.merge.automatic.wizard"]
            .with_user(self.user_manager)
            .with_context(active_model="res.partner", active_ids=pair.ids)
            .create({"dst_partner_id": pair[0].id})
        )
        wizard.action_merge()
        self.assertEqual(pair[0].counterparty_status, "bankrupt")
        with self.assertRaises(AccessError):
            pair[0].with_user(self.user_manager).with_context(crm_counterparty_merged=True).write(
                {"counterparty_status": "active"}
            )
