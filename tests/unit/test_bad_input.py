"""Guarantee 6: no input, from any socket, makes a function raise; it is answered by an `error` frame."""

import importlib
import itertools
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chat.protocol.events import Reply
from chat.routes import ACCOUNT_ROUTES, ROUTES
from tests.fakes.gateway import LambdaContext
from tests.fakes.services import Chat

ID = "11111111-2222-3333-4444-5555555555ab"
FRAME_ROUTES = sorted(route for route in ROUTES if route not in ("$connect", "$disconnect"))
GOOD: dict[str, dict[str, Any]] = {
    "sendmessage": {"message": "hello", "messageId": ID, "to": "lobby"},
    "join": {"room": "tea", "name": "Ada", "secret": "s" * 16, "after": 0},
    "leave": {"room": "lobby"},
    "history": {"room": "lobby", "before": 9, "after": 0, "limit": 5},
    "typing": {"room": "lobby"},
    "ping": {"room": "lobby", "roster": 0},
    "$default": {},
}
VALUES: list[Any] = [
    None,
    True,
    0,
    -1,
    1.5,
    2**53,
    10**400,
    float("1e308"),
    "",
    " ",
    "\0",
    "\u200b",
    "\ud800",
    "\ud83d\ude00" * 2,
    "log#0000000000000001",
    "member#anna",
    "__proto__",
    "x" * 65,
    "x" * 5000,
    "'; DROP TABLE ChatRooms; --",
    "https://a.example/\r\nSet-Cookie: a=b",
    [],
    ["lobby"],
    [[[]]],
    {},
    {"S": "lobby"},
    {"$ne": None},
]
BODIES: list[Any] = [
    None,
    "",
    " ",
    "no json",
    "[1]",
    "null",
    "NaN",
    '"action"',
    "{",
    '{"action"',
    "[" * 20_000,
    '{"a":' * 5_000 + "1" + "}" * 5_000,
    '{"message":NaN,"after":Infinity}',
    '{"after":1e400,"limit":-1e400}',
    '{"after":' + "9" * 5_000 + "}",
    '{"message":"\ud800"}',
    '{"message":"\\ud800","name":"\\udfff","room":"\\ud800"}',
    '{"message":"\\u0000","messageId":"\\u0000"}',
    "\ufeff{}",
    "x" * 40_000,
    json.dumps({"message": "é" * 20_000}, ensure_ascii=False),
    json.dumps({f"field-{number}": number for number in range(2_000)}),
    12,
    True,
    b"{}",
    {"a": 1},
    ["{}"],
]
CONTEXTS: list[Any] = [
    None,
    [],
    "text",
    {},
    {"connectionId": None},
    {"connectionId": 5},
    {"connectionId": ""},
    {"connectionId": "\ud800"},
    {"connectionId": "a\nb"},
    {"connectionId": ["anna"]},
]
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
FIELDS = sorted({field for fields in GOOD.values() for field in fields})


@pytest.fixture(scope="module")
def chat() -> Chat:
    """A chat with a history, in which rate limits recover between frames."""
    chat = Chat()
    chat.connect("anna", "ben")
    for number in range(20):
        chat.send("ben", str(number))
    return chat


def ask(chat: Chat, route: str, event: Any) -> Reply:
    """Invoke a function and check that its answer is valid for any input."""
    chat.clock.advance(60)
    entry_point = importlib.import_module(ACCOUNT_ROUTES[route].module).lambda_handler
    reply = entry_point.answer(chat.services, event, LambdaContext(chat.clock, "request-1"))
    if reply["statusCode"] != 200:
        error = json.loads(reply["body"])
        assert (error["type"], error["code"] != "internal") == ("error", True), (event, error)
        assert error["error"]
        assert error.keys() <= {"type", "error", "code", "action", "room", "messageId", "retryAfterMs"}
        assert reply["body"].encode()
    return reply


def frames(action: str) -> Iterator[dict[str, Any]]:
    """Yield a valid frame with each field, and each pair of fields, malformed in every way."""
    good = {"action": action, **GOOD[action]}
    for field, value in itertools.product([*FIELDS, "action", "extra"], VALUES):
        yield {**good, field: value}
    for (one, other), value in itertools.product(itertools.combinations(FIELDS, 2), VALUES):
        yield {**good, one: value, other: value}
    for field in good:
        yield {name: value for name, value in good.items() if name != field}


@pytest.mark.parametrize("route", FRAME_ROUTES)
def test_guarantee_6_a_frame_with_any_malformed_field_is_answered(chat: Chat, route: str) -> None:
    gone_wrong = list(frames(route))
    assert len(gone_wrong) > 1_200, "about 10,900 in all"
    for frame in gone_wrong:
        event = {"requestContext": {"connectionId": "anna", "connectedAt": chat.clock.now_ms()}}
        ask(chat, route, {**event, "body": json.dumps(frame)})


@pytest.mark.parametrize("route", FRAME_ROUTES)
def test_guarantee_6_a_body_that_is_not_a_frame_is_an_error(chat: Chat, route: str) -> None:
    for body, encoded in itertools.product(BODIES, [False, True, "yes"]):
        event = {"requestContext": {"connectionId": "anna"}, "body": body, "isBase64Encoded": encoded}
        reply = ask(chat, route, event)
        assert reply["statusCode"] == 400 or route in ("ping", "typing", "history"), (body, reply)


@pytest.mark.parametrize("route", sorted(ROUTES))
def test_guarantee_6_an_event_that_is_not_from_a_websocket_is_an_error(chat: Chat, route: str) -> None:
    for event in (None, [], "text", 5, *({"requestContext": context, "body": "{}"} for context in CONTEXTS)):
        reply = ask(chat, route, event)
        assert (reply["statusCode"], json.loads(reply["body"])["code"]) == (400, "bad_request")


@pytest.mark.parametrize("route", sorted(ROUTES))
@pytest.mark.parametrize("field", ["connectedAt", "eventType", "domainName", "routeKey", "requestId", "identity"])
def test_guarantee_6_an_event_with_any_other_content_is_answered(chat: Chat, route: str, field: str) -> None:
    for value in VALUES:
        context = {"connectionId": "cleo", "identity": {"sourceIp": value}, field: value}
        ask(chat, route, {"requestContext": context, "headers": value, "body": json.dumps(GOOD.get(route, {}))})


@settings(max_examples=300)
@given(route=st.sampled_from(FRAME_ROUTES), frame=st.dictionaries(st.sampled_from(FIELDS), ANYTHING, max_size=5))
def test_guarantee_6_a_frame_with_any_fields_is_answered(chat: Chat, route: str, frame: dict[str, Any]) -> None:
    ask(chat, route, {"requestContext": {"connectionId": "anna"}, "body": json.dumps({"action": route, **frame})})


@settings(max_examples=200)
@given(route=st.sampled_from(sorted(ROUTES)), event=ANYTHING)
def test_guarantee_6_any_event_is_answered(chat: Chat, route: str, event: Any) -> None:
    ask(chat, route, event)


PRIVATE, INVITED = "~" + "a" * 26, {"room": "~" + "b" * 26}
ACCOUNT_GOOD: dict[str, dict[str, Any]] = {
    "signin": {"secret": "annas-own-secret-of-guests", "name": "Anna"},
    "signout": {"everywhere": False},
    "profile": {"name": "Anna"},
    "rooms": {},
    "read": {"room": PRIVATE, "seq": 1},
    "createroom": {"title": "Our room", "sharesHistory": True},
    "direct": {"userId": "u-ben"},
    "editroom": {"room": PRIVATE, "title": "Our room", "sharesHistory": False},
    "members": {"room": PRIVATE},
    "createinvite": {"room": PRIVATE, "uses": 2, "hours": 24},
    "revokeinvite": {"room": PRIVATE, "inviteId": "abcdefgh"},
    "invite": {"room": PRIVATE, "name": "ben"},
    "accept": {**INVITED, "token": "x" * 32},
    "decline": INVITED,
    "setrole": {"room": PRIVATE, "userId": "u-ben", "role": "moderator"},
    "remove": {"room": PRIVATE, "userId": "u-ben", "ban": False},
    "unban": {"room": PRIVATE, "userId": "u-ben"},
    "quit": {"room": PRIVATE},
    "block": {"userId": "u-ben", "blocked": True},
}
ACCOUNT_FIELDS = sorted({field for fields in ACCOUNT_GOOD.values() for field in fields} | {"token", "extra"})


def test_every_frame_of_a_chat_with_accounts_is_tried() -> None:
    assert ACCOUNT_GOOD.keys() == ACCOUNT_ROUTES.keys() - ROUTES.keys()


@pytest.mark.parametrize("route", ACCOUNT_GOOD)
@pytest.mark.parametrize("user", [None, "u-anna"])
def test_guarantee_6_an_account_frame_with_any_malformed_field_is_answered(route: str, user: str | None) -> None:
    chat = Chat(sign_in="optional")
    chat.connect("anna", "ben")
    chat.sign_in("ben")
    if user is not None:
        chat.sign_in("anna", user=user, seconds=10**7)
    good = {"action": route, **ACCOUNT_GOOD[route]}
    if route == "signin":
        good["token"] = chat.token("u-anna", seconds=10**7)
    tried = [{**good, field: value} for field, value in itertools.product(ACCOUNT_FIELDS, VALUES)]
    tried += [{name: value for name, value in good.items() if name != field} for field in good]
    for frame in tried:
        event = {"requestContext": {"connectionId": "anna", "connectedAt": chat.clock.now_ms()}}
        ask(chat, route, {**event, "body": json.dumps(frame)})
    assert chat.services.events("fault") == []


def test_guarantee_6_the_connection_survives_all_of_it(chat: Chat) -> None:
    chat.clock.advance(60)
    chat.connect("new")
    for body in BODIES:
        if isinstance(body, str) and body.isascii() and len(body) < 32_000:
            chat.ask("new", body)
    assert chat.send("new", "still here")["room"] == "lobby"
    assert chat.services.events("fault") == []
