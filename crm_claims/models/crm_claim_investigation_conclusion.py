from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import is_html_empty


class CrmClaimInvestigation(models.Model):
    """The end of an investigation: complete, and approved by another person than the lead.

    - Before the conclusion is put up for approval it is complete: root cause and conclusion, for
      8D also containment, escape point and measures; root causes share 100 %; no step is open.
    - The lead asks; somebody else who may change the investigation approves, or sends it back with
      a reason. Who asked and who leads cannot approve. A template may do without approval.
    - An investigation that needs approval, by its template or once it was begun, keeps needing it:
      another template does not take that away.
    """

    _inherit = "crm.claim.investigation"

    submitted_by_id = fields.Many2one("res.users", "Asked By", readonly=True, copy=False)
    approver_id = fields.Many2one(
        "res.users",
        "Approver",
        compute="_compute_approver_id",
        store=True,
        readonly=False,
        check_company=True,
        domain="[('share', '=', False), ('id', '!=', user_id)]",
        help="Who is asked to approve the conclusion; anybody else but the lead may do it, too.",
    )
    approved_by_id = fields.Many2one("res.users", "Approved By", readonly=True, copy=False)
    approval_fixed = fields.Boolean("Always Needs Approval", readonly=True, copy=False)
    needs_approval = fields.Boolean(compute="_compute_needs_approval")
    can_approve = fields.Boolean(compute="_compute_can_approve")

    @api.depends("team_id", "user_id")
    def _compute_approver_id(self):
        for investigation in self:
            if investigation.approver_id and investigation.approver_id != investigation.user_id:
                continue
            team_sudo = investigation.team_id.sudo()
            investigation.approver_id = (
                (team_sudo.quality_user_id | team_sudo.user_id) - investigation.user_id
            )[:1].sudo(False)

    @api.depends("template_id.approval_required", "approval_fixed")
    def _compute_needs_approval(self):
        for investigation in self:
            template = investigation.template_id
            investigation.needs_approval = (
                investigation.approval_fixed or not template or template.approval_required
            )

    @api.depends("state", "user_id", "submitted_by_id")
    @api.depends_context("uid")
    def _compute_can_approve(self):
        for investigation in self:
            investigation.can_approve = investigation.state == "review" and self.env.user not in (
                investigation.user_id | investigation.submitted_by_id
            )

    # ------------------------------------------------------------------
    # Checks
    # ------------------------------------------------------------------

    def _check_open_for_changes(self):
        """What was concluded is not changed any more, unless the investigation is reopened."""
        closed = self.filtered(lambda record: record.state in ("done", "cancelled"))
        if closed:
            raise UserError(
                self.env._(
                    "Investigation %(name)s is finished. Reopen it to change causes or measures.",
                    name=closed[0].name,
                )
            )

    @api.model
    def _get_required_content(self, method):
        """Fields without which an investigation is not concluded."""
        required = ["root_cause", "conclusion"]
        if method == "8d":
            required += ["containment", "root_cause_escape", "corrective_measures"]
        return required

    def _get_missing_content(self):
        """Labels of what is missing for the conclusion; rows count as well as texts."""
        self.ensure_one()
        whys = self.why_ids.filtered("is_root")
        rows = {
            "root_cause": whys.filtered(lambda why: why.kind == "occurrence"),
            "root_cause_escape": whys.filtered(lambda why: why.kind == "escape"),
            "containment": self.measure_ids.filtered(lambda m: m.kind == "containment"),
            "corrective_measures": self.measure_ids.filtered(
                lambda m: m.kind == "corrective" and m.state != "cancelled"
            ),
        }
        return [
            self._fields[name]._description_string(self.env)
            for name in self._get_required_content(self.method)
            if is_html_empty(self[name]) and not rows.get(name)
        ]

    def _check_done(self):
        """Refuse a conclusion that is not complete."""
        for investigation in self:
            missing = investigation._get_missing_content()
            if missing:
                raise UserError(
                    self.env._(
                        "Investigation %(name)s cannot be done yet. Fill in: %(fields)s.",
                        name=investigation.name,
                        fields=", ".join(missing),
                    )
                )
            investigation.why_ids._check_shares()
            # sudo: steps of others count, too
            open_sudo = investigation.sudo().task_ids.filtered(lambda task: not task.is_closed)
            if open_sudo:
                raise UserError(
                    self.env._(
                        "Investigation %(name)s has open steps: %(steps)s. Finish or cancel them.",
                        name=investigation.name,
                        steps=", ".join(
                            task.claim_step_id.display_name or task.name for task in open_sudo[:5]
                        ),
                    )
                )

    def _check_approver(self):
        """Refuse to finish a conclusion that nobody else has approved."""
        if self.env.su:
            return
        for investigation in self.filtered("needs_approval"):
            if investigation.state != "review":
                raise UserError(
                    self.env._(
                        "The conclusion of %(name)s needs approval: ask for it first.",
                        name=investigation.name,
                    )
                )
            if not investigation.can_approve:
                raise AccessError(
                    self.env._(
                        "Another person than the lead, and than who asked, approves the "
                        "conclusion of %(name)s.",
                        name=investigation.name,
                    )
                )

    # ------------------------------------------------------------------
    # CRUD
    # ------------------------------------------------------------------

    def write(self, vals):
        controlled = {"submitted_by_id", "approved_by_id", "approval_fixed"}
        if controlled & vals.keys() and not self.env.su:
            raise AccessError(self.env._("Who asked and who approved is recorded by the buttons."))
        if {"template_id", "state"} & vals.keys():
            self._fix_approval()
        if vals.get("state") == "done":
            self._check_approver()
        return super().write(vals)

    def _fix_approval(self):
        """Before the template or state of ``self`` changes: who needs approval keeps needing it.

        A draft without a template has not chosen yet.
        """
        fixed = self.filtered(
            lambda record: record.needs_approval
            and not record.approval_fixed
            and (record.template_id or record.state != "draft")
        )
        if fixed:
            fixed.sudo().approval_fixed = True  # sudo: controlled field

    # ------------------------------------------------------------------
    # Actions
    # ------------------------------------------------------------------

    @api.readonly
    def get_why_trees(self):
        """The two 5-why trees, for the screen.

        :return: list of ``{kind, label, nodes, share}``; ``share`` is the sum over root causes
        """
        self.ensure_one()
        self.check_access("read")
        trees = []
        for kind, label in self.why_ids._fields["kind"]._description_selection(self.env):
            whys = self.why_ids.filtered(lambda why, kind=kind: why.kind == kind)
            trees.append(
                {
                    "kind": kind,
                    "label": label,
                    "nodes": whys._get_tree(),
                    "share": sum(whys.filtered("is_root").mapped("share")),
                }
            )
        return trees

    def action_submit(self):
        """Put the conclusion up for approval."""
        self._check_done()
        for investigation in self:
            investigation.state = "review"
            # sudo: controlled field
            investigation.sudo().submitted_by_id = self.env.uid
            investigation.activity_feedback(["mail.mail_activity_data_todo"])
            approver = investigation.approver_id
            if approver and approver not in (investigation.user_id, self.env.user):
                # sudo: the approver follows, so that he reads what he approves
                investigation.sudo().message_subscribe(approver.partner_id.ids)
                investigation.activity_schedule(
                    "mail.mail_activity_data_todo",
                    summary=self.env._("Approve the conclusion"),
                    user_id=approver.id,
                )

    def action_done(self):
        self._check_approver()
        by_another = self.filtered("needs_approval")
        result = super().action_done()
        by_another.sudo().approved_by_id = self.env.uid  # sudo: controlled field
        return result

    def action_send_back(self):
        """The conclusion is not good enough; the chatter tells why."""
        for investigation in self:
            if investigation.state != "review":
                raise UserError(
                    self.env._("Only a conclusion that waits for approval is sent back.")
                )
            investigation.state = "running"
            investigation.activity_unlink(["mail.mail_activity_data_todo"])
            investigation.activity_schedule(
                "mail.mail_activity_data_todo",
                summary=self.env._("The conclusion was sent back by %s", self.env.user.name),
                user_id=investigation.user_id.id,
            )
