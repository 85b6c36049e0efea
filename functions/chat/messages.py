"""Storing a message once, at one place of its room's order. It knows no frame and no socket.

docs/decisions/0004 has the why. In the table of rooms stand, beside the rooms: `message#<id>`, which makes a send
idempotent, and `slot#<room>#<seq>`, which says who holds a place: a message, or nobody for ever (`closed`).
"""

import time
import uuid
from dataclasses import dataclass, replace
from typing import Any

from chat import connections, contention, rooms
from chat.clients import dynamodb, error_code, from_attributes, to_attributes
from chat.connections import Connection, iso, now_ms
from chat.limits import Limit
from chat.rooms import Room
from chat.settings import settings

SLOT_GRACE_SECONDS = 2 * 86400
"""Slots outlive their messages, so that a reader can tell an expired message from an empty place."""

_ABSENT = "attribute_not_exists(#room) OR expiresAt <= :now"
_TRIES = 10
_MARKER, _SLOT, _RATE = 1, 2, 3  # places in the transaction


@dataclass(frozen=True, slots=True)
class Message:
    """A stored message."""

    message_id: str
    timestamp: str
    room: str
    seq: int
    connection_id: str
    name: str
    text: str

    def frame(self) -> dict[str, Any]:
        """Return the `message` frame."""
        return {"type": "message", **self.fields()}

    def fields(self) -> dict[str, Any]:
        """Return what a frame tells of the message."""
        return {
            "messageId": self.message_id,
            "room": self.room,
            "seq": self.seq,
            "timestamp": self.timestamp,
            "message": self.text,
            "connectionId": self.connection_id,
            "name": self.name,
        }


@dataclass(frozen=True, slots=True)
class Stored:
    """A message's place. `first` is false for a repetition: the message is the one stored before."""

    message: Message
    room: Room
    first: bool
    newcomer: Connection | None = None
    """The sender, where it was no member and this frame made it one: no list of members shows it yet."""


def store(newcomer: Connection, text: str, message_id: str | None, limit: Limit, *, to: str | None = None) -> Stored:
    """Store a message and return it; a `message_id` stored before returns that message, whatever `text` is now.

    `to` is the room that it is for; left out, the one that its sender is in by now.
    Raises Refusal `rate_limited`, and the client's errors where DynamoDB fails: then nothing was acknowledged, and the
    same id may be sent again.
    """
    row, marker = _read_sender(newcomer.connection_id, message_id)
    sender = connections.from_row(row, newcomer)
    if to is not None:
        sender = replace(sender, room=to)
    if marker:
        return _repeated(sender, marker, limit)
    ahead = connections.is_ahead(row, limit)
    unlisted = None if connections.is_member(row) else sender
    message_id = message_id or str(uuid.uuid4())
    room: Room | None = None
    for attempt in range(_TRIES):
        room = room or rooms.next_seq(sender.room)
        message = Message(
            message_id, iso(now_ms()), sender.room, room.last_seq, sender.connection_id, sender.name, text
        )
        refused = _write(message, sender, limit, ahead=ahead)
        if not refused:
            return Stored(message, room, first=True, newcomer=unlisted)
        if _is_taken(refused[_MARKER]):
            marker = _read_sender(newcomer.connection_id, message_id)[1]
            if marker.get("seq") == message.seq and marker.get("messageRoom") == message.room:
                return Stored(message, room, first=True, newcomer=unlisted)  # our own write, whose answer was lost
            return _repeated(sender, marker, limit)
        if _is_taken(refused[_SLOT]):
            room = None  # a reader closed the place in between: take another
        elif _is_taken(refused[_RATE]):
            ahead = connections.is_ahead(from_attributes(refused[_RATE].get("Item", {})), limit)
        else:
            contention.pause(attempt)  # another frame of the same connection
    raise TimeoutError(f"a message was not stored in {_TRIES} tries")


def _read_sender(connection_id: str, message_id: str | None) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the sender's row and the marker of the message, if it was sent before: one round trip."""
    at = settings()
    keys = {at.connections_table: {"connectionId": connection_id}}
    if message_id is not None:
        keys[at.rooms_table] = {"room": f"message#{message_id}"}
    found = batch_get({table: [key] for table, key in keys.items()})
    marker = next(iter(found.get(at.rooms_table, [])), {})
    if marker and 0 < marker.get("expiresAt", 0) <= time.time():
        marker = {}
    return next(iter(found.get(at.connections_table, [])), {}), marker


def batch_get(keys: dict[str, list[dict[str, Any]]]) -> dict[str, list[dict[str, Any]]]:
    """Return the items with these keys (at most 100 in all) by table, read consistently."""
    found: dict[str, list[dict[str, Any]]] = {table: [] for table in keys}
    wanted: Any = {
        table: {"Keys": [to_attributes(key) for key in some], "ConsistentRead": True} for table, some in keys.items()
    }
    for attempt in range(_TRIES):
        answer = dynamodb().batch_get_item(RequestItems=wanted)
        for table, items in answer["Responses"].items():
            found[table] += [from_attributes(item) for item in items]
        wanted = answer.get("UnprocessedKeys")
        if not wanted:
            return found
        contention.pause(attempt)
    raise TimeoutError("DynamoDB left keys unprocessed")


def _repeated(sender: Connection, marker: dict[str, Any], limit: Limit) -> Stored:
    """Return the message that was stored under this id before. A repetition counts against the limit as well."""
    connections.act(sender, limit)
    at = settings()
    found = batch_get(
        {
            at.messages_table: [{"messageId": marker["messageId"], "timestamp": marker["timestamp"]}],
            at.rooms_table: [{"room": marker["messageRoom"]}],
        },
    )
    if not found[at.messages_table]:
        raise LookupError("a marker without its message")
    room = rooms.from_row(marker["messageRoom"], next(iter(found[at.rooms_table]), {}))
    return Stored(from_row(found[at.messages_table][0]), room, first=False)


def is_kept(row: dict[str, Any]) -> bool:
    """Tell whether a row has not expired; DynamoDB deletes within days, not at once."""
    return "expiresAt" not in row or row["expiresAt"] > time.time()


def from_row(row: dict[str, Any]) -> Message:
    """Return a row's message."""
    return Message(
        message_id=row["messageId"],
        timestamp=row["timestamp"],
        room=row["room"],
        seq=row["seq"],
        connection_id=row["connectionId"],
        name=row["name"],
        text=row["message"],
    )


def slot_key(room: str, seq: int) -> str:
    """Return the key of a place in a room's order. A room's own name holds no `#`."""
    return f"slot#{room}#{seq}"


def expiry(extra_seconds: int = 0) -> int | None:
    """Return when what is written now expires, in seconds since 1970; None: never."""
    retention = settings().retention_seconds
    return int(time.time()) + retention + extra_seconds if retention else None


def _is_taken(reason: dict[str, Any]) -> bool:
    """Tell whether a part of a transaction was refused by its own condition."""
    return reason.get("Code") == "ConditionalCheckFailed"


def _write(message: Message, sender: Connection, limit: Limit, *, ahead: bool) -> list[dict[str, Any]]:
    """Write everything of a message or nothing; return an empty list, or why each part was refused."""
    at = settings()
    rate = connections.rate_update(limit, now_ms(), ahead=ahead)
    expires_at = expiry()
    row = {**message.fields(), "expiresAt": expires_at}
    marker = {
        "room": f"message#{message.message_id}",
        "messageId": message.message_id,
        "timestamp": message.timestamp,
        "messageRoom": message.room,
        "seq": message.seq,
        "expiresAt": expires_at,
    }
    slot = {
        "room": slot_key(message.room, message.seq),
        "messageId": message.message_id,
        "timestamp": message.timestamp,
        "expiresAt": expiry(SLOT_GRACE_SECONDS),
    }
    absent = {
        "ConditionExpression": _ABSENT,
        "ExpressionAttributeNames": {"#room": "room"},
        "ExpressionAttributeValues": to_attributes({":now": int(time.time())}),
    }
    newcomers = {
        "room": sender.room,
        "name": sender.name,
        "timestamp": sender.timestamp,
        "expiresAt": sender.expires_at,
    }
    seen: Any = {
        "TableName": at.connections_table,
        "Key": to_attributes({"connectionId": sender.connection_id}),
        "UpdateExpression": "SET "
        + ", ".join([rate.assignment, *(f"#{field} = if_not_exists(#{field}, :{field})" for field in newcomers)]),
        "ConditionExpression": rate.condition,
        "ExpressionAttributeNames": {"#tat": limit.attribute, **{f"#{field}": field for field in newcomers}},
        "ExpressionAttributeValues": to_attributes(
            {**rate.values, **{f":{field}": value for field, value in newcomers.items()}},
        ),
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }
    parts: Any = [
        {"Put": {"TableName": at.messages_table, "Item": to_attributes(row)}},
        {"Put": {"TableName": at.rooms_table, "Item": to_attributes(marker), **absent}},
        {"Put": {"TableName": at.rooms_table, "Item": to_attributes(slot), **absent}},
        {"Update": seen},
    ]
    try:
        # The token makes the client's own retry of an unanswered request the same request.
        dynamodb().transact_write_items(TransactItems=parts, ClientRequestToken=str(uuid.uuid4()))
    except Exception as error:
        code = error_code(error)
        if code == "TransactionCanceledException":
            return getattr(error, "response", {}).get("CancellationReasons") or [{}] * len(parts)
        if code == "TransactionConflictException":
            return [{}] * len(parts)
        raise
    return []
