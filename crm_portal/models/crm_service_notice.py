from odoo import models


class CrmInteraction(models.Model):
    """The customer is told when an appointment that he asked for is fixed, moved or called off.

    A meeting is in the calendar, whose invitations say so already. Answers to the letter arrive at
    the customer's card: the contact itself takes no mail.
    """

    _name = "crm.interaction"
    _inherit = ["crm.interaction", "crm.portal.notifier"]

    def _portal_get_notice_partner(self):
        self.ensure_one()
        return self.portal_request_partner_id

    def _portal_get_reply_document(self):
        self.ensure_one()
        return self.portal_request_partner_id

    def _portal_notify_appointment(self, stamp):
        self._portal_notify(
            "appointment",
            "crm_portal.mail_template_appointment",
            "crm_portal.sms_appointment",
            stamp=stamp,
        )

    def write(self, vals):
        watched = self.browse()
        if not {"date_start", "state"}.isdisjoint(vals):
            watched = self.sudo().filtered(
                lambda contact: contact.portal_request_partner_id
                and contact.kind == "call"
                and contact.state in ("planned", "postponed")
            )
        before = {contact: (contact.date_start, contact.state) for contact in watched}
        result = super().write(vals)
        for contact, (start, _state) in before.items():
            if contact.state == "cancelled":
                contact._portal_notify_appointment(f"cancelled {contact.date_start}")
            elif contact.state in ("planned", "postponed") and contact.date_start != start:
                contact._portal_notify_appointment(f"moved {contact.date_start}")
        return result

    def _portal_request(self, post):
        contact = super()._portal_request(post)
        if contact.kind == "call":
            contact._portal_notify_appointment(f"fixed {contact.date_start}")
        return contact


class CrmAgreement(models.Model):
    """The customer is told when his agreement comes into force, and when it ends soon."""

    _name = "crm.agreement"
    _inherit = ["crm.agreement", "crm.portal.notifier"]

    def _after_transition(self, target):
        result = super()._after_transition(target)
        if target == "active":
            self.filtered(lambda agreement: agreement.kind == "individual")._portal_notify(
                "agreement_started", "crm_portal.mail_template_agreement_started"
            )
        return result

    def _remind(self):
        result = super()._remind()
        self.filtered(
            lambda agreement: agreement.kind == "individual" and not agreement.renewal_ids
        )._portal_notify("agreement_ends", "crm_portal.mail_template_agreement_ends")
        return result


class CrmPortalChange(models.Model):
    """The customer is told what became of the change that he asked for."""

    _name = "crm.portal.change"
    _inherit = ["crm.portal.change", "crm.portal.notifier"]

    def _portal_get_notice_partner(self):
        self.ensure_one()
        return self.requested_by_id

    def _move_to(self, state):
        waiting = self.filtered(lambda change: change.state == "new")
        result = super()._move_to(state)
        if state in ("approved", "rejected"):
            waiting.filtered(lambda change: change.kind != "erasure")._portal_notify(
                "change", "crm_portal.mail_template_change"
            )
        return result
