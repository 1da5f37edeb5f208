from odoo import api, fields, models
from odoo.exceptions import ValidationError


class CrmPartnerRelationType(models.Model):
    """A way in which two clients can be related, with a name for each side.

    Read from the first side to the second: "Alpha *is the parent of* Beta", "Beta *is a
    subsidiary of* Alpha". A symmetric relation has one name for both. Each side may be kept to
    companies or to people. A type that is in use is archived, not deleted.
    """

    _name = "crm.partner.relation.type"
    _description = "Kind of Relation"
    _order = "sequence, id"

    name = fields.Char(
        required=True, translate=True, help="What the first is to the second, e.g. parent of."
    )
    inverse_name = fields.Char(
        string="Seen from the Other Side",
        translate=True,
        help="What the second is to the first, e.g. subsidiary of.",
    )
    is_symmetric = fields.Boolean(string="Same in Both Directions")
    left_kind = fields.Selection(
        "_selection_kind", string="First Side", required=True, default="any"
    )
    right_kind = fields.Selection(
        "_selection_kind", string="Second Side", required=True, default="any"
    )
    color = fields.Integer(default=4)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    relation_ids = fields.One2many("crm.partner.relation", "type_id", string="Relations")
    relation_count = fields.Integer(compute="_compute_relation_count")

    @api.model
    def _selection_kind(self):
        return [
            ("any", self.env._("Anybody")),
            ("company", self.env._("Company")),
            ("person", self.env._("Person")),
        ]

    def _compute_relation_count(self):
        counts = dict(
            self.env["crm.partner.relation"]._read_group(
                [("type_id", "in", self.ids)], ["type_id"], ["__count"]
            )
        )
        for kind in self:
            kind.relation_count = counts.get(kind, 0)

    @api.constrains("is_symmetric", "left_kind", "right_kind", "inverse_name")
    def _check_sides(self):
        for kind in self:
            if kind.is_symmetric and kind.left_kind != kind.right_kind:
                raise ValidationError(
                    self.env._(
                        "“%s” is the same in both directions, so both sides are of one kind.",
                        kind.name,
                    )
                )
            if not kind.is_symmetric and not kind.inverse_name:
                raise ValidationError(
                    self.env._("Say how “%s” is called from the other side.", kind.name)
                )
        # sudo: relations of other companies must fit, too
        self.sudo().relation_ids._check_kinds()

    def write(self, vals):
        if "is_symmetric" in vals and self.sudo().relation_ids:
            changed = self.filtered(lambda kind: kind.is_symmetric != vals["is_symmetric"])
            if changed.sudo().relation_ids:
                raise ValidationError(
                    self.env._(
                        "“%s” is in use: archive it and add another kind of relation.",
                        changed[0].name,
                    )
                )
        return super().write(vals)

    def _get_label(self, side):
        """What the partner on this side is to the other one.

        :param str side: "left" or "right"
        """
        self.ensure_one()
        return self.name if side == "left" or self.is_symmetric else self.inverse_name
