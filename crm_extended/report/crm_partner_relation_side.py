from odoo import api, fields, models
from odoo.tools import SQL


class CrmPartnerRelationSide(models.Model):
    """A relation as one of its two sides sees it: each relation is here twice.

    For lists of all that a client is related to, and to search for clients that are related to
    somebody in some way.
    """

    _name = "crm.partner.relation.side"
    _description = "Relation Seen from One Side"
    _auto = False
    _order = "date_start desc, id"
    _rec_name = "other_partner_id"
    _depends = {
        "crm.partner.relation": [
            "company_id",
            "date_end",
            "date_start",
            "left_partner_id",
            "right_partner_id",
            "source",
            "type_id",
        ]
    }

    relation_id = fields.Many2one("crm.partner.relation", string="Relation Record", readonly=True)
    side = fields.Selection([("left", "First"), ("right", "Second")], readonly=True)
    partner_id = fields.Many2one("res.partner", string="Client", readonly=True)
    label = fields.Char(
        string="Relation",
        compute="_compute_label",
        search="_search_label",
        help="What the client is to the other one.",
    )
    type_id = fields.Many2one("crm.partner.relation.type", string="Kind", readonly=True)
    other_partner_id = fields.Many2one("res.partner", string="Other Client", readonly=True)
    date_start = fields.Date(string="Since", readonly=True)
    date_end = fields.Date(string="Until", readonly=True)
    source = fields.Char(readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)

    @property
    def _table_query(self):
        return SQL(
            """
            SELECT id::bigint * 2 AS id, id AS relation_id, 'left' AS side,
                   left_partner_id AS partner_id, right_partner_id AS other_partner_id,
                   type_id, date_start, date_end, source, company_id
              FROM crm_partner_relation
         UNION ALL
            SELECT id::bigint * 2 + 1, id, 'right', right_partner_id, left_partner_id,
                   type_id, date_start, date_end, source, company_id
              FROM crm_partner_relation
            """
        )

    @api.depends("type_id", "side")
    @api.depends_context("lang")
    def _compute_label(self):
        for row in self:
            row.label = row.type_id._get_label(row.side) if row.type_id else False

    def _search_label(self, operator, value):
        if operator not in ("in", "ilike", "like", "=ilike"):
            return NotImplemented
        return [
            "|",
            "&",
            "|",
            ("side", "=", "left"),
            ("type_id.is_symmetric", "=", True),
            ("type_id.name", operator, value),
            "&",
            "&",
            ("side", "=", "right"),
            ("type_id.is_symmetric", "=", False),
            ("type_id.inverse_name", operator, value),
        ]

    def action_open_relation(self):
        """Open the relation itself, to change or end it."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": "crm.partner.relation",
            "res_id": self.relation_id.id,
            "views": [(False, "form")],
            "target": "new",
        }
