"""The Python client keeps its side of docs/protocol.md: it resumes, fills gaps, and sends until it is acknowledged."""

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

import pytest

from chat_client.session import ChatSession
from chat_client.timeline import Frame
from tests.fakes.clock import VirtualClock


@dataclass
class Wire:
    """A transport that notes what it is told to do."""

    opened: int = 0
    sent: list[Frame] = field(default_factory=list)

    def open(self) -> None:
        self.opened += 1

    def send(self, frame: Frame) -> None:
        self.sent.append(frame)

    def close(self) -> None:
        pass

    def actions(self) -> list[str]:
        """Return the actions sent since the last time."""
        sent, self.sent = self.sent, []
        return [frame["action"] for frame in sent]


@dataclass
class Stage:
    """A session, its transport and its time."""

    wire: Wire = field(default_factory=Wire)
    clock: VirtualClock = field(default_factory=VirtualClock)

    def __post_init__(self) -> None:
        draw = Random(1)  # noqa: S311 - a test that can be repeated
        self.session = ChatSession(self.wire, name="Ada", clock=self.clock.monotonic, draw=draw)

    def enter(self, *rooms: str, last_seq: int = 0) -> None:
        """Connect, and be in rooms."""
        for room in rooms:
            self.session.enter(room)
        self.session.connect()
        self.session.opened()
        for room in rooms:
            self.joined(room, last_seq=last_seq)
        self.wire.sent.clear()

    def joined(self, room: str, messages: tuple[Frame, ...] = (), **fields: Any) -> None:
        person = {"connectionId": "ada", "name": "Ada", "sender": "ada", "members": [], "memberCount": 1}
        page = {"messages": list(messages), "complete": True, "lost": False, "lastSeq": len(messages)}
        self.session.received({"type": "joined", "room": room, **person, **page, **fields})

    def page(self, room: str, messages: tuple[Frame, ...] = (), **fields: Any) -> None:
        page = {"messages": list(messages), "complete": True, "lost": False}
        self.session.received({"type": "history", "room": room, **page, **fields})

    def pass_time(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.session.tick()


def message(seq: int, room: str = "garden", message_id: str = "") -> Frame:
    return {
        "type": "message",
        "room": room,
        "seq": seq,
        "messageId": message_id or f"id {seq}",
        "message": f"text {seq}",
    }


@pytest.fixture
def stage() -> Stage:
    return Stage()


def read(stage: Stage, room: str = "garden") -> list[int]:
    return sorted(stage.session.timelines[room].messages)


def test_it_joins_all_its_rooms_again_after_a_reconnect_from_where_it_was(stage: Stage) -> None:
    stage.enter("garden", "kitchen")
    stage.session.received(message(1))
    stage.session.closed()
    stage.pass_time(1)
    stage.session.opened()
    assert stage.wire.opened == 2
    assert [(frame["room"], frame["after"]) for frame in stage.wire.sent] == [("garden", 1), ("kitchen", 0)]
    stage.joined("garden", (message(2),), after=1, lastSeq=2)
    assert read(stage) == [1, 2]


def test_what_others_say_before_joined_arrives_is_kept(stage: Stage) -> None:
    stage.session.enter("garden")
    stage.session.opened()
    stage.session.received(message(3))
    stage.joined("garden", (message(1), message(2)))
    assert read(stage) == [1, 2, 3]
    assert stage.session.is_settled


@pytest.mark.parametrize(
    "shows_it",
    [
        lambda stage: stage.session.received(message(3)),
        lambda stage: stage.session.received({"type": "pong", "room": "garden", "rooms": {"garden": 3}}),
    ],
    ids=["a later message", "a pong"],
)
def test_a_gap_is_asked_for_if_it_does_not_close_by_itself(stage: Stage, shows_it: Callable[[Stage], None]) -> None:
    stage.enter("garden")
    stage.session.received(message(1))
    shows_it(stage)
    stage.pass_time(0.5)
    assert stage.wire.sent == []
    stage.pass_time(0.6)
    assert stage.wire.sent[0] == {"action": "history", "room": "garden", "limit": 100, "after": 1}
    stage.page("garden", (message(2),), after=1, complete=False)
    assert stage.wire.sent[1] == {"action": "history", "room": "garden", "limit": 100, "after": 2 + (3 in read(stage))}
    stage.page("garden", (message(3),), after=stage.wire.sent[1]["after"])
    assert read(stage) == [1, 2, 3]
    assert stage.session.is_settled


def test_it_goes_on_behind_what_has_expired(stage: Stage) -> None:
    stage.enter("garden")
    stage.session.received({"type": "pong", "room": "garden", "rooms": {"garden": 9}})
    stage.pass_time(1.1)
    stage.page("garden", after=0, lost=True)
    assert stage.session.timelines["garden"].losses == 1
    stage.session.received(message(10))
    assert stage.session.is_settled


def test_a_room_that_began_again_below_is_read_anew(stage: Stage) -> None:
    stage.enter("garden")
    for seq in (1, 2, 3):
        stage.session.received(message(seq))
    stage.session.enter("garden")
    stage.joined("garden", (message(1, message_id="new"),), after=3, lost=True)
    assert [kept["messageId"] for kept in stage.session.timelines["garden"].messages.values()] == ["new"]


def test_a_message_is_sent_again_as_it_is_until_it_is_acknowledged(stage: Stage) -> None:
    stage.enter("garden")
    message_id = stage.session.say("hello", to="garden")
    for _ in range(2):
        stage.pass_time(8.1)
        stage.session.received({"type": "pong", "room": "garden", "rooms": {"garden": 0}})
    sends = [frame for frame in stage.wire.sent if frame["action"] == "sendmessage"]
    assert len(sends) == 3
    assert all(frame == sends[0] for frame in sends)
    assert sends[0] == {"action": "sendmessage", "message": "hello", "messageId": message_id, "to": "garden"}
    stage.session.received(message(1, message_id=message_id))
    assert stage.session.outbox == []
    assert stage.session.acknowledged[message_id]["seq"] == 1


def test_a_page_acknowledges_too(stage: Stage) -> None:
    stage.enter("garden")
    message_id = stage.session.say("hello", to="garden")
    stage.session.enter("garden")
    stage.joined("garden", (message(1, message_id=message_id),), after=0, lastSeq=1)
    assert message_id in stage.session.acknowledged


def test_messages_are_sent_one_at_a_time_in_their_order(stage: Stage) -> None:
    stage.enter("garden", "kitchen")
    first, second = stage.session.say("one", to="garden"), stage.session.say("two", to="kitchen")
    assert [frame["messageId"] for frame in stage.wire.sent] == [first]
    stage.session.received(message(1, message_id=first))
    assert [frame["messageId"] for frame in stage.wire.sent] == [first, second]


@pytest.mark.parametrize("code", ["rate_limited", "busy", "internal"])
def test_a_message_that_is_refused_for_now_is_sent_again_when_the_server_says(stage: Stage, code: str) -> None:
    stage.enter("garden")
    message_id = stage.session.say("hello", to="garden")
    error = {"type": "error", "action": "sendmessage", "code": code, "messageId": message_id, "retryAfterMs": 1500}
    stage.wire.sent.clear()
    stage.session.received(error)
    stage.pass_time(1.4)
    assert "sendmessage" not in stage.wire.actions()
    stage.pass_time(0.2)
    assert "sendmessage" in stage.wire.actions()


def test_a_message_that_will_never_be_stored_is_given_up(stage: Stage) -> None:
    stage.enter("garden")
    message_id = stage.session.say("x" * 5000, to="garden")
    error = {"type": "error", "action": "sendmessage", "code": "message_too_long", "messageId": message_id}
    stage.session.received(error)
    assert stage.session.refused == {message_id: error}
    assert stage.session.is_settled


def test_it_joins_again_a_room_that_the_server_does_not_have_it_in(stage: Stage) -> None:
    stage.enter("garden", "kitchen")
    stage.session.ping()
    stage.session.received({"type": "pong", "room": "garden", "rooms": {"garden": 0}})
    assert [(frame["action"], frame.get("room")) for frame in stage.wire.sent] == [("ping", None), ("join", "kitchen")]
    stage.joined("kitchen", after=0)
    message_id = stage.session.say("hello", to="garden")
    stage.wire.sent.clear()
    error = {"type": "error", "action": "sendmessage", "code": "not_in_room", "messageId": message_id, "room": "garden"}
    stage.session.received(error)
    stage.joined("garden", after=0)
    assert stage.wire.actions() == ["join", "sendmessage"]


def test_a_pong_unasked_tells_of_one_room_only(stage: Stage) -> None:
    stage.enter("garden", "kitchen")
    stage.session.received({"type": "pong", "room": "garden", "rooms": {"garden": 0}})
    assert stage.wire.sent == []


def test_a_room_that_is_left_and_entered_again_is_joined_once_the_leave_is_answered(stage: Stage) -> None:
    stage.enter("garden")
    stage.session.leave("garden")
    stage.session.enter("garden")
    assert stage.wire.actions() == ["leave"]
    stage.session.received({"type": "left", "room": "garden", "current": None})
    assert stage.wire.actions() == ["join"]


def test_a_connection_that_does_not_answer_is_given_up(stage: Stage) -> None:
    stage.enter("garden")
    stage.session.ping()
    stage.pass_time(5.1)
    assert not stage.session.is_connected
    stage.pass_time(0.6)
    assert stage.wire.opened == 2


def test_the_delays_between_reconnects_grow_to_a_bound_and_begin_anew_after_a_stable_connection(stage: Stage) -> None:
    def waited() -> float:
        opened, begun = stage.wire.opened, stage.clock.monotonic()
        stage.session.closed()
        while stage.wire.opened == opened:
            stage.pass_time(0.05)
        return stage.clock.monotonic() - begun

    stage.session.connect()
    delays = [waited() for _ in range(12)]
    assert max(delays) > 5
    assert all(delay <= min(20, 0.5 * 2**number) + 0.1 for number, delay in enumerate(delays))
    stage.session.opened()
    stage.pass_time(10.1)
    assert waited() <= 0.6


def test_what_it_does_not_know_is_ignored(stage: Stage) -> None:
    stage.enter("garden")
    for frame in ({"type": "news"}, {"message": "Internal server error"}, message(7, room="attic")):
        stage.session.received(frame)
    assert stage.session.is_settled
    assert stage.wire.sent == []
