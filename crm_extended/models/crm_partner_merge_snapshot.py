from odoo import api, models
from odoo.tools import SQL
from odoo.tools.sql import table_columns

# of tables with more rows of one card, only numbers are kept
MOST_ROWS = 1000
# what is rebuilt from the cards
DERIVED = (
    "crm_partner_key",
    "crm_partner_fingerprint",
    "crm_partner_duplicate_group_rel",
)
# what is merged beside the cards: their accounts, their conversations
ACCOMPANYING = ("res.partner.bank", "crm.interaction.chain")


class CrmPartnerMerge(models.Model):
    """Finds out what a merge does, by comparing the rows concerned before and after.

    Rows concerned are those that point to one of the cards: by a foreign key, by model and
    number, by a reference, or by a value that depends on the company; and those that point to
    accounts and conversations of the cards in the same ways. So whatever Odoo or another add-on
    does in its own part of the merge is seen, too.
    """

    _inherit = "crm.partner.merge"

    @api.model
    def _take_snapshot(self, sources, target):
        """Keep the rows that a merge may change.

        :return: dict: `rows` {table: {id: row}}, `links` {table: [row]} of tables without numbers,
            `numbers` {(table, column): {id: number of the card}} where there are too many rows,
            `merged` {table: ids of the cards, accounts and conversations that may go}
        """
        self.env.flush_all()
        snapshot = {"rows": {}, "links": {}, "numbers": {}, "merged": {}}
        self._keep_rows(snapshot, "res_partner", "id", (sources + target).ids)
        snapshot["merged"]["res_partner"] = sources.ids
        snapshot["target"] = target.id
        self._keep_references(snapshot, "res.partner", sources.ids, target.ids)
        for name in ACCOMPANYING:
            table = self.env[name]._table
            ids = list(snapshot["rows"].get(table, {}))
            snapshot["merged"][table] = ids
            if ids:
                self._keep_references(snapshot, name, ids, [])
        return snapshot

    @api.model
    def _keep_references(self, snapshot, model_name, ids, target_ids):
        """Keep the rows that point to records."""
        wizard = self.env["base.partner.merge.automatic.wizard"]
        both = [*ids, *target_ids]
        for table, column in wizard._get_fk_on(self.env[model_name]._table):
            if table.startswith("base_partner_merge_") or table in DERIVED:
                continue
            if "id" in table_columns(self.env.cr, table):
                self._keep_rows(snapshot, table, column, both, ids)
            else:
                self._keep_links(snapshot, table, column, both)
        for table, model_column, column in self._get_loose_references():
            if table not in DERIVED:
                condition = SQL("%s = %s", SQL.identifier(model_column), model_name)
                self._keep_rows(snapshot, table, column, both, ids, condition)
        for table, column in self._get_reference_columns():
            values = [f"{model_name},{number}" for number in both]
            self._keep_rows(snapshot, table, column, values)
        for table, column in self._get_company_columns(model_name):
            condition = SQL(
                """EXISTS (SELECT FROM jsonb_each_text(%s) v WHERE v.value = ANY(%s))""",
                SQL.identifier(column),
                [str(number) for number in ids],
            )
            self._keep_rows(snapshot, table, None, (), condition=condition)

    @api.model
    def _get_loose_references(self):
        """Columns with the number of a record whose model is in another column.

        :return: list of (table, column of the model, column of the number)
        """
        return [
            (model._table, field.model_field, field.name)
            for model in self.env.values()
            if model._auto and not model._abstract and not model._transient
            for field in model._fields.values()
            if field.type == "many2one_reference"
            and field.store
            and field.model_field
            and model._fields[field.model_field].store
        ]

    @api.model
    def _get_reference_columns(self):
        return [
            (model._table, field.name)
            for model in self.env.values()
            if model._auto and not model._abstract and not model._transient
            for field in model._fields.values()
            if field.type == "reference" and field.store and field.column_type
        ]

    @api.model
    def _get_company_columns(self, model_name):
        fields = self.env.registry.many2one_company_dependents[model_name]
        return [(self.env[field.model_name]._table, field.name) for field in fields]

    @api.model
    def _keep_rows(self, snapshot, table, column, values, sources=(), condition=None):
        where = condition or SQL("TRUE")
        if column:
            where = SQL("%s AND %s = ANY(%s)", where, SQL.identifier(column), list(values))
        rows = self.env.execute_query(
            SQL(
                "SELECT t.id, to_jsonb(t) FROM %s t WHERE %s LIMIT %s",
                SQL.identifier(table),
                where,
                MOST_ROWS + 1,
            )
        )
        if len(rows) <= MOST_ROWS:
            snapshot["rows"].setdefault(table, {}).update(rows)
            return
        where = SQL("%s AND %s = ANY(%s)", where, SQL.identifier(column), list(sources))
        snapshot["numbers"].setdefault(f"{table}.{column}", {}).update(
            self.env.execute_query(
                SQL(
                    "SELECT id, %s FROM %s t WHERE %s",
                    SQL.identifier(column),
                    SQL.identifier(table),
                    where,
                )
            )
        )

    @api.model
    def _keep_links(self, snapshot, table, column, values):
        rows = self._read_links(table, column, values)
        links = snapshot["links"].setdefault(table, {"columns": [], "rows": []})
        links["columns"].append([column, list(values)])
        links["rows"] += [row for row in rows if row not in links["rows"]]

    @api.model
    def _read_links(self, table, column, values):
        return [
            row
            for (row,) in self.env.execute_query(
                SQL(
                    "SELECT to_jsonb(t) FROM %s t WHERE %s = ANY(%s)",
                    SQL.identifier(table),
                    SQL.identifier(column),
                    list(values),
                )
            )
        ]

    # ------------------------------------------------------------
    # COMPARING
    # ------------------------------------------------------------

    @api.model
    def _compare_snapshot(self, before, target):
        """What a merge has done.

        :return: dict of lists: `moved` (table, column, from, to, ids), `changed` (table, ids,
            before, after), `deleted` (table, row), `unlinked` and `linked` (table, row)
        """
        self.env.flush_all()
        record = {"moved": [], "changed": [], "deleted": [], "unlinked": [], "linked": []}
        moved = {}
        for table, rows in before["rows"].items():
            after = dict(
                self.env.execute_query(
                    SQL(
                        "SELECT t.id, to_jsonb(t) FROM %s t WHERE t.id = ANY(%s)",
                        SQL.identifier(table),
                        list(rows),
                    )
                )
            )
            merged = set(before["merged"].get(table, ()))
            for number, old in rows.items():
                if number not in after:
                    record["deleted"].append({"table": table, "row": old})
                    continue
                self._compare_row(record, moved, before, table, old, after[number], merged)
        for path, numbers in before["numbers"].items():
            table, column = path.split(".")
            for number, source in numbers.items():
                moved.setdefault((table, column, source, target.id), []).append(number)
        record["moved"] = [
            {"table": table, "column": column, "from": source, "to": new, "ids": ids}
            for (table, column, source, new), ids in moved.items()
        ]
        for table, links in before["links"].items():
            after = []
            for column, values in links["columns"]:
                after += [
                    row for row in self._read_links(table, column, values) if row not in after
                ]
            record["unlinked"] += [
                {"table": table, "row": row} for row in links["rows"] if row not in after
            ]
            record["linked"] += [
                {"table": table, "row": row} for row in after if row not in links["rows"]
            ]
        return record

    @api.model
    def _compare_row(self, record, moved, before, table, old, new, merged):
        changes = {
            column: value
            for column, value in new.items()
            if value != old.get(column) and column not in ("write_date", "write_uid")
        }
        gone = set(before["merged"]["res_partner"])
        for column, value in list(changes.items()):
            was = old.get(column)
            if isinstance(was, int) and was in gone and value == before["target"]:
                moved.setdefault((table, column, was, value), []).append(old["id"])
                del changes[column]
        if changes:
            record["changed"].append(
                {
                    "table": table,
                    "ids": [old["id"]],
                    "before": {column: old.get(column) for column in changes},
                    "after": changes,
                }
            )
