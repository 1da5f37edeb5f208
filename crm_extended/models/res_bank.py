from odoo import api, models
from odoo.exceptions import ValidationError

from ..tools.legal_numbers import compact, is_bik


class ResBank(models.Model):
    """The code of a bank in Russia is its BIK or its SWIFT code, written without spaces."""

    _inherit = "res.bank"

    @api.constrains("bic", "country")
    def _check_bik(self):
        for bank in self:
            digits = compact(bank.bic)
            if bank.country.code == "RU" and digits.isdigit() and not is_bik(digits):
                raise ValidationError(
                    self.env._(
                        "BIK %(number)s of bank %(bank)s is not the code of a Russian bank: it "
                        "has nine digits and begins with 0.",
                        number=digits,
                        bank=bank.name,
                    )
                )
