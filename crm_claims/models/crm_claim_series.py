from datetime import timedelta

from odoo import api, fields, models
from odoo.addons.crm_extended.tools.apart import run_apart
from odoo.fields import Command, Domain
from odoo.tools import SQL, plaintext2html

KINDS = [
    ("lot", "Product and Lot"),
    ("product", "Product and Cause"),
    ("cause", "Cause"),
]
#: investigations that can still take claims in
LIVING = ("draft", "running", "review")


class CrmClaimSeries(models.Model):
    """The same thing, claimed again and again: one investigation for all.

    - When a company has got its number of claims within its number of days about the same lot of a
      product, about the same product and cause, or (claims about no product) with the same cause, a
      series begins. Cancelled, archived and past claims do not count.
    - A series has one investigation, led by the quality lead of the team, who is warned. As long as
      it is not finished, further claims of the series join it. Later ones begin a new series when
      there are enough of them.
    - Series that share claims share their investigation.
    """

    _name = "crm.claim.series"
    _description = "Recurring Claims"
    _order = "id desc"
    _log_access = False

    company_id = fields.Many2one("res.company", required=True, readonly=True, index=True)
    kind = fields.Selection(KINDS, "What Recurs", required=True, readonly=True)
    product_id = fields.Many2one(
        "product.product", readonly=True, index="btree_not_null", ondelete="cascade"
    )
    lot_name = fields.Char("Lot / Serial", readonly=True)
    cause_id = fields.Many2one(
        "crm.claim.cause", readonly=True, index="btree_not_null", ondelete="cascade"
    )
    date = fields.Datetime("Begun", required=True, readonly=True)
    investigation_id = fields.Many2one(
        "crm.claim.investigation",
        required=True,
        readonly=True,
        index=True,
        ondelete="cascade",
    )
    investigation_state = fields.Selection(
        related="investigation_id.state", string="State of the Investigation"
    )
    claim_ids = fields.Many2many(
        "crm.claim", "crm_claim_series_rel", "series_id", "claim_id", string="Claims", readonly=True
    )
    claim_count = fields.Integer("Number of Claims", compute="_compute_claim_count")

    @api.depends("claim_ids")
    def _compute_claim_count(self):
        for series in self:
            # sudo: how many there are is no secret
            series.claim_count = len(series.sudo().claim_ids)

    @api.depends("kind", "product_id", "lot_name", "cause_id")
    def _compute_display_name(self):
        for series in self:
            parts = (series.product_id.display_name, series.lot_name, series.cause_id.complete_name)
            series.display_name = ", ".join(filter(None, parts))

    # ------------------------------------------------------------
    # FINDING THEM
    # ------------------------------------------------------------

    @api.model
    def _cron_series(self):
        """Find series in all companies, open their investigations, let further claims join."""
        cron = self.env["ir.cron"]
        companies = self.env["res.company"].sudo().search([("claim_recurrence_count", ">", 1)])
        for company in companies:
            for row in self._find_groups(company):
                # one group that fails is logged, and tried again by the next run
                run_apart(
                    company,
                    lambda company, row=row: self.sudo()._take_in(company, *row),
                    f"Series of claims {row[:4]}",
                )
            cron._commit_progress(1)
        cron._commit_progress(remaining=0)

    @api.model
    def _find_groups(self, company):
        """Groups of claims that are numerous enough.

        :return: list of ``(kind, product id, lot, cause id, ids of claims)``
        """
        self.env.flush_all()
        since = fields.Datetime.now() - timedelta(days=company.claim_recurrence_days)
        return self.env.execute_query(
            SQL(
                """
                  WITH claim AS (
                SELECT id, cause_id
                  FROM crm_claim
                 WHERE company_id = %(company)s
                   AND date_registered >= %(since)s
                   AND active AND state <> 'cancelled' AND source_result IS NULL),
                       item AS (
                SELECT DISTINCT claim.id, claim.cause_id, line.product_id,
                       NULLIF(lower(trim(line.lot_name)), '') AS lot
                  FROM claim JOIN crm_claim_line line ON line.claim_id = claim.id
                 WHERE line.product_id IS NOT NULL)
                SELECT 'lot', product_id, lot, NULL::integer, array_agg(id ORDER BY id)
                  FROM item WHERE lot IS NOT NULL
              GROUP BY product_id, lot HAVING count(*) >= %(count)s
                 UNION ALL
                SELECT 'product', product_id, NULL, cause_id, array_agg(DISTINCT id)
                  FROM item WHERE cause_id IS NOT NULL
              GROUP BY product_id, cause_id HAVING count(DISTINCT id) >= %(count)s
                 UNION ALL
                SELECT 'cause', NULL, NULL, cause_id, array_agg(id ORDER BY id)
                  FROM claim
                 WHERE cause_id IS NOT NULL AND NOT EXISTS (
                       SELECT FROM item WHERE item.id = claim.id)
              GROUP BY cause_id HAVING count(*) >= %(count)s
                """,
                company=company.id,
                since=since,
                count=company.claim_recurrence_count,
            )
        )

    @api.model
    def _take_in(self, company, kind, product_id, lot, cause_id, claim_ids):
        """Let claims join the living series of their kind, or begin one; called as superuser."""
        same = self.search(
            Domain("company_id", "=", company.id)
            & Domain("kind", "=", kind)
            & Domain("product_id", "=", product_id or False)
            & Domain("lot_name", "=", lot or False)
            & Domain("cause_id", "=", cause_id or False)
        )
        living = same.filtered(lambda series: series.investigation_id.state in LIVING)[:1]
        claims = self.env["crm.claim"].browse(claim_ids) - (same - living).claim_ids
        if living:
            living._join(claims - living.claim_ids)
        elif len(claims) >= company.claim_recurrence_count:
            shared = self.search(
                [
                    ("company_id", "=", company.id),
                    ("claim_ids", "in", claims.ids),
                    ("investigation_id.state", "in", LIVING),
                ],
                limit=1,
            ).investigation_id
            values = {
                "company_id": company.id,
                "kind": kind,
                "product_id": product_id,
                "lot_name": lot,
                "cause_id": cause_id,
                "date": fields.Datetime.now(),
            }
            draft = self.new(values)
            investigation = shared or self.env["crm.claim.investigation"].create(
                self._prepare_investigation_values(claims, draft.display_name, cause_id)
            )
            series = self.create({**values, "investigation_id": investigation.id})
            series._join(claims)
            if not shared:
                series._warn_quality_lead()

    def _join(self, claims):
        if not claims:
            return
        self.claim_ids |= claims
        self.investigation_id.claim_ids |= claims
        body = self.env._(
            "One of %(count)s claims of one kind: %(investigation)s investigates them together.",
            count=len(self.claim_ids),
            investigation=self.investigation_id.name,
        )
        claims._message_log_batch(bodies=dict.fromkeys(claims.ids, body))

    def _prepare_investigation_values(self, claims, name, cause_id):
        newest = claims.sorted("id")[-1:]
        team = newest.team_id
        lead = team.quality_user_id or team.user_id or newest.user_id or self.env.user
        return {
            "name": self.env._("Recurring: %(what)s", what=name),
            "company_id": newest.company_id.id,
            "template_id": newest._get_investigation_template().id,
            "team_id": team.id,
            "user_id": lead.id,
            "cause_id": cause_id,
            "claim_ids": [Command.set(claims.ids)],
        }

    def _warn_quality_lead(self):
        for series in self:
            company = series.company_id
            series.investigation_id.activity_schedule(
                "mail.mail_activity_data_warning",
                summary=self.env._(
                    "%(count)s claims of the same kind", count=len(series.claim_ids)
                ),
                note=plaintext2html(
                    self.env._(
                        "%(what)s: %(count)s claims within %(days)s days. Start the investigation; "
                        "further claims of this kind join it.",
                        what=series.display_name,
                        count=len(series.claim_ids),
                        days=company.claim_recurrence_days,
                    )
                ),
                user_id=series.investigation_id.user_id.id,
            )
