from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL, format_amount, format_date

MAX_DEPTH = 2
# more cards than this are no picture any more; those next to the client come first
MAX_NODES = 150


class ResPartner(models.Model):
    """The surroundings of a client: whom it is related to, and to whom those are related.

    One statement walks them, over relations and from contacts to their companies, and never
    through a client or a relation that the user may not see. Contacts appear when they are
    related to somebody themselves. Each card carries the risks that the user may know of.
    """

    _inherit = "res.partner"

    @api.readonly
    def get_relation_graph(self, depth=MAX_DEPTH, past=False):
        """The surroundings of this client.

        :param int depth: how many steps, 1 or 2
        :param bool past: whether relations that are over count, too
        :return: dict with `nodes` (list of dicts: id, name, kind, depth, detail, risks), `edges`
            (list of dicts: id of the relation or False, from, to, label, inverse, type_id, color,
            period, is_past), `types` (list of dicts: id, name, color), `has_more`, `can_create`
        """
        self.ensure_one()
        self.check_access("read")
        Relation = self.env["crm.partner.relation"]
        Relation.check_access("read")
        depth = max(1, min(int(depth), MAX_DEPTH))
        rows = self._walk_relations(depth, past)
        depths = {row[1]: row[3] for row in rows if row[0] == "node"}
        has_more = len(depths) > MAX_NODES
        depths = dict(list(depths.items())[:MAX_NODES])
        relations = Relation.browse(
            row[4] for row in rows if row[0] == "relation" and {row[1], row[2]} <= depths.keys()
        )
        contacts = [
            row[1:3] for row in rows if row[0] == "contact" and {row[1], row[2]} <= depths.keys()
        ]
        partners = self.browse(depths)
        risks = partners._get_relation_risks()
        return {
            "nodes": [
                partner._prepare_relation_node(depths[partner.id], risks[partner.id])
                for partner in partners
            ],
            "edges": [
                *(relation._prepare_graph_edge() for relation in relations),
                *(self._prepare_contact_edge(*contact) for contact in contacts),
            ],
            "types": [
                {"id": kind.id, "name": kind.name, "color": kind.color}
                for kind in relations.type_id.sorted()
            ],
            "has_more": has_more,
            "can_create": Relation.has_access("create"),
        }

    def _walk_relations(self, depth, past):
        """Nodes and edges around this client, in one statement.

        :return: list of rows (kind, id, other id, depth, relation id): nodes, nearest first, then
            relations and contacts between nodes
        """
        Relation = self.env["crm.partner.relation"]
        domain = Domain.TRUE
        if not past:
            domain = Relation._get_current_domain(fields.Date.context_today(self))
        Relation.flush_model()
        self.flush_model(["parent_id", "active"])

        def select(condition, *columns):
            """Relations that the user may see and that meet a condition."""
            query = Relation._search(domain)
            query.add_where(condition)
            return query.select(*(SQL.identifier("crm_partner_relation", name) for name in columns))

        partner = self.with_context(active_test=True)._search(Domain.TRUE)
        partner.add_where(SQL("res_partner.id = next.id"))
        return self.env.execute_query(
            SQL(
                """
                WITH RECURSIVE walk AS (
                    SELECT %(root)s AS id, 0 AS depth
                     UNION
                    SELECT next.id, walk.depth + 1
                      FROM walk
                CROSS JOIN LATERAL (
                            %(from_left)s
                     UNION ALL
                            %(from_right)s
                     UNION ALL
                            SELECT contact.parent_id
                              FROM res_partner contact
                             WHERE contact.id = walk.id AND contact.parent_id IS NOT NULL
                     UNION ALL
                            SELECT contact.id
                              FROM res_partner contact
                             WHERE contact.parent_id = walk.id
                               AND (EXISTS (%(contact_left)s) OR EXISTS (%(contact_right)s))
                           ) AS next (id)
                     WHERE walk.depth < %(depth)s
                       -- looked up one by one, not joined with all clients
                       AND EXISTS (%(partner)s OFFSET 0)
                ),
                node AS (
                    SELECT id, MIN(depth) AS depth FROM walk GROUP BY id
                )
                (SELECT 'node', id, NULL::int, depth, NULL::int FROM node ORDER BY depth, id
                  LIMIT %(limit)s)
             UNION ALL
                SELECT 'relation', edge.left_partner_id, edge.right_partner_id, NULL, edge.id
                  FROM node
            CROSS JOIN LATERAL (%(edges)s) AS edge
                 WHERE edge.right_partner_id IN (SELECT id FROM node)
             UNION ALL
                SELECT 'contact', contact.id, contact.parent_id, NULL, NULL
                  FROM node
                  JOIN res_partner contact ON contact.id = node.id
                 WHERE contact.parent_id IN (SELECT id FROM node)
                """,
                root=self.id,
                from_left=select(
                    "crm_partner_relation.left_partner_id = walk.id", "right_partner_id"
                ),
                from_right=select(
                    "crm_partner_relation.right_partner_id = walk.id", "left_partner_id"
                ),
                contact_left=select("crm_partner_relation.left_partner_id = contact.id", "id"),
                contact_right=select("crm_partner_relation.right_partner_id = contact.id", "id"),
                edges=select(
                    "crm_partner_relation.left_partner_id = node.id",
                    "id",
                    "left_partner_id",
                    "right_partner_id",
                ),
                partner=partner.select(SQL("1")),
                depth=depth,
                limit=MAX_NODES + 1,
            )
        )

    def _prepare_relation_node(self, depth, risks):
        """This client as a card of the graph."""
        self.ensure_one()
        return {
            "id": self.id,
            # a contact by its own name, its company below
            "name": self.name or self.display_name,
            "kind": "company" if self.is_company else "person",
            "depth": depth,
            "detail": ", ".join(
                filter(
                    None,
                    [
                        # sudo: the name of its company is part of the name of a contact
                        self.sudo().parent_id.name,
                        self.function,
                        self.city,
                        self.country_id.name,
                    ],
                )
            ),
            "risks": risks,
        }

    @api.model
    def _prepare_contact_edge(self, contact_id, company_id):
        return {
            "id": False,
            "from": contact_id,
            "to": company_id,
            "label": self.env._("contact of"),
            "inverse": self.env._("contact"),
            "type_id": False,
            "color": 0,
            "period": "",
            "is_past": False,
        }

    # ------------------------------------------------------------
    # RISKS
    # ------------------------------------------------------------

    def _get_relation_risks(self):
        """What speaks for caution with these clients; other add-ons extend it.

        Only what the user may read. Set-based: no query for each client.

        :return: dict id → list of dicts with name, label, color (a Bootstrap colour name)
        """
        risks = {partner.id: [] for partner in self}
        self._add_debt_risks(risks)
        statuses = dict(self._fields["counterparty_status"]._description_selection(self.env))
        for partner in self:
            # sudo: the banner on the card of the contact shows it as well
            status = partner.sudo().commercial_partner_id.counterparty_status
            if color := self._get_counterparty_alert(status):
                risks[partner.id].append(
                    {"name": "status", "label": statuses[status], "color": color}
                )
        return risks

    def _add_debt_risks(self, risks):
        Move = self.env["account.move"]
        if not Move.has_access("read"):
            return
        company = self.env.company
        overdue = dict(
            Move._read_group(
                [
                    # sudo: the company of a contact, to look for its invoices
                    ("commercial_partner_id", "in", self.sudo().commercial_partner_id.ids),
                    ("company_id", "=", company.id),
                    ("move_type", "in", ("out_invoice", "out_refund")),
                    ("state", "=", "posted"),
                    ("payment_state", "in", ("not_paid", "partial")),
                    ("invoice_date_due", "<", fields.Date.context_today(self)),
                ],
                ["commercial_partner_id"],
                ["amount_residual_signed:sum"],
            )
        )
        for partner in self.filtered(lambda partner: partner == partner.commercial_partner_id):
            amount = overdue.get(partner, 0)
            if amount > 0:
                risks[partner.id].append(
                    {
                        "name": "debt",
                        "label": self.env._(
                            "Overdue: %s", format_amount(self.env, amount, company.currency_id)
                        ),
                        "color": "danger",
                    }
                )


class CrmPartnerRelation(models.Model):
    """A relation as a line of the graph."""

    _inherit = "crm.partner.relation"

    def _prepare_graph_edge(self):
        self.ensure_one()
        period = ""
        if self.date_start or self.date_end:
            period = " – ".join(  # noqa: RUF001
                format_date(self.env, date) if date else "…"
                for date in (self.date_start, self.date_end)
            )
        return {
            "id": self.id,
            "from": self.left_partner_id.id,
            "to": self.right_partner_id.id,
            "label": self.type_id._get_label("left"),
            "inverse": self.type_id._get_label("right"),
            "type_id": self.type_id.id,
            "color": self.type_id.color,
            "period": period,
            "is_past": not self.is_current,
        }
