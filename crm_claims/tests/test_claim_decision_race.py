from odoo import SUPERUSER_ID, api
from odoo.exceptions import UserError
from odoo.modules.registry import Registry
from odoo.tests import BaseCase, get_db_name, new_test_user, tagged


@tagged("post_install", "-at_install")
class TestClaimDecisionRace(BaseCase):
    """Two people decide at once: with two connections and committed data."""

    def setUp(self):
        super().setUp()
        self.registry = Registry(get_db_name())
        with self.registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {"tracking_disable": True})
            boss = new_test_user(env, "race_boss", "crm_claims.crm_claims_group_manager")
            other = new_test_user(env, "race_other", "crm_claims.crm_claims_group_manager")
            team = env["crm.claim.team"].create({"name": "Race", "approval_limit": 10})
            claim = env["crm.claim"].create(
                {
                    "subject": "Race",
                    "partner_name": "Racer",
                    "state": "acknowledged",
                    "team_id": team.id,
                    "cause_id": env["crm.claim.cause"].search([], limit=1).id,
                }
            )
            approval = env["crm.claim.approval"]._request(
                claim,
                {"decision": "satisfied", "decision_text": "x", "cause_id": claim.cause_id.id},
                [{"kind": "discount", "amount": 50}],
                False,
                50,
            )
            self.ids = (claim.id, approval.id, team.id, boss.id, other.id)
        self.addCleanup(self._clean)

    def _clean(self):
        claim, __, team, *users = self.ids
        with self.registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            env["crm.claim"].browse(claim).with_context(active_test=False).approval_ids.unlink()
            cr.execute("DELETE FROM crm_claim WHERE id = %s", [claim])
            cr.execute(
                "DELETE FROM mail_message WHERE model = 'crm.claim' AND res_id = %s", [claim]
            )
            env["crm.claim.team"].browse(team).unlink()
            partners = env["res.users"].browse(users).partner_id
            env["res.users"].browse(users).unlink()
            partners.unlink()

    def _approval(self, cr, user):
        return api.Environment(cr, user, {})["crm.claim.approval"].browse(self.ids[1])

    def test_two_approvers(self):
        __, __, __, boss, other = self.ids
        with self.registry.cursor() as first, self.registry.cursor() as second:
            approval = self._approval(first, boss)
            approval.action_approve()
            approval.env.flush_all()
            with self.assertRaisesRegex(UserError, "changed by somebody else"):
                self._approval(second, other).action_approve()
            second.rollback()
            first.commit()
            with self.assertRaisesRegex(UserError, "no longer open"):
                self._approval(second, other).action_approve()
            second.rollback()
            [remedy] = approval.claim_id.remedy_ids
            self.assertEqual((remedy.state, approval.claim_id.amount_granted), ("granted", 50))
