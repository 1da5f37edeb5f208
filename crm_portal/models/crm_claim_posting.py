import base64
import binascii
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError

from .crm_claim_filing import PortalFormError


class CrmClaim(models.Model):
    """What customers may write into the discussion of a claim, whichever road they take.

    Pages, Odoo's own discussion routes and remote calls all end in ``message_post``: there a
    customer's message is cut down to his words and files, stands under his own name, and passes
    the same checks of number, size and content as the files of the form. What was written on a
    claim is evidence: he cannot change or delete it afterwards.
    """

    _inherit = "crm.claim"

    def message_post(self, **kwargs):
        is_mail = self.env.su and kwargs.get("message_type") == "email"  # not refused: kept
        if not self.env.user.share or is_mail:
            return super().message_post(**kwargs)
        self.ensure_one()
        self._portal_check_post_rate(kwargs.get("author_id"))
        self._portal_check_post_files(kwargs)
        if self.env.su:
            return super().message_post(**kwargs)
        # a remote call: nobody but the caller speaks, to everybody who follows, in plain words
        self.check_access("read")
        kwargs = {
            key: kwargs[key] for key in ("body", "attachments", "attachment_ids") if key in kwargs
        }
        # sudo: customers do not create messages; the claim is his, and the values are ours
        return super(CrmClaim, self.sudo()).message_post(
            **kwargs,
            author_id=self.env.user.partner_id.id,
            message_type="comment",
            subtype_xmlid="mail.mt_comment",
        )

    def _portal_check_post_rate(self, author_id=None):
        """Refuse a customer who writes on one claim faster than the company allows."""
        # sudo: his messages of the last hour are counted, none is shown
        limit = self.sudo().company_id.portal_messages_per_hour
        author_id = author_id or self.env.user.partner_id.id
        recent = (
            self.env["mail.message"]
            .sudo()
            .search_count(
                [
                    ("model", "=", self._name),
                    ("res_id", "=", self.id),
                    ("author_id", "=", author_id),
                    ("date", ">", fields.Datetime.now() - timedelta(hours=1)),
                ],
                limit=limit + 1,
            )
        )
        if recent >= limit:
            raise PortalFormError(
                {
                    "form": self.env._(
                        "You have written %(count)s times within the last hour, which is as often"
                        " as we accept. Please try again later.",
                        count=recent,
                    )
                    if limit
                    else self.env._(
                        "Messages cannot be sent here at the moment. Please write or call us."
                    )
                }
            )

    def _portal_check_post_files(self, kwargs):
        """Look into the files of a message, whoever has stored them."""
        contents = []
        for name, content, *__ in kwargs.get("attachments") or []:
            if isinstance(content, str):
                try:
                    content = base64.b64decode(content, validate=True)
                except (binascii.Error, ValueError):
                    content = content.encode()
            contents.append((str(name), content))
        # sudo: whether he may attach them is checked by Odoo; here only what they are
        attachments_sudo = (
            self.env["ir.attachment"].sudo().browse(kwargs.get("attachment_ids") or []).exists()
        )
        contents += [(attachment.name, attachment.raw or b"") for attachment in attachments_sudo]
        if contents:
            self._portal_check_contents(contents, self.sudo().company_id)

    @api.model
    def _get_allowed_message_params(self):
        """A customer's message is a comment, whatever his browser calls it."""
        allowed = super()._get_allowed_message_params()
        return allowed - {"message_type"} if self.env.user.share else allowed

    def _message_update_content(self, message, /, **kwargs):
        if self.env.user.share:
            raise AccessError(self.env._("What was written on a claim cannot be changed."))
        return super()._message_update_content(message, **kwargs)
