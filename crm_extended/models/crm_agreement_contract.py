from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError

from .crm_agreement_held import APPROVER_GROUP

LAWYER_GROUP = "crm_extended.crm_agreements_group_lawyer"


class CrmAgreementContract(models.Model):
    """The paper: a contract with a client under an agreement, with its number, dates and files.

    A contract is prepared as a draft, sent to the lawyers for approval, then signed, and ends. Only
    a lawyer or an agreement approver approves it, because a contract in force opens the way to
    orders and its own payment terms win over those of an agreement that requires a contract. From
    the approval on its client, dates and payment terms are locked; what has to change is a new
    contract.

    A contract under a standard agreement names its client; under an individual one it is the
    client of the agreement.
    """

    _name = "crm.agreement.contract"
    _description = "Contract"
    _inherit = ["mail.thread", "mail.activity.mixin"]
    _order = "date_start desc, id desc"
    _check_company_auto = True
    _rec_names_search = ["name", "partner_id.name"]

    name = fields.Char("Number", required=True, tracking=True, index="trigram")
    agreement_id = fields.Many2one(
        "crm.agreement",
        required=True,
        ondelete="restrict",
        index=True,
        check_company=True,
        tracking=True,
    )
    company_id = fields.Many2one(related="agreement_id.company_id", store=True, index=True)
    partner_id = fields.Many2one(
        "res.partner",
        "Client",
        compute="_compute_partner_id",
        store=True,
        readonly=False,
        precompute=True,
        required=True,
        index=True,
        tracking=True,
    )
    commercial_partner_id = fields.Many2one(
        related="partner_id.commercial_partner_id",
        string="Commercial Entity",
        store=True,
        index=True,
    )
    user_id = fields.Many2one(
        "res.users",
        "Responsible",
        default=lambda self: self.env.user,
        domain=[("share", "=", False)],
        index=True,
    )
    date = fields.Date("Date", default=fields.Date.context_today, help="Date on the paper.")
    date_start = fields.Date(
        "Valid From", required=True, default=fields.Date.context_today, tracking=True
    )
    date_end = fields.Date("Valid Until", tracking=True, help="Last day, included.")
    payment_term_id = fields.Many2one(
        "account.payment.term",
        "Payment Terms",
        check_company=True,
        tracking=True,
        help="Win over those of the agreement when it requires a contract.",
    )
    state = fields.Selection(
        [
            ("draft", "Draft"),
            ("to_approve", "With the Lawyers"),
            ("approved", "Approved"),
            ("signed", "In Force"),
            ("ended", "Ended"),
        ],
        "Status",
        required=True,
        default="draft",
        copy=False,
        index=True,
        tracking=True,
    )
    requested_by_id = fields.Many2one("res.users", "Sent By", readonly=True, copy=False)
    approved_by_id = fields.Many2one("res.users", "Approved By", readonly=True, copy=False)
    approved_on = fields.Datetime(readonly=True, copy=False)
    note = fields.Text("Notes")
    attachment_ids = fields.One2many(
        "ir.attachment",
        "res_id",
        "Files",
        domain=[("res_model", "=", "crm.agreement.contract"), ("res_field", "=", False)],
        bypass_search_access=True,
    )
    document_id = fields.Many2one(
        "ir.attachment",
        "Text of the Contract",
        domain="[('id', 'in', attachment_ids)]",
        copy=False,
        ondelete="set null",
        bypass_search_access=True,
        help="The file that the lawyers approve and the client gets: the one generated last, "
        "unless another is chosen.",
    )
    can_approve = fields.Boolean(compute="_compute_can_approve")

    _name_company_uniq = models.UniqueIndex(
        "(company_id, commercial_partner_id, name)", "This client has a contract of this number."
    )
    _period_check = models.Constraint(
        "CHECK(date_end IS NULL OR date_end >= date_start)",
        "A contract cannot end before it starts: check Valid From and Valid Until.",
    )

    # ------------------------------------------------------------------
    # Computes and checks
    # ------------------------------------------------------------------

    @api.depends("agreement_id")
    def _compute_partner_id(self):
        for contract in self:
            if contract.agreement_id.kind == "individual":
                contract.partner_id = contract.agreement_id.partner_id
            elif not contract.partner_id:
                contract.partner_id = False

    @api.depends("state", "requested_by_id")
    @api.depends_context("uid")
    def _compute_can_approve(self):
        for contract in self:
            contract.can_approve = contract._may_decide(self.env.user)

    @api.constrains("document_id")
    def _check_document(self):
        for contract in self:
            # sudo: whose file it is
            file_sudo = contract.document_id.sudo()
            if file_sudo and (file_sudo.res_model, file_sudo.res_id) != (
                contract._name,
                contract.id,
            ):
                raise ValidationError(
                    self.env._(
                        "“%(file)s” is no file of contract %(contract)s.",
                        file=file_sudo.name,
                        contract=contract.name,
                    )
                )

    @api.constrains("agreement_id", "partner_id")
    def _check_partner(self):
        for contract in self:
            client = contract.agreement_id.commercial_partner_id
            if client and client != contract.commercial_partner_id:
                raise ValidationError(
                    self.env._(
                        "Agreement %(agreement)s is with %(client)s; contract %(contract)s cannot "
                        "be with %(partner)s.",
                        agreement=contract.agreement_id.name,
                        client=client.display_name,
                        contract=contract.name,
                        partner=contract.partner_id.display_name,
                    )
                )

    # ------------------------------------------------------------------
    # Life, enforced in create and write
    # ------------------------------------------------------------------

    @api.model
    def _get_transitions(self):
        """Map each state to the states reachable from it; other add-ons extend it."""
        return {
            "draft": {"to_approve"},
            "to_approve": {"draft", "approved"},
            "approved": {"draft", "signed", "ended"},
            "signed": {"ended"},
            "ended": set(),
        }

    @api.model
    def _get_locked_fields(self):
        """What cannot change once the contract left the draft."""
        return {
            "name",
            "agreement_id",
            "partner_id",
            "date_start",
            "date_end",
            "payment_term_id",
        } | {"document_id"}

    @api.model
    def _get_controlled_fields(self):
        return {"requested_by_id", "approved_by_id", "approved_on"}

    @api.model
    def _get_derived_fields(self):
        """Stored fields that follow from others and are never entered."""
        return {"commercial_partner_id", "company_id"}

    @api.model_create_multi
    def create(self, vals_list):
        vals_list = [dict(vals) for vals in vals_list]
        for vals in vals_list:
            if vals.get("state", "draft") != "draft":
                raise UserError(
                    self.env._("A new contract is a draft: send it to the lawyers for approval.")
                )
            self._check_controlled_fields(vals)
            # named, so that no default of a client takes their place
            vals["state"] = "draft"
            vals.update(dict.fromkeys(self._get_controlled_fields(), False))
        contracts = super().create(vals_list)
        for name in self._get_derived_fields():
            self.env.add_to_compute(self._fields[name], contracts)
        return contracts

    def write(self, vals):
        self.check_access("write")
        self._check_controlled_fields(vals)
        locked = self._get_locked_fields() & vals.keys()
        if locked and (closed := self.filtered(lambda contract: contract.state != "draft")):
            raise UserError(
                self.env._(
                    "Contracts are locked outside drafts (%(contracts)s: %(fields)s): return them "
                    "to draft or prepare a new contract.",
                    contracts=", ".join(closed.mapped("name")),
                    fields=", ".join(
                        str(self._fields[name]._description_string(self.env))
                        for name in sorted(locked)
                    ),
                )
            )
        if "state" not in vals:
            return super().write(vals)
        moved = self.filtered(lambda contract: contract.state != vals["state"])
        for contract in moved:
            contract._check_transition(vals["state"])
        result = super().write(vals)
        moved._after_transition(vals["state"])
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_except_used(self):
        if used := self.filtered(lambda contract: contract.state != "draft"):
            raise UserError(
                self.env._(
                    "Only drafts can be deleted; end these contracts instead: %s.",
                    ", ".join(used.mapped("name")),
                )
            )

    def _check_controlled_fields(self, vals):
        if self._get_derived_fields() & vals.keys() and not self.env.su:
            raise AccessError(
                self.env._(
                    "The commercial entity and the company of a contract follow from its client "
                    "and its agreement: change these."
                )
            )
        if self._get_controlled_fields() & vals.keys() and not self.env.su:
            raise AccessError(
                self.env._("Who approved a contract is recorded by its buttons, not entered.")
            )

    def _check_transition(self, target):
        self.ensure_one()
        labels = dict(self._fields["state"]._description_selection(self.env))
        if target not in self._get_transitions().get(self.state, set()):
            raise UserError(
                self.env._(
                    "Contract %(name)s cannot go from %(current)s to %(target)s.",
                    name=self.name,
                    current=labels[self.state],
                    target=labels.get(target, target),
                )
            )
        if target == "approved" and not self.env.su and not self._may_decide(self.env.user):
            raise AccessError(
                self.env._(
                    "Contract %s is approved by a lawyer or an agreement approver other than the "
                    "one who sent it.",
                    self.name,
                )
            )

    def _may_decide(self, user):
        """Whether `user` may approve this contract."""
        self.ensure_one()
        if not (user.has_group(LAWYER_GROUP) or user.has_group(APPROVER_GROUP)):
            return False
        return bool(self.company_id.sudo().agreement_self_approval or user != self.requested_by_id)

    def _after_transition(self, target):
        if not self:
            return
        # sudo: these fields are written by the transition alone, never by a user
        contracts_sudo = self.sudo()
        if target == "to_approve":
            contracts_sudo.write(
                {
                    "requested_by_id": self.env.user.id,
                    "approved_by_id": False,
                    "approved_on": False,
                }
            )
            for contract in self:
                for user in contract._get_lawyers():
                    contract.activity_schedule(
                        "crm_extended.mail_activity_agreement_approval",
                        user_id=user.id,
                        summary=self.env._("Contract %s waits for approval", contract.name),
                    )
            return
        if target == "approved":
            contracts_sudo.write(
                {"approved_by_id": self.env.user.id, "approved_on": fields.Datetime.now()}
            )
        contracts_sudo.activity_unlink(["crm_extended.mail_activity_agreement_approval"])

    def _get_lawyers(self):
        """Users to be asked: lawyers of the company, or approvers while it has none."""
        self.ensure_one()
        for group in (LAWYER_GROUP, APPROVER_GROUP):
            users = self.env.ref(group).sudo().all_user_ids  # groups are not readable by everybody
            users = users.filtered(
                lambda user: not user.share
                and user.active
                and self.company_id in user.company_ids
                and self._may_decide(user)
                and user.id != self.env.ref("base.user_root").id
            )
            if users:
                return users.with_env(self.env)
        return self.env["res.users"]

    def action_submit(self):
        """Send the contract to the lawyers."""
        self.write({"state": "to_approve"})

    def action_approve(self):
        """Approve the text."""
        self.write({"state": "approved"})

    def action_return_to_draft(self):
        """Withdraw the contract, or send it back for changes."""
        self.write({"state": "draft"})

    def action_sign(self):
        """The client signed; the contract is in force."""
        self.write({"state": "signed"})

    def action_end(self):
        """End the contract for good."""
        self.write({"state": "ended"})

    def _is_in_force(self, date):
        """Whether the contract holds on a day."""
        self.ensure_one()
        return bool(
            self.state == "signed"
            and self.date_start <= date
            and (not self.date_end or self.date_end >= date)
        )
