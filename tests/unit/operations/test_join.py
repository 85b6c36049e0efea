"""`join` and `leave`: rooms, names and senders."""

import re

import pytest

from chat.schema import CONNECTIONS, ROOMS
from chat.store.connections import MAX_ROOMS
from tests.fakes.dynamodb import fail_once
from tests.fakes.services import Chat
from tests.unit.races import first

SECRET = "3q2-7wAAqrvM3e7_"


@pytest.fixture
def chat() -> Chat:
    chat = Chat()
    chat.connect("anna", "ben")
    return chat


def presence(chat: Chat, connection_id: str) -> list[tuple[str, str, int]]:
    """Return the presence frames that a connection received: event, name, count."""
    return [(one["event"], one["name"], one["memberCount"]) for one in chat.frames(connection_id, "presence")]


def test_joined_has_the_joiner_and_the_members(chat: Chat) -> None:
    chat.join("anna", "garden", name="Anna")
    chat.send("anna", "hello")
    joined = chat.join("ben", "garden", name="Ben")
    anna = {"connectionId": "anna", "name": "Anna", "sender": "anna"}
    ben = {"connectionId": "ben", "name": "Ben", "sender": "ben"}
    assert {field: joined[field] for field in ben} == ben
    assert (joined["members"], joined["memberCount"], joined["lastSeq"]) == ([anna, ben], 2, 1)
    assert [message["message"] for message in joined["messages"]] == ["hello"]
    assert presence(chat, "anna") == [("join", "Ben", 2)]


def test_joining_a_room_again_announces_only_a_new_name(chat: Chat) -> None:
    chat.join("anna", "garden", name="Anna")
    chat.join("ben", "garden", name="Ben")
    chat.clear()
    chat.join("ben", "garden")
    assert presence(chat, "anna") == []
    assert chat.join("ben", "garden", name="Benedict")["members"][1]["name"] == "Benedict"
    assert presence(chat, "anna") == [("rename", "Benedict", 2)]


def test_each_room_receives_the_rename_with_its_own_join(chat: Chat) -> None:
    for room in ("tea", "den"):
        chat.join("anna", room)
        chat.join("ben", room, name="Ben")
    chat.join("ben", "tea", name="Benedict")
    chat.join("ben", "den", name="Benedict")
    renamed = [frame["room"] for frame in chat.frames("anna", "presence") if frame["event"] == "rename"]
    assert renamed == ["tea", "den"]


def test_a_join_without_a_name_keeps_the_name(chat: Chat) -> None:
    chat.join("anna", "garden", name="Anna")
    assert chat.join("anna", "kitchen")["name"] == "Anna"


def test_the_first_join_takes_a_connection_out_of_the_lobby(chat: Chat) -> None:
    chat.clock.advance(60)
    chat.join("anna", "garden")
    assert presence(chat, "ben") == [("leave", "anna", 1)]
    chat.send("ben", "hello, lobby")
    assert chat.frames("anna", "message") == []
    assert chat.ping("anna")["rooms"] == {"garden": 0}


def test_the_lobby_is_not_notified_of_a_connection_that_just_passed_through(chat: Chat) -> None:
    chat.join("anna", "garden")
    assert presence(chat, "ben") == []


def test_the_lobby_can_be_joined_like_any_room(chat: Chat) -> None:
    assert chat.join("anna", "lobby", name="Anna")["memberCount"] == 2
    chat.join("anna", "garden")
    assert chat.ping("anna")["rooms"] == {"garden": 0, "lobby": 0}
    chat.send("ben", "hello, lobby")
    assert [frame["room"] for frame in chat.frames("anna", "message")] == ["lobby"]


def test_another_join_adds_a_room_and_makes_it_current(chat: Chat) -> None:
    chat.join("anna", "garden")
    chat.join("anna", "kitchen")
    chat.join("ben", "garden")
    assert chat.send("anna", "where am I?")["room"] == "kitchen"
    chat.send("ben", "hello, garden")
    assert [frame["room"] for frame in chat.frames("anna", "message")] == ["kitchen", "garden"]


def test_an_eleventh_room_is_refused_and_changes_nothing(chat: Chat) -> None:
    for number in range(MAX_ROOMS):
        chat.join("anna", f"room-{number}")
        chat.clock.advance(1)
    error = chat.ask("anna", {"action": "join", "room": "one-too-many"})
    assert (error["code"], error["action"], error["room"]) == ("too_many_rooms", "join", "one-too-many")
    assert "one-too-many" not in {item["room"] for item in chat.dynamodb.items(ROOMS)}
    pong = chat.ping("anna")
    assert (len(pong["rooms"]), pong["room"]) == (MAX_ROOMS, "room-9")
    assert chat.join("anna", "room-3"), "a joined room may be joined again"
    chat.leave("anna", "room-5")
    chat.clock.advance(1)
    assert chat.join("anna", "one-too-many")


def test_a_secret_gives_the_same_sender_on_every_connection(chat: Chat) -> None:
    first = chat.join("anna", "garden", name="Anna", secret=SECRET)["sender"]
    assert re.fullmatch(r"guest-[A-Za-z0-9_-]{22}", first)
    assert chat.join("ben", "kitchen", secret=SECRET)["sender"] == first
    assert chat.send("anna", "hello")["sender"] == first
    chat.connect("anna-tomorrow")
    assert chat.join("anna-tomorrow", "garden", secret="another" * 3)["sender"] != first


def test_a_join_without_a_secret_keeps_the_sender(chat: Chat) -> None:
    sender = chat.join("anna", "garden", secret=SECRET)["sender"]
    assert chat.join("anna", "kitchen")["sender"] == sender


def test_a_secret_is_neither_stored_nor_shown(chat: Chat) -> None:
    chat.join("ben", "garden")
    chat.join("anna", "garden", secret=SECRET)
    chat.send("anna", "hello")
    stored = [chat.dynamodb.items(table) for table in (CONNECTIONS, ROOMS, "MessageHistory")]
    assert SECRET not in repr([stored, chat.gateway.posts, chat.services.log.getvalue()])


def test_a_join_of_a_gone_connection_leaves_no_member(chat: Chat) -> None:
    """Its `$disconnect` is handled during the join."""
    chat.join("anna", "garden")
    chat.clear()
    chat.dynamodb.intercept = fail_once(first(lambda: chat.disconnect("ben")), "UpdateItem", ROOMS)
    assert chat.call("ben", {"action": "join", "room": "garden", "name": "Ben"}) == {"statusCode": 200}
    assert {item["item"] for item in chat.dynamodb.items(ROOMS)} == {"log#0000000000000000", "member#anna"}
    assert chat.join("anna", "garden")["memberCount"] == 1


def test_leaving_a_room_notifies_it_and_makes_another_one_current(chat: Chat) -> None:
    chat.join("ben", "kitchen")
    chat.join("anna", "garden", name="Anna")
    chat.join("anna", "kitchen")
    chat.clear()
    left = chat.leave("anna", "kitchen")
    assert left == {"type": "left", "room": "kitchen", "current": "garden"}
    assert presence(chat, "ben") == [("leave", "Anna", 1)]
    chat.send("ben", "is she gone?")
    assert chat.frames("anna", "message") == []


def test_after_leaving_the_last_room_a_connection_is_in_none(chat: Chat) -> None:
    chat.join("anna", "garden")
    assert chat.leave("anna", "garden")["current"] is None
    assert chat.ping("anna") | {"timestamp": ""} == {
        "type": "pong",
        "room": None,
        "lastSeq": 0,
        "timestamp": "",
        "rooms": {},
    }
    for frame in ({"action": "sendmessage", "message": "hello"}, {"action": "history"}, {"action": "typing"}):
        assert chat.ask("anna", frame)["code"] == "not_in_room"
    assert chat.join("anna", "garden")["memberCount"] == 1


def test_a_connection_may_leave_the_lobby_without_a_join(chat: Chat) -> None:
    assert chat.leave("anna", "lobby")["current"] is None
    chat.send("ben", "hello, lobby")
    assert chat.frames("anna", "message") == []
    assert presence(chat, "ben") == [("leave", "anna", 1)]


@pytest.mark.parametrize("room", ["elsewhere", "lobby"])
def test_an_unjoined_room_cannot_be_left(chat: Chat, room: str) -> None:
    chat.join("anna", "garden")
    before = chat.dynamodb.item(CONNECTIONS, connectionId="anna")
    error = chat.ask("anna", {"action": "leave", "room": room})
    assert (error["code"], error["action"], error["room"]) == ("not_in_room", "leave", room)
    after = chat.dynamodb.item(CONNECTIONS, connectionId="anna")
    assert {**after, "joinTat": 0} == {**before, "joinTat": 0}, "it only counts against the limit"


def test_concurrent_joins_all_count_and_take_effect(chat: Chat) -> None:
    """The second reads the row before the first changes it."""
    join = first(lambda: chat.join("anna", "garden", name="Anna"))
    chat.dynamodb.intercept = fail_once(join, "UpdateItem", CONNECTIONS)
    chat.call("anna", {"action": "join", "room": "kitchen"})
    assert chat.ping("anna")["rooms"] == {"garden": 0, "kitchen": 0}
    assert chat.dynamodb.item(CONNECTIONS, connectionId="anna")["name"] == "Anna"
    assert chat.dynamodb.item(CONNECTIONS, connectionId="anna")["joinTat"] > chat.clock.now_ms()
