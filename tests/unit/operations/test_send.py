"""`sendmessage`: the room and fields of a message, and repeats."""

import pytest

from chat.schema import CONNECTIONS, MESSAGES, ROOMS
from chat.store.append import MAX_PUTS
from tests.fakes.dynamodb import carry_out
from tests.fakes.services import Chat
from tests.unit.races import take_each_place

ID = "11111111-2222-3333-4444-5555555555ab"


def test_a_message_reaches_sender_and_room(chat: Chat) -> None:
    sent = chat.send("anna", "  hello  ", message_id=ID)
    assert sent == {
        "type": "message",
        "messageId": ID,
        "room": "garden",
        "seq": 1,
        "timestamp": sent["timestamp"],
        "message": "hello",
        "connectionId": "anna",
        "name": "Anna",
        "sender": "anna",
    }
    assert chat.frames("ben") == [sent]
    assert chat.history("ben")["messages"] == [{field: sent[field] for field in sent if field != "type"}]


def test_a_message_without_an_id_is_given_one(chat: Chat) -> None:
    sent = chat.ask("anna", {"action": "sendmessage", "message": "hello"})
    (row,) = chat.dynamodb.items(MESSAGES)
    assert (row["messageId"], row["message"]) == (sent["messageId"], "hello")
    assert len(sent["messageId"]) == 36


def test_clients_that_only_send_talk_in_the_lobby() -> None:
    chat = Chat()
    chat.connect("wscat-0001", "wscat-0002")
    sent = chat.ask("wscat-0001", '{"action":"sendmessage","message":"Hello"}')
    assert (sent["room"], sent["name"], sent["connectionId"]) == ("lobby", "wscat-00", "wscat-0001")
    assert chat.frames("wscat-0002") == [sent]


def test_a_message_goes_to_the_room_it_names_not_the_current_one(chat: Chat) -> None:
    chat.join("anna", "kitchen")
    sent = chat.send("anna", "for the garden", to="garden")
    assert chat.frames("ben", "message") == [sent]
    assert chat.send("anna", "for the kitchen")["room"] == "kitchen"


@pytest.mark.parametrize("room", ["kitchen", "lobby", "nowhere"])
def test_a_message_to_an_unjoined_room_is_refused(chat: Chat, room: str) -> None:
    chat.connect("cleo")
    chat.join("cleo", "kitchen")
    chat.clear()
    frame = {"action": "sendmessage", "message": "hello", "messageId": ID, "to": room}
    error = chat.ask("anna", frame)
    assert (error["code"], error["room"], error["messageId"]) == ("not_in_room", room, ID)
    assert chat.frames("ben") == chat.frames("cleo") == chat.dynamodb.items(MESSAGES) == []


def test_after_a_disconnect_a_late_message_is_refused_outside_the_lobby(chat: Chat) -> None:
    """A frame may be handled after its connection was removed; its membership is then unknown."""
    socket = chat.gateway.sockets["anna"]
    chat.disconnect("anna")
    body = '{"action":"sendmessage","message":"late","to":"garden"}'
    reply = chat.gateway.invoke("sendmessage", chat.gateway.event(socket, "sendmessage", "MESSAGE", body=body))
    assert reply["statusCode"] == 403
    assert chat.dynamodb.item(CONNECTIONS, connectionId="anna") == {}


def test_a_repeat_sends_the_message_to_its_sender_and_the_newest_seq_to_the_others(chat: Chat) -> None:
    sent = chat.send("anna", "hello", message_id=ID)
    chat.send("ben", "hello, Anna")
    chat.clear()
    assert chat.send("anna", "hello", message_id=ID) == sent
    (pong,) = chat.frames("ben")
    assert (pong["type"], pong["room"], pong["lastSeq"]) == ("pong", "garden", 2)


def test_an_id_in_capitals_is_the_same_message(chat: Chat) -> None:
    sent = chat.send("anna", "hello", message_id=ID)
    assert chat.ask("anna", {"action": "sendmessage", "message": "hello", "messageId": ID.upper()}) == sent


def test_an_id_generated_by_the_server_can_be_repeated(chat: Chat) -> None:
    sent = chat.ask("anna", {"action": "sendmessage", "message": "hello"})
    for number in range(5):
        chat.send("ben", str(number))
    assert chat.send("anna", "hello", message_id=sent["messageId"]) == sent


def test_a_sender_whose_place_is_always_taken_receives_busy_with_a_delay(chat: Chat) -> None:
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
    sent = chat.send("other", "good")
    assert chat.frames("wscat", "message")[-1] == sent
