from odoo import api, fields, models
from odoo.addons.crm_claims.models.crm_claim import REMEDIES
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tools import float_compare, float_is_zero

# Kinds that give an item back, in money or in kind: together they never exceed what is claimed.
QUANTITY_KINDS = ("refund", "replacement")
# Kinds whose work nothing in the system shows: people say that it is done.
MANUAL_KINDS = ("other",)


class CrmClaimRemedy(models.Model):
    """One thing granted to the customer of a claim, and what has become of it.

    - Rows are written by a decision (``crm_claim_decision.py``), never directly; a decision that
      needs approval leaves them *proposed* until the approver has spoken.
    - Each kind leads to a document: a refund to draft credit notes, a replacement to a draft
      order at zero, a discount to a line on the customer's next orders, a repair to a task
      (``crm_claim_remedy_document.py``). The state of the row is the state of what it led to; when
      that is cancelled, the row is to do again. An explanation is done when the decision is
      announced; what nothing shows is marked as done by a handler with a note.
    - Refunds and replacements of one item together never exceed the claimed quantity, over all
      decisions on the claim: nothing is given twice. A refund of less than the price counts by
      its part of it.
    - Amounts are in the currency of the company: for a refund what the customer gets back, for a
      replacement the value of the goods, for a discount its amount.
    """

    _name = "crm.claim.remedy"
    _description = "Granted Remedy"
    _order = "claim_id, sequence, id"
    _check_company_auto = True

    claim_id = fields.Many2one("crm.claim", required=True, index=True, ondelete="cascade")
    sequence = fields.Integer(default=10)
    company_id = fields.Many2one(related="claim_id.company_id", store=True, index=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    commercial_partner_id = fields.Many2one(
        related="claim_id.commercial_partner_id", store=True, index="btree_not_null"
    )
    approval_id = fields.Many2one("crm.claim.approval", index="btree_not_null", ondelete="cascade")
    kind = fields.Selection(REMEDIES, required=True)
    claim_line_id = fields.Many2one(
        "crm.claim.line", "Item", index="btree_not_null", ondelete="restrict"
    )
    product_id = fields.Many2one(related="claim_line_id.product_id")
    quantity = fields.Float(digits="Product Unit")
    amount = fields.Monetary(help="In the currency of the company.")
    name = fields.Char("Note")
    user_id = fields.Many2one("res.users", "Carried Out By", check_company=True, index=True)
    date_deadline = fields.Date("Due")
    is_proposed = fields.Boolean(readonly=True)
    is_cancelled = fields.Boolean(readonly=True)
    date_done = fields.Date("Done On", readonly=True)
    move_ids = fields.Many2many(
        "account.move",
        "crm_claim_remedy_move_rel",
        "remedy_id",
        "move_id",
        string="Credit Notes",
        readonly=True,
    )
    order_line_ids = fields.One2many("sale.order.line", "claim_remedy_id", string="Order Lines")
    task_id = fields.Many2one("project.task", index="btree_not_null", readonly=True)
    state = fields.Selection(
        [
            ("proposed", "To Approve"),
            ("granted", "To Do"),
            ("progress", "Under Way"),
            ("done", "Done"),
            ("cancelled", "Cancelled"),
        ],
        compute="_compute_state",
        compute_sudo=True,
        store=True,
        index=True,
    )
    document_name = fields.Char("Document", compute="_compute_document_name", compute_sudo=True)

    _quantity_positive = models.Constraint(
        "CHECK(COALESCE(quantity, 0) >= 0 AND COALESCE(amount, 0) >= 0)",
        "Quantity and amount of a remedy cannot be negative.",
    )

    # ------------------------------------------------------------------
    # Computes
    # ------------------------------------------------------------------

    @api.depends("kind", "claim_line_id", "name")
    def _compute_display_name(self):
        kinds = dict(self._fields["kind"]._description_selection(self.env))
        for remedy in self:
            what = remedy.claim_line_id.display_name or remedy.name
            remedy.display_name = ": ".join(filter(None, [kinds.get(remedy.kind), what]))

    @api.depends(
        "kind",
        "amount",
        "is_proposed",
        "is_cancelled",
        "date_done",
        "move_ids.state",
        "order_line_ids.state",
        "order_line_ids.price_total",
        "task_id.state",
    )
    def _compute_state(self):
        for remedy in self:
            if remedy.is_cancelled:
                remedy.state = "cancelled"
            elif remedy.is_proposed:
                remedy.state = "proposed"
            elif remedy.date_done:
                remedy.state = "done"
            else:
                remedy.state = remedy._get_document_state()

    def _get_document_state(self):
        """State of a granted row by what it led to.

        :return: ``granted`` (nothing yet, or cancelled again), ``progress`` or ``done``
        """
        self.ensure_one()
        if self.kind == "refund":
            moves = self.move_ids.filtered(lambda move: move.state != "cancel")
            if not moves:
                return "granted"
            return "done" if set(moves.mapped("state")) == {"posted"} else "progress"
        if self.kind == "replacement":
            orders = self._get_living_order_lines().order_id
            if not orders:
                return "granted"
            return "done" if all(order._is_replacement_done() for order in orders) else "progress"
        if self.kind == "discount":
            if not self._get_living_order_lines():
                return "granted"
            used = not float_compare(
                self._get_discount_used(confirmed=True), self.amount, precision_digits=2
            )
            return "done" if used else "progress"
        if self.kind == "repair" and self.task_id and self.task_id.state != "1_canceled":
            return "done" if self.task_id.state == "1_done" else "progress"
        return "granted"

    def _get_living_order_lines(self):
        return self.order_line_ids.filtered(lambda line: line.state != "cancel")

    @api.depends("move_ids", "order_line_ids", "task_id")
    def _compute_document_name(self):
        for remedy in self:
            documents = [
                *remedy.move_ids.mapped("display_name"),
                *remedy.order_line_ids.order_id.mapped("name"),
                *remedy.task_id.mapped("name"),
            ]
            remedy.document_name = ", ".join(documents)

    # ------------------------------------------------------------------
    # Constraints
    # ------------------------------------------------------------------

    @api.constrains("claim_id", "claim_line_id", "kind", "quantity", "amount")
    def _check_content(self):
        for remedy in self:
            line = remedy.claim_line_id
            if line and line.claim_id != remedy.claim_id:
                raise ValidationError(
                    self.env._(
                        "%(item)s does not belong to claim %(claim)s.",
                        item=line.display_name,
                        claim=remedy.claim_id.display_name,
                    )
                )
            if remedy.kind in QUANTITY_KINDS and line and not remedy.quantity:
                raise ValidationError(
                    self.env._(
                        "%(remedy)s: how many? Give a quantity or take the row away.",
                        remedy=remedy.display_name,
                    )
                )
            if remedy.kind == "discount" and not remedy.amount:
                raise ValidationError(self.env._("A discount on the next order needs its amount."))
            if remedy.kind == "refund" and not line and not remedy.amount:
                raise ValidationError(
                    self.env._("A refund needs an item, or the amount that is paid back.")
                )

    @api.constrains("claim_line_id", "quantity", "amount", "kind", "is_cancelled")
    def _check_not_given_twice(self):
        """Refunds and replacements of an item do not exceed what is claimed of it."""
        for line in self.claim_line_id:
            given = sum(
                remedy.quantity * remedy._get_refund_ratio()
                for remedy in self.sudo().search(
                    [
                        ("claim_line_id", "=", line.id),
                        ("kind", "in", QUANTITY_KINDS),
                        ("is_cancelled", "=", False),
                    ]
                )
            )
            rounding = line.product_uom_id.rounding or 0.01
            if float_compare(given, line.quantity, precision_rounding=rounding) > 0:
                raise ValidationError(
                    self.env._(
                        "%(item)s: %(claimed)s claimed, but %(given)s refunded or replaced in all. "
                        "Nothing is given twice: lower the quantity of the new remedies.",
                        item=line.display_name,
                        claimed=f"{line.quantity:g}",
                        given=f"{given:g}",
                    )
                )

    def _get_refund_ratio(self):
        """Part of the price that a refund of an item gives back, above 0 and up to 1."""
        self.ensure_one()
        full = self.quantity * self.claim_line_id.price_unit
        if self.kind != "refund" or float_is_zero(full, precision_digits=2) or not self.amount:
            return 1.0
        return min(self.amount / full, 1.0)

    def _filter_alive(self):
        """Rows that count: granted, whatever has become of them."""
        return self.filtered(lambda remedy: not remedy.is_cancelled and not remedy.is_proposed)

    def _get_hidden_worth(self):
        """What the goods of these rows are worth at least, beyond the amounts entered."""
        return sum(
            row.claim_line_id._get_hidden_worth(row.kind, row.quantity, row.amount) for row in self
        )

    # ------------------------------------------------------------------
    # Actions
    # ------------------------------------------------------------------

    def _check_handler(self):
        """Who carries a remedy out may work on its claim."""
        self.claim_id.check_access("write")
        if self.filtered(lambda remedy: remedy.state in ("proposed", "cancelled")):
            raise UserError(self.env._("This remedy is not granted; nothing is done about it."))

    def action_done(self):
        """Mark a remedy as carried out; only kinds that no document follows."""
        self._check_handler()
        for remedy in self:
            if remedy.state != "granted":
                raise UserError(
                    self.env._(
                        "%(remedy)s follows its document: finish %(document)s instead.",
                        remedy=remedy.display_name,
                        document=remedy.document_name or self.env._("that"),
                    )
                )
        # sudo: rows are written by methods only; the claim was proved to be the user's to change
        self.sudo().date_done = fields.Date.context_today(self)

    def action_cancel(self):
        """Take a granted remedy back that nothing was done about yet; managers only."""
        if not self.env.user.has_group("crm_claims.crm_claims_group_manager"):
            raise AccessError(
                self.env._("Only a claims administrator takes a granted remedy back.")
            )
        self._check_handler()
        self._cancel_unused()

    def _cancel_unused(self):
        """Cancel rows of ``self`` that led to nothing yet; the claim's totals follow."""
        unused = self.filtered(lambda remedy: remedy.state in ("granted", "proposed"))
        # sudo: rows are written by methods only
        unused.sudo().write({"is_cancelled": True, "is_proposed": False})
        unused.claim_id._refresh_granted()
        return unused

    def action_create_document(self):
        """Create the document of a remedy that has none, and show it."""
        self._check_handler()
        self.claim_id._lock_for_transition()
        self._create_documents()
        return self.action_open_document() if len(self) == 1 else True

    def action_open_document(self):
        """Open what the remedy led to; people without rights there get a short form."""
        self.ensure_one()
        if self.move_ids:
            return self.claim_id.action_view_credit_notes()
        record = self.sudo().order_line_ids.order_id[:1] or self.sudo().task_id
        if not record:
            raise UserError(self.env._("There is no document of this remedy yet."))
        action = {
            "type": "ir.actions.act_window",
            "res_model": record._name,
            "res_id": record.id,
            "view_mode": "form",
            "name": record.display_name,
        }
        if record._name == "sale.order" and not self.env.user.has_groups(
            "sales_team.group_sale_salesman,account.group_account_invoice,"
            "account.group_account_readonly"
        ):
            view = self.env.ref("crm_claims.sale_order_view_form_handler")
            action |= {"views": [(view.id, "form")], "target": "new"}
        return action
