from odoo import api, models
from odoo.exceptions import ValidationError

from ..tools.legal_numbers import LegalNumberError, check_bik_account, compact, is_bik


class ResPartnerBank(models.Model):
    """An account of a Russian bank is checked against the code of its bank.

    That is the only way to notice a mistyped digit before a payment comes back. It applies where
    the bank has a Russian code (nine digits) and is not said to be in another country, and when
    the account or its bank changes; IBANs are checked by Odoo.
    """

    _inherit = "res.partner.bank"

    @api.constrains("acc_number", "bank_id")
    def _check_bik_account(self):
        for account in self:
            bank_sudo = account.bank_id.sudo()
            if not is_bik(bank_sudo.bic) or bank_sudo.country.code not in (False, "RU"):
                continue
            try:
                check_bik_account(bank_sudo.bic, account.acc_number)
            except LegalNumberError as error:
                raise ValidationError(
                    self._get_bik_account_error(error.code, account.acc_number, bank_sudo.bic)
                ) from error

    @api.model
    def _get_bik_account_error(self, code, account, bik):
        """What to say about an account that does not belong to a bank."""
        number = compact(account)
        if code == "length":
            return self.env._(
                "Account %(number)s has %(length)s characters. An account of a Russian bank "
                "consists of 20 digits.",
                number=number,
                length=len(number),
            )
        if code == "format":
            return self.env._(
                "BIK %s is not the code of a Russian bank: it has nine digits and begins with 0.",
                compact(bik),
            )
        return self.env._(
            "Account %(number)s does not belong to the bank with the BIK %(bik)s: the check digit "
            "does not fit. Compare both with the client's papers.",
            number=number,
            bik=compact(bik),
        )
