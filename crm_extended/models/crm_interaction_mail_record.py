import contextlib

from odoo import api, models
from odoo.exceptions import ConcurrencyError
from odoo.tools import SQL
from psycopg2.errors import UniqueViolation

from .crm_interaction_chain_summary import EMPTY_SUMMARY
from .crm_interaction_participant import MAX_EMAIL_SIZE

# the last two are computed from a phone number, which few messages have
PARTICIPANT_COMPUTED_FIELDS = (
    "company_id",
    "email_normalized",
    "phone_sanitized",
    "phone_digits",
)


class CrmInteraction(models.Model):
    """Writing a contact down: a message must not cost noticeably more than without us.

    The interaction, its participants, its conversation if it is the first one there, and the
    summary of the conversation are written in one statement, past `create`; two messages in one
    moment, or one message twice, end in one row. What other fields and records compute from an
    interaction or a conversation follows as after a `create`. What overrides of `create` do for
    an interaction that is new or done is called by name in `_record_contact`.

    The summary is not counted anew: a message adds one contact that took place or arrived.
    """

    _inherit = "crm.interaction"

    @api.model
    def _record_contact(self, contact, savepoint=None):
        """Write down a contact, see `_prepare_message_contact`.

        :param OpeningSavepoint savepoint: what is opened by the first query
        :return: the interaction; empty if the message is recorded already
        """
        chain, chain_values, parent, usable, is_waiting = self._get_contact_place(
            contact, savepoint
        )
        if chain.state != "open":
            document = contact["document"]
            chain = chain._open_for_documents(document)[document.id]
        values = self._prepare_contact_values(contact, chain, parent, usable)
        people = [
            self._prepare_contact_participant_values(person, usable, values["company_id"])
            for person in contact["people"]
        ]
        interaction = self._insert_contact(values, people, chain, chain_values)
        if is_waiting and values["state"] == "done":
            interaction._settle_answers()
        return interaction

    @api.model
    def _get_contact_place(self, contact, savepoint=None):
        """Where a contact belongs, in one query.

        :return: the chain of its document; the values with which this chain has still to be
            inserted, empty if it is there; the interaction in it which the message answers; of
            the people and the document's client the ids of those whom the company may use;
            whether something in the chain waits for the answer that the contact is
        """
        document, message = contact["document"], contact["message"]
        Chain = self.env["crm.interaction.chain"]
        mail = self._get_incoming_mail(message)
        parent_message_id = (mail and mail.parent_id) or message.parent_id.id
        usable = self._get_usable_ids(contact)
        self.flush_model(["mail_message_id", "chain_id", "company_id", "direction", "state"])
        names = self._get_contact_chain_fields()
        Chain.flush_model(names)
        # planning each part costs more than running it: only what this contact needs
        query = SQL(
            """
            SELECT %(is_waiting)s, chain.id,
                   CASE WHEN chain.id IS NULL THEN nextval('crm_interaction_chain_id_seq') END,
                   %(parent)s, %(columns)s
              FROM (SELECT 1) AS one
         LEFT JOIN crm_interaction_chain chain
                ON chain.res_model = %(res_model)s AND chain.res_id = %(res_id)s
                   %(parent_join)s
            """,
            is_waiting=SQL(
                """
                EXISTS (SELECT 1
                          FROM crm_interaction waiting
                         WHERE waiting.chain_id = chain.id
                           AND waiting.direction = 'in'
                           AND waiting.state IN ('new', 'planned', 'postponed'))
                """
            )
            if contact["direction"] == "out"
            else SQL("FALSE"),
            parent=SQL("parent.id, parent.company_id")
            if parent_message_id
            else SQL("NULL::int, NULL::int"),
            columns=self._get_columns_sql(names, "chain"),
            res_model=document._name,
            res_id=document.id,
            parent_join=SQL(
                """
         LEFT JOIN crm_interaction parent
                ON parent.mail_message_id = %s
               AND parent.chain_id = chain.id
                """,
                parent_message_id,
            )
            if parent_message_id
            else SQL(),
        )
        (found,) = self.env.execute_query(savepoint.open_with(query) if savepoint else query)
        is_waiting, chain_id, new_id, parent_id, company_id, *row = found
        chain, chain_values = Chain.browse(chain_id or new_id), {}
        values = dict(zip(names, row, strict=True))
        if not chain_id:
            chain_values = self._prepare_contact_chain_values(document)
            values |= chain_values
        for name, value in values.items():
            field = Chain._fields[name]
            field._insert_cache(chain, [field.convert_to_cache(value, chain)])
        parent = self.browse(parent_id or [])
        self._fields["company_id"]._insert_cache(parent, [company_id])
        return chain, chain_values, parent, usable, is_waiting

    @api.model
    def _get_usable_ids(self, contact):
        """Ids of those of the people and the document's client whom the company may use."""
        partners = self.env["res.partner"].union(
            contact["document"]._get_interaction_partner(),
            *(person["partner"] for person in contact["people"]),
        )
        return {
            partner.id
            for partner in partners
            if not partner.company_id or partner.company_id == contact["company"]
        }

    @api.model
    def _prepare_contact_chain_values(self, document):
        """Values of the chain that a document gets with its first message."""
        Chain = self.env["crm.interaction.chain"]
        values = document._prepare_interaction_chain_values()
        others = [
            name
            for name, field in Chain._fields.items()
            if field.column_type and field.store and field.default and name not in values
        ]
        return Chain.default_get(others) | values

    @api.model
    def _prepare_contact_computed_values(self, values):
        """Values of the computed fields that are written together with the row."""
        chain = self.env["crm.interaction.chain"].browse(values["chain_id"])
        return {
            "res_model": chain.res_model,
            "res_id": chain.res_id,
            "date_end": values["date_start"],
            "date_deadline": values["date_start"],
            **{
                name: chain._fields[source].convert_to_write(chain[source], chain)
                for name, source in self._get_chain_copies().items()
            },
        }

    @api.model
    def _prepare_contact_participant_values(self, person, usable, company_id):
        """Values of a participant, see `_get_incoming_people`."""
        return {
            "role": person["role"],
            "partner_id": person["partner"].id if person["partner"].id in usable else False,
            "name": person["name"],
            "email": person["email"],
            "email_normalized": person["email"]
            and len(person["email"]) <= MAX_EMAIL_SIZE
            and person["email"],
            "phone": person.get("phone"),
            "company_id": company_id,
        }

    @api.model
    def _insert_contact(self, values, people, chain, chain_values):
        """Insert an interaction with its participants.

        :param dict values: as for `create`, without the computed fields
        :param list people: values of its participants
        :param chain: the chain of the interaction
        :param dict chain_values: values with which the chain is inserted, empty if it is there
        :return: the interaction; empty if its message is recorded already
        """
        computed = self._prepare_contact_computed_values(values)
        others = [name for name in self._get_default_fields() if name not in values]
        now = self.env.cr.now()
        row = self.default_get(others) | values | computed
        log = {
            "create_uid": self.env.uid,
            "create_date": now,
            "write_uid": self.env.uid,
            "write_date": now,
        }
        Participant = self.env["crm.interaction.participant"]
        people_columns = (*people[0], *log)
        try:
            rows = self.env.execute_query(
                SQL(
                    """
                    WITH %(chain)s interaction AS (
                        INSERT INTO crm_interaction (%(columns)s) VALUES %(values)s
                        ON CONFLICT (mail_message_id) WHERE mail_message_id IS NOT NULL DO NOTHING
                        RETURNING id
                    ), participant AS (
                        INSERT INTO crm_interaction_participant
                                    (interaction_id, %(people_columns)s)
                        SELECT interaction.id, %(people_values)s
                          FROM interaction, (VALUES %(people)s) AS person (%(people_columns)s)
                        RETURNING id
                    ) %(summary)s
                    SELECT interaction.id, ARRAY(SELECT id FROM participant) FROM interaction
                    """,
                    chain=self._get_contact_chain_sql(chain, chain_values | log, values)
                    if chain_values
                    else SQL(),
                    columns=self._get_columns_sql((*row, *log)),
                    values=self._get_row(self, row | log),
                    people_columns=self._get_columns_sql(people_columns),
                    people_values=self._get_cast_columns_sql(people_columns),
                    people=SQL(", ").join(
                        SQL("%s", self._get_row(Participant, person | log)) for person in people
                    ),
                    summary=self._get_contact_summary_sql(chain, chain_values, values),
                )
            )
        except UniqueViolation as error:
            # somebody opened the chain at the same moment: run again, then it will be there
            raise ConcurrencyError(str(error)) from error
        chain.invalidate_recordset(
            None if chain_values and not rows else list(EMPTY_SUMMARY), flush=False
        )
        if not rows:
            return self.browse()
        interaction, participants = self.browse(rows[0][0]), Participant.browse(rows[0][1])
        for name, value in (row | log).items():
            field = self._fields[name]
            field._insert_cache(interaction, [field.convert_to_cache(value, interaction)])
        if values.get("mail_message_id"):
            self._fields["mail_message_id"]._update_inverses(interaction, values["mail_message_id"])
        # what is computed from the new rows, here and elsewhere
        written = [(interaction, computed), (chain, EMPTY_SUMMARY)]
        with contextlib.ExitStack() as stack:
            for record, names in written:
                fields = [record._fields[name] for name in names]
                stack.enter_context(self.env.protecting(fields, record))
            interaction.modified(self._get_contact_triggers(tuple(computed)), create=True)
            if chain_values and self._has_other_computed_fields(chain._name, tuple(EMPTY_SUMMARY)):
                chain.modified(chain._fields, create=True)
        if any(person["phone"] for person in people) or self._has_other_computed_fields(
            Participant._name, PARTICIPANT_COMPUTED_FIELDS
        ):
            participants.modified(Participant._fields, create=True)
        return interaction

    @api.model
    def _get_contact_chain_sql(self, chain, row, values):
        """The part of the statement that inserts a chain with its first interaction.

        :param dict row: values of its columns
        :param dict values: of the interaction
        """
        row = row | {
            "id": chain.id,
            "interaction_count": 1,
            "unhandled_count": int(values["state"] == "new"),
        }
        if values["state"] != "cancelled":
            row |= {"date_first": values["date_start"], "date_last": values["date_start"]}
        columns = [
            chain.id if name == "id" else chain._fields[name].convert_to_column_insert(value, chain)
            for name, value in row.items()
        ]
        return SQL(
            """
            chain AS (
                INSERT INTO crm_interaction_chain (%(names)s)
                SELECT %(columns)s
                 WHERE NOT EXISTS (
                        SELECT 1 FROM crm_interaction WHERE mail_message_id = %(message_id)s)
                RETURNING id
            ),
            """,
            names=SQL(", ").join(map(SQL.identifier, row)),
            columns=SQL(", ").join(
                SQL("CAST(%s AS %s)", column, SQL.identifier(chain._fields[name].column_type[0]))
                for name, column in zip(row, columns, strict=True)
            ),
            message_id=values["mail_message_id"],
        )

    @api.model
    def _get_contact_summary_sql(self, chain, chain_values, values):
        """The part of the statement that brings the summary of the chain up to date.

        The row of the chain is always written: see the summary of `crm.interaction.chain`.

        :param dict chain_values: as in `_insert_contact`: such a chain has its summary already
        :param dict values: of the interaction
        """
        parts = []
        if not chain_values:
            took_place = values["state"] != "cancelled"
            parts.append(
                SQL(
                    """
                    , summary AS (
                        UPDATE crm_interaction_chain chain
                           SET interaction_count = COALESCE(chain.interaction_count, 0) + 1,
                               unhandled_count = COALESCE(chain.unhandled_count, 0) + %(new)s,
                               date_first = LEAST(chain.date_first, %(date)s),
                               date_last = GREATEST(chain.date_last, %(date)s)
                          FROM interaction
                         WHERE chain.id = %(chain_id)s
                    )
                    """,
                    new=int(values["state"] == "new"),
                    date=SQL("%s::timestamp", values["date_start"] if took_place else None),
                    chain_id=chain.id,
                )
            )
        if values["user_id"] and values["user_id"] != chain.user_id.id:
            parts.append(
                SQL(
                    """
                    , guest AS (
                        INSERT INTO crm_interaction_chain_guest_rel (chain_id, user_id)
                        SELECT %(chain_id)s, %(user_id)s FROM interaction
                        ON CONFLICT DO NOTHING
                    )
                    """,
                    chain_id=chain.id,
                    user_id=values["user_id"],
                )
            )
        return SQL(" ").join(parts)

    @api.model
    def _get_row(self, records, values):
        """The values of a row of the model of `records`, as its columns take them.

        :rtype: tuple, which becomes a row in parentheses
        """
        fields = records._fields
        return tuple(
            fields[name].convert_to_column_insert(value, records) for name, value in values.items()
        )
