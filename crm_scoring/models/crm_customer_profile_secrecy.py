from odoo import models


class CrmCustomerProfile(models.Model):
    _name = "crm.customer.profile"
    _inherit = ["crm.customer.profile", "crm.secrecy.cost.mixin"]

    _secret_cost_fields = frozenset({"margin", "margin_rate", "abc_margin"})

    def _get_known_measures(self):
        """The reasons of a class leave out what the user may not see."""
        hidden = {
            name
            for name in self._secret_cost_fields
            if not self._has_field_access(self._fields[name], "read")
        }
        if not hidden:
            return super()._get_known_measures()
        # sudo: whether a margin is known is asked on the way; it is not told
        return super(CrmCustomerProfile, self.sudo())._get_known_measures() - hidden


class ResUsers(models.Model):
    """Users inherit the fields of their contact."""

    _name = "res.users"
    _inherit = ["res.users", "crm.secrecy.cost.mixin"]

    _secret_cost_fields = frozenset({"profile_margin_rate"})


class ResPartner(models.Model):
    _name = "res.partner"
    _inherit = ["res.partner", "crm.secrecy.cost.mixin"]

    _secret_cost_fields = frozenset({"profile_margin_rate"})

    def _search_profile_margin_rate(self, operator, value):
        self.sudo(False)._check_field_access(self._fields["profile_margin_rate"], "read")
        return super()._search_profile_margin_rate(operator, value)
