"""What a telephone exchange tells about a call. Plain Python, no database.

`parse_events` checks what arrived, `merge_event` adds one event to what is known of its call, and
`summarize` reads the state of the call from that. The merge is commutative, associative and
idempotent: events that come late, twice or in the wrong order end in the same facts. Of two
statements that contradict each other, that of the earlier event holds; of two recordings the later.

The JSON schema in `static/telephony/events.v1.schema.json` says the same for the other side.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from urllib.parse import urlsplit

KINDS = ("ringing", "answered", "ended", "missed", "recording")
DIRECTIONS = ("in", "out", "internal")
FIELDS = (
    *("event", "call_id", "timestamp", "direction", "from", "to", "name"),
    *("extension", "duration", "recording_url"),
)
MAX_EVENTS = 100
MAX_EXTENSIONS = 50
MAX_ID = 128
MAX_NUMBER = 64
MAX_NAME = 128
MAX_URL = 2048
MAX_DURATION = 7 * 24 * 3600
# an exchange whose clock is wrong by more than that cannot be believed
MAX_AHEAD = timedelta(days=1)
OLDEST = datetime(2000, 1, 1, tzinfo=timezone.utc)

_MOMENT = re.compile(
    r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:[.,](\d{1,9}))?(Z|z|[+-]\d\d(?::?\d\d)?)$"
)
_STAMP = "%Y-%m-%dT%H:%M:%S.%fZ"
# what exchanges send in place of a number that the caller hides
_WITHHELD = frozenset(
    {"", "anonymous", "unknown", "private", "restricted", "unavailable", "withheld", "<unknown>"}
)


class EventError(ValueError):
    """An event that cannot be taken.

    :param str field: name of the field, with its place in a list: `[2].timestamp`
    :param str message: what is expected there; never what was sent
    """

    def __init__(self, field, message):
        super().__init__(f"{field}: {message}")
        self.field = field
        self.message = message


@dataclass(frozen=True)
class CallEvent:
    """One checked event; moments are `%Y-%m-%dT%H:%M:%S.%fZ` texts, which sort as they passed.

    A number is None if the event does not tell it, empty if it is hidden.
    """

    kind: str
    call_id: str
    moment: str
    direction: str = None
    caller: str = None
    callee: str = None
    name: str = None
    extensions: tuple = ()
    duration: float = None
    recording_url: str = None

    @property
    def is_known(self):
        """Whether this kind of event means something to us; others are left aside."""
        return self.kind in KINDS


# ------------------------------------------------------------
# CHECKING
# ------------------------------------------------------------


def parse_events(data, now):
    """Check a decoded request body.

    :param data: one event (dict) or a list of them
    :param datetime now: aware
    :return: list of CallEvent in the order of the body
    :raise EventError: for the first thing that is wrong
    """
    if isinstance(data, dict):
        return [_parse_event(data, now, "")]
    if not isinstance(data, list):
        raise EventError("body", "must be an event (object) or a list of events")
    if not 0 < len(data) <= MAX_EVENTS:
        raise EventError("body", f"a list holds 1 to {MAX_EVENTS} events")
    events = []
    for position, item in enumerate(data):
        if not isinstance(item, dict):
            raise EventError(f"[{position}]", "must be an event (object)")
        events.append(_parse_event(item, now, f"[{position}]."))
    return events


def _parse_event(data, now, prefix):
    kind = _text(data, "event", prefix, 32, required=True)
    call_id = _text(data, "call_id", prefix, MAX_ID, required=True)
    moment = _moment(data, prefix, now)
    if kind not in KINDS:
        return CallEvent(kind, call_id, moment)
    direction = _text(data, "direction", prefix, 16, required=kind == "ringing")
    if direction is not None and direction not in DIRECTIONS:
        raise EventError(f"{prefix}direction", f"must be one of {', '.join(DIRECTIONS)}")
    if kind == "ringing":
        for name in ("from", "to"):
            if name not in data:
                raise EventError(f"{prefix}{name}", "is required (null for a hidden number)")
    return CallEvent(
        kind=kind,
        call_id=call_id,
        moment=moment,
        direction=direction,
        caller=_number(data, "from", prefix, kind),
        callee=_number(data, "to", prefix, kind),
        name=_text(data, "name", prefix, MAX_NAME, empty=True),
        extensions=_extensions(data, prefix),
        duration=_duration(data, prefix),
        recording_url=_url(data, prefix, required=kind == "recording"),
    )


def _text(data, name, prefix, length, required=False, empty=False):
    value = data.get(name)
    if value is None:
        if required:
            raise EventError(f"{prefix}{name}", "is required")
        return None
    if not isinstance(value, str):
        raise EventError(f"{prefix}{name}", "must be a text")
    value = value.strip()
    if not value and not empty:
        raise EventError(f"{prefix}{name}", "must not be empty")
    if len(value) > length:
        raise EventError(f"{prefix}{name}", f"must have at most {length} characters")
    if not value.isprintable():
        raise EventError(f"{prefix}{name}", "must not contain control characters")
    return value or None


def _moment(data, prefix, now):
    field = f"{prefix}timestamp"
    match = _MOMENT.match(_text(data, "timestamp", prefix, 40, required=True))
    if not match:
        raise EventError(
            field, "must be an ISO 8601 date and time with a zone, like 2026-03-01T09:30:00+02:00"
        )
    date, clock, fraction, zone = match.groups()
    zone = "+0000" if zone in ("Z", "z") else zone.replace(":", "").ljust(5, "0")
    fraction = (fraction or "0")[:6].ljust(6, "0")
    try:
        moment = datetime.strptime(f"{date}T{clock}.{fraction}{zone}", "%Y-%m-%dT%H:%M:%S.%f%z")
        moment = moment.astimezone(timezone.utc)
    except (ValueError, OverflowError) as error:
        raise EventError(field, "is not a date and time of the calendar") from error
    if not OLDEST <= moment <= now + MAX_AHEAD:
        raise EventError(field, "is too far in the past or future: check the exchange's clock")
    return moment.strftime(_STAMP)


def _number(data, name, prefix, kind):
    """A phone number, extension or SIP address as a plain number."""
    value = _text(data, name, prefix, MAX_NUMBER, empty=True)
    if value is None:
        # only an event that has to tell the number says by that that it is hidden
        return "" if kind == "ringing" else None
    address = re.sub(r"^(sips?|tel):", "", value, flags=re.IGNORECASE)
    address = address.partition("@")[0].partition(";")[0].strip()
    return "" if address.lower() in _WITHHELD else address


def _extensions(data, prefix):
    value = data.get("extension")
    if value is None:
        return ()
    values = value if isinstance(value, list) else [value]
    if len(values) > MAX_EXTENSIONS:
        raise EventError(f"{prefix}extension", f"at most {MAX_EXTENSIONS} extensions")
    texts = [_text({"extension": item}, "extension", prefix, MAX_NUMBER, True) for item in values]
    return tuple(dict.fromkeys(normalize_extension(text) for text in texts))


def normalize_extension(text):
    """An extension or phone login as it is compared: `SIP/101@pbx` stays apart from `101`."""
    return text.strip().lower()


def _duration(data, prefix):
    value = data.get("duration")
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise EventError(f"{prefix}duration", "must be a number of seconds")
    if not 0 <= value <= MAX_DURATION:
        raise EventError(f"{prefix}duration", f"must lie between 0 and {MAX_DURATION} seconds")
    return float(value)


def _url(data, prefix, required):
    field = f"{prefix}recording_url"
    value = _text(data, "recording_url", prefix, MAX_URL, required=required)
    if value is None:
        return None
    try:
        parts = urlsplit(value)
        valid = parts.scheme.lower() in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        valid = False
    if not valid or re.search(r"[\s\\<>\"']", value):
        raise EventError(field, "must be an address that begins with https:// or http://")
    return value


# ------------------------------------------------------------
# MERGING
# ------------------------------------------------------------


def merge_event(facts, event):
    """What is known of a call after one more event.

    :param dict facts: what was known (JSON values); not changed
    :param CallEvent event: an event of that call, of a known kind
    :return: dict, equal to `facts` if the event says nothing new
    """
    merged = {**facts, "first": _earliest(facts.get("first"), event.moment)}
    for name, value in (
        ("direction", event.direction),
        ("from", event.caller),
        ("to", event.callee),
        ("name", event.name),
    ):
        if value is not None:
            merged[name] = _earliest(facts.get(name), [event.moment, value])
    if event.kind != "recording":
        merged[event.kind] = _earliest(facts.get(event.kind), event.moment)
        role = "talked" if event.kind == "answered" else "rang"
        reached = dict(facts.get(role, {}))
        for extension in event.extensions:
            reached[extension] = _earliest(reached.get(extension), event.moment)
        if reached:
            merged[role] = reached
    if event.duration is not None and event.kind in ("ended", "recording"):
        name = "duration" if event.kind == "ended" else "recorded"
        merged[name] = max(facts.get(name, 0.0), event.duration)
    if event.recording_url:
        recording = [event.moment, event.recording_url]
        merged["recording"] = max(list(facts.get("recording") or recording), recording)
    return merged


def _earliest(known, new):
    return new if known is None else min(known, new)


# ------------------------------------------------------------
# READING
# ------------------------------------------------------------


@dataclass(frozen=True)
class CallSummary:
    """What the facts of a call come to.

    :param str state: ringing, answered (they talk), ended (they talked), missed
    :param str number: the client's number as it arrived; empty if hidden, None if not yet known
    :param str line: our own number
    :param tuple rang: extensions that rang, in this order
    :param str operator: extension that talked last, None if nobody or unknown
    :param datetime start: naive, UTC
    :param float duration: seconds of talk
    """

    state: str
    direction: str = None
    number: str = None
    line: str = None
    name: str = None
    rang: tuple = ()
    operator: str = None
    start: datetime = None
    duration: float = 0.0
    recording_url: str = None

    @property
    def is_reached(self):
        """Whether the two sides talked."""
        return self.state in ("answered", "ended")

    @property
    def is_identified(self):
        """Whether enough is known to record the call with a client."""
        return self.direction in ("in", "out") and self.number is not None

    @property
    def extensions(self):
        """All extensions that the call came to."""
        return tuple(dict.fromkeys([*self.rang, *([self.operator] if self.operator else [])]))


def summarize(facts):
    """Read a call from its facts.

    A call counts as answered if somebody said so or if seconds of talk were counted. A call that
    ended without being answered was missed: by us when it came in, by the client when it went out.

    :param dict facts: result of `merge_event`
    :return: CallSummary
    """
    if not facts:
        return CallSummary("ringing")
    duration = facts.get("duration", 0.0)
    is_reached = "answered" in facts or duration > 0
    if is_reached:
        state = "ended" if "ended" in facts else "answered"
    else:
        state = "missed" if "ended" in facts or "missed" in facts else "ringing"
    if not duration and "answered" in facts and "ended" in facts:
        seconds = (read_moment(facts["ended"]) - read_moment(facts["answered"])).total_seconds()
        duration = max(0.0, seconds)
    direction = _value(facts, "direction")
    client, own = ("from", "to") if direction == "in" else ("to", "from")
    rang = _in_order(facts.get("rang", {}))
    talked = _in_order(facts.get("talked", {}))
    operator = None
    if is_reached:
        operator = talked[-1] if talked else (rang[0] if len(rang) == 1 else None)
    return CallSummary(
        state=state,
        direction=direction,
        number=_value(facts, client),
        line=_value(facts, own),
        name=_value(facts, "name"),
        rang=rang,
        operator=operator,
        start=_get_start(facts, duration),
        duration=duration,
        recording_url=_value(facts, "recording"),
    )


def read_moment(text):
    """Naive datetime in UTC of a moment kept in the facts."""
    return datetime.strptime(text, _STAMP)


def _value(facts, name):
    return facts[name][1] if name in facts else None


def _in_order(extensions):
    return tuple(sorted(extensions, key=lambda extension: (extensions[extension], extension)))


def _get_start(facts, duration):
    moments = [facts[name] for name in ("ringing", "answered") if name in facts]
    if moments:
        start = read_moment(min(moments))
    elif "ended" in facts:
        start = read_moment(facts["ended"]) - timedelta(seconds=duration)
    else:
        start = read_moment(facts.get("missed") or facts["first"])
    return start.replace(microsecond=0)
