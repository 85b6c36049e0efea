"""A room with the real store and a virtual clock, whose senders take turns before each DynamoDB call.

room = Room(scheduler)
scheduler.add(lambda: room.send("anna"))
scheduler.add(lambda: room.send("ben"))
scheduler.run()
room.verify()
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from chat.protocol.errors import FrameError, rate_limited
from chat.protocol.frames_out import Person
from chat.schema import MESSAGES, ROOMS
from chat.store.append import Append, Draft, Stored
from chat.store.dynamodb import Table
from chat.store.message_rows import MessageRows
from chat.store.room_log import RoomLog
from tests.fakes.clock import VirtualClock
from tests.fakes.dynamodb import Call, DynamoDB, Interceptor, Item, carry_out
from tests.fakes.invariants import broken_logs, logs
from tests.unit.store.interleaving import Scheduler

NAME = "garden"
ID = "11111111-2222-4333-8444-555555555555"
DAY = 86400
RETENTION_SECONDS = 30 * DAY


@dataclass
class Room:
    """The room and its senders' results. They take turns before calls to the tables in `pauses_at`."""

    scheduler: Scheduler = field(default_factory=Scheduler)
    rows_type: type[MessageRows] = MessageRows
    log_type: type[RoomLog] = RoomLog
    pauses_at: Collection[str] = (ROOMS, MESSAGES)
    fault: Interceptor = carry_out
    stored: dict[str, Stored] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)
    given: dict[int, str] = field(default_factory=dict)
    """Every number that the log ever used, with its message."""

    def __post_init__(self) -> None:
        self.clock = VirtualClock()
        self.dynamodb = DynamoDB(self.clock, lambda: 0)
        self.keep_for(RETENTION_SECONDS)
        self.log.begin(NAME)
        self.dynamodb.intercept = self._intercept

    def keep_for(self, seconds: int) -> None:
        """Set the retention."""
        rooms, messages = Table(self.dynamodb, ROOMS), Table(self.dynamodb, MESSAGES)
        self.log = self.log_type(rooms, self.clock.now_ms, seconds)
        self.rows = self.rows_type(messages, self.clock.now_ms, seconds)
        self.append = Append(self.rows, self.log, self.scheduler.concurrently)

    def _intercept(self, call: Call, send: Callable[[], Item]) -> Item:
        if self.scheduler.is_running and call.table in self.pauses_at:
            self.scheduler.pause()
        answer = self.fault(call, send)
        if call.operation == "PutItem" and "log#" in call.key[-1] and "messageId" in call.request["Item"]:
            seq, message_id = int(call.key[-1].removeprefix("log#")), call.request["Item"]["messageId"]["S"]
            assert seq not in self.given, f"{seq} was given out twice"
            self.given[seq] = message_id
        return answer

    def send(self, sender: str, *, message_id: str = ID, is_refused: bool = False, may_repeat: bool = True) -> None:
        """Store a message like one invocation."""
        draft = Draft(
            message_id=message_id,
            may_repeat=may_repeat,
            room=NAME,
            text=f"by {sender}",
            author=Person(sender, sender.title(), sender),
            sent_ms=self.clock.now_ms(),
            put_by=f"put by {sender}, {len(self.dynamodb.calls)}",
        )

        def count() -> None:
            if is_refused:
                raise rate_limited(1000)

        try:
            stored = self.append(draft, self.log.end(NAME), count)
        except FrameError:
            self.refused.add(sender)
            return
        self.stored[sender] = stored
        self.append.remove_spare_rows(stored)

    def say(self, *texts: str) -> list[int]:
        """Store messages in sequence without taking turns; return their places."""
        for text in texts:
            self.send(text, message_id=f"id of {text}")
        return [self.stored[text].message.seq for text in texts]

    def at_once(self, act: Callable[[], None]) -> None:
        """Run something as one step, without switching tasks."""
        self.scheduler.pause()
        pauses_at, self.pauses_at = self.pauses_at, ()
        act()
        self.pauses_at = pauses_at

    def places(self) -> list[int]:
        """Return the places of the messages in the log."""
        return sorted(place for place in logs(self.dynamodb)[NAME] if place)

    def after(self, seq: int) -> tuple[list[int], bool]:
        """Return the seqs above a seq, and whether some are lost."""
        seqs: list[int] = []
        lost = False
        while True:
            page = self.log.after(NAME, seqs[-1] if seqs else seq, None, 100)
            seqs += [message.seq for message in page.messages]
            lost = lost or page.lost
            if page.complete:
                return seqs, lost

    def verify(self) -> None:
        """Check the invariants."""
        assert not broken_logs(self.dynamodb)
        copies = [stored.message for stored in self.stored.values() if stored.message.message_id == ID]
        assert len(set(copies)) <= 1, "two senders received different messages"
        places = {message_id: seq for seq, message_id in self.given.items()}
        for stored in self.stored.values():
            assert places[stored.message.message_id] == stored.message.seq
