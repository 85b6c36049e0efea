"""Conversations over real sockets, by the rules of docs/protocol.md."""

import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

from chat_client.errors import RefusedError
from chat_client.websocket import ChatSocket, Frame
from tests.conftest import Stack, fresh_room
from tests.end_to_end.conftest import Connect
from tests.end_to_end.tables import Tables

SECRET = "a-secret-of-24-characters"


def seqs(messages: list[Frame]) -> list[int]:
    return [message["seq"] for message in messages]


def refusal(client: ChatSocket, action: str, **fields: str) -> tuple[str, str]:
    """Send a frame that is refused; return the error's code and room."""
    client.send(action, **fields)
    error = client.wait_for("error", action=action)
    return error["code"], error["room"]


def test_a_join_returns_members_and_messages_and_notifies_the_others(connect: Connect, room: str) -> None:
    ada = connect(room, "Ada")
    said = ada.send_message("first")
    bob = connect()
    joined = bob.join(room, name="Bob", secret=SECRET)
    people = {person["name"]: person for person in joined["members"]}
    assert people["Ada"] == {name: said[name] for name in ("connectionId", "name", "sender")}
    assert people["Bob"] == {name: joined[name] for name in ("connectionId", "name", "sender")}
    assert (joined["name"], joined["memberCount"], joined["lastSeq"]) == ("Bob", 2, 1)
    assert joined["messages"] == [{name: value for name, value in said.items() if name != "type"}]
    assert (joined["complete"], joined["lost"]) == (True, False)
    presence = {"type": "presence", "room": room, "event": "join", "memberCount": 2}
    assert ada.wait_for("presence") == presence | people["Bob"]


def test_the_room_is_notified_of_a_new_name(connect: Connect, room: str) -> None:
    ada, bob = connect(room, "Ada"), connect(room, "Bob")
    bob.join(room, name="Robert")
    assert ada.wait_for("presence", event="rename")["name"] == "Robert"
    assert bob.send_message("I am Robert now")["name"] == "Robert"


def test_connections_with_the_same_secret_are_one_sender_and_the_secret_stays_private(
    stack: Stack, connect: Connect, room: str
) -> None:
    witness, first, second = connect(room), connect(room, secret=SECRET), connect(fresh_room(), secret=SECRET)
    second.join(room)
    messages = [client.send_message("who am I?") for client in (first, second, witness)]
    assert messages[0]["sender"] == messages[1]["sender"]
    assert messages[2]["sender"] == witness.connection_id
    witness.ping()
    assert SECRET not in str([*messages, *witness.unread, Tables(stack).connection(first.connection_id)])


def test_a_client_in_several_rooms_gets_messages_from_each_and_can_address_each(connect: Connect, room: str) -> None:
    other, foreign = fresh_room(), fresh_room()
    ada, bob, eve = connect(room, "Ada"), connect(other, "Bob"), connect(foreign, "Eve")
    both = connect(room, "Cy")
    both.join(other)
    assert both.send_message("to the current room")["room"] == other
    assert both.send_message("to the first", to=room)["room"] == room
    assert ada.wait_for("message")["message"] == "to the first"
    assert bob.wait_for("message")["message"] == "to the current room"
    ada.send_message("from Ada")
    eve.send_message("not for them")
    assert both.wait_for("message", message="from Ada")["room"] == room
    pong = both.ping()
    assert (pong["room"], pong["lastSeq"], pong["rooms"]) == (other, 1, {room: 2, other: 1})
    assert [frame for frame in both.unread if frame["room"] == foreign] == []


def test_a_leave_notifies_the_others_and_ends_access_to_the_room(connect: Connect, room: str) -> None:
    other = fresh_room()
    ada, bob = connect(room, "Ada"), connect(other, "Bob")
    bob.join(room)
    assert bob.leave(room)["current"] == other
    left = ada.wait_for("presence", event="leave")
    assert (left["connectionId"], left["memberCount"]) == (bob.connection_id, 1)
    ada.send_message("without Bob")
    assert refusal(bob, "sendmessage", message="let me in", to=room) == ("not_in_room", room)
    for action in ("history", "typing", "leave"):
        assert refusal(bob, action, room=room) == ("not_in_room", room)
    bob.ping()
    assert [frame for frame in bob.unread if frame["room"] == room and frame["type"] == "message"] == []
    assert bob.leave(other)["current"] is None
    pong = bob.ping()
    assert (pong["room"], pong["lastSeq"], pong["rooms"]) == (None, 0, {})


def test_the_first_join_ends_membership_of_the_lobby(connect: Connect, room: str) -> None:
    ada, wscat = connect(room), connect()
    wscat.send_message("to the lobby")
    ada.ping()
    assert [frame for frame in ada.unread if frame["type"] == "message"] == []
    with pytest.raises(RefusedError, match="not_in_room"):
        ada.send_message("to the lobby too", to="lobby")


def test_typing_is_broadcast_to_the_others(connect: Connect, room: str) -> None:
    ada, bob = connect(room, "Ada"), connect(room, "Bob")
    bob.send("typing")
    who = {"connectionId": bob.connection_id, "name": "Bob", "sender": bob.connection_id}
    assert ada.wait_for("typing") == {"type": "typing", "room": room, **who}
    bob.ping()
    assert [frame for frame in bob.unread if frame["type"] == "typing"] == []


def test_history_can_be_paged_in_both_directions(connect: Connect, room: str) -> None:
    ada = connect(room)
    for number in range(5):
        ada.send_message(f"number {number}")
    pages = [
        ({"limit": 2}, [4, 5], False),
        ({"before": 4, "limit": 2}, [2, 3], False),
        ({"before": 2, "limit": 2}, [1], True),
        ({"after": 0, "limit": 3}, [1, 2, 3], False),
        ({"after": 3, "limit": 3}, [4, 5], True),
    ]
    for asked, expected, is_complete in pages:
        page = ada.history(**asked)
        assert (seqs(page["messages"]), page["complete"], page["lost"]) == (expected, is_complete, False)


def test_guarantee_3_a_reconnecting_client_gets_exactly_what_it_missed(connect: Connect, room: str) -> None:
    ada, bob = connect(room, "Ada"), connect(room, "Bob")
    ada.send_message("heard")
    bob.close()
    missed = [ada.send_message(f"missed {number}") for number in range(2)]
    joined = connect().join(room, after=1)
    assert joined["messages"] == [{name: one[name] for name in one if name != "type"} for one in missed]
    assert (joined["complete"], joined["lost"]) == (True, False)


def test_guarantees_2_and_4_concurrent_messages_are_stored_once_each_without_gaps(
    stack: Stack, connect: Connect, room: str
) -> None:
    people = [connect(room) for _ in range(4)]
    repeated = str(uuid.uuid4())

    def talk(number: int) -> list[Frame]:
        client = people[number]
        return [client.send_message(f"{number}, {turn}", to=room) for turn in range(3)] + [
            client.send_message(f"the same from {number}", to=room, message_id=repeated.upper())
        ]

    with ThreadPoolExecutor(len(people)) as threads:
        acknowledged = [frame for frames in threads.map(talk, range(len(people))) for frame in frames]
    by_id = {frame["messageId"]: frame for frame in acknowledged}
    assert all(by_id[frame["messageId"]] == frame for frame in acknowledged), "a repetition got another seq or text"
    assert sorted(frame["seq"] for frame in by_id.values()) == list(range(1, 14))

    for client in people:
        assert seqs(client.history_since(0, room=room)) == list(range(1, 14))
    tables = Tables(stack)
    log = tables.log(room)
    assert {row["messageId"]: seq for seq, row in log.items()} == {
        message_id: frame["seq"] for message_id, frame in by_id.items()
    }
    rows = tables.messages(room=room)
    assert sorted((row["messageId"], row["timestamp"], row["message"]) for row in rows) == sorted(
        (row["messageId"], row["timestamp"], row["message"]) for row in log.values()
    )


def test_text_of_any_kind_arrives_unchanged(connect: Connect, room: str) -> None:
    ada, bob = connect(room), connect(room)
    for text in ("<b>bold</b> & 'quoted' \"too\"", "two\nlines\tand a tab", "سلام 👩‍👩‍👧 \u2028 \x85 Ωé", "ü" * 4000):
        ada.send_message(text)
        assert bob.wait_for("message")["message"] == text


def test_a_rate_limited_sender_learns_when_to_retry(connect: Connect, room: str) -> None:
    ada = connect(room)
    for number in range(30):
        ada.send("sendmessage", message=f"number {number}")
    assert 0 < ada.wait_for("error", code="rate_limited")["retryAfterMs"] <= 500
    assert len([frame for frame in ada.unread if frame["type"] == "message"]) >= 10
