from odoo import api, models


class CrmPortalMixin(models.AbstractModel):
    """A document of which portal users read a fixed list of fields and write nothing.

    The list holds on every road: pages, search, grouping, export and remote calls. It stands in
    the class of the document, so that a field added to it later is closed until it is opened here.
    """

    _name = "crm.portal.mixin"
    _description = "Fields Open to Portal Users"

    @api.model
    def _portal_readable_fields(self):
        """Names of the fields that portal users may read; other add-ons extend it."""
        return frozenset()

    def _has_field_access(self, field, operation):
        if not super()._has_field_access(field, operation):
            return False
        if not self.env.su and self.env.user.share:
            return operation == "read" and field.name in self._portal_readable_fields()
        return True
