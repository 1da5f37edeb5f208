from contextlib import contextmanager

from odoo import api, models
from odoo.exceptions import UserError

#: of an invoice: what its agreement is about
TERM_FIELDS = frozenset(
    {
        "invoice_line_ids",
        "line_ids",
        "partner_id",
        "currency_id",
        "invoice_payment_term_id",
        "move_type",
        "fiscal_position_id",
    }
)
#: of its lines
LINE_TERM_FIELDS = frozenset(
    {
        "price_unit",
        "discount",
        "quantity",
        "product_id",
        "product_uom_id",
        "sale_line_ids",
        "display_type",
        "move_id",
    }
)


class AccountMove(models.Model):
    """A posted invoice stays held to its agreement.

    Its form is closed then, but Odoo lets remote calls write lines of posted invoices, and their
    heads under a context key. What is written so may bring no new deviation.
    """

    _inherit = "account.move"

    @contextmanager
    def _keep_posted_terms(self, posting=False):
        """Refuse what brings a new deviation to a posted invoice.

        :param bool posting: these invoices are being posted, and were checked as they are now
        :raise UserError: lists the new deviations
        """
        held = self.filtered(lambda move: posting or move.state == "posted")
        known = {move: set(move._get_open_fingerprints()) for move in held}
        yield
        for move in held.exists():
            new = [
                pair
                for fingerprint, pair in move._get_open_fingerprints().items()
                if fingerprint not in known[move]
            ]
            if new and move.state == "posted":
                raise UserError(move._get_refusal_message(new))

    def _get_open_fingerprints(self):
        """Deviations that keep this invoice from being posted.

        :return: fingerprint → (deviation, how it is handled)
        :rtype: dict
        """
        self.ensure_one()
        found = {}
        for deviation in self._get_deviations():
            handling = self._get_handling(deviation)
            if handling not in ("approved", "warn"):
                found[self._get_fingerprint(deviation)] = (deviation, handling)
        return found


class AccountMoveLine(models.Model):
    """Lines of a posted invoice; see there."""

    _inherit = "account.move.line"

    @api.model_create_multi
    def create(self, vals_list):
        moves = self.env["account.move"].browse(
            {
                vals["move_id"]
                for vals in vals_list
                if vals.get("move_id") and vals.get("display_type", "product") == "product"
            }
        )
        with moves._keep_posted_terms():
            return super().create(vals_list)

    def write(self, vals):
        if vals.keys().isdisjoint(LINE_TERM_FIELDS):
            return super().write(vals)
        moves = self.filtered(lambda line: line.display_type == "product").move_id
        if vals.get("move_id"):
            moves |= moves.browse(vals["move_id"])
        with moves._keep_posted_terms():
            return super().write(vals)
