from odoo import models
from odoo.tools import is_html_empty


class CrmClaimInvestigation(models.Model):
    """The 8D form of an investigation, discipline by discipline, and what it lacks."""

    _inherit = "crm.claim.investigation"

    def _get_eight_d_gaps(self):
        """What the 8D form still lacks, each with its discipline.

        :return: list of sentences
        """
        self.ensure_one()
        _ = self.env._
        whys = self.why_ids.filtered("is_root")
        measures = self.measure_ids.filtered(lambda measure: measure.state != "cancelled")
        kinds = set(measures.mapped("kind"))
        open_steps = self.task_ids.filtered(lambda task: not task.is_closed)
        gaps = [
            (not self.claim_ids, _("D0: no claim is linked.")),
            (len(self._get_team_members()) < 2, _("D1: the team has one member only.")),
            (
                all(is_html_empty(text) for text in self.claim_ids.mapped("description")),
                _("D2: the problem is not described."),
            ),
            (
                is_html_empty(self.containment) and "containment" not in kinds,
                _("D3: nothing protects clients until the cause is removed."),
            ),
            (
                is_html_empty(self.root_cause) and "occurrence" not in whys.mapped("kind"),
                _("D4: why it happened is not found."),
            ),
            (
                is_html_empty(self.root_cause_escape) and "escape" not in whys.mapped("kind"),
                _("D4: why it was not noticed is not found."),
            ),
            (
                is_html_empty(self.corrective_measures) and "corrective" not in kinds,
                _("D5: no corrective measure is chosen."),
            ),
            *(
                (True, _("D6: not carried out yet: %s", measure.name))
                for measure in measures
                if measure.state == "planned"
            ),
            *(
                (True, _("D6: the effect is not checked yet: %s", measure.name))
                for measure in measures
                if measure.state == "done" and measure.check_days
            ),
            *(
                (True, _("D6: without effect: %s", measure.name))
                for measure in measures
                if measure.state == "ineffective"
            ),
            (
                is_html_empty(self.preventive_measures) and "preventive" not in kinds,
                _("D7: nothing keeps it from happening elsewhere."),
            ),
            (is_html_empty(self.conclusion), _("D8: there is no conclusion.")),
            (
                self.needs_approval and not self.approved_by_id,
                _("D8: the conclusion is not approved by another person."),
            ),
            *(
                (True, _("Open step: %s", task.claim_step_id.display_name or task.name))
                for task in open_steps
            ),
        ]
        return [text for lacks, text in gaps if lacks]

    def _get_team_members(self):
        """Lead, owners of steps and measures."""
        return self.user_id | self.sudo().task_ids.user_ids | self.measure_ids.user_id

    def _get_why_rows(self):
        """The trees for print: list of (heading, rows of (depth, answer, proof, share or 0))."""

        def walk(nodes, depth=0):
            for node in nodes:
                share = node["share"] if node["is_root"] else 0
                yield depth, node["name"], node["evidence"], share
                yield from walk(node["children"], depth + 1)

        return [(tree["label"], list(walk(tree["nodes"]))) for tree in self.get_why_trees()]
