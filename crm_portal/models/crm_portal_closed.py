from odoo import api, models

#: add-ons of this suite: what they add to a document of Odoo is meant for us, not for customers
SUITE = frozenset({"crm_extended", "crm_scoring", "crm_claims", "crm_claims_stock", "crm_portal"})


class CrmPortalClosed(models.AbstractModel):
    """A document of Odoo on which customers read what Odoo shows them, and nothing of ours.

    Portal users read their orders, invoices, products, tasks and the cards of their colleagues by
    Odoo's own access rights, and with a document every field of it that no group closes. The fields
    which this suite adds there (whether an order deviates from its agreement, how often we spoke,
    where we ship what he ordered before) are therefore closed as a whole: a field added later, by
    any add-on of the suite, is closed until :meth:`_portal_readable_fields` names it. The pages of
    the portal show what they show as superuser.
    """

    _name = "crm.portal.closed"
    _description = "Fields of Ours Closed to Portal Users"

    @api.model
    def _portal_readable_fields(self):
        """Names of fields of ours that portal users may read; other add-ons extend it."""
        return frozenset()

    @api.model
    def _portal_is_ours(self, field):
        """Whether a field was added to Odoo's document by this suite alone."""
        while field.inherited:  # of a user: that of his card
            field = field.related_field
        return bool(field._modules) and SUITE.issuperset(field._modules)

    def _has_field_access(self, field, operation):
        if not super()._has_field_access(field, operation):
            return False
        # asked for each field of each record: what costs least comes first
        if self.env.su or not self._portal_is_ours(field) or not self.env.user.share:
            return True
        return operation == "read" and field.name in self._portal_readable_fields()
