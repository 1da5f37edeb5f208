import psycopg2
from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import SQL


class CrmSegment(models.Model):
    """A named part of the clients, described by a domain.

    - Members are clients (commercial partners). A contact is where its company is; it has no
      membership of its own.
    - **Live**: whoever matches the domain is a member. A client is looked at again in the same
      transaction when a field of its own card that the domain names changes; what else a
      domain may be about (orders, scores, the date) is caught up with by the scheduled job every
      hour and by the button. **Static**: a list kept by hand; the domain only offers clients to
      add, and nobody leaves by itself.
    - The domain says the same whoever asks: it is evaluated with all rights, in the company of
      the segment (in the first company, if the segment is for all), over active clients of that
      company and those shared by all companies. It is tried with the rights of whoever saves it.
    - Memberships are rows with an entry and an exit (`crm.segment.member`), one open row for a
      segment and a client. They are what "is a member" means everywhere: filters, agreements,
      reports, mailings; so an answer is one look-up by index and never evaluates a domain.
    - A domain that can no longer be evaluated (an upgrade has removed its field, say) keeps its
      members, shows its error and is tried again by each job; the other segments go on.

    For other add-ons (stable, set-based, all rights; none of them evaluates a domain):

    - ``partners._get_segments(company)``: dict partner → the segments it is in now
    - ``segments._get_partner_domain()``: domain of the members and their contacts
    - ``segments._get_member_query(date)``: ``SELECT segment_id, partner_id`` to join in SQL
    - ``partners.segment_ids``: read, searched and grouped by with the rights of the user
    """

    _name = "crm.segment"
    _description = "Client Segment"
    _order = "sequence, name, id"
    _check_company_auto = True

    name = fields.Char(required=True, translate=True)
    active = fields.Boolean(default=True)
    sequence = fields.Integer(default=10)
    color = fields.Integer()
    note = fields.Text(
        string="Description", translate=True, help="Who belongs here, and what it is for."
    )
    company_id = fields.Many2one(
        "res.company",
        index="btree_not_null",
        default=lambda self: self.env.company,
        ondelete="cascade",
        help="Empty: for all companies.",
    )
    kind = fields.Selection(
        [("live", "Live"), ("static", "Static")],
        required=True,
        default="live",
        help="Live: whoever matches the conditions is a member. Static: a list kept by hand.",
    )
    domain = fields.Char(string="Conditions", required=True, default="[]")

    # members
    member_ids = fields.One2many("crm.segment.member", "segment_id", string="Members")
    member_count = fields.Integer(string="Members Now", compute="_compute_member_count")
    match_count = fields.Integer(
        string="Matching Clients",
        compute="_compute_match_count",
        help="How many of the clients you may see meet the conditions as they are written now.",
    )
    date_refreshed = fields.Datetime(string="Refreshed on", readonly=True, copy=False)
    error = fields.Char(readonly=True, copy=False, help="Why the conditions cannot be evaluated.")
    can_mail = fields.Boolean(compute="_compute_can_mail")

    # ------------------------------------------------------------
    # COMPUTE AND CHECKS
    # ------------------------------------------------------------

    @api.depends("member_ids.date_exit")
    def _compute_member_count(self):
        counts = dict(
            self.env["crm.segment.member"]._read_group(
                [("segment_id", "in", self.ids), ("date_exit", "=", False)],
                ["segment_id"],
                ["__count"],
            )
        )
        for segment in self:
            segment.member_count = counts.get(segment._origin, 0)

    @api.depends("domain", "company_id")
    @api.depends_context("uid", "allowed_company_ids")
    def _compute_match_count(self):
        for segment in self:
            # whoever may not read a field is not told by a count what it holds
            if segment._get_domain_error(segment.sudo(False).env["res.partner"]):
                segment.match_count = 0
                continue
            segment.match_count = segment._count_matches()

    @api.depends_context("uid")
    def _compute_can_mail(self):
        self.can_mail = self._can_mail_segments()

    @api.constrains("domain", "company_id")
    def _check_domain(self):
        # Odoo checks with all rights; here those of the user count
        Partner = self.sudo(self.env.user._is_superuser()).env["res.partner"]
        for segment in self:
            error = segment._get_domain_error(Partner)
            if error:
                raise ValidationError(
                    self.env._(
                        "The conditions of the segment “%(name)s” cannot be evaluated: %(error)s",
                        name=segment.name,
                        error=error,
                    )
                )

    @api.constrains("company_id", "kind")
    def _check_member_company(self):
        """A list kept by hand moves to another company only without foreign clients."""
        for segment in self.filtered(lambda s: s.company_id and s.kind == "static"):
            foreign = segment.sudo().member_ids.filtered(
                lambda m, company=segment.company_id: not m.date_exit
                and m.partner_id.company_id not in (company, company.browse())
            )
            if foreign:
                raise ValidationError(
                    self.env._(
                        "“%(client)s” belongs to another company than the segment “%(name)s”.",
                        client=foreign[0].partner_id.display_name,
                        name=segment.name,
                    )
                )

    # ------------------------------------------------------------
    # CRUD
    # ------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        segments = super().create(vals_list)
        self.env.registry.clear_cache()
        segments.filtered(lambda s: s.active and s.kind == "live")._refresh()
        return segments

    def write(self, vals):
        result = super().write(vals)
        if vals.keys() & {"domain", "kind", "active", "company_id"}:
            self.env.registry.clear_cache()
            self.filtered(lambda s: s.active and s.kind == "live")._refresh()
        return result

    def unlink(self):
        self.env.registry.clear_cache()
        return super().unlink()

    def copy_data(self, default=None):
        return [
            {**vals, "name": self.env._("%s (copy)", segment.name)}
            for segment, vals in zip(self, super().copy_data(default), strict=True)
        ]

    # ------------------------------------------------------------
    # ACTIONS
    # ------------------------------------------------------------

    def action_refresh(self):
        """Bring the members of live segments up to date now."""
        self.check_access("write")
        live = self.filtered(lambda s: s.kind == "live")
        # saves of clients refer to the row meanwhile
        live.lock_for_update(allow_referencing=True)
        live._refresh()
        failed = live.filtered("error")
        if failed:
            message = self.env._("Out of order: %s", ", ".join(failed.mapped("name")))
        else:
            message = self.env._("Clients in the segment: %s", sum(self.mapped("member_count")))
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "message": message,
                "type": "danger" if failed else "success",
                "next": {"type": "ir.actions.client", "tag": "soft_reload"},
            },
        }

    def action_add_matching(self):
        """Add the clients that match now to a list kept by hand; nobody leaves it."""
        self.check_access("write")
        for segment in self:
            if segment.kind != "static":
                raise UserError(self.env._("A live segment takes its members in by itself."))
            error = segment._get_domain_error(self.env["res.partner"])
            if error:
                raise UserError(error)
            segment._refresh(leave=False)

    def action_view_members(self):
        """Open the clients that are members now."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "crm_extended.res_partner_action_clients"
        )
        return action | {
            "name": self.name,
            "domain": [
                ("segment_ids", "in", self.ids),
                "|",
                ("is_company", "=", True),
                ("parent_id", "=", False),
            ],
            "context": {"res_partner_search_mode": "customer"},
        }

    def action_view_history(self):
        """Open who came and went, and when."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "crm_extended.crm_segment_member_action"
        )
        return action | {
            "domain": [("segment_id", "=", self.id)],
            "context": {"default_segment_id": self.id},
        }

    def action_new_mailing(self):
        """Start a mailing to the members and their contacts."""
        self.ensure_one()
        if not self._can_mail_segments():
            raise UserError(self.env._("You have no right to send mailings."))
        return {
            "type": "ir.actions.act_window",
            "res_model": "mailing.mailing",
            "name": self.env._("Mailing to %s", self.name),
            "views": [(False, "form")],
            "context": {
                "default_mailing_model_id": self.env["ir.model"]._get_id("res.partner"),
                "default_mailing_domain": repr(self._get_mailing_domain()),
                "default_subject": self.name,
            },
        }

    # ------------------------------------------------------------
    # FOR OTHERS
    # ------------------------------------------------------------

    def _get_member_query(self, date=None):
        """Rows of these segments to join in SQL.

        :param date: the members as of the beginning of that day; by default those of now
        :return: SQL ``SELECT segment_id, partner_id``, partners being commercial ones
        """
        self.env["crm.segment.member"].flush_model()
        if date:
            condition = SQL(
                "date_entry <= %(date)s AND (date_exit IS NULL OR date_exit > %(date)s)", date=date
            )
        else:
            condition = SQL("date_exit IS NULL")
        return SQL(
            "SELECT segment_id, partner_id FROM crm_segment_member"
            " WHERE segment_id = ANY(%s) AND %s",
            list(self.ids),
            condition,
        )

    def _get_partner_domain(self, date=None):
        """Domain of the members of any of these segments and of their contacts.

        :param date: as in `_get_member_query`
        """
        query = self._get_member_query(date)
        return [
            ("commercial_partner_id", "in", SQL("(SELECT partner_id FROM (%s) AS member)", query))
        ]

    def _get_mailing_domain(self):
        """Domain of whom a mailing reaches, as plain data that a mailing stores.

        It names the segments, so that a mailing sent next week goes to next week's members.
        """
        return [("segment_ids", "in", self.ids)]

    @api.model
    def _can_mail_segments(self):
        """Whether mailings are installed and the user may send them."""
        return "mailing.mailing" in self.env and self.env["mailing.mailing"].has_access("create")

    # ------------------------------------------------------------
    # SCHEDULED
    # ------------------------------------------------------------

    @api.model
    def _get_stale_domain(self):
        limit = fields.Datetime.subtract(fields.Datetime.now(), minutes=50)
        return [
            ("kind", "=", "live"),
            "|",
            ("date_refreshed", "=", False),
            ("date_refreshed", "<", limit),
        ]

    @api.model
    def _cron_refresh(self):
        """Refresh the live segments, longest ago first; a segment is a batch of its own.

        One that fails is marked with its error and waits for the next run like the others. One
        that somebody else is refreshing at this moment is left to them.
        """
        cron = self.env["ir.cron"]
        domain = self._get_stale_domain()
        while True:
            stale = self.search(domain, order="date_refreshed NULLS FIRST, id")
            segment = stale.try_lock_for_update(allow_referencing=True, limit=1)
            if not segment:
                cron._commit_progress(remaining=0)
                return
            try:
                segment._refresh()
            except psycopg2.OperationalError:
                # a client was saved into it meanwhile: take a new look
                self.env.cr.rollback()
                cron._commit_progress(remaining=len(stale))
                return
            if not cron._commit_progress(1, remaining=len(stale) - 1):
                return
