from odoo.exceptions import AccessError, ValidationError
from odoo.fields import Command
from odoo.tests import tagged

from .common import ClaimCommon


@tagged("post_install", "-at_install")
class TestClaimFault(ClaimCommon):
    def _fault(self, share, department=None, **values):
        return {
            "department_id": (department or self.warehouse).id,
            "share": share,
            "reason": "Seen",
            **values,
        }

    def test_main_department(self):
        claim = self._create_claim(
            fault_ids=[
                Command.create(self._fault(40)),
                Command.create(self._fault(60, self.production)),
            ]
        )
        self.assertEqual(claim.department_id, self.production)
        first, second = claim.fault_ids.sorted("share", reverse=True)
        claim.fault_ids = [
            Command.update(first.id, {"share": 10}),
            Command.update(second.id, {"share": 90}),
        ]
        self.assertEqual(claim.department_id, self.warehouse)
        claim.fault_ids = [Command.clear()]
        self.assertFalse(claim.department_id)

    def test_employee_brings_his_department(self):
        claim = self._create_claim(
            fault_ids=[
                Command.create({"employee_id": self.employee.id, "share": 100, "reason": "Seen"})
            ]
        )
        self.assertEqual(claim.department_id, self.warehouse)

    def test_shares_add_up_on_every_road(self):
        with self.assertRefused(ValidationError, "add up to 90"):
            self._create_claim(fault_ids=[Command.create(self._fault(90))])
        claim = self._create_claim()
        with self.assertRaises(ValidationError):
            claim.fault_ids = [Command.create(self._fault(60)), Command.create(self._fault(60))]
        claim.fault_ids = [Command.create(self._fault(60)), Command.create(self._fault(40))]
        faults = self.env["crm.claim.fault"].with_user(self.user_all)
        with self.assertRaises(ValidationError):
            faults.create({**self._fault(10), "claim_id": claim.id})
        with self.assertRaises(ValidationError):
            faults.browse(claim.fault_ids[0].id).write({"share": 50})
        with self.assertRaises(ValidationError):
            faults.browse(claim.fault_ids[0].id).unlink()
        other = self._create_claim()
        with self.assertRaises(ValidationError):
            claim.fault_ids[0].claim_id = other
        faults.browse(claim.fault_ids.ids).unlink()
        self.assertFalse(claim.fault_ids)

    def test_clients_cannot_put_the_check_off(self):
        """The key of the context holds an object of the server, not a value."""
        claim = self._create_claim().with_context(crm_claim_fault_check=True)
        with self.assertRaises(ValidationError):
            self.env["crm.claim.fault"].with_context(crm_claim_fault_check=True).create(
                {**self._fault(10), "claim_id": claim.id}
            )

    def test_three_thirds(self):
        claim = self._create_claim(
            fault_ids=[Command.create(self._fault(share)) for share in (33.33, 33.33, 33.34)]
        )
        self.assertEqual(len(claim.fault_ids), 3)

    def test_culprit_and_reason_are_needed(self):
        with self.assertRefused(ValidationError, "guilty department or employee"):
            self._create_claim(
                fault_ids=[Command.create({"share": 100, "reason": "x"})],
            )

    def test_changes_are_kept_away_from_the_chatter(self):
        claim = self._create_claim().with_user(self.user_all)
        claim.fault_ids = [Command.create(self._fault(100, reason="Counted by hand"))]
        claim.fault_ids = [
            Command.update(claim.fault_ids.id, {"share": 40}),
            Command.create(self._fault(60, self.production, reason="Bad weld")),
        ]
        self.assertEqual(
            [log.guilt for log in claim.fault_log_ids.sorted("id")],
            [
                "Test Warehouse 100 %: Counted by hand",
                "Test Production 60 %: Bad weld\nTest Warehouse 40 %: Counted by hand",
            ],
        )
        self.assertEqual(claim.fault_log_ids.user_id, self.user_all)
        claim.fault_ids = [Command.clear()]
        self.assertFalse(claim.fault_log_ids.sorted("id")[-1].guilt)
        for message in claim.sudo().message_ids:
            for secret in ("Counted by hand", "Bad weld", "Guilt"):
                self.assertNotIn(secret, str(message.body))

    def test_nobody_edits_the_log(self):
        claim = self._create_claim(fault_ids=[Command.create(self._fault(100))])
        log = claim.fault_log_ids
        for user in (self.user_all, self.user_manager):
            for method in (
                lambda user=user: log.with_user(user).write({"guilt": "x"}),
                lambda user=user: log.with_user(user).unlink(),
                lambda user=user: log.with_user(user).create({"claim_id": claim.id}),
            ):
                with self.assertRaises(AccessError):
                    method()

    def test_no_default_brings_wrong_shares(self):
        with self.assertRefused(ValidationError, "add up to 50"):
            self.env["crm.claim"].with_context(
                default_fault_ids=[Command.create(self._fault(50))]
            ).create({"subject": "x", "partner_id": self.contact.id, "team_id": self.team.id})
