from odoo.addons.portal.controllers.mail import MailController
from odoo.http import request


class PortalMail(MailController):
    """Odoo's own link to a document leads to the page of the claim, which knows its links."""

    @classmethod
    def _redirect_to_record(cls, model, res_id, access_token=None, **kwargs):
        user = request.env["res.users"].browse(request.session.uid)
        if model == "crm.claim" and res_id and access_token and not (user and user._is_internal()):
            return request.redirect_query(
                f"/my/claims/{int(res_id)}", {"access_token": access_token}
            )
        return super()._redirect_to_record(model, res_id, access_token=access_token, **kwargs)
