from contextlib import contextmanager

from odoo.addons.base.tests.common import BaseCommon
from odoo.addons.mail.tests.common import mail_new_test_user
from odoo.fields import Command


class RefusalCase:
    """Refusals whose half-done work is rolled back, as a request would be."""

    @contextmanager
    def assertRefused(self, exception, regex):
        with self.assertRaisesRegex(exception, regex), self.env.cr.savepoint():
            yield


class ClaimCommon(RefusalCase, BaseCommon):
    """A company with two departments, claims users of each role, a customer and an order."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company = cls.env["res.company"].create({"name": "Claims Ltd"})
        cls.env.user.company_ids |= cls.company
        cls.env = cls.env(context=dict(cls.env.context, allowed_company_ids=cls.company.ids))
        groups = "crm_claims.crm_claims_group_"
        cls.user_own = cls._new_user("claims_own", f"{groups}user")
        cls.user_all = cls._new_user("claims_all", f"{groups}user_all")
        cls.user_manager = cls._new_user("claims_manager", f"{groups}manager")
        cls.user_accountant = cls._new_user("claims_accountant", "account.group_account_invoice")
        cls.user_employee = cls._new_user("claims_employee", "base.group_user")
        cls.team = cls.env["crm.claim.team"].create(
            {
                "name": "Test Team",
                "company_id": cls.company.id,
                "assignment": "none",
                "user_id": cls.user_all.id,
                "quality_user_id": cls.user_manager.id,
            }
        )
        cls.warehouse, cls.production = cls.env["hr.department"].create(
            [
                {"name": "Test Warehouse", "company_id": cls.company.id},
                {"name": "Test Production", "company_id": cls.company.id},
            ]
        )
        cls.employee = cls.env["hr.employee"].create(
            {
                "name": "Test Worker",
                "company_id": cls.company.id,
                "department_id": cls.warehouse.id,
                "user_id": cls.user_employee.id,
            }
        )
        cls.warehouse.manager_id = cls.employee
        cls.customer = cls.env["res.partner"].create(
            {"name": "Test Customer", "is_company": True, "email": "customer@test.example.com"}
        )
        cls.contact = cls.env["res.partner"].create(
            {
                "name": "Test Contact",
                "parent_id": cls.customer.id,
                "email": "contact@test.example.com",
                "phone": "+44 20 7946 0555",
            }
        )
        cls.cause = cls.env["crm.claim.cause"].create({"name": "Test Cause"})
        cls.product = cls.env["product.product"].create(
            {"name": "Test Drill", "type": "consu", "list_price": 100.0, "taxes_id": False}
        )

    @classmethod
    def _new_user(cls, login, groups):
        return mail_new_test_user(
            cls.env,
            login=login,
            groups=groups,
            company_id=cls.company.id,
            company_ids=[Command.set(cls.company.ids)],
            email=f"{login}@test.example.com",
        )

    @classmethod
    def _create_claim(cls, **values):
        return cls.env["crm.claim"].create(
            {
                "subject": "Test claim",
                "partner_id": cls.contact.id,
                "team_id": cls.team.id,
                "company_id": cls.company.id,
                **values,
            }
        )

    @classmethod
    def _create_order(cls, quantity=5, confirm=True, **values):
        order = cls.env["sale.order"].create(
            {
                "partner_id": cls.contact.id,
                "company_id": cls.company.id,
                "order_line": [
                    Command.create(
                        {
                            "product_id": cls.product.id,
                            "product_uom_qty": quantity,
                            "price_unit": 100.0,
                            "tax_ids": False,
                        }
                    )
                ],
                **values,
            }
        )
        if confirm:
            order.action_confirm()
        return order

    @classmethod
    def _decide(cls, claim, decision="satisfied", **values):
        """Bring a new claim to its decision."""
        if claim.state == "new":
            claim._move_to("acknowledged")
        claim._move_to(
            "rejected" if decision == "rejected" else "decided",
            decision=decision,
            decision_text="<p>Because</p>",
            **(
                {"recourse": "<p>Court</p>"}
                if decision == "rejected"
                else {"cause_id": cls.cause.id}
            ),
            **values,
        )
