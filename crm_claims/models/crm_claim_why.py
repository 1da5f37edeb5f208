from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import float_is_zero

WHY_KINDS = [("occurrence", "Why it happened"), ("escape", "Why it was not noticed")]


class CrmClaimWhy(models.Model):
    """One answer of a 5-why tree: each may be asked "why?" again, with several answers.

    Two trees grow side by side: why it happened, and why it was not noticed before it left. An
    answer below which nobody asks further and which was proved may be marked as a root cause
    with its share; the root causes of a tree that has any add up to 100 %. Nothing changes after
    the investigation is done.
    """

    _name = "crm.claim.why"
    _description = "Answer to Why"
    _order = "sequence, id"
    _rec_name = "name"

    investigation_id = fields.Many2one(
        "crm.claim.investigation", required=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="investigation_id.company_id", store=True, index=True)
    parent_id = fields.Many2one("crm.claim.why", "Answers", index=True, ondelete="cascade")
    child_ids = fields.One2many("crm.claim.why", "parent_id", string="Deeper Answers")
    sequence = fields.Integer(default=10)
    kind = fields.Selection(
        WHY_KINDS,
        required=True,
        compute="_compute_kind",
        store=True,
        readonly=False,
        recursive=True,
        precompute=True,
    )
    name = fields.Char("Because", required=True)
    evidence = fields.Char(help="What proves it: a test, a measurement, a document.")
    is_root = fields.Boolean("Root Cause")
    share = fields.Float("Share (%)", digits=(5, 2))

    _share_range = models.Constraint(
        "CHECK(COALESCE(share, 0) >= 0 AND COALESCE(share, 0) <= 100)",
        "The share of a root cause lies between 0 and 100 %.",
    )

    @api.depends("parent_id.kind")
    def _compute_kind(self):
        for why in self:
            why.kind = why.parent_id.kind or why.kind or "occurrence"

    @api.constrains("parent_id", "investigation_id")
    def _check_parent(self):
        if self._has_cycle():
            raise ValidationError(self.env._("An answer cannot answer itself."))
        for why in self:
            if why.parent_id and why.parent_id.investigation_id != why.investigation_id:
                raise ValidationError(
                    self.env._("%(why)s answers a question of another investigation.", why=why.name)
                )

    # ------------------------------------------------------------------
    # CRUD
    # ------------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        whys = super().create(vals_list)
        whys.investigation_id._check_open_for_changes()
        return whys

    def write(self, vals):
        self.investigation_id._check_open_for_changes()
        if vals.get("is_root") is False:
            vals = {**vals, "share": 0.0}
        result = super().write(vals)
        self.investigation_id._check_open_for_changes()
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_except_done(self):
        self.investigation_id._check_open_for_changes()

    # ------------------------------------------------------------------
    # Business
    # ------------------------------------------------------------------

    def _check_shares(self):
        """Root causes of each kind among ``self`` add up to 100 %."""
        kinds = dict(self._fields["kind"]._description_selection(self.env))
        for (investigation, kind), roots in (
            self.filtered("is_root").grouped(lambda why: (why.investigation_id, why.kind)).items()
        ):
            total = sum(roots.mapped("share"))
            if not float_is_zero(total - 100, precision_digits=2):
                raise UserError(
                    self.env._(
                        "Investigation %(name)s: the root causes of “%(kind)s” add up to "
                        "%(total)s %%; give them shares that add up to 100 %%.",
                        name=investigation.name,
                        kind=kinds[kind],
                        total=f"{total:g}",
                    )
                )

    def _get_tree(self):
        """The tree of ``self`` as nested dictionaries, in reading order.

        :return: list of ``{id, kind, name, evidence, is_root, share, children}``
        """
        nodes = {
            why.id: {
                "id": why.id,
                "kind": why.kind,
                "name": why.name,
                "evidence": why.evidence or "",
                "is_root": why.is_root,
                "share": why.share,
                "children": [],
            }
            for why in self
        }
        top = []
        for why in self.sorted(lambda why: (why.sequence, why.id)):
            siblings = nodes[why.parent_id.id]["children"] if why.parent_id.id in nodes else top
            siblings.append(nodes[why.id])
        return top
