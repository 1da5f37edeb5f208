import re
from contextlib import contextmanager
from unittest.mock import patch

from odoo import Command
from odoo.sql_db import Cursor
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from .test_stage_history import StageHistoryCommon

# what this add-on looks up or writes down about a deal
OWN_TABLES = re.compile(
    r"\bcrm_(interaction\w*|lead_stage_history|lead_objection|objection\w*|sale_process\w*)\b"
)
COUNT = 50


@tagged("post_install", "-at_install")
class TestLeadCost(StageHistoryCommon):
    """What this add-on adds to Odoo's own work on many deals, in queries.

    Only queries on our own tables are counted, so that the figures hold beside any other add-on;
    and updates of the deals themselves, which Odoo would do together if nobody made it hurry.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.partner = cls.env["res.partner"].create({"name": "Cost Client"})
        cls.buyer = new_test_user(
            cls.env, "cost_manager", groups="sales_team.group_sale_manager,base.group_user"
        )

    @contextmanager
    def _assert_cost(self, own, updates=None):
        """Allow at most `own` queries on our tables and `updates` updates of deals."""
        queries = []
        execute = Cursor.execute

        def record(cursor, query, params=None, log_exceptions=True):
            queries.append(query if isinstance(query, str) else query.code)
            return execute(cursor, query, params, log_exceptions)

        self.env.flush_all()
        self.env.cr.flush()
        self.env.invalidate_all()
        with patch.object(Cursor, "execute", record):
            yield
            self.env.flush_all()
        ours = [query for query in queries if OWN_TABLES.search(query)]
        self.assertLessEqual(len(ours), own, "\n".join(query[:150] for query in ours))
        if updates is not None:
            hurried = [query for query in queries if query.startswith('UPDATE "crm_lead" ')]
            self.assertLessEqual(len(hurried), updates, "\n".join(q[:150] for q in hurried))

    def _create_leads(self, **values):
        return self._create(COUNT, **values).with_context(tracking_disable=True)

    def test_create(self):
        self._create()
        with self._assert_cost(own=3):
            self._create(COUNT)

    def test_write_user(self):
        leads = self._create_leads()
        with self._assert_cost(own=5):
            leads.write({"user_id": self.sales2.id})
        self.assertEqual(leads.stage_history_ids.user_id, self.sales2)

    def test_write_user_one_by_one(self):
        leads = self._create_leads()
        with self._assert_cost(own=5, updates=5):
            for lead in leads:
                lead.user_id = self.sales2
        self.assertEqual(leads.stage_history_ids.user_id, self.sales2)

    def test_write_stage(self):
        leads = self._create_leads()
        with self._assert_cost(own=6):
            leads.write({"stage_id": self.b.id})
        self.assertEqual(len(leads.stage_history_ids), 2 * COUNT)

    def test_write_stage_one_by_one(self):
        """The end of one stay and the beginning of the next are written for each deal."""
        leads = self._create_leads()
        with self._assert_cost(own=2 * COUNT + 4):
            for lead in leads:
                lead.stage_id = self.b
        self.assertEqual(len(leads.stage_history_ids), 2 * COUNT)

    def test_write_what_concerns_nobody(self):
        leads = self._create_leads()
        with self._assert_cost(own=0, updates=1):
            for lead in leads:
                lead.color = 3

    def test_lose_and_restore(self):
        leads = self._create_leads()
        with self._assert_cost(own=8):
            leads.action_set_lost()
        with self._assert_cost(own=8):
            leads.action_unarchive()

    def test_archive_and_restore_in_one_transaction(self):
        lead = self._create()
        # archived at 0 % it would be lost
        lead.probability = 40
        for active in (False, True, False, True):
            lead.active = active
        self._assert_way(lead, "A-A-A")

    def test_win(self):
        leads = self._create_leads()
        with self._assert_cost(own=10):
            leads.action_set_won()

    @mute_logger("odoo.models.unlink")
    def test_merge(self):
        """Odoo moves the messages of merged deals one by one."""
        leads = self._create(5)
        for lead in leads:
            for number in range(10):
                lead.message_post(body=f"Note {number}")
        with self._assert_cost(own=35):
            leads.with_user(self.buyer).merge_opportunity(auto_unlink=False)

    def test_assign(self):
        """Leads handed out among salespeople become opportunities one by one.

        Each begins its first stay, and is asked once whether it is talked about.
        """
        leads = self._create_leads(type="lead", user_id=False, stage_id=False)
        self.env["crm.team.member"].search([("crm_team_id", "=", self.team.id)]).write(
            {"assignment_max": 60 * COUNT, "assignment_optout": False}
        )
        self.team.write({"assignment_optout": False})
        with self._assert_cost(own=3 * COUNT + 10):
            for lead in leads:
                lead.convert_opportunity(
                    self.partner, user_ids=self.sales2.ids, team_id=self.team.id
                )
        self.assertEqual(leads.user_id, self.sales2)
        self.assertEqual(len(leads.stage_history_ids), COUNT)

    def test_conversations_are_found_beside_others(self):
        """The chains of deals written one by one are found together, and each follows its deal."""
        leads = self._create_leads()
        talked = leads[:2]
        self.env["crm.interaction"].create(
            [
                {"res_model": "crm.lead", "res_id": lead.id, "subject": "Talk", "kind": "call"}
                for lead in talked
            ]
        )
        self.env.invalidate_all()
        for lead in leads:
            lead.write({"name": f"Renamed {lead.id}", "user_id": self.sales2.id})
        chains = talked.mapped("interaction_chain_id")
        self.assertEqual(len(chains), 2)
        self.assertEqual(chains.mapped("name"), talked.mapped("name"))
        self.assertEqual(chains.user_id, self.sales2)
        # a chain that begins after its deal has been asked for it is known, too
        lead = leads[5]
        self.env["crm.interaction"].create(
            {"res_model": "crm.lead", "res_id": lead.id, "subject": "Talk", "kind": "call"}
        )
        lead.name = "Renamed again"
        self.assertEqual(lead.interaction_chain_id.name, "Renamed again")

    def test_stays_hidden_from_the_reader(self):
        """Whoever cannot read a stay does not make the deal begin another one."""
        company = self.env["res.company"].create({"name": "Cost Elsewhere"})
        lead = self._create()
        lead.stage_history_ids.sudo().write({"company_id": company.id})
        self.env.invalidate_all()
        self.manager.write({"company_ids": [Command.set(self.env.company.ids)]})
        lead = lead.with_user(self.manager)
        self.assertFalse(lead.stage_history_ids)
        lead.stage_id = self.b
        self.assertEqual(
            lead.sudo().stage_history_log_ids.sorted().mapped("result"), ["open", "moved_forward"]
        )
