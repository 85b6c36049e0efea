"""The Python client follows docs/protocol.md: it resumes, fills gaps, and resends until acknowledged."""

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
    """A transport that records its calls."""

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
class Harness:
    """A session with its transport and clock."""

    wire: Wire = field(default_factory=Wire)
    clock: VirtualClock = field(default_factory=VirtualClock)

    def __post_init__(self) -> None:
        draw = Random(1)
        self.session = ChatSession(self.wire, name="Ada", clock=self.clock.monotonic, draw=draw)

    def enter(self, *rooms: str, last_seq: int = 0) -> None:
        """Connect and join rooms."""
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

    def advance(self, seconds: float) -> None:
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
def harness() -> Harness:
    return Harness()


def read(harness: Harness, room: str = "garden") -> list[int]:
    return sorted(harness.session.timelines[room].messages)


def test_after_a_reconnect_it_rejoins_all_rooms_from_its_last_seq(harness: Harness) -> None:
    harness.enter("garden", "kitchen")
    harness.session.received(message(1))
    harness.session.closed()
    harness.advance(1)
    harness.session.opened()
    assert harness.wire.opened == 2
    assert [(frame["room"], frame["after"]) for frame in harness.wire.sent] == [("garden", 1), ("kitchen", 0)]
    harness.joined("garden", (message(2),), after=1, lastSeq=2)
    assert read(harness) == [1, 2]


def test_messages_that_arrive_before_joined_are_kept(harness: Harness) -> None:
    harness.session.enter("garden")
    harness.session.opened()
    harness.session.received(message(3))
    harness.joined("garden", (message(1), message(2)))
    assert read(harness) == [1, 2, 3]
    assert harness.session.is_settled


@pytest.mark.parametrize(
    "shows_it",
    [
        lambda harness: harness.session.received(message(3)),
        lambda harness: harness.session.received({"type": "pong", "room": "garden", "rooms": {"garden": 3}}),
    ],
    ids=["a later message", "a pong"],
)
def test_it_requests_a_gap_that_does_not_close(harness: Harness, shows_it: Callable[[Harness], None]) -> None:
    harness.enter("garden")
    harness.session.received(message(1))
    shows_it(harness)
    harness.advance(0.5)
    assert harness.wire.sent == []
    harness.advance(0.6)
    assert harness.wire.sent[0] == {"action": "history", "room": "garden", "limit": 100, "after": 1}
    harness.page("garden", (message(2),), after=1, complete=False)
    assert harness.wire.sent[1] == {
        "action": "history",
        "room": "garden",
        "limit": 100,
        "after": 2 + (3 in read(harness)),
    }
    harness.page("garden", (message(3),), after=harness.wire.sent[1]["after"])
    assert read(harness) == [1, 2, 3]
    assert harness.session.is_settled


def test_it_continues_after_expired_messages(harness: Harness) -> None:
    harness.enter("garden")
    harness.session.received({"type": "pong", "room": "garden", "rooms": {"garden": 9}})
    harness.advance(1.1)
    harness.page("garden", after=0, lost=True)
    assert harness.session.timelines["garden"].losses == 1
    harness.session.received(message(10))
    assert harness.session.is_settled


def test_a_room_that_restarted_below_is_read_from_the_start(harness: Harness) -> None:
    harness.enter("garden")
    for seq in (1, 2, 3):
        harness.session.received(message(seq))
    harness.session.enter("garden")
    harness.joined("garden", (message(1, message_id="new"),), after=3, lost=True)
    assert [kept["messageId"] for kept in harness.session.timelines["garden"].messages.values()] == ["new"]


def test_a_message_is_resent_unchanged_until_it_is_acknowledged(harness: Harness) -> None:
    harness.enter("garden")
    message_id = harness.session.say("hello", to="garden")
    for _ in range(2):
        harness.advance(8.1)
        harness.session.received({"type": "pong", "room": "garden", "rooms": {"garden": 0}})
    sends = [frame for frame in harness.wire.sent if frame["action"] == "sendmessage"]
    assert len(sends) == 3
    assert all(frame == sends[0] for frame in sends)
    assert sends[0] == {"action": "sendmessage", "message": "hello", "messageId": message_id, "to": "garden"}
    harness.session.received(message(1, message_id=message_id))
    assert harness.session.outbox == []
    assert harness.session.acknowledged[message_id]["seq"] == 1


def test_a_page_of_history_acknowledges_too(harness: Harness) -> None:
    harness.enter("garden")
    message_id = harness.session.say("hello", to="garden")
    harness.session.enter("garden")
    harness.joined("garden", (message(1, message_id=message_id),), after=0, lastSeq=1)
    assert message_id in harness.session.acknowledged


def test_messages_are_sent_one_at_a_time_in_order(harness: Harness) -> None:
    harness.enter("garden", "kitchen")
    first, second = harness.session.say("one", to="garden"), harness.session.say("two", to="kitchen")
    assert [frame["messageId"] for frame in harness.wire.sent] == [first]
    harness.session.received(message(1, message_id=first))
    assert [frame["messageId"] for frame in harness.wire.sent] == [first, second]


@pytest.mark.parametrize("code", ["rate_limited", "busy", "internal"])
def test_a_temporarily_refused_message_is_resent_after_the_servers_delay(harness: Harness, code: str) -> None:
    harness.enter("garden")
    message_id = harness.session.say("hello", to="garden")
    error = {"type": "error", "action": "sendmessage", "code": code, "messageId": message_id, "retryAfterMs": 1500}
    harness.wire.sent.clear()
    harness.session.received(error)
    harness.advance(1.4)
    assert "sendmessage" not in harness.wire.actions()
    harness.advance(0.2)
    assert "sendmessage" in harness.wire.actions()


def test_a_message_that_can_never_be_stored_is_given_up(harness: Harness) -> None:
    harness.enter("garden")
    message_id = harness.session.say("x" * 5000, to="garden")
    error = {"type": "error", "action": "sendmessage", "code": "message_too_long", "messageId": message_id}
    harness.session.received(error)
    assert harness.session.refused == {message_id: error}
    assert harness.session.is_settled


def test_it_rejoins_a_room_that_the_server_does_not_list_it_in(harness: Harness) -> None:
    harness.enter("garden", "kitchen")
    harness.session.ping()
    harness.session.received({"type": "pong", "room": "garden", "rooms": {"garden": 0}})
    assert [(frame["action"], frame.get("room")) for frame in harness.wire.sent] == [
        ("ping", None),
        ("join", "kitchen"),
    ]
    harness.joined("kitchen", after=0)
    message_id = harness.session.say("hello", to="garden")
    harness.wire.sent.clear()
    error = {"type": "error", "action": "sendmessage", "code": "not_in_room", "messageId": message_id, "room": "garden"}
    harness.session.received(error)
    harness.joined("garden", after=0)
    assert harness.wire.actions() == ["join", "sendmessage"]


def test_an_unsolicited_pong_covers_one_room_only(harness: Harness) -> None:
    harness.enter("garden", "kitchen")
    harness.session.received({"type": "pong", "room": "garden", "rooms": {"garden": 0}})
    assert harness.wire.sent == []


def test_rejoining_a_room_waits_until_the_leave_is_answered(harness: Harness) -> None:
    harness.enter("garden")
    harness.session.leave("garden")
    harness.session.enter("garden")
    assert harness.wire.actions() == ["leave"]
    harness.session.received({"type": "left", "room": "garden", "current": None})
    assert harness.wire.actions() == ["join"]


def test_a_connection_that_does_not_answer_is_closed(harness: Harness) -> None:
    harness.enter("garden")
    harness.session.ping()
    harness.advance(5.1)
    assert not harness.session.is_connected
    harness.advance(0.6)
    assert harness.wire.opened == 2


def test_reconnect_delays_grow_to_a_bound_and_reset_after_a_stable_connection(harness: Harness) -> None:
    def waited() -> float:
        opened, begun = harness.wire.opened, harness.clock.monotonic()
        harness.session.closed()
        while harness.wire.opened == opened:
            harness.advance(0.05)
        return harness.clock.monotonic() - begun

    harness.session.connect()
    delays = [waited() for _ in range(12)]
    assert max(delays) > 5
    assert all(delay <= min(20, 0.5 * 2**number) + 0.1 for number, delay in enumerate(delays))
    harness.session.opened()
    harness.advance(10.1)
    assert waited() <= 0.6


def test_unknown_frames_are_ignored(harness: Harness) -> None:
    harness.enter("garden")
    for frame in ({"type": "news"}, {"message": "Internal server error"}, message(7, room="attic")):
        harness.session.received(frame)
    assert harness.session.is_settled
    assert harness.wire.sent == []
