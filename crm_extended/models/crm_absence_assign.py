from odoo import api, fields, models

from .crm_interaction import PENDING_STATES


class CrmAbsence(models.Model):
    """Nothing is assigned to somebody away: what would be goes to the substitute at once.

    What somebody plans for himself stays with him, wherever he is; and so does what is due only
    after his return. What went to the substitute is in the log, and comes back if still open. What
    is given to him later, by whomever and on whatever road, goes on to the substitute, too
    (`crm.absence.work`).
    """

    _inherit = "crm.absence"

    @api.model
    def _find_redirection(self, cover, user_id, company_id, due=None):
        """The Cover of who has to have new work instead of a user, or None.

        :param dict cover: see `_get_cover`
        :param company_id: of the work; False for work of no company
        :param datetime due: when it is due (naive, UTC); None for at once
        """
        if not user_id or user_id == self.env.uid:
            return None
        if not company_id:
            # sudo: the main company of a colleague
            company_id = self.env["res.users"].browse(user_id).sudo().company_id.id
        found = cover.get((company_id, user_id))
        if not found or not found.holder or (due and due >= found.until):
            return None
        return found

    @api.model
    def _log_redirections(self, redirected):
        """Note that new work went to a substitute.

        :param redirected: list of (record, id of the user it was meant for, Cover)
        """
        users = self.env["res.users"]
        # sudo: the log is written by the system only
        self_sudo = self.sudo()
        for record, user_id, found in redirected:
            owners = {
                users.browse(user_id): (
                    found.absence,
                    self_sudo.browse(found.absence).company_id.id,
                )
            }
            moves = [(record.sudo(), users.browse(user_id), users.browse(found.holder))]
            self_sudo._log_transfers(moves, owners, fields.Datetime.now())

    @api.model
    def _give_again(self, records, user):
        """What was handed over, and is given to who is away again, goes back to where it was.

        What a substitute had for somebody else is given away by hand with it.

        :param records: work of one model, under sudo
        :param user: who is away and has got it
        :return: those of the records that are dealt with
        """
        transfers = self.env["crm.absence.transfer"].search(
            [("res_model", "=", records._name), ("res_id", "in", records.ids),
             ("state", "=", "open")]
        )  # fmt: skip
        same = transfers.filtered(lambda row: row.user_id == user)
        (transfers - same).write({"state": "kept", "date_end": fields.Datetime.now()})
        dealt = records.browse()
        for substitute, rows in same.grouped("substitute_id").items():
            mine = records.browse(rows.mapped("res_id"))
            mine._give_absence_work(user, substitute)
            dealt |= mine
        return dealt


class CrmInteraction(models.Model):
    """What arrives for, or is planned for, somebody who is away."""

    _inherit = "crm.interaction"

    @api.model_create_multi
    def create(self, vals_list):
        redirected = {}
        pending = [
            (position, vals)
            for position, vals in enumerate(vals_list)
            if vals.get("state") in PENDING_STATES and not vals.get("calendar_event_id")
        ]
        Absence = self.env["crm.absence"]
        cover = Absence._get_cover() if pending else {}
        if cover:
            vals_list = [{**vals} for vals in vals_list]
            for position, __ in pending:
                vals = vals_list[position]
                due = vals["state"] != "new" and fields.Datetime.to_datetime(
                    vals.get("date_deadline") or vals.get("date_start")
                )
                company_id = vals.get("company_id", self.env.company.id)
                user_id = vals.get("user_id", self.env.context.get("default_user_id"))
                found = Absence._find_redirection(cover, user_id, company_id, due)
                if found:
                    redirected[position] = user_id, found
                    vals["user_id"] = found.holder
        interactions = super().create(vals_list)
        Absence._log_redirections(
            [(interactions[position], *rest) for position, rest in redirected.items()]
        )
        return interactions

    @api.model
    def _prepare_contact_values(self, contact, chain, parent, usable):
        values = super()._prepare_contact_values(contact, chain, parent, usable)
        if values["state"] == "new" and contact["user"]:
            company = self.env["res.company"].browse(values["company_id"])
            values["user_id"] = contact["user"]._get_available_user(company=company).id
        return values

    @api.model
    def _record_contact(self, contact, savepoint=None):
        interaction = super()._record_contact(contact, savepoint)
        user = contact["user"]
        if interaction.state == "new" and user and interaction.user_id != user:
            Absence = self.env["crm.absence"]
            found = Absence._get_cover().get((interaction.company_id.id, user.id))
            if found and found.holder == interaction.user_id.id:
                Absence._log_redirections([(interaction, user.id, found)])
        return interaction


class MailActivity(models.Model):
    """What a plan, a rule or a colleague plans for somebody who is away."""

    _inherit = "mail.activity"

    @api.model_create_multi
    def create(self, vals_list):
        Absence = self.env["crm.absence"]
        others = [vals for vals in vals_list if vals.get("user_id", self.env.uid) != self.env.uid]
        cover = Absence._get_cover() if others else {}
        if not cover:
            return super().create(vals_list)
        vals_list = [{**vals} for vals in vals_list]
        companies = self._get_document_companies(vals_list)
        redirected = {}
        for position, vals in enumerate(vals_list):
            if position not in companies:
                continue
            user_id = vals.get("user_id")
            found = Absence._find_redirection(cover, user_id, companies[position])
            day = fields.Date.to_date(vals.get("date_deadline"))
            if found and (not day or day <= found.until.date()):
                redirected[position] = user_id, found
        self._drop_unreadable(redirected, vals_list)
        for position, (__, found) in redirected.items():
            vals_list[position]["user_id"] = found.holder
        activities = super().create(vals_list)
        Absence._log_redirections(
            [(activities[position], *rest) for position, rest in redirected.items()]
        )
        return activities

    @api.model
    def _drop_unreadable(self, redirected, vals_list):
        """Leave activities where they are whose document the substitute may not read."""
        for position, (__, found) in [*redirected.items()]:
            holder = self.env["res.users"].browse(found.holder)
            # sudo: companies of a colleague
            document = self.env[self._get_document_model(vals_list[position])].with_user(holder)
            document = document.with_context(allowed_company_ids=holder.sudo().company_ids.ids)
            if not document.browse(vals_list[position]["res_id"]).has_access("read"):
                del redirected[position]

    @api.model
    def _get_document_model(self, vals):
        if vals.get("res_model") or not vals.get("res_model_id"):
            return vals.get("res_model")
        # sudo: names of models
        return self.env["ir.model"].sudo().browse(vals["res_model_id"]).model

    @api.model
    def _get_document_companies(self, vals_list):
        """Companies of the documents of new activities.

        :return: dict position in the list → company id or False; only documents whose activities
            go to a substitute
        """
        by_model = {}
        suite = self._get_absence_documents() - {"crm.absence"}
        for position, vals in enumerate(vals_list):
            name = self._get_document_model(vals)
            if name in suite and vals.get("res_id"):
                by_model.setdefault(name, {})[position] = vals["res_id"]
        companies = {}
        for name, positions in by_model.items():
            # sudo: which company it is, whoever plans
            documents = self.env[name].sudo().browse(list(positions.values())).exists()
            found = {
                document.id: document.company_id.id if "company_id" in document._fields else False
                for document in documents
            }
            companies |= {
                position: found[res_id] for position, res_id in positions.items() if res_id in found
            }
        return companies


class CrmLead(models.Model):
    """A deal that nobody has assigned in person, from a mail or a form, goes to who is there.

    A deal that a colleague gives to somebody keeps its responsible: it lasts longer than an
    absence, and what is due of it goes to the substitute.
    """

    _inherit = "crm.lead"

    @api.model_create_multi
    def create(self, vals_list):
        cover = {}
        if self.env.is_superuser() or self.env.user._is_public():
            cover = self.env["crm.absence"]._get_cover()
        if cover:
            vals_list = [{**vals} for vals in vals_list]
            for vals in vals_list:
                found = self.env["crm.absence"]._find_redirection(
                    cover, vals.get("user_id"), vals.get("company_id")
                )
                if found:
                    vals["user_id"] = found.holder
        return super().create(vals_list)


class CrmTeamMember(models.Model):
    """Odoo's distribution of leads gives nothing to who is away."""

    _inherit = "crm.team.member"

    def _get_assignment_quota(self, force_quota=False):
        quota = super()._get_assignment_quota(force_quota)
        if quota > 0:
            away = {user_id for __, user_id in self.env["crm.absence"]._get_cover()}
            if self.user_id.id in away:
                return 0
        return quota
