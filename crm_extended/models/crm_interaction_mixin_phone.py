from odoo import fields, models


class CrmInteractionPhone(models.AbstractModel):
    """The number under which the client of a document is called.

    A number that turned out to be wrong is remembered on the client (`crm_wrong_phone`), and
    on a deal that has a number of its own. It is shown as wrong wherever it is still used; as
    soon as another number is entered, or the client is reached after all, the mark is gone.
    """

    _inherit = "crm.interaction.mixin"

    is_phone_wrong = fields.Boolean(string="Wrong Number", compute="_compute_is_phone_wrong")

    def _compute_is_phone_wrong(self):
        for document in self:
            document.is_phone_wrong = document._has_wrong_phone()

    def _has_wrong_phone(self):
        """Whether the number under which the client is called is known to be wrong."""
        self.ensure_one()
        phone = self._get_interaction_phone()
        return bool(phone) and any(
            self._is_same_phone(phone, holder_sudo.crm_wrong_phone)
            for holder_sudo in self._get_phone_holders_sudo()
            if holder_sudo.crm_wrong_phone
        )

    def _get_interaction_phone(self):
        """Phone number under which the client is called about this document."""
        self.ensure_one()
        partner_sudo = self._get_interaction_partner().sudo()
        return partner_sudo.phone or partner_sudo.commercial_partner_id.phone

    def _get_phone_holders_sudo(self):
        """Records that keep a phone number of the client, the nearest first."""
        self.ensure_one()
        # sudo: the mark tells nothing that the number itself does not
        partner_sudo = self._get_interaction_partner().sudo()
        return [*partner_sudo, *(partner_sudo.commercial_partner_id - partner_sudo)]

    def _is_same_phone(self, phone, other):
        """Whether two spellings mean the same number."""
        self.ensure_one()
        if not phone or not other:
            return False

        def normalise(number):
            return self._phone_format(number=number) or "".join(filter(str.isdigit, number))

        return normalise(phone) == normalise(other)

    def _mark_wrong_phone(self):
        """Remember that the number under which the client was called is wrong."""
        for document in self:
            phone = document._get_interaction_phone()
            for holder_sudo in document._get_phone_holders_sudo():
                if phone and document._is_same_phone(phone, holder_sudo.phone):
                    holder_sudo.crm_wrong_phone = phone

    def _clear_wrong_phone(self):
        """The client was reached: the number is right after all."""
        for document in self.filtered(lambda document: document._has_wrong_phone()):
            for holder_sudo in document._get_phone_holders_sudo():
                holder_sudo.crm_wrong_phone = False

    def _set_interaction_phone(self, phone):
        """Keep another number of the client."""
        self.ensure_one()
        self._get_interaction_partner().phone = phone
