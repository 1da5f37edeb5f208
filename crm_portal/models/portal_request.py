from datetime import timedelta

from odoo import api, fields, models

from .crm_claim_filing import PortalFormError

MAX_KEY_LENGTH = 64


class CrmPortalRequest(models.AbstractModel):
    """What a customer asks for in the portal: once per form, and not faster than allowed.

    The form carries a random key; the same key of the same user never gives a second record,
    however often the button is pressed. All requests of one user are handled one after the other.
    """

    _name = "crm.portal.request"
    _description = "Request Made in the Portal"

    portal_request_key = fields.Char(
        copy=False,
        readonly=True,
        groups="base.group_system",
        help="Identifies the portal form from which this came, so that it is not made twice.",
    )

    _portal_request_key_unique = models.UniqueIndex(
        "(portal_request_key) WHERE portal_request_key IS NOT NULL",
        "This request has already been received.",
    )

    @api.model
    def _portal_open_request(self, form_key):
        """Begin to handle a form of the signed-in user.

        :param str form_key: key of the form as shown, untrusted
        :return: key to store, and the record (as superuser) that the form gave before
        :raise PortalFormError: when the form has no key or the user asks too often
        """
        user = self.env.user
        form_key = self.env["crm.claim"]._portal_clean_text(form_key, MAX_KEY_LENGTH)
        if not form_key:
            raise PortalFormError(
                {"form": self.env._("This page is out of date. Please send the form again.")}
            )
        key = f"{user.id}:{form_key}"
        records_sudo = self.sudo().with_context(active_test=False)
        if previous := records_sudo.search([("portal_request_key", "=", key)]):
            return key, previous
        # a second form fails here at once, and the server repeats it when the first is through
        self.env.cr.execute(
            "SELECT id FROM res_users WHERE id = %s FOR NO KEY UPDATE NOWAIT", [user.id]
        )
        self._portal_check_request_rate()
        return key, records_sudo.browse()

    @api.model
    def _portal_check_request_rate(self):
        """:raise PortalFormError: when the user makes requests faster than his company allows"""
        limit = self.env.user.company_id.sudo().portal_requests_per_hour
        recent = (
            self.sudo()
            .with_context(active_test=False)
            .search_count(
                [
                    ("create_uid", "=", self.env.uid),
                    ("portal_request_key", "!=", False),
                    ("create_date", ">", fields.Datetime.now() - timedelta(hours=1)),
                ],
                limit=limit + 1,
            )
        )
        if recent >= limit:
            raise PortalFormError(
                {
                    "form": self.env._(
                        "You have sent us as many requests as we accept within an hour. Please"
                        " try again later, or write or call us."
                    )
                }
            )
