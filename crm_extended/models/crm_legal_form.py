# ruff: noqa: RUF001, RUF002, RUF003 Cyrillic is meant
from odoo import api, fields, models, tools

from ..tools.name_folding import LegalForms


class CrmLegalForm(models.Model):
    """A legal form and its spellings, which do not count when names are compared.

    Administrators add the forms of their countries. After a change all names are folded anew in
    the background; until then they are compared as before.
    """

    _name = "crm.legal.form"
    _description = "Legal Form"
    _order = "name, id"

    name = fields.Char(required=True, help="As it is shortened: LLC, GmbH, ООО.")
    spellings = fields.Text(
        help="Other spellings, one per line: in full, with full stops, in other languages."
    )
    active = fields.Boolean(default=True)

    _name_uniq = models.Constraint("unique(name)", "This legal form is already in the list.")

    @api.model_create_multi
    def create(self, vals_list):
        forms = super().create(vals_list)
        self._forget_folded_names()
        return forms

    def write(self, vals):
        result = super().write(vals)
        if {"name", "spellings", "active"} & vals.keys():
            self._forget_folded_names()
        return result

    def unlink(self):
        result = super().unlink()
        self._forget_folded_names()
        return result

    @api.model
    def _forget_folded_names(self):
        """Fold all names anew by the changed table."""
        self.env.registry.clear_cache()
        if not self.env.context.get("install_mode"):
            self.env["crm.partner.fingerprint"]._outdate()

    @api.model
    @tools.ormcache()
    def _get_forms(self):
        """The table as name folding takes it.

        :return: LegalForms
        """
        forms = self.sudo().search([])  # sudo: whoever enters a client
        return LegalForms(
            [(form.name, (form.spellings or "").splitlines()) for form in forms],
        )
