from odoo import api, fields, models

# results of a stay that still lasts
LASTING_RESULTS = ("open", "won")


class CrmLeadStageHistory(models.Model):
    """One stay of a deal in a stage: when it came, when it left, and how.

    - A deal has at most one stay that lasts, the one in its present stage. When the deal moves,
      the stay ends (*moved forward* or *moved back*, by the steps of its sale process or else by
      the pipeline) and the next one begins in the same second. A stay in a won stage has the
      result *won* for as long as it lasts, so each won deal has exactly one such row.
    - Losing a deal, archiving it or turning it back into a lead ends the stay (*lost*, *set
      aside*). Restoring the deal begins a new stay: the time in between belongs to no stage.
    - A deal that is entered as lost or won has the one stay in its stage. A stage that is changed
      while the deal is lost does not change where it was lost.
    - Salesperson, team, source, process and company follow the deal while the stay is open and
      are kept as they were when it ends, so that a deal handed over later still counts for
      whoever worked on it.
    - Merged deals: the deal that remains keeps its own stays; those of the deals merged into it
      go with them, since they were the same deal counted twice.
    - Deleted stages: Odoo lets a stage go when no deal is in it any more. Its stays remain with
      the name the stage had; the funnel, which is drawn over the stages that exist, leaves
      them out.
    - Deals from before this add-on: see ``_fill_from_past``.

    Rows are written by the deal itself (``crm.lead._record_stage_history``) and by nobody else;
    whoever may read a deal may read its stays.
    """

    _name = "crm.lead.stage.history"
    _description = "Stay of a Deal in a Stage"
    _order = "date_in desc, id desc"
    _rec_name = "stage_id"

    lead_id = fields.Many2one(
        "crm.lead",
        string="Deal",
        required=True,
        readonly=True,
        index=True,
        ondelete="cascade",
    )
    stage_id = fields.Many2one(
        "crm.stage", string="Stage", readonly=True, index=True, ondelete="set null"
    )
    stage_name = fields.Char(
        string="Deleted Stage",
        readonly=True,
        help="Name of the stage, kept when the stage was deleted.",
    )
    date_in = fields.Datetime(string="Entered", required=True, readonly=True)
    date_out = fields.Datetime(string="Left", readonly=True)
    days = fields.Float(
        string="Days in Stage",
        compute="_compute_days",
        digits=(16, 1),
        help="Calendar days from entering to leaving the stage, or until now.",
    )
    result = fields.Selection(
        [
            ("open", "Still There"),
            ("moved_forward", "Moved Forward"),
            ("moved_back", "Moved Back"),
            ("won", "Won"),
            ("lost", "Lost"),
            ("aside", "Set Aside"),
        ],
        required=True,
        readonly=True,
        help="Set aside: archived without being lost, or turned back into a lead.",
    )
    reason = fields.Char(
        string="Reason", readonly=True, help="Why the deal went back from this stage."
    )
    user_id = fields.Many2one("res.users", string="Salesperson", readonly=True)
    team_id = fields.Many2one("crm.team", string="Sales Team", readonly=True, ondelete="set null")
    source_id = fields.Many2one("utm.source", string="Source", readonly=True, ondelete="set null")
    process_id = fields.Many2one(
        "crm.sale.process", string="Sale Process", readonly=True, ondelete="set null"
    )
    company_id = fields.Many2one("res.company", string="Company", readonly=True)

    _lasting_uniq = models.UniqueIndex(
        "(lead_id) WHERE result IN ('open', 'won')",
        "A deal is in one stage at a time.",
    )
    _date_order = models.Constraint(
        "CHECK (date_out IS NULL OR date_out >= date_in)",
        "A deal cannot leave a stage before it came there.",
    )

    @api.depends("date_in", "date_out")
    def _compute_days(self):
        now = fields.Datetime.now()
        for stay in self:
            end = stay.date_out or now
            stay.days = (end - stay.date_in).total_seconds() / 86400 if stay.date_in else 0.0

    @api.depends("stage_id", "stage_name")
    def _compute_display_name(self):
        for stay in self:
            stay.display_name = stay.stage_id.display_name or stay.stage_name
