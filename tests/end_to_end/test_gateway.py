"""API Gateway's part: handshakes, route selection, and broken sockets."""

import json
import re

import pytest
from websockets.exceptions import InvalidStatus

from chat_client.websocket import ChatSocket
from tests.conftest import Stack, wait_until
from tests.end_to_end.conftest import Connect
from tests.end_to_end.tables import Tables

MAX_FRAME_BYTES = 32 * 1024


def padded(frame: str, size: int) -> str:
    """Pad a frame with spaces, which JSON allows, to exactly `size` bytes."""
    return frame + " " * (size - len(frame.encode()))


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "{site}.evil.example", "{site}/", "{site}, https://evil.example"]
)
def test_a_page_of_another_origin_is_refused_with_403(stack: Stack, origin: str) -> None:
    with pytest.raises(InvalidStatus) as refused:
        ChatSocket(stack.websocket_url, origin=origin.format(site=stack.site_url))
    assert refused.value.response.status_code == 403


def test_the_stacks_own_page_may_connect(stack: Stack, connect: Connect, room: str) -> None:
    assert connect(room, origin=stack.site_url).send_message("from the page")["room"] == room


UNROUTABLE = {
    "not JSON": "Hello",
    "an empty frame": "",
    "a list": '["sendmessage"]',
    "no action": '{"message":"Hello"}',
    "an unknown action": '{"action":"dance"}',
    "an action that is a list": '{"action":["ping"]}',
    "an action that is null": '{"action":null}',
    "the $connect route": '{"action":"$connect"}',
    "the $disconnect route": '{"action":"$disconnect"}',
    "the $default route": '{"action":"$default"}',
    "the deepest nesting that fits in a frame": "[" * MAX_FRAME_BYTES,
}


@pytest.mark.parametrize("frame", UNROUTABLE.values(), ids=UNROUTABLE)
def test_guarantee_6_a_frame_without_a_route_is_answered_and_the_socket_stays_open(
    connect: Connect, frame: str
) -> None:
    client = connect()
    client.send_raw(frame)
    assert client.wait_for("error") == {"type": "error", "error": "Invalid request", "code": "bad_request"}
    assert client.ping()["room"] == "lobby", "the connection is still stored"


REFUSED = {
    "message_required": '{"action":"sendmessage","message":{"a":1}}',
    "bad_request": '{"action":"sendmessage","message":"\\ud800"}',
    "invalid_room": '{"action":"join","room":"a#b"}',
    "invalid_name": '{"action":"join","room":"a","name":"a\\u202eb"}',
    "invalid_secret": '{"action":"join","room":"a","secret":"short"}',
    "not_in_room": '{"action":"leave","room":"elsewhere"}',
}


def test_guarantee_6_each_functions_errors_reach_the_client_without_internals(
    connect: Connect,
) -> None:
    internals = re.compile(r"Traceback|Error\b|/[a-z]+/|\.py|arn:|dynamodb", re.IGNORECASE)
    client = connect()
    for code, frame in REFUSED.items():
        client.send_raw(frame)
        answer = client.wait_for("error")
        assert (answer["code"], answer["action"]) == (code, json.loads(frame)["action"])
        assert not internals.search(answer["error"])
    assert client.ping()["room"] == "lobby"


def test_a_frame_of_32_kb_is_accepted(connect: Connect, room: str) -> None:
    client = connect(room)
    client.send_raw(padded('{"action":"sendmessage","message":"just in time"}', MAX_FRAME_BYTES))
    assert client.wait_for("message", message="just in time")


@pytest.mark.parametrize(
    ("frame", "as_text", "code"),
    [
        (padded('{"action":"ping"}', MAX_FRAME_BYTES + 1), None, 1009),
        (b'{"action":"ping"}', None, 1003),
        (b'{"action":"ping","x":"\xff\xfe"}', True, None),  # Hypercorn closes without a code
    ],
    ids=["32 KB and one byte", "a binary frame", "text that is not UTF-8"],
)
def test_an_invalid_frame_closes_only_its_own_socket(
    connect: Connect, room: str, frame: str | bytes, as_text: bool | None, code: int | None
) -> None:
    stays, breaks = connect(room), connect(room)
    breaks.send_raw(frame, as_text=as_text)
    assert breaks.wait_until_closed() == code
    stays.wait_for("presence", event="leave", connectionId=breaks.connection_id)
    assert stays.ping()["room"] == room


def test_a_client_that_vanishes_leaves_all_its_rooms(stack: Stack, connect: Connect, room: str) -> None:
    second = f"{room}-2"
    here, there, vanishes = connect(room), connect(second), connect(room)
    vanishes.join(second)
    vanishes.drop()
    for client in (here, there):
        assert client.wait_for("presence", event="leave", connectionId=vanishes.connection_id)["memberCount"] == 1
    tables = Tables(stack)
    wait_until(lambda: tables.connection(vanishes.connection_id) is None, "its row is deleted")
    assert tables.members(room) | tables.members(second) == {here.connection_id, there.connection_id}
