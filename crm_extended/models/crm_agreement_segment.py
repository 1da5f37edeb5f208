from odoo import api, fields, models
from odoo.exceptions import ValidationError


class CrmAgreement(models.Model):
    """A standard agreement is for all clients or for a segment.

    Among the standard agreements in force the narrowest counts: first those whose segment the
    client is in, the smallest segment first; then those for all clients.
    """

    _inherit = "crm.agreement"

    segment_id = fields.Many2one(
        "crm.segment",
        "For Segment",
        index="btree_not_null",
        check_company=True,
        tracking=True,
        help="Empty: for all clients without narrower terms.",
    )

    @api.constrains("segment_id", "kind")
    def _check_segment(self):
        for agreement in self:
            if agreement.segment_id and agreement.kind != "standard":
                raise ValidationError(
                    self.env._(
                        "Individual agreement %s is for its client, not for a segment.",
                        agreement.name,
                    )
                )

    @api.onchange("kind")
    def _onchange_kind_segment(self):
        if self.kind != "standard":
            self.segment_id = False

    @api.model
    def _get_locked_fields(self):
        return super()._get_locked_fields() | {"segment_id"}

    def _sort_standard(self):
        """Standard agreements from the narrowest to the widest.

        :return: list of pairs of an agreement and its segment's id, False when it is for all
        """
        sizes = dict(
            self.env["crm.segment.member"]._read_group(
                [("segment_id", "in", self.segment_id.ids), ("date_exit", "=", False)],
                ["segment_id"],
                ["__count"],
            )
        )
        ranked = self.sorted(
            lambda a: (
                not a.segment_id,
                sizes.get(a.segment_id, 0),
                a.sequence,
                -a.date_start.toordinal(),
                -a.id,
            )
        )
        return [(agreement, agreement.segment_id.id) for agreement in ranked]
