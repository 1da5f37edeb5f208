from odoo import api, fields, models

from .crm_claim_filing import PortalFormError


class CrmAgreement(models.Model):
    """The customer asks to renew his agreement, and reads the contracts signed under it.

    He asks once for each agreement: whoever is responsible for it gets an activity. An agreement
    without an end, or with a renewal under way, needs no asking.
    """

    _inherit = "crm.agreement"

    renewal_asked_on = fields.Datetime(
        "Renewal Asked For On",
        readonly=True,
        copy=False,
        help="When the customer asked in the portal to renew this agreement.",
    )

    @api.model
    def _get_controlled_fields(self):
        return super()._get_controlled_fields() | {"renewal_asked_on"}

    def _portal_get_renewal(self):
        """Where the renewal stands: ``open`` (may be asked for), ``asked``, ``prepared``, False."""
        self.ensure_one()
        agreement_sudo = self.sudo()  # renewals are drafts, which customers do not read
        if agreement_sudo.renewal_ids.filtered(lambda renewal: renewal.state != "closed"):
            return "prepared"
        if agreement_sudo.renewal_asked_on:
            return "asked"
        return "open" if agreement_sudo.date_end else False

    def _portal_ask_renewal(self):
        """The signed-in customer, who may read this agreement, asks to renew it.

        :raise PortalFormError: when there is nothing to ask for
        """
        self.ensure_one()
        # asked twice at the same time: the second waits here and finds it asked
        self.env.cr.execute("SELECT id FROM crm_agreement WHERE id = %s FOR UPDATE", [self.id])
        self.invalidate_recordset(["renewal_asked_on"])
        status = self._portal_get_renewal()
        if status == "asked":
            return
        if status != "open":
            raise PortalFormError(
                {"form": self.env._("This agreement does not need to be renewed.")}
            )
        # sudo: the customer only reads; the stamp and the activity are all that is written
        agreement_sudo = self.sudo()
        agreement_sudo.renewal_asked_on = fields.Datetime.now()
        manager = agreement_sudo.user_id or self.env.user.partner_id._portal_get_manager(
            self.company_id
        )
        if manager:
            agreement_sudo.activity_schedule(
                "mail.mail_activity_data_todo",
                user_id=manager.id,
                summary=self.env._("The customer asks to renew %(name)s", name=self.name),
                note=self.env._(
                    "%(customer)s asked in the portal to renew this agreement.",
                    customer=self.env.user.name,
                ),
            )

    @api.model
    def _portal_get_contracts(self, user):
        """Contracts in force with the customer of a user, as superuser."""
        return (
            self.env["crm.agreement.contract"]
            .sudo()
            .search(
                [
                    ("commercial_partner_id", "=", user.partner_id.commercial_partner_id.id),
                    ("company_id", "in", user.company_ids.ids),
                    ("state", "=", "signed"),
                ],
                order="date_start desc, id desc",
            )
        )
