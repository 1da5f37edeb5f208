from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tools import float_is_zero


class CrmClaimRemedy(models.Model):
    """From a granted remedy to its document: one method a kind.

    Documents are drafts of the people whose work they are: accountants post credit notes,
    salespeople confirm orders. A remedy that has no document to make (an amount without an
    item, an item that was never invoiced or is no product) stays *to do*.
    """

    _inherit = "crm.claim.remedy"

    def _create_documents(self):
        """Create what is missing for granted rows of ``self``; superuser work after checks.

        :raises UserError: a refund has less left to credit than it grants
        """
        todo = self.filtered(lambda remedy: remedy.state == "granted")
        explained = todo.filtered(lambda remedy: remedy.kind == "explanation")
        # sudo: rows are written by methods only
        explained.sudo().date_done = fields.Date.context_today(self)
        refunds = todo.filtered(lambda remedy: remedy._can_refund())
        for claim, remedies in refunds.grouped("claim_id").items():
            claim._create_credit_notes(remedies)
        replacements = todo.filtered(lambda r: r.kind == "replacement" and r.product_id)
        for claim, remedies in replacements.grouped("claim_id").items():
            remedies._create_replacement_order(claim)
        for remedy in todo.filtered(lambda r: r.kind == "repair"):
            remedy._create_repair_task()

    def _can_refund(self):
        """Whether the item is on a posted invoice, so that a credit note can be made."""
        self.ensure_one()
        return self.kind == "refund" and self.claim_line_id._is_invoiced()

    # ------------------------------------------------------------------
    # Replacement
    # ------------------------------------------------------------------

    def _create_replacement_order(self, claim):
        """One draft order at zero for the replaced items of a claim.

        It goes to the addresses of the claimed order, and its salesperson confirms it.
        """
        partner = claim.order_id.sudo().partner_id or claim.partner_id
        if not partner:
            raise UserError(
                self.env._(
                    "Claim %(claim)s has no client with a card: create one before goods are sent.",
                    claim=claim.display_name,
                )
            )
        # sudo: handlers grant goods, but have no rights on sales
        order_sudo = (
            self.env["sale.order"]
            .sudo()
            .with_company(claim.company_id)
            .create(self._prepare_replacement_order_values(claim.sudo(), partner))
        )
        order_sudo.message_post_with_source(
            "mail.message_origin_link",
            render_values={"self": order_sudo, "origin": claim.sudo()},
            subtype_xmlid="mail.mt_note",
        )
        return order_sudo

    def _prepare_replacement_order_values(self, claim_sudo, partner):
        sold_sudo = claim_sudo.order_id
        values = {
            "partner_id": partner.id,
            "company_id": claim_sudo.company_id.id,
            "origin": claim_sudo.name,
            "client_order_ref": self.env._("Replacement, claim %(claim)s", claim=claim_sudo.name),
            "user_id": sold_sudo.user_id.id,
            "order_line": [
                Command.create(remedy.sudo()._prepare_replacement_line_values()) for remedy in self
            ],
        }
        if sold_sudo:
            values |= {
                "partner_shipping_id": sold_sudo.partner_shipping_id.id,
                "partner_invoice_id": sold_sudo.partner_invoice_id.id,
            }
        return values

    def _prepare_replacement_line_values(self):
        line = self.claim_line_id
        return {
            "claim_remedy_id": self.id,
            "product_id": line.product_id.id,
            "product_uom_id": line.product_uom_id.id,
            "product_uom_qty": self.quantity,
            "price_unit": 0.0,
            # a price that differs from the technical one is a manual one: it stays
            "technical_price_unit": line.product_id.lst_price or 1.0,
            "discount": 0.0,
        }

    # ------------------------------------------------------------------
    # Discount on the next order
    # ------------------------------------------------------------------

    @api.model
    def _get_discount_domain(self, partners, company):
        """Discounts that clients still have to get on their next orders."""
        return [
            ("kind", "=", "discount"),
            ("commercial_partner_id", "in", partners.commercial_partner_id.ids),
            ("company_id", "=", company.id),
            ("state", "in", ("granted", "progress")),
        ]

    def _get_discount_used(self, confirmed=False):
        """How much of a discount stands on orders, in the currency of the company.

        :param bool confirmed: count confirmed orders only
        """
        self.ensure_one()
        used = 0.0
        for line in self._get_living_order_lines():
            if confirmed and line.state != "sale":
                continue
            used -= line.currency_id._convert(
                line.price_total,
                self.company_id.currency_id,
                self.company_id,
                line.order_id.date_order or fields.Date.context_today(self),
            )
        return self.currency_id.round(used)

    def _get_discount_left(self):
        self.ensure_one()
        return max(self.currency_id.round(self.amount - self._get_discount_used()), 0.0)

    # ------------------------------------------------------------------
    # Repair
    # ------------------------------------------------------------------

    def _create_repair_task(self):
        """A task in the team's project; closing it finishes the remedy."""
        self.ensure_one()
        claim = self.claim_id
        if not claim.team_id:
            raise UserError(
                self.env._("Choose the team of the claim: its project takes the repair.")
            )
        project_sudo = claim.team_id._get_project()
        # sudo: handlers plan for colleagues in a project that only followers see
        task_sudo = (
            self.env["project.task"]
            .sudo()
            .create(self.sudo()._prepare_repair_task_values(project_sudo))
        )
        task_sudo.message_subscribe((claim.user_id or self.env.user).partner_id.ids)
        self.sudo().task_id = task_sudo
        return task_sudo

    def _prepare_repair_task_values(self, project):
        claim = self.claim_id
        what = self.claim_line_id.product_id.display_name or self.name or ""
        deadline = self.date_deadline and claim.company_id._get_claim_day_end(self.date_deadline)
        return {
            "name": " ".join(filter(None, [self.env._("Repair"), what, f"({claim.name})"])),
            "description": self.name or False,
            "project_id": project.id,
            "company_id": claim.company_id.id,
            "user_ids": [Command.set((self.user_id or claim.user_id).ids)],
            "date_deadline": deadline or False,
            # with a client only when the claim is nobody's secret
            "partner_id": False if claim.confidential else claim.partner_id.id,
        }

    # ------------------------------------------------------------------
    # Figures
    # ------------------------------------------------------------------

    def _get_valid_moves(self):
        return self.move_ids.filtered(lambda move: move.state != "cancel")

    def _refresh_refund_amount(self):
        """The amount of a refund is what its credit notes give back, in company currency."""
        for remedy in self:
            lines = remedy._get_valid_moves().invoice_line_ids.filtered(
                lambda line, remedy=remedy: line.claim_line_id == remedy.claim_line_id
            )
            total = sum(
                line.currency_id._convert(
                    line.price_total,
                    remedy.company_id.currency_id,
                    remedy.company_id,
                    line.move_id.invoice_date or fields.Date.context_today(remedy),
                )
                for line in lines
            )
            if not float_is_zero(total, precision_digits=2):
                remedy.amount = remedy.currency_id.round(total)
