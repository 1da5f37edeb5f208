import json
import logging
from datetime import datetime, timezone

from odoo import SUPERUSER_ID
from odoo.http import Controller, request, route
from odoo.tools.misc import file_open

from ..tools.telephony_event import EventError, parse_events

_logger = logging.getLogger(__name__)

MAX_BYTES = 256 * 1024
JSON = "application/json"
SCHEMA = "crm_extended/static/telephony/events.v1.schema.json"


def _get_form_limit(_controller):
    """Odoo reads forms by itself before we are asked; other bodies are limited by `_read_body`."""
    return None if request.httprequest.mimetype == JSON else MAX_BYTES


class TelephonyController(Controller):
    """Where telephone exchanges report their calls.

    Neither tokens nor numbers nor addresses of recordings are logged or sent back.
    """

    @route(
        "/crm_extended/telephony/v1/events",
        type="http",
        auth="none",
        methods=["POST"],
        csrf=False,
        save_session=False,
        readonly=False,
        max_content_length=_get_form_limit,
    )
    def telephony_events(self, **_kwargs):
        """Take one event or a list of events; `telephony_schema` describes the body.

        :return: 200 and what became of each event, or an error with its code, field and message
        """
        # there is no user: what belongs to a provider is looked up by its token
        env = request.env(user=SUPERUSER_ID)
        provider_sudo, in_force = env["crm.telephony.provider"]._authenticate(self._get_token())
        if not in_force:
            if provider_sudo:
                provider_sudo._log_limited("token_refused", "The token was revoked.")
            return self._refuse(
                401,
                "unauthorized",
                "Send a valid token: Authorization: Bearer <token>.",
                headers=[("WWW-Authenticate", "Bearer")],
            )
        # before anything is read, and again when it is known how many events there are
        if delay := provider_sudo._get_rate_delay():
            return self._refuse_for_now(provider_sudo, delay)
        try:
            events = parse_events(self._read_body(), datetime.now(timezone.utc))
        except RefusedBody as error:
            provider_sudo._log_request("refused", 1, error.code, error.message)
            return self._refuse(error.status, error.code, error.message)
        except EventError as error:
            provider_sudo._log_request("refused", 1, "invalid_field", str(error))
            return self._refuse(422, "invalid_field", error.message, field=error.field)
        if delay := provider_sudo._admit(len(events)):
            return self._refuse_for_now(provider_sudo, delay)
        results = env["crm.telephony.call"]._receive(provider_sudo.id, events)
        return request.make_json_response(
            {
                "results": [
                    {"call_id": event.call_id, "event": event.kind, "status": status}
                    for event, status in zip(events, results, strict=True)
                ]
            }
        )

    @route(
        "/crm_extended/telephony/v1/schema",
        type="http",
        auth="none",
        methods=["GET"],
        save_session=False,
        readonly=True,
    )
    def telephony_schema(self, **_kwargs):
        """The JSON schema of the events."""
        with file_open(SCHEMA, "rb") as schema:
            return request.make_response(
                schema.read(), [("Content-Type", "application/schema+json; charset=utf-8")]
            )

    def _get_token(self):
        scheme, _space, token = request.httprequest.headers.get("Authorization", "").partition(" ")
        return token.strip() if scheme.lower() == "bearer" else ""

    def _read_body(self):
        """Decode the body of the request.

        :raise RefusedBody: if it is no JSON, or too long
        """
        httprequest = request.httprequest
        if httprequest.mimetype != JSON:
            raise RefusedBody(415, "unsupported_media_type", f"Send {JSON}.")
        # without a length there is no body either: the server reads as far as it is told
        if (httprequest.content_length or 0) > MAX_BYTES:
            raise RefusedBody(413, "too_large", f"A request has at most {MAX_BYTES} bytes.")
        try:
            raw = httprequest.get_data()
            return json.loads(raw.decode("utf-8"), parse_constant=self._refuse_constant)
        except (ValueError, RecursionError) as error:
            message = "The body is not valid JSON in UTF-8."
            raise RefusedBody(400, "invalid_json", message) from error

    def _refuse_for_now(self, provider_sudo, delay):
        """Tell an exchange that reports too much to wait.

        :param int delay: seconds
        """
        provider_sudo._log_limited(
            "too_many_requests", f"More than {provider_sudo.rate_limit} events in a minute."
        )
        return self._refuse(
            429,
            "too_many_requests",
            f"Wait {delay} seconds.",
            headers=[("Retry-After", str(delay))],
        )

    def _refuse_constant(self, name):
        raise ValueError(name)  # NaN and Infinity are no JSON

    def _refuse(self, status, code, message, field=None, headers=()):
        error = {"code": code, "message": message}
        if field:
            error["field"] = field
        _logger.info("Telephony: request refused (%s)", code)
        return request.make_json_response({"error": error}, headers=list(headers), status=status)


class RefusedBody(Exception):
    """A body that is not read.

    :param int status: HTTP status
    :param str code: code of the error, for programs
    :param str message: for people
    """

    def __init__(self, status, code, message):
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
