from odoo import SUPERUSER_ID, api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain
from odoo.tools import SQL, ormcache

AGREEMENT, PRICELIST, COST = "agreement", "pricelist", "cost"


class CrmSecrecySourceMixin(models.AbstractModel):
    """Records on which it depends who sees what; every change of them holds at once."""

    _name = "crm.secrecy.source.mixin"
    _description = "Source of Commercial Secrecy"

    @api.model_create_multi
    def create(self, vals_list):
        records = super().create(vals_list)
        self.env.registry.clear_cache()
        return records

    def write(self, vals):
        result = super().write(vals)
        self.env.registry.clear_cache()
        return result

    def unlink(self):
        result = super().unlink()
        self.env.registry.clear_cache()
        return result


class CrmSecrecyRule(models.Model):
    """Who sees agreements, price lists, cost and margin.

    Without a rule nothing is secret: people see what their other rights let them see. The first
    active rule about a subject closes it, in its company or in all of them, and opens it again for
    those whom it names: members of any of its groups who are, if it names teams as well, in one of
    them. Several rules open more; a rule that names nobody opens nothing.

    - *Agreements* with all that belongs to them (discounts, contracts, deviations, versions): a
      rule may be limited to segments of clients, then it opens the agreements of their members and
      the standard ones for these segments. One's own agreements and the deviations of one's own
      orders always stay visible.
    - *Price lists* with their rules: a rule may be limited to some lists, or to those that the
      agreements of some segments use.
    - *Cost and margin* are fields; they are closed wherever they are shown: product, order, order
      line, sales analysis, profile of a client, replay of an agreement. Whoever does not see them
      neither reads nor makes prices that are calculated from the cost. A product costs the same
      whoever buys it: a rule limited to segments opens no field, only the margin of what is agreed
      with their members, in the replay.

    Rules only take away: they are checked together with Odoo's own rights and never replace them.
    Administrators and accountants see everything, approvers every agreement; who buys or keeps the
    stock sees the cost. Selling goes on: an order gets the prices and terms of its client from a
    list or an agreement which its salesperson may not open (`crm_secrecy_prices.py`).

    It holds on every road, because it is checked where Odoo checks record rules and rights on
    fields: lists, forms, reports, exports, searches, grouping, sorting and remote calls.
    """

    _name = "crm.secrecy.rule"
    _inherit = ["crm.secrecy.source.mixin"]
    _description = "Rule of Commercial Secrecy"
    _order = "subject, sequence, id"

    # model → its subject, and the method that says which of its records are open
    _secret_models = {
        "crm.agreement": (AGREEMENT, "_get_agreement_domain"),
        "crm.agreement.discount": (AGREEMENT, "_get_agreement_part_domain"),
        "crm.agreement.contract": (AGREEMENT, "_get_agreement_part_domain"),
        "crm.agreement.deviation": (AGREEMENT, "_get_deviation_domain"),
        "crm.agreement.deviation.report": (AGREEMENT, "_get_deviation_domain"),
        "product.pricelist": (PRICELIST, "_get_pricelist_domain"),
        "product.pricelist.item": (PRICELIST, "_get_pricelist_item_domain"),
    }

    name = fields.Char(required=True, translate=True)
    active = fields.Boolean(
        default=True, help="Closed from the moment the first rule about it is active."
    )
    sequence = fields.Integer(default=10)
    subject = fields.Selection(
        [(AGREEMENT, "Agreements"), (PRICELIST, "Price lists"), (COST, "Cost and margin")],
        string="What",
        required=True,
        default=AGREEMENT,
    )
    company_id = fields.Many2one(
        "res.company", index="btree_not_null", ondelete="cascade", help="Empty: in all companies."
    )
    group_ids = fields.Many2many(
        "res.groups",
        string="Roles",
        ondelete="restrict",
        help="Members of any of these groups. Empty: whoever is in the teams.",
    )
    team_ids = fields.Many2many(
        "crm.team",
        string="Sales Teams",
        ondelete="restrict",
        help="Members and leaders of any of these teams. Empty: of no matter which team.",
    )
    segment_ids = fields.Many2many(
        "crm.segment",
        string="Segments of Clients",
        ondelete="restrict",
        help="Only what is agreed with clients in these segments. Empty: with all clients.",
    )
    pricelist_ids = fields.Many2many(
        "product.pricelist",
        string="Price Lists",
        ondelete="restrict",
        help="Only these. Empty: all, or those which the agreements of the segments use.",
    )

    @api.constrains("subject", "pricelist_ids")
    def _check_subject(self):
        for rule in self:
            if rule.subject != PRICELIST and rule.pricelist_ids:
                raise ValidationError(
                    self.env._("%s: only a rule about price lists can name them.", rule.name)
                )

    # ------------------------------------------------------------
    # WHO IS EXEMPT
    # ------------------------------------------------------------

    @api.model
    def _get_exempt_groups(self, subject):
        """Full names of the groups whose work needs everything about a subject."""
        groups = {
            "base.group_system",
            "account.group_account_invoice",
            "account.group_account_readonly",
        }
        if subject == AGREEMENT:
            groups.add("crm_extended.crm_agreements_group_approver")
        if subject == COST:
            groups |= {"purchase.group_purchase_user", "stock.group_stock_user"}
        return groups

    @api.model
    @ormcache("subject")
    def _get_exempt_group_ids(self, subject):
        ref = self.env["ir.model.data"]._xmlid_to_res_id
        ids = (ref(name, raise_if_not_found=False) for name in self._get_exempt_groups(subject))
        return frozenset(filter(None, ids))

    @api.model
    @ormcache("self.env.uid")
    def _get_team_ids(self):
        """Ids of the teams of the user, as member or leader."""
        # sudo: being in a team does not depend on the right to read teams
        teams = self.env["crm.team"].sudo().with_context(active_test=False)
        domain = Domain("crm_team_member_ids", "any", Domain("user_id", "=", self.env.uid))
        return frozenset(teams.search(domain | Domain("user_id", "=", self.env.uid)).ids)

    @api.model
    @ormcache("subject")
    def _get_rule_data(self, subject):
        """The active rules about a subject, as plain values.

        :return: tuple of (id, company id, group ids, team ids, segment ids, price list ids)
        """
        # sudo: rules hold for everybody, and are nobody's to read but the administrator's
        rules_sudo = self.sudo().search([("subject", "=", subject)])
        return tuple(
            (
                rule.id,
                rule.company_id.id,
                frozenset(rule.group_ids.ids),
                frozenset(rule.team_ids.ids),
                tuple(rule.segment_ids.ids),
                tuple(rule.pricelist_ids.ids),
            )
            for rule in rules_sudo.with_context(active_test=False)
            if rule.active
        )

    @api.model
    def _get_user_rules(self, subject):
        """The rules about a subject, and which of them open it for the user of the environment.

        :return: None if nothing about it is closed for him, else a pair of lists of values as in
            `_get_rule_data`
        """
        rules = self._get_rule_data(subject)
        user = self.env.user
        if not rules or self.env.su or user.id == SUPERUSER_ID or user.share:
            return None
        group_ids = set(user._get_group_ids())
        if not group_ids.isdisjoint(self._get_exempt_group_ids(subject)):
            return None
        opening = []
        for rule in rules:
            _id, _company_id, rule_groups, rule_teams, *_limits = rule
            if (
                (rule_groups or rule_teams)
                and (not rule_groups or not rule_groups.isdisjoint(group_ids))
                and (not rule_teams or not rule_teams.isdisjoint(self._get_team_ids()))
            ):
                opening.append(rule)
        return rules, opening

    @api.model
    def _sees_cost(self):
        """Whether the user sees cost and margin in each of the companies he works in."""
        found = self._get_user_rules(COST)
        if not found:
            return True
        rules, opening = found
        opened = {rule[1] for rule in opening if not rule[4]}
        return False in opened or all(
            company_id in opened
            for company_id in self.env.companies.ids
            if any(rule[1] in (False, company_id) for rule in rules)
        )

    @api.model
    def _sees_margin(self, agreement):
        """Whether the user sees the margin of what is sold under an agreement, cost apart."""
        found = self._get_user_rules(COST)
        if not found or self._sees_cost():
            return True
        segment_ids = [
            segment_id
            for _id, company_id, _groups, _teams, segments, _lists in found[1]
            if company_id in (False, agreement.company_id.id)
            for segment_id in segments
        ]
        if not segment_ids:
            return False
        # sudo: which client is in which segment is not asked for here
        domain = self._get_segment_agreements_domain(tuple(segment_ids))
        return bool(agreement.sudo().search_count(domain & Domain("id", "=", agreement.id)))

    @api.model
    def _has_secret_prices(self):
        """Whether the user sells by price lists, or rules of them, that he may not open."""
        return not self.env.su and bool(self._get_user_rules(PRICELIST) or not self._sees_cost())

    # ------------------------------------------------------------
    # RECORDS
    # ------------------------------------------------------------

    @api.model
    def _get_record_domain(self, model_name):
        """Domain of the records of a model that are open to the user of the environment."""
        secret = self._secret_models.get(model_name)
        if not secret:
            return Domain.TRUE
        subject, method = secret
        found = self._get_user_rules(subject)
        domain = getattr(self, method)(*found) if found else Domain.TRUE
        if model_name == "product.pricelist.item" and not self._sees_cost():
            # a price and the markup it is made with are the cost
            domain &= Domain("base", "!=", "standard_price")
        return domain

    @api.model
    def _filter_hidden(self, records):
        """Those of the records that are closed to the user, whatever the rights of the caller."""
        domain = self.sudo(False)._get_record_domain(records._name)
        real = records.browse(id_ for id_ in records._ids if id_)
        if domain.is_true() or not real:
            return records.browse()
        # sudo: only secrecy is asked for here
        every_sudo = real.sudo().with_context(active_test=False)
        return real - real.browse(every_sudo.filtered_domain(domain)._ids)

    def _get_open_companies_domain(self, rules):
        """Domain of the records of companies in which the subject is not closed."""
        companies = [company_id for _id, company_id, *_others in rules]
        return Domain.FALSE if False in companies else Domain("company_id", "not in", companies)

    def _get_members_sql(self, segment_ids):
        self.env["crm.segment.member"].flush_model()
        return SQL(
            "(SELECT partner_id FROM crm_segment_member"
            " WHERE date_exit IS NULL AND segment_id IN %s)",
            segment_ids,
        )

    def _get_segment_agreements_domain(self, segment_ids):
        return Domain("segment_id", "in", segment_ids) | Domain(
            "commercial_partner_id", "in", self._get_members_sql(segment_ids)
        )

    def _get_agreement_domain(self, rules, opening):
        domain = self._get_open_companies_domain(rules) | Domain("user_id", "=", self.env.uid)
        for _id, company_id, _groups, _teams, segment_ids, _lists in opening:
            opened = Domain("company_id", "=", company_id) if company_id else Domain.TRUE
            if segment_ids:
                opened &= self._get_segment_agreements_domain(segment_ids)
            domain |= opened
        return domain

    def _get_agreement_part_domain(self, rules, opening):
        # sudo: other rights on agreements are not asked for here
        agreements = self.env["crm.agreement"].sudo().with_context(active_test=False)
        return Domain(
            "agreement_id", "in", agreements._search(self._get_agreement_domain(rules, opening))
        )

    def _get_deviation_domain(self, rules, opening):
        return self._get_agreement_part_domain(rules, opening) | Domain(
            "user_id", "=", self.env.uid
        )

    def _get_pricelist_domain(self, rules, opening):
        # a list for all companies is closed where the user works in one that has closed them
        mine = {False, *self.env.companies.ids}
        companies = [company_id for _id, company_id, *_others in rules]
        domain = Domain.FALSE
        if False not in companies:
            domain = Domain("company_id", "not in", [*companies, False])
            if mine.isdisjoint(companies):
                domain |= Domain("company_id", "=", False)
        # sudo: as above
        agreements = self.env["crm.agreement"].sudo().with_context(active_test=False)
        for _id, company_id, _groups, _teams, segment_ids, pricelist_ids in opening:
            opened = (
                Domain("company_id", "in", [company_id, False])
                if company_id and company_id in mine
                else Domain("company_id", "=", company_id)
                if company_id
                else Domain.TRUE
            )
            if pricelist_ids:
                opened &= Domain("id", "in", pricelist_ids)
            if segment_ids:
                query = agreements._search(
                    self._get_segment_agreements_domain(segment_ids)
                    & Domain("pricelist_id", "!=", False)
                )
                opened &= Domain("id", "in", query.subselect("pricelist_id"))
            domain |= opened
        return domain

    def _get_pricelist_item_domain(self, rules, opening):
        # sudo: as above
        lists = self.env["product.pricelist"].sudo().with_context(active_test=False)
        return Domain(
            "pricelist_id", "in", lists._search(self._get_pricelist_domain(rules, opening))
        )


class CrmTeam(models.Model):
    _inherit = "crm.team"

    def write(self, vals):
        result = super().write(vals)
        if "user_id" in vals:
            self.env.registry.clear_cache()
        return result


class CrmTeamMember(models.Model):
    """Who is in a team may see what others may not."""

    _name = "crm.team.member"
    _inherit = ["crm.team.member", "crm.secrecy.source.mixin"]
