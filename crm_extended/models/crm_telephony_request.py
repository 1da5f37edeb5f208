from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL

# the vacuum leaves that much behind
KEEP_ACCEPTED = timedelta(hours=2)
KEEP_REFUSED = timedelta(days=30)
KEEP_REFUSED_ROWS = 500


class CrmTelephonyRequest(models.Model):
    """What became of each request of a telephony provider.

    Accepted requests are kept for two hours, because the limit of events per minute is counted
    by them. Refused ones are kept for 30 days, at most 500 of each provider, so that whoever
    sets up the exchange sees what is wrong. A row says which field was wrong, never what was in
    it: no numbers, addresses of recordings or tokens.
    """

    _name = "crm.telephony.request"
    _description = "Telephony Request"
    _order = "id desc"
    _rec_name = "code"

    provider_id = fields.Many2one(
        "crm.telephony.provider", required=True, readonly=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(
        related="provider_id.company_id", store=True, index="btree_not_null"
    )
    date = fields.Datetime(required=True, readonly=True, default=fields.Datetime.now)
    state = fields.Selection(
        [("accepted", "Accepted"), ("refused", "Refused")],
        string="Status",
        required=True,
        readonly=True,
    )
    event_count = fields.Integer(string="Events", readonly=True)
    code = fields.Char(string="Error", readonly=True)
    message = fields.Char(string="Explanation", readonly=True)

    _provider_date_idx = models.Index("(provider_id, date)")

    @api.autovacuum
    def _gc_requests(self):
        now = fields.Datetime.now()
        self.env.cr.execute(
            SQL(
                """
                DELETE FROM crm_telephony_request
                 WHERE state = 'accepted' AND date < %(accepted)s
                    OR date < %(refused)s
                    OR id IN (
                        SELECT id
                          FROM (
                                SELECT id, row_number() OVER (
                                           PARTITION BY provider_id ORDER BY id DESC
                                       ) AS position
                                  FROM crm_telephony_request
                                 WHERE state = 'refused'
                               ) ranked
                         WHERE position > %(rows)s
                    )
                """,
                accepted=now - KEEP_ACCEPTED,
                refused=now - KEEP_REFUSED,
                rows=KEEP_REFUSED_ROWS,
            )
        )
