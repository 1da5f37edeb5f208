# ruff: noqa: RUF001 Cyrillic is meant
from odoo import Command
from odoo.addons.base.tests.common import BaseCommon
from odoo.tests import new_test_user


class DuplicatesCommon(BaseCommon):
    """A known client, a salesperson, one who may create duplicates, and their manager."""

    INN = "7707083893"
    KPP = "773601001"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company = cls.env.company
        cls.company.crm_duplicate_mode = "warn"
        sales = "base.group_user,base.group_partner_manager,sales_team.group_sale_salesman"
        cls.user_sales = new_test_user(cls.env, "dup_sales", groups=sales)
        cls.user_creator = new_test_user(
            cls.env,
            "dup_creator",
            groups=f"{sales},crm_extended.crm_duplicates_group_creator",
        )
        cls.user_manager = new_test_user(
            cls.env, "dup_manager", groups="base.group_user,sales_team.group_sale_manager"
        )
        cls.russia = cls.env.ref("base.ru")
        cls.client = cls.env["res.partner"].create(
            {
                "name": "ООО «Заречная Кофейня»",
                "is_company": True,
                "vat": cls.INN,
                "kpp": cls.KPP,
                "country_id": cls.russia.id,
                "phone": "+7 495 765-43-21",
                "email": "info@zarechnaya.example",
                "street": "ул. Мира, д. 5",
                "city": "Казань",
                "ref": "Z-100200",
                "bank_ids": [Command.create({"acc_number": "GB33BUKB20201555555555"})],
            }
        )
        cls.duplicates = cls.env["crm.partner.duplicate"]

    def values(self, **values):
        return {"name": "Заречная кофейня", "is_company": True} | values

    def create_as(self, user, **values):
        return self.env["res.partner"].with_user(user).create(self.values(**values))

    def pairs(self, partner, state=None):
        domain = ["|", ("partner_id", "=", partner.id), ("other_id", "=", partner.id)]
        return self.duplicates.search(domain + ([("state", "=", state)] if state else []))

    def run_job(self, name):
        with self.enter_registry_test_mode():
            self.env.ref(f"crm_extended.{name}").method_direct_trigger()

    def ask(self, user, **values):
        """What the form of a user shows.

        :return: the row of the known client, or None
        """
        found = self.env["res.partner"].with_user(user).get_duplicates(values)
        rows = [row for row in found["candidates"] if row["id"] == self.client.id]
        return rows[0] if rows else None
