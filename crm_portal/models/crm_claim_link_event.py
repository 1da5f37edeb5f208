from datetime import timedelta

from odoo import api, fields, models
from odoo.http import request

KEPT_DAYS = 365


class CrmClaimLinkEvent(models.Model):
    """What became of a link without login: sent, opened, used to answer, revoked.

    A mail scanner or a nervous reader opens a link many times: openings from one address within an
    hour are one row. Rows are only ever added, so that two openings never wait for each other, and
    are deleted after a year, since they hold addresses of people.
    """

    _name = "crm.claim.link.event"
    _description = "Use of a Link to a Claim"
    _order = "date desc, id desc"

    link_id = fields.Many2one(
        "crm.claim.link", required=True, readonly=True, index=True, ondelete="cascade"
    )
    claim_id = fields.Many2one(related="link_id.claim_id")
    company_id = fields.Many2one(related="link_id.company_id", store=True)
    date = fields.Datetime(required=True, readonly=True, default=fields.Datetime.now)
    kind = fields.Selection(
        [
            ("sent", "Sent"),
            ("renewed", "New One Asked for"),
            ("shown", "Shown to Staff"),
            ("opened", "Opened"),
            ("message", "Message"),
            ("accept", "Decision Accepted"),
            ("reject", "Decision Not Accepted"),
            ("withdraw", "Claim Withdrawn"),
            ("reopen", "Claim Reopened"),
            ("rate", "Rated"),
            ("refused", "Refused: Ended or Revoked"),
            ("revoked", "Revoked"),
        ],
        required=True,
        readonly=True,
    )
    ip_address = fields.Char("From Address", readonly=True)
    user_agent = fields.Char("Program", readonly=True)

    @api.model
    def _log(self, links, kind):
        """Add what happened to the links, by whom as far as the request tells."""
        address = agent = False
        if request:
            address = (request.httprequest.remote_addr or "")[:45]
            agent = (request.httprequest.user_agent.string or "")[:200]
        # sudo: nobody writes the log directly
        events_sudo = self.sudo()
        if kind in ("opened", "refused"):
            recent = events_sudo.search(
                [
                    ("link_id", "in", links.ids),
                    ("kind", "=", kind),
                    ("ip_address", "=", address),
                    ("date", ">", fields.Datetime.now() - timedelta(hours=1)),
                ]
            )
            links -= recent.link_id
        events_sudo.create(
            [
                {"link_id": link.id, "kind": kind, "ip_address": address, "user_agent": agent}
                for link in links
            ]
        )

    @api.autovacuum
    def _gc_events(self):
        limit = fields.Datetime.now() - timedelta(days=KEPT_DAYS)
        self.sudo().search([("date", "<", limit)], limit=10_000).unlink()
