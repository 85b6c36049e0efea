"""Measures contention when many people write to one room: puts per message, acknowledgement times, `busy` errors.

The deployed code of `sendmessage` runs in virtual time against an in-memory store of one room, so the figures are
reproducible. Messages arrive at random (a Poisson process), each from another address, so no rate limit applies. Only
the store takes time.
"""

import io
import json
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from ipaddress import ip_address
from itertools import islice
from random import Random
from typing import Any

from botocore.exceptions import ClientError
from sendmessage import lambda_handler

from benchmarks.scene import TABLES, event
from benchmarks.store_stub import ROOM, connection
from benchmarks.virtual_time import VirtualTime
from chat.push.poster import Outcome
from chat.runtime.config import read_config
from chat.runtime.context import Container
from chat.schema import KEYS, ROOMS

RATES = (1, 2, 5, 10, 20, 40, 60, 80, 100, 150, 200)
"""Messages per second in one room."""

ONE_WAY_SECONDS = (0.0015, 0.0035)
"""Range of the latency in each direction: 5 ± 2 ms per request."""

CONFIG = read_config({**TABLES, "CALLBACK_URL": "https://api.example/production"})

Item = dict[str, Any]


def contention(messages: int, rates: Iterable[int] = RATES) -> Iterator[dict[str, Any]]:
    """Send `messages` messages at each rate."""
    for rate in rates:
        yield _measured(rate, messages)


def _measured(per_second: int, messages: int) -> dict[str, Any]:
    room = Room()
    draw = Random(per_second)
    at = 0.0
    for number in range(messages):
        at += draw.expovariate(per_second)
        room.say(at, f"c{number:014d}=")
    room.time.run()
    puts = room.store.log_puts / messages
    waits = sorted(room.waits)
    return {
        "benchmark": f"{per_second} messages a second in one room",
        "per_second": per_second,
        "messages": messages,
        "puts_a_message": round(puts, 2),
        "write_units": round(room.store.writes / messages, 2),
        "partition_writes_per_second": round(puts * per_second),
        "p50_ms": _percentile(waits, 0.5),
        "p99_ms": _percentile(waits, 0.99),
        "busy_share": round(room.answers["busy"] / messages, 4),
        "others": {code: number for code, number in room.answers.items() if code not in ("", "busy")},
    }


def _percentile(waits: list[float], share: float) -> float | None:
    return round(waits[min(len(waits) - 1, int(share * len(waits)))] * 1e3, 1) if waits else None


class Room:
    """A deployment with one room, in virtual time."""

    def __init__(self) -> None:
        self.time = VirtualTime()
        self.store = RoomStore(self.time)
        self.waits: list[float] = []
        """Seconds from each event to its sender's copy."""
        self.answers: Counter[str] = Counter()
        """Counts by error code; empty for a stored message."""
        ids = Random(0)
        self._new_id = lambda: str(uuid.UUID(int=ids.getrandbits(128), version=4))

    def say(self, at: float, connection_id: str) -> None:
        """Schedule a connection to send a message at a time."""

        def send() -> None:
            services = _Services(self.time, self.store, self._new_id)
            frame = {"action": "sendmessage", "message": "x" * 100, "messageId": self._new_id(), "to": ROOM}
            address = str(ip_address(int(connection_id[1:-1])))
            sent = event("sendmessage", connection_id, frame, address=address)
            reply = lambda_handler.answer(services, sent, None)
            self.answers[json.loads(reply.get("body", "{}")).get("code", "")] += 1
            if services.sent.first_at is not None:
                self.waits.append(services.sent.first_at - at)

        self.time.start(at, send)


class RoomStore:
    """The part of a DynamoDB client that `sendmessage` uses."""

    def __init__(self, time: VirtualTime) -> None:
        self.log_puts = 0
        self.writes = 0
        self._time = time
        self._draw = Random(1)
        self._partitions: dict[tuple[str, str], dict[str, Item]] = {}

    def get_item(self, **asked: Any) -> Item:
        """Return a connection that has joined the room."""
        return self._timed(lambda: {"Item": connection(asked["Key"]["connectionId"]["S"])})

    def update_item(self, **asked: Any) -> Item:
        """Accept a rate-limit update; nothing is stored, since each address sends only once."""
        self.writes += 1
        return self._timed(lambda: {"Attributes": asked["Key"]})

    def put_item(self, **asked: Any) -> Item:
        """Put an item; a conditional put fails if the key is taken."""
        is_conditional = "ConditionExpression" in asked
        return self._timed(lambda: self._put(asked["TableName"], asked["Item"], is_conditional=is_conditional))

    def query(self, **asked: Any) -> Item:
        """Return the items of a partition or of a range of it."""
        return self._timed(lambda: self._found(asked))

    def _timed(self, act: Callable[[], Item]) -> Item:
        """Act when the request arrives, and return when the response does."""
        self._time.sleep(self._draw.uniform(*ONE_WAY_SECONDS))
        try:
            return act()
        finally:
            self._time.sleep(self._draw.uniform(*ONE_WAY_SECONDS))

    def _put(self, table: str, item: Item, *, is_conditional: bool) -> Item:
        partition, sort = (item[name]["S"] for name in KEYS[table])
        items = self._partitions.setdefault((table, partition), {})
        self.writes += 1
        self.log_puts += table == ROOMS
        if is_conditional and sort in items:
            refusal: Any = {"Error": {"Code": "ConditionalCheckFailedException"}, "Item": items[sort]}
            raise ClientError(refusal, "PutItem")
        items[sort] = item
        return {}

    def _found(self, asked: Item) -> Item:
        partition, *bounds = (value["S"] for value in asked["ExpressionAttributeValues"].values())
        items = self._partitions.get((asked["TableName"], partition), {})
        first, last = bounds or (min(items, default=""), max(items, default=""))
        newest_first = (items[sort] for sort in reversed(items) if first <= sort <= last)
        found = list(islice(newest_first, asked.get("Limit")))
        return {"Items": found[::-1] if asked["ScanIndexForward"] else found}


class _Poster:
    """Records the time of the first post, which goes to the sender."""

    def __init__(self, time: VirtualTime) -> None:
        self._time = time
        self.first_at: float | None = None

    def post(self, connection_ids: Iterable[str], _frame: bytes, **_: float) -> Outcome:
        """Post only to the sender: the other readers make no difference here."""
        next(iter(connection_ids))
        if self.first_at is None:
            self.first_at = self._time.monotonic()
        return Outcome(1, [], [], [])


class _Services(Container):
    """A function's services in virtual time."""

    def __init__(self, time: VirtualTime, store: RoomStore, new_id: Callable[[], str]) -> None:
        super().__init__(CONFIG)
        self.clock: Any = time
        self.concurrently: Any = time.concurrently
        self.new_id = new_id
        self.stream = io.StringIO
        self.sent = _Poster(time)
        self._store = store

    @property
    def client(self) -> Any:
        """The store."""
        return self._store

    @property
    def poster(self) -> Any:
        """The recorder of the sender's post."""
        return self.sent
