from odoo.http import Controller, request, route
from odoo.tools import verify_hash_signed

from ..models.crm_manager_mail import KINDS, UNSUBSCRIBE_SCOPE


class ManagerMailController(Controller):
    """Unsubscribe from a mail by the link in it, without logging in.

    Looking at the page changes nothing, so that programs which open every link of a mail do not
    unsubscribe anybody; the button does, and so does the one click of a mail program (RFC 8058).
    """

    @route("/crm_extended/mails/unsubscribe", type="http", auth="public", methods=["GET"],
           readonly=True)  # fmt: skip
    def unsubscribe_page(self, token="", **_kwargs):
        user, kind = self._read_token(token)
        return self._render(user, kind, token, done=bool(user) and not user[f"crm_mail_{kind}"])

    # the signature of the link is what authorises; a mail program that posts has no session
    @route("/crm_extended/mails/unsubscribe", type="http", auth="public", methods=["POST"],
           csrf=False)  # fmt: skip
    def unsubscribe(self, token="", **_kwargs):
        user, kind = self._read_token(token)
        if user:
            user[f"crm_mail_{kind}"] = False
        return self._render(user, kind, token, done=bool(user))

    def _render(self, user, kind, token, done):
        response = request.render(
            "crm_extended.manager_mail_unsubscribe",
            {
                "user": user,
                "kind": dict(KINDS).get(kind),
                "token": token,
                "done": done,
            },
        )
        if not user:
            response.status_code = 404
        return response

    def _read_token(self, token):
        """(user under sudo, kind) of a link; (None, None) if it was not made by us."""
        # sudo: the secret of the database checks the link, whose owner is not logged in
        env_sudo = request.env(su=True)
        try:
            values = verify_hash_signed(env_sudo, UNSUBSCRIBE_SCOPE, token)
        except (ValueError, IndexError, TypeError):
            values = None
        if not values or values[1] not in dict(KINDS):
            return None, None
        user_sudo = env_sudo["res.users"].browse(values[0]).exists()
        return (user_sudo, values[1]) if user_sudo else (None, None)
