import json
from unittest.mock import patch

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, tagged, users

from ..exceptions import StepBackNeeded
from .common_sale_process import SaleProcessCommon


@tagged("post_install", "-at_install")
class TestSaleProcessRoads(SaleProcessCommon):
    """Every road that moves a deal obeys its process."""

    # ------------------------------------------------------------
    # FORWARD
    # ------------------------------------------------------------

    @users("proc_sales")
    def test_forward_needs_what_the_step_asks_for(self):
        lead = self.lead.with_user(self.env.user)
        with self.assertRaises(UserError) as caught:
            lead.write({"stage_id": self.need.id})
        self.assertIn("Saws for the mill", str(caught.exception))
        self.assertIn("Email", str(caught.exception))
        self.assertEqual(lead.stage_id, self.contact)
        lead.email_from = "mill@birch.example.com"
        lead.write({"stage_id": self.need.id})
        self.assertEqual(lead.stage_id, self.need)
        with self.assertRaisesRegex(UserError, "Agree on a budget over 100"):
            lead.write({"stage_id": self.offer.id})
        lead.expected_revenue = 100
        with self.assertRaisesRegex(UserError, "Agree on a budget over 100"):
            lead.write({"stage_id": self.offer.id})
        lead.expected_revenue = 101
        lead.action_step_forward()
        self.assertEqual(lead.stage_id, self.offer)
        with self.assertRaisesRegex(UserError, "Quotation sent"):
            lead.action_set_won()
        self._complete(lead.sudo())
        lead.action_set_won()
        self.assertEqual(lead.won_status, "won")
        self.assertEqual(lead.stage_id, self.signed)

    @users("proc_sales")
    def test_what_is_saved_with_the_stage_counts(self):
        lead = self.lead.with_user(self.env.user)
        lead.write({"stage_id": self.need.id, "email_from": "mill@birch.example.com"})
        self.assertEqual(lead.stage_id, self.need)

    @users("proc_sales")
    def test_what_the_save_takes_away_counts_too(self):
        lead = self.lead.with_user(self.env.user)
        lead.email_from = "mill@birch.example.com"
        with self.assertRaises(UserError):
            lead.write({"stage_id": self.need.id, "email_from": False})

    @users("proc_sales")
    def test_no_step_is_left_out(self):
        lead = self.lead.with_user(self.env.user)
        self._complete(lead.sudo())
        with self.assertRaisesRegex(UserError, "one step at a time.*Need"):
            lead.write({"stage_id": self.offer.id})
        with self.assertRaisesRegex(UserError, "one step at a time.*Need"):
            lead.action_set_won()
        with self.assertRaisesRegex(UserError, "one step at a time.*Need"):
            lead.action_set_won_rainbowman()

    @users("proc_sales")
    def test_winning_needs_every_step_still(self):
        lead = self.lead.with_user(self.env.user)
        self._lead_to(lead.sudo(), self.offer)
        lead.email_from = False
        with self.assertRaisesRegex(UserError, "Email"):
            lead.action_set_won()
        lead.email_from = "mill@birch.example.com"
        lead.action_set_won()
        self.assertEqual(lead.won_status, "won")

    @users("proc_sales")
    def test_stage_of_another_process_is_refused(self):
        lead = self.lead.with_user(self.env.user)
        for stage in (self.elsewhere, self.env["crm.stage"]):
            with self.assertRaisesRegex(UserError, "is not a stage of process"):
                lead.write({"stage_id": stage.id})

    @users("proc_sales")
    def test_certainty_comes_with_winning(self):
        lead = self.lead.with_user(self.env.user)
        with self.assertRaisesRegex(UserError, "becomes certain"):
            lead.write({"probability": 100})
        with self.assertRaisesRegex(UserError, "becomes certain"):
            self._create_lead("Certain", probability=100)
        lead.write({"probability": 60})
        self.assertEqual(lead.probability, 60)

    @users("proc_sales")
    def test_no_context_key_opens_a_way(self):
        lead = self.lead.with_user(self.env.user)
        for context in (
            {"crm_process_move": True},
            {"crm_process_move": {"lead_ids": lead.ids, "reason": "because"}},
            {"crm_process_move": {"lead_ids": lead.ids}, "crm_process_keep_stage": True},
            {"default_process_id": False, "import_file": True, "install_mode": True},
            {"crm_steps_deferred": True, "tracking_disable": True},
        ):
            with self.subTest(context=context), self.assertRaises(UserError):
                lead.with_context(**context).write({"stage_id": self.need.id})

    def test_superuser_rights_do_not_open_a_way(self):
        with self.assertRaises(UserError):
            self.lead.with_user(self.user_plain).sudo().write({"stage_id": self.need.id})

    # ------------------------------------------------------------
    # BATCHES, LISTS, BOARDS, IMPORTS
    # ------------------------------------------------------------

    @users("proc_sales")
    def test_batch_is_refused_as_a_whole(self):
        ready = self._create_lead("Ready", email_from="ready@birch.example.com")
        second = self._create_lead("Second")
        free = self._create_lead("Free", process_id=False)
        batch = (self.lead | ready | second | free).with_user(self.env.user)
        stages = batch.mapped("stage_id")
        message = None
        try:
            batch.write({"stage_id": self.need.id, "description": "<p>Moved</p>"})
        except UserError as error:
            # not even for a caller that goes on in the same transaction
            message = str(error)
        self.assertTrue(message, "the batch should have been refused")
        self.assertIn("Saws for the mill", message)
        self.assertIn("Second", message)
        self.assertNotIn("Ready", message)
        self.assertEqual(batch.mapped("stage_id"), stages)
        self.assertFalse(any("Moved" in (lead.description or "") for lead in batch))
        (self.lead | second).write({"email_from": "x@birch.example.com"})
        batch.write({"stage_id": self.need.id})
        self.assertEqual(batch.stage_id, self.need)

    @users("proc_sales")
    def test_board_and_form_save(self):
        lead = self.lead.with_user(self.env.user)
        with self.assertRaises(UserError):
            lead.web_save({"stage_id": self.need.id}, {"stage_id": {}})
        with self.assertRaises(UserError):
            # the list edits many at once
            lead.web_save_multi([{"stage_id": self.need.id}], {"stage_id": {}})
        lead.web_save(
            {"stage_id": self.need.id, "email_from": "mill@birch.example.com"}, {"stage_id": {}}
        )
        self.assertEqual(lead.stage_id, self.need)

    @users("proc_sales")
    def test_form_saves_through_the_process(self):
        with self.assertRaises(UserError), Form(self.lead.with_user(self.env.user)) as form:
            form.stage_id = self.need

    @users("proc_manager")
    def test_import_obeys(self):
        self.env["ir.model.data"].sudo().create(
            {
                "module": "__test__",
                "name": "deal_saws",
                "model": "crm.lead",
                "res_id": self.lead.id,
            }
        )
        Lead = self.env["crm.lead"]
        result = Lead.load(["id", "stage_id/.id"], [["__test__.deal_saws", str(self.offer.id)]])
        self.assertFalse(result["ids"])
        self.assertIn("one step at a time", result["messages"][0]["message"])
        self.assertEqual(self.lead.stage_id, self.contact)
        result = Lead.load(
            ["name", "type", "process_id/.id", "stage_id/.id"],
            [
                ["Begins well", "opportunity", str(self.process.id), str(self.contact.id)],
                ["Begins late", "opportunity", str(self.process.id), str(self.signed.id)],
            ],
        )
        self.assertFalse(result["ids"])
        self.assertIn("begin at “Contact”", result["messages"][0]["message"])
        self.assertFalse(Lead.search([("name", "in", ("Begins well", "Begins late"))]))

    @users("proc_manager")
    def test_import_back_names_the_remedy(self):
        self._lead_to(self.lead, self.need)
        self.env["ir.model.data"].sudo().create(
            {
                "module": "__test__",
                "name": "deal_back",
                "model": "crm.lead",
                "res_id": self.lead.id,
            }
        )
        result = self.env["crm.lead"].load(
            ["id", "stage_id/.id"], [["__test__.deal_back", str(self.contact.id)]]
        )
        self.assertIn("Use Step Back", result["messages"][0]["message"])
        self.assertNotIn("ir.actions", result["messages"][0]["message"])
        self.assertEqual(self.lead.stage_id, self.need)

    @users("proc_sales")
    def test_commands_of_other_records_obey(self):
        self.lead.partner_id = self.client
        with self.assertRaises(UserError):
            self.client.with_user(self.env.user).sudo().write(
                {"opportunity_ids": [Command.update(self.lead.id, {"stage_id": self.offer.id})]}
            )

    def test_cost_of_a_batch_does_not_grow_with_it(self):
        leads = self.env["crm.lead"].concat(
            *(self._create_lead(f"Many {number}") for number in range(12))
        )
        leads.write({"email_from": "many@birch.example.com", "expected_revenue": 500})
        leads.write({"stage_id": self.need.id})
        searches = []
        search = type(self.env["crm.lead"]).search

        def count(model, domain, *args, **kwargs):
            if "expected_revenue" in str(domain):
                searches.append(domain)
            return search(model, domain, *args, **kwargs)

        with patch.object(type(self.env["crm.lead"]), "search", count):
            leads.write({"stage_id": self.offer.id})
        self.assertEqual(leads.stage_id, self.offer)
        # one to check, one to see that the condition is in order
        self.assertLessEqual(len(searches), 2)

    # ------------------------------------------------------------
    # BACKWARDS
    # ------------------------------------------------------------

    @users("proc_sales")
    def test_back_needs_a_reason_and_keeps_it(self):
        lead = self.lead.with_user(self.env.user)
        self._lead_to(lead.sudo(), self.offer)
        with self.assertRaises(StepBackNeeded) as caught:
            lead.write({"stage_id": self.contact.id})
        self.assertIn("Use Step Back", str(caught.exception))
        # what the web client needs for its dialog travels as plain values
        _message, action, _button, context = caught.exception.args
        self.assertEqual(action["res_model"], "crm.lead.step.back")
        self.assertEqual(json.loads(json.dumps(context))["default_stage_id"], self.contact.id)
        for reason in ("", "   ", None, False):
            with self.subTest(reason=reason), self.assertRaisesRegex(UserError, "reason"):
                lead.action_step_back(self.contact.id, reason)
        lead.action_step_back(self.contact.id, "The buyer <b>left</b>")
        self.assertEqual(lead.stage_id, self.contact)
        note = lead.message_ids.filtered(lambda m: "Step back" in (m.body or ""))
        self.assertEqual(len(note), 1)
        self.assertIn("The buyer &lt;b&gt;left", note.body)
        stay = lead.stage_history_ids.filtered(lambda s: s.result == "moved_back")
        self.assertEqual(stay.reason, "The buyer <b>left</b>")
        self.assertEqual(stay.stage_id, self.offer)

    @users("proc_sales")
    def test_back_is_no_way_forward(self):
        lead = self.lead.with_user(self.env.user)
        self._complete(lead.sudo())
        for stage in (self.offer, self.signed, self.elsewhere, self.contact):
            with self.subTest(stage=stage.name), self.assertRaises(UserError):
                lead.action_step_back(stage.id, "I want to")
        with self.assertRaises(UserError):
            lead.action_step_back(0, "I want to")

    @users("proc_sales2")
    def test_back_needs_rights_on_the_deal(self):
        self._lead_to(self.lead, self.offer)
        with self.assertRaises(AccessError):
            self.lead.with_user(self.env.user).action_step_back(self.contact.id, "Not mine")

    @users("proc_sales")
    def test_back_from_won(self):
        lead = self.lead.with_user(self.env.user)
        self._lead_to(lead.sudo(), self.signed)
        with self.assertRaises(StepBackNeeded):
            lead.write({"stage_id": self.offer.id})
        lead.action_step_back(self.offer.id, "They asked for another price")
        self.assertEqual(lead.won_status, "pending")
        self.assertLess(lead.probability, 100)
        lead.action_set_won()
        self.assertEqual(lead.won_status, "won")

    @users("proc_sales")
    def test_dialog_goes_back(self):
        lead = self.lead.with_user(self.env.user)
        self._lead_to(lead.sudo(), self.offer)
        action = lead.action_open_step_back()
        form = Form(self.env["crm.lead.step.back"].with_context(**action["context"]))
        self.assertEqual(form.stage_id, self.need)
        form.reason = "Another need came up"
        form.save().action_apply()
        self.assertEqual(lead.stage_id, self.need)

    @users("proc_sales")
    def test_mixed_batch_tells_both(self):
        back = self._create_lead("Goes back", email_from="b@birch.example.com")
        back.write({"expected_revenue": 500})
        back.action_step_forward()
        back.action_step_forward()
        batch = (back | self.lead).with_user(self.env.user)
        with self.assertRaises(UserError) as caught:
            batch.write({"stage_id": self.need.id})
        self.assertNotIsInstance(caught.exception, StepBackNeeded)
        self.assertIn("Goes back", str(caught.exception))
        self.assertIn("Saws for the mill", str(caught.exception))

    # ------------------------------------------------------------
    # TEAMS, MERGING, LOSING, CONVERTING
    # ------------------------------------------------------------

    def test_deal_keeps_its_step_with_another_team(self):
        other = self.env["crm.team"].create({"name": "Others", "company_id": self.company.id})
        self.stages.write({"team_ids": [Command.set(self.team.ids)]})
        self._lead_to(self.lead, self.offer)
        free = self._create_lead("Free", process_id=False, stage_id=self.offer.id)
        (self.lead | free).write({"team_id": other.id})
        self.env.flush_all()
        self.assertEqual(self.lead.stage_id, self.offer)
        self.assertNotEqual(free.stage_id, self.offer, "as Odoo has it")

    def test_merged_deal_stays_at_its_step(self):
        other_team = self.env["crm.team"].create({"name": "Others"})
        self.stages.write({"team_ids": [Command.set(self.team.ids)]})
        self._lead_to(self.lead, self.offer)
        early = self._create_lead("Early")
        merged = (self.lead | early).merge_opportunity(team_id=other_team.id)
        self.assertEqual(merged, self.lead)
        self.assertEqual(merged.stage_id, self.offer)
        self.assertEqual(merged.process_id, self.process)
        self.assertFalse(early.exists())

    def test_merging_takes_no_deal_out_of_a_strict_process(self):
        free = self._create_lead("Further on", process_id=False, stage_id=self.offer.id)
        both = self.lead | free
        with self.assertRaisesRegex(UserError, "Saws for the mill.*Further on.*Change Process"):
            both.with_user(self.user_sales).merge_opportunity()
        self.assertEqual(len(both.exists()), 2)
        # put where its steps allow, it takes the other one in
        self._complete(free)
        free.with_user(self.user_sales).write(
            {"process_id": self.process.id, "stage_id": self.offer.id}
        )
        merged = both.with_user(self.user_sales).merge_opportunity()
        self.assertEqual((merged, merged.process_id), (free, self.process))
        # an administrator may
        other = self._create_lead("Further still", process_id=False, stage_id=self.signed.id)
        other.with_user(self.user_manager).write({"stage_id": self.offer.id, "probability": 99})
        again = (other | self._create_lead("Begun")).with_user(self.user_manager)
        self.assertFalse(again.merge_opportunity().process_id)

    @users("proc_sales")
    def test_lost_deal_comes_back_where_it_stood(self):
        lead = self.lead.with_user(self.env.user)
        self._lead_to(lead.sudo(), self.need)
        lead.action_set_lost(lost_reason_id=self.lost_reason.id)
        with self.assertRaises(UserError):
            lead.write({"stage_id": self.signed.id})
        with self.assertRaises(UserError):
            lead.write({"active": True, "stage_id": self.signed.id, "probability": 100})
        with self.assertRaises(UserError), self.cr.savepoint():
            lead.action_set_won()
        self.assertFalse(lead.active)
        lead.action_restore()
        self.assertEqual(lead.stage_id, self.need)
        self.assertEqual(lead.won_status, "pending")

    def test_converted_lead_begins_at_the_first_step(self):
        self.process.write({"is_default": True, "team_ids": [Command.set(self.team.ids)]})
        Lead = self.env["crm.lead"]
        lead = Lead.create(
            {"name": "Asked on the site", "type": "lead", "team_id": self.team.id, "user_id": False}
        )
        self.assertFalse(lead.process_id, "a lead is not yet a deal")
        lead.stage_id = self.signed
        lead.stage_id = self.need
        wizard = (
            self.env["crm.lead2opportunity.partner"]
            .with_context(active_model="crm.lead", active_id=lead.id, active_ids=lead.ids)
            .create({"name": "convert", "action": "create", "user_id": False})
        )
        wizard.team_id = self.team
        wizard.action_apply()
        self.assertEqual(lead.type, "opportunity")
        self.assertEqual(lead.process_id, self.process)
        self.assertEqual(lead.stage_id, self.contact)

    def test_won_lead_is_no_short_cut(self):
        self.process.write({"is_default": True, "team_ids": [Command.set(self.team.ids)]})
        lead = self.env["crm.lead"].create(
            {"name": "Short cut", "type": "lead", "team_id": self.team.id, "user_id": False}
        )
        lead.action_set_won()
        lead.write({"type": "opportunity"})
        self.assertEqual(lead.stage_id, self.contact)
        self.assertNotEqual(lead.won_status, "won")
        self.assertLess(lead.probability, 100)

    def test_a_deal_turned_into_a_lead_is_held(self):
        with self.assertRaises(UserError):
            self.lead.write({"type": "lead", "stage_id": self.signed.id})
        self.lead.write({"type": "lead"})
        with self.assertRaises(UserError):
            self.lead.write({"stage_id": self.signed.id})

    def test_confirmed_quotation_moves_no_deal(self):
        self._lead_to(self.lead, self.offer)
        order = self.lead.order_ids
        order.order_line = [Command.create({"display_type": "line_note", "name": "As agreed"})]
        order.action_confirm()
        self.assertEqual(self.lead.stage_id, self.offer)
        self.lead.action_set_won()
        self.assertEqual(self.lead.won_status, "won")

    # ------------------------------------------------------------
    # OTHER CONTROLS
    # ------------------------------------------------------------

    @users("proc_sales")
    def test_manual_goes_in_any_order_on_its_stages(self):
        lead = self._create_lead("Manual", process_id=self.manual.id).with_user(self.env.user)
        self.assertEqual(lead.stage_id, self.contact)
        lead.stage_id = self.offer
        lead.stage_id = self.contact
        with self.assertRaisesRegex(UserError, "is not a stage of process"):
            lead.stage_id = self.need
        lead.action_set_won()
        self.assertEqual(lead.stage_id, self.signed)
        lead.stage_id = self.contact
        self.assertEqual(lead.won_status, "pending")

    @users("proc_sales")
    def test_none_is_a_folder(self):
        lead = self._create_lead("Folder", process_id=self.folder.id).with_user(self.env.user)
        self.assertFalse(lead.process_step_id)
        self.assertFalse(lead.process_checklist)
        lead.stage_id = self.elsewhere
        lead.action_set_won()
        self.assertEqual(lead.won_status, "won")

    @users("proc_sales")
    def test_without_a_process_it_is_odoo(self):
        lead = self._create_lead("Plain", process_id=False).with_user(self.env.user)
        self.assertFalse(lead.process_id)
        lead.stage_id = self.elsewhere
        lead.stage_id = self.contact
        lead.write({"probability": 100})
        lead.action_set_won()
        self.assertTrue(lead.stage_id.is_won)
        lead.stage_id = self.contact
        self.assertEqual(lead.won_status, "pending")
