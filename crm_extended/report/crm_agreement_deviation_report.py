from odoo import api, fields, models
from odoo.tools import SQL

from ..models.crm_agreement_deviation import DEVIATION_KINDS


class CrmAgreementDeviationReport(models.Model):
    """Deviations by manager, client, agreement, kind and money.

    One row per deviation that somebody asked for, decided on or was warned of; void ones are out,
    because the order no longer has them. Money is in the currency of the company, at the exchange
    rate of the order or the invoice: what was given away in price and discount, once it was let
    pass (*given*) and while it is asked for or when it was refused (*asked*). Amounts of other
    kinds (a small order, a debt) are no money given away and are not summed up.
    """

    _name = "crm.agreement.deviation.report"
    _description = "Deviations From Agreements"
    _auto = False
    _rec_name = "deviation_id"
    _order = "date desc, id desc"
    _depends = {
        "crm.agreement.deviation": [
            "agreement_id",
            "amount",
            "approver_id",
            "company_id",
            "decided_on",
            "kind",
            "move_id",
            "order_id",
            "requested_by_id",
            "state",
        ],
        "sale.order": ["currency_rate", "opportunity_id", "partner_id", "team_id", "user_id"],
        "account.move": ["invoice_currency_rate", "invoice_user_id", "partner_id", "team_id"],
        "res.partner": ["commercial_partner_id"],
    }

    deviation_id = fields.Many2one("crm.agreement.deviation", "Deviation", readonly=True)
    date = fields.Date(readonly=True)
    order_id = fields.Many2one("sale.order", "Order", readonly=True)
    move_id = fields.Many2one("account.move", "Invoice", readonly=True)
    opportunity_id = fields.Many2one("crm.lead", "Deal", readonly=True)
    agreement_id = fields.Many2one("crm.agreement", "Agreement", readonly=True)
    commercial_partner_id = fields.Many2one("res.partner", "Client", readonly=True)
    user_id = fields.Many2one("res.users", "Salesperson", readonly=True)
    team_id = fields.Many2one("crm.team", "Sales Team", readonly=True)
    requested_by_id = fields.Many2one("res.users", "Requested By", readonly=True)
    approver_id = fields.Many2one("res.users", "Decided By", readonly=True)
    kind = fields.Selection(DEVIATION_KINDS, readonly=True)
    state = fields.Selection(
        [
            ("requested", "To Approve"),
            ("approved", "Approved"),
            ("refused", "Refused"),
            ("recorded", "Recorded"),
        ],
        "Status",
        readonly=True,
    )
    company_id = fields.Many2one("res.company", "Company", readonly=True)
    currency_id = fields.Many2one("res.currency", "Currency", readonly=True)
    amount_given = fields.Monetary("Given Away", readonly=True)
    amount_asked = fields.Monetary("Asked or Refused", readonly=True)
    hours_to_decide = fields.Float("Hours to Decide", aggregator="avg", readonly=True)

    @property
    def _table_query(self):
        return SQL(
            """
            SELECT deviation.id AS id,
                   deviation.id AS deviation_id,
                   deviation.create_date::date AS date,
                   deviation.order_id,
                   deviation.move_id,
                   so.opportunity_id,
                   deviation.agreement_id,
                   partner.commercial_partner_id,
                   CASE WHEN so.id IS NOT NULL THEN so.user_id ELSE move.invoice_user_id
                        END AS user_id,
                   CASE WHEN so.id IS NOT NULL THEN so.team_id ELSE move.team_id END AS team_id,
                   deviation.requested_by_id,
                   deviation.approver_id,
                   deviation.kind,
                   deviation.state,
                   deviation.company_id,
                   company.currency_id,
                   CASE WHEN deviation.state IN ('approved', 'recorded')
                        THEN money.amount ELSE 0 END AS amount_given,
                   CASE WHEN deviation.state IN ('requested', 'refused')
                        THEN money.amount ELSE 0 END AS amount_asked,
                   EXTRACT(EPOCH FROM deviation.decided_on - deviation.create_date) / 3600
                       AS hours_to_decide
              FROM crm_agreement_deviation deviation
         LEFT JOIN sale_order so ON so.id = deviation.order_id
         LEFT JOIN account_move move ON move.id = deviation.move_id
              JOIN res_partner partner
                ON partner.id = COALESCE(so.partner_id, move.partner_id)
              JOIN res_company company ON company.id = deviation.company_id
              JOIN res_currency currency ON currency.id = company.currency_id
              JOIN LATERAL (
                    SELECT CASE WHEN deviation.kind IN ('price', 'discount')
                                THEN ROUND((COALESCE(deviation.amount, 0)
                                     / COALESCE(NULLIF(so.currency_rate, 0),
                                                NULLIF(move.invoice_currency_rate, 0),
                                                1))::numeric,
                                     COALESCE(currency.decimal_places, 2))
                                ELSE 0 END AS amount
                   ) money ON TRUE
             WHERE deviation.state != 'void'
            """
        )

    @api.readonly
    def action_open_order(self):
        """Open the order of this deviation, or the invoice that was entered by hand."""
        self.ensure_one()
        return (self.order_id or self.move_id)._get_records_action()
