from odoo import Command
from odoo.addons.base.tests.common import BaseCommon
from odoo.tests import new_test_user


class SaleProcessCommon(BaseCommon):
    """A strict process of four steps, two salespeople, their manager, and deals of the first.

    Steps: *Contact* (asks for the client's e-mail), *Need* (asks for expected revenue, by a
    condition), *Offer* (asks for a quotation that was sent), *Signed* (won).
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company = cls.env.company
        groups = "base.group_user,sales_team.group_sale_salesman"
        cls.user_sales = new_test_user(cls.env, "proc_sales", groups=groups)
        cls.user_sales2 = new_test_user(cls.env, "proc_sales2", groups=groups)
        cls.user_manager = new_test_user(
            cls.env, "proc_manager", groups="base.group_user,sales_team.group_sale_manager"
        )
        cls.user_accountant = new_test_user(
            cls.env, "proc_accountant", groups="base.group_user,account.group_account_invoice"
        )
        cls.user_plain = new_test_user(cls.env, "proc_plain", groups="base.group_user")
        cls.team = cls.env["crm.team"].create(
            {"name": "Process Team", "company_id": cls.company.id, "use_opportunities": True}
        )
        cls.stages = cls.env["crm.stage"].create(
            [
                {"name": "Contact", "sequence": 101},
                {"name": "Need", "sequence": 102},
                {"name": "Offer", "sequence": 103},
                {"name": "Signed", "sequence": 104, "is_won": True},
                {"name": "Elsewhere", "sequence": 105},
            ]
        )
        cls.contact, cls.need, cls.offer, cls.signed, cls.elsewhere = cls.stages
        cls.process = cls.env["crm.sale.process"].create(
            {
                "name": "Step by step",
                "control": "strict",
                "step_ids": [
                    Command.create(
                        {
                            "sequence": 1,
                            "stage_id": cls.contact.id,
                            "script": "<p>Ask who decides.</p>",
                            "required_field_ids": [Command.set(cls._get_field("email_from").ids)],
                        }
                    ),
                    Command.create(
                        {
                            "sequence": 2,
                            "stage_id": cls.need.id,
                            "condition": "[('expected_revenue', '>', 100)]",
                            "condition_message": "Agree on a budget over 100",
                        }
                    ),
                    Command.create(
                        {"sequence": 3, "stage_id": cls.offer.id, "order_required": True}
                    ),
                    Command.create({"sequence": 4, "stage_id": cls.signed.id}),
                ],
            }
        )
        cls.manual = cls.env["crm.sale.process"].create(
            {
                "name": "Any order",
                "control": "manual",
                "step_ids": [
                    Command.create({"sequence": 1, "stage_id": cls.contact.id}),
                    Command.create({"sequence": 2, "stage_id": cls.offer.id}),
                    Command.create({"sequence": 3, "stage_id": cls.signed.id}),
                ],
            }
        )
        cls.folder = cls.env["crm.sale.process"].create({"name": "Folder", "control": "none"})
        cls.client = cls.env["res.partner"].create({"name": "Birch Mill", "is_company": True})
        cls.lost_reason = cls.env["crm.lost.reason"].create({"name": "Bought elsewhere"})
        cls.lead = cls._create_lead("Saws for the mill")

    @classmethod
    def _get_field(cls, name):
        return cls.env["ir.model.fields"]._get("crm.lead", name)

    @classmethod
    def _create_lead(cls, name, **values):
        """A deal of the first salesperson in the strict process, lacking everything."""
        return cls.env["crm.lead"].create(
            {
                "name": name,
                "type": "opportunity",
                "user_id": cls.user_sales.id,
                "team_id": cls.team.id,
                "process_id": cls.process.id,
                **values,
            }
        )

    def _complete(self, lead):
        """Give a deal all that its process asks for."""
        lead.write({"email_from": "mill@birch.example.com", "expected_revenue": 500})
        if not lead.partner_id:
            lead.partner_id = self.client
        self.env["sale.order"].create(
            {
                "partner_id": lead.partner_id.id,
                "opportunity_id": lead.id,
                "company_id": self.company.id,
            }
        ).write({"state": "sent"})

    def _lead_to(self, lead, stage):
        """Take a complete deal forward to a stage, step by step."""
        self._complete(lead)
        while lead.stage_id != stage:
            lead.action_step_forward()
