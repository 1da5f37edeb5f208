"""The telephone exchange to play with: its events, its token, its failures."""

import json
import stat
import threading
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from sandbox import cli, phone, server

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=timezone.utc)


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


def make(*argv, state=None):
    return phone.make_event(cli.parse(["phone", *argv]), state or {}, NOW)


def test_ring_by_default():
    event = make("ring")
    assert event["event"] == "ringing"
    assert (event["direction"], event["extension"]) == ("in", ["101"])
    assert (event["from"], event["to"]) == (phone.DEMO_CLIENT, phone.DEMO_NUMBER)
    assert event["timestamp"] == "2026-03-02T12:00:00+00:00"
    assert event["call_id"] != make("ring")["call_id"]


def test_ring_options():
    event = make(
        *("ring", "--from", "", "--to", "+371", "--extension", "101", "--extension", "102"),
        *("--name", "Ann", "--call", "x"),
    )
    assert (event["from"], event["to"], event["name"], event["call_id"]) == ("", "+371", "Ann", "x")
    assert event["extension"] == ["101", "102"]
    outgoing = make("ring", "--direction", "out", "--extension", "102")
    assert (outgoing["from"], outgoing["to"]) == ("102", phone.DEMO_CLIENT)


def test_a_call_goes_on():
    state = {"call": {"call_id": "x", "extension": ["102", "101"]}}
    assert make("answer", state=state)["extension"] == ["102"]
    assert make("answer", "--extension", "101", state=state)["extension"] == ["101"]
    ended = make("end", "--duration", "30", state=state)
    assert (ended["event"], ended["call_id"], ended["duration"]) == ("ended", "x", 30.0)
    assert make("miss", "--call", "y", state=state)["call_id"] == "y"
    assert make("record", state=state)["recording_url"].endswith("/x.mp3")
    assert make("record", "--url", "https://a.example", state=state)["recording_url"] == (
        "https://a.example"
    )
    with pytest.raises(phone.Problem):
        make("answer")


def test_suite_must_be_up(capsys):
    assert cli.main(["phone", "ring"]) == 1
    assert "python3 -m sandbox up" in capsys.readouterr().err


class Exchange:
    """A server that stands in for the suite and knows one token."""

    def __init__(self):
        self.token = "known"
        self.events = []
        self.answer = None
        case = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers["Authorization"] != f"Bearer {case.token}":
                    return self.reply(401, {"error": {"code": "unauthorized", "message": "No."}})
                assert self.path == phone.EVENTS_PATH
                assert self.headers["Content-Type"] == "application/json"
                event = json.loads(body)
                case.events.append(event)
                if case.answer:
                    return self.reply(*case.answer)
                return self.reply(200, {"results": [{"status": "recorded"}]})

            def reply(self, status, values):
                data = json.dumps(values).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *args):
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def close(self):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def exchange(monkeypatch):
    exchange = Exchange()
    monkeypatch.setattr(server, "running_server", lambda: (1, exchange.port))
    yield exchange
    exchange.close()


@pytest.fixture
def renewals(monkeypatch, exchange):
    """How often a token was made."""
    made = []

    def renew():
        made.append(True)
        phone.write_state({**phone.read_state(), "token": exchange.token})
        return phone.read_state()

    monkeypatch.setattr(phone, "renew_token", renew)
    return made


def test_a_whole_call(exchange, renewals, capsys):
    for action in ("ring", "answer", "end", "record"):
        assert cli.main(["phone", action]) == 0
    kinds = [event["event"] for event in exchange.events]
    assert kinds == ["ringing", "answered", "ended", "recording"]
    assert len({event["call_id"] for event in exchange.events}) == 1
    assert len(renewals) == 1, "the token is kept"
    assert "known" not in capsys.readouterr().out


def test_token_of_another_database(exchange, renewals):
    phone.write_state({"token": "old"})
    assert cli.main(["phone", "ring"]) == 0
    assert len(renewals) == 1
    exchange.token = "replaced again"
    assert cli.main(["phone", "end"]) == 0
    assert phone.read_state()["token"] == "replaced again"


def test_state_is_private(exchange, renewals):
    assert cli.main(["phone", "ring"]) == 0
    assert stat.S_IMODE(phone.state_path().stat().st_mode) == 0o600


def test_broken_state_is_no_state():
    phone.state_path().write_text("[")
    assert phone.read_state() == {}
    phone.state_path().write_text("[]")
    assert phone.read_state() == {}


def test_refusal_is_told(exchange, renewals, capsys):
    error = {"code": "invalid_field", "field": "to", "message": "is required"}
    exchange.answer = (422, {"error": error})
    assert cli.main(["phone", "ring"]) == 1
    assert "Refused (422). to: is required" in capsys.readouterr().err
