"""The table of rooms: each room's order, and its latest changes of members. It knows no message."""

import json
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from chat import connections
from chat.clients import dynamodb, from_attributes, is_condition_failure, to_attributes
from chat.connections import Connection, Member, iso, now_ms
from chat.frames import pong
from chat.settings import settings

INDEX_LAG_MS = 2000
"""For so long after a change of members an index may still show the list as it was."""

CHANGES_KEPT = 8
"""How many of the latest changes of members a room's row holds; all of them weigh less than a kilobyte as a rule."""

COUNT_EVERY_MS = 10_000
"""How often a big room hears of its count, at the most."""


@dataclass(frozen=True, slots=True)
class Room:
    """A room as one write or read saw it. Times are in milliseconds since 1970; 0: never.

    `changes` are the members that came (or have a new name) and those that left (None) within INDEX_LAG_MS, by
    connection id: what the index may not show yet. Whoever gives out a seq reads them with it.
    """

    name: str
    last_seq: int = 0
    created_ms: int = 0
    members_version: int = 0
    members_ms: int = 0
    changes: Mapping[str, Member | None] = field(default_factory=dict)

    def pong(self) -> dict[str, Any]:
        """Return the frame that tells the room's newest seq."""
        return pong(self.name, self.last_seq, iso(now_ms()))


def from_row(name: str, row: dict[str, Any]) -> Room:
    """Return a row's room; an empty row's is one that nobody has been in."""
    return Room(
        name=name,
        last_seq=row.get("lastSeq", 0),
        created_ms=row.get("createdAt", 0),
        members_version=row.get("membersVersion", 0),
        members_ms=row.get("membersAt", 0),
        changes=_changes(row),
    )


def _changes(row: dict[str, Any]) -> dict[str, Member | None]:
    changes: dict[str, Member | None] = {}
    for place in range(CHANGES_KEPT):
        at_ms, connection_id, name, expires_at = json.loads(row.get(f"change{place}", '[0, "", "", 0]'))
        if at_ms > now_ms() - INDEX_LAG_MS:
            changes[connection_id] = Member(connection_id, name, expires_at) if expires_at else None
    return changes


def read(name: str) -> Room:
    """Return a room as it is now."""
    answer = dynamodb().get_item(
        TableName=settings().rooms_table,
        Key=to_attributes({"room": name}),
        ConsistentRead=True,
    )
    return from_row(name, from_attributes(answer.get("Item", {})))


def next_seq(name: str) -> Room:
    """Give out the next place in a room's order: `last_seq` of what is returned, given to nobody else."""
    return _change(name, {}, add="lastSeq")


def member_came(name: str, who: Connection) -> Room:
    """Note a member that joined or has a new name, which makes every kept list of the room's members stale."""
    return members_changed(name, {who.connection_id: Member(who.connection_id, who.name, who.expires_at)})


def members_left(name: str, who: Iterable[Connection]) -> Room:
    """Note members that left."""
    return members_changed(name, {one.connection_id: None for one in who})


def members_changed(name: str, changes: Mapping[str, Member | None]) -> Room:
    """Note changes of members (None: left) and return the room with all of them, even with more than it keeps."""
    now = now_ms()
    values: dict[str, Any] = {"membersAt": now}
    for connection_id, member in changes.items():
        # Each connection has a place of its own, mostly: its last change replaces the one before.
        place = zlib.crc32(connection_id.encode()) % CHANGES_KEPT
        told = ("", 0) if member is None else (member.name, member.expires_at)
        values[f"change{place}"] = json.dumps([now, connection_id, *told], ensure_ascii=False, separators=(",", ":"))
    room = _change(name, values, add="membersVersion")
    return replace(room, changes={**room.changes, **changes})


def _change(name: str, values: dict[str, Any], *, add: str) -> Room:
    sets = [f"{attribute} = :{attribute}" for attribute in values]
    answer = dynamodb().update_item(
        TableName=settings().rooms_table,
        Key=to_attributes({"room": name}),
        UpdateExpression=f"SET {', '.join(['createdAt = if_not_exists(createdAt, :now)', *sets])} ADD {add} :one",
        ExpressionAttributeValues=to_attributes(
            {":now": now_ms(), ":one": 1, **{f":{attribute}": value for attribute, value in values.items()}},
        ),
        ReturnValues="ALL_NEW",
    )
    return from_row(name, from_attributes(answer["Attributes"]))


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
    """Yield a room's members as of `room`: its latest changes first, then those that the index shows."""
    now = now_ms() // 1000
    yield from (member for member in room.changes.values() if member is not None and member.expires_at > now)
    yield from (member for member in _indexed(room) if member.connection_id not in room.changes)


def _indexed(room: Room) -> Iterator[Member]:
    """Yield the members that the index shows; they are read anew only once they have changed.

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
