from odoo import api, models
from odoo.tools import SQL

# read from the chain on the way to a new interaction
CHAIN_FIELDS = ("res_model", "res_id", "state", "partner_id", "user_id", "company_id")
# the last two are computed from a phone number, which few messages have
PARTICIPANT_COMPUTED_FIELDS = (
    "company_id",
    "email_normalized",
    "phone_sanitized",
    "phone_digits",
)


class CrmInteraction(models.Model):
    """Writing a contact down: a message must not cost noticeably more than without us.

    The interaction and its participants are written in one statement, past `create`; two messages
    in one moment, or one message twice, end in one row. What other fields and records compute
    from an interaction follows as after a `create`. What overrides of `create` do for an
    interaction that is new or done is called by name in `_record_contact`.
    """

    _inherit = "crm.interaction"

    @api.model
    def _record_contact(self, contact):
        """Write down a contact, see `_prepare_message_contact`.

        :return: the interaction; empty if the message is recorded already
        """
        chain, parent, usable, is_waiting = self._get_contact_place(contact)
        if chain.state != "open":
            document = contact["document"]
            chain = chain._open_for_documents(document)[document.id]
        values = self._prepare_contact_values(contact, chain, parent, usable)
        people = [
            self._prepare_contact_participant_values(person, usable, values["company_id"])
            for person in contact["people"]
        ]
        interaction = self._insert_contact(values, people)
        if is_waiting and values["state"] == "done":
            interaction._settle_answers()
        return interaction

    @api.model
    def _get_contact_place(self, contact):
        """Where a contact belongs, in one query.

        :return: the chain of its document, empty if there is none yet; the interaction in it
            which the message answers; of the people and the document's client the ids of
            those whom the company may use; whether something in the chain waits for an answer
        """
        document, message = contact["document"], contact["message"]
        Chain = self.env["crm.interaction.chain"]
        mail = self._get_incoming_mail(message)
        partner_ids = [person["partner"].id for person in contact["people"] if person["partner"]]
        partner_ids += document._get_interaction_partner().ids
        self.flush_model(["mail_message_id", "chain_id", "company_id", "direction", "state"])
        names = list(dict.fromkeys([*CHAIN_FIELDS, *self._get_chain_copies().values()]))
        Chain.flush_model(names)
        self.env["res.partner"].flush_model(["company_id"])
        ((usable, is_waiting, chain_id, parent_id, company_id, *values),) = self.env.execute_query(
            SQL(
                """
                SELECT ARRAY(
                            SELECT partner.id
                              FROM res_partner partner
                             WHERE partner.id = ANY(%(partner_ids)s)
                               AND (partner.company_id IS NULL
                                    OR partner.company_id = %(company_id)s)
                       ), EXISTS (
                            SELECT 1
                              FROM crm_interaction waiting
                             WHERE waiting.chain_id = chain.id
                               AND waiting.direction = 'in'
                               AND waiting.state IN ('new', 'planned', 'postponed')
                       ), chain.id, parent.id, parent.company_id, %(columns)s
                  FROM (SELECT 1) AS one
             LEFT JOIN crm_interaction_chain chain
                    ON chain.res_model = %(res_model)s AND chain.res_id = %(res_id)s
             LEFT JOIN crm_interaction parent
                    ON parent.mail_message_id = %(parent_message_id)s
                   AND parent.chain_id = chain.id
                """,
                partner_ids=partner_ids,
                company_id=contact["company"].id,
                columns=SQL(", ").join(SQL.identifier("chain", name) for name in names),
                res_model=document._name,
                res_id=document.id,
                parent_message_id=(mail and mail.parent_id) or message.parent_id.id or None,
            )
        )
        chain = Chain.browse(chain_id or [])
        for name, value in zip(names, values, strict=True):
            Chain._fields[name]._insert_cache(chain, [value])
        parent = self.browse(parent_id or [])
        self._fields["company_id"]._insert_cache(parent, [company_id])
        return chain, parent, set(usable), is_waiting

    @api.model
    def _get_chain_copies(self):
        """Map the fields of an interaction that repeat a field of its chain to that field."""
        return {
            name: field.related.removeprefix("chain_id.")
            for name, field in self._fields.items()
            if field.store and field.related and field.related.startswith("chain_id.")
        }

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
            "email_normalized": person["email"],
            "phone": person.get("phone"),
            "company_id": company_id,
        }

    @api.model
    def _insert_contact(self, values, people):
        """Insert an interaction with its participants.

        :param dict values: as for `create`, without the computed fields
        :param list people: values of its participants
        :return: the interaction; empty if its message is recorded already
        """
        computed = self._prepare_contact_computed_values(values)
        others = [
            name
            for name, field in self._fields.items()
            if field.column_type and field.store and field.default and name not in values
        ]
        now = self.env.cr.now()
        row = self.default_get(others) | values | computed
        log = {
            "create_uid": self.env.uid,
            "create_date": now,
            "write_uid": self.env.uid,
            "write_date": now,
        }
        Participant = self.env["crm.interaction.participant"]
        people_columns = [*people[0], *log]
        rows = self.env.execute_query(
            SQL(
                """
                WITH interaction AS (
                    INSERT INTO crm_interaction (%(columns)s) VALUES (%(values)s)
                    ON CONFLICT (mail_message_id) WHERE mail_message_id IS NOT NULL DO NOTHING
                    RETURNING id
                ), participant AS (
                    INSERT INTO crm_interaction_participant (interaction_id, %(people_columns)s)
                    SELECT interaction.id, %(people_values)s
                      FROM interaction, (VALUES %(people)s) AS person (%(people_columns)s)
                    RETURNING id
                )
                SELECT interaction.id, ARRAY(SELECT id FROM participant) FROM interaction
                """,
                columns=SQL(", ").join(map(SQL.identifier, [*row, *log])),
                values=self._get_columns_sql(self, row | log),
                people_columns=SQL(", ").join(map(SQL.identifier, people_columns)),
                people_values=SQL(", ").join(
                    SQL(
                        "CAST(person.%s AS %s)",
                        SQL.identifier(name),
                        SQL(Participant._fields[name].column_type[0]),
                    )
                    for name in people_columns
                ),
                people=SQL(", ").join(
                    SQL("(%s)", self._get_columns_sql(Participant, person | log))
                    for person in people
                ),
            )
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
        with self.env.protecting([self._fields[name] for name in computed], interaction):
            interaction.modified(self._fields, create=True)
        if any(person["phone"] for person in people) or any(
            field.compute and field.store and field.name not in PARTICIPANT_COMPUTED_FIELDS
            for field in Participant._fields.values()
        ):
            participants.modified(Participant._fields, create=True)
        return interaction

    @api.model
    def _get_columns_sql(self, records, values):
        """The values of a row of the model of `records`, as its columns take them."""
        return SQL(", ").join(
            SQL("%s", records._fields[name].convert_to_column_insert(value, records))
            for name, value in values.items()
        )
