from collections import defaultdict

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL, clean_context, parse_contact_from_email


class CrmInteractionParticipant(models.Model):
    """Participants learn who they are.

    - A participant entered by hand is the contact who has that e-mail address or phone number;
      sources (mail, telephony) look their contacts up themselves.
    - Resolving one participant resolves all others with the same normalised e-mail or phone in
      the whole database, in one statement; so does a contact that is created or gets an address
      or a number. When two contacts claim one address, the one resolved last wins; what has been
      resolved stays.
    - Anybody qualifies: users, contacts, companies, persons. Only the client of an interaction is
      never one of our own users: an interaction without a client gets the first participant who
      is not, and so does a conversation that is about no document.
    - A contact of one company is not given to participants of another.
    """

    _inherit = "crm.interaction.participant"

    _email_unresolved_idx = models.Index(
        "(email_normalized) WHERE partner_id IS NULL AND email_normalized IS NOT NULL"
    )
    _phone_unresolved_idx = models.Index(
        "(phone_sanitized) WHERE partner_id IS NULL AND phone_sanitized IS NOT NULL"
    )
    _unresolved_idx = models.Index("(id) WHERE partner_id IS NULL")

    # ------------------------------------------------------------
    # WHO IS THIS?
    # ------------------------------------------------------------

    def _find_partners(self):
        """The contacts who have the address or the number of unresolved participants.

        An address says more than a number, a person more than the company of the same address,
        the older contact more than its younger twin.

        :return: dict participant → partner, of those who are found
        """
        unknown = self.filtered(
            lambda participant: not participant.partner_id
            and (participant.email_normalized or participant.phone_sanitized)
        )
        if not unknown:
            return {}
        partners = self.env["res.partner"].search(
            Domain.OR(
                Domain(name, "in", [value for value in unknown.mapped(name) if value])
                for name in ("email_normalized", "phone_sanitized")
            ),
            order="is_company, id",
        )
        by_key = defaultdict(list)
        for partner in partners:
            by_key["email_normalized", partner.email_normalized].append(partner)
            by_key["phone_sanitized", partner.phone_sanitized].append(partner)
        found = {}
        for participant in unknown:
            for name in ("email_normalized", "phone_sanitized"):
                for partner in by_key[name, participant[name]] if participant[name] else ():
                    if not partner.company_id or partner.company_id == participant.company_id:
                        found.setdefault(participant, partner)
        return found

    def _resolve_from_contacts(self):
        """Give unresolved participants the contacts who have their address or number."""
        by_partner = defaultdict(self.browse)
        for participant, partner in self._find_partners().items():
            by_partner[partner] |= participant
        for partner, participants in by_partner.items():
            participants.partner_id = partner

    def _get_news(self):
        """Those from whom something is learnt: an address or number their contact has not got,
        or the client of their interaction."""
        return self.filtered(
            lambda participant: not participant.interaction_id.partner_id
            or any(
                participant[name] and participant[name] != participant.partner_id[name]
                for name in ("email_normalized", "phone_sanitized")
            )
        )

    def _resolve_same(self):
        """Give the contacts of these participants to all who have the same address or number."""
        keys = [
            (
                participant.partner_id.id,
                participant.partner_id.company_id.id or None,
                participant.email_normalized or None,
                participant.phone_sanitized or None,
                participant.id,
            )
            # sudo: the contact may be out of reach of whoever resolves
            for participant in self.sudo()
            if participant.partner_id
        ]
        self._resolve_by_keys(keys)

    @api.model
    def _resolve_by_keys(self, keys):
        """Resolve, in one statement, all participants who have one of the given addresses.

        :param keys: list of (partner id, company id or None, normalised e-mail or None,
            sanitised phone or None, id of a participant already resolved so or None); the later
            wins over the earlier
        """
        if not keys:
            return
        self.flush_model()
        self.env["crm.interaction"].flush_model(["partner_id", "chain_id"])
        self.env["crm.interaction.chain"].flush_model(["partner_id", "res_id"])
        self.env["res.partner"].flush_model(["partner_share"])
        partner_ids, company_ids, emails, phones, participant_ids = map(
            list, zip(*keys, strict=True)
        )
        rows = self.env.execute_query(
            SQL(
                """
                WITH key AS MATERIALIZED (
                    SELECT * FROM unnest(
                        %(partner_ids)s::int[], %(company_ids)s::int[], %(emails)s::varchar[],
                        %(phones)s::varchar[], %(participant_ids)s::int[]
                    ) WITH ORDINALITY
                    AS key(partner_id, company_id, email, phone, participant_id, position)
                ), match AS (
                    SELECT DISTINCT ON (id) id, partner_id
                      FROM (
                            SELECT p.id, p.company_id, key.partner_id, key.position,
                                   key.company_id AS key_company_id
                              FROM key
                              JOIN crm_interaction_participant p ON p.email_normalized = key.email
                             WHERE p.partner_id IS NULL AND p.email_normalized IS NOT NULL
                             UNION ALL
                            SELECT p.id, p.company_id, key.partner_id, key.position, key.company_id
                              FROM key
                              JOIN crm_interaction_participant p ON p.phone_sanitized = key.phone
                             WHERE p.partner_id IS NULL AND p.phone_sanitized IS NOT NULL
                           ) found
                     WHERE key_company_id IS NULL OR key_company_id = company_id
                     ORDER BY id, position DESC
                ), resolved AS (
                    UPDATE crm_interaction_participant p
                       SET partner_id = match.partner_id,
                           write_uid = %(uid)s, write_date = %(now)s
                      FROM match
                     WHERE p.id = match.id
                    RETURNING p.id, p.interaction_id, p.partner_id, p.role
                ), client AS (
                    SELECT DISTINCT ON (known.interaction_id)
                           known.interaction_id, known.partner_id
                      FROM (
                            SELECT * FROM resolved
                             UNION ALL
                            SELECT p.id, p.interaction_id, p.partner_id, p.role
                              FROM key JOIN crm_interaction_participant p
                                ON p.id = key.participant_id
                           ) known
                      JOIN res_partner partner ON partner.id = known.partner_id
                     WHERE partner.partner_share
                     ORDER BY known.interaction_id, known.role = 'from' DESC, known.id
                ), interaction AS (
                    UPDATE crm_interaction i
                       SET partner_id = client.partner_id,
                           write_uid = %(uid)s, write_date = %(now)s
                      FROM client
                     WHERE i.id = client.interaction_id AND i.partner_id IS NULL
                    RETURNING i.id, i.chain_id, i.partner_id
                ), chain AS (
                    UPDATE crm_interaction_chain c
                       SET partner_id = first.partner_id,
                           write_uid = %(uid)s, write_date = %(now)s
                      FROM (
                            SELECT DISTINCT ON (chain_id) chain_id, partner_id
                              FROM interaction ORDER BY chain_id, id
                           ) first
                     WHERE c.id = first.chain_id
                       AND c.partner_id IS NULL AND COALESCE(c.res_id, 0) = 0
                    RETURNING c.id
                )
                SELECT 'crm.interaction.participant', id FROM resolved
                 UNION ALL SELECT 'crm.interaction', id FROM interaction
                 UNION ALL SELECT 'crm.interaction.chain', id FROM chain
                """,
                partner_ids=partner_ids,
                company_ids=company_ids,
                emails=emails,
                phones=phones,
                participant_ids=participant_ids,
                uid=self.env.uid,
                now=fields.Datetime.now(),
            )
        )
        changed = defaultdict(list)
        for model, record_id in rows:
            changed[model].append(record_id)
        for model, ids in changed.items():
            # sudo: whoever sees them, what is computed from their client follows
            records_sudo = self.env[model].sudo().browse(ids)
            records_sudo.invalidate_recordset(["partner_id"], flush=False)
            records_sudo.modified(["partner_id"])

    # ------------------------------------------------------------
    # ACTIONS
    # ------------------------------------------------------------

    def action_create_partner(self):
        """Create contacts for those who have none, one for each person.

        Participants with the same e-mail address or phone number are one person, and so are all
        others in the database who have them.

        :return: True
        :raise UserError: if nothing is known of one of them
        """
        # the defaults of the dialog are not meant for what is created here
        self = self.with_context(clean_context(self.env.context))  # noqa: PLW0642
        self.check_access("write")
        unknown = self.filtered(lambda participant: not participant.partner_id)
        nameless = unknown.filtered(
            lambda participant: not (participant.name or participant.email or participant.phone)
        )
        if nameless:
            raise UserError(
                self.env._(
                    "Nothing is known of a participant of “%(subject)s”: fill in a name, a phone "
                    "number or an e-mail address, or assign the participant to a contact.",
                    subject=nameless[0].interaction_id.subject,
                )
            )
        persons = unknown._group_by_person()
        partners = self.env["res.partner"].create(
            [person._prepare_new_partner_values() for person in persons]
        )
        for person, partner in zip(persons, partners, strict=True):
            # most have been found by the new contact already; those who are known by name only
            # have not
            rest = person.filtered(lambda participant: not participant.partner_id)
            if rest:
                rest.partner_id = partner
        return True

    def action_assign_partner(self, partner_id):
        """Say who these participants are.

        :param int partner_id: a contact
        :raise UserError: if there is no such contact
        """
        self.check_access("write")
        partner = self.env["res.partner"].browse(partner_id).exists()
        if not partner:
            raise UserError(self.env._("Choose the contact who took part."))
        partner.check_access("read")
        self.write({"partner_id": partner.id})
        return True

    def _group_by_person(self):
        """Split participants so that those who share an address or a number stay together.

        :return: list of recordsets, in the order in which the participants came
        """
        groups, group_of = [], {}
        for participant in self:
            keys = [
                (name, participant[name])
                for name in ("email_normalized", "phone_sanitized")
                if participant[name]
            ]
            known = {id(group_of[key]): group_of[key] for key in keys if key in group_of}
            group = next(iter(known.values()), None)
            if group is None:
                group = {"records": self.browse(), "keys": set()}
                groups.append(group)
            for other in list(known.values())[1:]:
                group["records"] |= other["records"]
                group["keys"] |= other["keys"]
                groups.remove(other)
            group["records"] |= participant
            group["keys"].update(keys)
            group_of.update(dict.fromkeys(group["keys"], group))
        return [group["records"] for group in groups]

    def _prepare_new_partner_values(self):
        """Values of the contact that is created for participants who are one person."""
        email = next((p.email for p in self if p.email), False)
        phone = next((p.phone for p in self if p.phone), False)
        name = next((p.name for p in self if p.name), False)
        name_of_email, address = parse_contact_from_email(email) if email else (False, False)
        return {
            "name": name or name_of_email or email or phone,
            "email": address or email,
            "phone": phone,
        }

    def action_open_interaction(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": "crm.interaction",
            "res_id": self.interaction_id.id,
            "views": [(False, "form")],
        }

    def action_open_assign(self):
        """Open the dialog that asks who these participants are."""
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Assign to Contact"),
            "res_model": "crm.interaction.participant.assign",
            "views": [(False, "form")],
            "target": "new",
            "context": {"default_participant_ids": self.ids},
        }
