from odoo.addons.base.tests.common import BaseCommon
from odoo.fields import Command, Date
from odoo.tests import new_test_user


class AgreementCommon(BaseCommon):
    """Two clients, two salespeople, two approvers, an accountant, and products at round prices."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # The messages that the tests read are English whatever the language of the database.
        cls.env["res.lang"]._activate_lang("en_US")
        cls.env = cls.env(context=dict(cls.env.context, lang="en_US"))
        cls.salesman = new_test_user(
            cls.env, "ag_sales", "base.group_user,sales_team.group_sale_salesman"
        )
        cls.other_salesman = new_test_user(
            cls.env, "ag_other", "base.group_user,sales_team.group_sale_salesman"
        )
        approver_groups = "base.group_user,crm_extended.crm_agreements_group_approver"
        cls.approver = new_test_user(cls.env, "ag_approver", approver_groups)
        cls.approver_2 = new_test_user(cls.env, "ag_approver_2", approver_groups)
        cls.accountant = new_test_user(
            cls.env, "ag_accountant", "base.group_user,account.group_account_invoice"
        )
        cls.auditor = new_test_user(
            cls.env, "ag_auditor", "base.group_user,account.group_account_readonly"
        )
        users = cls.salesman + cls.other_salesman + cls.approver + cls.approver_2
        (users + cls.accountant + cls.auditor).write({"lang": "en_US"})
        cls.client = cls.env["res.partner"].create(
            {"name": "Alpha", "is_company": True, "user_id": cls.salesman.id}
        )
        cls.contact = cls.env["res.partner"].create(
            {"name": "Anna of Alpha", "parent_id": cls.client.id, "email": "anna@alpha.example"}
        )
        cls.other_client = cls.env["res.partner"].create(
            {"name": "Beta", "is_company": True, "user_id": cls.other_salesman.id}
        )
        cls.tools = cls.env["product.category"].create({"name": "Tools"})
        cls.power_tools = cls.env["product.category"].create(
            {"name": "Power Tools", "parent_id": cls.tools.id}
        )
        cls.drill, cls.saw, cls.glove = cls.env["product.product"].create(
            [
                {"name": "Drill", "list_price": 100.0, "categ_id": cls.power_tools.id},
                {"name": "Saw", "list_price": 200.0, "categ_id": cls.power_tools.id},
                {"name": "Glove", "list_price": 10.0},
            ]
        )
        (cls.drill + cls.saw + cls.glove).write({"taxes_id": [Command.clear()], "type": "consu"})
        cls.term_30 = cls.env["account.payment.term"].create({"name": "30 days"})
        cls.term_60 = cls.env["account.payment.term"].create({"name": "60 days"})
        cls.pricelist = cls.env["product.pricelist"].create(
            {
                "name": "Ten off",
                "currency_id": cls.env.company.currency_id.id,
                "item_ids": [
                    Command.create(
                        {
                            "applied_on": "3_global",
                            "compute_price": "formula",
                            "base": "list_price",
                            "price_discount": 10.0,
                        }
                    )
                ],
            }
        )
        cls.cheap_pricelist = cls.env["product.pricelist"].create(
            {
                "name": "Half price",
                "currency_id": cls.env.company.currency_id.id,
                "item_ids": [
                    Command.create(
                        {
                            "applied_on": "3_global",
                            "compute_price": "formula",
                            "base": "list_price",
                            "price_discount": 50.0,
                        }
                    )
                ],
            }
        )
        cls.today = Date.context_today(cls.env.user)

    @classmethod
    def _create_agreement(cls, activate=True, discounts=None, **values):
        """An agreement of the client with 5 % on everything, in force unless told otherwise."""
        vals = {
            "kind": "individual",
            "user_id": cls.salesman.id,
            "date_start": Date.subtract(cls.today, days=30),
            "date_end": Date.add(cls.today, days=30),
            "payment_term_id": cls.term_30.id,
            "pricelist_id": cls.pricelist.id,
            "enforcement": "block",
            "discount_line_ids": [
                Command.create(line)
                for line in (
                    [{"applied_on": "all", "max_discount": 5.0}] if discounts is None else discounts
                )
            ],
            **values,
        }
        if vals["kind"] == "individual":
            vals.setdefault("partner_id", cls.client.id)
        agreement = cls.env["crm.agreement"].create(vals)
        if activate:
            agreement.action_submit()
            agreement.with_user(cls.approver).action_approve()
        return agreement

    @classmethod
    def _create_order(cls, lines=(), user=None, **values):
        """A quotation of the salesman; `lines` are dicts, a drill when left out."""
        vals = {
            "partner_id": cls.client.id,
            "user_id": cls.salesman.id,
            "order_line": [
                Command.create({"product_id": cls.drill.id, "product_uom_qty": 1.0, **line})
                for line in (lines or [{}])
            ],
            **values,
        }
        return cls.env["sale.order"].with_user(user or cls.salesman).create(vals)

    def _get_kinds(self, order):
        return [deviation.kind for deviation in order._get_deviations()]
