"""``phone``: a telephone exchange to play with; sends the events of a call to the running suite.

The token of the sandbox's own exchange lies in this checkout's cache folder, readable by its
owner only. It is made when there is none, or when the suite does not know it (a new database).
"""

import json
import time
import urllib.error
import urllib.request
import uuid
from datetime import datetime, timezone

from . import cache, environment, paths, process, server
from .ui import Problem, say

# what the sub-commands are called in the events
EVENTS = {
    "ring": "ringing",
    "answer": "answered",
    "end": "ended",
    "miss": "missed",
    "record": "recording",
}
EVENTS_PATH = "/crm_extended/telephony/v1/events"
# Nina North of the demo data calls the extension of sales1
DEMO_CLIENT = "+442079460102"
DEMO_NUMBER = "+442079460000"
DEMO_EXTENSION = "101"
# extension → login of the demo data who sits there
LINES = {"100": "manager", "101": "sales1", "102": "sales2", "199": "admin"}
TIMEOUT = 60


def phone(arguments):
    """Send one event; 1 if it was refused."""
    running = server.running_server()
    if not running:
        raise Problem("The suite is not up.", "python3 -m sandbox up --detach")
    state = read_state()
    event = make_event(arguments, state, datetime.now(timezone.utc))
    if not state.get("token"):
        state = renew_token()
    status, answer = send(running[1], state["token"], event)
    if status == 401:
        state = renew_token()
        status, answer = send(running[1], state["token"], event)
    if status != 200:
        error = answer.get("error", {})
        field = f"{error['field']}: " if error.get("field") else ""
        raise Problem(f"Refused ({status}). {field}{error.get('message', 'No reason was given.')}")
    result = answer["results"][0]["status"]
    remember(state, event)
    say(f"{event['event']}, call {event['call_id']}: {result}")
    if event["event"] == "ringing":
        for extension in event["extension"]:
            login = LINES.get(extension, "nobody")
            say(f"  extension {extension} is on the desk of {login}")
        say("  go on with: python3 -m sandbox phone answer | miss | end | record")
    return 0


def make_event(arguments, state, now):
    """The event that a command line stands for.

    :param dict state: what was remembered; a call goes on where it was
    :param datetime now: aware
    """
    kind = EVENTS[arguments.action]
    last = state.get("call", {})
    event = {"event": kind, "timestamp": now.isoformat()}
    if kind == "ringing":
        extensions = arguments.extension or [DEMO_EXTENSION]
        outgoing = arguments.direction == "out"
        ends = (extensions[0], DEMO_CLIENT) if outgoing else (DEMO_CLIENT, DEMO_NUMBER)
        event |= {
            "call_id": arguments.call or f"sandbox-{uuid.uuid4().hex[:12]}",
            "direction": arguments.direction,
            "from": ends[0] if arguments.caller is None else arguments.caller,
            "to": ends[1] if arguments.callee is None else arguments.callee,
            "extension": extensions,
        }
        if arguments.name:
            event["name"] = arguments.name
        return event
    event["call_id"] = arguments.call or last.get("call_id")
    if not event["call_id"]:
        raise Problem("No call has been made yet.", "python3 -m sandbox phone ring")
    known = last if last.get("call_id") == event["call_id"] else {}
    for name, value in (("from", arguments.caller), ("to", arguments.callee)):
        if value is not None:
            event[name] = value
    if kind == "answered":
        event["extension"] = arguments.extension or known.get("extension", [DEMO_EXTENSION])[:1]
    elif arguments.extension:
        event["extension"] = arguments.extension
    if arguments.duration is not None:
        event["duration"] = arguments.duration
    if arguments.url or kind == "recording":
        event["recording_url"] = (
            arguments.url or f"https://recordings.example.com/{event['call_id']}.mp3"
        )
    return event


def send(port, token, event):
    """POST an event.

    :return: (HTTP status, decoded answer)
    """
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}{EVENTS_PATH}",
        data=json.dumps(event).encode(),
        headers={"Content-Type": "application/json", "Authorization": f"Bearer {token}"},
        method="POST",
    )
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            try:
                return error.code, json.load(error)
            except ValueError:
                return error.code, {}
    except OSError as error:
        raise Problem(f"The suite did not answer: {error}.", f"read {server.log_path()}") from error


# ------------------------------------------------------------
# What is remembered
# ------------------------------------------------------------


def state_path():
    return paths.checkout_dir() / "phone.json"


def read_state():
    """``token`` of the sandbox's exchange and its last ``call``, as far as there are any."""
    try:
        state = json.loads(state_path().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return state if isinstance(state, dict) else {}


def write_state(state):
    cache.write_file(state_path(), json.dumps(state), mode=0o600)


def remember(state, event):
    names = ("call_id", "extension") if event["event"] == "ringing" else ("call_id",)
    call = {name: event[name] for name in names}
    last = state.get("call", {})
    if last.get("call_id") == call["call_id"]:
        call = {**last, **call}
    write_state({**state, "call": call})


def renew_token():
    """Have the suite's database make a new token for the sandbox's exchange."""
    started = time.monotonic()
    with environment.ready() as databases:
        task = {
            "config": str(databases.config("phone")),
            "database": server.database_name(),
            "lines": LINES,
            "state": str(state_path()),
        }
        process.run(
            [databases.python, "-W", "ignore", "-m", "sandbox.run_phone", json.dumps(task)],
            cwd=paths.ROOT,
            env=databases.environment,
            what="Making a token failed",
        )
    state = read_state()
    if not state.get("token"):
        raise Problem("No token was made.", f"read {server.log_path()}")
    say(f"A token for the sandbox's exchange was made ({time.monotonic() - started:.0f} s).")
    return state
