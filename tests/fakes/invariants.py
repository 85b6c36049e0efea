"""What must hold of the tables at any moment, and after everything has come to rest.

    broken_logs(dynamodb)                         # at any moment: breaches in words; none: an empty list
    broken_memberships(dynamodb, open_sockets)    # once no function runs and the gone have been found

The log: places without holes; each messageId once in a room; each entry's row in MessageHistory, with equal content,
an `after` below its place, and a life no shorter; `at` and `expiresAt` never fall along a log.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Any

from chat.schema import CONNECTIONS, EXPIRY_ATTRIBUTE, MESSAGES, ROOMS
from tests.fakes.dynamodb import DynamoDB

Item = dict[str, Any]

_LOG, _MEMBER = "log#", "member#"
_CONTENT = ("messageId", "timestamp", "message", "connectionId", "name", "sender", "room")


def logs(dynamodb: DynamoDB) -> dict[str, dict[int, Item]]:
    """Return the log of each room, by place; place 0 is its beginning."""
    found: dict[str, dict[int, Item]] = defaultdict(dict)
    for item in dynamodb.items(ROOMS):
        if item["item"].startswith(_LOG):
            found[item["room"]][int(item["item"].removeprefix(_LOG))] = item
    return dict(found)


def broken_logs(dynamodb: DynamoDB) -> list[str]:
    """Return what is wrong with the logs of all rooms."""
    rows = {(row["messageId"], row["timestamp"]): row for row in dynamodb.items(MESSAGES)}
    broken = []
    for room, places in logs(dynamodb).items():
        beginning = places.pop(0, {"base": 0})
        entries = sorted(places.items())
        broken += [f"{room}: {breach}" for breach in _broken_order(entries, beginning["base"])]
        counts = Counter(entry["messageId"] for _, entry in entries)
        broken += [f"{room}: {key} stands {count} times" for key, count in counts.items() if count > 1]
        for place, entry in entries:
            row = rows.get((entry["messageId"], entry["timestamp"]))
            broken += [f"{room}, place {place}: {breach}" for breach in _broken_row(place, entry, row)]
    return broken


def _broken_order(entries: list[tuple[int, Item]], base: int) -> Iterator[str]:
    for (place, entry), (following, next_entry) in pairwise(entries):
        if following != place + 1 and not place <= base < following == base + 1:
            yield f"nothing stands between {place} and {following}"
        if next_entry["at"] < entry["at"]:
            yield f"{following} was put before {place}"
        if _expiry(next_entry) < _expiry(entry) != float("inf"):
            yield f"{following} expires before {place}"


def _broken_row(place: int, entry: Item, row: Item | None) -> Iterator[str]:
    if row is None:
        yield "its message has no row"
        return
    if differing := [name for name in _CONTENT if entry[name] != row[name]]:
        yield f"its row differs in {differing}"
    if row["after"] >= place:
        yield f"its row says after {row['after']}"
    if _expiry(row) < _expiry(entry):
        yield "its row expires first"


def _expiry(item: Item) -> float:
    return item.get(EXPIRY_ATTRIBUTE, float("inf"))


def broken_memberships(dynamodb: DynamoDB, open_sockets: Iterable[str]) -> list[str]:
    """Return where connections, members and open sockets differ.

    A row of a socket that never opened, which no room lists, is met by nobody; TTL takes it.
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
            broken.append(f"{connection} is in {sorted(rooms[connection])}, heard in {sorted(members[connection])}")
    return broken
