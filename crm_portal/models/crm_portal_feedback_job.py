from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL

LOOK_BACK_DAYS = 14


class CrmPortalFeedback(models.Model):
    """The job that finds what customers are to be asked about.

    An order when all of it is delivered (where no stock is kept and nobody enters delivered
    quantities: when it is invoiced), a deal when it is won, a claim when it is closed. What
    happened before the surveys were switched on is left alone.
    """

    _inherit = "crm.portal.feedback"

    @api.model
    def _get_pending_orders(self, company, since, limit):
        stock = "delivery_status" in self.env["sale.order"]._fields
        return SQL(
            """
            SELECT o.id FROM sale_order o
             WHERE o.state = 'sale' AND o.company_id = %(company)s
               AND (
                   o.id IN (SELECT recent.order_id FROM sale_order_line recent
                             WHERE recent.write_date >= %(since)s AND recent.qty_delivered > 0)
                   AND NOT EXISTS (
                       SELECT 1 FROM sale_order_line l
                        WHERE l.order_id = o.id AND l.display_type IS NULL
                          AND l.is_downpayment IS NOT TRUE
                          AND l.product_uom_qty > 0 AND l.qty_delivered < l.product_uom_qty)
                   OR NOT %(stock)s AND o.invoice_status = 'invoiced'
                      AND o.write_date >= %(since)s AND o.date_order >= %(old)s)
               AND NOT EXISTS (SELECT 1 FROM crm_portal_feedback f WHERE f.order_id = o.id)
          ORDER BY o.id LIMIT %(limit)s
            """,
            company=company.id,
            since=since,
            stock=stock,
            old=since - timedelta(days=180),
            limit=limit,
        )

    @api.model
    def _get_pending_deals(self, company, since, limit):
        return SQL(
            """
            SELECT l.id FROM crm_lead l
             WHERE l.won_status = 'won' AND l.active
               AND l.date_last_stage_update >= %(since)s AND l.date_closed >= %(since)s
               AND (l.company_id = %(company)s OR l.company_id IS NULL AND %(main)s)
               AND l.partner_id IS NOT NULL
               AND NOT EXISTS (SELECT 1 FROM crm_portal_feedback f WHERE f.lead_id = l.id)
          ORDER BY l.id LIMIT %(limit)s
            """,
            company=company.id,
            main=company == self.env.ref("base.main_company", raise_if_not_found=False),
            since=since,
            limit=limit,
        )

    @api.model
    def _get_pending_claims(self, company, since, limit):
        return SQL(
            """
            SELECT c.id FROM crm_claim c
             WHERE c.state = 'closed' AND c.company_id = %(company)s
               AND c.date_closed >= %(since)s AND c.partner_id IS NOT NULL
               AND NOT EXISTS (SELECT 1 FROM crm_portal_feedback f WHERE f.claim_id = c.id)
          ORDER BY c.id LIMIT %(limit)s
            """,
            company=company.id,
            since=since,
            limit=limit,
        )

    @api.model
    def _get_pending(self, company, now, limit):
        """What customers of a company are to be asked about.

        :return: list of (trigger, documents as superuser)
        """
        self.env.flush_all()
        since = max(now - timedelta(days=LOOK_BACK_DAYS), company.feedback_since or now)
        sources = (
            ("order", company.feedback_orders, "sale.order", self._get_pending_orders),
            ("deal", company.feedback_deals, "crm.lead", self._get_pending_deals),
            ("claim", company.feedback_claims, "crm.claim", self._get_pending_claims),
        )
        return [
            (
                trigger,
                self.env[model]
                .sudo()
                .browse(row[0] for row in self.env.execute_query(query(company, since, limit))),
            )
            for trigger, is_on, model, query in sources
            if is_on and company.feedback_survey_id
        ]

    def _cron_send(self, batch_size=50):
        """Send the surveys that are due, batch by batch."""
        cron = self.env["ir.cron"]
        now = fields.Datetime.now()
        remaining = 0
        for company in self.env["res.company"].sudo().search([]):
            for trigger, records in self._get_pending(company, now, batch_size + 1):
                batch = records[:batch_size]
                self.with_company(company)._send(company, trigger, batch, now)
                remaining += len(records) - len(batch)
                cron._commit_progress(len(batch), remaining=remaining)
        cron._commit_progress(remaining=remaining)


class ResCompany(models.Model):
    _inherit = "res.company"

    feedback_orders = fields.Boolean("Survey after a Delivered Order")
    feedback_deals = fields.Boolean("Survey after a Won Deal")
    feedback_claims = fields.Boolean("Survey after a Closed Claim")
    feedback_survey_id = fields.Many2one(
        "survey.survey",
        "Satisfaction Survey",
        default=lambda self: self.env.ref(
            "crm_portal.survey_satisfaction", raise_if_not_found=False
        ),
    )
    feedback_days = fields.Integer(
        "Days between Surveys", default=90, help="A customer is asked at most once in so many days."
    )
    feedback_low_csi = fields.Float(
        "Low Mark below (%)", default=60.0, help="A satisfaction index below becomes a to-do."
    )
    feedback_since = fields.Datetime(help="What happened before is not asked about.")

    _feedback_days_positive = models.Constraint(
        "CHECK(feedback_days >= 0)", "The days between surveys cannot be negative."
    )

    def write(self, vals):
        switches = {"feedback_orders", "feedback_deals", "feedback_claims"}
        if any(vals.get(name) for name in switches):
            started = self.filtered(lambda company: not any(company[name] for name in switches))
            started.feedback_since = fields.Datetime.now()
            survey = self.env.ref("crm_portal.survey_satisfaction", raise_if_not_found=False)
            self.filtered(
                lambda company: not company.feedback_survey_id
            ).feedback_survey_id = survey
        return super().write(vals)


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    feedback_orders = fields.Boolean(related="company_id.feedback_orders", readonly=False)
    feedback_deals = fields.Boolean(related="company_id.feedback_deals", readonly=False)
    feedback_claims = fields.Boolean(related="company_id.feedback_claims", readonly=False)
    feedback_survey_id = fields.Many2one(related="company_id.feedback_survey_id", readonly=False)
    feedback_days = fields.Integer(related="company_id.feedback_days", readonly=False)
    feedback_low_csi = fields.Float(related="company_id.feedback_low_csi", readonly=False)


class CrmClaim(models.Model):
    _inherit = "crm.claim"

    def _send_rating_request(self):
        """Where a survey follows a closed claim, the customer is not asked twice."""
        asked = self.filtered(lambda claim: claim.company_id.sudo().feedback_claims)
        return super(CrmClaim, self - asked)._send_rating_request()
