from markupsafe import Markup
from odoo import api, fields, models
from odoo.tools import SQL, format_date

from .crm_interaction import PENDING_STATES

SHOWN = 20


class CrmOverdue(models.Model):
    """Work that is overdue now, and who has been told.

    - The responsible is told once of each, in one message about everything that has become overdue
      since the last one, when he is at work. So many working hours of his later (a setting of the
      company) his head is told, once, of what is still not done.
    - Moved to another day, or given to somebody else, it counts anew. What is no longer overdue
      leaves the table.
    - Figures count it for everybody; companies that do not want these messages are told nothing.
    - What has arrived from a client is overdue after some working hours; what is planned, when its
      time has passed; an activity on the day after its day, by the clock of its responsible.
    - Claims have deadlines and alarms of their own (`crm_claims`).
    """

    _name = "crm.overdue"
    _description = "Overdue Work"
    _order = "date_due, id"
    _rec_name = "res_model"

    res_model = fields.Char("Document Model", required=True, readonly=True)
    res_id = fields.Many2oneReference("Document ID", model_field="res_model", readonly=True)
    name = fields.Char("What", compute="_compute_name", compute_sudo=True)
    date_due = fields.Datetime("Due", required=True, readonly=True)
    user_id = fields.Many2one(
        "res.users", "Responsible", required=True, readonly=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(
        "res.company", required=True, readonly=True, index=True, ondelete="cascade"
    )
    date_told = fields.Datetime("Responsible Told On", readonly=True)
    date_head = fields.Datetime("Head Is Told On", readonly=True)
    date_head_told = fields.Datetime("Head Told On", readonly=True)
    head_id = fields.Many2one("res.users", "Head", readonly=True, index="btree_not_null")

    _record_uniq = models.UniqueIndex("(res_model, res_id)")
    _untold_idx = models.Index("(user_id) WHERE date_told IS NULL")
    _head_idx = models.Index("(date_head) WHERE date_head_told IS NULL")

    def _compute_name(self):
        self.name = False
        for res_model, rows in self.grouped("res_model").items():
            records = self.env[res_model].browse(rows.mapped("res_id")).exists()
            names = {record.id: record._get_absence_name() for record in records}
            for row in rows:
                row.name = names.get(row.res_id, False)

    # ------------------------------------------------------------
    # WHAT IS OVERDUE
    # ------------------------------------------------------------

    @api.model
    def _get_overdue_queries(self, now):
        """What is overdue, by model; other add-ons add theirs.

        :param datetime now: naive, UTC
        :return: dict model → SQL with the columns res_id, date_due, user_id, company_id
        """
        return {
            "crm.interaction": self._get_interactions_query(now),
            "mail.activity": self._get_activities_query(now),
        }

    @api.model
    def _get_interactions_query(self, now):
        rows = []
        # sudo: the job looks after everybody
        groups = (
            self.env["crm.interaction"]
            .sudo()
            ._read_group(
                [("state", "=", "new"), ("user_id", "!=", False)], ["company_id", "user_id"]
            )
        )
        by_company = {}
        for company, user in groups:
            by_company[company] = by_company.get(company, user.browse()) | user
        for company, users in by_company.items():
            limits = users._plan_working_hours(-company.crm_overdue_new_hours, now, company)
            rows += [(user.id, company.id, limit) for user, limit in limits.items()]
        values = SQL(", ").join(
            SQL("(%s::integer, %s::integer, %s::timestamp)", *row) for row in rows
        )
        arrived = SQL(
            """UNION ALL
               SELECT i.id, i.date_deadline, i.user_id, i.company_id
                 FROM crm_interaction i
                 JOIN (VALUES %s) AS bound (user_id, company_id, moment)
                   ON bound.user_id = i.user_id AND bound.company_id = i.company_id
                WHERE i.state = 'new' AND i.date_deadline <= bound.moment""",
            values,
        )
        return SQL(
            """SELECT id AS res_id, date_deadline AS date_due, user_id, company_id
                 FROM crm_interaction
                WHERE state IN %s AND user_id IS NOT NULL AND date_deadline < %s
               %s""",
            tuple(state for state in PENDING_STATES if state != "new"),
            now,
            arrived if rows else SQL(),
        )

    @api.model
    def _get_activities_query(self, now):
        # an absence asks for a substitute by itself
        documents = tuple(sorted(self.env["mail.activity"]._get_absence_documents()))
        return SQL(
            """SELECT a.id AS res_id, a.date_deadline::timestamp AS date_due, a.user_id,
                      u.company_id
                 FROM mail_activity a
                 JOIN res_users u ON u.id = a.user_id
                 JOIN res_partner p ON p.id = u.partner_id
                WHERE a.active AND a.res_model IN %(documents)s
                  AND a.date_deadline <= %(latest)s
                  AND a.date_deadline < (
                      %(now)s AT TIME ZONE 'UTC' AT TIME ZONE COALESCE(p.tz, 'UTC'))::date
                  AND NOT EXISTS (
                      SELECT 1 FROM crm_interaction i
                       WHERE i.activity_id = a.id AND i.state IN %(pending)s)""",
            documents=documents,
            latest=now.date(),
            now=SQL("%s::timestamp", now),
            pending=PENDING_STATES,
        )

    @api.model
    def _refresh(self, now):
        """Bring the table in line with what is overdue, with two statements for each model."""
        self.env.flush_all()
        for name, query in self._get_overdue_queries(now).items():
            self.env.execute_query(
                SQL(
                    """DELETE FROM crm_overdue o
                        WHERE o.res_model = %(name)s
                          AND NOT EXISTS (
                              SELECT 1 FROM (%(query)s) AS due
                               WHERE due.res_id = o.res_id AND due.user_id = o.user_id
                                 AND due.date_due = o.date_due)
                    RETURNING o.id""",
                    name=name,
                    query=query,
                )
            )
            self.env.execute_query(
                SQL(
                    """INSERT INTO crm_overdue (res_model, res_id, date_due, user_id, company_id,
                                                create_uid, create_date, write_uid, write_date)
                       SELECT %(name)s, due.res_id, due.date_due, due.user_id, due.company_id,
                              %(uid)s, %(now)s, %(uid)s, %(now)s
                         FROM (%(query)s) AS due
                         JOIN res_users u ON u.id = due.user_id AND u.active
                        WHERE NOT EXISTS (
                              SELECT 1 FROM crm_overdue o
                               WHERE o.res_model = %(name)s AND o.res_id = due.res_id)
                           ON CONFLICT (res_model, res_id) DO NOTHING
                    RETURNING id""",
                    name=name,
                    query=query,
                    uid=self.env.uid,
                    now=now,
                )
            )
        self.invalidate_model()

    # ------------------------------------------------------------
    # WHO IS TOLD
    # ------------------------------------------------------------

    @api.model
    def _cron_overdue(self):
        """Report what has become overdue to its responsible, and what stays so to the head."""
        cron = self.env["ir.cron"]
        now = fields.Datetime.now()
        self._refresh(now)
        cron._commit_progress()
        # sudo: the job looks after everybody
        self_sudo = self.sudo()
        for company, user in self_sudo._read_group(
            [("date_told", "=", False), ("company_id.crm_overdue_report", "=", True)],
            ["company_id", "user_id"],
        ):
            self_sudo._tell_responsible(company, user, now)
            cron._commit_progress(1)
        for company, user in self_sudo._read_group(
            [
                ("date_head", "<=", now),
                ("date_head_told", "=", False),
                ("company_id.crm_overdue_report", "=", True),
            ],
            ["company_id", "user_id"],
        ):
            self_sudo._tell_head(company, user, now)
            cron._commit_progress(1)
        cron._commit_progress(remaining=0)

    @api.model
    def _tell_responsible(self, company, user, now):
        """Tell one person, when at work, what has become overdue."""
        if user._get_status(now, company)[user][0] != "present":
            return
        rows = self.search(
            [
                ("date_told", "=", False),
                ("user_id", "=", user.id),
                ("company_id", "=", company.id),
            ]
        ).try_lock_for_update()
        if not rows:
            return
        hours = company.crm_overdue_head_hours
        moment = user._plan_working_hours(hours, now, company)[user] if hours else False
        rows.write({"date_told": now, "date_head": moment})
        localised = rows.with_context(lang=user.lang, tz=user.tz)
        localised._notify(user, localised.env._("Overdue with you: %(count)s", count=len(rows)))

    @api.model
    def _tell_head(self, company, user, now):
        """Tell the head of one person what is still overdue."""
        rows = self.search(
            [
                ("date_head", "<=", now),
                ("date_head_told", "=", False),
                ("user_id", "=", user.id),
                ("company_id", "=", company.id),
            ]
        ).try_lock_for_update()
        if not rows:
            return
        head = user.with_company(company)._get_heads().get(user, user.browse())
        # sudo: the head is looked up, and told; who has none is told of by nobody
        head = head.sudo()._get_available_user(now, company)
        rows.write({"date_head_told": now, "head_id": head.id})
        if head and head != user:
            localised = rows.with_context(lang=head.lang, tz=head.tz)
            localised._notify(
                head,
                localised.env._(
                    "Still overdue with %(user)s: %(count)s", user=user.name, count=len(rows)
                ),
            )

    def _notify(self, user, subject):
        """One message about these rows to one person."""
        shown = self[:SHOWN]
        lines = [
            Markup('<li><a href="%s">%s</a> <span class="text-muted">%s</span></li>')
            % (
                row._get_url(),
                row.name or row.res_model,
                format_date(row.env, row._get_due_date()),
            )
            for row in shown
        ]
        body = Markup("<p>%s</p><ul>%s</ul>") % (subject, Markup().join(lines))
        if len(self) > SHOWN:
            body += Markup("<p>%s</p>") % self.env._(
                "… and %(count)s more.", count=len(self) - SHOWN
            )
        body += Markup('<p><a href="/odoo/overdue">%s</a></p>') % self.env._("Everything overdue")
        self.env["mail.thread"].message_notify(
            partner_ids=user.partner_id.ids, subject=subject, body=body
        )

    def _get_due_date(self):
        """The day on which it was due; that of an activity has no time."""
        if self.res_model == "mail.activity":
            return self.date_due.date()
        return fields.Datetime.context_timestamp(self, self.date_due).date()

    def _get_url(self):
        """Where the work is seen: an activity on its document."""
        self.ensure_one()
        res_model, res_id = self.res_model, self.res_id
        if res_model == "mail.activity":
            activity = self.env[res_model].browse(res_id)
            res_model, res_id = activity.res_model, activity.res_id
        return f"/mail/view?model={res_model}&res_id={res_id}"

    def action_open_record(self):
        """Open the overdue work."""
        self.ensure_one()
        res_model, res_id = self.res_model, self.res_id
        if res_model == "mail.activity":
            activity = self.env[res_model].browse(res_id)
            activity.check_access("read")
            res_model, res_id = activity.res_model, activity.res_id
        return {
            "type": "ir.actions.act_window",
            "res_model": res_model,
            "res_id": res_id,
            "views": [(False, "form")],
        }
