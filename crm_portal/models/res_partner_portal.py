from collections import namedtuple

from odoo import models

# in the currency of the company; ``limit`` and ``left`` are None where no limit was agreed
PortalDebt = namedtuple(
    "PortalDebt", ["invoiced", "overdue", "days", "uninvoiced", "limit", "left", "currency"]
)


class ResPartner(models.Model):
    """Who looks after a customer, and what he owes, as the customer reads it."""

    _inherit = "res.partner"

    def _portal_get_manager(self, company):
        """Personal manager of a customer.

        His own salesperson, that of his company, else whoever answers customers without one.

        :param company: res.company
        :return: res.users as superuser, an active colleague or empty
        """
        self.ensure_one()
        partner_sudo = self.sudo()
        candidates = (
            partner_sudo.user_id
            | partner_sudo.commercial_partner_id.user_id
            | company.sudo().portal_manager_id
        )
        return candidates.filtered(lambda user: user.active and not user.share)[:1]

    def _portal_get_debt(self, company):
        """What the customer owes a company of ours, and what is left of his credit limit.

        :rtype: PortalDebt
        """
        self.ensure_one()
        client = self.commercial_partner_id
        # an order that is never saved: it finds the agreement that governs the customer today
        order_sudo = (
            self.env["sale.order"]
            .sudo()
            .with_company(company)
            .new({"partner_id": client.id, "company_id": company.id})
        )
        agreement_sudo = order_sudo.agreement_id
        debt = order_sudo._get_client_debt(0)
        limit = agreement_sudo.credit_limit or None
        left = None if limit is None else max(limit - debt.unpaid - debt.uninvoiced, 0.0)
        return PortalDebt(
            debt.unpaid,
            debt.overdue,
            debt.days,
            debt.uninvoiced,
            limit,
            left,
            company.sudo().currency_id,
        )

    def _portal_get_open_invoices_domain(self, company):
        """Posted invoices of the customer that are not settled."""
        self.ensure_one()
        return [
            ("partner_id", "child_of", self.commercial_partner_id.ids),
            ("company_id", "=", company.id),
            ("move_type", "in", ("out_invoice", "out_receipt")),
            ("state", "=", "posted"),
            ("payment_state", "in", ("not_paid", "partial")),
        ]
