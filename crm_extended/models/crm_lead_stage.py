from odoo import api, fields, models
from odoo.exceptions import ConcurrencyError
from odoo.tools import SQL
from psycopg2.errors import UniqueViolation

from .crm_lead_stage_history import LASTING_RESULTS

# what can move a deal between stages, win, lose or restore it, or change who it counts for;
# some of these do it through computed fields (a team with stages of its own moves its deals)
_STAGE_FIELDS = frozenset(
    {
        "active",
        "company_id",
        "lost_reason_id",
        "partner_id",
        "probability",
        "process_id",
        "source_id",
        "stage_id",
        "team_id",
        "type",
        "user_id",
    }
)


class CrmLead(models.Model):
    """A deal writes down its way through the stages (``crm.lead.stage.history``).

    After any write that may have moved a deal, its present stage and state are compared with its
    last stay, and what differs is recorded: so every road counts (form, kanban, import, RPC,
    won and lost buttons, restore, merge, computed stages), and none counts twice. A batch costs
    two queries to look, one for the ends of each kind and one for the beginnings; deals that are
    written one by one share the looks. Nothing is flushed or computed that can wait: estimates of
    Odoo's predictive scoring above all, which cost several queries a deal outside of a batch.
    """

    _inherit = "crm.lead"

    stage_history_ids = fields.One2many(
        "crm.lead.stage.history", "lead_id", string="Stage History", readonly=True, copy=False
    )
    # what the deal itself compares with: all of them, whoever has read the others before
    stage_history_log_ids = fields.One2many(
        "crm.lead.stage.history",
        "lead_id",
        string="Stage History Log",
        readonly=True,
        copy=False,
        groups=fields.NO_ACCESS,
    )

    @api.model_create_multi
    def create(self, vals_list):
        leads = super().create(vals_list)
        if any(lead.type == "opportunity" for lead in leads):
            leads._record_stage_history()
        return leads

    def write(self, vals):
        res = super().write(vals)
        concerned = not self._get_stage_history_triggers().isdisjoint(vals)
        # what is a lead and stays one is in no stage: its last stay, if any, is over
        if concerned and ("type" in vals or any(lead.type == "opportunity" for lead in self)):
            self._record_stage_history()
        return res

    @api.model
    def _get_stage_history_triggers(self):
        """:return: fields whose change may begin, end or alter a stay
        :rtype: frozenset[str]
        """
        return _STAGE_FIELDS

    def _get_stage_history_state(self):
        """:return: how the deal stands in its stage: the `result` of a stay that lasts (open, won)
        or has just ended (lost, aside); None when it is in no stage
        """
        self.ensure_one()
        if self.type != "opportunity" or not self.stage_id:
            return None
        if self._is_won():
            return "won"
        if self._is_lost():
            return "lost"
        return "open" if self.active else "aside"

    def _prepare_stage_history_dimensions(self):
        """Values that an open stay takes over from its deal; others add theirs."""
        self.ensure_one()
        return {
            "user_id": self.user_id.id,
            "team_id": self.team_id.id,
            "source_id": self.source_id.id,
            "process_id": self.process_id.id,
            "company_id": self.company_id.id,
        }

    def _prepare_stage_history_values(self, date):
        """Values of the stay that begins at `date` in the present stage of the deal."""
        self.ensure_one()
        state = self._get_stage_history_state()
        return {
            "lead_id": self.id,
            "stage_id": self.stage_id.id,
            "date_in": date,
            "date_out": False if state in LASTING_RESULTS else date,
            "result": state,
            **self._prepare_stage_history_dimensions(),
        }

    def _get_last_stays_sudo(self):
        """:return: the last stay of each deal
        :rtype: dict[int, crm.lead.stage.history]
        """
        # sudo: the log is written by the deal, whoever moves it and wherever it goes. Read through
        # the field, the stays of all deals that are written one by one come in one query.
        return {
            lead.id: max(lead.stage_history_log_ids, key=lambda stay: (stay.date_in, stay.id))
            for lead in self.sudo()
            if lead.stage_history_log_ids
        }

    def _record_stage_history(self):
        """Bring the log of these deals up to their present stages and states."""
        # sudo: a deal that has just been handed over or moved to another company is recorded, too
        leads_sudo = self.sudo()
        last_stays = self._get_last_stays_sudo()
        now = fields.Datetime.now()
        changes = {}  # values, as items -> ids of the stays that get them
        new_vals_list = []
        for lead in leads_sudo:
            stay = last_stays.get(lead.id, self.env["crm.lead.stage.history"].sudo())
            # clocks of several servers differ, and a stay cannot end before it has begun
            date = max(now, stay.date_out or stay.date_in) if stay else now
            values, is_new = lead._compare_stage_history(stay, date)
            if values:
                changes.setdefault(tuple(sorted(values.items())), []).append(stay.id)
            if is_new:
                new_vals_list.append(lead._prepare_stage_history_values(date))
        History = self.env["crm.lead.stage.history"].sudo()
        for values, stay_ids in changes.items():
            History.browse(stay_ids).write(dict(values))
        if not new_vals_list:
            return
        # the stays that have ended, now or before, make room for those that begin
        History.flush_model()
        try:
            History.create(new_vals_list)
        except UniqueViolation as error:
            # somebody moved one of the deals at the same moment: run the request again, then its
            # stay will be there
            raise ConcurrencyError(str(error)) from error

    def _compare_stage_history(self, stay, date):
        """What is to be recorded of one deal.

        :param stay: its last stay, or none
        :param datetime date: when it happened
        :return: values to write on that stay (may be empty), and whether a new stay begins
        :rtype: tuple[dict, bool]
        """
        self.ensure_one()
        state = self._get_stage_history_state()
        if not stay:
            return {}, bool(state)
        is_moved = bool(state) and stay.stage_id != self.stage_id
        if stay.result not in LASTING_RESULTS:
            if state in LASTING_RESULTS:
                return {}, True
            return self._drop_same_values(stay, {"result": state} if state else {}), False
        if is_moved:
            back = self._is_stage_before(self.stage_id, stay.stage_id)
            return {"result": "moved_back" if back else "moved_forward", "date_out": date}, True
        if state not in LASTING_RESULTS:
            return {"result": state or "aside", "date_out": date}, False
        values = {"result": state}
        if state == "open":
            values |= self._prepare_stage_history_dimensions()
        return self._drop_same_values(stay, values), False

    def _is_stage_before(self, stage, other):
        """Whether a stage comes before another one on the way of this deal.

        The steps of its sale process say so; for stages that are none of them the pipeline does.
        (By names, the last thing Odoo sorts stages by, it would differ from language to language.)
        """
        self.ensure_one()
        # sudo: the process may be one of another company
        path = self.process_id.sudo()._get_path() if self.process_id else []
        if stage.id in path and other.id in path:
            return path.index(stage.id) < path.index(other.id)
        return (stage.sequence, stage.id) < (other.sequence, other.id)

    @api.model
    def _drop_same_values(self, record, values):
        return {
            name: value
            for name, value in values.items()
            if record._fields[name].convert_to_write(record[name], record) != value
        }

    def _set_stage_history_reason(self, reason):
        """Keep why these deals have left their last stage.

        :param str reason: in the words of the salesperson
        """
        # sudo: see `_get_last_stays_sudo`
        History = self.env["crm.lead.stage.history"].sudo()
        rows = self.env.execute_query(
            SQL(
                """SELECT DISTINCT ON (lead_id) id FROM crm_lead_stage_history
                    WHERE lead_id = ANY(%s) AND result IN ('moved_forward', 'moved_back')
                 ORDER BY lead_id, date_out DESC, id DESC""",
                self.ids,
            )
        )
        History.browse(row[0] for row in rows).write({"reason": reason})
