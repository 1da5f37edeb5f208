import json
from collections import defaultdict

import psycopg2
from odoo import fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL, mute_logger


class CrmPartnerMerge(models.Model):
    """Takes a merge back, row by row as it was recorded.

    A row that something else stands in the way of (a follower who followed both cards, a number
    given away since) is left as it is, and named in *Could not be undone*.
    """

    _inherit = "crm.partner.merge"

    def action_undo(self):
        """Undo this merge: cards come back, and what was moved goes back to them."""
        self.ensure_one()
        self.check_access("read")
        if not self.env.user.has_group("crm_extended.crm_duplicates_group_manager"):
            raise UserError(self.env._("Only who may merge clients can undo a merge."))
        # sudo: the record of the merge concerns documents of other departments, too
        merge_sudo = self.sudo()
        merge_sudo._check_undo()
        merge_sudo._undo()
        return {
            "type": "ir.actions.act_window",
            "res_model": "res.partner",
            "view_mode": "list,form",
            "views": [(False, "list"), (False, "form")],
            "name": self.env._("Clients after the Merge Was Undone"),
            "domain": [("id", "in", [*self._get_source_ids(), self.partner_id.id])],
            "context": {"active_test": False},
        }

    def _get_source_ids(self):
        return [int(number) for number in (self.source_numbers or "").split(", ") if number]

    def _check_undo(self):
        self.lock_for_update()
        if self.state == "undone":
            raise UserError(self.env._("This merge has been undone already."))
        if self.state == "expired" or not self.record or self.date_limit < fields.Date.today():
            raise UserError(
                self.env._("This merge is final: it could be undone until %s.", self.date_limit)
            )
        # a later merge takes the log along
        if self.partner_id.id != self.target_number:
            raise UserError(
                self.env._(
                    "The card that stayed has been merged or deleted since. Undo the later merge "
                    "first."
                )
            )

    def _undo(self):
        record = json.loads(self.record)
        self.env.flush_all()
        failed = []
        self._restore_rows(record["deleted"], failed)
        for moved in record["moved"]:
            query = SQL(
                "UPDATE %s SET %s = %s WHERE id = ANY(%s) AND %s = %s",
                SQL.identifier(moved["table"]),
                SQL.identifier(moved["column"]),
                moved["from"],
                moved["ids"],
                SQL.identifier(moved["column"]),
                moved["to"],
            )
            if not self._try(query):
                failed.append(f"{self._get_table_label(moved['table'])}: {moved['ids']}")
        for change in record["changed"]:
            self._restore_values(change, failed)
        for link in record["linked"]:
            self._try(
                SQL(
                    "DELETE FROM %s t WHERE to_jsonb(t) = %s",
                    SQL.identifier(link["table"]),
                    json.dumps(link["row"]),
                )
            )
        for link in record["unlinked"]:
            self._try(self._get_insert_query(link["table"], link["row"]))
        self.env.invalidate_all()
        self.env.registry.clear_cache()
        self._recompute_moved(record)
        partners = self.env["res.partner"].browse([*self._get_source_ids(), self.partner_id.id])
        partners = partners.exists()
        self.env["crm.partner.fingerprint"]._refresh(partners.ids)
        self.write(
            {
                "state": "undone",
                "undo_user_id": self.env.uid,
                "undo_date": fields.Datetime.now(),
                "undo_note": "\n".join(failed),
                "record": False,
            }
        )
        for partner in partners:
            partner.message_post(body=self.env._("The merge of %s was undone.", self.source_names))

    def _restore_rows(self, deleted, failed):
        """Insert deleted rows again, those first that others point to."""
        rows = sorted(deleted, key=lambda item: item["table"] != "res_partner")
        while rows:
            left = [
                item
                for item in rows
                if not self._try(self._get_insert_query(item["table"], item["row"]))
            ]
            if len(left) == len(rows):
                failed += [
                    f"{self._get_table_label(item['table'])}: {item['row'].get('id')}"
                    for item in left
                ]
                return
            rows = left

    def _get_insert_query(self, table, row):
        # columns that came since get their defaults
        columns = SQL(", ").join(map(SQL.identifier, row))
        return SQL(
            "INSERT INTO %(table)s (%(columns)s) "
            "SELECT %(columns)s FROM jsonb_populate_record(NULL::%(table)s, %(row)s)",
            table=SQL.identifier(table),
            columns=columns,
            row=json.dumps(row),
        )

    def _restore_values(self, change, failed):
        """Give fields their old values, where nobody has changed them since."""
        table = SQL.identifier(change["table"])
        for column, old in change["before"].items():
            query = SQL(
                """
                UPDATE %(table)s t SET %(column)s = o.%(column)s
                  FROM jsonb_populate_record(NULL::%(table)s, %(old)s) o
                 WHERE t.id = ANY(%(ids)s)
                   AND COALESCE(to_jsonb(t.%(column)s), 'null') = %(new)s::jsonb
                """,
                table=table,
                column=SQL.identifier(column),
                old=json.dumps({column: old}),
                new=json.dumps(change["after"][column]),
                ids=change["ids"],
            )
            if not self._try(query):
                failed.append(f"{self._get_table_label(change['table'])}.{column}: {change['ids']}")

    def _try(self, query):
        try:
            with mute_logger("odoo.sql_db"), self.env.cr.savepoint(flush=False):
                self.env.cr.execute(query)
        except psycopg2.IntegrityError:
            return False
        return True

    def _recompute_moved(self, record):
        """Compute anew what depends on the client of the records that went back."""
        models_by_table = {
            model._table: model
            for model in self.env.values()
            if model._auto and not model._abstract
        }
        columns = defaultdict(set)
        for moved in record["moved"]:
            model = models_by_table.get(moved["table"])
            if model is not None and moved["column"] in model._fields:
                columns[model._name, moved["column"]] |= set(moved["ids"])
        for (name, column), ids in columns.items():
            self.env[name].browse(ids).exists().modified([column])
        self.env.flush_all()
