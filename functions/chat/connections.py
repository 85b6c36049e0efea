"""The table ActiveConnections: who is connected, in which room, under which name. It knows no frame and no socket."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from chat.clients import dynamodb, from_attributes, is_condition_failure, to_attributes
from chat.contention import insist
from chat.limits import Limit
from chat.refusal import rate_limited
from chat.settings import CONNECTION_SECONDS, DEFAULT_ROOM, settings

BY_ROOM = "by-room"
OPENING_MS = 5000
"""For so long after `$connect` a socket may not be open yet, and a post to it be answered by 410."""

_RATE_TRIES = 4
_NEVER = 2**40  # a row put there by hand


@dataclass(frozen=True, slots=True)
class Connection:
    """One socket. `joined_by_frame` is false for one that has only connected: nobody was told of it."""

    connection_id: str
    room: str
    name: str
    timestamp: str
    expires_at: int
    joined_by_frame: bool = False


@dataclass(frozen=True, slots=True)
class Member:
    """What others may know of a connection."""

    connection_id: str
    name: str
    expires_at: int

    @property
    def may_be_opening(self) -> bool:
        """Tell whether its socket may not be open yet."""
        return _age_ms(self.expires_at) < OPENING_MS


def now_ms() -> int:
    """Return the time in milliseconds since 1970."""
    return time.time_ns() // 1_000_000


def iso(at_ms: int) -> str:
    """Return a time as ISO 8601 in UTC, to the millisecond."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def age_ms(connection: Connection) -> int:
    """Return how long ago a connection was made."""
    return _age_ms(connection.expires_at)


def _age_ms(expires_at: int) -> int:
    return now_ms() - (expires_at - CONNECTION_SECONDS) * 1000


def newcomer(connection_id: str, connected_ms: int) -> Connection:
    """Return a connection as it is before its first frame: in the lobby, under the first 8 characters of its id."""
    return Connection(
        connection_id=connection_id,
        room=DEFAULT_ROOM,
        name=connection_id[:8],
        timestamp=iso(connected_ms),
        expires_at=connected_ms // 1000 + CONNECTION_SECONDS,
    )


def from_row(row: dict[str, Any], otherwise: Connection) -> Connection:
    """Return a row's connection; what the row lacks (one that a late frame made anew) is a newcomer's."""
    return Connection(
        connection_id=otherwise.connection_id,
        room=row.get("room", otherwise.room),
        name=row.get("name", otherwise.name),
        timestamp=row.get("timestamp", otherwise.timestamp),
        expires_at=row.get("expiresAt", otherwise.expires_at),
        joined_by_frame=row.get("joined", False),
    )


def put(connection: Connection) -> None:
    """Store a connection that has just been made.

    A copy of this write that arrives late (botocore sends it again after a timeout) takes nobody out of a room.
    """
    try:
        dynamodb().put_item(
            TableName=settings().connections_table,
            Item=_row(connection),
            ConditionExpression="attribute_not_exists(joined)",
        )
    except Exception as error:
        if not is_condition_failure(error):
            raise


def _row(connection: Connection) -> dict[str, Any]:
    return to_attributes(
        {
            "connectionId": connection.connection_id,
            "timestamp": connection.timestamp,
            "room": connection.room,
            "name": connection.name,
            "expiresAt": connection.expires_at,
        },
    )


def remove(connection_id: str) -> Connection | None:
    """Delete a connection; return it, or None where it was no member (any more), so that it is told of once."""
    answer = insist(
        lambda: dynamodb().delete_item(
            TableName=settings().connections_table,
            Key=to_attributes({"connectionId": connection_id}),
            ReturnValues="ALL_OLD",
        ),
    )
    row = from_attributes(answer.get("Attributes", {}))
    return from_row(row, newcomer(connection_id, 0)) if is_member(row) else None


def is_member(row: dict[str, Any]) -> bool:
    """Tell whether a row is in a room. One that a late frame made only counts what its connection does."""
    return "room" in row


def act(connection: Connection, limit: Limit) -> Connection:
    """Count an action against its limit and return the connection as stored.

    `connection` is what the connection is if it has no row; it is made no member by this, as its frame may be late and
    its socket gone. Raises Refusal `rate_limited`.
    """
    old, new = _update(connection, limit, {})
    return old or new


def move(connection: Connection, limit: Limit, room: str, name: str | None) -> tuple[Connection | None, Connection]:
    """Put a connection into a room, under a new name if one is given; return it as it was (None: unknown) and is.

    Raises Refusal `rate_limited`.
    """
    changes: dict[str, Any] = {"room": room, "joined": True}
    if name is not None:
        changes["name"] = name
    return _update(connection, limit, changes)


def _update(connection: Connection, limit: Limit, changes: dict[str, Any]) -> tuple[Connection | None, Connection]:
    newcomers = {"timestamp": connection.timestamp, "expiresAt": connection.expires_at}
    if changes:
        newcomers["name"] = connection.name
    names = {"#tat": limit.attribute}
    values: dict[str, Any] = {}
    sets = []
    for field, value in {**newcomers, **changes}.items():
        names[f"#{field}"] = field
        values[f":{field}"] = value
        sets.append(f"#{field} = " + (f":{field}" if field in changes else f"if_not_exists(#{field}, :{field})"))
    ahead = False
    for _ in range(_RATE_TRIES):
        rate = rate_update(limit, now_ms(), ahead=ahead)
        update: Any = {
            "TableName": settings().connections_table,
            "Key": to_attributes({"connectionId": connection.connection_id}),
            "UpdateExpression": "SET " + ", ".join([rate.assignment, *sets]),
            "ConditionExpression": rate.condition,
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": to_attributes({**values, **rate.values}),
            "ReturnValues": "ALL_OLD",
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        try:
            answer = insist(lambda: dynamodb().update_item(**update))  # noqa: B023 - called within this turn
        except Exception as error:
            if not is_condition_failure(error):
                raise
            ahead = is_ahead(from_attributes(getattr(error, "response", {}).get("Item", {})), limit)
            continue
        row = from_attributes(answer.get("Attributes", {}))
        known = from_row(row, connection) if is_member(row) else None
        return known, replace(
            known or connection,
            **{field: changes[field] for field in ("room", "name") if field in changes},
            joined_by_frame=True if changes else (known or connection).joined_by_frame,
        )
    raise rate_limited(limit.interval_ms)


@dataclass(frozen=True, slots=True)
class RateUpdate:
    """How a limit's state is carried on: exact also for two frames at once, since each form has its condition."""

    assignment: str
    condition: str
    values: dict[str, int]


def rate_update(limit: Limit, at_ms: int, *, ahead: bool) -> RateUpdate:
    """Return the update of `#tat`: counted on from the state if that runs ahead of the clock, else from now."""
    if ahead:
        return RateUpdate(
            "#tat = #tat + :interval",
            "#tat > :now AND #tat <= :bound",
            {":interval": limit.interval_ms, ":now": at_ms, ":bound": at_ms + limit.tolerance_ms},
        )
    return RateUpdate(
        "#tat = :next",
        "attribute_not_exists(#tat) OR #tat <= :now",
        {":next": at_ms + limit.interval_ms, ":now": at_ms},
    )


def is_ahead(row: dict[str, Any], limit: Limit) -> bool:
    """Tell whether a row's state runs ahead of the clock. Raises Refusal `rate_limited` where it is too far ahead."""
    tat = row.get(limit.attribute, 0)
    wait = limit.wait_ms(tat, now_ms())
    if wait:
        raise rate_limited(wait)
    return tat > now_ms()


def members(room: str) -> Iterator[Member]:
    """Yield a room's members as its pages (1 MB each) come in; expired ones, not deleted yet, are left out."""
    query: dict[str, Any] = {
        "TableName": settings().connections_table,
        "IndexName": BY_ROOM,
        "KeyConditionExpression": "#room = :room",
        "ExpressionAttributeNames": {"#room": "room", "#name": "name"},
        "ExpressionAttributeValues": to_attributes({":room": room}),
        "ProjectionExpression": "connectionId, #name, expiresAt",
    }
    while True:
        page = dynamodb().query(**query)
        now = time.time()
        for row in map(from_attributes, page["Items"]):
            expires_at = row.get("expiresAt", _NEVER)
            if expires_at > now:
                yield Member(row["connectionId"], row.get("name", row["connectionId"][:8]), expires_at)
        if "LastEvaluatedKey" not in page:
            return
        query["ExclusiveStartKey"] = page["LastEvaluatedKey"]
