"""ActiveConnections: one row per connection, with its rooms, name and rate limit states."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from chat.protocol import errors
from chat.protocol.frames_out import Person
from chat.protocol.timestamps import to_iso
from chat.store.dynamodb import EXPIRY, Expression, Item, Table
from chat.store.errors import ConditionFailedError
from chat.store.rate_limit import RateLimit

LOBBY = "lobby"
"""The room of a connection before its first `join`."""

MAX_ROOMS = 10
"""Rooms that a connection may be in at once."""

CONNECTION_SECONDS = 7200
"""No connection outlives two hours (API Gateway quotas, not raisable)."""

_MAX_TRIES = 5


class Connection(NamedTuple):
    """A connection. `room` is the current room; None after it left the last one."""

    connection_id: str
    timestamp: str
    expires_at: int
    name: str
    sender: str
    room: str | None = LOBBY
    rooms: frozenset[str] = frozenset({LOBBY})
    joined: bool = False
    """Whether it has sent a `join` or `leave`; until then it is in the lobby by default."""
    stored: bool = False
    """Whether it has a row. A frame may be handled after its connection was removed."""
    tats: Mapping[str, int] = MappingProxyType({})
    """Rate limit states by attribute."""

    @property
    def connected_ms(self) -> int:
        """When it was opened, in milliseconds since 1970, rounded down to the second."""
        return (self.expires_at - CONNECTION_SECONDS) * 1000

    @property
    def person(self) -> Person:
        """Its public identity."""
        return Person(self.connection_id, self.name, self.sender)


def new_connection(connection_id: str, connected_ms: int) -> Connection:
    """Return a connection before its first frame: in the lobby, named after the first 8 characters of its id."""
    return Connection(
        connection_id=connection_id,
        timestamp=to_iso(connected_ms),
        expires_at=connected_ms // 1000 + CONNECTION_SECONDS,
        name=connection_id[:8],
        sender=connection_id,
    )


def _from_row(row: Item, default: Connection) -> Connection:
    """Return the connection in a row, with missing fields from `default`. Without a row it is in the lobby."""
    if not row:
        return default._replace(room=LOBBY, rooms=frozenset({LOBBY}), joined=False, stored=False, tats={})
    joined = row.get("joined", False)
    return Connection(
        connection_id=default.connection_id,
        timestamp=row.get("timestamp", default.timestamp),
        expires_at=row.get(EXPIRY, default.expires_at),
        room=row.get("room") if joined else LOBBY,
        rooms=row.get("rooms", frozenset()) if joined else frozenset({LOBBY}),
        name=row.get("name", default.name),
        sender=row.get("sender", default.sender),
        joined=joined,
        stored=True,
        tats={name: value for name, value in row.items() if name.endswith("Tat")},
    )


class Connections:
    """The table ActiveConnections. `now_ms` is the clock."""

    def __init__(self, table: Table, now_ms: Callable[[], int]) -> None:
        self._table = table
        self._now_ms = now_ms

    def add(self, connection: Connection) -> None:
        """Store a new connection, or one whose row was lost.

        Conditional, so a late botocore retry cannot move a connection that has already joined.
        """
        expression = Expression()
        row = {
            "connectionId": connection.connection_id,
            "timestamp": connection.timestamp,
            "room": connection.room,
            "name": connection.name,
            "sender": connection.sender,
            EXPIRY: connection.expires_at,
        }
        try:
            self._table.put(row, condition=f"attribute_not_exists({expression.name('joined')})", expression=expression)
        except ConditionFailedError:
            return

    def load(self, connection_id: str, connected_ms: int) -> Connection:
        """Return a connection as stored, or the default if it has no row."""
        default = new_connection(connection_id, connected_ms)
        return _from_row(self._table.get({"connectionId": connection_id}), default)

    def remove(self, connection_id: str) -> Connection | None:
        """Delete a connection and return it, or None if it has no row, so only one caller announces it."""
        row = self._table.delete({"connectionId": connection_id})
        return _from_row(row, new_connection(connection_id, 0)) if row else None

    def join(
        self, connection: Connection, limit: RateLimit, room: str, *, name: str | None, sender: str | None
    ) -> Connection:
        """Add a room, make it the current one, and set the name and sender if given.

        Raises FrameError `rate_limited` or `too_many_rooms`.
        """

        def changes(known: Connection, expression: Expression) -> list[str]:
            rooms = (known.rooms if known.joined else frozenset()) | {room}
            if len(rooms) > MAX_ROOMS:
                raise errors.too_many_rooms(MAX_ROOMS)
            given = {"room": room, "joined": True, "name": name, "sender": sender}
            sets = [
                f"{expression.name(field)} = {expression.value(field, value)}"
                for field, value in given.items()
                if value is not None
            ]
            return [*sets, f"ADD {expression.name('rooms')} {expression.value('rooms', {room})}"]

        return self._update(connection, limit, changes)

    def leave(self, connection: Connection, limit: RateLimit, room: str) -> Connection:
        """Leave a room; if it was the current one, another of the connection's rooms becomes current.

        Leaving a room that it is not in still counts against the limit. Raises FrameError `rate_limited`.
        """

        def changes(known: Connection, expression: Expression) -> list[str]:
            if room not in known.rooms:
                return []
            left = sorted(known.rooms - {room})
            current = known.room if known.room != room else next(iter(left), None)
            parts = [f"{expression.name('joined')} = {expression.value('joined', value=True)}"]
            if current is None:
                parts.append(f"REMOVE {expression.name('room')}")
            else:
                parts.append(f"{expression.name('room')} = {expression.value('room', current)}")
            if known.joined:
                parts.append(f"DELETE {expression.name('rooms')} {expression.value('rooms', {room})}")
            return parts

        return self._update(connection, limit, changes, restore=False)

    def _update(
        self,
        connection: Connection,
        limit: RateLimit,
        changes: Callable[[Connection, Expression], list[str]],
        *,
        restore: bool = True,
    ) -> Connection:
        """Count an action and apply changes in one conditional write; retry if other frames change the row."""
        known = connection
        for _ in range(_MAX_TRIES):
            wait_ms = limit.wait_ms(known.tats.get(limit.attribute, 0), self._now_ms())
            if wait_ms:
                raise errors.rate_limited(wait_ms)
            if not known.stored and not restore:
                return known
            expression = Expression()
            tat = known.tats.get(limit.attribute, 0)
            assignment, condition = limit.charge(expression, tat, self._now_ms())
            parts = changes(known, expression)
            sets = [assignment, *(part for part in parts if not part.startswith(("ADD ", "DELETE ", "REMOVE ")))]
            clauses = [part for part in parts if part.startswith(("ADD ", "DELETE ", "REMOVE "))]
            if known.stored:
                condition += f" AND attribute_exists({expression.name('connectionId')})"
            else:
                sets += self._identity(known, expression, parts)
            update = " ".join([f"SET {', '.join(sets)}", *clauses])
            key = {"connectionId": known.connection_id}
            try:
                row = self._table.update(key, update, expression, condition=condition)
            except ConditionFailedError as failed:
                known = _from_row(failed.item, connection)
                continue
            return _from_row(row, connection)
        raise errors.rate_limited(limit.interval_ms)  # so many concurrent frames are too many

    @staticmethod
    def _identity(connection: Connection, expression: Expression, parts: list[str]) -> list[str]:
        """Return the assignments that restore a lost row, except those that `parts` already makes."""
        fields = {
            "timestamp": connection.timestamp,
            EXPIRY: connection.expires_at,
            "room": connection.room,
            "name": connection.name,
            "sender": connection.sender,
        }
        changed = {part.partition(" ")[0] for part in parts}
        return [
            f"#{field} = if_not_exists({expression.name(field)}, {expression.value(field, value)})"
            for field, value in fields.items()
            if f"#{field}" not in changed
        ]
