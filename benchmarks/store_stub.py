"""A stand-in for DynamoDB in a process of its own: answers after a latency, and counts units by benchmarks/units.py.

It keeps nothing but the newest place of the room's log. Connections and members are made up when it starts, and every
write is accepted. What is measured against it is the client's side, not DynamoDB.
"""

import json
import sys
import time
import uuid
from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from itertools import accumulate
from typing import Any

from benchmarks.server import Server, response
from benchmarks.units import Item, item_bytes, read_units, write_units
from chat.schema import CONNECTIONS, MESSAGES, ROOMS

PAGE_BYTES = 1_000_000
"""A page of a query or a scan (DynamoDB quotas)."""

ROOM = "room-one"
TIMESTAMP = "2025-01-01T00:00:00.000Z"
LONG_AGO = str(int((time.time() - 3600) * 1000))


def in_two_hours() -> str:
    """Return when a connection that has just been made expires."""
    return str(int(time.time()) + 7200)


def connection(connection_id: str) -> Item:
    """Return a row of ActiveConnections as the functions write it."""
    return {
        "connectionId": {"S": connection_id},
        "timestamp": {"S": TIMESTAMP},
        "room": {"S": ROOM},
        "rooms": {"SS": [ROOM]},
        "name": {"S": connection_id[:8]},
        "sender": {"S": f"guest-{connection_id}"},
        "joined": {"BOOL": True},
        "expiresAt": {"N": in_two_hours()},
        "messageTat": {"N": LONG_AGO},
    }


def member(connection_id: str) -> Item:
    """Return a member item of ChatRooms as the functions write it; its socket has been open for half an hour."""
    return {
        "room": {"S": ROOM},
        "item": {"S": f"member#{connection_id}"},
        "name": {"S": connection_id[:8]},
        "sender": {"S": f"guest-{connection_id}"},
        "timestamp": {"S": TIMESTAMP},
        "at": {"N": LONG_AGO},
        "expiresAt": {"N": str(int(time.time()) + 5400)},
    }


def naive_connection(connection_id: str, room: str) -> Item:
    """Return a row that the naive way scans: what a chat with rooms and names needs at least."""
    return {
        "connectionId": {"S": connection_id},
        "timestamp": {"S": TIMESTAMP},
        "room": {"S": room},
        "name": {"S": connection_id[:8]},
        "expiresAt": {"N": in_two_hours()},
        "joined": {"BOOL": True},
        "messageTat": {"N": LONG_AGO},
    }


def log_item(seq: int) -> Item:
    """Return a message of the room's log, sent just now."""
    now = time.time()
    return {
        "room": {"S": ROOM},
        "item": {"S": f"log#{seq:016d}"},
        "messageId": {"S": str(uuid.UUID(int=seq))},
        "timestamp": {"S": time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(now))},
        "message": {"S": "x" * 100},
        "connectionId": {"S": "o00000000000000="},
        "name": {"S": "o0000000"},
        "sender": {"S": "guest-o00000000000000="},
        "put": {"S": "0a1b2c3d"},
        "at": {"N": str(int(now * 1000))},
        "bytes": {"N": "400"},
        "expiresAt": {"N": str(int(now) + 30 * 86400)},
    }


class Pages:
    """Items of a partition or a table, cut into pages of 1 MB. `shown` tells which of a page's items are returned."""

    def __init__(self, items: Sequence[Item], shown: Sequence[bool] | None = None) -> None:
        self._sizes = [0, *accumulate(item_bytes(item) for item in items)]
        self._items = items
        self._shown = shown
        self._kept: dict[tuple[int, int | None, tuple[str, ...]], tuple[bytes, int]] = {}

    def page(self, start: int, limit: int | None, only: tuple[str, ...]) -> tuple[bytes, int]:
        """Return a page as JSON, and the size of what was read for it. Each is made once."""
        if (start, limit, only) not in self._kept:
            self._kept[start, limit, only] = self._made(start, limit, only)
        return self._kept[start, limit, only]

    def _made(self, start: int, limit: int | None, only: tuple[str, ...]) -> tuple[bytes, int]:
        end = max(start + 1, bisect_right(self._sizes, self._sizes[start] + PAGE_BYTES) - 1)
        end = min(end, len(self._items), *([start + limit] if limit else []))
        items = [self._items[at] for at in range(start, end) if self._shown is None or self._shown[at]]
        answered = [{name: item[name] for name in only if name in item} for item in items] if only else items
        body: dict[str, Any] = {"Items": answered, "Count": len(items), "ScannedCount": end - start}
        if end < len(self._items):
            body["LastEvaluatedKey"] = {"connectionId": {"S": str(end)}}
        return json.dumps(body).encode(), self._sizes[end] - self._sizes[start]


class Store:
    """Answers the requests that the functions and the naive way make."""

    def __init__(self, ids: list[str], connected: int, latency: float) -> None:
        self.latency = latency
        self._seq = 1
        self._members = Pages([member(one) for one in ids])
        others = [f"o{number:014d}=" for number in range(connected - len(ids))]
        rows = [naive_connection(one, ROOM) for one in ids] + [naive_connection(one, "elsewhere") for one in others]
        self._scanned = Pages(rows, [row["room"]["S"] == ROOM for row in rows])
        self.begin()

    def begin(self) -> None:
        """Forget what has been counted."""
        self.requests: Counter[str] = Counter()
        self.read = self.write = 0.0

    def answer(self, head: bytes, body: bytes) -> tuple[bytes, float]:
        """Return the response to a request."""
        at = head.lower().index(b"x-amz-target:")
        operation = head[at:].split(b"\r\n", 1)[0].rpartition(b".")[2].decode()
        self.requests[operation] += 1
        asked = json.loads(body)
        answer = getattr(self, f"_{operation}")(asked)
        data = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        return response(200, data), self.latency

    def counts(self) -> dict[str, Any]:
        """Return what has been counted."""
        return {"requests": dict(self.requests), "read_units": self.read, "write_units": self.write}

    def _Query(self, asked: dict[str, Any]) -> Any:  # noqa: N802 - the operation's own name, here and below
        values = sorted(value["S"] for value in asked["ExpressionAttributeValues"].values())
        if asked["TableName"] == ROOMS and any(value.startswith("member#") for value in values):
            return self._page(self._members, asked, consistent=True)
        found: list[Item] = []
        if asked["TableName"] == ROOMS:
            first, last = (value for value in values if value.startswith("log#"))
            newest = log_item(self._seq)
            found = [newest] if first <= newest["item"]["S"] <= last else []
        self.read += read_units(sum(map(item_bytes, found)), consistent=True)
        return {"Items": found, "Count": len(found), "ScannedCount": len(found)}

    def _Scan(self, asked: dict[str, Any]) -> bytes:  # noqa: N802
        return self._page(self._scanned, asked, consistent=False)

    def _page(self, pages: Pages, asked: dict[str, Any], *, consistent: bool) -> bytes:
        start = asked.get("ExclusiveStartKey")
        projected = asked.get("ProjectionExpression", "")
        names = asked.get("ExpressionAttributeNames", {})
        only = tuple(names[one.strip()] for one in projected.split(",")) if projected else ()
        body, size = pages.page(int(start["connectionId"]["S"]) if start else 0, asked.get("Limit"), only)
        self.read += read_units(size, consistent=consistent)
        return body

    def _GetItem(self, asked: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        item = self._item(asked["TableName"], asked["Key"])
        self.read += read_units(item_bytes(item), consistent=asked.get("ConsistentRead", False))
        return {"Item": item}

    def _UpdateItem(self, asked: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        item = self._item(asked["TableName"], asked["Key"])
        self.write += write_units(item_bytes(item))
        return {"Attributes": item} if asked.get("ReturnValues") else {}

    def _PutItem(self, asked: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        item = asked["Item"]
        if item.get("item", {}).get("S", "").startswith("log#"):
            self._seq = max(self._seq, int(item["item"]["S"][4:]))
        self.write += write_units(item_bytes(item))
        return {}

    def _DeleteItem(self, asked: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        item = self._item(asked["TableName"], asked["Key"])
        self.write += write_units(item_bytes(item))
        return {"Attributes": item} if asked.get("ReturnValues") else {}

    @staticmethod
    def _item(table: str, key: Item) -> Item:
        """Return the item that stands under a key."""
        if table == CONNECTIONS:
            return connection(key["connectionId"]["S"])
        if table == MESSAGES or not key["item"]["S"].startswith("member#"):
            return key
        return member(key["item"]["S"].removeprefix("member#"))


def main() -> None:
    """Serve; an order names who is connected, or nothing to get the counts since the last order."""
    store = Store([], 0, 0.005)

    def order(settings: dict[str, Any]) -> dict[str, Any]:
        nonlocal store
        if settings:
            store = Store(**settings)
            return {}
        counts = store.counts()
        store.begin()
        return counts

    Server(lambda _, head, body: store.answer(head, body), order).run()


if __name__ == "__main__":
    sys.exit(main())
