"""MessageHistory: one row for each message that was sent, keyed by its id and its timestamp."""

from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple

from chat.protocol.frames_out import Person
from chat.protocol.timestamps import to_iso, to_milliseconds
from chat.store.dynamodb import EXPIRY, Expression, Item, Table
from chat.store.errors import ConditionFailedError

_MAX_TRIES = 50
_OUTLIVES_SECONDS = 3600
"""How much longer a row lives than its message in the log, which is put a little later."""


class MessageRow(NamedTuple):
    """A message as it was sent. Rows of one id are told apart by their timestamp."""

    message_id: str
    timestamp: str
    room: str
    text: str
    author: Person
    after: int
    """A place in the room's log below the one where the message will stand."""
    put_by: str
    """The invocation that put it, or that relies on it."""
    expires_at: int | None


class MessageRows:
    """The table MessageHistory. `now_ms` is the clock; `retention_seconds` 0 keeps messages for ever."""

    def __init__(self, table: Table, now_ms: Callable[[], int], retention_seconds: int) -> None:
        self._table = table
        self._now_ms = now_ms
        self._retention_seconds = retention_seconds

    def add(self, row: MessageRow) -> MessageRow:
        """Put a row under a timestamp that no row of its id has; return it as it stands.

        A refused put moves on by a millisecond, unless the occupant is this very row: botocore sent the put again.
        """
        for _ in range(_MAX_TRIES):
            expression = Expression()
            condition = f"attribute_not_exists({expression.name('messageId')})"
            try:
                self._table.put(_to_item(row), condition=condition, expression=expression)
            except ConditionFailedError as failed:
                if _from_item(failed.item) == row:
                    return row
                row = row._replace(timestamp=to_iso(to_milliseconds(row.timestamp) + 1))
            else:
                return row
        raise TimeoutError(f"{_MAX_TRIES} rows of one message stand at successive milliseconds")

    def of(self, message_id: str, room: str) -> list[MessageRow]:
        """Return the rows of an id in a room. What bears the id in another room is another message."""
        now = self._now_ms() // 1000
        found = self._table.query(("messageId", message_id))
        return [_from_item(item) for item in found if item.get("room") == room and item.get(EXPIRY, now + 1) > now]

    def expiry(self, message_expires_at: int | None = None) -> int | None:
        """Return when a row expires that is put now, or that of a message that expires at a time; None: never."""
        if message_expires_at is None:
            message_expires_at = self._now_ms() // 1000 + self._retention_seconds if self._retention_seconds else None
        return message_expires_at + _OUTLIVES_SECONDS if message_expires_at is not None else None

    def keep(self, row: MessageRow) -> None:
        """Put a row again, under the invocation that relies on it now, so that no other takes it back."""
        self._table.put(_to_item(row))

    def take_back(self, row: MessageRow) -> None:
        """Delete a row that was put by this invocation, unless another one relies on it."""
        expression = Expression()
        condition = f"{expression.name('put')} = {expression.value('put', row.put_by)}"
        with suppress(ConditionFailedError):
            self._table.delete(_key(row.message_id, row.timestamp), condition=condition, expression=expression)

    def remove(self, message_id: str, timestamp: str) -> None:
        """Delete a row."""
        self._table.delete(_key(message_id, timestamp))


def _key(message_id: str, timestamp: str) -> Item:
    return {"messageId": message_id, "timestamp": timestamp}


def _to_item(row: MessageRow) -> Item:
    return {
        "messageId": row.message_id,
        "timestamp": row.timestamp,
        "connectionId": row.author.connection_id,
        "message": row.text,
        "room": row.room,
        "name": row.author.name,
        "sender": row.author.sender,
        "after": row.after,
        "put": row.put_by,
        EXPIRY: row.expires_at,
    }


def _from_item(item: Item) -> MessageRow:
    connection_id = item.get("connectionId", "")
    return MessageRow(
        message_id=item.get("messageId", ""),
        timestamp=item.get("timestamp", ""),
        room=item.get("room", ""),
        text=item.get("message", ""),
        author=Person(connection_id, item.get("name", connection_id[:8]), item.get("sender", connection_id)),
        after=item.get("after", 0),
        put_by=item.get("put", ""),
        expires_at=item.get(EXPIRY),
    )
