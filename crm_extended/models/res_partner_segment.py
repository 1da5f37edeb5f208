from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.fields import Domain
from odoo.tools import SQL


class ResPartner(models.Model):
    """The segments a client is in; a contact is in those of its company.

    The field is read, searched and grouped by with the rights of the user on segments. Whoever
    may send mailings may also search by it without those rights, for a mailing to a segment.
    """

    _inherit = "res.partner"

    segment_ids = fields.Many2many(
        "crm.segment",
        string="Segments",
        compute="_compute_segment_ids",
        compute_sudo=True,  # narrowed to what the user may read by the method itself
        search="_search_segment_ids",
        groups="base.group_user",
    )

    @api.depends_context("uid", "allowed_company_ids")
    def _compute_segment_ids(self):
        Segment = self.sudo(False).env["crm.segment"]
        segments = Segment._search([]) if Segment.has_access("read") else []
        by_partner = {}
        for partner, segment in self.env["crm.segment.member"]._read_group(
            [
                ("partner_id", "in", self.commercial_partner_id.ids),
                ("date_exit", "=", False),
                ("segment_id", "in", segments),
            ],
            ["partner_id", "segment_id"],
        ):
            by_partner.setdefault(partner.id, []).append(segment.id)
        for partner in self:
            partner.segment_ids = self.env["crm.segment"].browse(
                by_partner.get(partner.commercial_partner_id.id, ())
            )

    def _search_segment_ids(self, operator, value):
        if operator == "in":
            domain = Domain.FALSE
            ids = [item for item in value if isinstance(item, int) and item]
            if ids:
                domain |= self._get_segment_domain(Domain("id", "in", ids))
            for name in value:
                if isinstance(name, str):
                    domain |= self._get_segment_domain(Domain("display_name", "=", name))
            if False in value:
                domain |= ~self._get_segment_domain(Domain.TRUE)
            return domain
        if operator in ("any", "any!"):
            if not isinstance(value, Domain):
                value = Domain("id", "in", value)
            elif operator == "any" and not self.env["crm.segment"].has_access("read"):
                # who only mails names segments; a condition on them would be searched under sudo
                raise AccessError(self.env._("You have no right to use the segments of clients."))
            return self._get_segment_domain(value)
        if operator in ("ilike", "like", "=ilike", "=like"):
            return self._get_segment_domain(Domain("display_name", operator, value))
        return NotImplemented

    def _get_segment_domain(self, domain):
        """Domain of the members of the segments that meet `domain`, and of their contacts."""
        query = self._get_segment_query(domain)
        return Domain(
            "commercial_partner_id",
            "in",
            SQL(
                "(SELECT partner_id FROM crm_segment_member"
                " WHERE date_exit IS NULL AND segment_id IN %s)",
                query.subselect(),
            ),
        )

    def _get_segment_query(self, domain):
        """Query of the segments that meet `domain` and that the user may use."""
        self.env["crm.segment.member"].flush_model()
        Segment = self.env["crm.segment"]
        if not Segment.has_access("read"):
            if not Segment._can_mail_segments():
                raise AccessError(self.env._("You have no right to use the segments of clients."))
            domain = domain & Domain("company_id", "in", [*self.env.companies.ids, False])
            # sudo: a mailing goes to the members of a segment, whatever else its sender may read
            Segment = Segment.sudo()
        return Segment._search(domain)

    def _read_group_groupby(self, alias, groupby_spec, query):
        """Group by segment as by a stored field with many values."""
        if groupby_spec != "segment_ids":
            return super()._read_group_groupby(alias, groupby_spec, query)
        self._check_field_access(self._fields["segment_ids"], "read")
        segments = self._get_segment_query(Domain.TRUE)
        member = query.make_alias(alias, "segment_ids")
        query.add_join(
            "LEFT JOIN",
            member,
            "crm_segment_member",
            SQL(
                "%s = %s AND %s IS NULL AND %s IN %s",
                SQL.identifier(member, "partner_id"),
                self._field_to_sql(alias, "commercial_partner_id", query),
                SQL.identifier(member, "date_exit"),
                SQL.identifier(member, "segment_id"),
                segments.subselect(),
            ),
        )
        return SQL.identifier(member, "segment_id")

    def _get_segments(self, company=None):
        """Segments in which these clients (or the companies of these contacts) are now.

        Asked with all rights: what holds for a client does not depend on who looks.

        :param company: res.company; its segments and those for all companies. By default that of
            the environment
        :return: dict partner → crm.segment in their order; every partner has its key
        """
        company = company or self.env.company
        Segment = self.env["crm.segment"]
        self.env["crm.segment.member"].flush_model()
        Segment.flush_model(["active", "company_id", "sequence"])
        # sudo: see above
        commercial = {partner: partner.sudo().commercial_partner_id.id for partner in self}
        by_partner = {}
        for partner_id, segment_id in self.env.execute_query(
            SQL(
                """SELECT m.partner_id, s.id
                     FROM crm_segment_member m
                     JOIN crm_segment s ON s.id = m.segment_id
                    WHERE m.partner_id = ANY(%s)
                      AND m.date_exit IS NULL
                      AND s.active
                      AND (s.company_id IS NULL OR s.company_id = %s)
                    ORDER BY s.sequence, s.id""",
                list(set(commercial.values())),
                company.id,
            )
        ):
            by_partner.setdefault(partner_id, []).append(segment_id)
        return {
            partner: Segment.browse(by_partner.get(commercial_id, ()))
            for partner, commercial_id in commercial.items()
        }

    def _merge_segment_members(self, sources):
        """Where several of the merged clients are in one segment, keep the longest membership.

        Odoo's merge would drop all rows of the sources, also those of the past, where two open
        rows collide.

        :param sources: res.partner that are merged into this one
        """
        self.env["crm.segment.member"].flush_model()
        self.env.cr.execute(
            SQL(
                """DELETE FROM crm_segment_member m
                    USING crm_segment_member longer
                    WHERE m.partner_id = ANY(%(partners)s)
                      AND longer.partner_id = ANY(%(partners)s)
                      AND m.date_exit IS NULL
                      AND longer.date_exit IS NULL
                      AND longer.segment_id = m.segment_id
                      AND (longer.date_entry, longer.id) < (m.date_entry, m.id)""",
                partners=[*sources.ids, *self.ids],
            )
        )
        self.env["crm.segment.member"].invalidate_model()

    # ------------------------------------------------------------
    # KEPT LIVE
    # ------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        partners = super().create(vals_list)
        partners._refresh_segments()
        return partners

    def write(self, vals):
        result = super().write(vals)
        self._refresh_segments(vals)
        return result

    def _refresh_segments(self, names=None):
        """Look at these clients again in the live segments that are about their cards.

        :param names: names of the fields that were written; all of them when None
        """
        watched = self.env["crm.segment"]._get_watched_fields() if self else ()
        segment_ids = [
            segment_id
            for segment_id, fields_watched in watched
            if names is None or not fields_watched.isdisjoint(names)
        ]
        if segment_ids:
            # sudo: membership follows from the card, whoever changes it
            partners = self.sudo()
            partners |= partners.commercial_partner_id
            self.env["crm.segment"].browse(segment_ids)._refresh(partners)
