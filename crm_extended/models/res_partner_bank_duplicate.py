from odoo import api, models


class ResPartnerBank(models.Model):
    """An account identifies its holder: two clients with one account are looked at."""

    _inherit = "res.partner.bank"

    @api.model_create_multi
    def create(self, vals_list):
        partner_ids = [vals["partner_id"] for vals in vals_list if vals.get("partner_id")]
        before = self._get_fingerprints(partner_ids)
        accounts = super().create(vals_list)
        accounts.partner_id._identity_changed(before)
        return accounts

    def write(self, vals):
        if not {"acc_number", "partner_id", "sanitized_acc_number"} & vals.keys():
            return super().write(vals)
        partners = self.partner_id
        before = self._get_fingerprints([*partners.ids, vals.get("partner_id")])
        result = super().write(vals)
        (partners | self.partner_id).exists()._identity_changed(before)
        return result

    def unlink(self):
        partners = self.partner_id
        before = self._get_fingerprints(partners.ids)
        result = super().unlink()
        partners.exists()._identity_changed(before)
        return result

    @api.model
    def _get_fingerprints(self, partner_ids):
        # sudo: fingerprints are not read by users
        return self.env["crm.partner.fingerprint"].sudo()._get_cards([i for i in partner_ids if i])
