# ruff: noqa: RUF001 Cyrillic is meant
"""Registers of companies, played by a small HTTP server in the process of the tests."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from unittest.mock import patch

from lxml import etree
from odoo.addons.base.tests.common import BaseCommon
from odoo.addons.crm_extended.tools import registry_http
from odoo.tests import new_test_user
from requests import Session

# found by a well-known number, and in the register under these units
BANK_INN, BANK_KPP, BANK_OGRN = "7707083893", "773601001", "1027700132195"
BANK_BRANCH_KPP = "540602001"
PERSON_INN, PERSON_OGRNIP = "500100732259", "304500116000157"
NOBODY_INN = "7730588444"
KEY = "secret-key-of-the-test-0123456789"
REQUEST = "{http://ws.unisoft/FNSNDSCAWS2/Request}"
_send = Session.send


def make_party(**values):
    """One suggestion as DaData answers it, shortened to what it names in its manual."""
    status = values.pop("status", "ACTIVE")
    data = {
        "kpp": BANK_KPP,
        "capital": None,
        "invalid": None,
        "management": {"name": "Греф Герман Оскарович", "post": "ПРЕЗИДЕНТ", "disqualified": None},
        "founders": None,
        "branch_type": "MAIN",
        "branch_count": 1,
        "source": None,
        "qc": None,
        "hid": "145a83ab",
        "type": "LEGAL",
        "state": {
            "status": status,
            "code": None,
            "actuality_date": 1764201600000,
            "registration_date": 677376000000,
            "liquidation_date": None,
        },
        "opf": {"type": "2014", "code": "12247", "full": "ПАО", "short": "ПАО"},
        "name": {
            "full_with_opf": "ПУБЛИЧНОЕ АКЦИОНЕРНОЕ ОБЩЕСТВО «СБЕРБАНК РОССИИ»",
            "short_with_opf": "ПАО Сбербанк",
            "latin": None,
            "full": "СБЕРБАНК РОССИИ",
            "short": "Сбербанк",
        },
        "inn": BANK_INN,
        "ogrn": BANK_OGRN,
        "okpo": "00032537",
        "okved": "64.19",
        "okveds": None,
        "phones": None,
        "emails": None,
        "address": {
            "value": "г Москва, ул Вавилова, д 19",
            "unrestricted_value": "117312, г Москва, Академический р-н, ул Вавилова, д 19",
            "data": {
                "postal_code": "117312",
                "country": "Россия",
                "country_iso_code": "RU",
                "region": "Москва",
                "region_type": "г",
                "region_with_type": "г Москва",
                "city": "Москва",
                "street_with_type": "ул Вавилова",
                "house_type": "д",
                "house": "19",
                "block_type": None,
                "block": None,
                "flat_type": "офис",
                "flat": "5",
            },
        },
    }
    data |= values
    return {
        "value": data["name"]["short_with_opf"] or data["name"]["full_with_opf"],
        "unrestricted_value": data["name"]["full_with_opf"],
        "data": data,
    }


def make_branch(**values):
    return make_party(
        kpp=BANK_BRANCH_KPP,
        branch_type="BRANCH",
        name={
            "full_with_opf": "СИБИРСКИЙ БАНК ПАО СБЕРБАНК",
            "short_with_opf": "СИБИРСКИЙ БАНК ПАО СБЕРБАНК",
        },
        address={
            "value": "г Новосибирск, ул Серебренниковская, д 20",
            "unrestricted_value": "630007, г Новосибирск, ул Серебренниковская, д 20",
            "data": {
                "postal_code": "630007",
                "region": "Новосибирская",
                "region_type": "обл",
                "city": "Новосибирск",
                "street_with_type": "ул Серебренниковская",
                "house_type": "д",
                "house": "20",
            },
        },
        **values,
    )


def make_person(**values):
    return make_party(
        type="INDIVIDUAL",
        kpp=None,
        management=None,
        branch_type=None,
        inn=PERSON_INN,
        ogrn=PERSON_OGRNIP,
        fio={"surname": "Петров", "name": "Иван", "patronymic": "Сергеевич"},
        name={
            "full_with_opf": "Индивидуальный предприниматель Петров Иван Сергеевич",
            "short_with_opf": "ИП Петров Иван Сергеевич",
        },
        phones=[{"value": "+7 916 123-45-67", "data": None}],
        emails=[{"value": "petrov@example.com", "data": None}],
        address={
            "value": "Московская обл, г Балашиха",
            "unrestricted_value": "Московская обл, г Балашиха",
            "data": {"region": "Московская", "region_type": "обл", "city": "Балашиха"},
        },
        **values,
    )


VIES_WSDL = Path(__file__).with_name("data") / "vies.wsdl"


def soap(body):
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<S:Envelope xmlns:S="http://schemas.xmlsoap.org/soap/envelope/"><S:Body>'
        f"{body}</S:Body></S:Envelope>"
    )


def soap_fault(text):
    return soap(
        f"<S:Fault><faultcode>S:Server</faultcode><faultstring>{text}</faultstring></S:Fault>"
    )


class RegistryServer(ThreadingHTTPServer):
    """Answers as DaData, the tax service and VIES do.

    `parties` maps a number to suggestions, `states` a pair of INN and KPP to a code of the tax
    service; `choking` are INNs that make a whole question to it fail. `failure` makes every
    answer one: an HTTP status, `hang`, `json`, `drop`, `redirect`, `html` or the text of a SOAP
    fault.
    """

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), RegistryHandler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.reset()

    def reset(self):
        self.parties = {
            BANK_INN: [make_branch(), make_party()],
            BANK_OGRN: [make_branch(), make_party()],
            PERSON_INN: [make_person()],
        }
        self.states = {}
        self.choking = set()
        self.vies = {
            "valid": True,
            "name": "BALTIC TOOLS SIA",
            "address": "Dzirnavu 10\nLV-1010 Riga",
        }
        self.failure = None
        self.headers = {}
        self.asked = []

    def handle_error(self, request, client_address):
        """A client that has gone after its time-out is what some tests want."""


class RegistryHandler(BaseHTTPRequestHandler):
    def log_message(self, *args):
        """Quiet."""

    def do_GET(self):
        self._answer(
            200, VIES_WSDL.read_text().replace("@URL@", f"{self.server.url}/vies"), "text/xml"
        )

    def do_POST(self):
        server = self.server
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        server.asked.append((self.path, dict(self.headers), body.decode()))
        failure = server.failure
        if failure == "hang":
            time.sleep(1.5)
            return None
        if failure == "drop":
            self.connection.close()
            return None
        if failure == "redirect":
            server.headers = {"Location": f"{server.url}/elsewhere"}
            return self._answer(302, "", "text/html")
        if failure == "html":
            return self._answer(200, "<html>Maintenance</html>", "text/html")
        if failure == "json":
            return self._answer(200, '{"suggestions": [{"va', "application/json")
        if isinstance(failure, str):
            return self._answer(500, soap_fault(failure), "text/xml")
        if failure:
            return self._answer(failure, '{"family":"CLIENT_ERROR"}', "application/json")
        if self.path.endswith("/findById/party"):
            return self._answer_dadata(json.loads(body))
        if self.path.endswith("/suggest/party"):
            found = [party for parties in server.parties.values() for party in parties]
            return self._answer_json({"suggestions": found[:10]})
        if self.path.endswith("/fns"):
            return self._answer_fns(body)
        return self._answer_vies(body)

    def _answer_dadata(self, question):
        if self.headers["Authorization"] != f"Token {KEY}":
            return self._answer(
                401, '{"family":"CLIENT_ERROR","reason":"Unauthorized"}', "text/json"
            )
        found = self.server.parties.get(question["query"], [])
        if question.get("kpp"):
            found = [party for party in found if party["data"]["kpp"] == question["kpp"]]
        return self._answer_json({"suggestions": found[: question.get("count", 10)]})

    def _answer_fns(self, body):
        rows = []
        for client in etree.fromstring(body).iter(f"{REQUEST}NP"):
            inn, kpp = client.get("INN"), client.get("KPP")
            if inn in self.server.choking:
                return self._answer(500, soap_fault("Internal error"), "text/xml")
            # the service takes an organisation without a KPP for one with a wrong one
            state = self.server.states.get((inn, kpp), "0" if kpp or len(inn) == 12 else "3")
            attributes = f'INN="{inn}" DT="{client.get("DT")}" State="{state}"'
            if kpp:
                attributes += f' KPP="{kpp}"'
            rows.append(f"<r:NP {attributes}/>")
        content = (
            '<r:NdsResponse2 xmlns:r="http://ws.unisoft/FNSNDSCAWS2/Response" DTActUL="26.11.2026" '
            f'DTActFL="26.11.2026">{"".join(rows)}</r:NdsResponse2>'
        )
        return self._answer(200, soap(content), "text/xml")

    def _answer_vies(self, body):
        tags = {etree.QName(node).localname: node.text for node in etree.fromstring(body).iter()}
        vies = self.server.vies
        content = (
            '<v:checkVatResponse xmlns:v="urn:ec.europa.eu:taxud:vies:services:checkVat:types">'
            f"<v:countryCode>{tags['countryCode']}</v:countryCode>"
            f"<v:vatNumber>{tags['vatNumber']}</v:vatNumber>"
            "<v:requestDate>2026-11-28</v:requestDate>"
            f"<v:valid>{str(vies['valid']).lower()}</v:valid>"
            f"<v:name>{vies['name']}</v:name><v:address>{vies['address']}</v:address>"
            "</v:checkVatResponse>"
        )
        return self._answer(200, soap(content), "text/xml")

    def _answer_json(self, answer):
        self._answer(200, json.dumps(answer, ensure_ascii=False), "application/json; charset=utf-8")

    def _answer(self, status, text, content_type):
        content = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(content)))
        for name, value in self.server.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)


class RegistryCommon(BaseCommon):
    """A company with all three services, a salesperson, and clients in two countries."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server = RegistryServer()
        thread = threading.Thread(target=cls.server.serve_forever, daemon=True)
        thread.start()
        cls.addClassCleanup(thread.join)
        cls.addClassCleanup(cls.server.server_close)
        cls.addClassCleanup(cls.server.shutdown)
        cls.company = cls.env.company
        cls.russia = cls.env.ref("base.ru")
        cls.env["crm.registry.provider"].search([]).unlink()
        cls.dadata, cls.fns, cls.vies = cls.env["crm.registry.provider"].create(
            [
                {"kind": "dadata", "url": cls.server.url, "api_key": KEY},
                {"kind": "fns", "url": f"{cls.server.url}/fns"},
                {"kind": "vies"},
            ]
        )
        cls.user_sales = new_test_user(
            cls.env, "reg_sales", groups="base.group_user,sales_team.group_sale_salesman"
        )
        cls.user_admin = new_test_user(
            cls.env, "reg_admin", groups="base.group_system,sales_team.group_sale_manager"
        )
        cls.bank = cls.env["res.partner"].create(
            {
                "name": "Bank",
                "is_company": True,
                "country_id": cls.russia.id,
                "vat": BANK_INN,
                "kpp": BANK_KPP,
            }
        )

    @classmethod
    def _request_handler(cls, s, r, /, **kw):
        """Time-outs of the tests may be shorter than Odoo's tests allow; nothing goes out."""
        if "127.0.0.1" in r.url or r.url.startswith("file:"):
            return _send(s, r, **kw)
        return super()._request_handler(s, r, **kw)

    def setUp(self):
        super().setUp()
        self.server.reset()

    def _fail(self, failure, **headers):
        self.server.failure = failure
        self.server.headers = {name.replace("_", "-"): value for name, value in headers.items()}

    def _short_timeout(self):
        self.startPatcher(patch.object(registry_http, "TIMEOUT", 0.3))

    def _get_log(self, provider=None):
        """What became of the questions, newest first."""
        return self.env["crm.registry.request"].search(
            [("provider_id", "=", (provider or self.dadata).id)]
        )
