import json
from datetime import timedelta

from odoo import api, fields, models

# how long a merge can be undone
UNDO_DAYS = 30


class CrmPartnerMerge(models.Model):
    """One merge of clients: what came from which card, and how to take it back.

    Every merge is logged, whatever screen it was started from. Kept are the merged cards as they
    were, each document, message, file, account and tag that was moved to the card that stays,
    what was deleted because it was there twice, and which fields of that card changed. Within 30
    days somebody who may merge can undo it: the cards come back under their numbers, what was
    moved goes back, fields get their old values unless somebody has changed them since; what was
    added to the remaining card after the merge stays there. After that the record of the moved
    things is deleted, the summary stays.
    """

    _name = "crm.partner.merge"
    _description = "Merge of Clients"
    _order = "id desc"
    _rec_name = "source_names"

    partner_id = fields.Many2one(
        "res.partner", "Card That Stayed", readonly=True, ondelete="set null", index=True
    )
    company_id = fields.Many2one("res.company", readonly=True, index=True)
    source_names = fields.Char("Merged Clients", readonly=True)
    source_numbers = fields.Char("Merged Numbers", readonly=True)
    target_number = fields.Integer(readonly=True, help="The card that stayed, as it was merged.")
    summary = fields.Text("What Came from Where", readonly=True)
    state = fields.Selection(
        [("done", "Merged"), ("undone", "Undone"), ("expired", "Final")],
        required=True,
        readonly=True,
        default="done",
    )
    undo_user_id = fields.Many2one("res.users", "Undone by", readonly=True)
    undo_date = fields.Datetime("Undone on", readonly=True)
    undo_note = fields.Text("Could Not Be Undone", readonly=True)
    date_limit = fields.Date("Can Be Undone until", compute="_compute_date_limit")
    # who merges need not read salaries that point to a client
    record = fields.Text(readonly=True, groups="base.group_system")

    @api.depends("create_date")
    def _compute_date_limit(self):
        for merge in self:
            moment = merge.create_date or fields.Datetime.now()
            merge.date_limit = (moment + timedelta(days=UNDO_DAYS)).date()

    @api.model
    def _log(self, before, sources, target):
        """Log a merge that has just taken place.

        :param dict before: see `_take_snapshot`
        :param list sources: dicts with id and name of the merged cards
        :param target: res.partner that stayed
        """
        record = self._compare_snapshot(before, target)
        return self.create(
            {
                "partner_id": target.id,
                "target_number": target.id,
                "company_id": target.company_id.id,
                "source_names": ", ".join(source["name"] for source in sources),
                "source_numbers": ", ".join(str(source["id"]) for source in sources),
                "summary": self._summarise(record, sources, target),
                "record": json.dumps(record, default=str),
            }
        )

    def _summarise(self, record, sources, target):
        """Say in words what came from which card."""
        lines = []
        for source in sources:
            counts = {}
            for moved in record["moved"]:
                if moved["from"] == source["id"]:
                    counts.setdefault(self._get_table_label(moved["table"]), set()).update(
                        moved["ids"]
                    )
            things = ", ".join(f"{label}: {len(ids)}" for label, ids in sorted(counts.items()))
            lines.append(f"{source['name']} (#{source['id']}): {things or self.env._('nothing')}")
        for change in record["changed"]:
            if change["table"] != target._table:
                continue
            for column, value in change["after"].items():
                field = target._fields.get(column)
                if field is None or field.compute or column in (*models.MAGIC_COLUMNS, "active"):
                    continue
                if field.groups:  # not everybody who reads this text may read the field
                    continue
                old = change["before"].get(column)
                lines.append(
                    f"{field._description_string(self.env)}: "
                    f"{'—' if old in (None, '') else old} → {value}"
                )
        return "\n".join(lines)

    @api.model
    def _get_table_label(self, table):
        for name in self.env.registry:
            model = self.env[name]
            if model._table == table and not model._abstract:
                # sudo: names of models in the language of the user
                return self.env["ir.model"].sudo()._get(name).name
        for model_name, field in self._get_relation_tables().get(table, ()):
            return self.env[model_name]._fields[field]._description_string(self.env)
        return table

    @api.model
    def _get_relation_tables(self):
        """Fields by the table of their many2many relation.

        :return: dict of lists of (model name, field name)
        """
        tables = {}
        for name in self.env.registry:
            for field in self.env[name]._fields.values():
                if field.type == "many2many" and field.store and field.relation:
                    tables.setdefault(field.relation, []).append((name, field.name))
        return tables

    @api.autovacuum
    def _gc_records(self):
        """Forget how to undo merges that are final."""
        limit = fields.Datetime.now() - timedelta(days=UNDO_DAYS)
        self.search(
            [("state", "!=", "expired"), ("record", "!=", False), ("create_date", "<", limit)]
        ).filtered(lambda merge: merge.state == "done").write({"state": "expired", "record": False})
