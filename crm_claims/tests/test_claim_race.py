from odoo import SUPERUSER_ID, api
from odoo.exceptions import UserError
from odoo.modules.registry import Registry
from odoo.tests import BaseCase, get_db_name, tagged


@tagged("post_install", "-at_install")
class TestClaimRace(BaseCase):
    """Two handlers decide at once: with two connections and committed data."""

    def setUp(self):
        super().setUp()
        self.registry = Registry(get_db_name())
        with self.registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {"tracking_disable": True})
            self.claim_id = (
                env["crm.claim"]
                .create(
                    {
                        "subject": "Race",
                        "partner_name": "Racer",
                        "state": "acknowledged",
                        "cause_id": env["crm.claim.cause"].search([], limit=1).id,
                        "decision_text": "Because",
                    }
                )
                .id
            )
        self.addCleanup(self._clean)

    def _clean(self):
        with self.registry.cursor() as cr:
            cr.execute("DELETE FROM crm_claim WHERE id = %s", [self.claim_id])
            cr.execute(
                "DELETE FROM mail_message WHERE model = 'crm.claim' AND res_id = %s",
                [self.claim_id],
            )

    def _claim(self, cr):
        return api.Environment(cr, SUPERUSER_ID, {})["crm.claim"].browse(self.claim_id)

    def test_second_handler_meets_a_lock(self):
        with self.registry.cursor() as first, self.registry.cursor() as second:
            self._claim(first)._move_to("decided", decision="satisfied")
            self._claim(first).flush_recordset()
            with self.assertRaisesRegex(UserError, "changed by somebody else"):
                self._claim(second)._move_to("cancelled")
            second.rollback()
            first.commit()
            with self.assertRaisesRegex(UserError, "cannot go from Decided to Cancelled"):
                self._claim(second)._move_to("cancelled")
            second.rollback()

    def test_second_answer_is_refused(self):
        with self.registry.cursor() as first, self.registry.cursor() as second:
            self._claim(first)._move_to("decided", decision="satisfied")
            first.commit()
            claim = self._claim(first)
            claim._answer("accepted", "", claim.env.user.partner_id)
            with self.assertRaisesRegex(UserError, "changed by somebody else"):
                other = self._claim(second)
                other._answer("rejected", "No", other.env.user.partner_id)
            second.rollback()
            first.commit()
            with self.assertRaisesRegex(UserError, "no decision that waits"):
                other = self._claim(second)
                other._answer("rejected", "No", other.env.user.partner_id)
            second.rollback()
