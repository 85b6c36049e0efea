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
from chat.routes import ACCOUNT_ROUTES, ROUTES
from chat.runtime.config import read_config
from chat.schema import ROOMS
from chat.store import rate_limit
from chat.store.append import MAX_PUTS
from chat.store.connections import MAX_ROOMS
from chat.store.private_rooms import MAX_MEMBERS
from tests.fakes.dynamodb import DynamoDB, throttle
from tests.fakes.services import Chat
from tests.unit.protocol import reference
from tests.unit.protocol.page import FRONTEND, evaluate, needs_node
from tests.unit.protocol.reference import DocumentedField
from tests.unit.races import take_each_place

CLIENT_ROWS = reference.fields("From the client")
ACCOUNT_ROWS = reference.fields("From the client, with accounts")
FROM_CLIENT = [field for field in (*CLIENT_ROWS, *ACCOUNT_ROWS) if field.name]
FROM_SERVER = reference.fields("From the server") + reference.fields("From the server, with accounts")
ACTIONS = {field.frame: field.last for field in reversed((*CLIENT_ROWS, *ACCOUNT_ROWS))}
"""Answers by action, from the first row of each."""
ACCOUNT_TYPES = {field.frame for field in reference.fields("From the server, with accounts")}
TYPES = list(dict.fromkeys(field.frame for field in FROM_SERVER))
ERRORS = {row[0].strip("`"): row for row in reference.table("Error codes")}
ROOM = reference.extract(r"\*\*room\*\* matches `([^`]+)`", reference.PAGE)
PRIVATE_ROOM = "|".join(re.findall(r"`([~@]\[[^`]+)`", reference.section("Accounts")))
KEY, ID = f"~{'a' * 26}", "11111111-2222-3333-4444-5555555555ab"

PARSERS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "sendmessage": frames_in.parse_send,
    "join": frames_in.parse_join,
    "leave": frames_in.parse_leave,
    "history": frames_in.parse_history,
    "typing": frames_in.parse_typing,
    "ping": frames_in.parse_ping,
    "signin": frames_in.parse_sign_in,
    "signout": frames_in.parse_sign_out,
    "profile": frames_in.parse_profile,
    "rooms": lambda _: None,
    "read": frames_in.parse_read,
    "createroom": frames_in.parse_create_room,
    "direct": frames_in.parse_user_id,
    "editroom": frames_in.parse_edit_room,
    "members": frames_in.parse_private_room,
    "createinvite": frames_in.parse_create_invite,
    "revokeinvite": frames_in.parse_revoke_invite,
    "invite": frames_in.parse_invite,
    "accept": frames_in.parse_accept,
    "decline": frames_in.parse_private_room,
    "setrole": frames_in.parse_set_role,
    "remove": frames_in.parse_remove,
    "unban": frames_in.parse_unban,
    "quit": frames_in.parse_private_room,
    "block": frames_in.parse_block,
}
TABLES = ("TABLE_NAME", "HISTORY_TABLE_NAME", "ROOMS_TABLE_NAME", "CALLBACK_URL")
REQUIRED: dict[str, dict[str, Any]] = {
    "sendmessage": {"message": "hello"},
    "join": {"room": "tea"},
    "leave": {"room": "tea"},
    "signin": {"token": "x"},
    "profile": {"name": "Ada"},
    "read": {"room": KEY, "seq": 1},
    "createroom": {"title": "Tea"},
    "direct": {"userId": "u-ben"},
    "editroom": {"room": KEY, "title": "Tea"},
    "members": {"room": KEY},
    "createinvite": {"room": KEY},
    "revokeinvite": {"room": KEY, "inviteId": "a" * 8},
    "invite": {"room": KEY, "name": "Ben"},
    "accept": {"room": KEY},
    "decline": {"room": KEY},
    "setrole": {"room": KEY, "userId": "u-ben", "role": "moderator"},
    "remove": {"room": KEY, "userId": "u-ben"},
    "unban": {"room": KEY, "userId": "u-ben"},
    "quit": {"room": KEY},
    "block": {"userId": "u-ben", "blocked": True},
}
"""The required fields of each action."""


ACCEPTED: dict[str, tuple[Any, ...]] = {
    "whole number": (5,),
    "UUID": (ID,),
    "private room": (KEY,),
    "room": ("x", ID, KEY, "owner", "a" * 8),
    "string": ("x", ID, KEY, "owner", "a" * 8),
    "16 to 128": (ID,),
    "8 to 64": ("a" * 8,),
    "1 to 64": ("x", ID, "owner", "a" * 8),
    "boolean": (True,),
    "`owner`": ("owner",),
}
"""Which of some values a field accepts, by the start of its documented type."""


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
    assert {field.frame for field in CLIENT_ROWS} == {route for route in ROUTES if not route.startswith("$")}
    assert ACTIONS.keys() == PARSERS.keys() == {route for route in ACCOUNT_ROUTES if not route.startswith("$")}
    for action, parse in PARSERS.items():
        frame = RecordingFields(REQUIRED.get(action, {}))
        parse(frame)
        assert frame.seen == names(FROM_CLIENT, action)


@pytest.mark.parametrize("field", FROM_CLIENT, ids=lambda field: f"{field.frame} {field.name}")
def test_a_field_may_be_absent_if_it_is_optional(field: DocumentedField) -> None:
    codes = {
        "message": "message_required",
        "room": "invalid_room",
        "token": "invalid_token",
        "name": "invalid_name",
        "title": "invalid_title",
    }
    expected = None if field.is_optional else codes.get(field.name, "bad_request")
    assert refusal(field.frame, **{field.name: None}) == expected


@pytest.mark.parametrize("field", FROM_CLIENT, ids=lambda field: f"{field.frame} {field.name}")
def test_a_field_has_the_documented_type(field: DocumentedField) -> None:
    def accepts(value: Any) -> bool:
        return refusal(field.frame, **{field.name: value}) is None

    accepted = next(values for kind, values in ACCEPTED.items() if field.type.startswith(kind))
    for value in ("x", ID, KEY, "owner", "a" * 8, 5, True, []):
        assert accepts(value) is (value in accepted and not (value is True and True not in accepted)), value


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
        has_to_be_visible or "characters of `" in field.type
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
    if within := re.search(r"from 1 to (\d+)", field.type):
        assert refusal(field.frame, **{field.name: int(within[1])}) is None
        assert refusal(field.frame, **{field.name: int(within[1]) + 1}) == "bad_request"
        default = getattr(frames_in.parse_create_invite({"room": KEY}), field.name)
        assert default == int(reference.extract(r"(\d+) if absent", field.type))
    elif most := re.search(r"(\d+) if absent, at most (\d+)", field.type):
        assert frames_in.parse_history({}).limit == int(most[1])
        assert frames_in.parse_history({field.name: 10**6}).limit == int(most[2])
    else:
        assert refusal(field.frame, **{field.name: 2**53 - 1}) is None
        assert refusal(field.frame, **{field.name: 2**53}) == "bad_request"


@given(st.from_regex(ROOM, fullmatch=True), st.text(max_size=70))
def test_a_room_matches_the_documented_pattern(room: str, other: str) -> None:
    assert refusal("leave", room=room) is None
    assert (refusal("leave", room=other) is None) is (re.fullmatch(f"{ROOM}|{PRIVATE_ROOM}", other) is not None)


@given(st.from_regex(PRIVATE_ROOM, fullmatch=True), st.from_regex(ROOM, fullmatch=True))
def test_a_private_room_matches_the_documented_pattern(room: str, public: str) -> None:
    assert refusal("members", room=room) is None
    assert refusal("leave", room=room) is None
    assert refusal("members", room=public) == "invalid_room"


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


@pytest.mark.parametrize("action", [field.frame for field in ACCOUNT_ROWS if field.last])
def test_a_frame_of_an_account_is_answered_as_documented(action: str) -> None:
    world = World()
    world.chat.clear()
    world.chat.call("ada", world.frame(action))
    answer = ACTIONS[action].split(",")[0].strip("`")
    assert [frame["type"] for frame in world.chat.frames("ada")][:1] == ([] if answer == "none" else [answer])


@pytest.mark.parametrize("action", [row.frame for row in CLIENT_ROWS if row.last])
def test_a_frame_is_answered_as_documented(action: str) -> None:
    chat = Chat()
    chat.connect("ada")
    chat.join("ada", "tea")
    chat.clear()
    chat.call("ada", {"action": action, **REQUIRED.get(action, {})})
    answer = ACTIONS[action].split(",")[0].strip("`")
    assert [frame["type"] for frame in chat.frames("ada")] == ([] if answer == "none" else [answer])


# Frames from the server.


class World:
    """Ada owns a room with Ben, is in one of Ben's, and is invited to another; Cleo is banned from Ada's."""

    def __init__(self) -> None:
        self.chat = Chat(sign_in="optional")
        self.chat.connect("ada", "ben", "cleo")
        for each in ("ada", "ben", "cleo"):
            self.chat.sign_in(each, username=each.title())
        self.own, self.bens, self.third = (self.room(owner, "Tea") for owner in ("ada", "ben", "ben"))
        for owner, room, member in (("ada", self.own, "ben"), ("ada", self.own, "cleo"), ("ben", self.bens, "ada")):
            self.invite(owner, room, member)
            self.ask(member, action="accept", room=room)
        self.ask("ada", action="remove", room=self.own, userId="u-cleo", ban=True)
        self.invite("ben", self.third, "ada")
        self.link = self.ask("ada", action="createinvite", room=self.own)
        self.ask("ada", action="join", room="tea")

    def ask(self, connection_id: str, **frame: Any) -> Frame:
        """Send a frame; return its answer."""
        self.chat.clock.advance(30)
        answer = self.chat.ask(connection_id, frame)
        assert answer["type"] != "error", (frame, answer)
        return answer

    def room(self, owner: str, title: str) -> str:
        """Create a private room; return its key."""
        return self.ask(owner, action="createroom", title=title)["room"]

    def invite(self, owner: str, room: str, member: str) -> None:
        """Invite an account by name."""
        self.ask(owner, action="invite", room=room, name=member.title())

    def frame(self, action: str) -> Frame:
        """Return a frame that Ada may send."""
        self.chat.clock.advance(30)
        fields = REQUIRED.get(action, {})
        given: Frame = {"action": action, **fields, **({"room": self.own} if "room" in fields else {})}
        changes: dict[str, Frame] = {
            "signin": {"token": self.chat.token("u-ada", username="Ada")},
            "revokeinvite": {"inviteId": self.link["inviteId"]},
            "accept": {"room": self.third},
            "decline": {"room": self.third},
            "unban": {"userId": "u-cleo"},
            "quit": {"room": self.bens},
        }
        return given | changes.get(action, {})


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
        *account_frames(),
        errors.error_frame(errors.bad_request()),
        errors.error_frame(errors.busy(1000), action="sendmessage", room="tea", messageId="my-id"),
    ]


def account_frames() -> list[Frame]:
    """Return each frame that only accounts get, with and without each of its optional fields."""
    ada = Person("L0SM9cOFvHcCIhw=", "Ada", "guest-sZ6FaGQIafluzUiHEnLEBw", "u-ada")
    ben = ("u-ben", "Ben")
    common: dict[str, Any] = {
        "role": "owner",
        "shares_history": False,
        "member_count": 2,
        "last_seq": 3,
        "unread": 1,
        "since": 0,
        "members": [ada],
    }
    private = frames_out.Description(room=KEY, kind="private", title="Tea", partner=None, **common)
    direct = frames_out.Description(room=f"@{'a' * 26}", kind="direct", title="", partner=ben, **common)
    said = Message("0b5ff12a-6f2c-4b4e-9d3c-6d8f3a1c2b77", "tea", 1, "2027-01-15T08:00:00.000Z", "Hello", ada)
    invitation = frames_out.invited_to(KEY, ben, 1)
    return [
        frames_out.message(said),
        frames_out.joined("tea", ada, [ada], last_seq=1, page=Page([said], complete=True), after=None),
        frames_out.presence("tea", "join", ada, 1),
        frames_out.typing("tea", ada),
        *(frames_out.signed_in(ada, until=1, senders=[ada.sender], is_new=is_new) for is_new in (False, True)),
        *(frames_out.signed_out(everywhere=everywhere) for everywhere in (False, True)),
        *frames_out.rooms([private, direct], [invitation], [ben]),
        *(frames_out.room(description) for description in (private, direct)),
        frames_out.members(KEY, [(ada, "owner")], None, None),
        frames_out.members(KEY, [(ada, "owner")], [ben], [frames_out.listed_invite("a" * 8, 1, 1, "u-ben")]),
        frames_out.invite(KEY, "a" * 8, "x" * 22, uses=1, expires_at=1),
        frames_out.invited(KEY, "Ben"),
        frames_out.invitation(KEY, ben, 1),
        *(frames_out.membership(KEY, "u-ben", "Ben", role, "u-ada") for role in ("member", None)),
        frames_out.removed(KEY, "u-ben"),
    ]


def is_a(documented: str, value: Any) -> bool:
    """Return whether a value has a documented type."""
    kind = re.sub(r", (optional|absent with `count`)$", "", documented)
    named = set(re.findall(r"`(\w+)`", kind))
    matches = {"room": ROOM, "private room": PRIVATE_ROOM}
    description = names(FROM_SERVER, "room")
    checks: dict[str, Callable[[Any], bool]] = {
        "list of messages, by rising `seq`": lambda given: (
            [message["seq"] for message in given] == sorted(message["seq"] for message in given)
            and all(message.keys() | {"userId"} == names(FROM_SERVER, "message") for message in given)
        ),
        "list of people": lambda given: all(
            each.keys() | {"userId"} == {"connectionId", "name", "sender", "userId"} for each in given
        ),
        "list of descriptions": lambda given: all(
            description - {"title", "with"} <= each.keys() <= description for each in given
        ),
        "list of strings": lambda given: all(isinstance(each, str) for each in given),
        "string": lambda given: isinstance(given, str),
        "one of the codes below": lambda given: given in ERRORS,
        "boolean": lambda given: isinstance(given, bool),
        "whole number": lambda given: isinstance(given, int) and not isinstance(given, bool) and given >= 0,
        "roster": lambda given: given.keys() - {"members"} == {"room", "memberCount"},
        "room or null": lambda given: given is None or is_a("room", given),
        "UUID, lower case": lambda given: str(UUID(given)) == given,
        "ISO 8601, UTC, milliseconds": is_timestamp,
        "object: room → whole number": lambda given: all(
            is_a("room", room) and isinstance(seq, int) for room, seq in given.items()
        ),
    }
    if kind in matches:
        return re.fullmatch(matches[kind], value) is not None
    if kind in checks:
        return checks[kind](value)
    if kind.startswith("list of {"):
        return all(each.keys() == named for each in value)
    if kind.startswith("{"):
        return value.keys() == named
    return value in named or (value is None and kind.endswith("or null"))


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
    assert set(codes) == ERRORS.keys()
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


def as_a_guest(world: World) -> tuple[str, str]:
    world.chat.connect("guest")
    return "guest", ""


def with_a_claimed_secret(world: World) -> tuple[str, str]:
    world.chat.connect("second")
    secret = json.loads(reference.extract(r"`({.*})`", ERRORS["secret_claimed"][3]))["secret"]
    world.chat.sign_in("second", user="u-ada", secret=secret)
    return as_a_guest(world)


def in_a_full_room(world: World) -> tuple[str, str]:
    settings = world.chat.dynamodb.item(ROOMS, room=world.third, item="settings")
    world.chat.dynamodb.put(ROOMS, {**settings, "members": MAX_MEMBERS})
    return "ada", world.third


ACCOUNT_ERRORS: dict[str, Callable[[World], tuple[str, str]]] = {
    "sign_in_required": as_a_guest,
    "invalid_token": as_a_guest,
    "secret_claimed": with_a_claimed_secret,
    "name_taken": lambda _: ("ada", ""),
    "invalid_title": lambda _: ("ada", ""),
    "no_such_room": lambda _: ("ada", ""),
    "no_such_invitation": lambda _: ("ada", ""),
    "not_allowed": lambda world: ("ada", world.bens),
    "not_a_member": lambda world: ("ada", world.own),
    "last_owner": lambda world: ("ada", world.own),
    "room_full": in_a_full_room,
}
"""Who sends the example to get an error that only accounts get, and the room's key in it."""


@pytest.mark.parametrize("code", ERRORS)
def test_the_example_of_an_error_triggers_it(code: str) -> None:
    example = ERRORS[code][3]
    frame = reference.extract(r"`({.*})`", example)
    if many := re.search(r"with ([\d,]+) characters", example):
        frame = frame.replace("…", "x" * int(many[1].replace(",", "")))
    for pattern, number in ((r"(\d+) places in a row", MAX_PUTS), (r"the (\d+)th at once", rate_limit.PINGS.burst + 1)):
        if documented := re.search(pattern, example):
            assert int(documented[1]) == number
    if code in ACCOUNT_ERRORS:
        world = World()
        who, key = ACCOUNT_ERRORS[code](world)
        chat, frame = world.chat, frame.replace("~…", key)
    else:
        chat, who = Chat(), "ada"
        chat.connect("ada")
        BEFORE.get(code, lambda _: None)(chat)
    chat.clear()
    answer = chat.ask(who, frame)
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
        "`signin`, `signout`": rate_limit.SIGN_INS,
        "`profile`": rate_limit.RENAMES,
        "`join`, `leave` of a private room": rate_limit.OPENS,
        "`rooms`, `decline`, `block`": rate_limit.ROOM_LISTS,
        "`members`": rate_limit.LISTS,
        "`read`": rate_limit.READS,
        "`createroom`, `direct`": rate_limit.CREATIONS,
        "`createinvite`, `invite`": rate_limit.INVITATIONS,
        "`accept`": rate_limit.ACCEPTANCES,
        "other changes of private rooms": rate_limit.CHANGES,
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
    assert f"or {allowances * rate_limit.PINGS.sharing} times as many `ping`s and sign-ins" in text
    assert rate_limit.SIGN_INS.sharing == rate_limit.PINGS.sharing
    assert f"open {connects.burst} connections at once, then one every {connects.interval_ms // 1000} s" in text


def test_the_documented_checksum_is_the_servers() -> None:
    people = [Person("b=", "Ben é", "guest-x"), Person("a=", "Ada", "a=")]
    assert frames_out.roster_checksum(people) == zlib.crc32("a=\tAda\ta=\nb=\tBen é\tguest-x\n".encode())
    account = Person("c=", "Cleo", "guest-y", "u-cleo")
    assert frames_out.roster_checksum([account]) == zlib.crc32(b"c=\tCleo\tguest-y\tu-cleo\n")
    assert frames_out.roster_checksum([]) == 0


def documented_limit(row: list[str]) -> tuple[int, int]:
    """Return a limit's burst and interval in milliseconds."""
    if each := re.match(r"1 every ([\d.]+) s", row[2]):
        return int(row[1]), round(float(each[1]) * 1000)
    return int(row[1]), round(1000 / float(row[2].split()[0]))


# Examples.


def replay(number: int, chat: Chat) -> set[str]:
    """Repeat a conversation of the page and compare what everybody gets; return its actions and types."""
    connections = {"ada": "L0SM9cOFvHcCIhw=", "ben": "L0SNAfDsPHcCJAA="}
    chat.services.client = DynamoDB(chat.clock, call_seconds=lambda: 0.0)  # makes timestamps whole seconds
    chat.connect(*connections.values())
    lines = iter(reference.examples(number))
    who, arrow, frame = next(lines)
    said: set[str] = set()
    while frame:
        assert arrow == "→"
        sender = who
        given = json.loads(frame)
        said.add(given["action"])
        chat.clock.advance(1)
        chat.clear()
        chat.call(connections[sender], given | ({"token": chat.token(f"u-{sender}")} if "token" in given else {}))
        received: dict[str, list[Any]] = {name: [] for name in connections}
        who, arrow, next_frame = next(lines, ("", "", ""))
        while arrow == "←":
            received[who].append(json.loads(next_frame))
            said.add(received[who][-1]["type"])
            who, arrow, next_frame = next(lines, ("", "", ""))
        for name, connection_id in connections.items():
            assert received[name] == chat.frames(connection_id), f"after {frame}"
        frame = next_frame
    return said


def test_the_examples_match_the_code() -> None:
    of_accounts = {field.frame for field in (*ACCOUNT_ROWS, *reference.fields("From the server, with accounts"))}
    assert replay(0, Chat()) == {*ACTIONS, *TYPES} - of_accounts, "at least one example of each frame"


def test_the_examples_with_accounts_match_the_code() -> None:
    assert {"signedin", "room", "membership", "removed"} <= replay(1, Chat(sign_in="optional"))


# The page's client.


def types() -> str:
    """Return the page's type declarations without comments."""
    source = "".join(path.read_text(encoding="utf-8") for path in sorted(FRONTEND.glob("*.d.ts"), reverse=True))
    return re.sub(r"/\*.*?\*/|//[^\n]*", "", source, flags=re.DOTALL)


def requests() -> dict[str, set[str]]:
    """Return the fields of the frames in the type AccountFrame, by action."""
    union = reference.extract(r"(?s)type AccountFrame =(.*?);\n\n", types() + "\n")
    return {
        action: set(re.findall(r"(\w+)\??: ", frame)) - {"action"}
        for frame in re.findall(r"{([^}]*)}", union)
        for action in re.findall(r'"(\w+)"', reference.extract(r"action: ([^;]+)", frame))
    }


def interfaces() -> dict[str, dict[str, tuple[bool, str]]]:
    """Return the fields of each interface of the page, including inherited ones: whether optional, and the type."""
    source = types()
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
    typed = {
        action: {name for name, (_, type_) in fields.items() if type_ != "undefined"}
        for action, fields in typed_frames("action").items()
    }
    assert typed | requests() == {action: names(FROM_CLIENT, action) for action in ACTIONS}


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
    built = [frame for frame in built_frames() if frame["type"] not in ACCOUNT_TYPES]
    seen = evaluate(
        "client/protocol.js",
        """{
            frames: Object.entries(page.FRAMES).map(([type, fields]) => [type, Object.keys(fields)]),
            codes: Object.values(page.ErrorCode),
            rooms: page.MAX_ROOMS,
            members: page.MAX_LISTED_MEMBERS,
            parsed: given.map((frame) => page.parseFrame(frame) ?? null),
        }""",
        [frames_out.encode(frame) for frame in built],
    )
    frames = {frame_type: set(fields) for frame_type, fields in seen["frames"]}
    assert frames == {frame_type: names(FROM_SERVER, frame_type) for frame_type in frames}
    assert set(TYPES) - frames.keys() <= ACCOUNT_TYPES, "tests/browser/modules/test_contracts.py has these"
    assert set(seen["codes"]) <= ERRORS.keys()
    assert ERRORS.keys() - set(seen["codes"]) <= set(ACCOUNT_ERRORS), "it shows the sentences of these"
    assert (seen["rooms"], seen["members"]) == (MAX_ROOMS, frames_out.MAX_LISTED_MEMBERS)
    assert seen["parsed"] == built
