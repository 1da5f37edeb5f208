from odoo import api, models
from odoo.fields import Command, Domain
from odoo.tools import SQL


class CrmAbsence(models.Model):
    """Claims, investigations and their tasks go to a substitute, too.

    Claims first: who has the claim may read the activities on it.
    """

    _inherit = "crm.absence"

    @api.model
    def _get_work_models(self):
        claims = ["crm.claim", "crm.claim.investigation", "project.task"]
        return claims + super()._get_work_models()


class CrmClaim(models.Model):
    """All open claims: a client who complains does not wait until somebody is back.

    They go to people who handle claims, and never to somebody who is accused in them.
    """

    _name = "crm.claim"
    _inherit = ["crm.claim", "crm.absence.work"]

    @api.model
    def _get_absence_open_domain(self):
        return Domain("is_open", "=", True)

    def _filter_absence_givable(self, taker):
        if not taker.has_group("crm_claims.crm_claims_group_user"):
            return self.browse()
        return self.filtered(lambda claim: taker not in claim.fault_ids.accused_user_id)


class CrmClaimInvestigation(models.Model):
    """Investigations that are not finished."""

    _name = "crm.claim.investigation"
    _inherit = ["crm.claim.investigation", "crm.absence.work"]

    @api.model
    def _get_absence_open_domain(self):
        return Domain("state", "in", ("draft", "running", "review"))

    def _filter_absence_givable(self, taker):
        if not taker.has_group("crm_claims.crm_claims_group_user"):
            return self.browse()
        return self.filtered(
            lambda record: taker not in record.claim_ids.fault_ids.accused_user_id
            and taker != record.approver_id
        )


class ProjectTask(models.Model):
    """Steps of investigations that are due before who is away comes back, or at no given time."""

    _name = "project.task"
    _inherit = ["project.task", "crm.absence.work"]

    @api.model_create_multi
    def create(self, vals_list):
        tasks = super().create(vals_list)
        tasks.filtered("claim_investigation_id")._hand_over_at_once()
        return tasks

    @api.model
    def _get_absence_user_field(self):
        return "user_ids"

    @api.model
    def _get_absence_open_domain(self):
        return Domain("claim_investigation_id", "!=", False) & Domain(
            "state", "not in", ("1_done", "1_canceled")
        )

    @api.model
    def _get_absence_due_domain(self, user, company, until):
        domain = super()._get_absence_due_domain(user, company, until)
        return domain & (Domain("date_deadline", "=", False) | Domain("date_deadline", "<", until))

    def _give_absence_work(self, giver, taker):
        self.write({"user_ids": [Command.unlink(giver.id), Command.link(taker.id)]})


class MailActivity(models.Model):
    """Activities on investigations and measures."""

    _inherit = "mail.activity"

    @api.model
    def _get_absence_documents(self):
        return super()._get_absence_documents() | {"crm.claim.investigation", "crm.claim.measure"}


class ResUsers(models.Model):
    """The head of an employee is named in the staff: his manager, else that of his department."""

    _inherit = "res.users"

    def _get_head_candidates(self):
        employees = self.employee_ids
        return [
            *employees.parent_id.user_id,
            *employees.department_id.manager_id.user_id,
            *super()._get_head_candidates(),
        ]


class CrmOverdue(models.Model):
    """Late steps of investigations are told to who owns them, too.

    The lead of the investigation and the leader of the team hear of them there; claims have
    deadlines and alarms of their own.
    """

    _inherit = "crm.overdue"

    @api.model
    def _get_overdue_queries(self, now):
        return super()._get_overdue_queries(now) | {
            "project.task": SQL(
                """SELECT t.id AS res_id, t.date_deadline AS date_due,
                          MIN(owner.user_id) AS user_id, t.company_id
                     FROM project_task t
                     JOIN crm_claim_investigation i ON i.id = t.claim_investigation_id
                     JOIN project_task_user_rel owner ON owner.task_id = t.id
                    WHERE i.state = 'running' AND t.active AND t.company_id IS NOT NULL
                      AND t.state NOT IN ('1_done', '1_canceled') AND t.date_deadline < %s
                    GROUP BY t.id""",
                now,
            )
        }
