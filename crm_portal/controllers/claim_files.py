from odoo import http
from odoo.http import request

from .claims import PortalClaims

#: what a browser may show by itself; everything else is only ever downloaded
PICTURE_TYPES = ("image/jpeg", "image/png", "image/gif", "image/webp")
THUMBNAIL = 256


class PortalClaimFiles(PortalClaims):
    """Photos and files in the discussion of a claim.

    They are handed out here and not by tokens of their own, so that a link that was revoked opens
    no file either.
    """

    @http.route(
        "/my/claims/<int:claim_id>/files/<int:attachment_id>",
        type="http",
        auth="public",
        website=True,
        methods=["GET"],
        readonly=True,
    )
    def portal_claim_attachment(
        self, claim_id, attachment_id, access_token=None, thumb=None, **kwargs
    ):
        claim_sudo, __ = self._open_claim(claim_id, access_token)
        if not claim_sudo:
            raise request.not_found()
        attachment_sudo = claim_sudo._portal_get_messages().attachment_ids.filtered(
            lambda attachment: attachment.id == attachment_id and attachment.type == "binary"
        )
        if not attachment_sudo:
            raise request.not_found()
        binary = request.env["ir.binary"]
        is_picture = attachment_sudo.mimetype in PICTURE_TYPES
        if thumb and is_picture:
            stream = binary._get_image_stream_from(
                attachment_sudo, width=THUMBNAIL, height=THUMBNAIL
            )
            response = stream.get_response()
        else:
            response = binary._get_stream_from(attachment_sudo).get_response(as_attachment=True)
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Cache-Control"] = "private, no-cache"
        return response
