"""Storing a message once, at one place of its room's log.

The protocol, and why two copies of a message never both stand: docs/decisions/0004. In short: a copy first puts its
row into MessageHistory, with the end of the log that it read (`after`); then it looks for rows of the same id; then it
reads the log from the least `after` on, and puts the message at the first free place behind what it has read.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

from chat.protocol.frames_out import Message, Person
from chat.protocol.timestamps import to_iso
from chat.store.errors import BusyError, ConditionFailedError
from chat.store.message_rows import MessageRow, MessageRows
from chat.store.room_log import End, RoomLog

MAX_PUTS = 12
"""Puts of one message before its sender is told `busy`.

That begins at some 150 messages a second in one room (docs/benchmarks.md). With more puts for each message they would
come to more writes than the room's partition takes: 1,000 a second (DynamoDB quotas).
"""

_NOT_KNOWN = -1


class Concurrently(Protocol):
    """Runs calls at the same time and returns what each returned, or raises what the first of them raised."""

    def __call__(self, *calls: Callable[[], Any]) -> Sequence[Any]:
        """Run the calls."""
        ...


class Draft(NamedTuple):
    """A message to be stored. `message_id` is the client's if `may_repeat`, else drawn for this invocation."""

    message_id: str
    may_repeat: bool
    room: str
    text: str
    author: Person
    sent_ms: int
    put_by: str
    """Id of the invocation: a put that finds its own is a put whose answer was lost."""


class Stored(NamedTuple):
    """A message at its place. `is_repeat`: it stood there already."""

    message: Message
    is_repeat: bool
    spare_rows: frozenset[str] = frozenset()
    """Timestamps of further rows of its id; see `remove_spare_rows`."""


class Append:
    """Appends messages to the logs of rooms."""

    def __init__(self, rows: MessageRows, log: RoomLog, concurrently: Concurrently) -> None:
        self._rows = rows
        self._log = log
        self._concurrently = concurrently

    def __call__(self, draft: Draft, end: End | None, count: Callable[[], Any]) -> Stored:
        """Store a message and return it; one that stands under its id already is returned as it stands.

        `end` is the end of the room's log, if the caller has read it. `count` counts the send against its sender's
        limit; it is called at the same time as the first write. Raises BusyError, and what `count` raises: then
        nothing was stored.
        """
        end, row, found = self._put_row(draft, end, count)
        first = min([*found, row], key=lambda each: (each.after, each.timestamp))  # the first body sent wins
        others = {each.timestamp for each in found} | {row.timestamp}
        stored = self._put(draft, first, end, self._start(draft, first, end))
        return stored._replace(spare_rows=frozenset(others - {stored.message.timestamp}))

    def remove_spare_rows(self, stored: Stored) -> None:
        """Delete the rows of an id that its message in the log does not name; at best effort.

        Apart from storing the message, so that its sender is not kept waiting for it.
        """
        try:
            for timestamp in stored.spare_rows:
                self._rows.remove(stored.message.message_id, timestamp)
        except Exception:  # noqa: BLE001 - the message stands; a row too many is found by the next repetition
            return

    def _put_row(
        self, draft: Draft, end: End | None, count: Callable[[], Any]
    ) -> tuple[End, MessageRow, list[MessageRow]]:
        """Count the send, put its row, and look for others of its id, in as few round trips as each case allows."""

        def put_row(after: int) -> MessageRow:
            row = MessageRow(
                message_id=draft.message_id,
                timestamp=to_iso(draft.sent_ms),
                room=draft.room,
                text=draft.text,
                author=draft.author,
                after=after,
                put_by=draft.put_by,
                expires_at=self._rows.expiry(),
            )
            return self._rows.add(row)

        def read_end() -> End:
            return self._log.end(draft.room)

        def find_rows() -> list[MessageRow]:
            return self._rows.of(draft.message_id, draft.room)

        if end is None and not draft.may_repeat:  # nobody else knows the id yet, so its row need not say where to look
            _, row, end = self._count(count, _Attempt(lambda: put_row(_NOT_KNOWN)), read_end)
            return end, row, []
        if end is None:
            _, end = self._concurrently(count, read_end)
            row, found = self._concurrently(lambda: put_row(end.seq), find_rows)
            return end, row, found
        look = (find_rows,) if draft.may_repeat else ()
        _, row, *found = self._count(count, _Attempt(lambda: put_row(end.seq)), *look)
        return end, row, found[0] if found else []

    def _count(self, count: Callable[[], Any], put: "_Attempt", *others: Callable[[], Any]) -> Sequence[Any]:
        """Count the send while its row is put; a send that turns out to be refused takes its row back."""
        try:
            return self._concurrently(count, put, *others)
        except Exception:
            if put.is_done:
                self._rows.take_back(put.result)
            raise

    def _start(self, draft: Draft, first: MessageRow, end: End) -> int:
        """Return the place behind which the message may stand already."""
        if not draft.may_repeat:
            return end.seq
        if first.after == _NOT_KNOWN:
            return self._log.place_before(draft.room, first.timestamp, end.seq)
        return min(first.after, end.seq)

    def _put(self, draft: Draft, first: MessageRow, end: End, start: int) -> Stored:
        """Read the log from `start` to its end, and put the message behind it unless it is found."""
        for entry in self._log.between(draft.room, start, end.seq):
            if entry.message.message_id == draft.message_id:
                return Stored(entry.message, is_repeat=True)
        if not self._log.is_lasting(end):
            end = self._log.begin_again(draft.room, end)
        for _ in range(MAX_PUTS):
            message = Message(
                message_id=draft.message_id,
                room=draft.room,
                seq=end.seq + 1,
                timestamp=first.timestamp,
                text=first.text,
                author=first.author,
            )
            first = self._keep_row(draft, first, self._log.expiry_behind(end))
            try:
                self._log.put(draft.room, message, end, draft.put_by)
            except ConditionFailedError as failed:
                entry = self._log.occupant(draft.room, failed)
            else:
                return Stored(message, is_repeat=False)
            if entry.message.message_id == draft.message_id:
                return Stored(entry.message, is_repeat=entry.put_by != draft.put_by)
            end = End(entry, None)
        raise BusyError

    def _keep_row(self, draft: Draft, row: MessageRow, expires_at: int | None) -> MessageRow:
        """Return the row that the message will name, once it is sure to stand for as long as the message.

        A row that another copy put may be taken back by it, or be old; one's own expires too early if the retention was
        shortened and the message outlives it for the sake of those before it.
        """
        if row.put_by == draft.put_by and (row.expires_at is None or row.expires_at >= (expires_at or 0)):
            return row
        row = row._replace(put_by=draft.put_by, expires_at=self._rows.expiry(expires_at))
        self._rows.keep(row)
        return row


class _Attempt:
    """A call that keeps its result, so that it is known even if a call beside it failed."""

    def __init__(self, call: Callable[[], Any]) -> None:
        self._call = call
        self.is_done = False
        self.result: Any = None

    def __call__(self) -> Any:
        self.result = self._call()
        self.is_done = True
        return self.result
