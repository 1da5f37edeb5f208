import itertools
import json
import random
from datetime import datetime, timezone

from odoo.tests import BaseCase, tagged
from odoo.tools.misc import file_open

from ..tools import telephony_event
from ..tools.telephony_event import EventError, merge_event, parse_events, summarize

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=timezone.utc)
SCHEMA = "crm_extended/static/telephony/events.v1.schema.json"


def make_event(kind, second=0, **values):
    return {
        "event": kind,
        "call_id": "a1",
        "timestamp": f"2026-03-02T11:{second // 60:02d}:{second % 60:02d}Z",
        **values,
    }


def parse(*events):
    return parse_events(list(events), NOW)


def merge(events):
    facts = {}
    for event in events:
        facts = merge_event(facts, event)
    # as it comes back from the database
    return json.loads(json.dumps(facts))


RINGING = {"direction": "in", "from": "+37167000301", "to": "+37167000100"}
CALL = (
    make_event("ringing", 0, extension=["101", "102"], **RINGING),
    make_event("ringing", 3, extension="103", **RINGING),
    make_event("answered", 10, extension="102"),
    make_event("ended", 70, duration=60, **RINGING),
    make_event("recording", 90, recording_url="https://pbx.example.com/1.mp3"),
)


@tagged("post_install", "-at_install")
class TestTelephonyEvent(BaseCase):
    """What an exchange says is checked, merged and read without a database."""

    def test_valid(self):
        [event] = parse_events(
            make_event("ringing", extension=" 101 ", whatever={"x": 1}, **RINGING), NOW
        )
        self.assertEqual(
            (event.kind, event.direction, event.extensions), ("ringing", "in", ("101",))
        )
        self.assertEqual((event.caller, event.callee), ("+37167000301", "+37167000100"))
        self.assertEqual(event.moment, "2026-03-02T11:00:00.000000Z")

    def test_zones(self):
        for text in (
            "2026-03-02T13:30:00+02:00",
            "2026-03-02T13:30:00+02",
            "2026-03-02 13:30:00+0200",
            "2026-03-02T11:30:00.000Z",
            "2026-03-02T06:30:00-05:00",
        ):
            with self.subTest(text=text):
                [event] = parse(make_event("ended") | {"timestamp": text})
                self.assertEqual(event.moment, "2026-03-02T11:30:00.000000Z")

    def test_numbers(self):
        """SIP addresses give their number; whoever hides his has none."""
        for sent, expected in (
            ("sip:+37167000301@pbx.example.com;user=phone", "+37167000301"),
            ("tel:+371 67 000 301", "+371 67 000 301"),
            ("anonymous", ""),
            ("sip:anonymous@anonymous.invalid", ""),
            ("", ""),
            (None, ""),
        ):
            with self.subTest(sent=sent):
                [event] = parse(make_event("ringing", **{**RINGING, "from": sent}))
                self.assertEqual(event.caller, expected)
        [event] = parse(make_event("ended", **{"from": None}))
        self.assertIsNone(event.caller, "not told is not hidden")

    def test_refused(self):
        """Each mistake is refused by the name of its field, without repeating what was sent."""
        url = "https://pbx.example.com/1.mp3"
        good = {
            "ringing": make_event("ringing", **RINGING),
            "recording": make_event("recording", recording_url=url),
        }
        for kind, field, value in (
            ("ringing", "event", None),
            ("ringing", "event", 5),
            ("ringing", "call_id", None),
            ("ringing", "call_id", " "),
            ("ringing", "call_id", "secret" * 40),
            ("ringing", "call_id", "secret\n1"),
            ("ringing", "timestamp", None),
            ("ringing", "timestamp", "2026-03-02T11:00:00"),
            ("ringing", "timestamp", "2026-02-30T11:00:00Z"),
            ("ringing", "timestamp", "2026-03-04T11:00:00Z"),
            ("ringing", "timestamp", "1970-01-01T00:00:00Z"),
            ("ringing", "timestamp", "0001-01-01T00:00:00+14:00"),
            ("ringing", "timestamp", 1772449200),
            ("ringing", "direction", None),
            ("ringing", "direction", "secret"),
            ("ringing", "from", 371),
            ("ringing", "to", "1" * 65),
            ("ringing", "name", ["secret"]),
            ("ringing", "extension", 101),
            ("ringing", "extension", [101]),
            ("ringing", "extension", [""]),
            ("ringing", "extension", ["1"] * 51),
            ("ringing", "duration", "60"),
            ("ringing", "duration", True),
            ("ringing", "duration", -1),
            ("ringing", "duration", 10**9),
            ("recording", "recording_url", None),
            ("recording", "recording_url", "javascript:alert(1)"),
            ("recording", "recording_url", "ftp://secret.example.com/1"),
            ("recording", "recording_url", "https://"),
            ("recording", "recording_url", "https://[secret"),
            ("recording", "recording_url", 'https://x.example.com/"onload=secret'),
            ("recording", "recording_url", "https://x.example.com/" + "a" * 2048),
        ):
            with self.subTest(field=field, value=value):
                with self.assertRaises(EventError) as caught:
                    parse_events({**good[kind], field: value}, NOW)
                self.assertEqual(caught.exception.field, field)
                self.assertNotIn("secret", str(caught.exception))
        for name in ("from", "to", "direction"):
            with self.assertRaises(EventError) as caught:
                parse_events({k: v for k, v in good["ringing"].items() if k != name}, NOW)
            self.assertEqual(caught.exception.field, name)

    def test_lists(self):
        """A list is refused as a whole, by the place of the first mistake."""
        with self.assertRaises(EventError) as caught:
            parse(make_event("ended"), make_event("ended") | {"timestamp": "now"})
        self.assertEqual(caught.exception.field, "[1].timestamp")
        for body, field in (
            ([], "body"),
            ("x", "body"),
            (None, "body"),
            ([make_event("ended")] * 101, "body"),
            ([make_event("ended"), 1], "[1]"),
        ):
            with self.assertRaises(EventError) as caught:
                parse_events(body, NOW)
            self.assertEqual(caught.exception.field, field)

    def test_unknown_event_is_known_as_such(self):
        [event] = parse(make_event("transferred", direction="sideways"))
        self.assertFalse(event.is_known)

    def test_every_order_ends_alike(self):
        """All 120 orders of five events, each with repetitions, lead to the same facts."""
        events = parse(*CALL)
        expected = merge(events)
        chance = random.Random(7)
        for order in itertools.permutations(events):
            repeated = [*order, *chance.choices(order, k=3)]
            chance.shuffle(repeated)
            self.assertEqual(merge(order), expected)
            self.assertEqual(merge([*repeated, *order]), expected)
        summary = summarize(expected)
        self.assertEqual((summary.state, summary.operator), ("ended", "102"))
        self.assertEqual(summary.rang, ("101", "102", "103"))
        self.assertEqual((summary.duration, summary.number), (60.0, "+37167000301"))
        self.assertEqual(summary.start, datetime(2026, 3, 2, 11, 0))
        self.assertEqual(summary.recording_url, "https://pbx.example.com/1.mp3")

    def test_any_events_in_any_order(self):
        """Random events that contradict each other: order and repetition never matter."""
        chance = random.Random(11)
        for _round in range(200):
            events = parse(
                *(
                    {
                        **make_event(chance.choice(telephony_event.KINDS), chance.randrange(6)),
                        "direction": chance.choice(telephony_event.DIRECTIONS),
                        "from": chance.choice([None, "1", "2"]),
                        "to": chance.choice([None, "3", "4"]),
                        "extension": chance.choice([None, "101", ["102", "101"]]),
                        "duration": chance.choice([None, 0, 5, 9]),
                        "recording_url": chance.choice(["https://a.example", "http://b.example"]),
                    }
                    for _number in range(6)
                )
            )
            expected = merge(events)
            shuffled = [*events, *chance.choices(events, k=2)]
            chance.shuffle(shuffled)
            self.assertEqual(merge(shuffled), expected)
            half = len(events) // 2
            # merging on from stored facts changes nothing either
            again = merge(events[:half])
            for event in events[half:]:
                again = merge_event(again, event)
            self.assertEqual(json.loads(json.dumps(again)), expected)

    def test_states(self):
        ringing, _second, answered, ended, recording = parse(*CALL)
        [missed] = parse(make_event("missed", 30))
        [hung_up] = parse(make_event("ended", 30))
        for events, state in (
            ([ringing], "ringing"),
            ([ringing, answered], "answered"),
            ([ringing, answered, ended], "ended"),
            ([ringing, ended], "ended"),  # seconds of talk say that it was answered
            ([ringing, hung_up], "missed"),
            ([ringing, missed], "missed"),
            ([ringing, missed, answered], "answered"),  # missed by one, answered by another
            ([recording], "ringing"),
        ):
            with self.subTest(events=[event.kind for event in events]):
                self.assertEqual(summarize(merge(events)).state, state)

    def test_start_without_ringing(self):
        [ended] = parse(make_event("ended", 100, duration=40, **RINGING))
        self.assertEqual(summarize(merge([ended])).start, datetime(2026, 3, 2, 11, 1))

    def test_schema_says_the_same(self):
        with file_open(SCHEMA) as file:
            schema = json.load(file)
        event = schema["$defs"]["event"]
        properties = event["properties"]
        self.assertEqual(tuple(properties), telephony_event.FIELDS)
        self.assertEqual(tuple(properties["event"]["examples"]), telephony_event.KINDS)
        self.assertEqual(properties["direction"]["enum"][:-1], list(telephony_event.DIRECTIONS))
        self.assertEqual(properties["call_id"]["maxLength"], telephony_event.MAX_ID)
        self.assertEqual(properties["name"]["maxLength"], telephony_event.MAX_NAME)
        self.assertEqual(properties["recording_url"]["maxLength"], telephony_event.MAX_URL)
        self.assertEqual(properties["duration"]["maximum"], telephony_event.MAX_DURATION)
        self.assertEqual(schema["oneOf"][1]["maxItems"], telephony_event.MAX_EVENTS)
        for name in event["required"]:
            with self.assertRaises(EventError) as caught:
                parse({k: v for k, v in CALL[0].items() if k != name})
            self.assertEqual(caught.exception.field, f"[0].{name}")
