from datetime import datetime

from odoo import Command
from odoo.addons.base.tests.common import BaseCommon
from odoo.tests import new_test_user

# a Wednesday, 11:00 in Riga in winter
NOW = datetime(2026, 1, 14, 9, 0)


class InteractionCommon(BaseCommon):
    """Two salespeople, their manager, an accountant, a client in Riga and a deal of the first."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company = cls.env.company
        groups = "base.group_user,sales_team.group_sale_salesman"
        cls.user_sales = new_test_user(cls.env, "int_sales", groups=groups)
        cls.user_sales2 = new_test_user(cls.env, "int_sales2", groups=groups)
        cls.user_all = new_test_user(
            cls.env, "int_all", groups="base.group_user,sales_team.group_sale_salesman_all_leads"
        )
        cls.user_manager = new_test_user(
            cls.env, "int_manager", groups="base.group_user,sales_team.group_sale_manager"
        )
        cls.user_accountant = new_test_user(
            cls.env, "int_accountant", groups="base.group_user,account.group_account_invoice"
        )
        cls.user_plain = new_test_user(cls.env, "int_plain", groups="base.group_user")
        cls.company.resource_calendar_id.write({"tz": "Europe/Riga"})
        cls.client_company = cls.env["res.partner"].create(
            {
                "name": "Amber Yard",
                "is_company": True,
                "country_id": cls.env.ref("base.lv").id,
                "phone": "+371 67 000 301",
            }
        )
        cls.client_contact = cls.env["res.partner"].create(
            {
                "name": "Anna Amber",
                "parent_id": cls.client_company.id,
                "email": "anna@amber.example.com",
            }
        )
        cls.lead = cls.env["crm.lead"].create(
            {
                "name": "Tools for the yard",
                "type": "opportunity",
                "partner_id": cls.client_contact.id,
                "user_id": cls.user_sales.id,
                "company_id": cls.company.id,
            }
        )
        cls.lost_reason = cls.env["crm.lost.reason"].create({"name": "Never answers"})
        # only the outcomes of the test
        cls.env["crm.interaction.outcome"].search([]).action_archive()
        cls.reached = cls.env["crm.interaction.outcome"].create({"name": "Talked", "reached": True})
        cls.missed = cls.env["crm.interaction.outcome"].create(
            {
                "name": "Silence",
                "final_action": "lost",
                "lost_reason_id": cls.lost_reason.id,
                "retry_ids": [
                    Command.create({"sequence": 1, "delay": 5, "unit": "minutes"}),
                    Command.create({"sequence": 2, "delay": 30, "unit": "minutes"}),
                    Command.create({"sequence": 3, "delay": 3, "unit": "hours"}),
                    Command.create({"sequence": 4, "delay": 1, "unit": "days"}),
                ],
            }
        )

    def _log(self, user=None, document=None, **values):
        """An interaction entered by a user about a document, by default the deal."""
        document = self.lead if document is None else document
        return (
            self.env["crm.interaction"]
            .with_user(user or self.user_sales)
            .create(
                {
                    "subject": "Contact",
                    "res_model": document._name,
                    "res_id": document.id,
                    **values,
                }
            )
        )
