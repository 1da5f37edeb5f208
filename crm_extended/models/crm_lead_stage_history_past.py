from odoo import models
from odoo.tools import SQL


class CrmLeadStageHistory(models.Model):
    """What is known of the stages of deals from before this add-on."""

    _inherit = "crm.lead.stage.history"

    def _fill_from_past(self, batch_size=50_000):
        """Give every deal without stays those that the database remembers.

        - Each change of stage in the log of a deal (``mail.tracking.value``) ends one stay and
          begins the next; the first stay begins when the deal was created.
        - A deal whose present stage is not the last one in its log, or which has no log, is in
          its present stage since its last stage update.
        - The last stay lasts, or ended with the loss or archiving of the deal (``date_closed``,
          else its last change). Losses that were undone before are not known: that time counts
          as spent in the stage.
        - Salesperson, team, source, process and company are those of today.

        One statement for each `batch_size` numbers of deals, so that memory and disk stay small
        in a database of millions. Safe to run again: deals that have stays are left alone.

        :param int batch_size: how many ids of deals a statement goes through
        """
        self.env.flush_all()
        self.env.cr.execute("SELECT MIN(id), MAX(id) FROM crm_lead")
        first, last = self.env.cr.fetchone()
        if first is None:
            return
        for start in range(first, last + 1, batch_size):
            self._fill_deals_from_past(start, min(start + batch_size - 1, last))
        self.invalidate_model()

    def _fill_deals_from_past(self, first, last):
        """See `_fill_from_past`, for the deals with ids from `first` to `last`."""
        self.env.cr.execute(
            SQL(
                """
        WITH deal AS (
             SELECT lead.id, lead.stage_id, lead.user_id, lead.team_id, lead.source_id,
                    lead.process_id, lead.company_id, lead.create_date,
                    GREATEST(lead.create_date, COALESCE(lead.date_last_stage_update,
                                                        lead.create_date)) AS date_stage,
                    COALESCE(lead.date_closed, lead.write_date, lead.create_date) AS date_end,
                    CASE WHEN lead.won_status = 'won' THEN 'won'
                         WHEN lead.active THEN 'open'
                         WHEN lead.won_status = 'lost' OR lead.lost_reason_id IS NOT NULL
                         THEN 'lost'
                         ELSE 'aside' END AS result
               FROM crm_lead lead
              WHERE lead.id BETWEEN %(first)s AND %(last)s
                AND lead.type = 'opportunity' AND lead.stage_id IS NOT NULL
                AND NOT EXISTS (SELECT FROM crm_lead_stage_history stay
                                 WHERE stay.lead_id = lead.id)
        ), change AS (
             SELECT message.res_id AS lead_id, value.old_value_integer AS old_id,
                    value.new_value_integer AS new_id, message.date, value.id,
                    ROW_NUMBER() OVER (PARTITION BY message.res_id
                                       ORDER BY message.date, value.id) AS number,
                    COUNT(*) OVER (PARTITION BY message.res_id) AS total
               FROM mail_tracking_value value
               JOIN mail_message message ON message.id = value.mail_message_id
              WHERE value.field_id = %(field_id)s AND message.model = 'crm.lead'
                AND message.res_id BETWEEN %(first)s AND %(last)s
                AND value.new_value_integer > 0 AND message.date IS NOT NULL
        ), point AS (
             SELECT deal.id AS lead_id, change.old_id AS stage_id, deal.create_date AS date, 0 AS id
               FROM deal JOIN change ON change.lead_id = deal.id AND change.number = 1
              WHERE change.old_id > 0
              UNION ALL
             SELECT deal.id, change.new_id, GREATEST(change.date, deal.create_date), change.id
               FROM deal JOIN change ON change.lead_id = deal.id
              UNION ALL
             SELECT deal.id, deal.stage_id, GREATEST(deal.date_stage, last.date), 2147483647
               FROM deal
          LEFT JOIN change last ON last.lead_id = deal.id AND last.number = last.total
              WHERE last.new_id IS DISTINCT FROM deal.stage_id
        ), stay AS (
             SELECT point.lead_id, point.stage_id, point.date AS date_in,
                    LEAD(point.date) OVER timeline AS date_out,
                    LEAD(point.stage_id) OVER timeline AS next_id
               FROM point
             WINDOW timeline AS (PARTITION BY point.lead_id ORDER BY point.date, point.id)
        )
        INSERT INTO crm_lead_stage_history
                    (lead_id, stage_id, date_in, date_out, result, user_id, team_id, source_id,
                     process_id, company_id, create_uid, create_date, write_uid, write_date)
             SELECT deal.id, stage.id, stay.date_in,
                    CASE WHEN stay.next_id IS NOT NULL THEN stay.date_out
                         WHEN deal.result IN ('lost', 'aside')
                         THEN GREATEST(deal.date_end, stay.date_in) END,
                    CASE WHEN stay.next_id IS NULL THEN deal.result
                         WHEN (following.sequence, following.id) < (stage.sequence, stage.id)
                         THEN 'moved_back'
                         ELSE 'moved_forward' END,
                    deal.user_id, deal.team_id, deal.source_id, deal.process_id, deal.company_id,
                    %(uid)s, NOW() AT TIME ZONE 'UTC', %(uid)s, NOW() AT TIME ZONE 'UTC'
               FROM stay
               JOIN deal ON deal.id = stay.lead_id
          LEFT JOIN crm_stage stage ON stage.id = stay.stage_id
          LEFT JOIN crm_stage following ON following.id = stay.next_id
           ORDER BY stay.date_in, deal.id
                """,
                field_id=self.env["ir.model.fields"]._get("crm.lead", "stage_id").id,
                uid=self.env.uid,
                first=first,
                last=last,
            )
        )
