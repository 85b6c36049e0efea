"""Opens the three tables of a deployment."""

from collections.abc import Callable, MutableMapping
from functools import cached_property
from typing import TYPE_CHECKING

from chat.store.allowances import Allowances, Seen
from chat.store.append import Append, Concurrently
from chat.store.connections import Connections
from chat.store.dynamodb import Table
from chat.store.members import Members
from chat.store.message_rows import MessageRows
from chat.store.room_log import RoomLog

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

    from chat.store.accounts import Accounts
    from chat.store.invitations import Invitations
    from chat.store.listings import Listings
    from chat.store.private_rooms import PrivateRooms


class Store:
    """The store: the three tables by kind of item. What only accounts need is imported on first use."""

    def __init__(  # noqa: PLR0913 - the kinds of items
        self,
        *,
        connections: Connections,
        members: Members,
        log: RoomLog,
        rows: MessageRows,
        append: Append,
        allowances: Allowances,
        rooms_table: Table,
        now_ms: Callable[[], int],
    ) -> None:
        self.connections = connections
        self.members = members
        self.log = log
        self.rows = rows
        self.append = append
        self.allowances = allowances
        self._rooms_table = rooms_table
        self._now_ms = now_ms

    @cached_property
    def accounts(self) -> "Accounts":
        """The accounts."""
        from chat.store.accounts import Accounts  # noqa: PLC0415 - a chat without accounts does without

        return Accounts(self._rooms_table, self._now_ms)

    @cached_property
    def private_rooms(self) -> "PrivateRooms":
        """The private rooms and direct conversations."""
        from chat.store.private_rooms import PrivateRooms  # noqa: PLC0415 - a chat without accounts does without

        return PrivateRooms(self._rooms_table, self._now_ms)

    @cached_property
    def invitations(self) -> "Invitations":
        """The invitations by link."""
        from chat.store.invitations import Invitations  # noqa: PLC0415 - a chat without accounts does without

        return Invitations(self._rooms_table, self._now_ms)

    @cached_property
    def listings(self) -> "Listings":
        """What each account has: its rooms, invitations by name, blocked accounts."""
        from chat.store.listings import Listings  # noqa: PLC0415 - a chat without accounts does without

        return Listings(self._rooms_table, self._now_ms)


def open_tables(  # noqa: PLR0913 - a deployment's settings
    client: "DynamoDBClient",
    *,
    connections: str,
    messages: str,
    rooms: str,
    retention_seconds: int,
    now_ms: Callable[[], int],
    sleep: Callable[[float], None],
    concurrently: Concurrently,
    address_allowances: int,
    seen_allowances: MutableMapping[str, Seen],
) -> Store:
    """Return the store for the given tables. `retention_seconds` 0 keeps messages for ever.

    An address has `address_allowances` times the allowance of one connection; `seen_allowances` is the container's
    cache of allowance states. `sleep` pauses between tries, in seconds.
    """
    rooms_table = Table(client, rooms, sleep)
    log = RoomLog(rooms_table, now_ms, retention_seconds)
    rows = MessageRows(Table(client, messages, sleep), now_ms, retention_seconds)
    return Store(
        connections=Connections(Table(client, connections, sleep), now_ms),
        members=Members(rooms_table, now_ms),
        log=log,
        rows=rows,
        append=Append(rows, log, concurrently),
        allowances=Allowances(rooms_table, now_ms, address_allowances, seen_allowances),
        rooms_table=rooms_table,
        now_ms=now_ms,
    )
