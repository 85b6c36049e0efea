"""`$connect` and `$disconnect`: who may connect, and which items are stored and removed."""

from typing import Any

import pytest

from chat.schema import CONNECTIONS, ROOMS
from tests.fakes.services import Chat


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Origin": "https://chat.example"}, 200),
        ({"origin": " https://CHAT.example"}, 200),
        ({"Origin": "https://chat.example.evil.com"}, 403),
        ({"ORIGIN": "http://chat.example"}, 403),
        ({"Origin": "https://chat.example:8443"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": ""}, 403),
    ],
    ids=str,
)
def test_a_browser_may_connect_from_an_allowed_origin_only(headers: dict[str, str], status: int) -> None:
    chat = Chat()
    assert chat.gateway.connect("anna", headers) == status
    assert bool(chat.dynamodb.items(CONNECTIONS)) is (status == 200)


@pytest.mark.parametrize("origin", ["", "null", "https://chat.example", "https://"])
def test_without_allowed_origins_no_browser_may_connect(origin: str) -> None:
    chat = Chat(allowed_origins=frozenset(), callback_url="")
    assert chat.gateway.connect("anna", {"Origin": origin}) == 403
    assert chat.gateway.connect("wscat") == 200


@pytest.mark.parametrize("origin", ["https://api.example", "http://own-domain.example", "wss://API.example"])
def test_a_client_whose_origin_is_the_api_may_connect(origin: str) -> None:
    chat = Chat(callback_url="https://api.example/production")
    event = {
        "requestContext": {"connectionId": "anna", "domainName": "own-domain.example"},
        "headers": {"Origin": origin},
    }
    assert chat.gateway.invoke("$connect", with_request_id(event)) == {"statusCode": 200}


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("203.0.113.7", 403),
        ("203.0.114.7", 200),
        ("198.51.100.1", 403),
        ("198.51.100.2", 200),
        ("2001:db8::9", 403),
        ("2001:db9::9", 200),
        ("::ffff:203.0.113.7", 403),
        ("no address", 200),
        (None, 200),
    ],
)
def test_a_blocked_address_may_not_connect(address: str | None, status: int) -> None:
    chat = Chat(blocked_addresses=("203.0.113.0/24", "198.51.100.1", "2001:db8::/32"))
    assert chat.gateway.connect("anna", address=address) == status
    assert bool(chat.dynamodb.items(CONNECTIONS)) is (status == 200)
    events = chat.services.events("blocked_address")
    assert len(events) == (status == 403)
    assert address is None or address not in chat.services.log.getvalue()


def with_request_id(event: dict[str, Any]) -> dict[str, Any]:
    event["requestContext"]["requestId"] = "request-0"
    return event


@pytest.mark.parametrize("headers", [None, [], "text", {"Origin": None}, {"Origin": ["a", "b"]}], ids=str)
def test_malformed_headers_are_answered(headers: Any) -> None:
    event = with_request_id({"requestContext": {"connectionId": "anna"}, "headers": headers})
    assert Chat().gateway.invoke("$connect", event)["statusCode"] in (200, 403)


def test_a_connection_is_in_the_lobby_under_the_start_of_its_id() -> None:
    chat = Chat()
    chat.connect("L0SM9cOFvHcCIhw=")
    (row,) = chat.dynamodb.items(CONNECTIONS)
    assert (row["timestamp"], row["room"], row["name"]) == ("2027-01-15T08:00:00.000Z", "lobby", "L0SM9cOF")
    (member,) = chat.dynamodb.items(ROOMS)
    assert (member["room"], member["name"]) == ("lobby", "L0SM9cOF")
    assert row["expiresAt"] == member["expiresAt"] == 1_800_000_000 + 7200, "no connection outlives two hours"


def test_a_late_retry_of_the_write_of_connect_does_not_undo_a_join() -> None:
    chat = Chat()
    chat.connect("anna")
    chat.join("anna", "garden", name="Anna")
    chat.connect("anna")
    row = chat.dynamodb.item(CONNECTIONS, connectionId="anna")
    assert (row["room"], row["name"], row["rooms"]) == ("garden", "Anna", {"garden"})


def test_disconnecting_removes_a_connection_from_every_room_and_notifies_each() -> None:
    chat = Chat()
    chat.connect("anna", "ben")
    for room in ("garden", "kitchen"):
        chat.join("anna", room, name="Anna")
        chat.join("ben", room)
    chat.clear()
    chat.disconnect("anna")
    received = [(frame["room"], frame["event"], frame["name"], frame["memberCount"]) for frame in chat.frames("ben")]
    assert received == [("garden", "leave", "Anna", 1), ("kitchen", "leave", "Anna", 1)]
    assert chat.dynamodb.item(CONNECTIONS, connectionId="anna") == {}
    assert [item for item in chat.dynamodb.items(ROOMS) if item["item"] == "member#anna"] == []


def test_disconnecting_twice_notifies_once() -> None:
    chat = Chat()
    chat.connect("anna", "ben")
    chat.clear()
    chat.disconnect("anna")
    chat.disconnect("anna")
    assert len(chat.frames("ben", "presence")) == 1


@pytest.mark.parametrize("action", ["$connect", "$disconnect"])
def test_a_frame_whose_action_is_an_event_route_changes_nothing(action: str) -> None:
    chat = Chat()
    chat.connect("anna")
    before = chat.dynamodb.items(CONNECTIONS), chat.dynamodb.items(ROOMS)
    assert chat.ask("anna", {"action": action})["code"] == "bad_request"
    assert (chat.dynamodb.items(CONNECTIONS), chat.dynamodb.items(ROOMS)) == before
