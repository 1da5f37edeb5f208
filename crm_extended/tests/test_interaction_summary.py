from datetime import timedelta

from odoo import Command, fields
from odoo.exceptions import AccessError
from odoo.tests import tagged, users, warmup

from .common_interaction import NOW, InteractionCommon


@tagged("post_install", "-at_install")
class TestInteractionSummary(InteractionCommon):
    """What a conversation tells about its interactions, however they change."""

    def _assert_summary(self, chain, count, unhandled=0, first=False, last=False, following=False):
        self.env.flush_all()
        self.env.invalidate_all()
        self.assertRecordValues(
            chain,
            [
                {
                    "interaction_count": count,
                    "unhandled_count": unhandled,
                    "date_first": first,
                    "date_last": last,
                    "date_next": following,
                }
            ],
        )

    def test_created_and_written(self):
        day = timedelta(days=1)
        first = self._log(date_start=NOW)
        chain = first.chain_id
        self._assert_summary(chain, 1, 0, NOW, NOW)
        arrived = self._log(kind="email", direction="in", state="new", date_start=NOW + day)
        planned = self._log(state="planned", date_start=NOW + 3 * day)
        self._assert_summary(chain, 3, 1, NOW, NOW + day, NOW + 3 * day)
        planned.write({"state": "postponed", "date_deadline": NOW + 5 * day})
        self._assert_summary(chain, 3, 1, NOW, NOW + day, NOW + 5 * day)
        arrived.action_done()
        first.date_start = NOW - day
        self._assert_summary(chain, 3, 0, NOW - day, NOW + day, NOW + 5 * day)
        planned.action_cancel()
        self._assert_summary(chain, 3, 0, NOW - day, NOW + day)

    def test_moved_and_deleted(self):
        first, second = self._log(date_start=NOW), self._log(date_start=NOW + timedelta(hours=1))
        source = first.chain_id
        target = self._log(document=self.client_company, date_start=NOW).chain_id
        second.chain_id = target
        self._assert_summary(source, 1, 0, NOW, NOW)
        self._assert_summary(target, 2, 0, NOW, NOW + timedelta(hours=1))
        second.with_user(self.user_manager).unlink()
        self._assert_summary(target, 1, 0, NOW, NOW)
        (first + target.interaction_ids).with_user(self.user_manager).unlink()
        self._assert_summary(source, 0)
        self._assert_summary(target, 0)

    def test_chains_merged(self):
        other = self.lead.copy({"name": "Twin"})
        self._log(date_start=NOW)
        self._log(document=other, kind="email", direction="in", state="new", date_start=NOW)
        result = (self.lead + other).merge_opportunity()
        self._assert_summary(result.interaction_chain_id, 2, 1, NOW, NOW)

    def test_company_moved(self):
        company = self.env["res.company"].create({"name": "Second"})
        chain = self._log(date_start=NOW).chain_id.sudo()
        self.lead.write({"user_id": False, "team_id": False, "partner_id": False})
        self.client_contact.company_id = False
        self.lead.company_id = company
        self.assertEqual(chain.interaction_ids.company_id, company)
        self._assert_summary(chain, 1, 0, NOW, NOW)

    @users("int_sales")
    def test_created_with_interactions(self):
        chain = self.env["crm.interaction.chain"].create(
            {
                "name": "At once",
                "interaction_ids": [
                    Command.create({"subject": "One", "date_start": NOW}),
                    Command.create({"subject": "Two", "date_start": NOW, "state": "planned"}),
                ],
            }
        )
        self._assert_summary(chain, 2, 0, NOW, NOW, NOW)

    @users("int_sales")
    def test_not_set_by_hand(self):
        chain = self._log(kind="email", direction="in", state="new").chain_id
        for values in ({"unhandled_count": 0}, {"date_next": fields.Datetime.now()}):
            with self.assertRaises(AccessError):
                chain.write(values)
        forged = self.env["crm.interaction.chain"].create({"name": "x", "unhandled_count": 7})
        self.assertEqual(forged.unhandled_count, 0)
        forged = (
            self.env["crm.interaction.chain"]
            .with_context(default_unhandled_count=7)
            .create({"name": "x"})
        )
        self.assertEqual(forged.unhandled_count, 0)

    @warmup
    def test_one_statement_for_all(self):
        """Ten conversations are counted by the statement that counts one."""
        leads = self.env["crm.lead"].create(
            [{"name": str(number), "type": "opportunity"} for number in range(11)]
        )
        interactions = self.env["crm.interaction"].create(
            [
                {"subject": "x", "res_model": "crm.lead", "res_id": lead.id, "kind": "email",
                 "direction": "in", "state": "new", "date_start": NOW}
                for lead in leads
            ]
        )  # fmt: skip
        self.env.flush_all()
        later = NOW + timedelta(hours=1)
        queries = []
        for some in (interactions[:1], interactions[1:]):
            before = self.env.cr.sql_log_count
            some.write({"date_start": later})
            self.env.flush_all()
            queries.append(self.env.cr.sql_log_count - before)
            self.assertEqual(set(some.chain_id.mapped("date_last")), {later})
            self.env.flush_all()
        # the interactions, their conversations; others may look at the first of a transaction
        self.assertLessEqual(queries[1], queries[0])
        self.assertLessEqual(queries[0], 3)

    def test_guests(self):
        """Who answers in somebody else's conversation sees it, as long as it is so."""
        interaction = self._log()
        chain = interaction.chain_id.sudo()
        self.assertFalse(chain.guest_user_ids)
        self.assertFalse(chain.with_user(self.user_sales2).has_access("read"))
        interaction.sudo().user_id = self.user_sales2
        self.assertEqual(chain.guest_user_ids, self.user_sales2)
        chains = self.env["crm.interaction.chain"].with_user(self.user_sales2)
        self.assertEqual(chains.search([("id", "=", chain.id)]), chain)
        self.lead.user_id = self.user_sales2
        self.assertFalse(chain.guest_user_ids)
        self.assertTrue(chain.with_user(self.user_sales2).has_access("read"))
        self.lead.user_id = self.user_sales
        self.assertEqual(chain.guest_user_ids, self.user_sales2)
        interaction.sudo().user_id = self.user_sales
        self.assertFalse(chain.with_user(self.user_sales2).has_access("read"))
        with self.assertRaises(AccessError):
            chain.with_user(self.user_sales).guest_user_ids = self.user_sales2

    def test_seen_by_responsible_of_the_conversation(self):
        """A conversation that changes hands, or an interaction its conversation, is followed."""
        interaction = self._log(user_id=self.user_all.id)
        self.assertEqual(interaction.chain_user_id, self.user_sales)
        self.assertTrue(interaction.with_user(self.user_sales).has_access("read"))
        self.lead.user_id = self.user_sales2
        self.assertEqual(interaction.chain_user_id, self.user_sales2)
        for user, sees in ((self.user_sales, False), (self.user_sales2, True)):
            found = (
                self.env["crm.interaction"].with_user(user).search([("id", "=", interaction.id)])
            )
            self.assertEqual(bool(found), sees)
        with self.assertRaises(AccessError):
            interaction.with_user(self.user_sales2).chain_user_id = self.user_sales
