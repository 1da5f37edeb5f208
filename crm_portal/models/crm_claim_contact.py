from odoo import models


class CrmClaim(models.Model):
    """Who deals with a claim, as far as the company lets its customers know."""

    _inherit = "crm.claim"

    def _portal_get_contact(self):
        """Whom the customer finds named on the page.

        :return: ``name``, ``email`` and ``phone`` (str, may be empty)
        :rtype: dict
        """
        self.ensure_one()
        claim_sudo = self.sudo()  # sudo: three words about us, chosen by the company's setting
        company = claim_sudo.company_id
        user = claim_sudo.user_id
        if company.portal_claim_contact == "person" and user:
            return {
                "name": user.name,
                "email": user.partner_id.email or "",
                "phone": user.partner_id.phone or company.phone or "",
            }
        return {
            "name": claim_sudo.team_id.name or company.name,
            "email": claim_sudo.team_id.alias_email or company.email or "",
            "phone": company.phone or "",
        }

    def _portal_get_author(self, message):
        """Under which name a message stands on the page.

        :param message: mail.message, as superuser
        :return: ``name`` and ``is_ours`` (whether it is from us)
        :rtype: dict
        """
        self.ensure_one()
        author = message.author_id
        is_customer = (
            author.commercial_partner_id == self.commercial_partner_id
            if author and self.commercial_partner_id
            else not author
        )
        if is_customer:
            return {"name": author.name or message.email_from or "", "is_ours": False}
        name = self.company_id.name
        if self.company_id.portal_claim_contact == "person" and author:
            name = f"{author.name}, {name}"
        return {"name": name, "is_ours": True}
