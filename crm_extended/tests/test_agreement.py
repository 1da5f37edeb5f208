from freezegun import freeze_time
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command, Date
from odoo.tests import Form, tagged, users

from .agreement_common import AgreementCommon


@tagged("post_install", "-at_install")
class TestAgreement(AgreementCommon):
    # Life ------------------------------------------------------------

    def test_life(self):
        agreement = self._create_agreement(activate=False)
        self.assertTrue(agreement.name.startswith("AG/"))
        agreement.with_user(self.salesman).action_submit()
        self.assertEqual(agreement.state, "to_approve")
        self.assertEqual(agreement.requested_by_id, self.salesman)
        self.assertIn(self.approver, agreement.activity_ids.user_id)
        agreement.with_user(self.approver).action_approve()
        self.assertEqual(agreement.state, "active")
        self.assertEqual(agreement.approved_by_id, self.approver)
        self.assertTrue(agreement.approved_on)
        self.assertFalse(agreement.activity_ids, "nobody has to decide any more")
        agreement.with_user(self.approver).action_suspend()
        agreement.with_user(self.approver_2).action_resume()
        self.assertEqual(agreement.approved_by_id, self.approver)
        agreement.with_user(self.approver).action_close()
        self.assertEqual(agreement.state, "closed")

    def test_every_other_transition_is_refused(self):
        transitions = self.env["crm.agreement"]._get_transitions()
        states = set(transitions)
        reach = {
            "draft": [],
            "to_approve": ["to_approve"],
            "active": ["to_approve", "active"],
            "suspended": ["to_approve", "active", "suspended"],
            "expired": ["to_approve", "active", "expired"],
            "closed": ["to_approve", "active", "closed"],
        }
        for state, way in reach.items():
            agreement = self._create_agreement(activate=False)
            for step in way:
                agreement.with_user(
                    self.salesman if step == "to_approve" else self.approver
                ).state = step
            for target in states - transitions[state] - {state}:
                with self.subTest(state=state, target=target), self.assertRaises(UserError):
                    agreement.with_user(self.approver).write({"state": target})
        with self.assertRaises(UserError):
            agreement.with_user(self.approver).write({"state": "nonsense"})

    def test_created_as_draft_only(self):
        with self.assertRaises(UserError):
            self._create_agreement(activate=False, state="active")

    @users("ag_sales")
    def test_salesman_cannot_approve_suspend_or_close(self):
        draft = self._create_agreement(activate=False)
        draft.with_user(self.env.user).action_submit()
        with self.assertRaises(AccessError):
            draft.with_user(self.env.user).action_approve()
        active = self._create_agreement()
        for target in ("suspended", "closed", "expired"):
            with self.subTest(target=target), self.assertRaises(AccessError):
                active.with_user(self.env.user).write({"state": target})

    def test_approval_is_recorded_by_the_transition_alone(self):
        agreement = self._create_agreement(activate=False)
        for field, value in (
            ("approved_by_id", self.approver.id),
            ("approved_on", "2026-01-01 00:00:00"),
            ("requested_by_id", self.salesman.id),
        ):
            with self.subTest(field=field), self.assertRaises(AccessError):
                agreement.with_user(self.approver).write({field: value})
            with self.subTest(field=field), self.assertRaises(AccessError):
                self.env["crm.agreement"].with_user(self.approver).create(
                    {"partner_id": self.client.id, field: value}
                )

    def test_nobody_approves_his_own_request(self):
        agreement = self._create_agreement(activate=False)
        agreement.with_user(self.approver).action_submit()
        self.assertFalse(agreement.with_user(self.approver).can_approve)
        self.assertNotIn(self.approver, agreement.activity_ids.user_id)
        with self.assertRaises(UserError):
            agreement.with_user(self.approver).action_approve()
        responsible = self._create_agreement(activate=False, user_id=self.approver.id)
        responsible.with_user(self.salesman).sudo().action_submit()
        with self.assertRaises(UserError):
            responsible.with_user(self.approver).action_approve()
        self.env.company.agreement_self_approval = True
        agreement.with_user(self.approver).action_approve()
        self.assertEqual(agreement.state, "active")

    def test_return_to_draft_and_submit_again(self):
        agreement = self._create_agreement(activate=False)
        agreement.with_user(self.salesman).action_submit()
        agreement.with_user(self.approver).action_return_to_draft()
        self.assertFalse(agreement.activity_ids)
        agreement.with_user(self.salesman).minimum_amount = 5
        agreement.with_user(self.salesman).action_submit()
        self.assertTrue(agreement.activity_ids)

    # Lock ------------------------------------------------------------

    def test_terms_are_locked_from_submission_on(self):
        agreement = self._create_agreement(activate=False)
        line = agreement.discount_line_ids
        agreement.action_submit()
        for _state in range(2):
            for vals in (
                {"date_end": False},
                {"pricelist_id": False},
                {"payment_term_id": self.term_60.id},
                {"enforcement": "warn"},
                {"minimum_amount": 1},
                {"partner_id": self.other_client.id},
                {"name": "X"},
                {"discount_line_ids": [Command.update(line.id, {"max_discount": 90})]},
                {"discount_line_ids": [Command.clear()]},
            ):
                with self.subTest(vals=vals, state=agreement.state), self.assertRaises(UserError):
                    agreement.with_user(self.approver).write(vals)
            with self.assertRaises(UserError):
                line.with_user(self.approver).max_discount = 90
            with self.assertRaises(UserError):
                line.with_user(self.approver).unlink()
            with self.assertRaises(UserError):
                self.env["crm.agreement.discount"].with_user(self.approver).create(
                    {"agreement_id": agreement.id, "applied_on": "all", "max_discount": 90}
                )
            if agreement.state == "to_approve":
                agreement.with_user(self.approver).action_approve()
        with self.assertRaises(UserError):
            agreement.with_user(self.approver).unlink()

    def test_line_cannot_move_into_a_locked_agreement(self):
        active = self._create_agreement(discounts=[])
        draft = self._create_agreement(activate=False)
        with self.assertRaises(UserError):
            draft.discount_line_ids.with_user(self.salesman).agreement_id = active

    # Kinds -----------------------------------------------------------

    def test_individual_takes_the_terms_of_its_standard(self):
        standard = self._create_agreement(kind="standard", user_id=self.approver_2.id)
        child = self.env["crm.agreement"].create(
            {
                "kind": "individual",
                "partner_id": self.client.id,
                "parent_id": standard.id,
                "payment_term_id": self.term_60.id,
            }
        )
        self.assertEqual(child.pricelist_id, self.pricelist)
        self.assertEqual(child.payment_term_id, self.term_60)
        self.assertEqual(child.discount_line_ids.max_discount, 5.0)
        child.discount_line_ids.max_discount = 7.0
        differences = {row["label"]: row for row in child._get_differences()}
        self.assertEqual(len(differences), 2)
        self.assertEqual(differences["Payment Terms"]["standard"], "30 days")
        self.assertEqual(differences["Payment Terms"]["own"], "60 days")
        self.assertIn("60 days", child.difference_html)
        self.assertEqual(standard.discount_line_ids.max_discount, 5.0)

    def test_derive_in_the_form(self):
        standard = self._create_agreement(kind="standard", user_id=self.approver_2.id)
        action = standard.with_user(self.salesman).action_derive()
        form = Form(
            self.env["crm.agreement"].with_user(self.salesman).with_context(**action["context"])
        )
        form.partner_id = self.client
        child = form.save()
        self.assertEqual(child.parent_id, standard)
        self.assertEqual(child.payment_term_id, self.term_30)
        self.assertEqual(child.discount_line_ids.max_discount, 5.0)
        self.assertFalse(child._get_differences())

    def test_kind_is_consistent(self):
        with self.assertRaises(ValidationError):
            self._create_agreement(activate=False, partner_id=False)
        with self.assertRaises(ValidationError):
            self._create_agreement(activate=False, kind="standard", partner_id=self.client.id)
        individual = self._create_agreement(activate=False)
        with self.assertRaises(ValidationError):
            self._create_agreement(activate=False, parent_id=individual.id)

    def test_bad_discount_line(self):
        with self.assertRaises(ValidationError):
            self._create_agreement(
                activate=False, discounts=[{"applied_on": "product", "max_discount": 5}]
            )

    # Period ----------------------------------------------------------

    def test_renewal_is_a_draft_of_the_same_length(self):
        agreement = self._create_agreement(
            date_start=Date.to_date("2026-01-01"), date_end=Date.to_date("2099-12-31")
        )
        action = agreement.with_user(self.salesman).action_renew()
        renewal = self.env["crm.agreement"].browse(action["res_id"])
        self.assertEqual(renewal.state, "draft")
        self.assertEqual(renewal.renewed_from_id, agreement)
        self.assertEqual(str(renewal.date_start), "2100-01-01")
        self.assertEqual(str(renewal.date_end), "2173-12-31")
        self.assertEqual(renewal.discount_line_ids.max_discount, 5.0)
        self.assertNotEqual(renewal.name, agreement.name)
        self.assertFalse(renewal.approved_by_id)
        again = agreement.with_user(self.salesman).action_renew()
        self.assertEqual(again["res_id"], renewal.id, "a second click opens the same draft")
        endless = self._create_agreement(date_end=False)
        with self.assertRaises(UserError):
            endless.action_renew()

    def test_cron_expires_what_is_over(self):
        over = self._create_agreement(date_end=self.today)
        endless = self._create_agreement(date_end=False)
        suspended = self._create_agreement(date_end=self.today)
        suspended.with_user(self.approver).action_suspend()
        cron = self.env.ref("crm_extended.ir_cron_crm_agreement_expire")
        with self.enter_registry_test_mode():
            cron.method_direct_trigger()
        self.assertEqual(over.state, "active", "the last day is included")
        with freeze_time(Date.add(self.today, days=1)), self.enter_registry_test_mode():
            cron.method_direct_trigger()
        self.assertEqual(over.state, "expired")
        self.assertEqual(suspended.state, "expired")
        self.assertEqual(endless.state, "active")

    def test_what_is_over_cannot_come_into_force(self):
        agreement = self._create_agreement(
            activate=False, date_end=Date.subtract(self.today, days=1)
        )
        agreement.action_submit()
        with self.assertRaises(UserError):
            agreement.with_user(self.approver).action_approve()

    # Access ----------------------------------------------------------

    def test_own_documents(self):
        standard = self._create_agreement(kind="standard", user_id=self.approver_2.id)
        mine = self._create_agreement()
        theirs = self._create_agreement(
            partner_id=self.other_client.id, user_id=self.other_salesman.id
        )
        of_my_client = self._create_agreement(activate=False, user_id=self.approver_2.id)
        agreements = standard + mine + theirs + of_my_client
        domain = [("id", "in", agreements.ids)]
        Agreement = self.env["crm.agreement"]
        self.assertEqual(Agreement.with_user(self.salesman).search(domain), agreements - theirs)
        self.assertEqual(Agreement.with_user(self.approver).search(domain), agreements)
        lines = self.env["crm.agreement.discount"].with_user(self.salesman).search([])
        self.assertNotIn(theirs.discount_line_ids, lines)
        with self.assertRaises(AccessError):
            theirs.with_user(self.salesman).read(["name"])
        with self.assertRaises(AccessError):
            standard.with_user(self.salesman).write({"title": "Mine now"})
        of_my_client.with_user(self.salesman).write({"title": "Alpha"})

    def test_companies(self):
        company = self.env["res.company"].create({"name": "Second"})
        agreement = self._create_agreement(
            activate=False,
            company_id=company.id,
            pricelist_id=False,
            payment_term_id=False,
            partner_id=self.client.id,
        )
        self.assertFalse(
            self.env["crm.agreement"].with_user(self.approver).search([("id", "=", agreement.id)])
        )
        with self.assertRaises(AccessError):
            agreement.with_user(self.approver).read(["name"])
        own_term = self.env["account.payment.term"].create(
            {"name": "Ours", "company_id": self.env.company.id}
        )
        with self.assertRaises(UserError):
            agreement.payment_term_id = own_term

    def test_numbers_are_unique(self):
        numbers = [self._create_agreement(activate=False).name for _index in range(3)]
        self.assertEqual(len(set(numbers)), 3)
