"""Opens the three tables of a deployment."""

from collections.abc import Callable, MutableMapping
from typing import TYPE_CHECKING, NamedTuple

from chat.store.allowances import Allowances, Seen
from chat.store.append import Append, Concurrently
from chat.store.connections import Connections
from chat.store.dynamodb import Table
from chat.store.members import Members
from chat.store.message_rows import MessageRows
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


def open_tables(  # noqa: PLR0913 - a deployment's settings
    client: "DynamoDBClient",
    *,
    connections: str,
    messages: str,
    rooms: str,
    retention_seconds: int,
    now_ms: Callable[[], int],
    concurrently: Concurrently,
    address_allowances: int,
    seen_allowances: MutableMapping[str, Seen],
) -> Store:
    """Return the store for the given tables. `retention_seconds` 0 keeps messages for ever.

    An address has `address_allowances` times the allowance of one connection; `seen_allowances` is the container's
    cache of allowance states.
    """
    rooms_table = Table(client, rooms)
    log = RoomLog(rooms_table, now_ms, retention_seconds)
    rows = MessageRows(Table(client, messages), now_ms, retention_seconds)
    return Store(
        connections=Connections(Table(client, connections), now_ms),
        members=Members(rooms_table, now_ms),
        log=log,
        rows=rows,
        append=Append(rows, log, concurrently),
        allowances=Allowances(rooms_table, now_ms, address_allowances, seen_allowances),
    )
