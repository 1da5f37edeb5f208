from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain
from odoo.tools import format_date

_SIDES = ("left_partner_id", "right_partner_id", "type_id")
_DATES = ("date_start", "date_end")


class CrmPartnerRelation(models.Model):
    """That two clients are related, how, and since when until when.

    - Nobody is related to itself. The same two are related in the same way once at a time: the
      periods of two such rows do not overlap (an index holds that, whoever comes first). A
      symmetric relation is the same row from both sides; it is kept with the older card first.
    - Both sides must be of the kinds that the type allows, when the relation is entered and when
      the type changes.
    - A relation with a client of one company belongs to that company; between shared clients it
      is shared, unless it is given a company. It never joins clients of two companies.
    - Clients that are merged keep their relations: what becomes double is joined to one longer
      period, what becomes a relation to itself goes.
    """

    _name = "crm.partner.relation"
    _description = "Relation of Clients"
    _order = "date_start desc, id desc"
    _check_company_auto = True

    left_partner_id = fields.Many2one(
        "res.partner", string="Client", required=True, index=True, ondelete="cascade",
        check_company=True,
    )  # fmt: skip
    type_id = fields.Many2one(
        "crm.partner.relation.type",
        string="Relation",
        required=True,
        index=True,
        ondelete="restrict",
    )
    right_partner_id = fields.Many2one(
        "res.partner", string="Other Client", required=True, index=True, ondelete="cascade",
        check_company=True,
    )  # fmt: skip
    date_start = fields.Date(string="Since", help="Empty: as long as anybody remembers.")
    date_end = fields.Date(string="Until", help="Last day. Empty: it lasts.")
    is_current = fields.Boolean(
        string="Now", compute="_compute_is_current", search="_search_is_current"
    )
    note = fields.Text()
    source = fields.Char(help="Where we know it from: register, website, what somebody said.")
    company_id = fields.Many2one(
        "res.company",
        compute="_compute_company_id",
        store=True,
        readonly=False,
        index="btree_not_null",
        help="Empty: for all companies.",
    )

    _no_self = models.Constraint(
        "CHECK(left_partner_id != right_partner_id)", "Nobody is related to itself."
    )
    _date_order = models.Constraint(
        "CHECK(date_end >= date_start)", "A relation cannot end before it begins."
    )
    # ranges of one number compare like numbers, without an extension of PostgreSQL
    _no_overlap = models.Constraint(
        """EXCLUDE USING gist (
            int4range(type_id, type_id, '[]') WITH &&,
            int4range(left_partner_id, left_partner_id, '[]') WITH &&,
            int4range(right_partner_id, right_partner_id, '[]') WITH &&,
            daterange(date_start, date_end, '[]') WITH &&
        )""",
        "These two are related in this way in the same period already.",
    )

    @api.depends("left_partner_id", "type_id", "right_partner_id")
    def _compute_display_name(self):
        for relation in self:
            relation.display_name = " ".join(
                filter(
                    None,
                    [
                        relation.left_partner_id.display_name,
                        relation.type_id.name,
                        relation.right_partner_id.display_name,
                    ],
                )
            )

    @api.depends("date_start", "date_end")
    def _compute_is_current(self):
        today = fields.Date.context_today(self)
        for relation in self:
            relation.is_current = (not relation.date_start or relation.date_start <= today) and (
                not relation.date_end or relation.date_end >= today
            )

    def _search_is_current(self, operator, value):
        if operator != "in":
            return NotImplemented
        return self._get_current_domain(fields.Date.context_today(self))

    @api.model
    def _get_current_domain(self, date):
        """Domain of the relations that hold on a day."""
        return (Domain("date_start", "=", False) | Domain("date_start", "<=", date)) & (
            Domain("date_end", "=", False) | Domain("date_end", ">=", date)
        )

    @api.depends("left_partner_id.company_id", "right_partner_id.company_id")
    def _compute_company_id(self):
        for relation in self:
            companies = relation.left_partner_id.company_id | relation.right_partner_id.company_id
            if companies:
                relation.company_id = companies[:1]

    # ------------------------------------------------------------
    # CHECKS
    # ------------------------------------------------------------

    @api.constrains("left_partner_id", "right_partner_id", "type_id")
    def _check_kinds(self):
        for relation in self:
            for partner, kind in (
                (relation.left_partner_id, relation.type_id.left_kind),
                (relation.right_partner_id, relation.type_id.right_kind),
            ):
                if kind != "any" and (kind == "company") != partner.is_company:
                    raise ValidationError(
                        self.env._(
                            "“%(client)s” cannot stand there in “%(relation)s”: it must be a "
                            "company.",
                            client=partner.display_name,
                            relation=relation.display_name,
                        )
                        if kind == "company"
                        else self.env._(
                            "“%(client)s” cannot stand there in “%(relation)s”: it must be a "
                            "person.",
                            client=partner.display_name,
                            relation=relation.display_name,
                        )
                    )

    @api.model
    def _check_overlap(self, vals, relation=None):
        """Refuse what the database would refuse, in words that name the other row.

        :param dict vals: sides, type and dates of a relation that is going to be written
        :param relation: the row on which they are written; none for a new one
        """
        draft = self.new({name: vals.get(name) for name in _SIDES + _DATES})
        if draft.left_partner_id and draft.left_partner_id == draft.right_partner_id:
            raise ValidationError(self.env._("Nobody is related to itself."))
        domain = draft._get_overlap_domain()
        if relation:
            domain &= Domain("id", "!=", relation.id)
        other = self.search(domain, limit=1)
        if other:
            raise ValidationError(
                self.env._(
                    "There is already “%(relation)s” from %(start)s to %(end)s: end it first, or "
                    "change its dates.",
                    relation=other.display_name,
                    start=format_date(self.env, other.date_start) or "…",
                    end=format_date(self.env, other.date_end) or "…",
                )
            )

    def _get_overlap_domain(self):
        """Domain of the rows that say the same about a time that this draft covers."""
        self.ensure_one()
        domain = (
            Domain("type_id", "=", self.type_id.id)
            & Domain("left_partner_id", "=", self.left_partner_id.id)
            & Domain("right_partner_id", "=", self.right_partner_id.id)
        )
        if self.date_end:
            domain &= Domain("date_start", "=", False) | Domain("date_start", "<=", self.date_end)
        if self.date_start:
            domain &= Domain("date_end", "=", False) | Domain("date_end", ">=", self.date_start)
        return domain

    # ------------------------------------------------------------
    # CRUD
    # ------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        relations = self.browse()
        for vals in vals_list:
            vals = self._sort_sides(vals)
            self._check_overlap(vals)
            # one by one, for a row may be like one before it in the list
            relations += super().create([vals])
        return relations

    def write(self, vals):
        if vals.keys().isdisjoint(_SIDES + _DATES):
            return super().write(vals)
        for relation in self:
            old = {name: relation[name].id for name in _SIDES}
            old |= {name: relation[name] for name in _DATES}
            values = self._sort_sides({**old, **vals})
            self._check_overlap(values, relation)
            super(CrmPartnerRelation, relation).write({**vals, **values})
        return True

    @api.model
    def _sort_sides(self, vals):
        """Values of a symmetric relation with the older card first."""
        kind = self.env["crm.partner.relation.type"].browse(vals.get("type_id"))
        left, right = vals.get("left_partner_id"), vals.get("right_partner_id")
        if kind.is_symmetric and left and right and left > right:
            return {**vals, "left_partner_id": right, "right_partner_id": left}
        return vals

    @api.model
    def _merge_partners(self, sources, target):
        """Let the relations of clients that are merged go on with the one that stays.

        :param sources: res.partner that are merged into `target`
        """
        partners = sources + target
        # sudo: whoever may merge clients, no relation is lost
        relations_sudo = (
            self.sudo()
            .search(
                Domain("left_partner_id", "in", sources.ids)
                | Domain("right_partner_id", "in", sources.ids),
                order="id",
            )
        )  # fmt: skip
        for relation in relations_sudo:
            left, right = (
                target.id if partner in partners else partner.id
                for partner in (relation.left_partner_id, relation.right_partner_id)
            )
            if left == right:
                relation.unlink()
                continue
            sides = self._sort_sides(
                {"type_id": relation.type_id.id, "left_partner_id": left, "right_partner_id": right}
            )
            new = self.sudo().new({**sides, "date_start": relation.date_start,
                                   "date_end": relation.date_end})  # fmt: skip
            same = self.sudo().search(new._get_overlap_domain() & Domain("id", "!=", relation.id))
            if same:
                relation._join_periods(same)
            # what is of another kind than the type wants was merged knowingly
            relation.flush_recordset()
            self.env.cr.execute(
                "UPDATE crm_partner_relation SET left_partner_id = %s, right_partner_id = %s"
                " WHERE id = %s",
                (sides["left_partner_id"], sides["right_partner_id"], relation.id),
            )
            relation.invalidate_recordset()

    def _join_periods(self, others):
        """Let this relation last as long as it and the others together, which go."""
        self.ensure_one()
        rows = self + others
        starts, ends = rows.mapped("date_start"), rows.mapped("date_end")
        notes = dict.fromkeys(note for note in rows.mapped("note") if note)
        values = {
            "date_start": all(starts) and min(starts),
            "date_end": all(ends) and max(ends),
            "note": "\n".join(notes),
            "source": self.source or next(filter(None, others.mapped("source")), False),
        }
        others.unlink()
        self.write(values)
