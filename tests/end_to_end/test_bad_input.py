"""Whatever a socket sends is answered, and the socket lives: never an exception, never silence."""

import json
import re
from typing import Any

import pytest

from tests.end_to_end.chatter import Chatter
from tests.end_to_end.conftest import Connects

LIMIT_BYTES = 32 * 1024
LIVELY = {"error": "Invalid request", "code": "bad_request"}


def framed(**fields: Any) -> str:
    return json.dumps({"action": "sendmessage", **fields})


def padded(frame: str, size: int) -> str:
    """Return a frame of exactly so many bytes, filled up with spaces, which JSON allows."""
    return frame + " " * (size - len(frame.encode()))


BAD_FRAMES: dict[str, tuple[str, dict[str, Any]]] = {
    "no JSON": ("Hello", LIVELY),
    "half of a frame": ('{"action":"sendmessage","mess', LIVELY),
    "nothing at all": ("", LIVELY),
    "a null": ("null", LIVELY),
    "a list": ('["sendmessage"]', LIVELY),
    "a number": ("42", LIVELY),
    "a string": ('"sendmessage"', LIVELY),
    "no action": ('{"message":"Hello"}', LIVELY),
    "an unknown action": ('{"action":"dance"}', LIVELY),
    "an action that is a number": ('{"action":7}', LIVELY),
    "an action that is a list": ('{"action":["ping"]}', LIVELY),
    "an action that is null": ('{"action":null}', LIVELY),
    "a route of API Gateway's own": ('{"action":"$connect"}', LIVELY),
    "its counterpart": ('{"action":"$disconnect"}', LIVELY),
    "the spare route itself": ('{"action":"$default"}', LIVELY),
    "nesting as deep as a frame has room for": ("[" * LIMIT_BYTES, LIVELY),
    "nesting within a message": (
        '{"action":"sendmessage","message":' + "[" * 15000 + "]" * 15000 + "}",
        {},  # a parser that gets to its end finds no message; one that gives up finds no frame
    ),
    "no message": (framed(), {"error": "Message is required", "code": "message_required"}),
    "an empty message": (framed(message=""), {"error": "Message is required", "code": "message_required"}),
    "a blank message": (framed(message=" \n\t "), {"error": "Message is required", "code": "message_required"}),
    "a number as message": (framed(message=42), {"error": "Message is required", "code": "message_required"}),
    "null as message": (framed(message=None), {"error": "Message is required", "code": "message_required"}),
    "an object as message": (framed(message={"a": 1}), {"error": "Message is required", "code": "message_required"}),
    "4,001 characters": (framed(message="x" * 4001), {"code": "message_too_long"}),
    "a lone surrogate": ('{"action":"sendmessage","message":"\\ud800"}', LIVELY),
    "a lone surrogate in a key": ('{"action":"sendmessage","\\udfff":"x"}', {"code": "message_required"}),
    "NaN": ('{"action":"sendmessage","message":"Hello","at":NaN}', LIVELY),
    "Infinity": ('{"action":"ping","at":-Infinity}', LIVELY),
    "a number of 10,000 digits": ('{"action":"ping","at":' + "9" * 10_000 + "}", LIVELY),
    "a messageId that is no UUID": (framed(message="Hello", messageId="1"), {"code": "bad_request"}),
    "a messageId that is a number": (framed(message="Hello", messageId=1), {"code": "bad_request"}),
    "a room in capitals": ('{"action":"join","room":"Lobby"}', {"code": "invalid_room"}),
    "a room that is none": ('{"action":"join"}', {"code": "invalid_room"}),
    "a room with a key's separator": ('{"action":"join","room":"a#b"}', {"code": "invalid_room"}),
    "a room of 65 characters": (json.dumps({"action": "join", "room": "r" * 65}), {"code": "invalid_room"}),
    "an empty name": ('{"action":"join","room":"r","name":" "}', {"code": "invalid_name"}),
    "a name of 41 characters": (
        json.dumps({"action": "join", "room": "r", "name": "n" * 41}),
        {"code": "invalid_name"},
    ),
    "a name that turns the line": ('{"action":"join","room":"r","name":"a\\u202eb"}', {"code": "invalid_name"}),
    "a name with a lone surrogate": ('{"action":"join","room":"r","name":"\\ud83d"}', {"code": "invalid_name"}),
    "an after below zero": ('{"action":"history","after":-1}', {"code": "bad_request"}),
    "an after that is no number": ('{"action":"history","after":"1"}', {"code": "bad_request"}),
    "an after beyond all seqs": ('{"action":"join","room":"r","after":1e400}', {"code": "bad_request"}),
    "a before that is true": ('{"action":"history","before":true}', {"code": "bad_request"}),
    "a limit of nothing": ('{"action":"history","limit":0}', {"code": "bad_request"}),
}


@pytest.mark.parametrize("bad", BAD_FRAMES)
def test_guarantee_6_a_bad_frame_is_answered_and_the_socket_lives(connects: Connects, bad: str) -> None:
    frame, expected = BAD_FRAMES[bad]
    chatter = connects()
    chatter.say(frame)
    answer = chatter.hears("error")
    assert {name: answer[name] for name in expected} == expected
    assert len(answer["error"]) < 200
    assert set(answer) <= {"type", "error", "code", "messageId"}
    assert chatter.pings()["type"] == "pong"


def test_an_error_names_the_message_it_is_about(connects: Connects) -> None:
    chatter = connects()
    chatter.say(framed(message="", messageId="0b8e0f3c-3f0e-4b53-9d2a-6f5f0b9f9f11"))
    assert chatter.hears("error")["messageId"] == "0b8e0f3c-3f0e-4b53-9d2a-6f5f0b9f9f11"


def test_a_frame_of_32_kb_is_taken(connects: Connects, room: str) -> None:
    chatter = connects(room)
    chatter.say(padded(framed(message="just in time"), LIMIT_BYTES))
    assert chatter.hears("message", message="just in time")


def test_4000_characters_are_taken_and_trimmed_before_they_are_counted(connects: Connects, room: str) -> None:
    chatter = connects(room)
    chatter.say(framed(message="  " + "ü" * 4000 + "  "))
    assert chatter.hears("message")["message"] == "ü" * 4000


@pytest.mark.parametrize(
    ("frame", "text", "code"),
    [
        (padded(framed(message="too late"), LIMIT_BYTES + 1), None, 1009),
        (b'{"action":"ping"}', None, 1003),
        (b'{"action":"ping","x":"\xff\xfe"}', True, None),  # the emulator's server hangs up without a word
    ],
    ids=["32 KB and one byte", "a binary frame", "text that is no UTF-8"],
)
def test_what_no_socket_may_send_closes_it(
    connects: Connects, room: str, frame: str | bytes, text: bool | None, code: int | None
) -> None:
    stays, breaks = connects(room), connects(room)
    breaks.say(frame, text=text)
    assert breaks.is_closed_with() == code
    stays.hears("presence", event="leave", connectionId=breaks.connection_id)
    assert stays.pings()["type"] == "pong"


EVENTS: dict[str, Any] = {
    "no connection id": {"requestContext": {"routeKey": "ping"}, "body": "{}"},
    "a connection id that is a number": {"requestContext": {"connectionId": 7}, "body": "{}"},
    "no context": {"body": "{}"},
    "a context that is a list": {"requestContext": []},
    "a null": None,
    "a list": [],
    "a body that is null": {"requestContext": {"connectionId": "nobody"}, "body": None},
    "a body that is a number": {"requestContext": {"connectionId": "nobody"}, "body": 3},
    "a body that is not the base64 it says": {
        "requestContext": {"connectionId": "nobody"},
        "isBase64Encoded": True,
        "body": "?",
    },
}
ANSWERING = ("ChatAppSendMessage", "ChatAppJoin", "ChatAppHistory", "ChatAppTyping", "ChatAppPing", "ChatAppDefault")


@pytest.mark.parametrize("bad", EVENTS)
def test_guarantee_6_an_event_that_is_none_is_answered_by_every_function(stack: Any, bad: str) -> None:
    functions = stack.client("lambda")
    for name in ANSWERING:
        answer = functions.invoke(FunctionName=name, Payload=json.dumps(EVENTS[bad]))
        assert "FunctionError" not in answer, name
        reply = json.loads(answer["Payload"].read())
        assert reply["statusCode"] == 400, name
        assert json.loads(reply["body"]) == {"type": "error", **LIVELY}, name


def test_no_answer_tells_of_our_insides(connects: Connects) -> None:
    inside = re.compile(r"Traceback|Error\b|/[a-z]+/|\.py|arn:|dynamodb", re.IGNORECASE)
    chatter = connects()
    for frame, _ in BAD_FRAMES.values():
        chatter.say(frame)
        answer = chatter.first(lambda heard: heard["type"] == "error", "error")
        assert not inside.search(answer["error"])


def test_a_flood_of_pings_is_told_to_slow_down_and_lives(connects: Connects) -> None:
    chatter: Chatter = connects()
    for _ in range(25):
        chatter.say({"action": "ping"})
    assert chatter.hears("error", code="rate_limited")["retryAfterMs"] > 0
