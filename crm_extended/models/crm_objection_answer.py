from odoo import fields, models


class CrmObjectionAnswer(models.Model):
    """One way to answer an objection, with how it worked.

    Salespeople add answers that worked for them; sales administrators tidy the list.
    """

    _name = "crm.objection.answer"
    _description = "Answer to an Objection"
    _order = "sequence, id"
    _check_company_auto = True

    objection_id = fields.Many2one(
        "crm.objection", string="Objection", required=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="objection_id.company_id", store=True, index=True)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    name = fields.Char(string="Answer", required=True, translate=True)
    note = fields.Html(string="How to Say It", translate=True)
    lead_objection_ids = fields.One2many("crm.lead.objection", "answer_id", string="On Deals")
    overcome_count = fields.Integer(string="Worked", compute="_compute_counts")
    fatal_count = fields.Integer(string="Did Not Work", compute="_compute_counts")
    success_rate = fields.Float(
        string="Worked (%)",
        compute="_compute_counts",
        digits=(5, 1),
        help="Of the objections answered so and decided: how many were overcome.",
    )

    def _compute_counts(self):
        counts = {}
        for answer, state, count in self.env["crm.lead.objection"]._read_group(
            [("answer_id", "in", self.ids)], ["answer_id", "state"], ["__count"]
        ):
            counts[answer.id, state] = count
        for answer in self:
            answer.overcome_count = counts.get((answer.id, "overcome"), 0)
            answer.fatal_count = counts.get((answer.id, "fatal"), 0)
            decided = answer.overcome_count + answer.fatal_count
            answer.success_rate = 100 * answer.overcome_count / decided if decided else 0
