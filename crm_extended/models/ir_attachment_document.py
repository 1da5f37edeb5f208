from odoo import SUPERUSER_ID, api, models
from odoo.exceptions import UserError

#: where a generated document keeps which template it was made from
TEMPLATE_MARK = "crm.document.template,"
#: which record a file belongs to
OWNER_FIELDS = frozenset({"res_model", "res_id", "res_field"})


class IrAttachment(models.Model):
    """Papers that were generated or approved stay as they are.

    - A document that was generated from a template is a version: it is neither overwritten nor
      deleted, a new version is generated instead.
    - Files of a contract that left the draft are what the lawyers look at and what the client got:
      those that were there when it was approved are locked as well, and no older file is moved
      among them. Later ones (a scan of the signed paper) may be added and removed.

    Deleting the record itself takes its files along, as always.
    """

    _inherit = "ir.attachment"

    # what makes a file the file it is
    _paper_fields = frozenset(
        {
            "raw",
            "datas",
            "db_datas",
            "store_fname",
            "checksum",
            "url",
            "type",
            "mimetype",
            "name",
            "description",
            "res_model",
            "res_id",
            "res_field",
        }
    )

    def write(self, vals):
        # the chatter moves what somebody has uploaded to the record with all rights
        names = OWNER_FIELDS if self.env.su else self._paper_fields
        changed = {name: vals[name] for name in names & vals.keys()}
        if changed and self.env.uid != SUPERUSER_ID:
            touched = self.filtered(lambda file: file._is_changed_by(changed))
            if not self.env.su:
                touched._check_papers_unlocked()
            touched._check_papers_not_moved(vals)
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_papers(self):
        if not self.env.su:
            self._check_papers_unlocked()

    def _delete_and_notify(self, message=None):
        # the chatter deletes with all rights, once it knows that one may write the file
        self._check_papers_unlocked()
        return super()._delete_and_notify(message)

    def _is_changed_by(self, vals):
        return any(name not in self._fields or self[name] != vals[name] for name in vals)

    def _is_generated_document(self):
        self.ensure_one()
        return bool(self.res_id and (self.description or "").startswith(TEMPLATE_MARK))

    def _get_contract(self):
        """The contract that this file belongs to, under sudo; may be empty."""
        # sudo: what is locked does not depend on who looks
        contracts_sudo = self.env["crm.agreement.contract"].sudo()
        if self.res_model != contracts_sudo._name or not self.res_id or self.res_field:
            return contracts_sudo
        return contracts_sudo.browse(self.res_id).exists()

    def _check_papers_unlocked(self):
        """:raise UserError: naming the first file that has to stay as it is"""
        for file in self.sudo():
            if file._is_generated_document():
                raise UserError(
                    self.env._(
                        "“%s” is a version that was generated: generate a new one instead.",
                        file.name,
                    )
                )
            contract = file._get_contract()
            if contract._is_paper_locked(file):
                raise UserError(
                    self.env._(
                        "“%(file)s” is part of contract %(contract)s as it was sent to the "
                        "lawyers: return the contract to draft or prepare a new one.",
                        file=file.name,
                        contract=contract.name,
                    )
                )

    def _check_papers_not_moved(self, vals):
        """:raise UserError: when an old file would get among those that were approved"""
        if not vals.keys() & OWNER_FIELDS:
            return
        for file in self.sudo():
            owner = {name: vals.get(name, file[name]) for name in ("res_model", "res_id")}
            if owner["res_model"] != "crm.agreement.contract" or not owner["res_id"]:
                continue
            # sudo: as above
            contract_sudo = self.env[owner["res_model"]].sudo().browse(owner["res_id"]).exists()
            if contract_sudo.approved_on and file.create_date <= contract_sudo.approved_on:
                raise UserError(
                    self.env._(
                        "Contract %(contract)s was approved without “%(file)s”: upload the file "
                        "anew.",
                        contract=contract_sudo.name,
                        file=file.name,
                    )
                )


class CrmAgreementContract(models.Model):
    _inherit = "crm.agreement.contract"

    def _is_paper_locked(self, file):
        """Whether a file of this contract is one that was approved or waits for it.

        :param file: `ir.attachment` of this contract; the contract may be empty
        """
        if not self or self.state == "draft":
            return False
        return (
            file == self.document_id or not self.approved_on or file.create_date <= self.approved_on
        )
