from odoo import api, fields, models
from odoo.exceptions import UserError


class CrmAgreement(models.Model):
    """Versions: what is in force is not edited, it is replaced; and standards hand changes on.

    A change of an agreement in force is a new draft of the same number with the next version. Once
    it is approved, the old version ends the day before the new one begins (at once, when that day
    is here) and stays readable with the orders made under it.

    When a standard agreement gets a new version or is renewed, its individual agreements are
    offered the change: their responsible people get an activity and see what changed. Taking it
    over keeps what the individual agreement has of its own; it is never forced.
    """

    _inherit = "crm.agreement"

    version = fields.Integer(default=1, readonly=True, copy=False)
    previous_version_id = fields.Many2one(
        "crm.agreement",
        "Replaces",
        readonly=True,
        copy=False,
        index="btree_not_null",
        check_company=True,
    )
    next_version_ids = fields.One2many("crm.agreement", "previous_version_id", "Replaced By")
    next_version_id = fields.Many2one(
        "crm.agreement", "Newer Version", compute="_compute_next_version_id"
    )
    version_count = fields.Integer(compute="_compute_version_count")
    change_html = fields.Html(
        "Changes in This Version", compute="_compute_change_html", sanitize=False
    )
    standard_update_id = fields.Many2one(
        "crm.agreement",
        "Changed Standard",
        compute="_compute_standard_update",
        help="A later version of the standard agreement, offered to this one.",
    )
    standard_update_html = fields.Html(
        "Changes of the Standard", compute="_compute_standard_update", sanitize=False
    )
    declined_update_id = fields.Many2one(
        "crm.agreement", "Declined Standard", readonly=True, copy=False
    )

    # ------------------------------------------------------------------
    # Computes
    # ------------------------------------------------------------------

    @api.depends("next_version_ids.version")
    def _compute_next_version_id(self):
        for agreement in self:
            agreement.next_version_id = agreement.next_version_ids.sorted("version")[-1:]

    @api.depends("name", "company_id")
    def _compute_version_count(self):
        counts = {
            (company.id, name): count
            for company, name, count in self._read_group(
                [("name", "in", self.mapped("name"))], ["company_id", "name"], ["__count"]
            )
        }
        for agreement in self:
            agreement.version_count = counts.get((agreement.company_id.id, agreement.name), 1)

    @api.depends(lambda self: ["previous_version_id", *self._get_term_fields()])
    def _compute_change_html(self):
        for agreement in self:
            agreement.change_html = (
                agreement._render_differences(agreement.previous_version_id)
                if agreement.previous_version_id
                else False
            )

    @api.depends("parent_id", "state", "declined_update_id")
    def _compute_standard_update(self):
        for agreement in self:
            latest = agreement.parent_id._get_latest_standard()
            offered = (
                latest
                if latest != agreement.parent_id
                and latest != agreement.declined_update_id
                and agreement.state in ("draft", "to_approve", "active", "suspended")
                else self.browse()
            )
            agreement.standard_update_id = offered
            agreement.standard_update_html = (
                offered._render_differences(agreement.parent_id) if offered else False
            )

    def _get_latest_standard(self):
        """The version or renewal in force that follows this standard agreement; else itself."""
        latest = self
        seen = self.browse()
        current = self
        while current and current not in seen:
            seen |= current
            current = (current.next_version_ids | current.renewal_ids).filtered(
                lambda agreement: agreement.state in ("active", "closed", "expired", "suspended")
            )[:1]
            if current.state == "active":
                latest = current
        return latest

    # ------------------------------------------------------------------
    # New version
    # ------------------------------------------------------------------

    @api.model
    def _get_controlled_fields(self):
        return super()._get_controlled_fields() | {
            "version",
            "previous_version_id",
            "declined_update_id",
        }

    def _prepare_version_values(self):
        self.ensure_one()
        today = fields.Date.context_today(self)
        return {
            "name": self.name,
            "date_start": max(today, self.date_start),
            "date_end": self.date_end,
            "user_id": self.user_id.id,
            "version": self.version + 1,
            "previous_version_id": self.id,
        }

    def _make_version(self):
        """:return: the draft of the next version, or the one that was begun earlier"""
        self.ensure_one()
        begun = self.next_version_ids.filtered(lambda a: a.state in ("draft", "to_approve"))[:1]
        if begun:
            return begun
        if self.state not in ("active", "suspended"):
            raise UserError(
                self.env._("Only an agreement in force gets a new version; %s is not.", self.name)
            )
        if self._is_over():
            raise UserError(self.env._("Agreement %s is over: renew it instead.", self.name))
        self.check_access("write")
        self.browse().check_access("create")
        # sudo: the chain of versions is written by this method alone
        version = self.sudo().copy(self._prepare_version_values()).sudo(self.env.su)
        version.check_access("write")
        return version

    def action_new_version(self):
        """Open a draft in which the terms can be changed; this one stays in force until then."""
        return self._make_version()._get_records_action(name=self.env._("New Version"))

    def action_view_versions(self):
        """Open all versions of this agreement."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("crm_extended.crm_agreement_action")
        domain = [("name", "=", self.name), ("company_id", "=", self.company_id.id)]
        return action | {"name": self.env._("Versions"), "domain": domain, "context": {}}

    def _after_transition(self, target):
        result = super()._after_transition(target)
        if target == "active":
            for agreement in self:
                agreement._replace_previous_version()
            self.filtered(lambda agreement: agreement.kind == "standard")._offer_to_children()
        return result

    def _replace_previous_version(self):
        """End the version that this one replaces."""
        previous = self.previous_version_id
        if previous.state not in ("active", "suspended"):
            return
        if self.date_start <= fields.Date.context_today(self):
            previous.write({"state": "closed"})
        else:
            previous._end_on(fields.Date.subtract(self.date_start, days=1))
        previous.message_post(
            body=self.env._(
                "Replaced by version %(version)s, valid from %(date)s.",
                version=self.version,
                date=fields.Date.to_string(self.date_start),
            )
        )

    # ------------------------------------------------------------------
    # A changed standard is offered to its children
    # ------------------------------------------------------------------

    def _offer_to_children(self):
        for standard in self:
            older = standard.previous_version_id | standard.renewed_from_id
            children = older.child_ids.filtered(lambda a, s=standard: a.standard_update_id == s)
            for child in children:
                child.activity_schedule(
                    "crm_extended.mail_activity_agreement_update",
                    user_id=child.user_id.id or self.env.user.id,
                    summary=self.env._(
                        "Standard agreement %s changed: take the changes over?", standard.name
                    ),
                )

    def action_take_over_changes(self):
        """Take the changes of the standard over, in a draft; own differences stay."""
        self.ensure_one()
        standard = self.standard_update_id
        if not standard:
            raise UserError(self.env._("The standard agreement of %s did not change.", self.name))
        draft = self if self.state == "draft" else self._make_version()
        draft.write({**draft._prepare_update_values(standard), "parent_id": standard.id})
        self._finish_update(standard)
        return draft._get_records_action()

    def action_decline_changes(self):
        """Keep the terms as they are; the change is not offered again."""
        for agreement in self:
            agreement.check_access("write")
            agreement._finish_update(agreement.standard_update_id)

    def _finish_update(self, standard):
        # sudo: the answer is kept by these buttons alone
        self.sudo().declined_update_id = standard
        self.activity_unlink(["crm_extended.mail_activity_agreement_update"])

    def _prepare_update_values(self, standard):
        """Terms after a three-way merge: what still is as in the old standard follows the new one.

        :param standard: the changed standard agreement
        :return: values for this agreement
        :rtype: dict
        """
        self.ensure_one()
        old = self.parent_id
        values = {}
        for name in self._get_condition_fields():
            own = self._get_term_value(name)
            if own == old._get_term_value(name) != standard._get_term_value(name):
                values[name] = standard._get_term_value(name)
        for name in self._get_term_line_fields():
            mine, before, after = (
                {line._get_target(): line._prepare_copy_values() for line in agreement[name]}
                for agreement in (self, old, standard)
            )
            merged = [
                after.get(target) if mine.get(target) == before.get(target) else mine.get(target)
                for target in {**mine, **after}
            ]
            values[name] = [
                fields.Command.clear(),
                *(fields.Command.create(line) for line in merged if line),
            ]
        return values
