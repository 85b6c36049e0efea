"""What was said in a room: the newest, older pages, and all since a seq. It knows no frame and no socket.

Reading closes holes: a place that nobody holds, below one that is held, is put out of use, so that whoever was told
"it is empty" never misses a message that comes late (docs/decisions/0004).
"""

import time
from dataclasses import dataclass, replace
from typing import Any

from chat import messages
from chat.clients import dynamodb, from_attributes, is_condition_failure, to_attributes
from chat.contention import insist
from chat.messages import Message
from chat.rooms import Room
from chat.settings import settings

BY_ROOM_SEQ = "by-room-seq"
MAX_LOOKED_UP = 100
"""How many places of one reading are looked up one by one (the bound of a BatchGetItem)."""


@dataclass(frozen=True, slots=True)
class Page:
    """Messages by rising seq. `complete` is false where there are more; `lost` where some are no longer kept."""

    messages: list[Message]
    complete: bool
    lost: bool = False


def newest(room: Room, limit: int) -> Page:
    """Return a room's newest messages, those too that the index does not show yet."""
    page = before(room.name, None, limit)
    highest = page.messages[-1].seq if page.messages else 0
    if room.last_seq <= highest:
        return page
    late = _held(room, range(max(highest, room.last_seq - MAX_LOOKED_UP) + 1, room.last_seq + 1)).messages
    merged = page.messages + late
    return Page(merged[-limit:], page.complete and len(merged) <= limit)


def before(room: str, seq: int | None, limit: int) -> Page:
    """Return the page of messages that ends before `seq` (None: the newest)."""
    rows, more = _query(room, 0, seq, limit, forward=False)
    kept = [messages.from_row(row) for row in rows if messages.is_kept(row)]
    return Page(kept[::-1], complete=not more)


def after(room: Room, seq: int, end: int | None, limit: int) -> Page:
    """Return the page of messages that follows `seq` (and ends before `end`), with every hole in it closed."""
    if seq > room.last_seq:  # counted in another life of this room
        page = after(room, 0, end, limit)
        return Page(page.messages, page.complete, lost=True)
    rows, more = _query(room.name, seq, end, limit, forward=True)
    found = {row["seq"]: messages.from_row(row) for row in rows if messages.is_kept(row)}
    gone = {row["seq"] for row in rows if not messages.is_kept(row)}
    lost = bool(gone)
    if not more:
        highest = max([seq, *found, *gone])
        end_of_room = min(room.last_seq, end - 1) if end is not None else room.last_seq
        tip = _held(room, range(max(highest, end_of_room - MAX_LOOKED_UP) + 1, end_of_room + 1))
        found.update((message.seq, message) for message in tip.messages)
        lost = lost or tip.lost
    if not found:
        return Page([], complete=not more, lost=lost or (room.last_seq > seq and _may_be_forgotten(room, seq)))
    holes = [place for place in range(seq + 1, max(found)) if place not in found and place not in gone]
    leading = [place for place in holes if place < min(found)]
    if leading and _may_be_forgotten(room, seq):
        closed = _close(room, leading[-MAX_LOOKED_UP:], forgotten=True)
        holes = holes[len(leading) :]
        found.update((message.seq, message) for message in closed.messages)
        lost = lost or closed.lost or len(leading) > MAX_LOOKED_UP
    late = _close(room, holes[:MAX_LOOKED_UP], forgotten=False)
    found.update((message.seq, message) for message in late.messages)
    lost = lost or late.lost
    if len(holes) > MAX_LOOKED_UP:  # what follows is asked for again
        more = True
        found = {place: message for place, message in found.items() if place < holes[MAX_LOOKED_UP]}
        if not found:
            rest = after(room, holes[MAX_LOOKED_UP - 1], end, limit)
            return replace(rest, lost=lost or rest.lost)
    ordered = [found[place] for place in sorted(found)]
    return Page(ordered[:limit], complete=not more and len(ordered) <= limit, lost=lost)


def _query(room: str, low: int, end: int | None, limit: int, *, forward: bool) -> tuple[list[dict[str, Any]], bool]:
    """Return up to `limit` kept rows between `low` and `end`, both exclusive, and whether there are more.

    Expired rows come along where `forward`, since a reader must hear of them.
    """
    if end is not None and end <= low + 1:
        return [], False
    query: dict[str, Any] = {
        "TableName": settings().messages_table,
        "IndexName": BY_ROOM_SEQ,
        "KeyConditionExpression": "#room = :room AND seq BETWEEN :first AND :last",
        "ExpressionAttributeNames": {"#room": "room"},
        "ExpressionAttributeValues": to_attributes(
            {":room": room, ":first": low + 1, ":last": 2**53 if end is None else end - 1},
        ),
        "ScanIndexForward": forward,
        "Limit": limit + 1,
    }
    rows: list[dict[str, Any]] = []
    kept = 0
    while True:
        page = dynamodb().query(**query)
        for typed in page["Items"]:
            row = from_attributes(typed)
            if messages.is_kept(row):
                if kept == limit:
                    return rows, True
                kept += 1
                rows.append(row)
            elif forward:
                rows.append(row)
        if "LastEvaluatedKey" not in page:
            return rows, False
        query["ExclusiveStartKey"] = page["LastEvaluatedKey"]
        query.pop("Limit", None)  # many have expired and are not deleted yet: get past them by the megabyte


def _held(room: Room, places: range) -> Page:
    """Return the messages that hold these places, read consistently; a place that nobody holds yet stays open."""
    slots = _slots(room.name, list(places))
    return _messages_of([slot for slot in slots.values() if "messageId" in slot])


def _close(room: Room, holes: list[int], *, forgotten: bool) -> Page:
    """Close these holes for ever; return the messages that turn out to hold one, and whether one was lost.

    `forgotten` says that a message may have expired there together with its slot. A place closed in that doubt keeps
    it, so that the next reader is told as well.
    """
    slots = _slots(room.name, holes)
    held = [slots.get(seq) or _put_closed(room.name, seq, forgotten=forgotten) for seq in holes]
    page = _messages_of([slot for slot in held if "messageId" in slot])
    return Page(page.messages, complete=True, lost=page.lost or any(slot.get("forgotten") for slot in held))


def _put_closed(room: str, seq: int, *, forgotten: bool) -> dict[str, Any]:
    """Close a place; return its slot: the closed one, or that of whoever was faster."""
    closed = {"room": messages.slot_key(room, seq), "closed": True, "forgotten": forgotten or None}
    write: Any = {
        "TableName": settings().rooms_table,
        "Item": to_attributes({**closed, "expiresAt": messages.expiry(messages.SLOT_GRACE_SECONDS)}),
        "ConditionExpression": "attribute_not_exists(#room)",
        "ExpressionAttributeNames": {"#room": "room"},
    }
    try:
        insist(lambda: dynamodb().put_item(**write))
    except Exception as error:
        if not is_condition_failure(error):
            raise
        return _slots(room, [seq]).get(seq, closed)
    return closed


def _slots(room: str, places: list[int]) -> dict[int, dict[str, Any]]:
    if not places:
        return {}
    table = settings().rooms_table
    found = messages.batch_get({table: [{"room": messages.slot_key(room, seq)} for seq in places]})
    return {int(slot["room"].rpartition("#")[2]): slot for slot in found[table]}


def _messages_of(slots: list[dict[str, Any]]) -> Page:
    """Return the messages that slots name; one that is no longer kept is lost."""
    if not slots:
        return Page([], complete=True)
    table = settings().messages_table
    keys = [{"messageId": slot["messageId"], "timestamp": slot["timestamp"]} for slot in slots]
    rows = [row for row in messages.batch_get({table: keys})[table] if messages.is_kept(row)]
    return Page(
        sorted((messages.from_row(row) for row in rows), key=lambda message: message.seq),
        complete=True,
        lost=len(rows) < len(slots),
    )


def _may_have_expired(at_ms: int) -> bool:
    retention = settings().retention_seconds
    return bool(retention) and at_ms / 1000 + retention < time.time()


def _may_be_forgotten(room: Room, seq: int) -> bool:
    """Tell whether messages after `seq` may have expired with their very slots: unless an older one is still kept."""
    return _may_have_expired(room.created_ms) and not _query(room.name, 0, seq + 1, 1, forward=False)[0]
