"""docs/protocol.md is exact: its tables and examples match the server and the page."""

import inspect
import json
import re
import zlib
from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.protocol import errors, frames_in, frames_out
from chat.protocol.errors import FrameError
from chat.protocol.frames_out import Frame, Message, Page, Person
from chat.routes import ROUTES
from chat.runtime.config import read_config
from chat.store import rate_limit
from chat.store.append import MAX_PUTS
from chat.store.connections import MAX_ROOMS
from tests.fakes.dynamodb import DynamoDB, throttle
from tests.fakes.services import Chat
from tests.unit.protocol import reference
from tests.unit.protocol.page import FRONTEND, evaluate, needs_node
from tests.unit.protocol.reference import DocumentedField
from tests.unit.races import take_each_place

FROM_CLIENT = [field for field in reference.fields("From the client") if field.name]
FROM_SERVER = reference.fields("From the server")
ACTIONS = {field.frame: field.last for field in reversed(reference.fields("From the client"))}
"""Answers by action, from the first row of each."""
TYPES = list(dict.fromkeys(field.frame for field in FROM_SERVER))
ERRORS = {row[0].strip("`"): row for row in reference.table("Error codes")}
ROOM = reference.extract(r"\*\*room\*\* matches `([^`]+)`", reference.PAGE)

PARSERS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "sendmessage": frames_in.parse_send,
    "join": frames_in.parse_join,
    "leave": frames_in.parse_leave,
    "history": frames_in.parse_history,
    "typing": frames_in.parse_typing,
    "ping": frames_in.parse_ping,
}
TABLES = ("TABLE_NAME", "HISTORY_TABLE_NAME", "ROOMS_TABLE_NAME", "CALLBACK_URL")
REQUIRED = {"sendmessage": {"message": "hello"}, "join": {"room": "tea"}, "leave": {"room": "tea"}}


def names(fields: list[DocumentedField], frame: str) -> set[str]:
    return {field.name for field in fields if field.frame == frame}


def refusal(action: str, **changes: Any) -> str | None:
    """Return the error code for a valid frame with some fields changed; None if it is accepted."""
    try:
        PARSERS[action](REQUIRED.get(action, {}) | changes)
    except FrameError as refused:
        return refused.code
    return None


class RecordingFields(dict[str, Any]):
    """A frame that records which of its fields are read."""

    def __init__(self, fields: dict[str, Any]) -> None:
        super().__init__(fields)
        self.seen: set[str] = set()

    def get(self, key: str, default: Any = None) -> Any:
        self.seen.add(key)
        return super().get(key, default)


# Frames from the client.


def test_each_action_is_documented_with_its_fields() -> None:
    assert ACTIONS.keys() == PARSERS.keys() == {route for route in ROUTES if not route.startswith("$")}
    for action, parse in PARSERS.items():
        frame = RecordingFields(REQUIRED.get(action, {}))
        parse(frame)
        assert frame.seen == names(FROM_CLIENT, action)


@pytest.mark.parametrize("field", FROM_CLIENT, ids=lambda field: f"{field.frame} {field.name}")
def test_a_field_may_be_absent_if_it_is_optional(field: DocumentedField) -> None:
    codes = {"message": "message_required", "room": "invalid_room"}
    expected = None if field.is_optional else codes[field.name]
    assert refusal(field.frame, **{field.name: None}) == expected


@pytest.mark.parametrize("field", FROM_CLIENT, ids=lambda field: f"{field.frame} {field.name}")
def test_a_field_has_the_documented_type(field: DocumentedField) -> None:
    def accepts(value: Any) -> bool:
        return refusal(field.frame, **{field.name: value}) is None

    kind = next(kind for kind in ("whole number", "UUID", "room", "string", "16") if field.type.startswith(kind))
    assert accepts("x") is (kind in ("room", "string"))
    assert accepts(5) is (kind == "whole number")
    assert accepts("0b5ff12a-6f2c-4b4e-9d3c-6d8f3a1c2b77") is (kind != "whole number")
    assert not accepts([])
    assert not accepts(value=True)


@pytest.mark.parametrize(
    "field", [field for field in FROM_CLIENT if field.bounds], ids=lambda field: f"{field.frame} {field.name}"
)
def test_a_text_has_the_documented_length(field: DocumentedField) -> None:
    assert field.bounds is not None
    least, most = field.bounds
    lengths = {length for length in (0, least - 1, least, most, most + 1) if length >= 0}
    accepted = {length for length in lengths if refusal(field.frame, **{field.name: "x" * length}) is None}
    assert accepted == {length for length in lengths if least <= length <= most}
    has_to_be_visible = "at least one visible" in field.type
    assert (refusal(field.frame, **{field.name: "\u2800" * least}) is not None) is (
        has_to_be_visible or "A-Za-z0-9_-" in field.type
    )


@pytest.mark.parametrize(
    "field", [field for field in FROM_CLIENT if "whole" in field.type], ids=lambda field: f"{field.frame} {field.name}"
)
def test_a_number_has_the_documented_bounds(field: DocumentedField) -> None:
    least = int(reference.extract(r"from (\d)", field.type))
    assert refusal(field.frame, **{field.name: least}) is None
    assert refusal(field.frame, **{field.name: float(least + 10)}) is None
    for bad in (least - 1, least + 0.5):
        assert refusal(field.frame, **{field.name: bad}) == "bad_request"
    if most := re.search(r"(\d+) if absent, at most (\d+)", field.type):
        assert frames_in.parse_history({}).limit == int(most[1])
        assert frames_in.parse_history({field.name: 10**6}).limit == int(most[2])
    else:
        assert refusal(field.frame, **{field.name: 2**53 - 1}) is None
        assert refusal(field.frame, **{field.name: 2**53}) == "bad_request"


@given(st.from_regex(ROOM, fullmatch=True), st.text(max_size=70))
def test_a_room_matches_the_documented_pattern(room: str, other: str) -> None:
    assert refusal("leave", room=room) is None
    assert (refusal("leave", room=other) is None) is (re.fullmatch(ROOM, other) is not None)


def test_a_room_has_the_documented_length() -> None:
    most = int(reference.extract(r"\{0,(\d+)}", ROOM)) + 1
    assert refusal("leave", room="x" * most) is None
    assert refusal("leave", room="x" * (most + 1)) == "invalid_room"


@pytest.mark.parametrize("field", FROM_CLIENT, ids=lambda field: f"{field.frame} {field.name}")
def test_a_frame_for_an_unjoined_room_is_refused(field: DocumentedField) -> None:
    if not field.type.startswith("room"):
        return
    chat = Chat()
    chat.connect("ada")
    frame = {"action": field.frame, **REQUIRED.get(field.frame, {}), field.name: "elsewhere"}
    chat.call("ada", frame)
    codes = [answer["code"] for answer in chat.frames("ada", "error")]
    assert codes == (["not_in_room"] if "you are in" in field.type else [])


@pytest.mark.parametrize("action", ACTIONS)
def test_a_frame_is_answered_as_documented(action: str) -> None:
    chat = Chat()
    chat.connect("ada")
    chat.join("ada", "tea")
    chat.clear()
    chat.call("ada", {"action": action, **REQUIRED.get(action, {})})
    answer = ACTIONS[action].split(",")[0].strip("`")
    assert [frame["type"] for frame in chat.frames("ada")] == ([] if answer == "none" else [answer])


# Frames from the server.


def built_frames() -> list[Frame]:
    """Return each frame with and without each of its optional fields."""
    ada = Person("L0SM9cOFvHcCIhw=", "Ada", "guest-sZ6FaGQIafluzUiHEnLEBw")
    said = Message("0b5ff12a-6f2c-4b4e-9d3c-6d8f3a1c2b77", "tea", 1, "2027-01-15T08:00:00.000Z", "Hello", ada)
    page = Page([said], complete=False, lost=True)
    return [
        frames_out.message(said),
        *(frames_out.joined("tea", ada, [ada], last_seq=1, page=page, after=after) for after in (None, 0)),
        *(frames_out.left("tea", current) for current in (None, "tea")),
        *(frames_out.history("tea", page, before=before, after=after) for before in (None, 2) for after in (None, 0)),
        *(frames_out.presence("tea", event, ada, 1) for event in ("join", "leave", "rename")),
        frames_out.member_count("tea", [ada], 1),
        frames_out.member_count("tea", [], 101),
        frames_out.typing("tea", ada),
        frames_out.pong("tea", 0, {"tea": 1}),
        *(
            frames_out.pong("tea", 0, {"tea": 1}, frames_out.roster("tea", [ada], known))
            for known in (0, frames_out.roster_checksum([ada]))
        ),
        frames_out.pong(None, 0, {}),
        errors.error_frame(errors.bad_request()),
        errors.error_frame(errors.busy(1000), action="sendmessage", room="tea", messageId="my-id"),
    ]


def is_a(documented: str, value: Any) -> bool:
    """Return whether a value has a documented type."""
    kind = re.sub(r", (optional|absent with `count`)$", "", documented)
    if kind.startswith("list of messages"):
        return [message["seq"] for message in value] == sorted(message["seq"] for message in value) and all(
            message.keys() == names(FROM_SERVER, "message") for message in value
        )
    if kind.startswith("list of {"):
        listed = set(re.findall(r"`(\w+)`", kind))
        return all(each.keys() == listed for each in value)
    if kind.startswith("`"):
        return value in re.findall(r"`(\w+)`", kind)
    checks: dict[str, Callable[[Any], bool]] = {
        "string": lambda given: isinstance(given, str),
        "one of the codes below": lambda given: given in ERRORS,
        "boolean": lambda given: isinstance(given, bool),
        "whole number": lambda given: isinstance(given, int) and not isinstance(given, bool) and given >= 0,
        "roster": lambda given: given.keys() - {"members"} == {"room", "memberCount"},
        "room": lambda given: re.fullmatch(ROOM, given) is not None,
        "room or null": lambda given: given is None or re.fullmatch(ROOM, given) is not None,
        "UUID, lower case": lambda given: str(UUID(given)) == given,
        "ISO 8601, UTC, milliseconds": is_timestamp,
        "object: room → whole number": lambda given: all(
            re.fullmatch(ROOM, room) and isinstance(seq, int) for room, seq in given.items()
        ),
    }
    return checks[kind](value)


def is_timestamp(value: str) -> bool:
    return datetime.fromisoformat(value).isoformat(timespec="milliseconds").replace("+00:00", "Z") == value


@pytest.mark.parametrize("frame_type", TYPES)
def test_a_frame_from_the_server_has_the_documented_fields(frame_type: str) -> None:
    frames = [frame for frame in built_frames() if frame["type"] == frame_type]
    documented = [field for field in FROM_SERVER if field.frame == frame_type]
    assert frames
    for frame in frames:
        assert frame.keys() <= {"type", *names(FROM_SERVER, frame_type)}
    for field in documented:
        given = [field.name in frame for frame in frames]
        may_be_absent = field.is_optional or "absent" in field.type
        assert all(given) is not may_be_absent, field
        assert any(given), field
        for frame in frames:
            assert field.name not in frame or is_a(field.type, frame[field.name]), (field, frame)
            if "absent with `count`" in field.type:
                assert (field.name in frame) is (frame["event"] != "count")


def test_every_frame_of_the_server_is_documented() -> None:
    assert {frame["type"] for frame in built_frames()} == set(TYPES)
    listed = {name for row in reference.table("Who sees what") for name in re.findall(r"`(\w+)`", row[0])}
    assert listed == set(TYPES)


# Error codes.


def test_every_error_code_is_documented() -> None:
    factories = [
        factory
        for _, factory in inspect.getmembers(errors, inspect.isfunction)
        if inspect.signature(factory).return_annotation is FrameError
    ]
    codes = [
        factory(*(["1"] if factory is errors.bad_request else []), **bounds(factory)).code for factory in factories
    ]
    assert sorted(codes) == sorted(ERRORS)
    with_wait = {
        factory(**bounds(factory)).code
        for factory in factories
        if "retry_after_ms" in inspect.signature(factory).parameters
    }
    (wait,) = [field for field in FROM_SERVER if field.name == "retryAfterMs"]
    assert with_wait == set(re.findall(r"`(\w+)`", wait.last))


def bounds(factory: Callable[..., FrameError]) -> dict[str, int]:
    """Return arguments for the numbers in an error."""
    return {name: 1 for name, parameter in inspect.signature(factory).parameters.items() if parameter.annotation is int}


def fail(chat: Chat) -> None:
    chat.dynamodb.intercept = throttle


def join_ten_rooms(chat: Chat) -> None:
    for number in range(MAX_ROOMS):
        chat.join("ada", f"room-{number}")
        chat.clock.advance(1)


BEFORE: dict[str, Callable[[Chat], object]] = {
    "too_many_rooms": join_ten_rooms,
    "rate_limited": lambda chat: [chat.ping("ada") for _ in range(rate_limit.PINGS.burst)],
    "busy": lambda chat: take_each_place(chat, "lobby"),
    "internal": fail,
}


@pytest.mark.parametrize("code", ERRORS)
def test_the_example_of_an_error_triggers_it(code: str) -> None:
    example = ERRORS[code][3]
    frame = reference.extract(r"`({.*})`", example)
    if many := re.search(r"with ([\d,]+) characters", example):
        frame = frame.replace("…", "x" * int(many[1].replace(",", "")))
    for pattern, number in ((r"(\d+) places in a row", MAX_PUTS), (r"the (\d+)th at once", rate_limit.PINGS.burst + 1)):
        if documented := re.search(pattern, example):
            assert int(documented[1]) == number
    chat = Chat()
    chat.connect("ada")
    BEFORE.get(code, lambda _: None)(chat)
    chat.clear()
    answer = chat.ask("ada", frame)
    assert answer["code"] == code
    assert ("retryAfterMs" in answer) is (code in ("rate_limited", "busy"))
    if code != "bad_request":
        assert answer["action"] == json.loads(frame)["action"]


# Limits.


def test_the_limits_are_the_documented_ones() -> None:
    known = {
        "`sendmessage`": rate_limit.messages(10, 2),  # test_handler.py checks these defaults
        "`join`, `leave`": rate_limit.JOINS,
        "`history`": rate_limit.HISTORY,
        "`typing`": rate_limit.TYPING,
        "`ping`": rate_limit.PINGS,
    }
    rows = {row[0]: row for row in reference.table("Limits")}
    assert rows.keys() == known.keys()
    for kind, limit in known.items():
        assert (limit.burst, limit.interval_ms) == documented_limit(rows[kind]), kind
    assert reference.PAGE.count(f"{MAX_ROOMS} rooms") == 2


def test_the_limits_of_addresses_and_large_messages_are_the_documented_ones() -> None:
    text = " ".join(reference.section("Limits").split())
    allowances = read_config(dict.fromkeys(TABLES, "")).address_allowances
    connects = rate_limit.CONNECTS.times(allowances)
    assert f"plus one for each {rate_limit.BYTES_PER_UNIT:,} bytes" in text
    assert f"may together send {allowances} times as much as one" in text
    assert f"or {allowances * rate_limit.PINGS.sharing} times as many `ping`s" in text
    assert f"open {connects.burst} connections at once, then one every {connects.interval_ms // 1000} s" in text


def test_the_documented_checksum_is_the_servers() -> None:
    people = [Person("b=", "Ben é", "guest-x"), Person("a=", "Ada", "a=")]
    assert frames_out.roster_checksum(people) == zlib.crc32("a=\tAda\ta=\nb=\tBen é\tguest-x\n".encode())
    assert frames_out.roster_checksum([]) == 0


def documented_limit(row: list[str]) -> tuple[int, int]:
    """Return a limit's burst and interval in milliseconds."""
    if each := re.match(r"1 every ([\d.]+) s", row[2]):
        return int(row[1]), round(float(each[1]) * 1000)
    return int(row[1]), round(1000 / float(row[2].split()[0]))


# Examples.


def test_the_examples_match_the_code() -> None:
    connections = {"ada": "L0SM9cOFvHcCIhw=", "ben": "L0SNAfDsPHcCJAA="}
    chat = Chat()
    chat.services.client = DynamoDB(chat.clock, call_seconds=lambda: 0.0)  # makes timestamps whole seconds
    chat.connect(*connections.values())
    lines = iter(reference.examples())
    who, arrow, frame = next(lines)
    said: list[str] = []
    while frame:
        assert arrow == "→"
        sender = who
        said.append(json.loads(frame)["action"])
        chat.clock.advance(1)
        chat.clear()
        chat.call(connections[sender], frame)
        received: dict[str, list[Any]] = {name: [] for name in connections}
        who, arrow, next_frame = next(lines, ("", "", ""))
        while arrow == "←":
            received[who].append(json.loads(next_frame))
            said.append(received[who][-1]["type"])
            who, arrow, next_frame = next(lines, ("", "", ""))
        for name, connection_id in connections.items():
            assert received[name] == chat.frames(connection_id), f"after {frame}"
        frame = next_frame
    assert set(said) == {*ACTIONS, *TYPES}, "at least one example of each frame"


# The page's client.


def interfaces() -> dict[str, dict[str, tuple[bool, str]]]:
    """Return the fields of each interface in types.d.ts, including inherited ones: whether optional, and the type."""
    source = re.sub(r"/\*.*?\*/|//[^\n]*", "", (FRONTEND / "types.d.ts").read_text(encoding="utf-8"), flags=re.DOTALL)
    found: dict[str, dict[str, tuple[bool, str]]] = {}
    for name, parents, body in re.findall(
        r"^interface (\w+)(?: extends ([^{]+))? {\n(.*?)^}", source, re.DOTALL | re.MULTILINE
    ):
        fields: dict[str, tuple[bool, str]] = {}
        for parent in filter(None, (part.strip() for part in parents.split(","))):
            partial = re.fullmatch(r"Partial<(\w+)>", parent)
            for field, (optional, type_) in found.get(
                partial[1] if partial else parent, {}
            ).items():  # {}: a DOM interface
                fields[field] = (optional or partial is not None, type_)
        for field, question, type_ in re.findall(r"^\t(\w+)(\?)?: ([^\n]+);$", body, re.MULTILINE):
            fields[field] = (question == "?", type_)
        found[name] = fields
    return found


def typed_frames(key: str) -> dict[str, dict[str, tuple[bool, str]]]:
    """Return the frames in types.d.ts by their `action` or `type`, without that field."""
    found = [fields for fields in interfaces().values() if re.fullmatch(r'"\w+"', fields.get(key, (False, ""))[1])]
    return {fields[key][1].strip('"'): {name: fields[name] for name in fields if name != key} for fields in found}


def test_the_page_names_the_same_fields_of_its_own_frames() -> None:
    assert {action: set(fields) for action, fields in typed_frames("action").items()} == {
        action: names(FROM_CLIENT, action) for action in ACTIONS
    }


def test_the_page_names_the_same_fields_of_the_servers_frames() -> None:
    frames = typed_frames("type")
    assert frames.keys() == set(TYPES)
    for frame_type, fields in frames.items():
        documented = {
            field.name: field.is_optional or "absent" in field.type
            for field in FROM_SERVER
            if field.frame == frame_type
        }
        assert {name: optional for name, (optional, _) in fields.items()} == documented, frame_type


@needs_node
def test_the_page_checks_the_same_fields_and_knows_the_same_codes() -> None:
    seen = evaluate(
        "client/protocol.js",
        """{
            frames: Object.entries(page.FRAMES).map(([type, fields]) => [type, Object.keys(fields)]),
            codes: Object.values(page.ErrorCode),
            rooms: page.MAX_ROOMS,
            members: page.MAX_LISTED_MEMBERS,
            parsed: given.map((frame) => page.parseFrame(frame) ?? null),
        }""",
        [frames_out.encode(frame) for frame in built_frames()],
    )
    assert {frame_type: set(fields) for frame_type, fields in seen["frames"]} == {
        frame_type: names(FROM_SERVER, frame_type) for frame_type in TYPES
    }
    assert sorted(seen["codes"]) == sorted(ERRORS)
    assert (seen["rooms"], seen["members"]) == (MAX_ROOMS, frames_out.MAX_LISTED_MEMBERS)
    assert seen["parsed"] == built_frames()
