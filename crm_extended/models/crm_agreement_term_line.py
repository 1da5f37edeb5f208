from odoo import api, fields, models


class CrmAgreementTermLine(models.AbstractModel):
    """A line of agreed terms: it changes only while its agreement is a draft.

    Models that inherit it say what a line is about (:meth:`_get_target`), which of its fields are
    taken over by derived agreements and new versions (:meth:`_get_copied_fields`), and how it reads
    (:meth:`_get_target_label`, :meth:`_get_value_label`).
    """

    _name = "crm.agreement.term.line"
    _description = "Line of Agreed Terms"
    _order = "agreement_id, id"
    _check_company_auto = True

    agreement_id = fields.Many2one(
        "crm.agreement", required=True, ondelete="cascade", index=True, check_company=True
    )
    company_id = fields.Many2one(related="agreement_id.company_id", store=True, index=True)

    @api.model_create_multi
    def create(self, vals_list):
        self.browse().check_access("create")
        self.env["crm.agreement"].browse(
            {vals["agreement_id"] for vals in vals_list if vals.get("agreement_id")}
        )._check_term_lines_unlocked()
        return super().create(vals_list)

    def write(self, vals):
        self.check_access("write")
        agreements = self.agreement_id
        if vals.get("agreement_id"):
            agreements |= agreements.browse(vals["agreement_id"])
        agreements._check_term_lines_unlocked()
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_locked(self):
        self.agreement_id._check_term_lines_unlocked()

    @api.model
    def _get_copied_fields(self):
        """Names of the fields that make up the line."""
        raise NotImplementedError

    def _get_target(self):
        """What the line is about, as a key that can be compared between agreements."""
        raise NotImplementedError

    def _get_target_label(self):
        """The same in words."""
        raise NotImplementedError

    def _get_value_label(self):
        """What was agreed on it, in words."""
        raise NotImplementedError

    def _prepare_copy_values(self):
        self.ensure_one()
        values = {}
        for name in self._get_copied_fields():
            value = self[name]
            values[name] = value.id if self._fields[name].type == "many2one" else value
        return values
