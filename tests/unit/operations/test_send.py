"""`sendmessage`: which room a message goes to, what it bears, and what a repetition brings."""

import pytest

from chat.schema import CONNECTIONS, MESSAGES, ROOMS
from chat.store.append import MAX_PUTS
from tests.fakes.dynamodb import carry_out
from tests.fakes.services import Chat
from tests.unit.races import take_each_place

ID = "11111111-2222-3333-4444-5555555555ab"


@pytest.fixture
def chat() -> Chat:
    chat = Chat()
    chat.connect("anna", "ben")
    for connection_id in ("anna", "ben"):
        chat.join(connection_id, "garden", name=connection_id.title())
    chat.clear()
    return chat


def test_two_people_talk(chat: Chat) -> None:
    said = chat.send("anna", "  hello  ", message_id=ID)
    assert said == {
        "type": "message",
        "messageId": ID,
        "room": "garden",
        "seq": 1,
        "timestamp": said["timestamp"],
        "message": "hello",
        "connectionId": "anna",
        "name": "Anna",
        "sender": "anna",
    }
    assert chat.frames("ben") == [said]
    assert chat.history("ben")["messages"] == [{field: said[field] for field in said if field != "type"}]


def test_a_message_without_an_id_is_given_one(chat: Chat) -> None:
    said = chat.ask("anna", {"action": "sendmessage", "message": "hello"})
    (row,) = chat.dynamodb.items(MESSAGES)
    assert (row["messageId"], row["message"]) == (said["messageId"], "hello")
    assert len(said["messageId"]) == 36


def test_people_who_only_send_talk_in_the_lobby() -> None:
    chat = Chat()
    chat.connect("wscat-0001", "wscat-0002")
    said = chat.ask("wscat-0001", '{"action":"sendmessage","message":"Hello"}')
    assert (said["room"], said["name"], said["connectionId"]) == ("lobby", "wscat-00", "wscat-0001")
    assert chat.frames("wscat-0002") == [said]


def test_a_message_goes_to_the_room_it_names_whichever_is_current(chat: Chat) -> None:
    chat.join("anna", "kitchen")
    said = chat.send("anna", "for the garden", to="garden")
    assert chat.frames("ben", "message") == [said]
    assert chat.send("anna", "for the kitchen")["room"] == "kitchen"


@pytest.mark.parametrize("room", ["kitchen", "lobby", "nowhere"])
def test_a_message_to_a_room_that_one_is_not_in_is_refused(chat: Chat, room: str) -> None:
    chat.connect("cleo")
    chat.join("cleo", "kitchen")
    chat.clear()
    frame = {"action": "sendmessage", "message": "hello", "messageId": ID, "to": room}
    error = chat.ask("anna", frame)
    assert (error["code"], error["room"], error["messageId"]) == ("not_in_room", room, ID)
    assert chat.frames("ben") == chat.frames("cleo") == chat.dynamodb.items(MESSAGES) == []


def test_a_message_that_overtakes_the_disconnect_of_its_socket_is_refused_elsewhere(chat: Chat) -> None:
    """A frame may be handled after its connection was removed; then nothing says that it was in the room."""
    socket = chat.gateway.sockets["anna"]
    chat.disconnect("anna")
    body = '{"action":"sendmessage","message":"late","to":"garden"}'
    reply = chat.gateway.invoke("sendmessage", chat.gateway.event(socket, "sendmessage", "MESSAGE", body=body))
    assert reply["statusCode"] == 403
    assert chat.dynamodb.item(CONNECTIONS, connectionId="anna") == {}


def test_a_repetition_shows_the_sender_its_message_and_the_others_where_the_room_ends(chat: Chat) -> None:
    said = chat.send("anna", "hello", message_id=ID)
    chat.send("ben", "hello, Anna")
    chat.clear()
    assert chat.send("anna", "hello", message_id=ID) == said
    (pong,) = chat.frames("ben")
    assert (pong["type"], pong["room"], pong["lastSeq"]) == ("pong", "garden", 2)


def test_an_id_in_capitals_is_the_same_message(chat: Chat) -> None:
    said = chat.send("anna", "hello", message_id=ID)
    assert chat.ask("anna", {"action": "sendmessage", "message": "hello", "messageId": ID.upper()}) == said


def test_an_id_that_the_server_drew_is_known_too(chat: Chat) -> None:
    said = chat.ask("anna", {"action": "sendmessage", "message": "hello"})
    for number in range(5):
        chat.send("ben", str(number))
    assert chat.send("anna", "hello", message_id=said["messageId"]) == said


def test_a_sender_whose_place_is_always_taken_is_told_when_to_try_again(chat: Chat) -> None:
    taken = take_each_place(chat, "garden")
    error = chat.ask("anna", {"action": "sendmessage", "message": "hello", "messageId": ID, "to": "garden"})
    assert (error["code"], error["retryAfterMs"], error["messageId"]) == ("busy", 1000, ID)
    assert len(taken) == MAX_PUTS
    chat.dynamodb.intercept = carry_out
    assert chat.send("anna", "hello", message_id=ID)["seq"] == MAX_PUTS + 1


def test_a_connection_whose_row_was_lost_is_a_member_of_the_lobby_again_when_it_sends() -> None:
    chat = Chat()
    chat.connect("wscat", "other")
    chat.dynamodb.remove(CONNECTIONS, connectionId="wscat")
    chat.dynamodb.remove(ROOMS, room="lobby", item="member#wscat")
    chat.ask("wscat", {"action": "sendmessage", "message": "still here"})
    said = chat.send("other", "good")
    assert chat.frames("wscat", "message")[-1] == said
