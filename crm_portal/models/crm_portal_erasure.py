from odoo import fields, models
from odoo.exceptions import AccessError, UserError


class CrmPortalChange(models.Model):
    """A customer asks to have his personal data erased.

    Approving, which takes a sales administrator, anonymises the card of the person: name, addresses
    and numbers go, the access to the portal is closed and cannot be used again, and what is left is
    archived. Documents stay: invoices, orders and claims are kept as the law wants them, without
    him where they spoke of him (`crm_portal_erasure_traces.py`). The card of somebody in whose own
    name invoices were posted keeps its name and address, because the invoices show them. Where
    Odoo's privacy register is installed, the erasure is entered there.
    """

    _inherit = "crm.portal.change"

    def _apply(self):
        if self.kind != "erasure":
            return super()._apply()
        self.ensure_one()
        if not self.env.user.has_group("sales_team.group_sale_manager"):
            raise AccessError(self.env._("Personal data are erased by sales administrators."))
        # sudo: the user of the portal is closed, and the register written, on their behalf
        partner_sudo = self.partner_id.sudo()
        users_sudo = partner_sudo.with_context(active_test=False).user_ids
        if not all(user.share for user in users_sudo) or partner_sudo.is_company:
            raise UserError(
                self.env._("Only the personal data of a customer's contact can be erased here.")
            )
        self._log_privacy(partner_sudo)
        for user_sudo in users_sudo:
            user_sudo.sudo().write(
                {"active": False, "login": f"__erased_user_{user_sudo.id}", "password": ""}
            )
            user_sudo.api_key_ids._remove()
        self.partner_id.check_access("write")
        values = self._prepare_erased_values(partner_sudo)
        replacements = self._prepare_replacements(partner_sudo, values)
        partner_sudo.with_context(tracking_disable=True).write(values)
        self._erase_traces(partner_sudo, replacements)
        # what was told of him in other requests
        self.sudo().search(
            [("partner_id", "=", partner_sudo.id), ("kind", "!=", "erasure")]
        ).line_ids.unlink()
        return None

    def _prepare_erased_values(self, partner_sudo):
        values = dict.fromkeys(
            (
                "email",
                "phone",
                "function",
                "website",
                "comment",
                "image_1920",
                "crm_birthdate",
                "birthday",
                "profession_id",
            ),
            False,
        )
        values["active"] = False
        is_billed = self.env["account.move"].sudo().search_count(
            [("commercial_partner_id", "=", partner_sudo.id), ("state", "=", "posted")], limit=1
        )  # fmt: skip
        if not is_billed:
            values |= {
                "name": self.env._("Erased contact %s", partner_sudo.id),
                **dict.fromkeys(
                    ("street", "street2", "zip", "city", "state_id", "country_id"), False
                ),
            }
        return {name: value for name, value in values.items() if name in partner_sudo._fields}

    def _log_privacy(self, partner_sudo):
        """Enter the erasure in Odoo's privacy register, which stores name and e-mail masked."""
        if "privacy.log" in self.env and partner_sudo.email:
            self.env["privacy.log"].sudo().create(
                {
                    "anonymized_name": partner_sudo.name,
                    "anonymized_email": partner_sudo.email,
                    "user_id": self.env.uid,
                    "execution_details": self.env._(
                        "Personal data erased on request of %(date)s",
                        date=fields.Date.to_string(self.create_date),
                    ),
                }
            )
