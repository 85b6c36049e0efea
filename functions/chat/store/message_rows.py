"""MessageHistory: one row per message sent, keyed by message id and timestamp."""

from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple

from chat.protocol.frames_out import Person
from chat.protocol.timestamps import to_iso, to_milliseconds
from chat.store import person
from chat.store.dynamodb import EXPIRY, Expression, Item, Table
from chat.store.errors import ConditionFailedError

_MAX_TRIES = 50
_OUTLIVES_SECONDS = 3600
"""How much longer a row is kept than its message in the log, which is put slightly later."""


class MessageRow(NamedTuple):
    """A message as sent. Rows with the same id differ in their timestamp."""

    message_id: str
    timestamp: str
    room: str
    text: str
    author: Person
    after: int
    """A place in the room's log below the message's own."""
    put_by: str
    """Id of the invocation that put it or relies on it."""
    expires_at: int | None


class MessageRows:
    """The table MessageHistory. `now_ms` is the clock; `retention_seconds` 0 keeps messages for ever."""

    def __init__(self, table: Table, now_ms: Callable[[], int], retention_seconds: int) -> None:
        self._table = table
        self._now_ms = now_ms
        self._retention_seconds = retention_seconds

    def add(self, row: MessageRow) -> MessageRow:
        """Put a row under a timestamp that its id has no row for; return the row as stored.

        A refused put advances by a millisecond, unless the existing row is this one: botocore retried the put.
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
        raise TimeoutError(f"One message has rows at {_MAX_TRIES} successive milliseconds")

    def of(self, message_id: str, room: str) -> list[MessageRow]:
        """Return the unexpired rows of an id in a room. The same id in another room is another message."""
        now = self._now_ms() // 1000
        found = self._table.query(("messageId", message_id))
        return [_from_item(item) for item in found if item.get("room") == room and item.get(EXPIRY, now + 1) > now]

    def expiry(self, message_expires_at: int | None = None) -> int | None:
        """Return when a row put now expires, or the row of a message that expires at the given time; None for never."""
        if message_expires_at is None:
            message_expires_at = self._now_ms() // 1000 + self._retention_seconds if self._retention_seconds else None
        return message_expires_at + _OUTLIVES_SECONDS if message_expires_at is not None else None

    def claim(self, row: MessageRow) -> None:
        """Put a row again under the invocation that now relies on it, so no other invocation deletes it."""
        self._table.put(_to_item(row))

    def withdraw(self, row: MessageRow) -> None:
        """Delete a row that this invocation put, unless another one relies on it."""
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
        "message": row.text,
        "room": row.room,
        **person.to_item(row.author),
        "after": row.after,
        "put": row.put_by,
        EXPIRY: row.expires_at,
    }


def _from_item(item: Item) -> MessageRow:
    return MessageRow(
        message_id=item.get("messageId", ""),
        timestamp=item.get("timestamp", ""),
        room=item.get("room", ""),
        text=item.get("message", ""),
        author=person.from_item(item.get("connectionId", ""), item),
        after=item.get("after", 0),
        put_by=item.get("put", ""),
        expires_at=item.get(EXPIRY),
    )
