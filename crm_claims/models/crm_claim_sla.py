from odoo import api, fields, models
from odoo.addons.crm_claims.models.crm_claim import CHANNELS, KINDS, SEVERITIES
from odoo.fields import Domain


class CrmClaimSla(models.Model):
    """Within which time claims of some sort are acknowledged, answered, decided and closed.

    - A policy fits a claim that meets all of its criteria; an empty criterion is met by all. A
      category counts for a claim of exactly that category.
    - A segment counts for its members of now and their contacts; when a client enters or leaves it,
      the deadlines of his open claims follow within a day.
    - Of all policies that fit, the strictest deadline wins, for each target on its own. Without a
      fitting policy there is no deadline.
    - Days count from the day after registration; a working day is a day with working time in the
      working schedule (of the policy, else of the company), less its public holidays.
    - A change of a policy, of a schedule or of what a policy looks at is applied to claims under
      way as if it had been so from their beginning: what they have used, less what they waited
      for the client, is counted anew.
    """

    _name = "crm.claim.sla"
    _description = "Claim Deadline Policy"
    _order = "sequence, id"
    _check_company_auto = True

    name = fields.Char(required=True, translate=True)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)

    # which claims
    company_id = fields.Many2one("res.company", index=True, help="Empty: all companies.")
    kind = fields.Selection(KINDS, help="Empty: claims of every kind.")
    severity = fields.Selection(SEVERITIES, help="Empty: claims of every severity.")
    channel = fields.Selection(CHANNELS, "Source", help="Empty: however the claim reached us.")
    segment_ids = fields.Many2many(
        "crm.segment",
        string="Client Segments",
        groups="crm_claims.crm_claims_group_manager",
        help="Empty: clients of every segment.",
    )
    category_ids = fields.Many2many(
        "crm.claim.category", string="Categories", help="Empty: claims of every category."
    )
    team_ids = fields.Many2many(
        "crm.claim.team", string="Teams", check_company=True, help="Empty: claims of every team."
    )

    # by when
    calendar_id = fields.Many2one(
        "resource.calendar",
        "Working Schedule",
        index="btree_not_null",
        check_company=True,
        help="Empty: the working schedule of the claim's company.",
    )
    target_ids = fields.One2many("crm.claim.sla.target", "sla_id", string="Targets", copy=True)

    # ------------------------------------------------------------
    # CRUD: claims under way follow
    # ------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        policies = super().create(vals_list)
        policies._refresh_claims()
        return policies

    def write(self, vals):
        if vals.keys() <= {"name", "sequence"}:
            return super().write(vals)
        # those that fit before, and those that fit afterwards
        self._refresh_claims()
        result = super().write(vals)
        self._refresh_claims()
        return result

    @api.ondelete(at_uninstall=False)
    def _refresh_claims_of_deleted(self):
        self._refresh_claims()

    def _refresh_claims(self):
        """Have the deadlines of the open claims that fit counted anew, by the scheduled job."""
        for policy in self:
            self.env["crm.claim"]._mark_deadlines_stale(policy._get_claim_domain())

    @api.model
    def _refresh_segment_claims(self):
        """Open claims of clients in a segment, or counted by one, are looked at again."""
        for policy in self.sudo().search([("segment_ids", "!=", False)]):
            statuses = self.env["crm.claim.sla.status"].sudo()
            counted = statuses._search([("sla_id", "=", policy.id), ("date_done", "=", False)])
            self.env["crm.claim"]._mark_deadlines_stale(
                Domain(policy._get_claim_domain())
                | Domain("id", "in", counted.subselect("claim_id"))
            )

    # ------------------------------------------------------------
    # WHICH CLAIMS
    # ------------------------------------------------------------

    def _get_claim_domain(self):
        """Open claims that this policy fits."""
        self.ensure_one()
        domain = [("is_open", "=", True)]
        for name in ("company_id", "kind", "severity", "channel"):
            if self[name]:
                value = self[name].id if name == "company_id" else self[name]
                domain.append((name, "=", value))
        if self.category_ids:
            domain.append(("category_id", "in", self.category_ids.ids))
        if self.segment_ids:
            domain.append(("partner_id", "any", self.sudo().segment_ids._get_partner_domain()))
        if self.team_ids:
            domain.append(("team_id", "in", self.team_ids.ids))
        return domain

    def _fits(self, claim, segments):
        """Whether the claim meets all criteria of this policy.

        :param segments: ``crm.segment`` of the claim's client
        """
        self.ensure_one()
        return (
            (not self.company_id or self.company_id == claim.company_id._origin)
            and (not self.kind or self.kind == claim.kind)
            and (not self.severity or self.severity == claim.severity)
            and (not self.channel or self.channel == claim.channel)
            and (not self.category_ids or claim.category_id._origin in self.category_ids)
            and (not self.segment_ids or bool(self.segment_ids & segments))
            and (not self.team_ids or claim.team_id._origin in self.team_ids)
        )
