from odoo import api, fields, models
from odoo.tools import SQL


class CrmScorecardFactor(models.Model):
    """Measures beside the fields of the deal: what happened around it.

    Each is an SQL expression over the table ``crm_lead`` and is offered when the models it looks
    at are installed. A date counts as the days passed since it.
    """

    _inherit = "crm.scorecard.factor"

    @api.model
    def _get_special_measures(self, now=None):
        """Return the measures: ``{name: dict(label, dated, sql, monetary)}``.

        :param datetime now: moment for which they are taken, naive UTC; the clock by default
        """
        now = now or fields.Datetime.now()
        measures = {
            "measure_contact": {
                "label": self.env._("Days since the last contact"),
                "dated": True,
                "sql": self._get_interaction_sql(SQL("max(i.date_start)")),
            },
            "measure_answer": {
                "label": self.env._("Days since the client last wrote or called"),
                "dated": True,
                "sql": self._get_interaction_sql(
                    SQL("max(i.date_start)"), SQL("i.direction = 'in'")
                ),
            },
            "measure_answers": {
                "label": self.env._("Answers of the client by mail"),
                "sql": self._get_interaction_sql(
                    SQL("count(*)"), SQL("i.direction = 'in' AND i.kind = 'email'")
                ),
            },
            "measure_reached": {
                "label": self.env._("Share of calls that reached the client, %"),
                "sql": SQL(
                    """(SELECT 100.0 * count(*) FILTER (WHERE o.reached) / NULLIF(count(*), 0)
                          FROM crm_interaction i JOIN crm_interaction_outcome o
                            ON o.id = i.outcome_id
                         WHERE i.res_model = 'crm.lead' AND i.res_id = crm_lead.id
                           AND i.kind = 'call' AND i.state = 'done')"""
                ),
            },
            "measure_step": {
                "label": self.env._("Days the next step is overdue"),
                "dated": True,
                "sql": SQL(
                    """(SELECT min(a.date_deadline)::timestamp FROM mail_activity a
                         WHERE a.res_model = 'crm.lead' AND a.res_id = crm_lead.id AND a.active
                           AND NOT COALESCE(a.automated, FALSE))"""
                ),
            },
            "measure_objections": {
                "label": self.env._("Objections open"),
                "sql": SQL(
                    """(SELECT count(*) FROM crm_lead_objection o
                         WHERE o.lead_id = crm_lead.id AND o.state = 'raised')"""
                ),
            },
            "measure_competitors": {
                "label": self.env._("Competitors in the deal"),
                "sql": SQL(
                    """(SELECT count(*) FROM crm_lead_objection o
                         WHERE o.lead_id = crm_lead.id AND o.state = 'raised'
                           AND o.category = 'competitor')"""
                ),
            },
            "measure_agreements": {
                "label": self.env._("Agreements of the client in force"),
                "sql": SQL(
                    """(SELECT count(*) FROM crm_agreement g
                          JOIN res_partner c ON c.commercial_partner_id = g.commercial_partner_id
                         WHERE c.id = crm_lead.partner_id AND g.company_id = crm_lead.company_id
                           AND g.state = 'active' AND g.date_start <= %(today)s
                           AND (g.date_end IS NULL OR g.date_end >= %(today)s))""",
                    today=now.date(),
                ),
            },
            "measure_documents": {
                "label": self.env._("Quotations sent"),
                "sql": SQL(
                    """(SELECT count(*) FROM sale_order o
                         WHERE o.opportunity_id = crm_lead.id AND o.state IN ('sent', 'sale'))"""
                ),
            },
            "measure_purchases": {
                "label": self.env._("Purchases of the client"),
                "sql": SQL(
                    """(SELECT p.frequency FROM crm_customer_profile p
                          JOIN res_partner c ON c.commercial_partner_id = p.partner_id
                         WHERE c.id = crm_lead.partner_id
                           AND p.company_id = crm_lead.company_id)"""
                ),
            },
            "measure_debt": {
                "label": self.env._("Overdue debt of the client"),
                "monetary": True,
                "sql": SQL(
                    """(SELECT sum(m.amount_residual_signed) FROM account_move m
                          JOIN res_partner c ON c.commercial_partner_id = m.commercial_partner_id
                         WHERE c.id = crm_lead.partner_id AND m.company_id = crm_lead.company_id
                           AND m.move_type = 'out_invoice' AND m.state = 'posted'
                           AND m.payment_state IN ('not_paid', 'partial')
                           AND m.invoice_date_due < %s)""",
                    now.date(),
                ),
            },
        }
        if "crm.claim" in self.env:
            measures["measure_claims"] = {
                "label": self.env._("Claims of the client that are open"),
                "sql": SQL(
                    """(SELECT count(*) FROM crm_claim k
                          JOIN res_partner c ON c.commercial_partner_id = k.commercial_partner_id
                         WHERE c.id = crm_lead.partner_id AND k.is_open AND k.active)"""
                ),
            }
        return measures

    @api.model
    def _get_interaction_sql(self, value, condition=None):
        return SQL(
            """(SELECT %s FROM crm_interaction i
                 WHERE i.res_model = 'crm.lead' AND i.res_id = crm_lead.id AND i.state = 'done'
                   AND %s)""",
            value,
            condition or SQL("TRUE"),
        )

    @api.model
    def _flush_special_measures(self):
        """Write what the measures look at to the database."""
        for model in (
            "crm.interaction", "mail.activity", "crm.lead.objection", "crm.agreement", "sale.order",
            "account.move", "crm.claim",
        ):  # fmt: skip
            if model in self.env:
                self.env[model].flush_model()

    # Suggested factors

    @api.model
    def _get_suggestions(self):
        """Return factors worth adding where their models exist, as values of creation."""
        _ = self.env._

        def bands(**points):
            return [
                (0, 0, {"lower_bound": int(bound[1:]), "points": value})
                for bound, value in points.items()
            ]

        suggestions = [
            {
                "measure": "measure_contact",
                "sentence": _("No contact for {days}; won deals: {expected}"),
                "advice": _("Call the client and agree on the next step."),
                "band_ids": bands(b14=-5, b21=-10, b45=-20),
            },
            {
                "measure": "measure_answers",
                "sentence": _("Answers of the client by mail: {value}"),
                "band_ids": bands(b1=5, b3=10),
            },
            {
                "measure": "measure_reached",
                "sentence": _("Share of calls that reached the client: {value}%"),
                "advice": _("Try another number or another hour."),
                "band_ids": bands(b0=-10, b30=0, b60=5),
            },
            {
                "measure": "measure_step",
                "sentence": _("The next step is overdue by {days}"),
                "advice": _("Do the overdue step or set a new date for it."),
                "band_ids": bands(b1=-5, b7=-10, b21=-15),
            },
            {
                "measure": "measure_objections",
                "sentence": _("Objections not answered: {value}"),
                "advice": _("Answer the open objections; see which answers worked."),
                "band_ids": bands(b1=-8, b3=-15),
            },
            {
                "measure": "measure_competitors",
                "sentence": _("A competitor is in the deal"),
                "advice": _("Say what the client gets from us only, and get it confirmed."),
                "band_ids": bands(b1=-10),
            },
            {
                "measure": "measure_agreements",
                "sentence": _("The client has an agreement with us"),
                "band_ids": bands(b1=10),
            },
            {
                "measure": "measure_documents",
                "sentence": _("Quotations sent: {value}"),
                "band_ids": bands(b1=10),
            },
            {
                "measure": "measure_debt",
                "sentence": _("The client owes {value} that is overdue"),
                "advice": _("Settle the debt before you sell more."),
                "band_ids": bands(b1=-5, b10000=-15),
            },
        ]
        if "crm.claim" in self.env:
            suggestions.append(
                {
                    "measure": "measure_claims",
                    "sentence": _("Open claims of the client: {value}"),
                    "advice": _("See to the claims first."),
                    "band_ids": bands(b1=-10, b3=-20),
                }
            )
        labels = self._get_special_measures()
        return [
            {"kind": "measure", "name": labels[s["measure"]]["label"], **s} for s in suggestions
        ]
