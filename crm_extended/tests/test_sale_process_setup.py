import logging

from odoo import Command
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, new_test_user, tagged, users
from odoo.tools import mute_logger

from .common_sale_process import SaleProcessCommon

CHECK_LOGGER = "odoo.addons.crm_extended.models.crm_sale_process_step_check"


@tagged("post_install", "-at_install")
class TestSaleProcessSetup(SaleProcessCommon):
    """Who sets up processes, which deals begin in them, and what holds while deals run."""

    def _get_step(self, stage, process=None):
        return (process or self.process).step_ids.filtered(lambda step: step.stage_id == stage)

    # ------------------------------------------------------------
    # SHAPE
    # ------------------------------------------------------------

    def test_bound_process_can_be_won(self):
        Process = self.env["crm.sale.process"]

        def create(*stages, control="strict"):
            return Process.create(
                {
                    "name": "Shape",
                    "control": control,
                    "step_ids": [
                        Command.create({"sequence": number, "stage_id": stage.id})
                        for number, stage in enumerate(stages)
                    ],
                }
            )

        for control in ("strict", "manual"):
            for stages in (
                (),
                (self.contact,),
                (self.signed,),
                (self.signed, self.contact),
                (self.contact, self.signed, self.offer),
            ):
                with (
                    self.subTest(control=control, stages=stages),
                    self.assertRaises(ValidationError),
                    self.cr.savepoint(),
                ):
                    create(*stages, control=control)
            self.assertTrue(create(self.contact, self.signed, control=control))
        self.assertTrue(create(control="none"))

    def test_shape_holds_on_every_road(self):
        won = self._get_step(self.signed)
        with self.assertRaises(ValidationError), self.cr.savepoint():
            won.unlink()
        with self.assertRaises(ValidationError), self.cr.savepoint():
            won.sequence = 0
        with self.assertRaises(ValidationError), self.cr.savepoint():
            won.stage_id = self.elsewhere
        with self.assertRaises(ValidationError), self.cr.savepoint():
            self.signed.is_won = False
        with self.assertRaises(ValidationError), self.cr.savepoint():
            self.need.is_won = True
        with self.assertRaises(ValidationError), self.cr.savepoint():
            self.env["crm.sale.process.step"].create(
                {"process_id": self.process.id, "stage_id": self.elsewhere.id, "sequence": 9}
            )
        self.folder.control = "none"
        with self.assertRaises(ValidationError), self.cr.savepoint():
            self.folder.control = "strict"

    def test_several_steps_change_at_once(self):
        need, offer, won = (self._get_step(s) for s in (self.need, self.offer, self.signed))
        self.process.write(
            {
                "step_ids": [
                    Command.update(won.id, {"sequence": 2}),
                    Command.update(need.id, {"sequence": 1}),
                    Command.delete(offer.id),
                    Command.create({"stage_id": self.elsewhere.id, "sequence": 1}),
                ]
            }
        )
        self.assertEqual(
            self.process.step_ids.sorted().stage_id,
            self.contact | self.need | self.elsewhere | self.signed,
        )

    def test_context_does_not_defer_the_check(self):
        with self.assertRaises(ValidationError), self.cr.savepoint():
            self.manual.with_context(crm_steps_deferred=True).write({"step_ids": [(5,)]})

    def test_steps_under_deals_stay(self):
        self.lead.write({"email_from": "m@birch.example.com", "stage_id": self.need.id})
        step = self._get_step(self.need)
        with self.assertRaisesRegex(UserError, "1 deals"), self.cr.savepoint():
            step.unlink()
        with self.assertRaisesRegex(UserError, "1 deals"), self.cr.savepoint():
            step.stage_id = self.elsewhere
        self.lead.action_set_lost(lost_reason_id=self.lost_reason.id)
        with self.assertRaisesRegex(UserError, "1 deals"), self.cr.savepoint():
            step.unlink()
        with self.assertRaisesRegex(UserError, "Archive it instead"), self.cr.savepoint():
            self.process.unlink()
        # what nobody stands on, and what the steps ask for, may change
        step.write({"condition": "[]", "order_required": True})
        self._get_step(self.offer).unlink()
        self.manual.unlink()

    def test_archived_process_goes_on(self):
        self.process.write({"is_default": True})
        self.process.action_archive()
        self.assertFalse(self._create_lead("Later", process_id=False).process_id)
        with self.assertRaises(UserError):
            self.lead.stage_id = self.need
        self._lead_to(self.lead, self.signed)
        self.assertEqual(self.lead.won_status, "won")

    def test_copy_is_complete_and_not_the_default(self):
        self.process.is_default = True
        copy = self.process.copy()
        self.assertEqual(copy.step_ids.sorted().stage_id, self.process.step_ids.sorted().stage_id)
        self.assertFalse(copy.is_default)
        self.assertEqual(self._get_step(self.contact, copy).script, "<p>Ask who decides.</p>")

    # ------------------------------------------------------------
    # CONDITIONS
    # ------------------------------------------------------------

    def test_condition_is_checked_when_written(self):
        step = self._get_step(self.need)
        for condition in (
            "[('no_such_field', '=', 1)]",
            "[('expected_revenue', '=']",
            "__import__('os')",
            "[('partner_id.no_such_field', '=', 1)]",
        ):
            with (
                self.subTest(condition=condition),
                self.assertRaisesRegex(ValidationError, "Need"),
                self.cr.savepoint(),
            ):
                step.condition = condition
        with self.assertRaisesRegex(ValidationError, "write the message"), self.cr.savepoint():
            step.condition_message = False

    def test_condition_asks_for_nothing_secret(self):
        """Moving deals would tell the answer about fields that its author may not read."""
        step = self.process.step_ids[:1].with_user(self.user_manager)
        self.assertFalse(
            self.env["res.partner"]
            .with_user(self.user_manager)
            ._has_field_access(self.env["res.partner"]._fields["signup_type"], "read")
        )
        values = {
            "condition": "[('user_id.partner_id.signup_type', '=like', 's%')]",
            "condition_message": "Guess",
        }
        with self.assertRaises(ValidationError):
            step.write(values)

    def test_broken_condition_is_told_and_stops_nobody(self):
        self.lead.write({"email_from": "m@birch.example.com", "stage_id": self.need.id})
        step = self._get_step(self.need)
        # as an upgrade leaves it
        self.env.cr.execute(
            "UPDATE crm_sale_process_step SET condition = %s WHERE id = %s",
            ["[('gone_with_the_upgrade', '=', 1)]", step.id],
        )
        step.invalidate_recordset()
        self.assertIn("gone_with_the_upgrade", step.condition_error)
        self.assertTrue(self.process.has_broken_step)
        lead = self.lead.with_user(self.user_sales)
        with self.assertLogs(CHECK_LOGGER, logging.WARNING):
            self.assertTrue(lead.process_checklist["broken"])
        with mute_logger(CHECK_LOGGER):
            lead.action_step_forward()
        self.assertEqual(lead.stage_id, self.offer)
        self.assertTrue(lead.message_ids.filtered(lambda m: "out of order" in (m.body or "")))

    def test_condition_sees_what_the_user_does_not(self):
        """The rule is the same for everybody: it looks at documents of others, and tells
        no more than yes or no."""
        self._get_step(self.need).write(
            {
                "condition": f"[('order_ids.user_id', '=', {self.user_sales2.id})]",
                "condition_message": "Let the second salesperson quote",
            }
        )
        self.lead.write({"email_from": "m@birch.example.com", "stage_id": self.need.id})
        lead = self.lead.with_user(self.user_sales)
        with self.assertRaisesRegex(UserError, "second salesperson"):
            lead.action_step_forward()
        order = self.env["sale.order"].create(
            {
                "partner_id": self.client.id,
                "opportunity_id": self.lead.id,
                "user_id": self.user_sales2.id,
            }
        )
        self.assertFalse(
            self.env["sale.order"].with_user(self.user_sales).search([("id", "=", order.id)])
        )
        lead.action_step_forward()
        self.assertEqual(lead.stage_id, self.offer)

    def test_required_fields_are_of_deals(self):
        field = self.env["ir.model.fields"]._get("res.partner", "email")
        with self.assertRaisesRegex(ValidationError, "fields of deals"):
            self._get_step(self.need).required_field_ids = field

    def test_field_gone_with_its_module_is_not_asked_for(self):
        field = self.env["ir.model.fields"].create(
            {
                "name": "x_gone",
                "model_id": self.env["ir.model"]._get_id("crm.lead"),
                "ttype": "char",
                "field_description": "Soon gone",
            }
        )
        step = self._get_step(self.contact)
        step.required_field_ids = field
        with self.assertRaisesRegex(UserError, "Soon gone"), self.cr.savepoint():
            self.lead.action_step_forward()
        field.unlink()
        self.lead.action_step_forward()
        self.assertEqual(self.lead.stage_id, self.need)

    # ------------------------------------------------------------
    # EVIDENCE
    # ------------------------------------------------------------

    def test_interactions_that_took_place_count(self):
        self._get_step(self.contact).write(
            {
                "required_field_ids": [Command.clear()],
                "interaction_kind": "call",
                "interaction_count": 2,
            }
        )
        missed = self.env["crm.interaction.outcome"].create({"name": "No luck"})
        talked = self.env["crm.interaction.outcome"].create({"name": "Talked", "reached": True})
        lead = self.lead.with_user(self.user_sales)

        def log(**values):
            return (
                self.env["crm.interaction"]
                .with_user(self.user_sales)
                .create({"subject": "x", "res_model": "crm.lead", "res_id": lead.id, **values})
            )

        def try_forward():
            with self.assertRaisesRegex(UserError, r"Call with the client \(2\)"):
                lead.action_step_forward()

        try_forward()
        log(kind="call")
        log(kind="meeting")
        log(kind="call", state="planned")
        log(kind="call", state="cancelled")
        lead.action_record_outcome(missed.id)
        try_forward()
        lead.action_record_outcome(talked.id)
        lead.action_step_forward()
        self.assertEqual(lead.stage_id, self.need)

    def test_agreement_in_force_counts(self):
        step = self._get_step(self.contact)
        step.write({"required_field_ids": [Command.clear()], "agreement_required": True})
        self.lead.partner_id = self.env["res.partner"].create(
            {"name": "Buyer", "parent_id": self.client.id}
        )
        agreement = self.env["crm.agreement"].create(
            {"partner_id": self.client.id, "kind": "individual", "company_id": self.company.id}
        )
        lead = self.lead.with_user(self.user_sales)
        with self.assertRaisesRegex(UserError, "Agreement with the client"):
            lead.action_step_forward()
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE crm_agreement SET state = 'active' WHERE id = %s", agreement.ids
        )
        agreement.invalidate_recordset()
        lead.action_step_forward()
        self.assertEqual(lead.stage_id, self.need)

    @users("proc_sales")
    def test_missing_evidence_opens_its_door(self):
        lead = self.lead.with_user(self.env.user)
        action = lead.action_process_evidence("interaction")
        self.assertEqual(action["res_model"], "crm.interaction")
        with self.assertRaisesRegex(UserError, "client"):
            lead.action_process_evidence("agreement")
        lead.partner_id = self.client
        self.assertEqual(lead.action_process_evidence("order")["res_model"], "sale.order")
        action = lead.action_process_evidence("agreement")
        self.assertEqual(action["res_model"], "crm.agreement")
        self.assertEqual(action["context"]["default_partner_id"], self.client.id)
        with self.assertRaises(UserError):
            lead.action_process_evidence("unlink")

    # ------------------------------------------------------------
    # ENTRY
    # ------------------------------------------------------------

    def test_plan_starts_on_entry_once(self):
        plan = self.env["mail.activity.plan"].create(
            {
                "name": "Find out the need",
                "res_model": "crm.lead",
                "company_id": False,
                "template_ids": [
                    Command.create(
                        {"summary": "Ask for drawings", "responsible_type": "on_demand"}
                    ),
                    Command.create(
                        {
                            "summary": "Check the credit",
                            "responsible_type": "other",
                            "responsible_id": self.user_manager.id,
                        }
                    ),
                ],
            }
        )
        self._get_step(self.need).activity_plan_id = plan
        self.lead.email_from = "m@birch.example.com"
        lead = self.lead.with_user(self.user_sales)
        lead.action_step_forward()
        activities = self.lead.activity_ids
        self.assertEqual(
            {(a.summary, a.user_id) for a in activities},
            {("Ask for drawings", self.user_sales), ("Check the credit", self.user_manager)},
        )
        lead.action_step_back(self.contact.id, "Wrong person")
        lead.action_step_forward()
        self.assertEqual(len(self.lead.activity_ids), 2, "what is still open is not planned twice")

    def test_plan_starts_with_the_deal(self):
        plan = self.env["mail.activity.plan"].create(
            {
                "name": "First things",
                "res_model": "crm.lead",
                "template_ids": [Command.create({"summary": "Say hello"})],
            }
        )
        self._get_step(self.contact).activity_plan_id = plan
        self.assertEqual(self._create_lead("New one").activity_ids.mapped("summary"), ["Say hello"])

    # ------------------------------------------------------------
    # DEFAULTS
    # ------------------------------------------------------------

    def test_new_deals_get_the_first_process_that_fits(self):
        tag = self.env["crm.tag"].create({"name": "Big kind"})
        self.manual.write({"is_default": True, "sequence": 1, "tag_ids": tag})
        self.process.write({"is_default": True, "sequence": 2, "team_ids": self.team})
        deals = self.env["crm.lead"].create(
            [
                {"name": "Tagged", "type": "opportunity", "tag_ids": tag.ids},
                {"name": "Team", "type": "opportunity", "team_id": self.team.id},
                {"name": "Neither", "type": "opportunity", "user_id": False, "team_id": False},
                {"name": "Lead", "type": "lead", "team_id": self.team.id},
            ]
        )
        self.assertEqual(
            deals.mapped("process_id.name"), ["Any order", "Step by step"], "in this order"
        )
        self.assertEqual(deals[0].process_id, self.manual)
        self.assertEqual(deals[1].process_id, self.process)
        self.assertEqual(deals[:2].stage_id, self.contact)
        self.assertEqual(deals[1].stage_history_ids.stage_id, self.contact, "one stay, not two")

    def test_existing_deals_get_none(self):
        free = self._create_lead("Old", process_id=False, stage_id=self.elsewhere.id)
        self.process.write({"is_default": True})
        free.write({"team_id": self.team.id, "expected_revenue": 5})
        free.write({"stage_id": self.offer.id})
        self.assertFalse(free.process_id)
        self.assertEqual(free.stage_id, self.offer)

    def test_only_administrators_leave_the_process_empty(self):
        self.process.write({"is_default": True, "team_ids": self.team})
        Lead = self.env["crm.lead"]
        values = {
            "name": "No process, please",
            "type": "opportunity",
            "team_id": self.team.id,
            "process_id": False,
        }
        mine = Lead.with_user(self.user_sales).create({**values, "user_id": self.user_sales.id})
        self.assertEqual(mine.process_id, self.process)
        lent = Lead.with_user(self.user_sales).sudo().create(dict(values))
        self.assertEqual(lent.process_id, self.process)
        forged = (
            Lead.with_user(self.user_sales)
            .with_context(default_process_id=False, default_stage_id=self.signed.id)
            .sudo()
        )
        with self.assertRaisesRegex(UserError, "begin at"):
            forged.create({**values, "stage_id": self.signed.id})
        theirs = Lead.with_user(self.user_manager).create(dict(values))
        self.assertFalse(theirs.process_id)

    def test_only_administrators_choose_a_looser_process(self):
        self.process.write({"is_default": True, "team_ids": self.team})
        self.team.member_ids = self.user_sales
        values = {"name": "Loose", "type": "opportunity", "team_id": self.team.id}
        Lead = self.env["crm.lead"].with_user(self.user_sales)
        for process in (self.manual, self.folder):
            loose = {**values, "process_id": process.id, "user_id": self.user_sales.id}
            for Road in (Lead, Lead.sudo(), Lead.with_context(default_process_id=process.id)):
                given = dict(loose)
                if Road.env.context.get("default_process_id"):
                    del given["process_id"]
                with self.assertRaisesRegex(UserError, "Only a sales administrator"):
                    Road.create(given)
            # the road round: a lead, which has no process by itself, becomes a deal
            lead = Lead.create({**loose, "type": "lead"})
            with self.assertRaisesRegex(UserError, "Only a sales administrator"):
                lead.write({"type": "opportunity"})
            with self.assertRaisesRegex(UserError, "Only a sales administrator|use Change Process"):
                Lead.create({**values, "type": "lead"}).write(
                    {"type": "opportunity", "process_id": process.id}
                )
            theirs = self.env["crm.lead"].with_user(self.user_manager).create(loose)
            self.assertEqual(theirs.process_id, process)
        # elsewhere nothing is asked for
        free = Lead.create({**values, "team_id": False, "process_id": self.manual.id})
        self.assertEqual(free.process_id, self.manual)

    def test_new_deal_form_shows_the_process(self):
        self.process.write({"is_default": True, "team_ids": self.team})
        self.team.member_ids = self.user_sales
        view = "crm.crm_lead_view_form"
        with Form(self.env["crm.lead"].with_user(self.user_sales), view=view) as form:
            form.name = "By hand"
            self.assertEqual(form.process_id, self.process)
            self.assertEqual(form.stage_id, self.contact)
        lead = form.save()
        self.assertEqual(lead.stage_id, self.contact)

    def test_copy_begins_anew(self):
        self._lead_to(self.lead, self.offer)
        copy = self.lead.copy()
        self.assertEqual(copy.process_id, self.process)
        self.assertEqual(copy.stage_id, self.contact)

    def test_deal_from_mail_begins_in_its_process(self):
        self.process.write({"is_default": True, "team_ids": self.team})
        lead = self.env["crm.lead"].message_new(
            {"subject": "We need saws", "from": "mill@birch.example.com"},
            {"type": "opportunity", "team_id": self.team.id},
        )
        self.assertEqual(lead.process_id, self.process)
        self.assertEqual(lead.stage_id, self.contact)

    # ------------------------------------------------------------
    # CHANGING THE PROCESS
    # ------------------------------------------------------------

    @users("proc_sales")
    def test_first_step_goes_to_first_step(self):
        other = self.process.sudo().copy({"name": "Other"})
        other.step_ids.sorted()[0].sudo().stage_id = self.elsewhere
        lead = self.lead.with_user(self.env.user)
        lead.process_id = other
        self.assertEqual(lead.stage_id, self.elsewhere)

    @users("proc_sales")
    def test_salesperson_does_not_leave_a_strict_process(self):
        lead = self.lead.with_user(self.env.user)
        for process in (self.manual, self.folder, self.env["crm.sale.process"]):
            with self.subTest(process=process.name):
                with self.assertRaisesRegex(UserError, "Only a sales administrator"):
                    lead.write({"process_id": process.id, "stage_id": self.signed.id})
                with self.assertRaisesRegex(UserError, "Only a sales administrator"):
                    lead.write({"process_id": process.id})
                with self.assertRaisesRegex(UserError, "Only a sales administrator"):
                    self._change(lead, process, self.contact)
        self.assertEqual(lead.process_id, self.process)

    def _change(self, lead, process, stage, reason="It is another kind of deal"):
        action = lead.action_open_process_change()
        form = Form(lead.env["crm.lead.process.change"].with_context(**action["context"]))
        form.process_id = process
        if process.control in ("strict", "manual"):
            form.step_id = self._get_step(stage, process)
        form.reason = reason
        wizard = form.save()
        wizard.action_apply()
        return wizard

    @users("proc_sales")
    def test_existing_deal_joins_where_its_steps_allow(self):
        lead = self._create_lead("Old", process_id=False, stage_id=self.elsewhere.id)
        lead = lead.with_user(self.env.user)
        with self.assertRaisesRegex(UserError, "say where it stands"):
            lead.process_id = self.process
        with self.assertRaisesRegex(UserError, "Email"):
            lead.write({"process_id": self.process.id, "stage_id": self.offer.id})
        with self.assertRaisesRegex(UserError, "Email"), self.cr.savepoint():
            self._change(lead, self.process, self.offer)
        lead.write({"email_from": "m@birch.example.com", "expected_revenue": 300})
        self._change(lead, self.process, self.offer)
        self.assertEqual(lead.process_id, self.process)
        self.assertEqual(lead.stage_id, self.offer)
        note = lead.message_ids.filtered(lambda m: "another kind" in (m.body or ""))
        self.assertEqual(len(note), 1)

    def test_administrator_places_a_deal_with_a_reason(self):
        lead = self._create_lead("Old", process_id=False, stage_id=self.elsewhere.id)
        lead = lead.with_user(self.user_manager)
        with self.assertRaisesRegex(UserError, "Email"):
            lead.write({"process_id": self.process.id, "stage_id": self.offer.id})
        wizard = self._change(lead, self.process, self.offer, "Taken over from the old system")
        self.assertIn("Email", wizard.missing)
        self.assertEqual(lead.stage_id, self.offer)
        self._change(lead, self.env["crm.sale.process"], None, "Too small for a process")
        self.assertFalse(lead.process_id)
        self.assertEqual(lead.stage_id, self.offer)
        self.assertTrue(lead.message_ids.filtered(lambda m: "Too small" in (m.body or "")))

    def test_many_deals_change_together(self):
        leads = self._create_lead("One", process_id=False) | self._create_lead(
            "Two", process_id=False
        )
        self._change(leads.with_user(self.user_manager), self.manual, self.offer)
        self.assertEqual(leads.process_id, self.manual)
        self.assertEqual(leads.stage_id, self.offer)

    # ------------------------------------------------------------
    # CHECK LIST
    # ------------------------------------------------------------

    @users("proc_sales")
    def test_check_list_tells_what_to_do(self):
        lead = self.lead.with_user(self.env.user)
        checklist = lead.process_checklist
        self.assertEqual((checklist["number"], checklist["total"]), (1, 4))
        self.assertEqual(checklist["script"], "<p>Ask who decides.</p>")
        self.assertEqual(
            [(item["name"], item["done"]) for item in checklist["items"]], [("email_from", False)]
        )
        self.assertEqual(checklist["next"], {"id": self.need.id, "name": "Need"})
        self.assertFalse(checklist["back"])
        lead.write({"email_from": "m@birch.example.com", "stage_id": self.need.id})
        lead.email_from = False
        checklist = lead.process_checklist
        self.assertEqual(checklist["open"], ["Email"])
        self.assertTrue(checklist["back"])
        self.assertEqual(lead.process_step_id.stage_id, self.need)

    def test_check_lists_are_computed_together(self):
        leads = self.env["crm.lead"].concat(
            *(self._create_lead(f"List {number}") for number in range(10))
        )
        self.env.flush_all()
        self.env.invalidate_all()
        leads[0].process_checklist  # noqa: B018 warms the registry up
        self.env.invalidate_all()
        start = self.cr.sql_log_count
        leads[:1].process_checklist  # noqa: B018
        one = self.cr.sql_log_count - start
        self.env.invalidate_all()
        start = self.cr.sql_log_count
        leads.mapped("process_checklist")
        self.assertLessEqual(self.cr.sql_log_count - start, one + 2)

    def test_search_by_step(self):
        step = self._get_step(self.contact)
        Lead = self.env["crm.lead"]
        self.assertIn(self.lead, Lead.search([("process_step_id", "=", step.id)]))
        self.assertNotIn(
            self.lead, Lead.search([("process_step_id", "=", self._get_step(self.need).id)])
        )
        self.assertNotIn(self.lead, Lead.search([("process_step_id", "=", False)]))
        free = self._create_lead("Free", process_id=False)
        self.assertIn(free, Lead.search([("process_step_id", "=", False)]))

    # ------------------------------------------------------------
    # RIGHTS AND COMPANIES
    # ------------------------------------------------------------

    def test_administrators_configure_and_salespeople_read(self):
        for user in (self.user_sales, self.user_accountant):
            process = self.process.with_user(user)
            self.assertEqual(process.name, "Step by step")
            self.assertTrue(process.step_ids.mapped("requirement_summary"))
            with self.assertRaises(AccessError):
                process.write({"control": "none"})
            with self.assertRaises(AccessError):
                process.step_ids[0].write({"condition": "[]"})
            with self.assertRaises(AccessError):
                process.env["crm.sale.process"].create({"name": "Mine", "control": "none"})
        with self.assertRaises(AccessError):
            self.process.with_user(self.user_plain).read(["name"])
        process = self.process.with_user(self.user_manager)
        process.step_ids[0].write({"required_field_ids": [Command.clear()]})
        with Form(process) as form:
            form.name = "Renamed"
        self.assertEqual(self.process.name, "Renamed")

    def test_process_of_another_company(self):
        other = self.env["res.company"].create({"name": "Other Mills"})
        manager = new_test_user(
            self.env,
            "proc_other",
            groups="base.group_user,sales_team.group_sale_manager",
            company_id=other.id,
            company_ids=[Command.set(other.ids)],
        )
        theirs = self.process.copy({"name": "Theirs", "company_id": other.id, "is_default": True})
        self.assertFalse(self._create_lead("Ours", process_id=False).process_id)
        with self.assertRaises(UserError), self.cr.savepoint():
            self.lead.process_id = theirs
        with self.assertRaises(AccessError):
            theirs.with_user(self.user_sales).read(["name"])
        lead = (
            self.env["crm.lead"]
            .with_user(manager)
            .create({"name": "Their deal", "type": "opportunity", "user_id": manager.id})
        )
        self.assertEqual(lead.company_id, other)
        self.assertEqual(lead.process_id, theirs)
        with self.assertRaises(UserError):
            lead.stage_id = self.need
        self.process.company_id = False
        with self.assertRaisesRegex(ValidationError, "another company"), self.cr.savepoint():
            self.process.company_id = other

    def test_agreement_of_another_company_is_no_evidence(self):
        other = self.env["res.company"].create({"name": "Other Mills"})
        self._get_step(self.contact).write(
            {"required_field_ids": [Command.clear()], "agreement_required": True}
        )
        self.lead.partner_id = self.client
        agreement = self.env["crm.agreement"].create(
            {"partner_id": self.client.id, "kind": "individual", "company_id": other.id}
        )
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE crm_agreement SET state = 'active' WHERE id = %s", agreement.ids
        )
        agreement.invalidate_recordset()
        with self.assertRaisesRegex(UserError, "Agreement with the client"):
            self.lead.action_step_forward()
