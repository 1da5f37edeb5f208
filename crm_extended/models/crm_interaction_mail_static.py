from odoo import api, models
from odoo.tools import SQL, frozendict, ormcache

# read from the chain on the way to a new interaction
CHAIN_FIELDS = ("res_model", "res_id", "state", "partner_id", "user_id", "company_id")


class CrmInteraction(models.Model):
    """What is the same for every contact that is written down is put together once.

    It follows from the fields of the models, so it lasts until they change.
    """

    _inherit = "crm.interaction"

    @api.model
    @ormcache()
    def _get_contact_chain_fields(self):
        """Names of the fields of a chain that are read on the way to a new interaction."""
        return tuple(dict.fromkeys([*CHAIN_FIELDS, *self._get_chain_copies().values()]))

    @api.model
    @ormcache()
    def _get_chain_copies(self):
        """Map the fields of an interaction that repeat a field of its chain to that field."""
        return frozendict(
            (name, field.related.removeprefix("chain_id."))
            for name, field in self._fields.items()
            if field.store and field.related and field.related.startswith("chain_id.")
        )

    @api.model
    @ormcache("model", "names")
    def _has_other_computed_fields(self, model, names):
        """Whether a model has stored computed fields besides these, which are written here.

        :param str model: name of the model
        :param tuple names: names of fields
        """
        return any(
            field.compute and field.store and field.name not in names
            for field in self.env[model]._fields.values()
        )

    @api.model
    @ormcache("names", "alias")
    def _get_columns_sql(self, names, alias=None):
        """The columns of these fields, separated by commas.

        :param tuple names: names of fields
        """
        table = (alias,) if alias else ()
        return SQL(", ").join(SQL.identifier(*table, name) for name in names)

    @api.model
    @ormcache("names")
    def _get_cast_columns_sql(self, names):
        """The columns of a participant in a list of rows without types of their own.

        :param tuple names: names of fields
        """
        fields = self.env["crm.interaction.participant"]._fields
        return SQL(", ").join(
            SQL(
                "CAST(person.%s AS %s)",
                SQL.identifier(name),
                SQL.identifier(fields[name].column_type[0]),
            )
            for name in names
        )

    @api.model
    @ormcache()
    def _get_default_fields(self):
        """Names of the fields with a column and a default."""
        return tuple(
            name
            for name, field in self._fields.items()
            if field.column_type and field.store and field.default
        )

    @api.model
    @ormcache("written")
    def _get_contact_triggers(self, written):
        """Names of as few fields as set off all that a new interaction sets off.

        What is computed from several of its fields is set off by any of them; nothing that is not
        stored has been computed for a new interaction, and no other record refers to it by a
        many2one.

        :param tuple written: names of the stored computed fields that are written with the row
        """
        known = {self._fields[name] for name in written}
        effects = {}
        for name, field in self._fields.items():
            tree = self.pool.get_field_trigger_tree(field)
            effects[name] = {
                (target,)
                for target in tree.root
                if target.compute and target.store and target not in known
            }
            todo = [
                ((edge,), branch)
                for edge, branch in tree.items()
                if edge.type not in ("many2one", "many2one_reference")
            ]
            while todo:
                path, branch = todo.pop()
                effects[name].update((*path, target) for target in branch.root)
                todo += [((*path, edge), deeper) for edge, deeper in branch.items()]
        names, missing = [], set().union(*effects.values())
        while missing:
            name = max(effects, key=lambda name: len(effects[name] & missing))
            names.append(name)
            missing -= effects[name]
        return tuple(names)
