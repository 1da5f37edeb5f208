from odoo import api, models


class CrmLeadScoringSource(models.AbstractModel):
    """A record around deals that their scores look at: a contact, a next step, an objection...

    When it comes, goes or changes in what scores look at, the scores of its deals are refreshed:
    at the end of the transaction for what people do one by one, else by the job, which is woken
    up. Nothing is noted as long as no scorecard looks at such records.
    """

    _name = "crm.lead.scoring.source"
    _description = "What the score of a deal looks at"

    #: fields whose change may change a score
    _scoring_fields = frozenset()
    #: scores are refreshed at the end of the transaction
    _scoring_at_once = False

    def _get_scored_lead_ids(self):
        """Ids of the deals whose scores look at these records."""
        raise NotImplementedError

    @api.model_create_multi
    def create(self, vals_list):
        records = super().create(vals_list)
        records._note_score_inputs()
        return records

    def write(self, vals):
        if self._scoring_fields.isdisjoint(vals):
            return super().write(vals)
        self._note_score_inputs()
        result = super().write(vals)
        self._note_score_inputs()
        return result

    def unlink(self):
        # while this add-on leaves, its tables are gone before the activities of its models
        if self.env.registry.ready:
            self._note_score_inputs()
        return super().unlink()

    def _note_score_inputs(self):
        if not self.env["crm.scorecard"]._is_watched(self._name):
            return
        # sudo: the deal is scored, whoever may read it
        lead_ids = self.sudo()._get_scored_lead_ids()
        leads = self.env["crm.lead"].browse(lead_ids)
        if self._scoring_at_once:
            leads._schedule_scoring()
        else:
            leads._schedule_scoring_by_job()


class CrmInteraction(models.Model):
    """Contacts, answers and calls that reached the client count in the score of the deal."""

    _name = "crm.interaction"
    _inherit = ["crm.interaction", "crm.lead.scoring.source"]
    _scoring_fields = frozenset(
        ["state", "kind", "direction", "date_start", "outcome_id", "res_model", "res_id"]
    )

    def _get_scored_lead_ids(self):
        return [row.res_id for row in self if row.res_model == "crm.lead" and row.res_id]


class MailActivity(models.Model):
    """A next step that is planned, done or overdue counts in the score of the deal."""

    _name = "mail.activity"
    _inherit = ["mail.activity", "crm.lead.scoring.source"]
    _scoring_fields = frozenset(
        ["active", "activity_type_id", "automated", "date_deadline", "res_id", "res_model_id"]
    )
    _scoring_at_once = True

    def _get_scored_lead_ids(self):
        return [row.res_id for row in self if row.res_model == "crm.lead" and row.res_id]


class CrmLeadObjection(models.Model):
    """Objections that are open count in the score of the deal."""

    _name = "crm.lead.objection"
    _inherit = ["crm.lead.objection", "crm.lead.scoring.source"]
    _scoring_fields = frozenset(["state", "lead_id", "objection_id"])
    _scoring_at_once = True

    def _get_scored_lead_ids(self):
        return self.lead_id.ids


class SaleOrder(models.Model):
    """Quotations that were sent and orders count in the score of the deal."""

    _name = "sale.order"
    _inherit = ["sale.order", "crm.lead.scoring.source"]
    _scoring_fields = frozenset(["state", "opportunity_id"])
    _scoring_at_once = True

    def _get_scored_lead_ids(self):
        return self.opportunity_id.ids
