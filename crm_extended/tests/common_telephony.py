import json
from datetime import datetime, timedelta, timezone

from odoo import Command
from odoo.tests import HttpCase

from .common_interaction import InteractionCommon

EVENTS_URL = "/crm_extended/telephony/v1/events"
NUMBER = "+37167000301"  # of the client company
OWN_NUMBER = "+37167000100"


class TelephonyCase(InteractionCommon, HttpCase):
    """An exchange with the lines of two salespeople, and its calls over HTTP."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.latvia = cls.env.ref("base.lv")
        cls.company.country_id = cls.latvia
        cls.provider = cls.env["crm.telephony.provider"].create(
            {
                "name": "Exchange",
                "company_id": cls.company.id,
                "country_id": cls.latvia.id,
                "line_ids": [
                    Command.create({"number": "101", "user_id": cls.user_sales.id}),
                    Command.create({"number": "102", "user_id": cls.user_sales2.id}),
                    Command.create({"number": "Anna-Phone", "user_id": cls.user_sales2.id}),
                ],
            }
        )
        cls.token = cls.provider._generate_token()
        cls.start = datetime.now(timezone.utc).replace(microsecond=0) - timedelta(minutes=2)

    def _event(self, kind, second=0, call_id="call-1", **values):
        return {
            "event": kind,
            "call_id": call_id,
            "timestamp": (self.start + timedelta(seconds=second)).isoformat(),
            **values,
        }

    def _ringing(self, second=0, number=NUMBER, extension="101", direction="in", **values):
        ends = (number, OWN_NUMBER) if direction == "in" else (extension, number)
        ends = dict(zip(("from", "to"), ends, strict=True))
        return self._event(
            "ringing", second, direction=direction, extension=extension, **ends, **values
        )

    def _post(self, body, token=None, headers=None):
        """Send a body as it is, or as JSON.

        :return: the response
        """
        self.env.flush_all()
        data = body if isinstance(body, bytes | str) else json.dumps(body)
        headers = {
            "Content-Type": "application/json",
            "Authorization": f"Bearer {self.token if token is None else token}",
            **(headers or {}),
        }
        response = self.url_open(EVENTS_URL, data=data, headers=headers)
        self.env.invalidate_all()
        return response

    def _send(self, *events):
        """Send events one by one; all must be taken.

        :return: what became of each
        """
        statuses = []
        for event in events:
            response = self._post(event)
            self.assertEqual(response.status_code, 200, response.text)
            statuses += [result["status"] for result in response.json()["results"]]
        return statuses

    def _get_call(self, call_id="call-1"):
        return self.env["crm.telephony.call"].search(
            [("provider_id", "=", self.provider.id), ("uid", "=", call_id)]
        )

    def _get_interaction(self, call_id="call-1"):
        uid = f"{self.provider.id}:{call_id}"
        return self.env["crm.interaction"].search([("call_uid", "=", uid)])

    def _get_messages(self, user):
        """Bus messages about calls to a user, the oldest first."""
        channel = json.dumps(
            [self.env.cr.dbname, "res.partner", user.partner_id.id], separators=(",", ":")
        )
        messages = self.env["bus.bus"].search([("channel", "=", channel)], order="id")
        messages = [json.loads(message) for message in messages.mapped("message")]
        return [m["payload"] for m in messages if m["type"] == "crm_extended.call"]
