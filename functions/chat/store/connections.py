"""ActiveConnections: one row per connection, with its rooms, name and rate limit states."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from chat.protocol import errors
from chat.protocol.frames_out import Person
from chat.protocol.timestamps import to_iso
from chat.store.dynamodb import EXPIRY, Expression, Item, Table
from chat.store.errors import ConditionFailedError, ConflictError
from chat.store.rate_limit import RateLimit

LOBBY = "lobby"
"""The room of a connection before its first `join`."""

MAX_ROOMS = 10
"""Rooms that a connection may be in at once."""

CONNECTION_SECONDS = 7200
"""No connection outlives two hours (API Gateway quotas, not raisable)."""

_MAX_TRIES = 5
_LAPSED_SECONDS = 30
"""How long a connection whose sign-in has expired still receives frames: time to renew it."""


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
    user_id: str | None = None
    """The account that has signed in; `name` and `sender` are then the account's."""
    until: int = 0
    """When the sign-in expires, in seconds since 1970."""
    tats: Mapping[str, int] = MappingProxyType({})
    """Rate limit states by attribute."""

    @property
    def connected_ms(self) -> int:
        """When it was opened, in milliseconds since 1970, rounded down to the second."""
        return (self.expires_at - CONNECTION_SECONDS) * 1000

    @property
    def person(self) -> Person:
        """Its public identity."""
        return Person(self.connection_id, self.name, self.sender, self.user_id)

    @property
    def hears_until(self) -> int:
        """When it stops to receive the frames of its rooms, in seconds since 1970."""
        return self.expires_at if self.user_id is None else min(self.expires_at, self.until + _LAPSED_SECONDS)


def other_account() -> errors.FrameError:
    """Return the error for a sign-in on a connection that belongs to another account."""
    return errors.bad_request("Another account is signed in on this connection; open a new one")


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
        return default._replace(
            room=LOBBY, rooms=frozenset({LOBBY}), joined=False, stored=False, tats={}, user_id=None, until=0
        )
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
        user_id=row.get("userId"),
        until=row.get("until", 0),
        tats={name: value for name, value in row.items() if name.endswith("Tat")},
    )


class Connections:
    """The table ActiveConnections. `now_ms` is the clock."""

    def __init__(self, table: Table, now_ms: Callable[[], int]) -> None:
        self._table = table
        self._now_ms = now_ms

    def add(self, connection: Connection) -> None:
        """Store a new connection, or one whose row was lost.

        Conditional, so a late botocore retry cannot move a connection that has already joined or signed in.
        """
        expression = Expression()
        fresh = " AND ".join(f"attribute_not_exists({expression.name(field)})" for field in ("joined", "userId"))
        row = {
            "connectionId": connection.connection_id,
            "timestamp": connection.timestamp,
            "room": connection.room,
            "name": connection.name,
            "sender": connection.sender,
            EXPIRY: connection.expires_at,
        }
        try:
            self._table.put(row, condition=fresh, expression=expression)
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
        """Add a room, make it the current one, and set the name and sender if given; an account keeps its own.

        Raises FrameError `rate_limited` or `too_many_rooms`.
        """

        def changes(known: Connection, expression: Expression) -> list[str]:
            rooms = (known.rooms if known.joined else frozenset()) | {room}
            if len(rooms) > MAX_ROOMS:
                raise errors.too_many_rooms(MAX_ROOMS)
            given = {"room": room, "joined": True}
            if known.user_id is None:
                given |= {"name": name, "sender": sender}
            added = f"ADD {expression.name('rooms')} {expression.value('rooms', {room})}"
            return [*expression.assignments(given), added]

        return self._update(connection, limit, changes)

    def sign_in(self, connection: Connection, account: Person, until: int) -> Connection:
        """Store the account that has signed in until a time in seconds since 1970, or its renewal.

        Returns the connection as it is if it has no row: it has been removed, perhaps by a sign-out everywhere. Raises
        FrameError `bad_request` if another account is signed in.
        """
        given = {"userId": account.user_id, "name": account.name, "sender": account.sender, "until": until}

        def changes(known: Connection, expression: Expression) -> list[str]:
            if known.user_id not in (None, account.user_id):
                raise other_account()
            return expression.assignments(given)

        return self._update(connection, None, changes, restore=False)

    def rename(self, connection: Connection, account: Person) -> Connection:
        """Store an account's new name if the connection is still signed in to it; return the connection."""
        given = {"name": account.name, "sender": account.sender}

        def changes(known: Connection, expression: Expression) -> list[str] | None:
            return expression.assignments(given) if known.user_id == account.user_id else None

        return self._update(connection, None, changes, restore=False)

    def open_private(self, connection: Connection, limit: RateLimit, room: str | None) -> Connection:
        """Make a private room the current one, which is not among the connection's rooms; None closes it.

        Raises FrameError `rate_limited`.
        """

        def changes(known: Connection, expression: Expression) -> list[str]:
            joined = expression.assignments({"joined": True})
            if room is not None:
                return [*joined, *expression.assignments({"room": room})]
            public = next(iter(sorted(known.rooms)), None) if known.joined else None
            if public is not None:
                return [*joined, *expression.assignments({"room": public})]
            return [*joined, f"REMOVE {expression.name('room')}"]

        return self._update(connection, limit, changes, restore=room is not None)

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
        limit: RateLimit | None,
        changes: Callable[[Connection, Expression], list[str] | None],
        *,
        restore: bool = True,
    ) -> Connection:
        """Count an action and apply changes in one conditional write; retry if other frames change the row.

        Without a limit nothing is counted; if `changes` returns None, nothing is written.
        """
        known = connection
        for _ in range(_MAX_TRIES):
            expression = Expression()
            sets, conditions = [], [_same_account(known, expression)]
            if limit is not None:
                tat = known.tats.get(limit.attribute, 0)
                if wait_ms := limit.wait_ms(tat, self._now_ms()):
                    raise errors.rate_limited(wait_ms)
                assignment, exact = limit.charge(expression, tat, self._now_ms())
                sets.append(assignment)
                conditions.insert(0, exact)
            parts = changes(known, expression) if known.stored or restore else None
            if parts is None:
                return known
            sets += (part for part in parts if not part.startswith(("ADD ", "DELETE ", "REMOVE ")))
            clauses = [part for part in parts if part.startswith(("ADD ", "DELETE ", "REMOVE "))]
            if known.stored:
                conditions.append(f"attribute_exists({expression.name('connectionId')})")
            else:
                sets += self._identity(known, expression, parts)
            update = " ".join([f"SET {', '.join(sets)}", *clauses])
            key = {"connectionId": known.connection_id}
            try:
                row = self._table.update(key, update, expression, condition=" AND ".join(conditions))
            except ConditionFailedError as failed:
                known = _from_row(failed.item, connection)
                continue
            return _from_row(row, connection)
        if limit is None:
            raise ConflictError
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


def _same_account(known: Connection, expression: Expression) -> str:
    """Return the condition that the row's account is the one that was read, so no guest's name gets its badge."""
    account = expression.name("userId")
    if known.user_id is None:
        return f"attribute_not_exists({account})"
    return f"{account} = {expression.value('knownUser', known.user_id)}"
