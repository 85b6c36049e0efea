"""`history`, `ping`, `typing`, and frames without a route."""

import pytest

from chat.schema import CONNECTIONS
from tests.fakes.services import Chat


@pytest.fixture
def chat(chat: Chat) -> Chat:
    for number in range(1, 6):
        chat.send("anna", f"message {number}")
    chat.clear()
    return chat


@pytest.mark.parametrize(
    ("asked", "seqs", "complete"),
    [
        ({}, [1, 2, 3, 4, 5], True),
        ({"limit": 2}, [4, 5], False),
        ({"before": 4}, [1, 2, 3], True),
        ({"before": 4, "limit": 2}, [2, 3], False),
        ({"before": 0}, [], True),
        ({"after": 3}, [4, 5], True),
        ({"after": 0, "limit": 2}, [1, 2], False),
        ({"after": 1, "before": 4}, [2, 3], True),
        ({"after": 5}, [], True),
    ],
    ids=str,
)
def test_history_returns_a_page_and_echoes_the_request(
    chat: Chat, asked: dict[str, int], seqs: list[int], complete: bool
) -> None:
    page = chat.history("ben", **asked)
    assert [message["seq"] for message in page["messages"]] == seqs
    assert (page["complete"], page["lost"], page["room"]) == (complete, False, "garden")
    assert {field: page[field] for field in ("before", "after") if field in page} == {
        field: value for field, value in asked.items() if field != "limit"
    }, "it echoes the request"


def test_any_joined_room_can_be_read(chat: Chat) -> None:
    chat.join("ben", "kitchen")
    assert chat.history("ben")["room"] == "kitchen"
    assert len(chat.history("ben", room="garden")["messages"]) == 5


@pytest.mark.parametrize("action", ["history", "typing"])
def test_an_unjoined_room_cannot_be_read(chat: Chat, action: str) -> None:
    chat.connect("cleo")
    error = chat.ask("cleo", {"action": action, "room": "garden"})
    assert (error["code"], error["action"], error["room"]) == ("not_in_room", action, "garden")
    assert chat.frames("anna") == chat.frames("ben") == []


def test_a_pong_has_the_newest_seq_of_each_room(chat: Chat) -> None:
    chat.join("ben", "kitchen")
    pong = chat.ping("ben")
    assert (pong["room"], pong["lastSeq"], pong["rooms"]) == ("kitchen", 0, {"garden": 5, "kitchen": 0})
    assert pong["timestamp"].startswith("2027-01-15T08:00:00.")
    chat.join("ben", "garden")
    assert chat.ping("ben")["lastSeq"] == 5


def test_typing_is_posted_to_the_others_in_the_room(chat: Chat) -> None:
    chat.typing("anna")
    assert chat.frames("ben") == [
        {"type": "typing", "room": "garden", "connectionId": "anna", "name": "Anna", "sender": "anna"}
    ]
    assert chat.frames("anna") == []
    chat.join("anna", "kitchen")
    chat.typing("anna", room="garden")
    assert [frame["room"] for frame in chat.frames("ben", "typing")] == ["garden", "garden"]


@pytest.mark.parametrize("frame", ['{"action":"dance"}', "hello", '{"message":"hello"}', '{"action":["ping"]}', "[]"])
def test_a_frame_without_a_route_is_an_invalid_request(chat: Chat, frame: str) -> None:
    error = chat.ask("anna", frame)
    assert error == {"type": "error", "error": "Invalid request", "code": "bad_request"}


@pytest.mark.parametrize("action", ["ping", "typing", "history", "leave"])
def test_a_late_frame_of_a_gone_connection_writes_no_row_and_notifies_no_one(chat: Chat, action: str) -> None:
    socket = chat.gateway.sockets["anna"]
    chat.disconnect("anna")
    chat.clear()
    for body in (f'{{"action":"{action}"}}', f'{{"action":"{action}","room":"garden"}}'):
        chat.gateway.invoke(action, chat.gateway.event(socket, action, "MESSAGE", body=body))
    assert chat.dynamodb.item(CONNECTIONS, connectionId="anna") == {}
    assert chat.frames("ben") == []
