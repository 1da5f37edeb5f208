from odoo import api, models
from odoo.fields import Domain


class CrmLead(models.Model):
    """What is said on a deal, and what happens to its client, changes its score by the job."""

    _inherit = "crm.lead"

    def _message_post_after_hook(self, message, msg_vals):
        result = super()._message_post_after_hook(message, msg_vals)
        is_said = message.message_type in ("email", "comment")
        if is_said and self.env["crm.scorecard"]._is_watched("mail.message"):
            self._schedule_scoring_by_job()
        return result

    @api.model
    def _note_client_change(self, source, clients):
        super()._note_client_change(source, clients)
        if not clients or not self.env["crm.scorecard"]._is_watched(source):
            return
        pending = self._get_waiting_for_job()
        pending["clients"].update(clients.commercial_partner_id.ids)

    def _schedule_scoring_by_job(self):
        """Let the deals wait for the job when the transaction ends: costs it one statement."""
        if self:
            self._get_waiting_for_job()["leads"].update(self.ids)

    @api.model
    def _get_waiting_for_job(self):
        """Deals, and clients whose deals, that this transaction leaves to the job."""
        precommit = self.env.cr.precommit
        if "crm_scoring.waiting" not in precommit.data:
            precommit.data["crm_scoring.waiting"] = {"leads": set(), "clients": set()}
            precommit.add(self.browse()._flush_waiting_for_job)
        return precommit.data["crm_scoring.waiting"]

    @api.model
    def _flush_waiting_for_job(self):
        """Put what was noted into the queue."""
        pending = self.env.cr.precommit.data.pop("crm_scoring.waiting", None)
        if not pending:
            return
        lead_ids = set(pending["leads"])
        if pending["clients"]:
            clients = sorted(pending["clients"])
            domain = Domain("partner_id.commercial_partner_id", "in", clients)
            domain &= Domain("won_status", "=", "pending")
            lead_ids.update(self.sudo().search(domain).ids)  # sudo: whoever may read the deals
        self.env["crm.lead.scoring.queue"].sudo()._enqueue(sorted(lead_ids))


class AccountMove(models.Model):
    """An invoice that is posted or withdrawn changes what the client owes."""

    _inherit = "account.move"

    def _post(self, soft=True):
        posted = super()._post(soft)
        posted._note_debt_of_clients()
        return posted

    def button_draft(self):
        result = super().button_draft()
        self._note_debt_of_clients()
        return result

    def _note_debt_of_clients(self):
        invoices = self.filtered(lambda move: move.move_type in ("out_invoice", "out_refund"))
        # sudo: the deals of the client are scored, whoever books the invoice
        clients = invoices.sudo().commercial_partner_id
        self.env["crm.lead"]._note_client_change("account.move", clients)


class AccountPartialReconcile(models.Model):
    """A payment of a part of an invoice changes what the client owes, and so does its return."""

    _inherit = "account.partial.reconcile"

    @api.model_create_multi
    def create(self, vals_list):
        partials = super().create(vals_list)
        partials._get_matched_moves()._note_debt_of_clients()
        return partials

    def unlink(self):
        moves = self._get_matched_moves()
        result = super().unlink()
        moves._note_debt_of_clients()
        return result

    def _get_matched_moves(self):
        return (self.debit_move_id | self.credit_move_id).move_id
