from odoo import http
from odoo.addons.mail.controllers.attachment import AttachmentController
from odoo.http import request

from ..models.crm_claim_filing import PortalFormError


class PortalClaimAttachments(AttachmentController):
    """Files that customers add in the discussion of a claim pass the same checks as the form."""

    @http.route()
    def mail_attachment_upload(
        self, ufile=None, thread_id=None, thread_model=None, is_pending=False, **kwargs
    ):
        if request.env.user.share and not (
            hasattr(ufile, "stream")
            and thread_model in request.env
            and str(thread_id).isascii()
            and str(thread_id).isdigit()
        ):
            raise request.not_found()  # Odoo would answer with an error of its own
        if thread_model == "crm.claim" and request.env.user.share:
            claims = request.env["crm.claim"]
            try:
                claims._portal_check_files([ufile], request.env.company)
            except PortalFormError as error:
                return request.make_json_response({"error": error.args[0]})
            ufile.stream.seek(0)
        return super().mail_attachment_upload(
            ufile, thread_id, thread_model, is_pending=is_pending, **kwargs
        )
