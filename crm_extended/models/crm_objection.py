from odoo import fields, models


class CrmObjection(models.Model):
    """What clients say against buying, and what to answer.

    The list is the team's shared experience: an objection has answers to try, and each answer
    counts how often it overcame the objection and how often the deal was lost over it
    nevertheless. What clients of a certain deal said is recorded on the deal
    (``crm.lead.objection``).
    """

    _name = "crm.objection"
    _description = "Objection"
    _order = "sequence, name, id"
    _check_company_auto = True

    name = fields.Char(
        string="Objection", required=True, translate=True, help="In the words of the client."
    )
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    category = fields.Selection(
        [
            ("price", "Price"),
            ("timing", "Timing"),
            ("need", "Need"),
            ("product", "Product"),
            ("trust", "Trust"),
            ("competitor", "Competitor"),
            ("authority", "Who Decides"),
            ("other", "Other"),
        ],
        required=True,
        default="other",
        index=True,
    )
    description = fields.Html(
        string="Background", translate=True, help="What usually stands behind it."
    )
    company_id = fields.Many2one(
        "res.company", string="Company", index=True, help="Left empty: for all companies."
    )
    answer_ids = fields.One2many(
        "crm.objection.answer", "objection_id", string="Answers", copy=True
    )
    lead_objection_ids = fields.One2many("crm.lead.objection", "objection_id", string="On Deals")
    raised_count = fields.Integer(string="Raised", compute="_compute_counts")
    overcome_count = fields.Integer(string="Overcome", compute="_compute_counts")
    fatal_count = fields.Integer(string="Deals Lost", compute="_compute_counts")

    def _compute_counts(self):
        counts = {}
        for objection, state, count in self.env["crm.lead.objection"]._read_group(
            [("objection_id", "in", self.ids)], ["objection_id", "state"], ["__count"]
        ):
            counts[objection.id, state] = count
        for objection in self:
            by_state = {
                state: counts.get((objection.id, state), 0)
                for state in ("raised", "overcome", "fatal")
            }
            objection.raised_count = sum(by_state.values())
            objection.overcome_count = by_state["overcome"]
            objection.fatal_count = by_state["fatal"]

    def action_view_leads(self):
        """Open the deals in which this objection was raised."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "crm_extended.crm_lead_objection_action"
        )
        action["domain"] = [("objection_id", "=", self.id)]
        action["context"] = {"active_test": False}
        action["views"] = [(False, "list"), (False, "pivot"), (False, "graph")]
        return action
