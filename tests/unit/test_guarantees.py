"""The guarantees (docs/guarantees.md), with failures between any two steps. Guarantee 6: test_bad_input.py."""

import json
from collections.abc import Callable, Iterable
from random import Random
from typing import Any

import pytest

from chat.delivery.broadcast import Poster
from chat.protocol import frames_out
from chat.protocol.frames_out import Frame, Person
from chat.protocol.text import fold_name
from chat.push.poster import Outcome
from chat.schema import CONNECTIONS, MESSAGES, ROOMS
from chat.store.private_rooms import MAX_MEMBERS
from tests.fakes.dynamodb import (
    Call,
    Interceptor,
    carry_out,
    fail_nth,
    fail_once,
    kill_after,
    kill_before,
    lose_answer,
    send_twice,
    throttle,
)
from tests.fakes.expressions import Item
from tests.fakes.gateway import Socket
from tests.fakes.services import Chat
from tests.unit.private_rooms import UNKNOWN, PrivateChat
from tests.unit.races import first

ID = "11111111-2222-3333-4444-5555555555ab"
HELLO = {"action": "sendmessage", "message": "hello", "messageId": ID, "to": "garden"}
DAY = 86400
MAX_CALLS = 12
"""More DynamoDB calls than any frame makes here."""

FAULTS: dict[str, Interceptor] = {
    "throttled": throttle,
    "answer lost": lose_answer,
    "sent twice": send_twice,
    "killed before": kill_before,
    "killed after": kill_after,
}
fault = pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)


def log(chat: Chat, room: str = "garden") -> list[Item]:
    """Return the messages in a room's log."""
    return [item for item in chat.dynamodb.items(ROOMS) if item["room"] == room and "messageId" in item]


def texts(page: Frame) -> list[str]:
    return [message["message"] for message in page["messages"]]


def seqs(frames: Iterable[Frame]) -> list[int]:
    return [frame["seq"] for frame in frames]


class Watching:
    """A poster that acts before it posts the first frame of a type, or every frame."""

    def __init__(self, poster: Poster, act: Callable[[], Any]) -> None:
        self._poster = poster
        self._act = act

    def post(self, connection_ids: Iterable[str], frame: bytes, *, deadline: float) -> Outcome:
        if b'"type":"message"' in frame:
            self._act()
        return self._poster.post(connection_ids, frame, deadline=deadline)


# 1. Nothing is shown before it is stored; the sender's own copy is the acknowledgement.


def test_guarantee_1_nothing_is_shown_before_it_is_stored(chat: Chat) -> None:
    stored: list[list[str]] = []
    chat.services.poster = Watching(chat.gateway, lambda: stored.append([item["message"] for item in log(chat)]))
    chat.send("anna", "hello")
    assert stored == [["hello"]]
    assert [row["message"] for row in chat.dynamodb.items(MESSAGES)] == ["hello"]


def test_guarantee_1_the_senders_own_copy_comes_first(chat: Chat) -> None:
    chat.connect("aaron")
    chat.join("aaron", "garden")
    chat.clear()
    chat.send("anna", "hello")
    assert [post.connection_id for post in chat.gateway.posts] == ["anna", "aaron", "ben"]


@fault
@pytest.mark.parametrize("to", [{}, {"to": "garden"}], ids=["current room", "to"])
def test_guarantee_1_a_message_without_an_acknowledgement_can_be_resent(
    chat: Chat, fault: Interceptor, to: dict[str, str]
) -> None:
    frame = {"action": "sendmessage", "message": "hello", **to}
    for number in range(MAX_CALLS):
        chat.clear()
        message = {**frame, "messageId": chat.new_id()}
        chat.dynamodb.intercept = fail_nth(fault, number)
        chat.call("anna", message)
        was_stored = len(log(chat)) == number + 1
        was_acknowledged = bool(chat.frames("anna", "message"))
        assert was_stored or not was_acknowledged
        chat.dynamodb.intercept = carry_out
        answer = chat.ask("anna", message)
        assert (answer["type"], answer["seq"]) == ("message", number + 1)
        received = [one for one in chat.frames("ben") if one["type"] == "message" or one["lastSeq"] == number + 1]
        assert received, "the others receive the message or the newest seq"
    assert [item["message"] for item in log(chat)] == ["hello"] * MAX_CALLS
    rows = {(row["messageId"], row["timestamp"]) for row in chat.dynamodb.items(MESSAGES)}
    assert rows >= {(item["messageId"], item["timestamp"]) for item in log(chat)}


def test_guarantee_1_a_function_that_dies_before_posting_has_stored_the_message(chat: Chat) -> None:
    def die() -> None:
        raise ConnectionError

    chat.services.poster = Watching(chat.gateway, die)
    assert chat.ask("anna", HELLO)["code"] == "internal"
    chat.services.poster = chat.gateway
    assert chat.ask("anna", HELLO)["seq"] == 1
    assert [frame["lastSeq"] for frame in chat.frames("ben", "pong")] == [1], "Ben fetches what he missed"
    assert texts(chat.history("ben", after=0)) == ["hello"]


@fault
def test_guarantee_1_a_failure_after_the_acknowledgement_does_not_revoke_it(chat: Chat, fault: Interceptor) -> None:
    """Any call of the listing of members and the removal of gone ones."""
    for number in range(MAX_CALLS):
        chat.connect("ghost")
        chat.join("ghost", "garden")
        chat.gateway.vanish("ghost")
        chat.clear()

        def arm(number: int = number) -> None:
            chat.dynamodb.intercept = fail_nth(fault, number)

        chat.services.poster = Watching(chat.gateway, arm)
        answer = chat.ask("anna", {**HELLO, "messageId": chat.new_id()})
        assert (answer["type"], answer["seq"]) == ("message", number + 1)
        assert chat.frames("anna", "error") == []
        chat.dynamodb.intercept = carry_out
    assert texts(chat.history("ben", after=0)) == ["hello"] * MAX_CALLS


# 2. A room has one order, `seq`, without gaps.


def test_guarantee_2_every_member_sees_the_same_order(chat: Chat) -> None:
    for number in range(6):
        chat.send("anna" if number % 2 else "ben", str(number))
    for reader in ("anna", "ben"):
        assert seqs(chat.frames(reader, "message")) == [1, 2, 3, 4, 5, 6]
    assert texts(chat.history("ben", after=0)) == ["0", "1", "2", "3", "4", "5"]


@pytest.mark.parametrize("number", range(7))
def test_guarantee_2_concurrent_messages_leave_no_gap(chat: Chat, number: int) -> None:
    """Ben sends three messages while Anna's is being stored, before each of its calls in turn."""
    burst = first(lambda: [chat.send("ben", text) for text in ("one", "two", "three")])
    chat.dynamodb.intercept = fail_nth(burst, number)
    chat.call("anna", HELLO)
    assert seqs(chat.history("ben", after=0)["messages"]) == [1, 2, 3, 4]
    assert sorted(texts(chat.history("anna", after=0))) == ["hello", "one", "three", "two"]


@fault
def test_guarantee_2_a_function_that_fails_at_any_step_leaves_no_gap(chat: Chat, fault: Interceptor) -> None:
    for number in range(MAX_CALLS):
        chat.dynamodb.intercept = fail_nth(fault, number)
        chat.call("anna", {**HELLO, "messageId": chat.new_id()})
        chat.dynamodb.intercept = carry_out
        chat.send("ben", "and then")
    places = [int(item["item"].removeprefix("log#")) for item in log(chat)]
    assert places == list(range(1, len(places) + 1))


# 3. A client that returns with `after` gets every message since, page by page, or `lost` if some have expired.


def read_since(chat: Chat, connection_id: str, after: int) -> tuple[list[Frame], bool]:
    """Join with `after` and read page after page; return the messages and whether some were lost."""
    page = chat.join(connection_id, "garden", after=after)
    read, lost = page["messages"], page["lost"]
    while not page["complete"]:
        assert page["messages"], "an incomplete page makes progress"
        page = chat.history(connection_id, after=read[-1]["seq"], limit=100)
        read, lost = read + page["messages"], lost or page["lost"]
    return read, lost


@pytest.mark.parametrize("size", [10, 900, 4000])
def test_guarantee_3_a_returning_client_reads_what_it_missed_page_by_page(chat: Chat, size: int) -> None:
    chat.send("anna", "known")
    chat.disconnect("ben")
    for number in range(2, 122):
        chat.send("anna", f"{number} " + "x" * (size - 4))
    chat.connect("ben again")
    read, lost = read_since(chat, "ben again", after=1)
    assert (seqs(read), lost) == (list(range(2, 122)), False)


def test_guarantee_3_a_client_that_missed_nothing_gets_an_empty_complete_page(chat: Chat) -> None:
    chat.send("anna", "known")
    assert read_since(chat, "ben", after=1) == ([], False)
    assert read_since(chat, "ben", after=0)[1] is False


@pytest.mark.parametrize("is_deleted", [False, True], ids=["expired", "deleted"])
@pytest.mark.parametrize("kept", [0, 1, 3])
def test_guarantee_3_expired_messages_are_reported_as_lost(chat: Chat, kept: int, is_deleted: bool) -> None:
    """DynamoDB deletes expired items within days and in any order; they are hidden until then."""
    for number in range(4 - kept):
        chat.send("anna", f"old {number}")
    chat.clock.advance(15 * DAY)
    for number in range(kept):
        chat.send("anna", f"new {number}")
    chat.clock.advance(15 * DAY + 60)
    if is_deleted:
        chat.dynamodb.expire(ROOMS)
    chat.connect("ben again")
    read, lost = read_since(chat, "ben again", after=0)
    assert (len(read), lost) == (kept, True)
    if kept:  # otherwise this reader looks like one who has read less
        assert read_since(chat, "ben again", after=4) == ([], False)
    assert len(chat.history("ben again")["messages"]) == len(chat.history("ben again", before=99)["messages"]) == kept


def test_guarantee_3_any_number_of_expired_messages_takes_few_queries(chat: Chat) -> None:
    for number in range(120):
        chat.send("anna", f"old {number}")
    chat.clock.advance(15 * DAY)
    chat.send("anna", "new")
    chat.clock.advance(15 * DAY + 60)
    chat.connect("ben again")
    chat.join("ben again", "garden")
    with chat.dynamodb.counting() as usage:
        page = chat.history("ben again", after=0, limit=10)
    assert (texts(page), page["lost"], page["complete"]) == (["new"], True, True)
    assert usage.operations.count("Query") <= 3


def test_guarantee_3_expired_messages_already_seen_are_not_lost(chat: Chat) -> None:
    chat.send("anna", "old")
    chat.clock.advance(15 * DAY)
    chat.send("anna", "new")
    chat.clock.advance(15 * DAY + 60)
    chat.connect("ben again")
    read, lost = read_since(chat, "ben again", after=1)
    assert ([message["message"] for message in read], lost) == (["new"], False)


def test_guarantee_3_a_restarted_room_is_reported_as_lost(chat: Chat) -> None:
    old = chat.send("anna", "old")["seq"]
    chat.clock.advance(31 * DAY)
    chat.dynamodb.expire(ROOMS)
    chat.connect("cleo", "dan")
    chat.join("cleo", "garden")
    new = chat.send("cleo", "new")["seq"]
    assert new > old
    read, lost = read_since(chat, "dan", after=old)
    assert (seqs(read), lost) == ([new], True)


def test_guarantee_3_a_seq_above_the_rooms_newest_is_lost(chat: Chat) -> None:
    chat.send("anna", "first")
    assert read_since(chat, "ben", after=900)[1] is True


@fault
def test_guarantee_3_a_failed_join_can_be_resent(chat: Chat, fault: Interceptor) -> None:
    chat.send("anna", "hello")
    for number in range(MAX_CALLS):
        chat.connect("cleo")
        chat.dynamodb.intercept = fail_nth(fault, number)
        chat.call("cleo", {"action": "join", "room": "garden", "after": 0})
        chat.dynamodb.intercept = carry_out
        joined = chat.join("cleo", "garden", after=0)
        assert (texts(joined), joined["memberCount"]) == (["hello"], 3)
        chat.disconnect("cleo")


@pytest.mark.parametrize("number", range(8))
def test_guarantee_3_a_joiner_misses_no_message(number: int) -> None:
    """Anna's message is sent before each call of Cleo's join in turn; Cleo reads or receives it."""
    for seed in range(6):
        chat = Chat(draw=Random(seed))
        chat.connect("anna", "cleo")
        chat.join("anna", "garden")
        chat.dynamodb.intercept = fail_nth(first(lambda chat=chat: chat.send("anna", "hello")), number)
        chat.call("cleo", {"action": "join", "room": "garden"})
        (joined,) = chat.frames("cleo", "joined")
        assert "hello" in [*texts(joined), *(frame["message"] for frame in chat.frames("cleo", "message"))]
        assert joined["lastSeq"] >= len(joined["messages"])


@pytest.mark.parametrize("number", range(7))
def test_guarantee_3_a_joiner_misses_no_message_that_is_being_stored(chat: Chat, number: int) -> None:
    chat.connect("cleo")
    chat.dynamodb.intercept = fail_nth(first(lambda: chat.join("cleo", "garden")), number)
    chat.call("anna", HELLO)
    (joined,) = chat.frames("cleo", "joined")
    assert "hello" in [*texts(joined), *(frame["message"] for frame in chat.frames("cleo", "message"))]


# 4. A messageId sent twice to a room, even at once or over another connection, is stored once and keeps its seq.


def test_guarantee_4_a_message_sent_twice_is_stored_once_with_its_first_text(chat: Chat) -> None:
    sent = chat.send("anna", "first body", message_id=ID)
    chat.send("ben", "and then")
    chat.clear()
    assert chat.send("anna", "second body", message_id=ID) == sent
    assert [item["message"] for item in log(chat)] == ["first body", "and then"]
    assert chat.frames("ben", "message") == []


def test_guarantee_4_over_another_connection_and_much_later_too(chat: Chat) -> None:
    sent = chat.send("anna", "hello", message_id=ID)
    for number in range(150):
        chat.send("ben", str(number))
    chat.clock.advance(29 * DAY)
    chat.connect("anna again")
    chat.join("anna again", "garden")
    assert chat.send("anna again", "hello", message_id=ID, to="garden") == sent


def test_guarantee_4_in_another_room_it_is_another_message(chat: Chat) -> None:
    chat.send("anna", "for the garden", message_id=ID)
    chat.join("anna", "kitchen")
    sent = chat.send("anna", "for the kitchen", message_id=ID, to="kitchen")
    assert (sent["room"], sent["seq"], sent["message"]) == ("kitchen", 1, "for the kitchen")
    assert chat.send("anna", "again", message_id=ID, to="garden")["message"] == "for the garden"


@pytest.mark.parametrize("is_deleted", [False, True], ids=["expired", "deleted"])
def test_guarantee_4_an_id_whose_message_has_expired_may_be_used_again(chat: Chat, is_deleted: bool) -> None:
    chat.send("anna", "old", message_id=ID)
    chat.clock.advance(15 * DAY)
    chat.send("ben", "in between")
    chat.clock.advance(15 * DAY + 7200)
    if is_deleted:
        chat.dynamodb.expire(ROOMS)
        chat.dynamodb.expire(MESSAGES)
    chat.connect("anna again")
    chat.join("anna again", "garden")
    sent = chat.send("anna again", "new", message_id=ID, to="garden")
    assert (sent["message"], sent["seq"]) == ("new", 3)
    assert chat.send("anna again", "newer", message_id=ID, to="garden") == sent


@pytest.mark.parametrize("outer", range(8))
@pytest.mark.parametrize("inner", range(8))
def test_guarantee_4_two_concurrent_copies_are_stored_once(chat: Chat, outer: int, inner: int) -> None:
    """Ben sends a copy before a call of Anna's, and Anna sends a third one before a call of Ben's."""
    third = fail_nth(first(lambda: chat.call("anna", {**HELLO, "message": "third body"})), inner)

    def second() -> None:
        chat.dynamodb.intercept = third
        chat.call("ben", {**HELLO, "message": "second body"})

    chat.dynamodb.intercept = fail_nth(first(second), outer)
    chat.call("anna", HELLO)
    (item,) = log(chat)
    shown = [*chat.frames("anna", "message"), *chat.frames("ben", "message")]
    assert {(frame["seq"], frame["message"], frame["connectionId"]) for frame in shown} == {
        (1, item["message"], item["connectionId"])
    }
    assert chat.frames("anna", "error") == chat.frames("ben", "error") == []
    rows = [(row["message"], row["timestamp"]) for row in chat.dynamodb.items(MESSAGES)]
    assert (item["message"], item["timestamp"]) in rows


@pytest.mark.parametrize("seed", range(10))
def test_guarantee_4_copies_that_fail_and_are_resent_are_stored_once(seed: int) -> None:
    draw = Random(seed)
    chat = Chat(draw=draw)
    chat.connect("anna", "ben")
    chat.join("anna", "garden")
    chat.join("ben", "garden")
    ids = [chat.new_id() for _ in range(3)]
    for _ in range(40):
        fault = draw.choice(list(FAULTS.values()))
        chat.dynamodb.intercept = fail_nth(fault, draw.randrange(MAX_CALLS))
        frame = {**HELLO, "messageId": draw.choice(ids), "message": str(draw.random())}
        chat.call(draw.choice(["anna", "ben"]), frame)
    shown: dict[str, set[tuple[int, str]]] = {}
    for frame in [*chat.frames("anna", "message"), *chat.frames("ben", "message")]:
        shown.setdefault(frame["messageId"], set()).add((frame["seq"], frame["message"]))
    assert [len(once) for once in shown.values()] == [1, 1, 1]
    assert sorted(item["messageId"] for item in log(chat)) == sorted(ids)


# 5. A peer that is gone, slow or throttled neither delays nor breaks the others.


def test_guarantee_5_a_gone_peer_affects_no_one_else_and_its_room_is_notified_once(chat: Chat) -> None:
    chat.connect("cleo")
    chat.join("cleo", "garden")
    chat.clear()
    chat.gateway.vanish("ben")
    chat.clock.advance(60)
    sent = chat.send("anna", "hello")
    chat.send("anna", "again")
    chat.disconnect("ben")
    assert chat.frames("cleo", "message")[0] == sent
    left = chat.frames("cleo", "presence")
    assert [(frame["event"], frame["name"], frame["memberCount"]) for frame in left] == [("leave", "Ben", 2)]
    assert chat.dynamodb.item(CONNECTIONS, connectionId="ben") == {}


def test_guarantee_5_a_sender_that_is_gone_has_its_message_stored_and_shown(chat: Chat) -> None:
    chat.clock.advance(60)
    socket = chat.gateway.sockets["anna"]
    chat.gateway.vanish("anna")
    body = '{"action":"sendmessage","message":"last words"}'
    event = chat.gateway.event(socket, "sendmessage", "MESSAGE", body=body)
    assert chat.gateway.invoke("sendmessage", event) == {"statusCode": 200}
    assert [frame.get("message", frame.get("event")) for frame in chat.frames("ben")] == ["last words", "leave"]


@pytest.mark.parametrize("trouble", ["throttled", "failing"])
def test_guarantee_5_a_throttled_peer_stays_a_member_and_fetches_what_it_missed(chat: Chat, trouble: str) -> None:
    """Retries of throttled posts are tested in tests/unit/push."""
    chat.connect("cleo")
    chat.join("cleo", "garden")
    getattr(chat.gateway, trouble).add("ben")
    sent = chat.send("anna", "hello")
    assert (chat.frames("cleo", "message"), chat.frames("ben", "message")) == ([sent], [])
    getattr(chat.gateway, trouble).clear()
    assert chat.ping("ben")["lastSeq"] == 1
    assert texts(chat.history("ben", after=0)) == ["hello"]
    assert chat.send("anna", "again") == chat.frames("ben", "message")[0]


# 7. A room's messages, members and count reach only those who are members at that moment.

STRANGERS_FRAMES = [
    {"action": "history", "room": "garden"},
    {"action": "history", "room": "garden", "after": 0},
    {"action": "typing", "room": "garden"},
    {"action": "leave", "room": "garden"},
    {"action": "sendmessage", "message": "let me in", "to": "garden"},
    {"action": "sendmessage", "message": "let me in", "to": "garden", "messageId": ID},
]


@pytest.mark.parametrize("frame", STRANGERS_FRAMES, ids=str)
def test_guarantee_7_an_outsider_cannot_tell_a_room_with_people_from_an_empty_one(
    chat: Chat, frame: dict[str, Any]
) -> None:
    chat.send("anna", "among ourselves", message_id=ID)
    chat.connect("stranger")
    chat.clear()
    answer = chat.ask("stranger", frame)
    field = "to" if "to" in frame else "room"
    of_nothing = chat.ask("stranger", {**frame, field: "nowhere"})
    assert answer == {**of_nothing, "room": "garden"}
    assert chat.frames("anna") == chat.frames("ben") == []
    assert len(log(chat)) == 1


def test_guarantee_7_an_id_reveals_nothing_outside_its_room(chat: Chat) -> None:
    chat.send("anna", "among ourselves", message_id=ID)
    chat.connect("stranger")
    sent = chat.send("stranger", "a guess", message_id=ID)
    assert (sent["message"], sent["seq"], sent["room"]) == ("a guess", 1, "lobby")


def test_guarantee_7_a_room_that_was_left_sends_nothing_more(chat: Chat) -> None:
    chat.clock.advance(60)
    chat.leave("ben", "garden")
    chat.clear()
    chat.send("anna", "among ourselves")
    chat.join("anna", "garden", name="Another name")
    chat.typing("anna")
    chat.disconnect("anna")
    assert chat.frames("ben") == []
    chat.join("ben", "kitchen")
    assert chat.ping("ben")["rooms"] == {"kitchen": 0}


def test_guarantee_7_messages_stay_in_their_room(chat: Chat) -> None:
    chat.connect("cleo", "dan")
    chat.join("cleo", "kitchen")
    chat.clear()
    chat.send("anna", "among ourselves")
    chat.join("anna", "garden", name="Another name")
    chat.typing("anna")
    chat.leave("anna", "garden")
    assert chat.frames("cleo") == chat.frames("dan") == []


def test_guarantee_7_only_members_learn_that_a_room_has_ghosts(chat: Chat) -> None:
    chat.clock.advance(60)
    chat.connect("cleo")
    chat.join("cleo", "kitchen")
    chat.gateway.vanish("ben")
    chat.clear()
    chat.send("anna", "hello")
    assert [frame["event"] for frame in chat.frames("anna", "presence")] == ["leave"]
    assert chat.frames("cleo") == []


def test_guarantee_7_a_member_removed_before_its_message_was_stored_receives_nothing_after_it(chat: Chat) -> None:
    """Ben leaves while Anna's message is being stored, before the members are read."""
    leave = first(lambda: chat.leave("ben", "garden"))
    chat.dynamodb.intercept = fail_once(leave, "PutItem", ROOMS)
    chat.call("anna", HELLO)
    assert chat.frames("ben", "message") == []


FRAMES_OF_A_ROOM: dict[str, dict[str, Any]] = {
    "sendmessage": {"message": "hello"},
    "sendmessage, with a messageId": {"message": "hello", "messageId": ID},
    "join": {},
    "join, after": {"after": 0},
    "leave": {},
    "history": {},
    "typing": {},
    "ping": {},
    "ping, roster": {"roster": 0},
    "read": {"seq": 1},
    "editroom": {"title": "New title"},
    "members": {},
    "createinvite": {},
    "revokeinvite": {"inviteId": "a" * 16},
    "invite": {"name": "cleo"},
    "setrole": {"userId": "u-anna", "role": "member"},
    "remove": {"userId": "u-anna"},
    "remove, oneself": {"userId": "u-mallory"},
    "remove, ban": {"userId": "u-anna", "ban": True},
    "unban": {"userId": "u-anna"},
    "quit": {},
    "accept": {},
    "accept, token": {"token": "a-token-that-nobody-has"},
}


def rooms_of_others(chat: PrivateChat) -> dict[str, str]:
    """Return rooms that Mallory cannot enter, each for another reason."""
    rooms = {"private": chat.create("anna"), "banned": chat.create("anna"), "left": chat.create("anna")}
    chat.clock.advance(60)
    rooms |= {"removed": chat.create("anna"), "full": chat.create("anna"), "used up": chat.create("anna")}
    for reason in ("banned", "left", "removed"):
        chat.admit("mallory", rooms[reason])
    chat.remove("anna", rooms["banned"], "mallory", ban=True)
    chat.remove("anna", rooms["removed"], "mallory")
    chat.quit("mallory", rooms["left"])
    chat.clock.advance(60)
    for number in range(MAX_MEMBERS - 1):
        chat.dynamodb.put(ROOMS, {"room": rooms["full"], "item": f"role#u-{number}", "role": "member", "at": 1})
    settings = chat.dynamodb.item(ROOMS, room=rooms["full"], item="settings")
    chat.dynamodb.put(ROOMS, {**settings, "members": MAX_MEMBERS})
    chat.admit("ben", rooms["used up"])
    rooms["direct of others"] = chat.direct("anna", "ben")
    rooms["blocked"] = chat.direct("mallory", "ben")
    chat.do("ben", "block", userId="u-mallory", blocked=True)
    for room in rooms.values():
        chat.send("ben" if room == rooms["blocked"] else "anna", "a secret", to=room, message_id=ID)
    return {"unknown": UNKNOWN, "unknown direct": "@" + "b" * 26} | rooms


@pytest.mark.parametrize("sent", FRAMES_OF_A_ROOM)
def test_guarantee_7_private_unknown_banned_and_left_are_one_answer(sent: str) -> None:
    """Byte for byte, after the same calls, for every frame that names a room."""
    chat = PrivateChat("anna", "ben", "cleo", "mallory")
    answers: set[tuple[Any, ...]] = set()
    for reason, room in rooms_of_others(chat).items():
        chat.rest()
        action, fields = sent.partition(",")[0], FRAMES_OF_A_ROOM[sent]
        named = {"to" if action == "sendmessage" else "room": room}
        before = dict.fromkeys(map(str, chat.dynamodb.items(ROOMS)))
        with chat.dynamodb.counting() as usage:
            reply = chat.call("mallory", {"action": action, **fields, **named})
        body = reply["body"].replace(room, "the room")
        answers.add((reply["statusCode"], body, usage.round_trips(), tuple(sorted(usage.operations))))
        assert chat.gateway.posts == [], reason
        changed = [item for item in chat.dynamodb.items(ROOMS) if str(item) not in before]
        assert {item["item"] for item in changed} <= {"limits"}, "nothing is stored"
    ((status, body, *_),) = answers
    assert status == 404
    assert ("no_such_invitation" if sent.startswith("accept") else "no_such_room") in body
    assert not [row for row in chat.dynamodb.items(MESSAGES) if row.get("userId") == "u-mallory"]


@pytest.mark.parametrize("sent", FRAMES_OF_A_ROOM)
def test_guarantee_7_a_guest_is_asked_to_sign_in_whatever_room_it_names(sent: str) -> None:
    chat = PrivateChat("anna")
    chat.connect("guest")
    answers = set()
    for room in (chat.create("anna"), UNKNOWN):
        named = {"to" if sent.startswith("sendmessage") else "room": room}
        reply = chat.call("guest", {"action": sent.partition(",")[0], **FRAMES_OF_A_ROOM[sent], **named})
        answers.add((reply["statusCode"], reply["body"].replace(room, "the room")))
    ((status, body),) = answers
    assert status == 401
    assert '"sign_in_required"' in body


RACES: dict[str, dict[str, Any]] = {
    "sendmessage": {"message": "hello", "messageId": ID},
    "join": {},
    "history": {},
    "typing": {},
    "ping": {"roster": 0},
    "members": {},
}


@pytest.mark.parametrize("actor", ["ben", "cleo"], ids=["by the one removed", "by another"])
@pytest.mark.parametrize("action", RACES)
def test_guarantee_7_no_frame_reaches_an_account_after_its_removal_was_acknowledged(action: str, actor: str) -> None:
    """The removal of Ben runs at any call of a frame."""
    chat = PrivateChat("anna", "ben", "cleo")
    for number in range(MAX_CALLS):
        room = chat.create("anna")
        chat.admit("ben", room)
        chat.admit("cleo", room)
        chat.send("anna", "hello", to=room)
        chat.rest()

        def remove_ben(room: str = room) -> None:
            chat.dynamodb.intercept = carry_out
            chat.remove("anna", room, "ben")
            chat.gateway.sockets["ben"].frames.clear()

        chat.dynamodb.intercept = fail_nth(first(remove_ben), number)
        chat.call(actor, {"action": action, "to" if action == "sendmessage" else "room": room, **RACES[action]})
        has_run = chat.dynamodb.intercept is carry_out
        chat.dynamodb.intercept = carry_out
        if has_run:
            heard = [frame for frame in chat.frames("ben") if room in str(frame)]
            assert [frame for frame in heard if frame.get("code") != "no_such_room"] == []
        elif number:
            break
    else:
        raise AssertionError("more calls than expected")


# 8. A name with an account's badge is that account's. No secret or token is stored in plain text, logged or shown.


class Badges:
    """Checks every frame: an account's badge only beside a name that is reserved for it, on a connection of its own."""

    def __init__(self, chat: Chat) -> None:
        self._chat = chat
        self._deliver = chat.gateway.deliver
        self.proven: dict[str, set[str]] = {}
        """Connection id → accounts whose valid tokens it has sent."""
        self.wrong: list[Item] = []
        chat.gateway.deliver = self._check

    def sign_in(self, connection_id: str, user_id: str, secret: str) -> None:
        self.proven.setdefault(connection_id, set()).add(user_id)
        token = self._chat.token(user_id, username=user_id[2:])
        self._chat.call(connection_id, {"action": "signin", "token": token, "secret": secret})

    def _check(self, socket: Socket, text: str) -> None:
        frame = json.loads(text)
        people = [frame, *frame.get("members", []), *frame.get("roster", {}).get("members", [])]
        self.wrong += [each for each in people if "userId" in each and not self._is_right(socket, each)]
        self._deliver(socket, text)

    def check_items(self) -> None:
        for item in [*self._chat.dynamodb.items(CONNECTIONS), *self._chat.dynamodb.items(ROOMS)]:
            if "userId" in item and "name" in item and "messageId" not in item:  # a message keeps its author's old name
                own_id = item.get("connectionId", item.get("item", "").removeprefix("member#"))
                if not self._is_right(None, {"connectionId": own_id, **item}):
                    self.wrong.append(item)

    def _is_right(self, socket: Socket | None, fields: Item) -> bool:
        connection_id = fields.get("connectionId", socket.connection_id if socket else "")
        name = fields["name"]
        owner = self._chat.dynamodb.item(ROOMS, room=f"name#{fold_name(name)}", item="account").get("userId")
        return owner == fields["userId"] and fields["userId"] in self.proven.get(connection_id, ())


@pytest.mark.parametrize("seed", range(25))
def test_guarantee_8_a_badge_stands_beside_its_accounts_name_alone(seed: int) -> None:
    """Guests and accounts want the same few names, and do everything at the moment of each other's calls."""
    draw = Random(seed)
    chat = Chat(draw=draw, sign_in="optional")
    badges = Badges(chat)
    connections: list[str] = []
    names = ["Anna", "Ben", "\u0410nna", "BEN", "Cleo"]
    secrets = ["the-first-secret-of-a-guest", "the-second-secret-of-a-guest"]
    depth = 0

    def act() -> None:
        one = draw.choice([each for each in connections if chat.gateway.sockets[each].is_open] or ["none"])
        if one == "none":
            return
        name, secret = draw.choice(names), draw.choice(secrets)
        what = draw.choice(
            ["join", "join", "leave", "sign in", "sign in", "rename", "rename", "say", "ping", "sign out"]
        )
        if what == "sign in":
            badges.sign_in(one, draw.choice(["u-anna", "u-ben", "u-cleo"]), secret)
            return
        chat.call(
            one,
            {
                "join": {"action": "join", "room": "garden", "name": name, "secret": secret},
                "leave": {"action": "leave", "room": "garden"},
                "rename": {"action": "profile", "name": name},
                "say": {"action": "sendmessage", "message": "hello", "to": "garden"},
                "ping": {"action": "ping", "room": "garden", "roster": 0},
                "sign out": {"action": "signout", "everywhere": draw.random() < 0.5},
            }[what],
        )

    def intercept(call: Call, send: Callable[[], Item]) -> Item:
        nonlocal depth
        if depth < 2 and draw.random() < 0.2:
            depth += 1
            try:
                act()
            finally:
                depth -= 1
        if draw.random() < 0.03:
            return draw.choice([throttle, lose_answer, send_twice, kill_before, kill_after])(call, send)
        return send()

    for _ in range(40):
        chat.dynamodb.intercept = carry_out
        connections[:] = [each for each in connections if chat.gateway.sockets[each].is_open]
        while len(connections) < 5:
            connections.append(f"connection-{len(chat.gateway.sockets)}")
            chat.connect(connections[-1])
        chat.dynamodb.intercept = intercept
        act()
        chat.clock.advance(draw.choice([0, 1, 20, 600]))
        badges.check_items()
    assert badges.wrong == []
    assert chat.services.events("signed_in")


@pytest.mark.parametrize("number", range(MAX_CALLS))
@pytest.mark.parametrize("is_sign_in_first", [True, False])
def test_guarantee_8_a_guests_name_given_at_the_moment_of_a_sign_in_gets_no_badge(
    number: int, *, is_sign_in_first: bool
) -> None:
    chat = Chat(sign_in="optional")
    chat.connect("anna", "ben")
    chat.join("ben", "garden", name="Ben")
    badges = Badges(chat)
    acts: list[Callable[[], object]] = [
        lambda: badges.sign_in("anna", "u-anna", "annas-own-secret-of-guests"),
        lambda: chat.call("anna", {"action": "join", "room": "garden", "name": "Ben"}),
    ]
    outer, inner = acts if is_sign_in_first else reversed(acts)
    chat.dynamodb.intercept = fail_nth(first(inner), number)
    outer()
    chat.dynamodb.intercept = carry_out
    badges.check_items()
    assert badges.wrong == []
    if chat.services.events("signed_in") and chat.dynamodb.item(ROOMS, room="garden", item="member#anna"):
        assert chat.ping("ben", room="garden", roster=0)["roster"]["members"][0].get("userId") == "u-anna"
        assert chat.send("anna", "hello", to="garden")["userId"] == "u-anna"


def test_guarantee_8_no_frame_field_gives_a_guest_a_badge(chat: Chat) -> None:
    forged = {"userId": "u-anna", "user_id": "u-anna", "senders": ["guest-anna"], "until": 2**40, "name": "Anna"}
    chat.call("ben", {**forged, "action": "join", "room": "garden"})
    chat.call("ben", {**forged, "action": "sendmessage", "message": "hello", "to": "garden"})
    chat.call("ben", {**forged, "action": "typing"})
    shown = [
        *chat.frames("anna"),
        *chat.frames("ben"),
        chat.history("anna"),
        chat.ping("anna", room="garden", roster=0),
    ]
    assert "u-anna" not in json.dumps(shown)


@pytest.mark.parametrize("mode", ["optional", "required"])
def test_guarantee_8_no_secret_or_token_is_stored_logged_or_shown(mode: str) -> None:
    chat = Chat(sign_in=mode)
    chat.connect("anna", "ben", "cleo")
    chat.sign_in("ben")
    secrets = ["annas-own-secret-of-guests", "the-second-secret-of-guests"]
    tokens = [chat.token("u-anna"), chat.token("u-anna", seconds=0), chat.token("u-cleo"), "a.forged.token-of-anna"]
    for token in tokens:
        for secret in [None, *secrets]:
            chat.call("anna", {"action": "signin", "token": token, "secret": secret})
        chat.clock.advance(120)
    chat.call("cleo", {"action": "signin", "token": tokens[2], "secret": secrets[0]})
    for connection_id in ("anna", "ben", "cleo"):
        frame = {"action": "join", "room": "garden", "secret": secrets[0], "token": tokens[0]}
        chat.call(connection_id, frame)
        chat.call(connection_id, {"action": "sendmessage", "message": "hello", "token": tokens[0]})
        chat.call(connection_id, {"action": "profile", "name": "Anna", "token": tokens[0], "secret": secrets[1]})
    chat.dynamodb.intercept = fail_once(lose_answer, "TransactWriteItems")
    chat.connect("phone")
    chat.call("phone", {"action": "signin", "token": chat.token("u-new"), "secret": "a-third-secret-of-a-guest"})
    chat.call("anna", {"action": "signout", "everywhere": True, "token": tokens[0]})
    assert chat.services.events("signed_in")
    assert chat.services.events("refused")
    assert chat.services.events("fault")
    items = [item for table in (CONNECTIONS, MESSAGES, ROOMS) for item in chat.dynamodb.items(table)]
    shown = [frame for each in chat.gateway.sockets for frame in chat.frames(each)]
    everything = f"{items} {shown} {chat.services.log.getvalue()}"
    parts = [part for token in tokens for part in token.split(".") if len(part) > 8]
    assert [secret for secret in [*secrets, "a-third-secret-of-a-guest", *tokens, *parts] if secret in everything] == []
    logged = chat.services.log.getvalue()
    assert [name for name in ("u-anna", "u-ben", '"Anna"', "guest-", "account-") if name in logged] == []


# 9. Within 10 s of the last change, every page shows the members who are in a room.

SETTLED_SECONDS = 10


class Watcher:
    """A client according to docs/protocol.md: it follows presence frames and sends a `ping` every 8 to 9 s."""

    def __init__(self, chat: Chat, connection_id: str, draw: Random) -> None:
        self._chat = chat
        self._draw = draw
        self.connection_id = connection_id
        self.shown: dict[str, Person] = {}
        self._read = 0
        self.asks_at = chat.clock.monotonic() + draw.uniform(0, 8.5)

    def follow(self) -> None:
        """Process the frames received since."""
        frames = self._chat.frames(self.connection_id)
        for frame in frames[self._read :]:
            roster = frame.get("roster", {}) if frame.get("type") == "pong" else frame
            if roster.get("room") == "garden" and "members" in roster:
                self.shown = {one["connectionId"]: person(one) for one in roster["members"]}
            elif frame.get("type") == "presence" and frame["room"] == "garden":
                if frame["event"] == "leave":
                    self.shown.pop(frame["connectionId"], None)
                elif frame["event"] != "count":
                    self.shown[frame["connectionId"]] = person(frame)
        self._read = len(frames)

    def ask(self) -> None:
        """Send a `ping` with the checksum of the members shown, and process the answer."""
        self.follow()
        checksum = frames_out.roster_checksum(self.shown.values())
        frame = {"action": "ping", "room": "garden", "roster": checksum}
        self._chat.call(self.connection_id, frame)
        self.follow()
        self.asks_at = self._chat.clock.monotonic() + self._draw.uniform(8, 8.9)


def person(fields: dict[str, Any]) -> Person:
    return Person(fields["connectionId"], fields["name"], fields["sender"])


def run_watchers(chat: Chat, watchers: Iterable[Watcher], seconds: float) -> None:
    """Advance the clock while each connected watcher sends its pings."""
    until = chat.clock.monotonic() + seconds
    there = [each for each in watchers if chat.gateway.sockets[each.connection_id].is_open]
    while there and (following := min(there, key=lambda each: each.asks_at)).asks_at <= until:
        chat.clock.advance(max(0.0, following.asks_at - chat.clock.monotonic()))
        following.ask()
    chat.clock.advance(max(0.0, until - chat.clock.monotonic()))
    for each in there:
        each.follow()


def open_garden(draw: Random, size: int = 6) -> tuple[Chat, list[Watcher]]:
    chat = Chat()
    ids = [f"connection-{number}" for number in range(size)]
    chat.connect(*ids)
    for one in ids:
        chat.join(one, "garden", name=one.title())
    chat.clock.advance(10)
    return chat, [Watcher(chat, one, draw) for one in ids]


def wrong_watchers(chat: Chat, watchers: Iterable[Watcher], there: set[str]) -> list[str]:
    """Return which watchers do not show the actual members."""
    return [each.connection_id for each in watchers if each.connection_id in there and each.shown.keys() != there]


@pytest.mark.parametrize("seed", range(12))
def test_guarantee_9_within_10_s_of_the_last_change_every_client_shows_who_is_there(seed: int) -> None:
    """With failures: a third of the posts, a `$disconnect`, or a function that dies at any step."""
    draw = Random(seed)
    chat, watchers = open_garden(draw)
    deliver = chat.gateway.deliver
    there = {each.connection_id for each in watchers}

    def lose_a_third(socket: Socket, text: str) -> None:
        if draw.random() < 2 / 3 or '"roster"' in text:
            deliver(socket, text)

    chat.gateway.deliver = lose_a_third
    for number in range(12):
        one = draw.choice(sorted(there))
        act = draw.choice(["vanish", "disconnect", "leave", "rename", "join"])
        strike = draw.choice([kill_before, kill_after, throttle, carry_out])
        chat.dynamodb.intercept = fail_nth(strike, draw.randrange(9))
        if act in {"vanish", "disconnect"} and len(there) > 2:
            getattr(chat.gateway, act)(one)
            there -= {one}
        elif act == "leave" and len(there) > 2:
            chat.call(one, {"action": "leave", "room": "garden"})
            chat.dynamodb.intercept = carry_out
            chat.call(one, {"action": "leave", "room": "garden"})  # it got no answer, so its page resends
            there -= {one}
        elif act == "rename":
            chat.call(one, {"action": "join", "room": "garden", "name": f"Name {number}"})
        else:
            comer = f"comer-{draw.randrange(100)}-{number}"
            chat.dynamodb.intercept = carry_out
            chat.connect(comer)
            chat.dynamodb.intercept = fail_nth(draw.choice([kill_before, kill_after, throttle]), draw.randrange(9))
            chat.call(comer, {"action": "join", "room": "garden"})
            chat.dynamodb.intercept = carry_out
            chat.call(comer, {"action": "join", "room": "garden"})
            there |= {comer}
            watchers.append(Watcher(chat, comer, draw))
        chat.dynamodb.intercept = carry_out
        run_watchers(chat, [each for each in watchers if each.connection_id in there], draw.uniform(0, 6))
    chat.gateway.deliver = deliver
    run_watchers(chat, [each for each in watchers if each.connection_id in there], SETTLED_SECONDS)
    assert wrong_watchers(chat, watchers, there) == []


@pytest.mark.parametrize("vanished", [1, 5, 20])
def test_guarantee_9_a_member_that_vanishes_silently_is_found_by_the_one_before_it(vanished: int) -> None:
    draw = Random(vanished)
    chat, watchers = open_garden(draw, vanished + 4)
    ids = sorted(each.connection_id for each in watchers)
    gone = set(ids[2 : 2 + vanished])
    for one in gone:
        chat.gateway.vanish(one)
    run_watchers(chat, watchers, SETTLED_SECONDS)
    there = set(ids) - gone
    assert wrong_watchers(chat, watchers, there) == []
    assert {item["item"] for item in chat.dynamodb.items(ROOMS) if item["room"] == "garden"} >= {
        f"member#{one}" for one in there
    }
    assert not [item for item in chat.dynamodb.items(CONNECTIONS) if item["connectionId"] in gone]


def test_guarantee_9_a_connected_member_whose_row_left_the_room_is_removed() -> None:
    """Its `leave` was interrupted and never repeated."""
    chat, watchers = open_garden(Random(1))
    chat.dynamodb.intercept = fail_once(kill_before, "DeleteItem", ROOMS)
    chat.call("connection-3", {"action": "leave", "room": "garden"})
    chat.clock.advance(1)
    rest = [each for each in watchers if each.connection_id != "connection-3"]
    run_watchers(chat, rest, SETTLED_SECONDS)
    assert wrong_watchers(chat, rest, {each.connection_id for each in rest}) == []


def test_guarantee_9_a_missing_member_is_restored_by_its_own_ping() -> None:
    chat, watchers = open_garden(Random(1))
    chat.dynamodb.remove(ROOMS, room="garden", item="member#connection-3")
    run_watchers(chat, watchers, 2 * SETTLED_SECONDS)
    assert wrong_watchers(chat, watchers, {each.connection_id for each in watchers}) == []


def test_guarantee_9_a_ping_does_not_undo_a_concurrent_leave() -> None:
    chat, _ = open_garden(Random(1))
    leave = first(lambda: chat.leave("connection-3", "garden"))
    chat.dynamodb.intercept = fail_once(leave, "Query", ROOMS)
    chat.call("connection-3", {"action": "ping", "room": "garden", "roster": 0})
    assert not chat.dynamodb.item(ROOMS, room="garden", item="member#connection-3")


def test_guarantee_9_a_matching_checksum_is_answered_without_the_members(chat: Chat) -> None:
    people = [Person("anna", "Anna", "anna"), Person("ben", "Ben", "ben")]
    roster = chat.ping("anna", room="garden", roster=frames_out.roster_checksum(people))["roster"]
    assert roster == {"room": "garden", "memberCount": 2}
    listed = chat.ping("anna", room="garden", roster=1)["roster"]["members"]
    assert [one["name"] for one in listed] == ["Anna", "Ben"]
