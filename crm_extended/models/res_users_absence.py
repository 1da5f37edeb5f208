from odoo import api, fields, models
from odoo.fields import Domain


class ResUsers(models.Model):
    """Who is there instead of somebody, whose clients a substitute sees, and who is whose head."""

    _inherit = "res.users"

    crm_substitute_id = fields.Many2one(
        "res.users",
        string="Standing Substitute",
        domain="[('share', '=', False), ('id', '!=', id)]",
        help="Proposed in every absence, and taken in those that come from time off.",
    )
    crm_absence_ids = fields.One2many("crm.absence", "user_id", string="Absences")

    @property
    def SELF_READABLE_FIELDS(self):
        return [*super().SELF_READABLE_FIELDS, "crm_substitute_id"]

    @property
    def SELF_WRITEABLE_FIELDS(self):
        return [*super().SELF_WRITEABLE_FIELDS, "crm_substitute_id"]

    def _can_substitute(self, company):
        """Whether this user works with the CRM of a company."""
        # sudo: the rights of a colleague
        user_sudo = self.sudo()
        return (
            bool(user_sudo)
            and user_sudo.active
            and not user_sudo.share
            and company.sudo() in user_sudo.company_ids
            and user_sudo.has_group("crm_extended.crm_interactions_group_user")
        )

    def _get_available_user(self, now=None, company=None):
        """Who has the work of this user now.

        :param datetime now: naive, UTC
        :param company: whose work it is; by default that of the user
        :return: the user, when there or when nobody stands in; else the last in the chain of
            substitutes. Empty for an empty user.
        """
        if not self:
            return self
        self.ensure_one()
        # sudo: what belongs to no company counts as work for his main one
        company = company or self.sudo().company_id
        found = self.env["crm.absence"]._get_cover(now).get((company.id, self.id))
        return self.browse(found.holder) if found and found.holder else self

    def _get_covered_domain(self, name, company="company_id"):
        """What this user sees as a substitute: for record rules.

        :param str name: field with the responsible
        :param str company: field with the company
        :return: domain, as a list
        """
        self.ensure_one()
        rows = [
            Domain(name, "=", user_id)
            & Domain(company, "in", [company_id, *self._get_no_company(user_id, company_id)])
            for (company_id, user_id), found in self.env["crm.absence"]._get_cover().items()
            if found.holder == self.id
        ]
        return list(Domain.OR(rows))

    @api.model
    def _get_no_company(self, user_id, company_id):
        """What belongs to no company counts as work for the main one of who is away."""
        # sudo: the main company of a colleague
        return [False] if self.browse(user_id).sudo().company_id.id == company_id else []

    def _get_heads(self):
        """Who is responsible for these users: the leader of the sales team.

        :return: dict user → res.users; users without a head are not in it
        """
        heads = {}
        # sudo: teams of colleagues
        for user in self.sudo():
            for head in user._get_head_candidates():
                if head and head != user and head.active and not head.share:
                    heads[user.sudo(False)] = head.sudo(False)
                    break
        return heads

    def _get_head_candidates(self):
        """Who may be the head of this user, the nearest first; other add-ons know more."""
        self.ensure_one()
        return [self.sale_team_id.user_id]
