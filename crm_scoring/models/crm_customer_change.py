from odoo import fields, models
from odoo.tools import SQL

# table -> columns whose change moves a sales fact
WATCHED = {
    "crm_sale_history": (
        "partner_id", "commercial_partner_id", "company_id", "date", "document", "product_id",
        "quantity", "amount", "is_return",
    ),
    "sale_order": (
        "state", "partner_id", "company_id", "date_order", "name", "currency_rate",
    ),
    "sale_order_line": (
        "order_id", "product_id", "product_uom_qty", "product_uom_id", "price_subtotal",
        "display_type", "is_downpayment",
    ),
}  # fmt: skip
# rows of the changed table "r" -> company and client of the facts
CLIENTS = {
    "crm_sale_history": """
        SELECT DISTINCT r.company_id, r.commercial_partner_id FROM {rows} r
         WHERE r.commercial_partner_id IS NOT NULL{condition}
    """,
    "sale_order": """
        SELECT DISTINCT r.company_id, p.commercial_partner_id FROM {rows} r
          JOIN res_partner p ON p.id = r.partner_id
         WHERE r.company_id IS NOT NULL AND p.commercial_partner_id IS NOT NULL{condition}
    """,
    "sale_order_line": """
        SELECT DISTINCT o.company_id, p.commercial_partner_id FROM {rows} r
          JOIN sale_order o ON o.id = r.order_id
          JOIN res_partner p ON p.id = o.partner_id
         WHERE o.state = 'sale' AND p.commercial_partner_id IS NOT NULL{condition}
    """,
}


class CrmCustomerChange(models.Model):
    """Clients whose sales facts have changed since their profile was computed.

    - Written by triggers of the database in the transaction that changes the facts, so that no road
      is missed: orders, imports, deletions, merged contacts, statements past the ORM. A
      statement writes one row per client it touched, without locks others would wait for.
    - Taken out by the refresh of the profiles, in the transaction that computes them: a refresh
      that is killed loses nothing, and what is committed meanwhile stays for the next one.
    """

    _name = "crm.customer.change"
    _description = "Client to Be Analysed Again"
    _log_access = False

    # whole numbers instead of many2ones: a foreign key would lock the client on every sale
    company = fields.Integer(readonly=True, index=True)
    partner = fields.Integer(readonly=True)

    def init(self):
        for table, columns in WATCHED.items():
            self._create_triggers(table, columns)
        self.env.cr.execute(
            """
            CREATE OR REPLACE FUNCTION crm_customer_change_partner() RETURNS trigger AS $$
            BEGIN
                IF to_regclass('crm_customer_change') IS NOT NULL THEN
                    INSERT INTO crm_customer_change (company, partner)
                    SELECT c.id, x.id FROM res_company c,
                           (VALUES (OLD.commercial_partner_id), (NEW.commercial_partner_id)) x (id)
                     WHERE x.id IS NOT NULL;
                END IF;
                RETURN NULL;
            END $$ LANGUAGE plpgsql;
            DROP TRIGGER IF EXISTS crm_customer_change ON res_partner;
            CREATE TRIGGER crm_customer_change
             AFTER UPDATE OF commercial_partner_id ON res_partner FOR EACH ROW
              WHEN (OLD.commercial_partner_id IS DISTINCT FROM NEW.commercial_partner_id)
           EXECUTE FUNCTION crm_customer_change_partner();
            """
        )

    def _create_triggers(self, table, columns):
        """Create one function and a trigger for each of insert, update and delete.

        The names are constants of this file.
        """
        insert = "INSERT INTO crm_customer_change (company, partner)"
        different = " OR ".join(f"o.{name} IS DISTINCT FROM n.{name}" for name in columns)
        changed = (
            f" AND r.id IN (SELECT n.id FROM new_rows n JOIN old_rows o ON o.id = n.id"
            f" WHERE {different})"
        )
        sold = " AND r.state = 'sale'" if table == "sale_order" else ""
        query = CLIENTS[table]
        names = {"table": table, "insert": insert}
        self.env.cr.execute(
            """
            CREATE OR REPLACE FUNCTION crm_customer_change_{table}() RETURNS trigger AS $$
            BEGIN
                IF to_regclass('crm_customer_change') IS NULL THEN
                    RETURN NULL;
                END IF;
                IF TG_OP = 'INSERT' THEN
                    {insert} {inserted};
                ELSIF TG_OP = 'DELETE' THEN
                    {insert} {deleted};
                ELSE
                    {insert} {before} UNION {after};
                END IF;
                RETURN NULL;
            END $$ LANGUAGE plpgsql;
            DROP TRIGGER IF EXISTS crm_customer_change_insert ON {table};
            DROP TRIGGER IF EXISTS crm_customer_change_update ON {table};
            DROP TRIGGER IF EXISTS crm_customer_change_delete ON {table};
            CREATE TRIGGER crm_customer_change_insert AFTER INSERT ON {table}
                REFERENCING NEW TABLE AS new_rows
                FOR EACH STATEMENT EXECUTE FUNCTION crm_customer_change_{table}();
            CREATE TRIGGER crm_customer_change_update AFTER UPDATE ON {table}
                REFERENCING NEW TABLE AS new_rows OLD TABLE AS old_rows
                FOR EACH STATEMENT EXECUTE FUNCTION crm_customer_change_{table}();
            CREATE TRIGGER crm_customer_change_delete AFTER DELETE ON {table}
                REFERENCING OLD TABLE AS old_rows
                FOR EACH STATEMENT EXECUTE FUNCTION crm_customer_change_{table}();
            """.format(  # pylint: disable=sql-injection
                inserted=query.format(rows="new_rows", condition=sold),
                deleted=query.format(rows="old_rows", condition=sold),
                before=query.format(rows="old_rows", condition=changed + sold),
                after=query.format(rows="new_rows", condition=changed + sold),
                **names,
            )
        )

    def _take(self, company):
        """Take the clients of a company out of the queue.

        :return: list of ids of clients; they may be gone by now
        """
        rows = self.env.execute_query(
            SQL("DELETE FROM crm_customer_change WHERE company = %s RETURNING partner", company.id)
        )
        return sorted({partner for (partner,) in rows})
