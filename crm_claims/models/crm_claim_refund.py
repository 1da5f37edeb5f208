from odoo import models
from odoo.exceptions import UserError
from odoo.fields import Command


class CrmClaim(models.Model):
    """Money back: granted quantities become draft credit notes on the invoices they came on.

    - One credit note per invoice, with the invoice's own price, discount, taxes and account,
      for the granted quantity only, linked to the claim and to the claimed item.
    - Nothing is refunded twice: what any credit note that is not cancelled, drafts included,
      gives back of an order line, by this claim or otherwise, is no longer available.
    - A refund of part of the price credits the quantity at that part.
    - Accountants check and post it; claim handlers cannot.
    """

    _inherit = "crm.claim"

    def action_create_credit_note(self):
        """Create the draft credit notes of a decided claim and show them."""
        self.ensure_one()
        self.check_access("write")
        if self.state not in ("decided", "closed"):
            raise UserError(
                self.env._("A credit note is made for a claim that was decided in favour.")
            )
        self._lock_for_transition()
        self._create_credit_notes()
        return self.action_view_credit_notes()

    def action_view_credit_notes(self):
        """Open the credit notes; handlers without accounting rights see a short form."""
        self.ensure_one()
        action = {
            "type": "ir.actions.act_window",
            "res_model": "account.move",
            "name": self.env._("Credit Notes"),
            "context": {"create": False},
            "views": [(False, "list"), (False, "form")],
            "domain": [("claim_id", "=", self.id)],
        }
        form = False
        if not self.env.user.has_groups(
            "account.group_account_invoice,account.group_account_readonly"
        ):
            form = self.env.ref("crm_claims.account_move_view_form_handler").id
            action["views"] = [(False, "list"), (form, "form")]
        if len(self.credit_note_ids) == 1:
            action |= {"views": [(form, "form")], "res_id": self.credit_note_ids.id}
            if form:
                action["target"] = "new"
        return action

    def _create_credit_notes(self, remedies=None):
        """Create draft credit notes for what is granted and not credited yet.

        :param remedies: granted refunds of this claim; by default all that have no credit note.
            A claim without remedies (decided before there were any) takes its granted quantities
        :return: created ``account.move`` records, as superuser
        :raises UserError: nothing is left to credit
        """
        self.ensure_one()
        # sudo: handlers grant refunds, accountants check and post the drafts
        claim_sudo = self.sudo().with_company(self.company_id)
        if remedies is None:
            remedies = claim_sudo.remedy_ids.filtered(
                lambda remedy: remedy.state == "granted" and remedy._can_refund()
            )
        by_invoice = {}
        for line, invoice_line, quantity, ratio in claim_sudo._get_refund_parts(remedies.sudo()):
            by_invoice.setdefault(invoice_line.move_id, []).append(
                line._prepare_refund_line_values(invoice_line, quantity, ratio)
            )
        if not by_invoice:
            raise UserError(
                self.env._(
                    "There is nothing to credit on claim %(claim)s: no granted quantity of an "
                    "invoiced order line is left.",
                    claim=self.display_name,
                )
            )
        moves_sudo = claim_sudo.env["account.move"].create(
            [
                claim_sudo._prepare_credit_note_values(invoice, line_values)
                for invoice, line_values in by_invoice.items()
            ]
        )
        for remedy in remedies.sudo():
            remedy.move_ids |= moves_sudo.filtered(
                lambda move, item=remedy.claim_line_id: item in move.invoice_line_ids.claim_line_id
            )
        remedies.sudo()._refresh_refund_amount()
        claim_sudo._refresh_granted()
        for move in moves_sudo:
            move.message_post_with_source(
                "mail.message_origin_link",
                render_values={"self": move, "origin": claim_sudo},
                subtype_xmlid="mail.mt_note",
            )
        return moves_sudo

    def _get_refund_parts(self, remedies):
        """What to credit on which invoice line.

        :return: list of ``(claim line, invoice line, quantity at full price, part of the price)``
        """
        taken = {}
        if not self.remedy_ids:
            return [
                (line, invoice_line, quantity, 1.0)
                for line in self.line_ids
                for invoice_line, quantity in line._allocate_refund(line._get_uncredited(), taken)
            ]
        parts = []
        for remedy in remedies:
            ratio = remedy._get_refund_ratio()
            line = remedy.claim_line_id
            parts += [
                (line, invoice_line, quantity, ratio)
                for invoice_line, quantity in line._allocate_refund(remedy.quantity * ratio, taken)
            ]
        return parts

    def _prepare_credit_note_values(self, invoice, line_values):
        return {
            "move_type": "out_refund",
            "claim_id": self.id,
            "company_id": invoice.company_id.id,
            "partner_id": invoice.partner_id.id,
            "partner_shipping_id": invoice.partner_shipping_id.id,
            "currency_id": invoice.currency_id.id,
            "journal_id": invoice.journal_id.id,
            "fiscal_position_id": invoice.fiscal_position_id.id,
            "invoice_user_id": invoice.invoice_user_id.id,
            "invoice_origin": invoice.invoice_origin,
            "reversed_entry_id": invoice.id,
            "ref": self.env._(
                "Claim %(claim)s, reversal of %(invoice)s", claim=self.name, invoice=invoice.name
            ),
            "invoice_line_ids": [Command.create(values) for values in line_values],
        }
