from io import BytesIO

from odoo.exceptions import AccessError
from odoo.tests import new_test_user, tagged
from odoo.tests.common import TransactionCase
from odoo.tools import mute_logger
from openpyxl import load_workbook


@tagged("post_install", "-at_install")
class TestCustomerProfileSecrecy(TransactionCase):
    """Margin of a client is closed like the cost behind it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        groups = "base.group_user,sales_team.group_sale_salesman_all_leads,base.group_allow_export"
        cls.seller = new_test_user(cls.env, "profile_secrecy", groups, lang="en_US")
        cls.partner = cls.env["res.partner"].create({"name": "Rich", "is_company": True})
        cls.profile = cls.env["crm.customer.profile"].create(
            {"partner_id": cls.partner.id, "company_id": cls.env.company.id}
        )
        cls.profile._write({"margin": 40, "margin_rate": 40, "abc_margin": "A"})
        cls.profile.invalidate_recordset()

    def _get_header(self):
        profiles = self.profile.with_user(self.seller)
        content = profiles._export_profiles_xlsx([("id", "in", self.profile.ids)])
        return [
            cell.value
            for sheet in load_workbook(BytesIO(content)).worksheets
            for row in sheet.iter_rows(max_row=6)
            for cell in row
            if cell.value
        ]

    @mute_logger("odoo.models")
    def test_margin_is_closed_on_every_road(self):
        profile = self.profile.with_user(self.seller)
        partner = self.partner.with_user(self.seller)
        self.assertEqual(profile.read(["margin_rate"])[0]["margin_rate"], 40)
        self.assertIn(partner, partner.search([("profile_margin_rate", ">", 30)]))
        self.assertIn("Margin", self._get_header())
        self.env["crm.secrecy.rule"].create({"name": "Cost", "subject": "cost"})
        self.env.invalidate_all()
        with self.assertRaises(AccessError):
            # the client's portal user has the fields of his contact
            self.seller.with_user(self.seller).read(["profile_margin_rate"])
        for names in (["margin"], ["margin_rate"], ["abc_margin"]):
            with self.assertRaises(AccessError):
                profile.read(names)
        for model, domain in (
            (profile, [("margin", ">", 1)]),
            (self.seller.with_user(self.seller), [("profile_margin_rate", ">", 1)]),
            (partner, [("profile_margin_rate", ">", 1)]),
            (
                self.env["crm.lead"].with_user(self.seller),
                [("partner_id.profile_margin_rate", ">", 1)],
            ),
            (
                self.env["sale.order"].with_user(self.seller),
                [("partner_id.profile_margin_rate", ">", 1)],
            ),
        ):
            with self.assertRaises(AccessError):
                model.search(domain)
        with self.assertRaises(AccessError):
            profile.search([], order="margin")
        with self.assertRaises(AccessError):
            profile.formatted_read_group([], ["abc_margin"], ["__count"])
        with self.assertRaises(AccessError):
            partner.export_data(["profile_margin_rate"])
        self.assertNotIn("Margin", self._get_header())
        for kind in ("list", "form"):
            self.assertNotIn('name="margin', profile.get_view(False, kind)["arch"])
        self.assertTrue(profile.search([]))
        # what is next to it stays readable
        names = [n for n in partner.fields_get() if n.startswith("profile_")]
        self.assertIn("profile_recency", names)
        partner.read(names)
        self.assertEqual(profile.read(["class_reasons", "abc_turnover"])[0]["abc_turnover"], False)

    def test_reasons_of_a_class_leave_margin_out(self):
        analysis = self.env["crm.customer.analysis"]._get_for(self.env.company)
        analysis.factor_ids.unlink()
        self.env["crm.customer.factor"].create(
            {
                "analysis_id": analysis.id,
                "measure": "margin_rate",
                "lower_bound": 10,
                "points": 7,
            }
        )
        self.profile._write({"class_auto": "A"})
        self.profile.invalidate_recordset()
        profile = self.profile.with_user(self.seller)
        self.assertIn("+7", profile.class_reasons)
        self.env["crm.secrecy.rule"].create({"name": "Cost", "subject": "cost"})
        self.env.invalidate_all()
        self.assertNotIn("+7", profile.class_reasons)
