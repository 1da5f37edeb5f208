from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tools import float_compare


class CrmClaim(models.Model):
    """A decision with what it grants: rows of remedies, the limit of the team, the totals.

    - Deciding moves the claim, writes the remedies and creates their documents in one
      transaction; when a credit note cannot be made, nothing is decided.
    - What is granted in all (over all decisions on the claim) above the limit of the claim's
      team (``crm_claim_team_limit.py``) is decided by an approver only: the team's leader or a
      claims administrator, whichever road the decision takes and whatever kind the remedies are.
      For this, goods that no order vouches for count at least with their list price, and a repair
      says what it may cost.
    - Reopening takes back what was granted and led to nothing yet; documents stay.
    - The granted amount is the sum of the remedies, the granted quantity of an item that of its
      refunds, and the granted remedy the one with the largest amount.
    """

    _inherit = "crm.claim"

    remedy_ids = fields.One2many("crm.claim.remedy", "claim_id", string="Granted Remedies")
    approval_ids = fields.One2many("crm.claim.approval", "claim_id", string="Approvals")
    approval_state = fields.Selection(
        [("requested", "Waits for Approval"), ("refused", "Approval Refused")],
        compute="_compute_approval_state",
        compute_sudo=True,
    )
    open_remedy_count = fields.Integer(
        "Remedies to Do", compute="_compute_open_remedy_count", search="_search_open_remedy_count"
    )

    @api.depends("approval_ids.state")
    def _compute_approval_state(self):
        for claim in self:
            last = claim.approval_ids.sorted("id")[-1:]
            claim.approval_state = last.state if last.state in ("requested", "refused") else False

    @api.depends("remedy_ids.state")
    def _compute_open_remedy_count(self):
        groups = (
            self.env["crm.claim.remedy"]
            .sudo()
            ._read_group(
                [("claim_id", "in", self.ids), ("state", "in", ("granted", "progress"))],
                ["claim_id"],
                ["__count"],
            )
        )
        counts = {claim.id: count for claim, count in groups}
        for claim in self:
            claim.open_remedy_count = counts.get(claim._origin.id, 0)

    def _search_open_remedy_count(self, operator, value):
        if operator != ">" or value != 0:
            return NotImplemented
        return [("remedy_ids", "any", [("state", "in", ("granted", "progress"))])]

    # ------------------------------------------------------------------
    # Deciding
    # ------------------------------------------------------------------

    def _apply_decision(self, values, remedies, send_mail):
        """Decide one claim: move, remedies, documents, mail.

        :param dict values: decision, decision_text, recourse, cause_id
        :param remedies: ``crm.claim.remedy`` rows proposed for it, or a list of their values
        :param bool send_mail: tell the customer
        """
        self.ensure_one()
        rejected = values["decision"] == "rejected"
        # sudo: rows are written by methods only; the move below checks the user's rights
        rows_sudo = self.env["crm.claim.remedy"].sudo()
        if isinstance(remedies, list):
            remedies = rows_sudo.create(
                [{**row, "claim_id": self.id, "is_proposed": True} for row in remedies]
            )
        else:
            remedies = remedies.sudo()
        if rejected and remedies:
            raise UserError(self.env._("A rejected claim grants nothing: take the remedies away."))
        granted = (self.sudo().remedy_ids - remedies)._filter_alive() | remedies
        self._move_to(
            "rejected" if rejected else "decided",
            **values,
            **self._prepare_granted_values(granted),
        )
        remedies.is_proposed = False
        remedies.sudo(False)._create_documents()
        self.sudo()._refresh_granted()
        if send_mail:
            self._send_decision()

    def _prepare_granted_values(self, remedies):
        """Totals of granted ``remedies`` on the claim and its items."""
        main = remedies.sorted("amount", reverse=True)[:1]
        quantities = {}
        for remedy in remedies.filtered(lambda row: row.kind == "refund" and row.claim_line_id):
            item = remedy.claim_line_id
            quantities[item] = quantities.get(item, 0.0) + remedy.quantity
        return {
            "remedy_granted": main.kind,
            "amount_granted": sum(remedies.mapped("amount")),
            "line_ids": [
                Command.update(item.id, {"quantity_granted": quantities.get(item, 0.0)})
                for item in self.line_ids
                if item.quantity_granted != quantities.get(item, 0.0)
            ],
        }

    def _refresh_granted(self):
        """Bring the totals up to date after credit notes were made or remedies taken back."""
        for claim_sudo in self.sudo():  # sudo: fixed by the decision, but documents say exactly
            if claim_sudo.remedy_ids:
                claim_sudo.write(
                    claim_sudo._prepare_granted_values(claim_sudo.remedy_ids._filter_alive())
                )
            elif claim_sudo.credit_note_ids:
                valid = claim_sudo.credit_note_ids.filtered(lambda move: move.state != "cancel")
                claim_sudo.amount_granted = -sum(valid.mapped("amount_total_signed"))

    # ------------------------------------------------------------------
    # The limit of the team
    # ------------------------------------------------------------------

    def _get_granted_value(self):
        """What a decision gives away by its amount or by its items, whichever is more."""
        self.ensure_one()
        claim_sudo = self.sudo()  # sudo: what counts does not depend on who looks
        if claim_sudo.remedy_ids:
            # rows that wait for approval are not part of this decision
            granted_sudo = claim_sudo.remedy_ids.filtered(
                lambda row: not row.is_cancelled and not (row.is_proposed and row.approval_id)
            )
            return self.amount_granted + granted_sudo._get_hidden_worth()
        items = sum(
            line.quantity_granted * max(line.price_unit, line._get_list_price())
            for line in claim_sudo.line_ids
        )
        return max(self.amount_granted, items)

    def _needs_approval(self, amount, user=None):
        """Whether granting ``amount`` on this claim is not for ``user`` to decide alone."""
        self.ensure_one()
        limit = self._get_limit_team().approval_limit
        if not limit or float_compare(amount, limit, precision_digits=2) <= 0:
            return False
        return not self._is_approver(user or self.env.user)

    def _is_approver(self, user):
        self.ensure_one()
        return user == self._get_limit_team().user_id or user.has_group(
            "crm_claims.crm_claims_group_manager"
        )

    def _check_required_content(self):
        result = super()._check_required_content()
        if self.env.su:
            return result
        for claim in self.filtered(lambda claim: claim.state == "decided"):
            amount = claim._get_granted_value()
            claim._check_limit_known(amount)
            claim._check_worth_known()
            if claim._needs_approval(amount):
                raise UserError(claim._get_limit_message(amount))
        return result

    def _check_limit_known(self, amount):
        """Without a team there is no limit: not a way around those of the company's teams."""
        self.ensure_one()
        if self.team_id or not amount or self._is_approver(self.env.user):
            return
        # sudo: teams of others
        limited = self.env["crm.claim.team"].sudo()
        if limited.search_count(
            [
                ("company_id", "in", (self.company_id.id, False)),
                ("approval_limit", ">", 0),
                ("approval_limit", "<", amount),
            ],
            limit=1,
        ):
            raise UserError(
                self.env._(
                    "Choose the team of claim %(claim)s: its limit says who may grant that much.",
                    claim=self.display_name,
                )
            )

    def _check_worth_known(self):
        """Under a limit a repair says what it may cost, unless who decides may go beyond it."""
        self.ensure_one()
        team_sudo = self._get_limit_team()
        if not team_sudo.approval_limit or self._is_approver(self.env.user):
            return
        # sudo: what counts does not depend on who looks
        for remedy_sudo in self.sudo().remedy_ids:
            if (
                remedy_sudo.kind == "repair"
                and not remedy_sudo.amount
                and not remedy_sudo.is_cancelled
                and not (remedy_sudo.is_proposed and remedy_sudo.approval_id)
            ):
                raise UserError(
                    self.env._(
                        "%(remedy)s: enter what it may cost. Team %(team)s grants up to %(limit)s "
                        "without approval.",
                        remedy=remedy_sudo.display_name,
                        team=team_sudo.name,
                        limit=self._format_claim_money(team_sudo.approval_limit),
                    )
                )

    def _get_limit_message(self, amount):
        team_sudo = self._get_limit_team()
        return self.env._(
            "%(amount)s is more than team %(team)s grants without approval (%(limit)s). "
            "Ask for approval in the decision dialog.",
            amount=self._format_claim_money(amount),
            team=team_sudo.name,
            limit=self._format_claim_money(team_sudo.approval_limit),
        )

    def _format_claim_money(self, amount):
        return self.currency_id.format(amount)

    # ------------------------------------------------------------------
    # Moves
    # ------------------------------------------------------------------

    def _write_stage(self, vals):
        before = {claim: claim.state for claim in self}
        result = super()._write_stage(vals)
        moved = self.filtered(lambda claim: claim.state != before[claim])
        # sudo: rows are written by methods only
        moved.sudo().approval_ids._withdraw_undecided()
        reopened = moved.filtered(lambda claim: claim._is_reopening(before[claim], claim.state))
        reopened.sudo().remedy_ids._cancel_unused()
        return result

    def action_view_remedies(self):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("crm_claims.crm_claim_remedy_action")
        return action | {"domain": [("claim_id", "=", self.id)], "context": {}}

    def action_view_approval(self):
        """Open the request that waits for this claim."""
        self.ensure_one()
        approval = self.approval_ids.filtered(lambda row: row.state == "requested")[:1]
        return {
            "type": "ir.actions.act_window",
            "res_model": "crm.claim.approval",
            "res_id": (approval or self.approval_ids.sorted("id")[-1:]).id,
            "view_mode": "form",
            "name": self.env._("Approval"),
        }
