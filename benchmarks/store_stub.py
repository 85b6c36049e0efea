"""A stand-in for DynamoDB in a process of its own: answers after a latency, and counts units by benchmarks/units.py.

It keeps nothing: who is connected is made up when it starts, and whatever is written is taken. What is measured against
it is the client's side (how many requests, of what size, how they are read), not DynamoDB.
"""

import json
import sys
import time
from collections import Counter
from typing import Any

from benchmarks.server import Server, response
from benchmarks.units import Item, in_index, item_bytes, page_units, put_units, read_units, write_units

PAGE_BYTES = 1_000_000
"""A page of a query or a scan (DynamoDB quotas)."""

COUNT_EVERY_SECONDS = 10.0
REFUSED = b'{"__type":"com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException"}'
ROOM = "room-one"
IN_TWO_HOURS = str(int(time.time()) + 7200)
LONG_AGO = str(int((time.time() - 3600) * 1000))


def connection(connection_id: str, room: str) -> Item:
    """Return a row of ActiveConnections as the functions write it."""
    return {
        "connectionId": {"S": connection_id},
        "timestamp": {"S": "2025-01-01T00:00:00.000Z"},
        "room": {"S": room},
        "name": {"S": connection_id[:8]},
        "expiresAt": {"N": IN_TWO_HOURS},
        "joined": {"BOOL": True},
        "tatMessage": {"N": LONG_AGO},
    }


def pages(items: list[Item]) -> list[list[Item]]:
    """Cut items into pages of at most 1 MB."""
    cut: list[list[Item]] = [[]]
    size = 0
    for item in items:
        size += item_bytes(item)
        if size > PAGE_BYTES and cut[-1]:
            cut.append([])
            size = item_bytes(item)
        cut[-1].append(item)
    return cut


class Store:
    """Answers the requests that the functions and the baseline make."""

    def __init__(self, ids: list[str], connected: int, latency: float, *, settled: bool = True) -> None:
        self.latency = latency
        self._settled = settled
        self._seq = 0
        self._count_told = -COUNT_EVERY_SECONDS
        self._members = {one: connection(one, ROOM) for one in ids}
        others = [connection(f"o{number:014d}=", "elsewhere") for number in range(connected - len(ids))]
        indexed = [in_index("ActiveConnections", row) or {} for row in self._members.values()]
        # By the rules of a projection, all of an index's item is read, whatever part of it is asked for.
        self._queried = self._prepared(pages(indexed), lambda page: page, ("connectionId", "name", "expiresAt"))
        everybody = [*self._members.values(), *others]
        self._scanned = self._prepared(
            pages(everybody), lambda page: [row for row in page if row["room"]["S"] == ROOM], None
        )
        self.begin()

    def begin(self) -> None:
        """Forget what has been counted."""
        self.requests: Counter[str] = Counter()
        self.read = self.write = 0.0

    @staticmethod
    def _prepared(cut: list[list[Item]], chosen: Any, names: tuple[str, ...] | None) -> list[tuple[bytes, float]]:
        prepared = []
        for number, page in enumerate(cut):
            shown = [{name: row[name] for name in names} if names else row for row in chosen(page)]
            body: dict[str, Any] = {"Items": shown, "Count": len(shown), "ScannedCount": len(page)}
            if number + 1 < len(cut):
                body["LastEvaluatedKey"] = {"connectionId": {"S": str(number + 1)}, "room": {"S": ROOM}}
            prepared.append((json.dumps(body).encode(), page_units(page)))
        return prepared

    def answer(self, head: bytes, body: bytes) -> tuple[bytes, float]:
        """Return the response to a request."""
        at = head.lower().index(b"x-amz-target:")
        operation = head[at:].split(b"\r\n", 1)[0].rpartition(b".")[2].decode()
        self.requests[operation] += 1
        asked = json.loads(body)
        if "countAt" in asked.get("UpdateExpression", "") and self._told_count():
            return response(400, REFUSED), self.latency
        answer = getattr(self, f"_{operation}")(asked)
        data = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        return response(200, data), self.latency

    def _told_count(self) -> bool:
        """Tell whether the room has heard its count within 10 s, which the condition of this update looks at."""
        told, self._count_told = self._count_told, time.monotonic()
        if told < self._count_told - COUNT_EVERY_SECONDS:
            return False
        self._count_told = told
        return True

    def counts(self) -> dict[str, Any]:
        """Return what has been counted."""
        return {"requests": dict(self.requests), "read_units": self.read, "write_units": self.write}

    def _page(self, prepared: list[tuple[bytes, float]], asked: dict[str, Any]) -> bytes:
        start = asked.get("ExclusiveStartKey")
        body, units = prepared[int(start["connectionId"]["S"]) if start else 0]
        self.read += units
        return body

    def _Query(self, asked: dict[str, Any]) -> Any:  # noqa: N802 - the operation's own name, here and below
        if asked.get("IndexName") == "by-room":
            return self._page(self._queried, asked)
        self.read += page_units([])
        return {"Items": [], "Count": 0}

    def _Scan(self, asked: dict[str, Any]) -> bytes:  # noqa: N802
        return self._page(self._scanned, asked)

    def _GetItem(self, asked: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        item = self._item(asked["Key"])
        self.read += read_units(item_bytes(item), consistent=asked.get("ConsistentRead", False))
        return {"Item": item}

    def _BatchGetItem(self, asked: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        found: dict[str, list[Item]] = {}
        for table, wanted in asked["RequestItems"].items():
            items = [self._item(key) for key in wanted["Keys"] if "connectionId" in key]
            found[table] = items
            missing = len(wanted["Keys"]) - len(items)
            consistent = wanted.get("ConsistentRead", False)
            self.read += sum(read_units(item_bytes(item), consistent=consistent) for item in items)
            self.read += missing * read_units(0, consistent=consistent)
        return {"Responses": found, "UnprocessedKeys": {}}

    def _UpdateItem(self, asked: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        item = self._item(asked["Key"])
        self.write += write_units(item_bytes(item))
        return {"Attributes": item} if asked.get("ReturnValues") else {}

    def _PutItem(self, asked: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        self.write += put_units(asked["TableName"], asked["Item"])
        return {}

    def _DeleteItem(self, asked: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        item = self._item(asked["Key"])
        self.write += put_units(asked["TableName"], item)
        return {"Attributes": item} if asked.get("ReturnValues") else {}

    def _TransactWriteItems(self, asked: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        for part in asked["TransactItems"]:
            if "Put" in part:
                self.write += put_units(part["Put"]["TableName"], part["Put"]["Item"], transaction=True)
            else:  # the sender's row: its rate, which no index holds
                self.write += write_units(item_bytes(self._item(part["Update"]["Key"])), transaction=True)
        return {}

    def _item(self, key: Item) -> Item:
        """Return the row of a connection, or of a room."""
        if "connectionId" in key:
            connection_id = key["connectionId"]["S"]
            return self._members.get(connection_id) or connection(connection_id, ROOM)
        self._seq += 1
        changed = LONG_AGO if self._settled else str(int(time.time() * 1000))
        numbers = {
            "lastSeq": str(self._seq),
            "lastSeqAt": changed,
            "createdAt": LONG_AGO,
            "membersVersion": "7",
            "membersAt": changed,
        }
        return {**key, **{name: {"N": number} for name, number in numbers.items()}}


def main() -> None:
    """Serve; an order names who is connected, or nothing to hear the counts since the last order."""
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
