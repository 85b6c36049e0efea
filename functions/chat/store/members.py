"""The members of a room: one item of ChatRooms per connection."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from chat.protocol.frames_out import Person
from chat.store import person
from chat.store.connections import CONNECTION_SECONDS, Connection
from chat.store.dynamodb import EXPIRY, Expression, Item, Table
from chat.store.errors import ConditionFailedError

_PREFIX = "member#"
_PAST_PREFIX = "member$"  # the character after #
_OPENING_MS = 5000
_FIRST_PAGE = 1200
_FAR_FUTURE = 2**40  # for an item put by hand


class Recipient(NamedTuple):
    """A connection that receives a room's frames."""

    connection_id: str
    expires_at: int

    def may_be_opening(self, now_ms: int) -> bool:
        """Return whether the connection may still be opening; a post then returns 410."""
        return now_ms - (self.expires_at - CONNECTION_SECONDS) * 1000 < _OPENING_MS


class Member(NamedTuple):
    """A recipient with its public identity."""

    recipient: Recipient
    person: Person
    joined_ms: int
    """When it joined the room, in milliseconds since 1970; 0 if unknown."""

    @property
    def connection_id(self) -> str:
        """Id of its connection."""
        return self.recipient.connection_id


class Added(NamedTuple):
    """The result of adding a member."""

    joined_ms: int
    """When it joined the room, in milliseconds since 1970; renaming does not change it."""
    before: Person | None
    """Its previous listing in the room, if any."""


class Members:
    """The member items of ChatRooms. `now_ms` is the clock."""

    def __init__(self, table: Table, now_ms: Callable[[], int]) -> None:
        self._table = table
        self._now_ms = now_ms

    def add(self, room: str, connection: Connection) -> Added:
        """Add a connection to a room, or update its name there."""
        return self._put(room, connection, None, Expression())

    def update(self, room: str, connection: Connection) -> Person | None:
        """Update a connection's identity and expiry in a room; return its previous one, or None if it is not listed."""
        expression = Expression()
        try:
            return self._put(room, connection, f"attribute_exists({expression.name('item')})", expression).before
        except ConditionFailedError:
            return None

    def _put(self, room: str, connection: Connection, condition: str | None, expression: Expression) -> Added:
        now = self._now_ms()
        given = {
            "name": connection.name,
            "sender": connection.sender,
            "userId": connection.user_id,
            "timestamp": connection.timestamp,
            EXPIRY: connection.hears_until,
        }
        sets = expression.assignments(given)
        at = expression.name("at")
        sets.append(f"{at} = if_not_exists({at}, {expression.value('at', now)})")
        update = f"SET {', '.join(sets)}"
        if connection.user_id is None:
            update += f" REMOVE {expression.name('userId')}"
        key = _key(room, connection.connection_id)
        old = self._table.update(key, update, expression, condition=condition, returns_old=True)
        return Added(old.get("at", now), person.from_item(connection.connection_id, old) if old else None)

    def remove(self, room: str, connection_id: str, joined_ms: int | None = None) -> Person | None:
        """Remove a connection from a room and return its identity, or None if it was not listed.

        With `joined_ms`, removes it only if it has not left and rejoined since.
        """
        condition = expression = None
        if joined_ms is not None:
            expression = Expression()
            condition = f"{expression.name('at')} = {expression.value('at', joined_ms)}"
        try:
            item = self._table.delete(_key(room, connection_id), condition=condition, expression=expression)
        except ConditionFailedError:
            return None
        return person.from_item(connection_id, item) if item else None

    def recipients(self, room: str) -> Iterator[Recipient]:
        """Yield a room's recipients page by page, except expired ones."""
        for connection_id, expires_at, _ in self._read(room, "item", EXPIRY):
            yield Recipient(connection_id, expires_at)

    def list(self, room: str) -> Iterator[Member]:
        """Yield a room's members page by page, except expired ones."""
        attributes = ("item", "name", "sender", "userId", "at", EXPIRY)
        for connection_id, expires_at, item in self._read(room, *attributes):
            known = person.from_item(connection_id, item)
            yield Member(Recipient(connection_id, expires_at), known, item.get("at", 0))

    def _read(self, room: str, *only: str) -> Iterator[tuple[str, int, Item]]:
        """Yield the members' connection ids, expiry times and items.

        The first page is bounded, so a large room's first posts do not wait for a full page of 1 MB to be parsed.
        """
        now = self._now_ms() // 1000
        keys = ("item", _PREFIX, _PAST_PREFIX)
        for item in self._table.query(("room", room), keys, limit=_FIRST_PAGE, only=only):
            expires_at = item.get(EXPIRY, _FAR_FUTURE)
            if expires_at > now:
                yield item["item"][len(_PREFIX) :], expires_at, item


def _key(room: str, connection_id: str) -> Item:
    return {"room": room, "item": f"{_PREFIX}{connection_id}"}
