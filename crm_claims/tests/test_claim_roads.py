from odoo.exceptions import UserError, ValidationError
from odoo.fields import Command
from odoo.tests import tagged

from .common import ClaimCommon


@tagged("post_install", "-at_install")
class TestClaimRoads(ClaimCommon):
    """Roads round a rule by way of another claim, a dialog, a template or a missing team."""

    # ------------------------------------------------------------------
    # The decision dialog
    # ------------------------------------------------------------------

    def _onchange(self, user, values):
        dialog = self.env["crm.claim.decision"].with_user(user)
        spec = {
            name: {}
            for name in ("claim_id", "template_id", "decision_text", "recourse", "amount_before")
        }
        return dialog.onchange(values, list(values), spec)["value"]

    def test_an_unsaved_dialog_shows_nothing(self):
        secret = self._create_claim(
            user_id=self.user_manager.id,
            confidential=True,
            decision_text="Secret decision",
            recourse="Secret recourse",
        )
        self.env.flush_all()
        self.env.invalidate_all()
        seen = self._onchange(self.user_manager, {"claim_id": secret.id})
        self.assertIn("Secret decision", str(seen))
        self.env.invalidate_all()
        self.assertNotIn("Secret", str(self._onchange(self.user_all, {"claim_id": secret.id})))

    def test_only_prepared_texts_are_rendered_and_with_own_rights(self):
        claim = self._create_claim(user_id=self.user_own.id)
        template = self.env["mail.template"].create(
            {
                "name": "Of users",
                "model_id": self.env["ir.model"]._get_id("res.users"),
                "body_html": "<p>Rendered <t t-out='object.id'/></p>",
                "crm_claim_decision": "any",
            }
        )
        values = {"claim_id": claim.id, "template_id": template.id}
        self.assertNotIn("Rendered", str(self._onchange(self.user_own, values)))
        template.write(
            {
                "model_id": self.env["ir.model"]._get_id("crm.claim"),
                "body_html": "<p>Rendered <t t-out='str(object.env.su)'/></p>",
            }
        )
        self.assertIn("Rendered False", str(self._onchange(self.user_own, values)))
