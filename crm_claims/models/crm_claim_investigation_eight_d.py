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
        kinds = set(self.measure_ids.filtered(lambda m: m.state != "cancelled").mapped("kind"))
        roots = set(self.why_ids.filtered("is_root").mapped("kind"))
        undescribed = all(is_html_empty(text) for text in self.claim_ids.mapped("description"))
        uncontained = is_html_empty(self.containment) and "containment" not in kinds
        no_cause = is_html_empty(self.root_cause) and "occurrence" not in roots
        no_escape = is_html_empty(self.root_cause_escape) and "escape" not in roots
        uncorrected = is_html_empty(self.corrective_measures) and "corrective" not in kinds
        unprevented = is_html_empty(self.preventive_measures) and "preventive" not in kinds
        unapproved = self.needs_approval and not self.approved_by_id
        alone = len(self._get_team_members()) < 2
        gaps = [
            (not self.claim_ids, self.env._("D0: no claim is linked.")),
            (alone, self.env._("D1: the team has one member only.")),
            (undescribed, self.env._("D2: the problem is not described.")),
            (
                uncontained,
                self.env._("D3: nothing protects clients until the cause is removed."),
            ),
            (no_cause, self.env._("D4: why it happened is not found.")),
            (no_escape, self.env._("D4: why it was not noticed is not found.")),
            (uncorrected, self.env._("D5: no corrective measure is chosen.")),
        ]
        gaps += [(True, text) for text in self._get_measure_gaps()]
        gaps += [
            (unprevented, self.env._("D7: nothing keeps it from happening elsewhere.")),
            (is_html_empty(self.conclusion), self.env._("D8: there is no conclusion.")),
            (unapproved, self.env._("D8: the conclusion is not approved by another person.")),
        ]
        for task in self.task_ids.filtered(lambda task: not task.is_closed):
            gaps.append((True, self.env._("Open step: %s", task.claim_title)))
        return [text for lacks, text in gaps if lacks]

    def _get_measure_gaps(self):
        """What is left to do about each measure."""
        planned = self.measure_ids.filtered(lambda m: m.state == "planned")
        unchecked = self.measure_ids.filtered(lambda m: m.state == "done" and m.check_days)
        useless = self.measure_ids.filtered(lambda m: m.state == "ineffective")
        return [
            *(self.env._("D6: not carried out yet: %s", name) for name in planned.mapped("name")),
            *(
                self.env._("D6: the effect is not checked yet: %s", name)
                for name in unchecked.mapped("name")
            ),
            *(self.env._("D6: without effect: %s", name) for name in useless.mapped("name")),
        ]

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
