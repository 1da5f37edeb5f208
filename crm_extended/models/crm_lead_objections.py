from odoo import fields, models


class CrmLead(models.Model):
    """The objections of a deal's client, and the one over which the deal was lost.

    When a deal is no longer lost, its fatal objection is one like the others again. Merging
    brings the objections of all merged deals together, each once.
    """

    _inherit = "crm.lead"

    objection_ids = fields.One2many(
        "crm.lead.objection",
        "lead_id",
        string="Objections",
        groups="sales_team.group_sale_salesman",
    )

    def write(self, vals):
        lost = self.browse()
        if not {"active", "probability", "lost_reason_id", "stage_id"}.isdisjoint(vals):
            lost = self.filtered(lambda lead: lead._is_lost())
        res = super().write(vals)
        lost._reopen_fatal_objections()
        return res

    def _reopen_fatal_objections(self):
        """Make the fatal objections of deals that are not lost any more ordinary ones."""
        alive = self.filtered(lambda lead: not lead._is_lost())
        if not alive:
            return
        # sudo: whoever restores a deal need not be the one who works with its objections
        self.env["crm.lead.objection"].sudo().search(
            [("lead_id", "in", alive.ids), ("state", "=", "fatal")]
        ).write({"state": "raised"})

    def _set_fatal_objection(self, objection):
        """Note over which objection these lost deals were lost.

        :param objection: crm.objection; deals on which it was not noted get it at the stage
            where they were lost
        """
        Line = self.env["crm.lead.objection"]
        lines = Line.search([("lead_id", "in", self.ids)])
        lines.filtered(lambda line: line.state == "fatal" and line.objection_id != objection).write(
            {"state": "raised"}
        )
        lines.flush_recordset(["state"])
        fatal = lines.filtered(lambda line: line.objection_id == objection)
        fatal.write({"state": "fatal"})
        Line.create(
            [
                {"lead_id": lead.id, "objection_id": objection.id, "state": "fatal"}
                for lead in self - fatal.lead_id
            ]
        )

    def _merge_dependences(self, opportunities):
        super()._merge_dependences(opportunities)
        self._merge_objections(opportunities)

    def _merge_objections(self, opportunities):
        """Take over the objections of deals that are merged into this one."""
        self.ensure_one()
        # sudo: as the rest of the merge, which may join deals of several salespeople
        Line = self.env["crm.lead.objection"].sudo()
        noted = Line.search([("lead_id", "=", self.id)]).objection_id
        for line in Line.search([("lead_id", "in", opportunities.ids)], order="date, id"):
            if line.objection_id not in noted:
                noted |= line.objection_id
                line.write(
                    {
                        "lead_id": self.id,
                        "state": "raised" if line.state == "fatal" else line.state,
                    }
                )
