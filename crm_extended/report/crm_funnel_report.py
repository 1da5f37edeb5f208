from odoo import fields, models
from odoo.tools import SQL

from ..tools.process_path import rank_stages

# a won stage is beyond every other one
BEYOND = 2147483647


class CrmFunnelReport(models.Model):
    """How deals pass the stages: a row per deal and stage which the deal has reached.

    Rows come from the stays of deals (``crm.lead.stage.history``). Stages are ordered as the steps
    of the deal's present sale process, or else as in the pipeline; a stage that is no step takes
    its place among the steps by the pipeline. A won stage is later than all others. Stages that
    were deleted are left out.

    - *Entered*: the deal stood in the stage, once or several times.
    - *Skipped*: the deal never stood there, but moved from an earlier stage to a later one over
      it. Won stages, stages that are no steps of the deal's process and, without a process,
      stages of teams other than the deal's are not skipped. A deal that
      starts in the middle has skipped nothing: it came in there (*started*).
    - *Reached* = entered + skipped: the width of the funnel.
    - *Passed*: after it first entered the stage, the deal stood in a later stage or was won;
      whatever came of it then. A skipped stage is passed.
    - *Still there*: the deal is open and stands in this stage now.
    - *Lost*: the deal is lost now, and it was lost in this stage. A restored deal is not lost.
      A deal that passed the stage and came back to be lost there counts in both.
    - *Went back*: entered, and none of passed, still there, lost: it returned to an earlier
      stage, or was archived without being lost.
    - *Won*: a won stage in which the deal stands now.
    - *Conversion* = passed / reached; *lost share* = lost / reached, in percent. A won stage has
      none.
    - *Days*: calendar days that the deal spent in the stage, all its stays together, once it
      has left. Stages where it still is, won stages and skipped ones have none. *Median days*
      is the median of these, half of the deals needed less.
    - *Days to win*: calendar days from the first stage of the deal to the won stage.

    So every deal that is open, lost or won counts exactly once in *still there*, *lost* or
    *won*, and reached = passed + still there + lost + went back, where those who came back
    after passing count under *passed* and where they are now.

    *Reached on* is when the deal first entered the stage, or moved over it; *Deal started* is
    when it entered its first stage. Filtered by the one, a stage shows the deals that came there
    in the period; by the other, all stages show the same deals. Salesperson, team, source,
    process and company are those of the deal when it last left the stage.
    """

    _name = "crm.funnel.report"
    _description = "Funnel"
    _auto = False
    _rec_name = "lead_id"
    _order = "date desc, id desc"
    _depends = {
        "crm.lead": ["lost_reason_id", "process_id"],
        "crm.lead.stage.history": [
            "company_id",
            "date_in",
            "date_out",
            "lead_id",
            "process_id",
            "result",
            "source_id",
            "stage_id",
            "team_id",
            "user_id",
        ],
        "crm.sale.process.step": ["process_id", "sequence", "stage_id"],
        "crm.stage": ["is_won", "sequence", "team_ids"],
    }

    lead_id = fields.Many2one("crm.lead", "Deal", readonly=True)
    stage_id = fields.Many2one("crm.stage", "Stage", readonly=True)
    date = fields.Datetime("Reached On", readonly=True)
    date_deal = fields.Datetime("Deal Started", readonly=True)
    user_id = fields.Many2one("res.users", "Salesperson", readonly=True)
    team_id = fields.Many2one("crm.team", "Sales Team", readonly=True)
    source_id = fields.Many2one("utm.source", "Source", readonly=True)
    process_id = fields.Many2one("crm.sale.process", "Sale Process", readonly=True)
    lost_reason_id = fields.Many2one("crm.lost.reason", "Lost Reason", readonly=True)
    company_id = fields.Many2one("res.company", "Company", readonly=True)
    started = fields.Integer("Started Here", readonly=True)
    reached = fields.Integer(readonly=True)
    entered = fields.Integer(readonly=True)
    skipped = fields.Integer(readonly=True)
    passed = fields.Integer(readonly=True)
    still_there = fields.Integer(readonly=True)
    lost = fields.Integer(readonly=True)
    went_back = fields.Integer(readonly=True)
    won = fields.Integer(readonly=True)
    conversion = fields.Float("Conversion (%)", aggregator="avg", digits=(5, 1), readonly=True)
    lost_share = fields.Float("Lost Share (%)", aggregator="avg", digits=(5, 1), readonly=True)
    days = fields.Float("Average Days", aggregator="avg", digits=(16, 1), readonly=True)
    days_median = fields.Float("Median Days", aggregator="avg", digits=(16, 1), readonly=True)
    days_to_win = fields.Float(
        "Median Days to Win", aggregator="avg", digits=(16, 1), readonly=True
    )

    @property
    def _table_query(self):
        return SQL(
            """
            WITH way AS (%(way)s),
                 stay AS (%(stay)s),
                 visit AS (%(visit)s),
                 pass AS ((%(visited)s) UNION ALL (%(skipped)s))
            SELECT %(select)s
              FROM pass
              JOIN crm_lead_stage_history history ON history.id = pass.history_id
              JOIN crm_lead lead ON lead.id = history.lead_id
            """,
            way=self._get_way_query(),
            stay=self._get_stay_query(),
            visit=self._get_visit_query(),
            visited=self._get_visited_query(),
            skipped=self._get_skipped_query(),
            select=SQL(", ").join(
                SQL("%s AS %s", expression, SQL.identifier(name))
                for name, expression in self._get_columns().items()
            ),
        )

    def _get_columns(self):
        """Columns of the report; other add-ons extend it.

        :return: mapping of field names to SQL expressions over `pass` (one deal in one stage),
            `history` (its last stay there, or the one after the skipped stage) and `lead`
        :rtype: dict[str, SQL]
        """
        columns = {
            # a stay may be followed by several skipped stages
            "id": SQL(
                "pass.history_id::bigint * 1024 + CASE WHEN pass.entered THEN 0 "
                "ELSE pass.rank END"
            ),
            "lead_id": SQL("history.lead_id"),
            "stage_id": SQL("pass.stage_id"),
            "date": SQL("pass.date"),
            "date_deal": SQL("pass.date_deal"),
            "user_id": SQL("history.user_id"),
            "team_id": SQL("history.team_id"),
            "source_id": SQL("history.source_id"),
            "process_id": SQL("history.process_id"),
            "company_id": SQL("history.company_id"),
            "lost_reason_id": SQL("CASE WHEN pass.lost THEN lead.lost_reason_id END"),
            "reached": SQL("1"),
            "skipped": SQL("(NOT pass.entered)::int"),
            "went_back": SQL(
                "(NOT (pass.is_won OR pass.passed OR pass.still_there OR pass.lost))::int"
            ),
            "conversion": SQL("CASE WHEN NOT pass.is_won THEN 100.0 * pass.passed::int END"),
            "lost_share": SQL("CASE WHEN NOT pass.is_won THEN 100.0 * pass.lost::int END"),
            "days": SQL("pass.days"),
            "days_median": SQL("pass.days"),
            "days_to_win": SQL(
                "CASE WHEN pass.won "
                "THEN EXTRACT(EPOCH FROM pass.date - pass.date_deal) / 86400 END"
            ),
        }
        for name in ("started", "entered", "passed", "still_there", "lost", "won"):
            columns[name] = SQL("pass.%s::int", SQL.identifier(name))
        return columns

    def _get_way_query(self):
        """Stages in the order of each process that has steps, and of the pipeline (process 0).

        The few rows are given as values: the planner then knows how few they are.
        """
        # sudo: the order of stages holds for all, whatever processes the user may read
        stages = self.env["crm.stage"].sudo().search([])
        steps = self.env["crm.sale.process.step"].sudo().search([])
        stages = stages.sorted(lambda stage: (stage.sequence, stage.id))
        paths = {0: stages.ids} | {
            process.id: process_steps.sorted(lambda step: (step.sequence, step.id)).stage_id.ids
            for process, process_steps in steps.grouped("process_id").items()
        }
        rows = [
            # a row that fits nothing, because there must be one
            SQL("(-1, -1, 0, FALSE, FALSE, NULL::int[])")
        ]
        for process_id, path in paths.items():
            ranks = rank_stages(paths[0], path)
            for stage in stages:
                rank, is_step = ranks[stage.id]
                rows.append(
                    SQL(
                        "(%s, %s, %s, %s, %s, %s::int[])",
                        process_id,
                        stage.id,
                        rank,
                        is_step,
                        bool(stage.is_won),
                        (not process_id and stage.team_ids.ids) or None,
                    )
                )
        return SQL(
            """SELECT *
                 FROM (VALUES %s) AS way (process_id, stage_id, rank, is_step, is_won, team_ids)""",
            SQL(", ").join(rows),
        )

    def _get_stay_query(self):
        """Stays in the order of time, each with what came before and the best that came after."""
        return SQL(
            """
            SELECT history.id, history.lead_id, history.stage_id, history.team_id,
                   history.date_in, history.date_out, history.result,
                   COALESCE(step.process_id, 0) AS process_id, pipeline.is_won,
                   COALESCE(step.rank, pipeline.rank) AS rank,
                   ROW_NUMBER() OVER timeline AS number,
                   LAG(COALESCE(step.rank, pipeline.rank)) OVER timeline AS rank_before,
                   LEAD(history.id) OVER timeline IS NULL AS is_last,
                   FIRST_VALUE(history.date_in) OVER timeline AS date_deal,
                   ARRAY_AGG(history.stage_id) OVER (
                       timeline ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
                   ) AS stage_ids,
                   MAX(CASE WHEN pipeline.is_won THEN %(beyond)s
                            ELSE COALESCE(step.rank, pipeline.rank) END) OVER (
                       timeline ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING
                   ) AS rank_best
              FROM crm_lead_stage_history history
              JOIN way pipeline ON pipeline.process_id = 0
                               AND pipeline.stage_id = history.stage_id
              JOIN crm_lead lead ON lead.id = history.lead_id
         LEFT JOIN way step ON step.process_id = lead.process_id
                           AND step.stage_id = history.stage_id
            WINDOW timeline AS (PARTITION BY history.lead_id ORDER BY history.date_in, history.id)
            """,
            beyond=BEYOND,
        )

    def _get_visit_query(self):
        """All stays of a deal in one stage together.

        The best that came after is largest at the first stay, so its maximum is what followed
        once the stage was entered.
        """
        return SQL(
            """
            SELECT lead_id, stage_id, rank, is_won,
                   (ARRAY_AGG(id ORDER BY number DESC))[1] AS history_id,
                   MIN(date_in) AS date, MIN(date_deal) AS date_deal, MIN(number) = 1 AS started,
                   MAX(rank_best) > rank AND NOT is_won AS passed,
                   BOOL_OR(result = 'open') AS still_there,
                   BOOL_OR(result = 'lost' AND is_last) AS lost,
                   BOOL_OR(result = 'won') AS won,
                   CASE WHEN NOT is_won AND COUNT(date_out) = COUNT(*)
                        THEN SUM(EXTRACT(EPOCH FROM date_out - date_in)) / 86400 END AS days
              FROM stay
          GROUP BY lead_id, stage_id, rank, is_won
            """
        )

    def _get_visited_query(self):
        return SQL(
            """
            SELECT history_id, stage_id, rank, is_won, date, date_deal, started, TRUE AS entered,
                   passed, still_there, lost, won, days
              FROM visit
            """
        )

    def _get_skipped_query(self):
        """Stages that a deal moved over and in which it never stood, at the first such move."""
        return SQL(
            """
            SELECT DISTINCT ON (stay.lead_id, way.stage_id)
                   stay.id, way.stage_id, way.rank, FALSE, stay.date_in, stay.date_deal, FALSE,
                   FALSE, TRUE, FALSE, FALSE, FALSE, NULL::numeric
              FROM stay
              JOIN way ON way.process_id = stay.process_id
                      AND way.rank > stay.rank_before AND way.rank < stay.rank
             WHERE stay.rank > stay.rank_before + 1
               AND way.is_step
               AND NOT way.is_won
               AND (way.team_ids IS NULL OR stay.team_id = ANY(way.team_ids))
               AND way.stage_id != ALL(stay.stage_ids)
          ORDER BY stay.lead_id, way.stage_id, stay.number
            """
        )

    def _read_group_select(self, aggregate_spec, query):
        """Medians where others have averages: an average of medians would be none."""
        name, _separator, function = aggregate_spec.partition(":")
        if name in ("days_median", "days_to_win") and function == "avg":
            return SQL(
                "PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY %s)",
                self._field_to_sql(self._table, name, query),
            )
        return super()._read_group_select(aggregate_spec, query)
