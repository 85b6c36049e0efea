"""Opens the three tables of a deployment."""

from collections.abc import Callable, MutableMapping
from typing import TYPE_CHECKING, NamedTuple

from chat.store.accounts import Accounts
from chat.store.allowances import Allowances, Seen
from chat.store.append import Append, Concurrently
from chat.store.connections import Connections
from chat.store.dynamodb import Table
from chat.store.invitations import Invitations
from chat.store.listings import Listings
from chat.store.members import Members
from chat.store.message_rows import MessageRows
from chat.store.private_rooms import PrivateRooms
from chat.store.room_log import RoomLog

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient


class Store(NamedTuple):
    """The store: the three tables by kind of item."""

    connections: Connections
    members: Members
    log: RoomLog
    rows: MessageRows
    append: Append
    allowances: Allowances
    accounts: Accounts
    private_rooms: PrivateRooms
    invitations: Invitations
    listings: Listings


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
        accounts=Accounts(rooms_table, now_ms),
        private_rooms=PrivateRooms(rooms_table, now_ms),
        invitations=Invitations(rooms_table, now_ms),
        listings=Listings(rooms_table, now_ms),
    )
