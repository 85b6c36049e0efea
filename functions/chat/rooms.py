"""The table of rooms: each room's order, and a count of its changes of members. It knows no message."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from chat import connections
from chat.clients import dynamodb, from_attributes, is_condition_failure, to_attributes
from chat.connections import Member, iso, now_ms
from chat.frames import pong
from chat.settings import settings

INDEX_LAG_MS = 2000
"""For so long after a change of members an index may still show the list as it was."""

COUNT_EVERY_MS = 10_000
"""How often a big room hears of its count, at the most."""


@dataclass(frozen=True, slots=True)
class Room:
    """A room as one write or read saw it. Times are in milliseconds since 1970; 0: never."""

    name: str
    last_seq: int = 0
    created_ms: int = 0
    last_seq_ms: int = 0
    members_version: int = 0
    members_ms: int = 0

    def pong(self) -> dict[str, Any]:
        """Return the frame that tells the room's newest seq."""
        return pong(self.name, self.last_seq, iso(now_ms()))


def _room(name: str, typed: dict[str, Any]) -> Room:
    row = from_attributes(typed)
    return Room(
        name=name,
        last_seq=row.get("lastSeq", 0),
        created_ms=row.get("createdAt", 0),
        last_seq_ms=row.get("lastSeqAt", 0),
        members_version=row.get("membersVersion", 0),
        members_ms=row.get("membersAt", 0),
    )


def read(name: str) -> Room:
    """Return a room as it is now."""
    answer = dynamodb().get_item(
        TableName=settings().rooms_table,
        Key=to_attributes({"room": name}),
        ConsistentRead=True,
    )
    return _room(name, answer.get("Item", {}))


def next_seq(name: str) -> Room:
    """Give out the next place in a room's order: `last_seq` of what is returned, given to nobody else."""
    return _change(name, add="lastSeq", at="lastSeqAt")


def members_changed(name: str) -> Room:
    """Note that a room's members are others now, which makes every kept list of them stale."""
    return _change(name, add="membersVersion", at="membersAt")


def _change(name: str, *, add: str, at: str) -> Room:
    answer = dynamodb().update_item(
        TableName=settings().rooms_table,
        Key=to_attributes({"room": name}),
        UpdateExpression=f"SET {at} = :now, createdAt = if_not_exists(createdAt, :now) ADD {add} :one",
        ExpressionAttributeValues=to_attributes({":now": now_ms(), ":one": 1}),
        ReturnValues="ALL_NEW",
    )
    return _room(name, answer["Attributes"])


def may_tell_count(name: str) -> bool:
    """Tell whether a big room is due to hear its count; true for one caller each 10 s."""
    now = now_ms()
    try:
        dynamodb().update_item(
            TableName=settings().rooms_table,
            Key=to_attributes({"room": name}),
            UpdateExpression="SET countAt = :now",
            ConditionExpression="attribute_not_exists(countAt) OR countAt <= :due",
            ExpressionAttributeValues=to_attributes({":now": now, ":due": now - COUNT_EVERY_MS}),
        )
    except Exception as error:
        if is_condition_failure(error):
            return False
        raise
    return True


@dataclass(frozen=True, slots=True)
class _Roster:
    version: int
    members: tuple[Member, ...]


_rosters: dict[str, _Roster] = {}
_MAX_ROSTERS = 64


def members(room: Room) -> Iterator[Member]:
    """Yield a room's members; the list is read anew only once it has changed.

    A list read while the index may lag behind the last change is used, but not kept.
    """
    kept = _rosters.get(room.name)
    if kept is not None and kept.version == room.members_version:
        now = now_ms() // 1000
        yield from (member for member in kept.members if member.expires_at > now)
        return
    settled = now_ms() > room.members_ms + INDEX_LAG_MS
    read_now = []
    for member in connections.members(room.name):
        read_now.append(member)
        yield member
    if settled:
        if len(_rosters) >= _MAX_ROSTERS:
            _rosters.pop(next(iter(_rosters)))
        _rosters[room.name] = _Roster(room.members_version, tuple(read_now))
