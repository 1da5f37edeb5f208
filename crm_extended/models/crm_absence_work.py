from datetime import timedelta

import pytz
from odoo import api, fields, models
from odoo.fields import Domain

from .crm_interaction import PENDING_STATES


class CrmAbsenceWork(models.AbstractModel):
    """Work that goes to a substitute while its responsible is away, and comes back.

    A model that carries such work inherits this and is named in
    `crm.absence._get_work_models`. All methods are called under sudo, by the job.
    """

    _name = "crm.absence.work"
    _description = "Work Moved in an Absence"

    @api.model
    def _get_absence_user_field(self):
        """Name of the field that says who has the work."""
        return "user_id"

    @api.model
    def _get_absence_open_domain(self):
        """Domain of the work that is not over."""
        return Domain.TRUE

    @api.model
    def _get_absence_due_domain(self, user, company, until):
        """Domain of the work of somebody that does not wait until he is back.

        :param user: who is away
        :param company: the company of the absence
        :param datetime until: when he is back (naive, UTC)
        """
        return (
            Domain(self._get_absence_user_field(), "in", user.ids)
            & Domain("company_id", "in", self._get_absence_company_ids(user, company))
            & self._get_absence_open_domain()
        )

    @api.model
    def _get_absence_company_ids(self, user, company):
        """Companies whose work the absence concerns: what has none counts as of his main one."""
        return [company.id, False] if user.company_id == company else [company.id]

    def _get_absence_holders(self):
        """Who has this work.

        :return: res.users
        """
        self.ensure_one()
        return self[self._get_absence_user_field()]

    def _give_absence_work(self, giver, taker):
        """Make somebody responsible instead of somebody else, for these of one giver."""
        self.write({self._get_absence_user_field(): taker.id})

    def _filter_absence_givable(self, taker):
        """Those of this work that a substitute can and may do."""
        return self

    def _get_absence_name(self):
        """What the work is called in the log."""
        self.ensure_one()
        return self.display_name

    def write(self, vals):
        if self._get_absence_user_field() not in vals or not self.env["crm.absence"]._get_cover():
            return super().write(vals)
        # sudo: who has it now
        before = {record.id: record._get_absence_holders().ids for record in self.sudo()}
        res = super().write(vals)
        self._hand_over_at_once(before)
        return res

    def _hand_over_at_once(self, before=None):
        """Give new work of somebody who is away to the substitute, without waiting for the job.

        What somebody takes for himself stays with him, wherever he is.

        :param dict before: id of a record → ids of who had it already, and so has not got it now
        """
        before = before or {}
        Absence_sudo = self.env["crm.absence"].sudo()
        # sudo: whoever assigns it, it goes to who is there
        Work_sudo = self.sudo()
        receivers = set()
        for record in Work_sudo:
            receivers.update(
                set(record._get_absence_holders().ids) - set(before.get(record.id, ()))
            )
        for (company_id, user_id), found in Absence_sudo._get_cover().items():
            if not found.holder or user_id == self.env.uid or user_id not in receivers:
                continue
            user = Work_sudo.env["res.users"].browse(user_id)
            company = Work_sudo.env["res.company"].browse(company_id)
            due = self._get_absence_due_domain(user, company, found.until)
            new = [id_ for id_ in self.ids if user_id not in before.get(id_, ())]
            mine_sudo = Work_sudo.search(due & Domain("id", "in", new))
            mine_sudo -= Absence_sudo._give_again(mine_sudo, user)
            Absence_sudo._take_group(mine_sudo, user, company, found, fields.Datetime.now())


class CrmInteraction(models.Model):
    """What has arrived, and what is planned for the time of the absence."""

    _name = "crm.interaction"
    _inherit = ["crm.interaction", "crm.absence.work"]

    @api.model
    def _get_absence_open_domain(self):
        return Domain("state", "in", PENDING_STATES)

    @api.model
    def _get_absence_due_domain(self, user, company, until):
        domain = super()._get_absence_due_domain(user, company, until)
        return domain & (Domain("state", "=", "new") | Domain("date_deadline", "<", until))

    def _get_absence_name(self):
        return self.subject


class MailActivity(models.Model):
    """Activities on documents of the suite; those of planned interactions follow these."""

    _name = "mail.activity"
    _inherit = ["mail.activity", "crm.absence.work"]

    @api.model
    def _get_absence_documents(self):
        """Names of the models whose activities a substitute takes over."""
        return self.env["crm.interaction.chain"]._get_document_models() | {
            "crm.agreement.contract",
            "crm.absence",
        }

    @api.model
    def _get_absence_due_domain(self, user, company, until):
        zone = pytz.timezone(user.tz or "UTC")
        last = pytz.utc.localize(until - timedelta(seconds=1)).astimezone(zone).date()
        companies = self._get_absence_company_ids(user, company)
        documents = []
        for name in sorted(self._get_absence_documents()):
            if name not in self.env:
                continue
            document = Domain("res_model", "=", name)
            if "company_id" in self.env[name]._fields:
                # sudo and archived ones: the job moves what is due, wherever it is
                Document = self.env[name].sudo().with_context(active_test=False)
                query = Document._search([("company_id", "in", companies)])
                document &= Domain("res_id", "in", query)
            documents.append(document)
        interactions = (
            self.env["crm.interaction"]
            .sudo()
            ._search([("activity_id", "!=", False), ("state", "in", PENDING_STATES)])
        )
        return (
            Domain("user_id", "=", user.id)
            & Domain("date_deadline", "<=", last)
            & Domain.OR(documents)
            & Domain("id", "not in", interactions.subselect("activity_id"))
        )

    def _give_absence_work(self, giver, taker):
        # one message tells of all of them
        quiet = self.with_context(mail_activity_quick_update=True)
        return super(MailActivity, quiet)._give_absence_work(giver, taker)

    def _filter_absence_givable(self, taker):
        """Those on documents that the substitute may read."""
        readable = set()
        companies = taker.company_ids.ids
        for name, activities in self.grouped("res_model").items():
            documents = self.env[name].with_user(taker).browse(activities.mapped("res_id"))
            documents = documents.with_context(allowed_company_ids=companies, active_test=False)
            readable |= {
                (name, res_id) for res_id in documents.exists()._filtered_access("read").ids
            }
        return self.filtered(lambda row: (row.res_model, row.res_id) in readable)

    def _get_absence_name(self):
        name = self.summary or self.activity_type_id.name or ""
        return f"{name}: {self.res_name}" if self.res_name else name
