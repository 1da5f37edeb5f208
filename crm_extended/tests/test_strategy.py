from datetime import timedelta
from unittest.mock import patch

from freezegun import freeze_time
from odoo import Command
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import tagged
from odoo.tools import SQL
from psycopg2.errors import UniqueViolation

from .common_interaction import NOW, InteractionCommon

DAY = timedelta(days=1)


@tagged("post_install", "-at_install")
class TestStrategy(InteractionCommon):
    """Rules for events: dry run, switching on, acting once, the log."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.startClassPatcher(freeze_time(NOW))
        cls.env["crm.strategy"].search([]).active = False
        cls.client_company.user_id = cls.user_sales
        cls.client_company.email = "office@amber.example.com"
        cls.agreement = cls.env["crm.agreement"].create(
            {
                "name": "Amber terms",
                "kind": "individual",
                "partner_id": cls.client_company.id,
                "user_id": cls.user_sales.id,
                "company_id": cls.company.id,
                "date_start": (NOW - 300 * DAY).date(),
                "date_end": (NOW + 10 * DAY).date(),
            }
        )
        cls._set_agreement(cls.agreement, state="active")

    @classmethod
    def _set_agreement(cls, agreement, **values):
        """As if it had gone through its approval and its versions, which are tested elsewhere."""
        cls.env.flush_all()
        for name, value in values.items():
            cls.env.execute_query(
                SQL(
                    "UPDATE crm_agreement SET %s = %s WHERE id = %s RETURNING id",
                    SQL.identifier(name),
                    value,
                    agreement.id,
                )
            )
        agreement.invalidate_recordset()

    def _strategy(self, event="agreement_expires", actions=({},), **values):
        return (
            self.env["crm.strategy"]
            .with_user(self.user_manager)
            .create(
                {
                    "name": "Rule",
                    "event": event,
                    "start": "all",
                    "company_id": self.company.id,
                    "domain": f"[('id', '=', {self.agreement.id})]"
                    if event == "agreement_expires"
                    else "[]",
                    "action_ids": [
                        Command.create({"kind": "interaction", "summary": "Renew", **action})
                        for action in actions
                    ],
                    **values,
                }
            )
        )

    def _run(self):
        cron = type(self.env["ir.cron"])
        with patch.object(cron, "_commit_progress", lambda *args, **kwargs: 60.0):
            self.env["crm.strategy"]._cron_strategies()
        self.env.invalidate_all()

    def _calls(self):
        return self.env["crm.interaction"].search([("subject", "=", "Renew")])

    # ------------------------------------------------------------
    # LIFE
    # ------------------------------------------------------------

    def test_ready_rules_are_off(self):
        rules = self.env["crm.strategy"].with_context(active_test=False).search([])
        self.assertGreaterEqual(len(rules), 3)
        self.assertFalse(rules.filtered("is_on"))
        self.assertTrue(all(rule.action_ids for rule in rules))

    def test_dry_run_touches_nobody(self):
        template = self.env["mail.template"].create(
            {
                "name": "Renewal",
                "model_id": self.env["ir.model"]._get_id("crm.agreement"),
                "subject": "Renewal",
                "body_html": "<p>Soon</p>",
            }
        )
        strategy = self._strategy(
            actions=({}, {"kind": "mail", "template_id": template.id}, {"kind": "activity"})
        )
        tables = (
            "crm_interaction",
            "mail_mail",
            "mail_message",
            "mail_activity",
            "crm_strategy_run",
        )

        def count():
            self.env.flush_all()
            return [self._count(table) for table in tables]

        before = count()
        action = strategy.action_dry_run()
        self.assertEqual(count(), before)
        preview = (
            self.env[action["res_model"]].with_user(self.user_manager).browse(action["res_id"])
        )
        self.assertEqual(preview.count, 1)
        self.assertEqual(preview.line_ids.res_id, self.agreement.id)
        self.assertIn("int_sales", preview.line_ids.result)
        self.assertIn("Send a mail: Renewal", preview.line_ids.result)
        self.assertEqual(
            preview.action_open_records()["domain"], [("id", "in", self.agreement.ids)]
        )
        self.assertFalse(strategy.is_on)

    def _count(self, table):
        self.env.cr.execute(f"SELECT COUNT(*) FROM {table}")  # pylint: disable=sql-injection
        return self.env.cr.fetchone()[0]

    def test_acts_once_and_again_when_it_happens_again(self):
        strategy = self._strategy()
        self._run()
        self.assertFalse(self._calls(), "it is not switched on")
        strategy.action_switch_on()
        self._run()
        self._run()
        call = self._calls()
        self.assertEqual(len(call), 1)
        self.assertEqual((call.state, call.user_id), ("planned", self.user_sales))
        self.assertEqual((call.res_model, call.res_id), ("crm.agreement", self.agreement.id))
        run = strategy.run_ids
        self.assertEqual((run.state, run.res_id), ("done", self.agreement.id))
        self.assertEqual((strategy.done_count, strategy.month_count), (1, 1))
        # a new term: the event is another one
        self._set_agreement(self.agreement, date_end=(NOW + 20 * DAY).date())
        self._run()
        self.assertEqual(len(self._calls()), 2)
        strategy.action_switch_off()
        self._set_agreement(self.agreement, date_end=(NOW + 21 * DAY).date())
        self._run()
        self.assertEqual(len(self._calls()), 2)

    def test_from_now_on(self):
        strategy = self._strategy(start="new")
        strategy.action_switch_on()
        self._run()
        self.assertFalse(self._calls())
        self.assertEqual(strategy.run_ids.state, "skipped")
        self.assertEqual(strategy.done_count, 0)

    def test_limit_per_day(self):
        agreements = self.agreement | self.agreement.sudo().copy({"name": "Second"})
        self._set_agreement(agreements[1], state="active", date_end=(NOW + 5 * DAY).date())
        strategy = self._strategy(domain=f"[('id', 'in', {agreements.ids})]", daily_limit=1)
        strategy.action_switch_on()
        self._run()
        self.assertEqual(len(self._calls()), 1)
        with freeze_time(NOW + 1.1 * DAY):
            self._run()
            self.assertEqual(len(self._calls()), 2)

    def test_failure_is_logged_and_stops_no_other(self):
        broken = self._strategy(actions=({"kind": "hand_over", "user_id": self.user_sales2.id},))
        other = self.env["res.company"].create({"name": "Elsewhere"})
        self.user_sales2.write({"company_id": other.id, "company_ids": [Command.set(other.ids)]})
        fine = self._strategy()
        (broken | fine).action_switch_on()
        self._run()
        self.assertEqual(broken.run_ids.state, "failed")
        self.assertIn("does not work for", broken.run_ids.result)
        self.assertEqual(len(self._calls()), 1)
        self._run()
        self.assertEqual(len(broken.run_ids), 1, "not tried for ever")

    def test_conditions_out_of_order(self):
        strategy = self._strategy()
        strategy.action_switch_on()
        self.env.cr.execute(
            "UPDATE crm_strategy SET domain = '[(''nowhere'', ''='', 1)]' WHERE id = %s",
            [strategy.id],
        )
        self.env.invalidate_all()
        with self.assertLogs("odoo.addons.crm_extended.models.crm_strategy_run", "ERROR"):
            self._run()
        self.assertIn("nowhere", strategy.error)
        with self.assertRaisesRegex(ValidationError, "Conditions"):
            self._strategy(domain="[('nowhere', '=', 1)]")

    def test_two_jobs_log_once(self):
        strategy = self._strategy().sudo()
        strategy._answer(self.agreement, "x", NOW)
        with self.assertRaises(UniqueViolation), self.env.cr.savepoint():
            strategy._answer(self.agreement, "x", NOW)

    # ------------------------------------------------------------
    # ACTIONS
    # ------------------------------------------------------------

    def test_mail_respects_the_blacklist(self):
        template = self.env["mail.template"].create(
            {
                "name": "Renewal",
                "model_id": self.env["ir.model"]._get_id("res.partner"),
                "subject": "Renewal of {{ object.name }}",
                "body_html": "<p>Soon</p>",
            }
        )
        action = {"kind": "mail", "template_id": template.id}
        strategy = self._strategy(actions=(action,))
        strategy.action_switch_on()
        self._run()
        mail = self.env["mail.mail"].search([("subject", "=", "Renewal of Amber Yard")])
        self.assertEqual(mail.recipient_ids, self.client_company)
        self.env["mail.blacklist"]._add("office@amber.example.com")
        second = self._strategy(actions=(action,))
        second.action_switch_on()
        self._run()
        self.assertIn("does not want mail", second.run_ids.result)
        self.assertEqual(
            self.env["mail.mail"].search_count([("subject", "=", "Renewal of Amber Yard")]), 1
        )

    def test_other_actions(self):
        segment = self.env["crm.segment"].create(
            {"name": "Renewals", "kind": "static", "company_id": self.company.id}
        )
        tag = self.env["res.partner.category"].create({"name": "Renews"})
        plan = self.env["mail.activity.plan"].create(
            {
                "name": "Renewal",
                "res_model": "res.partner",
                "template_ids": [
                    Command.create(
                        {
                            "activity_type_id": self.env.ref("mail.mail_activity_data_todo").id,
                            "summary": "Prepare",
                            "responsible_type": "on_demand",
                        }
                    )
                ],
            }
        )
        server = self.env["ir.actions.server"].create(
            {
                "name": "Mark",
                "model_id": self.env["ir.model"]._get_id("crm.agreement"),
                "state": "code",
                "code": "record.message_post(body='Server action')",
            }
        )
        strategy = self._strategy(
            actions=(
                {"kind": "segment", "segment_id": segment.id},
                {"kind": "tag", "category_id": tag.id},
                {"kind": "plan", "plan_id": plan.id},
                {"kind": "activity", "assign": "user", "user_id": self.user_sales2.id},
                {"kind": "hand_over", "user_id": self.user_all.id},
            )
        )
        strategy.sudo().automation_id.action_server_ids = server
        strategy.action_switch_on()
        self.assertTrue(strategy.sudo().automation_id.active)
        self._run()
        self.assertEqual(strategy.run_ids.state, "done", strategy.run_ids.result)
        self.assertEqual(segment.member_ids.partner_id, self.client_company)
        self.assertIn(tag, self.client_company.category_id)
        self.assertEqual(self.client_company.activity_ids.summary, "Prepare")
        self.assertEqual(self.client_company.activity_ids.user_id, self.user_sales)
        self.assertEqual(self.agreement.activity_ids.user_id, self.user_sales2)
        self.assertEqual(self.agreement.user_id, self.user_all)
        self.assertIn("Server action", self.agreement.message_ids.mapped("body")[0])
        self.assertIn("Mark", strategy.run_ids.result)

    def test_work_goes_to_who_is_there(self):
        self.env["crm.absence"].create(
            {
                "user_id": self.user_sales.id,
                "substitute_id": self.user_sales2.id,
                "date_from": NOW - DAY,
                "date_to": NOW + 9 * DAY,
            }
        )
        strategy = self._strategy()
        strategy.action_switch_on()
        self._run()
        self.assertEqual(self._calls().user_id, self.user_sales2)

    def test_incomplete_actions(self):
        with self.assertRaisesRegex(ValidationError, "“Mail” is missing"):
            self._strategy(actions=({"kind": "mail"},))
        plan = self.env["mail.activity.plan"].create({"name": "Deals", "res_model": "crm.lead"})
        with self.assertRaisesRegex(ValidationError, "other records"):
            self._strategy(actions=({"kind": "plan", "plan_id": plan.id},))
        with self.assertRaisesRegex(UserError, "add an action"):
            self._strategy(actions=()).action_switch_on()

    # ------------------------------------------------------------
    # EVENTS
    # ------------------------------------------------------------

    def test_no_contact(self):
        client = self.client_company.copy({"name": "Silent", "email": False})
        strategy = self._strategy("no_contact", days=30, domain=f"[('id', '=', {client.id})]")
        find = strategy._get_occurrences
        self.assertFalse(find(NOW), "never a client of ours")
        self._log(document=client, user=self.user_manager, date_start=NOW - 31 * DAY)
        self.env.flush_all()
        self.assertEqual([record.id for record, __ in find(NOW)], client.ids)
        planned = self._log(
            document=client, user=self.user_manager, state="planned", date_start=NOW + DAY
        )
        self.env.flush_all()
        self.assertFalse(find(NOW), "something is planned")
        planned.write({"state": "cancelled"})
        self._log(document=client, user=self.user_manager, date_start=NOW - 29 * DAY)
        self.env.flush_all()
        self.assertFalse(find(NOW))

    def test_big_payment(self):
        journal = self.env["account.journal"].search(
            [("type", "=", "bank"), ("company_id", "=", self.company.id)], limit=1
        )
        if not journal:
            journal = self.env["account.journal"].create(
                {"name": "Bank", "code": "STRB", "type": "bank", "company_id": self.company.id}
            )
        small, big = self.env["account.payment"].create(
            [
                {
                    "payment_type": "inbound",
                    "partner_type": "customer",
                    "partner_id": self.client_company.id,
                    "amount": amount,
                    "date": NOW.date(),
                    "journal_id": journal.id,
                }
                for amount in (50, 5000)
            ]
        )
        (small | big).action_post()
        strategy = self._strategy("big_payment", amount=1000, actions=({"kind": "interaction"},))
        found = strategy._get_occurrences(NOW)
        self.assertIn(big, [record for record, __ in found])
        self.assertNotIn(small, [record for record, __ in found])
        strategy.action_switch_on()
        self._run()
        call = self._calls().filtered(lambda row: row.partner_id == self.client_company)
        self.assertEqual((call.res_model, call.user_id), ("res.partner", self.user_sales))

    def test_acts_soon_after_the_event(self):
        """Odoo's automation rules wake the job as soon as it may have happened; no others do."""
        journal = self.env["account.journal"].search(
            [("type", "=", "bank"), ("company_id", "=", self.company.id)], limit=1
        ) or self.env["account.journal"].create(
            {"name": "Bank", "code": "STRB", "type": "bank", "company_id": self.company.id}
        )
        cron = self.env.ref("crm_extended.ir_cron_crm_strategy")

        def pay(amount, **values):
            payment = self.env["account.payment"].create(
                {
                    "payment_type": "inbound",
                    "partner_type": "customer",
                    "partner_id": self.client_company.id,
                    "amount": amount,
                    "date": NOW.date(),
                    "journal_id": journal.id,
                    **values,
                }
            )
            self.env.cr.precommit.data.pop("crm_strategy_woken", None)
            triggers = self.env["ir.cron.trigger"].search([("cron_id", "=", cron.id)])
            payment.action_post()
            self.env.flush_all()
            return payment, len(triggers.search([("cron_id", "=", cron.id)]) - triggers)

        strategy = self._strategy("big_payment", amount=1000, actions=({"summary": "Renew"},))
        self.assertEqual(pay(5000)[1], 0, "nobody listens")
        strategy.action_switch_on()
        listener = self.env["base.automation"].search([("crm_strategy_event", "=", "big_payment")])
        self.assertEqual((listener.trigger, listener.active), ("on_create_or_write", True))
        self._run()
        before = self._calls()
        payment, woken = pay(7000)
        self.assertEqual(woken, 1)
        self.assertEqual(pay(7000, payment_type="outbound")[1], 0, "what we pay is no such event")
        self._run()
        self.assertEqual(len(self._calls() - before), 1)
        self.assertIn(payment.id, strategy.run_ids.mapped("res_id"))
        strategy.action_switch_off()
        self.assertFalse(listener.active)
        self.assertEqual(pay(9000)[1], 0)
        strategy.action_switch_on()
        self.assertTrue(listener.active, "the same rule again")
        strategy.unlink()
        self.assertFalse(listener.active)

    # ------------------------------------------------------------
    # RIGHTS
    # ------------------------------------------------------------

    def test_rights(self):
        strategy = self._strategy()
        for user in (self.user_sales, self.user_all, self.user_accountant):
            with self.assertRaises(AccessError):
                strategy.with_user(user).read(["name"])
            with self.assertRaises(AccessError):
                strategy.with_user(user).action_dry_run()
            with self.assertRaises(AccessError):
                strategy.with_user(user).action_switch_on()
        for vals in ({"is_on": True}, {"automation_id": False}, {"error": "x"}):
            with self.assertRaises(AccessError):
                strategy.write(vals)
        forged = strategy.with_context(default_is_on=True).create(
            {"name": "Forged", "event": "no_contact"}
        )
        self.assertFalse(forged.is_on)
        with self.assertRaises(AccessError):
            self.env["crm.strategy.run"].with_user(self.user_manager).create({})
        automation_sudo = strategy.sudo().automation_id
        self.assertEqual((automation_sudo.trigger, automation_sudo.active), ("crm_strategy", False))
        strategy.unlink()
        self.assertFalse(automation_sudo.exists())

    def test_conditions_ask_for_the_rights_of_who_writes_them(self):
        """Whom a strategy would touch is counted with all rights: it would tell anything."""
        strategy = self._strategy()
        for domain in (
            "[('partner_id.signup_type', '=like', 'A%')]",
            "[('user_id.partner_id.signup_type', '!=', False)]",
        ):
            with self.assertRaises(AccessError), self.env.cr.savepoint():
                strategy.domain = domain
            with self.assertRaises(AccessError), self.env.cr.savepoint():
                self._strategy(domain=domain)

    def test_secret_agreements(self):
        strategy = self._strategy()
        self._set_agreement(self.agreement, title="Velvet terms")
        strategy.sudo()._answer(self.agreement, "x", NOW)
        self.assertEqual(strategy.run_ids.name, self.agreement.name, "by its number only")
        strategy.sudo().run_ids.unlink()

        def count():
            preview = self.env["crm.strategy.preview"].with_user(self.user_manager)
            return preview.browse(strategy.action_dry_run()["res_id"]).count

        self.assertEqual(count(), 1)
        self.env["crm.secrecy.rule"].create({"name": "Terms", "subject": "agreement"})
        self.assertEqual(count(), 0)

    def test_companies_of_others(self):
        """Who works in one company decides nothing for the others, nor is told of them."""
        everywhere = self._strategy(company_id=False)
        other = self.env["res.company"].create({"name": "Second House"})
        self.assertTrue(everywhere._get_occurrences(NOW))
        for change in (
            everywhere.action_switch_on,
            lambda: everywhere.write({"days": 5}),
            lambda: everywhere.action_ids.write({"delay": 5}),
            lambda: self._strategy(company_id=False),
            lambda: self._strategy().write({"company_id": False}),
            lambda: self._strategy().write({"company_id": other.id}),
            lambda: self._strategy().action_ids.write({"strategy_id": everywhere.id}),
        ):
            with self.assertRaises(AccessError), self.env.cr.savepoint():
                change()
        self.env.invalidate_all()
        copy = everywhere.copy()
        self.assertEqual(copy.company_id, self.company)
        self.assertTrue(copy.action_switch_on())
        new = everywhere.create({"name": "New", "event": "no_contact"})
        self.assertEqual(new.company_id, self.company)
        self._set_agreement(self.agreement, company_id=other.id)
        preview = self.env["crm.strategy.preview"].browse(everywhere.action_dry_run()["res_id"])
        self.assertFalse(preview.line_ids)
        everywhere.sudo()._answer(self.agreement, "x", NOW)
        self.assertEqual(everywhere.sudo().run_ids.company_id, other)
        runs = self.env["crm.strategy.run"].with_user(self.user_manager)
        self.assertFalse(
            runs.search([("strategy_id", "=", everywhere.id)]), "its name is not told in the log"
        )
        self.user_manager.company_ids += other
        self.assertTrue(everywhere.with_user(self.user_manager).action_switch_on())

    def test_two_companies(self):
        other = self.env["res.company"].create({"name": "Second House"})
        strategy = self._strategy().sudo()
        strategy.company_id = other
        self.assertFalse(strategy._get_occurrences(NOW))
        with self.assertRaises(AccessError):
            strategy.with_user(self.user_manager).read(["name"])
