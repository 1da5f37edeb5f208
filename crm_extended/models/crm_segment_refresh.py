import logging

import psycopg2
from odoo import SUPERUSER_ID, api, fields, models, tools
from odoo.fields import Domain
from odoo.tools import SQL
from odoo.tools.safe_eval import datetime as safe_datetime
from odoo.tools.safe_eval import dateutil as safe_dateutil
from odoo.tools.safe_eval import safe_eval
from odoo.tools.safe_eval import time as safe_time

_logger = logging.getLogger(__name__)

# nobody's; a condition that is false for sure, such as an id of 0, would not be tried at all
_NO_ID = -1

# whatever the conditions are, these decide who can be a member at all
_ALWAYS_WATCHED = frozenset(("parent_id", "is_company", "active", "company_id"))


class CrmSegment(models.Model):
    """How a domain becomes memberships: one statement for all segments of a call.

    The statement closes the rows of those who no longer match and opens rows for those who do.
    A row that another transaction opens at the same moment is left as it is: the index on open
    rows holds, whoever comes first.
    """

    _inherit = "crm.segment"

    def _get_domain(self):
        """The conditions as a domain on res.partner.

        :raise Exception: whatever a text that is no domain leads to
        """
        self.ensure_one()
        return Domain(
            safe_eval(
                self.domain or "[]",
                {
                    # no `uid`: a segment has the same members for everybody
                    "datetime": safe_datetime,
                    "dateutil": safe_dateutil,
                    "relativedelta": safe_dateutil.relativedelta.relativedelta,
                    "time": safe_time,
                    "context_today": lambda: safe_datetime.datetime.today(),
                },
            )
        )

    def _get_partner_model(self):
        """res.partner in the environment in which the domain of this segment is evaluated."""
        company = self.company_id
        companies = company or self.env["res.company"].sudo().search([])
        # sudo: who is a member does not depend on who asks
        return (
            self.env["res.partner"]
            .with_user(SUPERUSER_ID)
            .with_context({"allowed_company_ids": companies.ids})
        )

    def _get_match_query(self, partners=None):
        """Query of the clients that match.

        :param partners: res.partner to look at; all when None
        :return: Query on res_partner
        """
        domain = self._get_domain()
        if self.company_id:
            domain &= Domain("company_id", "in", (self.company_id.id, False))
        if partners is not None:
            domain &= Domain("id", "in", partners.ids)
        Partner = self._get_partner_model()
        Partner.flush_model(["commercial_partner_id"])
        query = Partner._search(domain)
        query.add_where(SQL("res_partner.commercial_partner_id = res_partner.id"))
        return query

    def _count_matches(self):
        """How many of the clients that the user may see meet the conditions now.

        Who they are is asked with all rights, as for the members themselves.
        """
        self.ensure_one()
        Partner = self.sudo(self.env.user._is_superuser()).env["res.partner"]
        return Partner.search_count([("id", "in", self._get_match_query())])

    def _get_domain_error(self, Partner=None):
        """Why the domain cannot be evaluated; False if it can.

        :param Partner: res.partner with the rights under which to try it; all of them if None
        """
        self.ensure_one()
        if Partner is None:
            Partner = self._get_partner_model()
        try:
            with self.env.cr.savepoint(flush=False):
                Partner.search(self._get_domain() & Domain("id", "=", _NO_ID), limit=1)
        except psycopg2.OperationalError:
            raise
        except Exception as error:
            return self._format_error(error)
        return False

    @api.model
    def _format_error(self, error):
        return str(error).strip() or type(error).__name__

    def _refresh(self, partners=None, leave=True, today=None):
        """Bring the memberships of these segments up to date.

        :param partners: res.partner to look at (commercial ones, or such as were); all when None
        :param leave: whether who no longer matches leaves
        :param today: day of the entries and exits; by default that of the user
        :return: (number of entries, number of exits)
        """
        # sudo: rows are written by this statement only; who may start it is checked by callers
        segments_sudo = self.sudo()
        today = today or fields.Date.context_today(self)
        try:
            with self.env.cr.savepoint(flush=False):
                result = segments_sudo._write_members(partners, leave, today)
        except psycopg2.OperationalError:
            raise
        except Exception as error:
            if len(self) > 1:  # let the others go on
                counts = [segment._refresh(partners, leave, today) for segment in self]
                return tuple(map(sum, zip(*counts, strict=True)))
            _logger.warning("Segment %s cannot be evaluated: %s", self.id, error)
            if partners is None:
                segments_sudo._note_refresh(self._format_error(error))
            return (0, 0)
        if partners is None and self:
            segments_sudo._note_refresh(False)
        self.env["crm.segment.member"].invalidate_model()
        self.env["res.partner"].invalidate_model(["segment_ids"])
        self.invalidate_recordset(["member_ids", "member_count"])
        return result

    def _note_refresh(self, error):
        super().write({"date_refreshed": fields.Datetime.now(), "error": error})

    def _write_members(self, partners, leave, today):
        """See `_refresh`; one statement."""
        if not self:
            return (0, 0)
        self.env["crm.segment.member"].flush_model()
        self.flush_recordset()
        matches = SQL(" UNION ALL ").join(
            segment._get_match_query(partners).select(
                SQL("%s::integer AS segment_id", segment.id), SQL("res_partner.id AS partner_id")
            )
            for segment in self
        )
        among = SQL("TRUE")
        if partners is not None:
            among = SQL("m.partner_id = ANY(%s)", list(partners.ids))
        return self.env.execute_query(
            SQL(
                """
                WITH match AS MATERIALIZED (%(matches)s),
                gone AS (
                    UPDATE crm_segment_member m
                       SET date_exit = %(today)s
                     WHERE %(leave)s
                       AND m.segment_id = ANY(%(segments)s)
                       AND m.date_exit IS NULL
                       AND %(among)s
                       AND NOT EXISTS (
                           SELECT FROM match
                            WHERE match.segment_id = m.segment_id
                              AND match.partner_id = m.partner_id
                           )
                 RETURNING 1
                ),
                come AS (
                    INSERT INTO crm_segment_member (segment_id, partner_id, date_entry)
                    SELECT match.segment_id, match.partner_id, %(today)s
                      FROM match
                     WHERE NOT EXISTS (
                           SELECT FROM crm_segment_member m
                            WHERE m.segment_id = match.segment_id
                              AND m.partner_id = match.partner_id
                              AND m.date_exit IS NULL
                           )
               ON CONFLICT (segment_id, partner_id) WHERE date_exit IS NULL DO NOTHING
                 RETURNING 1
                )
                SELECT (SELECT COUNT(*) FROM come), (SELECT COUNT(*) FROM gone)
                """,
                matches=matches,
                today=today,
                leave=leave,
                segments=list(self.ids),
                among=among,
            )
        )[0]

    # ------------------------------------------------------------
    # WHAT IS LOOKED AT AT ONCE
    # ------------------------------------------------------------

    @api.model
    @tools.ormcache(cache="default")
    def _get_watched_fields(self):
        """Fields of a client whose change may bring it into a live segment or out of it.

        :return: tuple of (segment id, frozenset of field names of res.partner). Segments whose
            domain is about more than the card of the client are not in it: they would make every
            save as slow as their domain
        """
        watched = []
        for segment in self.sudo().search([("kind", "=", "live"), ("error", "=", False)]):
            try:
                names = self._get_card_fields(segment._get_domain())
            except Exception as error:
                _logger.info("Segment %s is left to the job: %s", segment.id, error)
                continue
            if names is not None:
                watched.append((segment.id, names | _ALWAYS_WATCHED))
        return tuple(watched)

    @api.model
    def _get_card_fields(self, domain):
        """Names of the columns of res.partner that a domain is about; None if of anything else."""
        Partner = self.env["res.partner"]
        names = set()
        for condition in domain.iter_conditions():
            name, _dot, rest = condition.field_expr.partition(".")
            field = Partner._fields.get(name)
            if field is None or not field.store or field.type == "one2many":
                return None
            if field.type in ("many2one", "many2many") and (
                "." in rest or "any" in condition.operator
            ):
                return None
            names.add(name)
        return frozenset(names)
