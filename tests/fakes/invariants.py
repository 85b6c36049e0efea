"""Invariants of the tables, at any moment and at rest.

    broken_logs(dynamodb)                         # at any moment; returns the violations in words
    broken_private_rooms(dynamodb)                # at any moment
    broken_memberships(dynamodb, open_sockets)    # once no function is running and gone connections are deleted

A room's log has no gaps and contains each messageId once; `at` and `expiresAt` never decrease along it. Each entry has
a row in MessageHistory with the same content, an `after` below the entry's seq, and an expiry no earlier.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Any

from chat.schema import CONNECTIONS, EXPIRY_ATTRIBUTE, MESSAGES, ROOMS
from tests.fakes.dynamodb import DynamoDB

Item = dict[str, Any]

_LOG, _MEMBER, _ROLE = "log#", "member#", "role#"
_CONTENT = ("messageId", "timestamp", "message", "connectionId", "name", "sender", "room")


def logs(dynamodb: DynamoDB) -> dict[str, dict[int, Item]]:
    """Return room → seq → entry; seq 0 is the marker of the log's beginning."""
    found: dict[str, dict[int, Item]] = defaultdict(dict)
    for item in dynamodb.items(ROOMS):
        if item["item"].startswith(_LOG):
            found[item["room"]][int(item["item"].removeprefix(_LOG))] = item
    return dict(found)


def broken_logs(dynamodb: DynamoDB) -> list[str]:
    """Return the violations in the logs of all rooms."""
    rows = {(row["messageId"], row["timestamp"]): row for row in dynamodb.items(MESSAGES)}
    broken = []
    for room, log in logs(dynamodb).items():
        beginning = log.pop(0, {"base": 0})
        entries = sorted(log.items())
        broken += [f"{room}: {violation}" for violation in _broken_order(entries, beginning["base"])]
        counts = Counter(entry["messageId"] for _, entry in entries)
        broken += [f"{room}: {key} appears {count} times" for key, count in counts.items() if count > 1]
        for seq, entry in entries:
            row = rows.get((entry["messageId"], entry["timestamp"]))
            broken += [f"{room}, seq {seq}: {violation}" for violation in _broken_row(seq, entry, row)]
    return broken


def _broken_order(entries: list[tuple[int, Item]], base: int) -> Iterator[str]:
    for (seq, entry), (next_seq, next_entry) in pairwise(entries):
        if next_seq != seq + 1 and not seq <= base < next_seq == base + 1:
            yield f"gap between {seq} and {next_seq}"
        if next_entry["at"] < entry["at"]:
            yield f"{next_seq} was put before {seq}"
        if _expiry(next_entry) < _expiry(entry) != float("inf"):
            yield f"{next_seq} expires before {seq}"


def _broken_row(seq: int, entry: Item, row: Item | None) -> Iterator[str]:
    if row is None:
        yield "its message has no row"
        return
    if differing := [name for name in _CONTENT if entry[name] != row[name]]:
        yield f"its row differs in {differing}"
    if row["after"] >= seq:
        yield f"its row has after {row['after']}"
    if _expiry(row) < _expiry(entry):
        yield "its row expires first"


def _expiry(item: Item) -> float:
    return item.get(EXPIRY_ATTRIBUTE, float("inf"))


def broken_private_rooms(dynamodb: DynamoDB) -> list[str]:
    """Return where the settings of private rooms differ from the roles of their members.

    Each room has an owner, and each member has it in its list.
    """
    items = dynamodb.items(ROOMS)
    roles: dict[str, dict[str, str]] = defaultdict(dict)
    for item in items:
        if item["item"].startswith(_ROLE) and item["room"].startswith("~"):
            roles[item["room"]][item["item"].removeprefix(_ROLE)] = item["role"]
    listed = {(item["room"], item["item"]) for item in items}
    broken = [
        f"{user_id} is a member of {room}, which is not in its list"
        for room, members in roles.items()
        for user_id in members
        if (f"user#{user_id}", f"room#{room}") not in listed
    ]
    for item in items:
        if item["item"] != "settings" or item["kind"] != "private":
            continue
        members = roles.pop(item["room"], {})
        owners = {user_id for user_id, role in members.items() if role == "owner"}
        if item["members"] != len(members):
            broken.append(f"{item['room']} counts {item['members']} members, not {len(members)}")
        if item.get("owners", frozenset()) != owners or not owners:
            broken.append(f"{item['room']} has the owners {sorted(owners)}, not {sorted(item.get('owners', ()))}")
    return broken + [f"{room} has members but no settings" for room in roles]


def broken_memberships(dynamodb: DynamoDB, open_sockets: Iterable[str]) -> list[str]:
    """Return where connections, members and open sockets differ.

    Ignored: the row of a socket that never opened and is no member of a room, which only TTL deletes.
    """
    members: dict[str, set[str]] = defaultdict(set)
    for item in dynamodb.items(ROOMS):
        if item["item"].startswith(_MEMBER):
            members[item["item"].removeprefix(_MEMBER)].add(item["room"])
    rooms = {
        row["connectionId"]: set(row.get("rooms", ())) if row.get("joined") else {"lobby"}
        for row in dynamodb.items(CONNECTIONS)
    }
    sockets = set(open_sockets)
    broken = [f"{ghost} is a member of {sorted(members[ghost])}" for ghost in sorted(members.keys() - sockets)]
    broken += [f"{connection} has no row" for connection in sorted(sockets - rooms.keys())]
    for connection in sorted(sockets & rooms.keys()):
        if members[connection] != rooms[connection]:
            broken.append(
                f"{connection} is in {sorted(rooms[connection])}, but a member of {sorted(members[connection])}"
            )
    return broken
