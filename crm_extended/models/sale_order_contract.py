from odoo import api, fields, models
from odoo.tools.sql import column_exists, create_column


class SaleOrder(models.Model):
    """An order names the contract it is sold under, where there is one.

    The contract is that of the client under the order's agreement that is in force on the order
    date, the latest one first. When the agreement requires a contract, the payment terms of the
    contract win over those of the agreement.
    """

    _inherit = "sale.order"

    agreement_contract_id = fields.Many2one(
        "crm.agreement.contract",
        "Contract",
        compute="_compute_agreement_contract_id",
        store=True,
        readonly=False,
        precompute=True,
        index="btree_not_null",
        check_company=True,
        copy=False,
        domain="[('state', '=', 'signed'), ('agreement_id', '=', agreement_id), "
        "('commercial_partner_id', '=', agreement_partner_id)]",
    )

    def _auto_init(self):
        # No contract exists yet: do not compute the column over all orders of an old database.
        if not column_exists(self.env.cr, "sale_order", "agreement_contract_id"):
            create_column(self.env.cr, "sale_order", "agreement_contract_id", "int4")
        return super()._auto_init()

    @api.depends("agreement_id", "partner_id", "date_order")
    def _compute_agreement_contract_id(self):
        orders = self.filtered(
            lambda order: order.agreement_id
            and order.partner_id
            and (order.state in ("draft", "sent") or not order._origin.id)
        )
        for order in self - orders:
            order.agreement_contract_id = (
                order.agreement_contract_id if order.agreement_id else False
            )
        # sudo: terms bind the order whether or not its salesperson may open the contract
        contracts_sudo = (
            self.env["crm.agreement.contract"]
            .sudo()
            .search(
                [
                    ("agreement_id", "in", orders.agreement_id.ids),
                    (
                        "commercial_partner_id",
                        "in",
                        orders.partner_id.commercial_partner_id._origin.ids,
                    ),
                    ("state", "=", "signed"),
                ]
            )
            if orders
            else self.env["crm.agreement.contract"]
        )
        for order in orders:
            day = order._get_order_day()
            order.agreement_contract_id = contracts_sudo.filtered(
                lambda contract, order=order, day=day: contract.agreement_id.id
                == order.agreement_id.id
                and contract.commercial_partner_id.id
                == order.partner_id.commercial_partner_id._origin.id
                and contract._is_in_force(day)
            )[:1].sudo(self.env.su)

    def _get_agreed_payment_term(self, agreement_sudo):
        """Payment terms that hold for this order: those of a required contract, else agreed ones.

        :return: `account.payment.term` under sudo, empty when not agreed
        """
        self.ensure_one()
        contract_sudo = self.agreement_contract_id.sudo()
        if (
            agreement_sudo.contract_required
            and contract_sudo.payment_term_id
            # a draft, or somebody else's contract, was not approved for this order
            and contract_sudo.state in ("signed", "ended")
            and self._is_own_contract(contract_sudo, agreement_sudo)
        ):
            return contract_sudo.payment_term_id
        return agreement_sudo.payment_term_id

    def _is_own_contract(self, contract_sudo, agreement_sudo):
        """Whether a contract is with the client of this order, under its agreement."""
        self.ensure_one()
        client_sudo = self.sudo().partner_id.commercial_partner_id._origin
        return (
            contract_sudo.agreement_id._origin == agreement_sudo._origin
            and contract_sudo.commercial_partner_id._origin == client_sudo
        )

    def _get_contract_deviations(self, agreement_sudo):
        contract_sudo = self.agreement_contract_id.sudo()
        day = self._get_agreement_check_date()
        if not agreement_sudo.contract_required:
            return []
        fits = self._is_own_contract(contract_sudo, agreement_sudo)
        if contract_sudo and fits and contract_sudo._is_in_force(day):
            return []
        return [
            self._prepare_deviation(
                "contract",
                agreement_sudo,
                expected=self.env._("a signed contract in force"),
                actual=contract_sudo.display_name or self.env._("none"),
                figures=[contract_sudo.id, fields.Date.to_string(contract_sudo.date_end)],
            )
        ]
