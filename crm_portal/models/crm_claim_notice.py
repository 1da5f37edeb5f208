from odoo import models

# which event each letter about a claim belongs to, and its short form for the telephone
CLAIM_EVENTS = {
    "crm_claims.mail_template_acknowledgement": ("claim_received", "sms_claim_received"),
    "crm_claims.mail_template_question": ("claim_question", "sms_claim_question"),
    "crm_claims.mail_template_promise": ("claim_promise", "sms_claim_promise"),
    "crm_claims.mail_template_decision": ("claim_decision", "sms_claim_decision"),
    "crm_claims.mail_template_silence": ("claim_decision", None),
    "crm_claims.mail_template_rating": ("claim_rating", None),
}


class CrmClaim(models.Model):
    """Letters about a claim respect what its customer chose; an SMS goes beside them."""

    _name = "crm.claim"
    _inherit = ["crm.claim", "crm.portal.notifier"]

    def _send_to_customer(self, template_xmlid, is_personal=False):
        event, sms_name = CLAIM_EVENTS.get(template_xmlid, (None, None))
        if not event:
            return super()._send_to_customer(template_xmlid, is_personal=is_personal)
        partners = {claim: claim.sudo().partner_id for claim in self}
        wanted = self.env["crm.portal.notice.choice"]._get_wanted(
            self.env["res.partner"].sudo().union(*partners.values()), event
        )
        by_sms = self.filtered(lambda claim: "sms" in wanted.get(partners[claim].id, ()))
        if sms_name and by_sms:
            by_sms.sudo()._portal_send_sms(
                f"crm_portal.{sms_name}", {claim.sudo(): partners[claim] for claim in by_sms}
            )
        by_mail = self.filtered(lambda claim: "mail" in wanted.get(partners[claim].id, {"mail"}))
        return super(CrmClaim, by_mail)._send_to_customer(template_xmlid, is_personal=is_personal)
