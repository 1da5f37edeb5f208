"""Two operators at their screens while the telephone rings.

The card comes over the web socket, which Odoo switches off in its browser tests: they run in one
transaction that is never committed. So this story commits what it does, as the server does, and
cleans up afterwards.
"""

import json
import time
import urllib.request
from contextlib import contextmanager
from datetime import datetime, timezone
from unittest.mock import patch

from odoo import SUPERUSER_ID, api
from odoo.addons.bus.models.bus import dispatch
from odoo.addons.bus.websocket import WebsocketConnectionHandler
from odoo.fields import Command
from odoo.modules.registry import DummyRLock, Registry
from odoo.service.model import retrying
from odoo.tests import BaseCase, new_test_user, tagged
from odoo.tests.common import get_db_name
from odoo.tools import config
from playwright.sync_api import expect

from .common import DESKTOP, PHONE, TIMEOUT, open_page, sign_in, start_browser

PARTNERS = ("Card Client Ltd", "Karl Card", "Kate Key", "Keyhole Works SIA", "Keyhole Works")
OPERATORS = ("call_first", "call_second")
NUMBER = "+37167555301"
STRANGER = "+37129555111"
NEWCOMER = "+37129555122"
# as he sends it while he is on the telephone
SIGNATURE = """Best regards,
Kate Key
Head of Procurement
Keyhole Works SIA
kate@keyhole.example.com, +371 29 555 122
Brivibas iela 7, Riga, LV-1010, Latvia"""
# it takes half a second; the machine of a test run may be busy with others
SECONDS = 5


@tagged("post_install", "-at_install")
class TestCallCard(BaseCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.browser = start_browser(cls)

    def setUp(self):
        super().setUp()
        # the test runner holds the lock of the registry, which the server's threads wait for
        self.patch(Registry, "_lock", DummyRLock())
        self.startPatcher(
            patch.object(WebsocketConnectionHandler, "websocket_allowed", return_value=True)
        )
        self.registry = Registry(get_db_name())
        self.addCleanup(self._clean)
        with self._database() as env:
            self._clean_database(env)
            users = [
                new_test_user(
                    env,
                    login,
                    "base.group_user,sales_team.group_sale_salesman",
                    password=login,
                    lang="en_US",
                    tz="Europe/Berlin",
                )
                for login in OPERATORS
            ]
            self.partner_ids = {user.login: user.partner_id.id for user in users}
            company = env.ref("base.main_company")
            self.client = env["res.partner"].create(
                {"name": "Card Client Ltd", "is_company": True, "phone": NUMBER}
            )
            deal = env["crm.lead"].create(
                {
                    "name": "Drills for the card client",
                    "type": "opportunity",
                    "partner_id": self.client.id,
                    "user_id": users[0].id,
                }
            )
            self.deal_id = deal.id
            provider = env["crm.telephony.provider"].create(
                {
                    "name": "Card exchange",
                    "company_id": company.id,
                    "line_ids": [
                        Command.create({"number": number, "user_id": user.id})
                        for number, user in zip(("901", "902"), users, strict=True)
                    ],
                }
            )
            self.token = provider._generate_token()

    @contextmanager
    def _database(self):
        """What the block does is committed, and seen by the server."""
        with self.registry.cursor() as cr:
            yield api.Environment(cr, SUPERUSER_ID, {})

    def _clean(self):
        with self._database() as env:
            # a browser that is closing may still write down that it was there
            retrying(lambda: self._clean_database(env), env)

    def _clean_database(self, env):
        provider = env["crm.telephony.provider"].search([("name", "=", "Card exchange")])
        calls = env["crm.telephony.call"].search([("provider_id", "in", provider.ids)])
        calls.interaction_id.chain_id.unlink()
        provider.unlink()
        env["crm.lead"].search([("name", "=", "Drills for the card client")]).unlink()
        env["res.partner"].search([("name", "in", PARTNERS)]).unlink()
        users = env["res.users"].search([("login", "in", OPERATORS)])
        partners = users.partner_id
        users.unlink()
        partners.unlink()

    def _open_window(self, login, size):
        context = self.browser.new_context(
            viewport=size,
            locale="en-US",
            timezone_id="Europe/Berlin",
            base_url=f"http://127.0.0.1:{config['http_port']}",
        )
        context.set_default_timeout(TIMEOUT)
        context.set_default_navigation_timeout(TIMEOUT)
        self.addCleanup(context.close)
        page = context.new_page()
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        sign_in(page, login)
        open_page(page, "/odoo/contacts", ".o_kanban_view, .o_list_view")
        self._wait_for_socket(page, login)
        return page

    def _wait_for_socket(self, page, login):
        """Wait until this user's browser listens: its web socket is a worker's, not the page's."""
        for _tenth in range(TIMEOUT // 100):
            # the server's threads write into it
            channels = list(dispatch._channels_to_ws)
            if (get_db_name(), "res.partner", self.partner_ids[login]) in channels:
                return
            page.wait_for_timeout(100)
        self.fail(f"The browser of {login} does not listen.")

    def _send(self, kind, call_id="card-1", **values):
        """Report an event over HTTP.

        :return: the moment when it was sent
        """
        event = {
            "event": kind,
            "call_id": call_id,
            "timestamp": datetime.now(timezone.utc).isoformat(),
            **values,
        }
        request = urllib.request.Request(
            f"http://127.0.0.1:{config['http_port']}/crm_extended/telephony/v1/events",
            data=json.dumps(event).encode(),
            headers={"Content-Type": "application/json", "Authorization": f"Bearer {self.token}"},
        )
        sent = time.monotonic()
        with urllib.request.urlopen(request, timeout=60) as answer:
            self.assertEqual(json.load(answer)["results"][0]["status"], "recorded")
        return sent

    def _ring(self, number, extension, call_id="card-1"):
        return self._send(
            "ringing",
            call_id,
            direction="in",
            extension=extension,
            **{"from": number, "to": "+37167555000"},
        )

    def test_two_operators(self):
        self.errors = []
        first = self._open_window(OPERATORS[0], DESKTOP)
        second = self._open_window(OPERATORS[1], PHONE)

        # a client rings at the first operator, and at nobody else
        sent = self._ring(NUMBER, "901")
        card = first.locator(".o_crm_call_card")
        expect(card).to_contain_text("Card Client Ltd")
        self.assertLess(time.monotonic() - sent, SECONDS)
        expect(card).to_contain_text("Incoming call")
        expect(card.locator("[data-section=deals]")).to_contain_text("Drills for the card client")
        expect(card.locator(".o_crm_client_clock")).to_be_visible()
        expect(second.locator(".o_crm_call_card")).to_have_count(0)

        # it survives a new page, follows the call and takes a note
        first.reload()
        self._send("answered", extension="901")
        expect(card).to_have_attribute("data-state", "answered")
        self._send("ended", duration=42)
        expect(card).to_have_attribute("data-state", "ended")
        card.locator(".o_crm_call_note").fill("Wants 20 drills")
        card.locator(".o_crm_call_save").click()
        expect(card.locator(".o_crm_call_save")).to_have_count(0)
        card.locator("[data-section=deals] a").click()
        expect(first.locator(".o_form_view [name=name]").first).to_be_visible()
        card.locator(".o_crm_call_close").click()
        expect(card).to_have_count(0)

        # both ring; the second answers, the first is told
        self._ring(STRANGER, ["901", "902"], "card-2")
        expect(first.locator(".o_crm_call_card")).to_contain_text("Not among the contacts")
        own = second.locator(".o_crm_call_card")
        expect(own).to_contain_text("Not among the contacts")
        self._send("answered", "card-2", extension="902")
        expect(first.locator(".o_crm_call_card")).to_contain_text("Answered by call_second")

        # the stranger becomes a contact, on a telephone
        own.locator(".o_crm_call_create").click()
        second.fill(".modal [name=name] input, .modal [name=name] textarea", "Karl Card")
        second.click(".modal .o_form_button_save, .modal footer .btn-primary")
        expect(own.locator("a.o_crm_call_name")).to_have_text("Karl Card")
        self.assertEqual(self.errors, [])

        with self._database() as env:
            [known, stranger] = env["crm.telephony.call"].search(
                [("provider_id.name", "=", "Card exchange")], order="id"
            )
            interaction = known.interaction_id
            self.assertEqual(
                (interaction.res_model, interaction.res_id), ("crm.lead", self.deal_id)
            )
            self.assertEqual(
                (interaction.state, interaction.result_note), ("done", "Wants 20 drills")
            )
            self.assertEqual(stranger.interaction_id.partner_id.name, "Karl Card")
            self.assertEqual(stranger.interaction_id.partner_id.phone_sanitized, STRANGER)

    def test_caller_is_registered(self):
        """Somebody unknown rings, and is registered while he speaks, past whom we know."""
        self.errors = []
        with self._database() as env:
            latvia = env.ref("base.lv")
            known = env["res.partner"].create(
                {
                    "name": "Keyhole Works",
                    "is_company": True,
                    "country_id": latvia.id,
                    "email": "office@keyhole.example.com",
                }
            )
        page = self._open_window(OPERATORS[0], DESKTOP)
        card = page.locator(".o_crm_call_card")

        # a new client: everything from his signature, in one step
        self._ring(NEWCOMER, "901", "card-3")
        card.locator("[data-button=register]").click()
        dialog = page.locator(".modal", has=page.locator(".o_crm_partner_register"))
        expect(dialog.locator("[name=phone] input").first).to_have_value("+371 29 555 122")
        dialog.locator("[name=text] textarea").fill(SIGNATURE)
        dialog.locator("[name=text] textarea").press("Tab")
        expect(dialog.locator("[name=recognised]")).to_contain_text("Recognised")
        expect(dialog.locator("[name=name] input").first).to_have_value("Keyhole Works SIA")
        expect(dialog.locator("[name=contact_ids]")).to_contain_text("Kate Key")

        # our colleague has registered the firm before: its address says so
        dialog.locator("[name=email] input").first.fill("office@keyhole.example.com")
        dialog.locator("[name=email] input").first.press("Tab")
        row = dialog.locator(".o_crm_known_client", has_text="Keyhole Works")
        expect(row).to_be_visible()
        row.locator(".o_crm_known_complete").click()
        expect(dialog).to_have_count(0)
        expect(card.locator("a.o_crm_call_name")).to_have_text("Kate Key")
        expect(card).to_contain_text("Keyhole Works")
        self.assertEqual(self.errors, [])

        with self._database() as env:
            known = known.with_env(env)
            self.assertEqual((known.name, known.city), ("Keyhole Works", "Riga"))
            [kate] = known.child_ids
            self.assertEqual((kate.name, kate.function), ("Kate Key", "Head of Procurement"))
            call = env["crm.telephony.call"].search([("provider_id.name", "=", "Card exchange")])
            self.assertEqual(call.interaction_id.partner_id, kate)
            count = env["res.partner"].search_count([("name", "=like", "Keyhole Works%")])
            self.assertEqual(count, 1)
