from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command, Date
from odoo.tests import new_test_user, tagged

from .agreement_common import AgreementCommon


@tagged("post_install", "-at_install")
class TestAgreementContract(AgreementCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.lawyer = new_test_user(
            cls.env, "ag_lawyer", "base.group_user,crm_extended.crm_agreements_group_lawyer"
        )
        cls.agreement = cls._create_agreement(contract_required=True)

    def _create_contract(self, sign=True, **values):
        contract = (
            self.env["crm.agreement.contract"]
            .with_user(self.salesman)
            .create({"name": "17/2026", "agreement_id": self.agreement.id, **values})
        )
        if sign:
            contract.action_submit()
            contract.with_user(self.lawyer).action_approve()
            contract.action_sign()
        return contract

    def test_life(self):
        contract = self._create_contract(sign=False)
        self.assertEqual(contract.partner_id, self.client)
        contract.action_submit()
        self.assertIn(self.lawyer, contract.sudo().activity_ids.user_id)
        with self.assertRaises(AccessError):
            contract.action_approve()
        with self.assertRaises(UserError):
            contract.action_sign()
        contract.with_user(self.lawyer).action_approve()
        self.assertEqual(contract.sudo().approved_by_id, self.lawyer)
        self.assertFalse(contract.sudo().activity_ids)
        contract.action_sign()
        contract.action_end()
        for target in ("draft", "to_approve", "approved", "signed"):
            with self.assertRaises(UserError):
                contract.with_user(self.approver).write({"state": target})

    def test_forged(self):
        Contract = self.env["crm.agreement.contract"].with_user(self.salesman)
        values = {"name": "X", "agreement_id": self.agreement.id}
        with self.assertRaises(UserError):
            Contract.create({**values, "state": "signed"})
        with self.assertRaises(AccessError):
            Contract.create({**values, "approved_by_id": self.lawyer.id})
        contract = Contract.with_context(default_state="signed").create(values)
        self.assertEqual(contract.state, "draft")
        contract = self._create_contract(name="18")
        for vals in (
            {"payment_term_id": self.term_60.id},
            {"date_end": False},
            {"partner_id": self.other_client.id},
        ):
            with self.assertRaises(UserError):
                contract.write(vals)
        with self.assertRaises(UserError):
            contract.unlink()

    def test_of_another_client(self):
        with self.assertRaises(ValidationError):
            self._create_contract(sign=False, partner_id=self.other_client.id)

    def test_order_needs_a_contract(self):
        order = self._create_order()
        self.assertEqual(self._get_kinds(order), ["contract"])
        with self.assertRaisesRegex(UserError, "signed contract"), self.cr.savepoint():
            order.action_confirm()
        contract = self._create_contract()
        order.action_apply_agreement()
        self.assertEqual(order.sudo().agreement_contract_id, contract)
        self.assertFalse(order._get_deviations())
        order.action_confirm()

    def test_contract_must_hold_on_the_day(self):
        self._create_contract(
            date_start=Date.subtract(self.today, days=20),
            date_end=Date.subtract(self.today, days=1),
        )
        order = self._create_order(date_order=Date.subtract(self.today, days=5))
        self.assertTrue(order.sudo().agreement_contract_id)
        self.assertEqual(self._get_kinds(order), ["contract"], "it is over by now")

    def test_its_payment_terms_win(self):
        self._create_contract(payment_term_id=self.term_60.id)
        order = self._create_order()
        self.assertEqual(order.payment_term_id, self.term_60)
        self.assertFalse(order._get_deviations())
        order.payment_term_id = self.term_30
        self.assertEqual(self._get_kinds(order), ["payment_term"])

    def test_they_do_not_win_when_none_is_required(self):
        agreement = self._create_agreement(date_start=self.today, contract_required=False)
        self.agreement = agreement
        self._create_contract(payment_term_id=self.term_60.id)
        order = self._create_order()
        self.assertEqual(order.agreement_id, agreement)
        self.assertEqual(order.payment_term_id, self.term_30)

    def test_under_a_standard_agreement(self):
        self.agreement.with_user(self.approver).action_close()
        self.agreement = self._create_agreement(
            kind="standard", contract_required=True, user_id=self.approver_2.id
        )
        self._create_contract(partner_id=self.other_client.id)
        mine = self._create_order()
        theirs = self._create_order(partner_id=self.other_client.id)
        self.assertEqual(self._get_kinds(mine), ["contract"])
        self.assertFalse(theirs._get_deviations())

    def test_other_salesman_sees_nothing(self):
        contract = self._create_contract()
        with self.assertRaises(AccessError):
            contract.with_user(self.other_salesman).read(["name"])
        with self.assertRaises(AccessError):
            contract.with_user(self.accountant).write({"note": "x"})
        self.assertEqual(contract.with_user(self.accountant).name, "17/2026")
        self.assertEqual(contract.with_user(self.lawyer).agreement_id.name, self.agreement.name)

    def test_on_the_invoice(self):
        contract = self._create_contract()
        order = self._create_order()
        order.action_confirm()
        invoice = order._create_invoices()
        self.assertEqual(invoice.with_user(self.accountant).agreement_contract_ids, contract)

    def test_client_is_not_exchanged_beside_the_lock(self):
        standard = self._create_agreement(
            kind="standard", contract_required=True, discounts=[], pricelist_id=False
        )
        contract = self._create_contract(
            name="20", agreement_id=standard.id, partner_id=self.client.id
        )
        with self.assertRaises(AccessError):
            contract.write({"commercial_partner_id": self.other_client.id})
        Contract = self.env["crm.agreement.contract"].with_user(self.salesman)
        values = {"name": "21", "agreement_id": standard.id, "partner_id": self.client.id}
        with self.assertRaises(AccessError):
            Contract.create({**values, "commercial_partner_id": self.other_client.id})
        forged = Contract.with_context(default_commercial_partner_id=self.other_client.id).create(
            values
        )
        self.assertEqual(forged.commercial_partner_id, self.client)

    def test_terms_of_a_draft_or_of_somebody_else_do_not_win(self):
        agreement = self._create_agreement(
            contract_required=True,
            date_start=self.today,
            enforcement_line_ids=[Command.create({"kind": "contract", "enforcement": "warn"})],
        )
        order = self._create_order()
        self.assertEqual(order.agreement_id, agreement)
        foreign = self._create_contract(
            name="22",
            agreement_id=self._create_agreement(partner_id=self.other_client.id).id,
            payment_term_id=self.term_60.id,
        )
        draft = self._create_contract(
            sign=False, name="23", agreement_id=agreement.id, payment_term_id=self.term_60.id
        )
        for contract in (foreign, draft):
            order.write({"agreement_contract_id": contract.id, "payment_term_id": self.term_60.id})
            self.assertCountEqual(self._get_kinds(order), ["contract", "payment_term"])
            with self.assertRaises(UserError):
                order.action_confirm()
