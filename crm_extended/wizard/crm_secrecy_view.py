from odoo import api, fields, models


class CrmSecrecyView(models.TransientModel):
    """What a chosen user sees of agreements, price lists, cost and margin, and by which rules.

    Asked with his own rights, so what his role, his record rules and secrecy leave him is shown
    together. For administrators only.
    """

    _name = "crm.secrecy.view"
    _description = "What a User Sees of Commercial Secrets"

    user_id = fields.Many2one(
        "res.users", "User", required=True, domain=[("share", "=", False)], ondelete="cascade"
    )
    company_id = fields.Many2one(
        "res.company", "Working In", required=True, default=lambda self: self.env.company
    )
    agreement_summary = fields.Char("Agreements", compute="_compute_seen")
    agreement_ids = fields.Many2many("crm.agreement", compute="_compute_seen")
    pricelist_summary = fields.Char("Price Lists", compute="_compute_seen")
    pricelist_ids = fields.Many2many("product.pricelist", compute="_compute_seen")
    cost_summary = fields.Char("Cost and Margin", compute="_compute_seen")
    rule_ids = fields.Many2many(
        "crm.secrecy.rule", compute="_compute_seen", string="Rules That Open Something"
    )

    @api.depends("user_id", "company_id")
    def _compute_seen(self):
        for wizard in self:
            if not wizard.user_id:
                wizard.update(dict.fromkeys(self._get_seen_fields(), False))
                continue
            agreements, agreement_summary = wizard._get_seen("crm.agreement")
            pricelists, pricelist_summary = wizard._get_seen("product.pricelist")
            wizard.agreement_ids, wizard.agreement_summary = agreements, agreement_summary
            wizard.pricelist_ids, wizard.pricelist_summary = pricelists, pricelist_summary
            wizard.cost_summary = wizard._get_cost_summary()
            wizard.rule_ids = wizard._get_opening_rules()

    @api.model
    def _get_seen_fields(self):
        return (
            "agreement_ids",
            "agreement_summary",
            "pricelist_ids",
            "pricelist_summary",
            "cost_summary",
            "rule_ids",
        )

    def _with_user(self, model):
        """A model as the chosen user sees it in the chosen company."""
        return (
            self.env[model]
            .with_user(self.user_id)
            .with_context(allowed_company_ids=self.company_id.ids)
        )

    def _get_seen(self, model):
        """The records of a model which the user sees, at most a page, and a sentence about them."""
        records = self._with_user(model)
        # sudo: how many there are of which he sees some
        total = records.sudo().search_count([("company_id", "in", [self.company_id.id, False])])
        if not records.has_access("read"):
            return self.env[model], self.env._("none: no right to read them")
        found = records.search([], limit=80)
        count = len(found) if len(found) < 80 else records.search_count([])
        is_closed = self._with_user("crm.secrecy.rule")._get_user_rules(
            "agreement" if model == "crm.agreement" else "pricelist"
        )
        text = (
            self.env._("%(count)s of %(total)s, the rest is closed", count=count, total=total)
            if is_closed and count < total
            else self.env._("%(count)s of %(total)s", count=count, total=total)
        )
        return self.env[model].browse(found.ids), text

    def _get_cost_summary(self):
        field = self.env["product.product"]._fields["standard_price"]
        if self._with_user("product.product")._has_field_access(field, "read"):
            return self.env._("visible")
        return self.env._("hidden")

    def _get_opening_rules(self):
        rules = self._with_user("crm.secrecy.rule")
        ids = set()
        for subject, _label in rules._fields["subject"].selection:
            found = rules._get_user_rules(subject)
            ids.update(rule[0] for rule in (found[1] if found else ()))
        return self.env["crm.secrecy.rule"].browse(sorted(ids))
