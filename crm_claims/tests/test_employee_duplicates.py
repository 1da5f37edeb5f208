from odoo.addons.base.tests.common import BaseCommon
from odoo.tests import new_test_user, tagged


@tagged("post_install", "-at_install")
class TestEmployeeDuplicates(BaseCommon):
    """Hiring somebody who is a client, too, is not refused."""

    def test_employee_like_a_client(self):
        self.env.company.crm_duplicate_mode = "block"
        known = {"name": "Perpetua Quillfeather", "phone": "+1 202 555 0142"}
        self.env["res.partner"].create(known)
        officer = new_test_user(
            self.env, "hr_officer_dup", groups="hr.group_hr_user,base.group_partner_manager"
        )
        employee = (
            self.env["hr.employee"]
            .with_user(officer)
            .create({"name": known["name"], "work_phone": known["phone"]})
        )
        self.assertTrue(employee.work_contact_id)
