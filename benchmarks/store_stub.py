"""A stub of DynamoDB in its own process: responds after a latency and counts units.

It stores only the last seq of the room's log. Connections and members are generated at the start, and every write is
accepted. Benchmarks against it measure the client's side, not DynamoDB.
"""

import json
import sys
import time
import uuid
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import Any

from benchmarks.server import Server, response
from benchmarks.units import Item, item_bytes, read_units, write_units
from chat.schema import CONNECTIONS, MESSAGES, ROOMS

PAGE_BYTES = 1_000_000
"""Maximum of a page of a query or a scan (DynamoDB quotas)."""

ROOM = "room-one"
TIMESTAMP = "2025-01-01T00:00:00.000Z"
LONG_AGO = str(int((time.time() - 3600) * 1000))


def in_two_hours() -> str:
    """Return the expiry of a new connection, in seconds since 1970."""
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
    """Return a row that the naive baseline scans: the minimum for a chat with rooms and names."""
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
    """Return a message of the room's log, sent now."""
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
    """Items of a partition or a table in pages of 1 MB; `shown` filters the items that are returned."""

    def __init__(self, items: Sequence[Item], shown: Sequence[bool] | None = None) -> None:
        self._sizes = [0, *accumulate(item_bytes(item) for item in items)]
        self._items = items
        self._shown = shown
        self._cache: dict[tuple[int, int | None, tuple[str, ...]], tuple[bytes, int]] = {}

    def page(self, start: int, limit: int | None, only: tuple[str, ...]) -> tuple[bytes, int]:
        """Return a page as JSON and the bytes read for it. Pages are cached."""
        if (start, limit, only) not in self._cache:
            self._cache[start, limit, only] = self._make(start, limit, only)
        return self._cache[start, limit, only]

    def _make(self, start: int, limit: int | None, only: tuple[str, ...]) -> tuple[bytes, int]:
        end = max(start + 1, bisect_right(self._sizes, self._sizes[start] + PAGE_BYTES) - 1)
        end = min(end, len(self._items), *([start + limit] if limit else []))
        items = [self._items[at] for at in range(start, end) if self._shown is None or self._shown[at]]
        answered = [{name: item[name] for name in only if name in item} for item in items] if only else items
        body: dict[str, Any] = {"Items": answered, "Count": len(items), "ScannedCount": end - start}
        if end < len(self._items):
            body["LastEvaluatedKey"] = {"connectionId": {"S": str(end)}}
        return json.dumps(body).encode(), self._sizes[end] - self._sizes[start]


class Store:
    """Answers the requests of the functions and of the naive baseline."""

    def __init__(self, ids: list[str], connected: int, latency: float) -> None:
        self.latency = latency
        self._seq = 1
        self._members = Pages([member(one) for one in ids])
        others = [f"o{number:014d}=" for number in range(connected - len(ids))]
        rows = [naive_connection(one, ROOM) for one in ids] + [naive_connection(one, "elsewhere") for one in others]
        self._scanned = Pages(rows, [row["room"]["S"] == ROOM for row in rows])
        self._operations: dict[str, Callable[[dict[str, Any]], Any]] = {
            "Query": self._query,
            "Scan": self._scan,
            "GetItem": self._get_item,
            "PutItem": self._put_item,
            "UpdateItem": self._update_item,
            "DeleteItem": self._update_item,  # both return the old item
        }
        self.begin()

    def begin(self) -> None:
        """Reset the counts."""
        self.requests: Counter[str] = Counter()
        self.read = self.write = 0.0

    def answer(self, head: bytes, body: bytes) -> tuple[bytes, float]:
        """Return the response to a request."""
        at = head.lower().index(b"x-amz-target:")
        operation = head[at:].split(b"\r\n", 1)[0].rpartition(b".")[2].decode()
        self.requests[operation] += 1
        asked = json.loads(body)
        answer = self._operations[operation](asked)
        data = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        return response(200, data), self.latency

    def counts(self) -> dict[str, Any]:
        """Return the counts."""
        return {"requests": dict(self.requests), "read_units": self.read, "write_units": self.write}

    def _query(self, asked: dict[str, Any]) -> Any:
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

    def _scan(self, asked: dict[str, Any]) -> bytes:
        return self._page(self._scanned, asked, consistent=False)

    def _page(self, pages: Pages, asked: dict[str, Any], *, consistent: bool) -> bytes:
        start = asked.get("ExclusiveStartKey")
        projected = asked.get("ProjectionExpression", "")
        names = asked.get("ExpressionAttributeNames", {})
        only = tuple(names[one.strip()] for one in projected.split(",")) if projected else ()
        body, size = pages.page(int(start["connectionId"]["S"]) if start else 0, asked.get("Limit"), only)
        self.read += read_units(size, consistent=consistent)
        return body

    def _get_item(self, asked: dict[str, Any]) -> dict[str, Any]:
        item = self._item(asked["TableName"], asked["Key"])
        self.read += read_units(item_bytes(item), consistent=asked.get("ConsistentRead", False))
        return {"Item": item}

    def _update_item(self, asked: dict[str, Any]) -> dict[str, Any]:
        item = self._item(asked["TableName"], asked["Key"])
        self.write += write_units(item_bytes(item))
        return {"Attributes": item} if asked.get("ReturnValues") else {}

    def _put_item(self, asked: dict[str, Any]) -> dict[str, Any]:
        item = asked["Item"]
        if item.get("item", {}).get("S", "").startswith("log#"):
            self._seq = max(self._seq, int(item["item"]["S"][4:]))
        self.write += write_units(item_bytes(item))
        return {}

    @staticmethod
    def _item(table: str, key: Item) -> Item:
        """Return the generated item with this key."""
        if table == CONNECTIONS:
            return connection(key["connectionId"]["S"])
        if table == MESSAGES or not key["item"]["S"].startswith("member#"):
            return key
        return member(key["item"]["S"].removeprefix("member#"))


def main() -> None:
    """Serve. An order describes the connections, or is empty to get and reset the counts."""
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
