from odoo import api, models
from odoo.addons.web.models.models import MAX_NUMBER_OPENED_GROUPS
from odoo.fields import Domain

# of a contact, what its name is made of
PARTNER_NAME_FIELDS = (
    "display_name",
    "name",
    "company_name",
    "parent_id",
    "type",
    "is_company",
)


def fetch_names(records, names):
    """Fetch what the names of related records are made of, and nothing else of them.

    Otherwise the first name that is read loads all columns of all the clients and colleagues of
    a list.

    :param records: recordset
    :param names: names of many2one fields of its model
    """
    # sudo: the name of what a record refers to is shown to whoever reads the record
    partners_sudo = records.env["res.partner"].sudo()
    for name in names:
        related_sudo = records[name].sudo()
        if related_sudo._name == "res.partner":
            partners_sudo |= related_sudo
            continue
        related_sudo.fetch(["display_name"])
        if related_sudo._name == "res.users":
            partners_sudo |= related_sudo.partner_id
    partners_sudo.fetch(PARTNER_NAME_FIELDS)


def get_partner_names(partners):
    """Names of contacts as lists show them, with one query.

    :param partners: res.partner
    :return: dict id → name
    """
    # sudo: the name of what a record refers to is shown to whoever reads the record
    partners_sudo = partners.sudo()
    partners_sudo.fetch(["name", "complete_name"])
    # what has no name of its own (an address) is called by what it is, in the user's language
    return {
        partner_sudo.id: (partner_sudo.name and partner_sudo.complete_name)
        or partner_sudo.display_name
        for partner_sudo in partners_sudo
    }


def read_found(records, specification):
    """What `web_read` returns for records that a search has just found, with their fields.

    The search has applied the record rules and has checked the fields; `web_read` would evaluate
    the same rules once more, row by row.

    :param records: recordset of the same transaction's search
    :param dict specification: see `web_read`
    :return: list of dicts, in the order of the records
    """
    many2ones = []
    for name, spec in specification.items():
        field = records._fields.get(name)
        if field is None or field.type in ("one2many", "many2many", "reference", "properties"):
            return records.web_read(specification)
        if field.type == "many2one" and "fields" in spec:
            if spec["fields"].keys() != {"display_name"} or "context" in spec:
                return records.web_read(specification)
            many2ones.append(name)
    records._determine_fields_to_fetch(specification)  # checks the access to them
    fetch_specification(records, specification)
    values_list = records._read_format(fnames=list(specification), load=None)
    for name in many2ones:
        # sudo: as above
        names = {record.id: record.display_name for record in records[name].sudo()}
        for values in values_list:
            value = values[name]
            values[name] = value and {"id": value, "display_name": names[value]}
    return values_list


def fetch_specification(records, specification):
    """Fetch what `web_read` is going to read, with the names of related records.

    :param records: recordset
    :param dict specification: see `web_read`
    """
    fields = records._fields
    # what is there already is not fetched again: that would check the access once more
    records.fetch(
        [
            name
            for name in specification
            if name in fields
            and fields[name].store
            and fields[name].column_type
            and any(fields[name]._cache_missing_ids(records))
        ]
    )
    fetch_names(
        records,
        [
            name
            for name, spec in specification.items()
            if name in fields
            and fields[name].type == "many2one"
            and "display_name" in spec.get("fields", ())
        ],
    )


class CrmInteraction(models.Model):
    """Lists of interactions are read with few queries, also when they are grouped.

    *My Interactions* opens the first conversations of the user, each with what is due in it.
    Odoo looks for the rows of every group on its own; here all groups that fit are read at once.
    """

    _inherit = "crm.interaction"

    @api.readonly
    def web_read(self, specification):
        fetch_specification(self, specification)
        return super().web_read(specification)

    @api.model
    @api.readonly
    def web_read_group(
        self,
        domain,
        groupby,
        aggregates=(),
        limit=None,
        offset=0,
        order=None,
        *,
        auto_unfold=False,
        opening_info=None,
        unfold_read_specification=None,
        unfold_read_default_limit=80,
        **kwargs,
    ):
        by_chain = auto_unfold and not opening_info and list(groupby) == ["chain_id"]
        if not by_chain or not unfold_read_default_limit or "__count" in (order or ""):
            return super().web_read_group(
                domain,
                groupby,
                aggregates,
                limit,
                offset,
                order,
                auto_unfold=auto_unfold,
                opening_info=opening_info,
                unfold_read_specification=unfold_read_specification,
                unfold_read_default_limit=unfold_read_default_limit,
                **kwargs,
            )
        result = super().web_read_group(domain, groupby, aggregates, limit, offset, order, **kwargs)
        size = self.env.context.get("max_number_opened_groups") or MAX_NUMBER_OPENED_GROUPS
        self._open_chain_groups(
            result["groups"][:size],
            domain,
            order,
            unfold_read_default_limit,
            unfold_read_specification or {},
        )
        return result

    @api.model
    def _formatted_read_group_with_length(
        self, domain, groupby, aggregates, offset=0, limit=None, order=None
    ):
        if list(groupby) != ["chain_id"] or not limit:
            return super()._formatted_read_group_with_length(
                domain, groupby, aggregates, offset=offset, limit=limit, order=order
            )
        # all that is due is looked through once: for the first groups and for their number
        groupby, aggregates = tuple(groupby), tuple(aggregates)
        rows = self._read_group(domain, groupby, aggregates, order=order)
        page = rows[offset : offset + limit]
        # without the chains of the other groups, which would be read along
        chains = self.env["crm.interaction.chain"].browse(chain.id for chain, *_values in page)
        page = [(chain, *values) for chain, (_chain, *values) in zip(chains, page, strict=True)]
        return self._web_read_group_format(groupby, aggregates, page), len(rows)

    @api.model
    def _get_access_fields(self):
        """Names of the fields which the record rules ask for; other add-ons extend it."""
        return ["company_id", "user_id", "chain_user_id"]

    @api.model
    def _open_chain_groups(self, groups, domain, order, limit, specification):
        """Add their first interactions to groups by conversation, as `web_read_group` does.

        :param list groups: of `web_read_group`, completed in place
        :param int limit: of interactions in a group
        :param dict specification: what is read of an interaction, see `web_read`
        """
        names = [name for name in specification if name in self._fields]
        names += self._get_access_fields()
        found = self.browse()
        if complete := [group["chain_id"][0] for group in groups if group["__count"] <= limit]:
            inside = Domain(domain) & Domain("chain_id", "in", complete)
            found = self.search_fetch(inside, names, order=order)
        for group in groups:
            if group["__count"] > limit:
                inside = Domain(domain) & Domain(group["__extra_domain"])
                found += self.search_fetch(inside, names, limit=limit, order=order)
        values = dict(zip(found.ids, read_found(found, specification), strict=True))
        by_chain = found.grouped("chain_id")
        for group in groups:
            chain = self.env["crm.interaction.chain"].browse(group["chain_id"][0])
            group["__records"] = [values[record.id] for record in by_chain.get(chain, ())]
