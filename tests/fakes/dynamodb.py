"""A fake DynamoDB client for the tables in chat/schema.py; the only one in the tests.

    dynamodb = DynamoDB(clock)                    # pass it as `client` in the services
    dynamodb.items("ChatRooms")                   # the table's items as plain values, sorted by key
    dynamodb.item("ActiveConnections", connectionId="anna")
    dynamodb.put("ChatRooms", {...})              # not counted, not logged
    dynamodb.remove("ChatRooms", room="garden", item="log#0000000000000001")
    dynamodb.expire("ChatRooms")                  # what TTL does; an order or a subset may be given

    with dynamodb.counting() as usage:            # counts the calls within
        ...
    usage.operations, usage.read, usage.written   # operation names; request units
    usage.round_trips(), usage.round_trips(before=post.at)   # sequential calls, by their times

    dynamodb.intercept = fail_once(lose_answer, "PutItem", "ChatRooms")   # faults: see `Interceptor`

It implements what the store uses: get_item, batch_get_item, put_item, update_item, delete_item, transact_write_items
and query, with the expressions in
tests/fakes/expressions.py. Anything else is an error: other operations, unknown parameters, reads that are not
consistent. Each call takes `call_seconds` of the clock, half before it takes effect and half after, so sequential calls
can be counted and a simulation can run other tasks in between.

Source: DynamoDB developer guide on capacity units, item sizes, query pages and condition expressions.
"""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

from botocore.exceptions import ClientError, ReadTimeoutError

from chat.schema import EXPIRY_ATTRIBUTE, KEYS
from chat.store.dynamodb import from_attributes, to_attributes
from tests.fakes import expressions
from tests.fakes.expressions import Item, Terms, ValidationError

Key: TypeAlias = tuple[str, ...]

CALL_SECONDS = 0.005
PAGE_BYTES = 1024 * 1024
MAX_ITEM_BYTES = 400 * 1024
READ_UNIT_BYTES = 4096
WRITE_UNIT_BYTES = 1024
MAX_BATCH_KEYS = 100

_PARAMETERS = {
    "GetItem": {"TableName", "Key", "ConsistentRead"},
    "BatchGetItem": {"RequestItems"},
    "TransactWriteItems": {"TransactItems"},
    "PutItem": {"TableName", "Item"},
    "UpdateItem": {"TableName", "Key", "UpdateExpression", "ReturnValues"},
    "DeleteItem": {"TableName", "Key", "ReturnValues"},
    "ConditionCheckItem": {"TableName", "Key"},
    "Query": {
        "TableName",
        "KeyConditionExpression",
        "ConsistentRead",
        "ScanIndexForward",
        "ProjectionExpression",
        "Limit",
        "ExclusiveStartKey",
    },
}
_WRITES = {"PutItem", "UpdateItem", "DeleteItem", "ConditionCheckItem"}
_CONDITIONAL = {"ConditionExpression", "ReturnValuesOnConditionCheckFailure"}
_PLACEHOLDERS = {"ExpressionAttributeNames", "ExpressionAttributeValues"}


class Clock(Protocol):
    """The clock that calls take their time from."""

    def now_ms(self) -> int: ...
    def monotonic(self) -> float: ...
    def sleep(self, seconds: float) -> None: ...


@dataclass
class Call:
    """One call: its start and end in the clock's monotonic seconds, and the units it consumed."""

    operation: str
    table: str
    key: Key
    """The item's key; for a query, the partition; for several items, empty."""
    request: Item
    started: float
    ended: float = 0.0
    read: float = 0.0
    written: float = 0.0

    @property
    def permissions(self) -> set[str]:
        """The operations that a role must allow for it: those of its writes, if it is a transaction."""
        if self.operation != "TransactWriteItems":
            return {self.operation}
        return {f"{kind}Item" for part in self.request["TransactItems"] for kind in part}


Interceptor: TypeAlias = Callable[[Call, Callable[[], Item]], Item]
"""Injects a fault: `intercept(call, send)` returns or raises what the store sees.

`send()` executes the request, and may be called never, once or twice. `lose_answer`, `throttle`, `send_twice`,
`kill_before` and `kill_after` are faults; `fail_once` and `fail_nth` apply one to a single call.
"""


class KilledError(BaseException):
    """The function's process was killed during this call: timeout, out of memory, host failure."""


def service_error(code: str, operation: str, **more: Any) -> ClientError:
    """Return the exception that botocore raises for an error response."""
    response: Any = {"Error": {"Code": code, "Message": code}, **more}
    return ClientError(response, operation)


def carry_out(_call: Call, send: Callable[[], Item]) -> Item:
    """Execute a call without a fault."""
    return send()


def lose_answer(_call: Call, send: Callable[[], Item]) -> Item:
    """Execute a call, then lose its response; botocore's retries do not arrive."""
    send()
    raise ReadTimeoutError(endpoint_url="dynamodb")


def throttle(call: Call, _send: Callable[[], Item]) -> Item:
    """Reject a call after botocore has used up its retries."""
    raise service_error("ThrottlingException", call.operation)


def process_none(call: Call, _send: Callable[[], Item]) -> Item:
    """Leave all keys of a batch unprocessed."""
    return {"Responses": {}, "UnprocessedKeys": call.request["RequestItems"]}


def process_half(call: Call, send: Callable[[], Item]) -> Item:
    """Leave half of the keys of a batch unprocessed."""
    ((table, asked),) = call.request["RequestItems"].items()
    keys = asked["Keys"]
    call.request = {"RequestItems": {table: {**asked, "Keys": keys[: len(keys) // 2]}}}
    return {**send(), "UnprocessedKeys": {table: {**asked, "Keys": keys[len(keys) // 2 :]}}}


def conflict(call: Call, _send: Callable[[], Item]) -> Item:
    """Reject a write because a transaction of the same item is under way, or a transaction because of a write."""
    if call.operation != "TransactWriteItems":
        raise service_error("TransactionConflictException", call.operation)
    reasons = [{"Code": "TransactionConflict"}, *({"Code": "None"} for _ in call.request["TransactItems"][1:])]
    raise service_error("TransactionCanceledException", call.operation, CancellationReasons=reasons)


def send_twice(_call: Call, send: Callable[[], Item]) -> Item:
    """Execute a call twice: the first response is lost and botocore retries."""
    with suppress(ClientError):  # an error response is lost too
        send()
    return send()


def kill_before(_call: Call, _send: Callable[[], Item]) -> Item:
    """Kill the process before its request takes effect."""
    raise KilledError


def kill_after(_call: Call, send: Callable[[], Item]) -> Item:
    """Kill the process after its request has taken effect."""
    send()
    raise KilledError


def fail_once(fault: Interceptor, operation: str, table: str | None = None) -> Interceptor:
    """Return an interceptor that applies a fault to the first call of an operation (on a table)."""
    is_done = False

    def intercept(call: Call, send: Callable[[], Item]) -> Item:
        nonlocal is_done
        if is_done or call.operation != operation or table not in (None, call.table):
            return send()
        is_done = True
        return fault(call, send)

    return intercept


def fail_nth(fault: Interceptor, number: int) -> Interceptor:
    """Return an interceptor that applies a fault to call `number`, counted from 0."""
    count = -1

    def intercept(call: Call, send: Callable[[], Item]) -> Item:
        nonlocal count
        count += 1
        return fault(call, send) if count == number else send()

    return intercept


@dataclass
class Usage:
    """The calls made inside `with dynamodb.counting()`."""

    calls: list[Call] = field(default_factory=list)

    @property
    def operations(self) -> list[str]:
        """Operation names, by start time."""
        return [call.operation for call in self.calls]

    @property
    def read(self) -> float:
        """Read request units consumed."""
        return sum(call.read for call in self.calls)

    @property
    def written(self) -> float:
        """Write request units consumed."""
        return sum(call.written for call in self.calls)

    def round_trips(self, before: float | None = None) -> int:
        """Return the longest chain of sequential calls, among those that ended by `before` (monotonic seconds)."""
        in_a_row, free_from = 0, float("-inf")
        for call in sorted(self.calls, key=lambda each: each.ended):  # greedy: the most non-overlapping intervals
            if call.started >= free_from - 1e-9 and (before is None or call.ended <= before + 1e-9):
                in_a_row, free_from = in_a_row + 1, call.ended
        return in_a_row


class DynamoDB:
    """The client. Thread-safe."""

    def __init__(self, clock: Clock, call_seconds: Callable[[], float] = lambda: CALL_SECONDS) -> None:
        self._clock = clock
        self._call_seconds = call_seconds
        self._tables: dict[str, dict[Key, Item]] = {name: {} for name in KEYS}
        self._turn = threading.RLock()
        self._usages: list[Usage] = []
        self.calls: list[Call] = []
        """Every call so far, by start time."""
        self._carried_out: set[int] = set()
        self.intercept: Interceptor = carry_out

    # For tests.

    def items(self, table: str) -> list[Item]:
        """Return a table's items, sorted by key, as plain values: str, int, bool, frozenset."""
        with self._turn:
            return [dict(item) for _, item in sorted(self._tables[table].items())]

    def item(self, table: str, **key: str) -> Item:
        """Return an item; empty if it does not exist."""
        with self._turn:
            return dict(self._tables[table].get(_key(table, key), {}))

    def put(self, table: str, item: Item) -> None:
        """Put an item."""
        with self._turn:
            self._tables[table][_key(table, item)] = from_attributes(to_attributes(item))

    def remove(self, table: str, **key: str) -> None:
        """Delete an item."""
        with self._turn:
            self._tables[table].pop(_key(table, key), None)

    def expire(self, table: str, choose: Callable[[list[Item]], Iterable[Item]] = lambda items: items) -> list[Item]:
        """Delete and return the expired items, or those that `choose` returns of them. TTL guarantees no order."""
        now = self._clock.now_ms() // 1000
        expired = [item for item in self.items(table) if item.get(EXPIRY_ATTRIBUTE, now + 1) <= now]
        chosen = list(choose(expired))
        for item in chosen:
            self.remove(table, **{name: item[name] for name in KEYS[table]})
        return chosen

    @contextmanager
    def counting(self) -> Iterator[Usage]:
        """Count the calls made inside the `with` block."""
        usage = Usage()
        self._usages.append(usage)
        try:
            yield usage
        finally:
            self._usages.remove(usage)

    # For the store.

    def get_item(self, **request: Any) -> Item:
        """Return an item."""
        return self._call("GetItem", request, self._get)

    def batch_get_item(self, **request: Any) -> Item:
        """Return up to 100 items."""
        return self._call("BatchGetItem", request, self._batch_get)

    def transact_write_items(self, **request: Any) -> Item:
        """Carry out several writes or none."""
        return self._call("TransactWriteItems", request, self._transact)

    def put_item(self, **request: Any) -> Item:
        """Put an item."""
        return self._call("PutItem", request, self._write)

    def update_item(self, **request: Any) -> Item:
        """Update or create an item."""
        return self._call("UpdateItem", request, self._write)

    def delete_item(self, **request: Any) -> Item:
        """Delete an item."""
        return self._call("DeleteItem", request, self._write)

    def query(self, **request: Any) -> Item:
        """Return a page of a partition's items."""
        return self._call("Query", request, self._query)

    def _call(self, operation: str, request: Item, act: Callable[[Call], Item]) -> Item:
        _check_parameters(operation, request)
        call = Call(operation, *_called(operation, request), request, self._clock.monotonic())
        for log in (self.calls, *(usage.calls for usage in self._usages)):
            log.append(call)
        self._clock.sleep(seconds := self._call_seconds() / 2)

        def send() -> Item:
            with self._turn:
                return act(call)

        try:
            answer = self.intercept(call, send)
            self._clock.sleep(seconds)
            return answer
        finally:
            call.ended = self._clock.monotonic()

    def _get(self, call: Call) -> Item:
        _check_consistent(call)
        item = self._tables[call.table].get(call.key)
        call.read += _units(_size(item or {}), READ_UNIT_BYTES)
        return {"Item": to_attributes(item)} if item is not None else {}

    def _batch_get(self, call: Call) -> Item:
        asked = call.request["RequestItems"][call.table]
        if unknown := asked.keys() - {"Keys", "ConsistentRead"}:
            raise ValidationError(f"BatchGetItem: {sorted(unknown)} is not supported by the fake")
        if asked.get("ConsistentRead") is not True:
            raise ValidationError(f"BatchGetItem on {call.table}: every read must be consistent")
        keys = [_key(call.table, from_attributes(key)) for key in asked["Keys"]]
        if not 1 <= len(keys) <= MAX_BATCH_KEYS:
            raise ValidationError(f"BatchGetItem takes 1 to {MAX_BATCH_KEYS} keys, not {len(keys)}")
        if len(set(keys)) < len(keys):
            raise ValidationError("provided list of item keys contains duplicates")
        items = [self._tables[call.table].get(key) for key in keys]
        call.read += sum(_units(_size(item or {}), READ_UNIT_BYTES) for item in items)
        found = [to_attributes(item) for item in reversed(items) if item is not None]  # in no particular order
        return {"Responses": {call.table: found}, "UnprocessedKeys": {}}

    def _transact(self, call: Call) -> Item:
        """Carry out the writes if each one's condition holds; each costs twice its units.

        A repeat of a call has its token, and changes nothing once it has been carried out.
        """
        if id(call) in self._carried_out:
            return {}
        parts = [
            Call(f"{kind}Item", *_called(f"{kind}Item", request), request, call.started)
            for part in call.request["TransactItems"]
            for kind, request in part.items()
        ]
        for part in parts:
            _check_parameters(part.operation, part.request)
        if not 1 <= len(parts) <= MAX_BATCH_KEYS or len({(part.table, part.key) for part in parts}) < len(parts):
            raise ValidationError("a transaction takes 1 to 100 writes, each of another item")
        before = {name: dict(items) for name, items in self._tables.items()}
        reasons: list[Item] = []
        for part in parts:
            try:
                self._write(part)
                reasons.append({"Code": "None"})
            except ClientError as error:
                occupant: Any = error.response
                found = {"Item": occupant["Item"]} if "Item" in occupant else {}
                reasons.append({"Code": "ConditionalCheckFailed", **found})
        call.written += 2 * sum(part.written for part in parts)
        if any(reason["Code"] != "None" for reason in reasons):
            self._tables = before
            raise service_error("TransactionCanceledException", call.operation, CancellationReasons=reasons)
        self._carried_out.add(id(call))
        return {}

    def _write(self, call: Call) -> Item:
        request, table = call.request, self._tables[call.table]
        terms = _terms(request)
        old = table.get(call.key)
        condition = request.get("ConditionExpression")
        if condition is not None and not expressions.condition_holds(condition, old or {}, terms):
            call.written += _units(_size(old or {}), WRITE_UNIT_BYTES)
            shown = _given(request, "ReturnValuesOnConditionCheckFailure", "NONE", "ALL_OLD") == "ALL_OLD"
            more = {"Item": to_attributes(old)} if old is not None and shown else {}
            raise service_error("ConditionalCheckFailedException", call.operation, **more)
        new = self._new_item(call, old, terms)
        terms.check_used()
        call.written += _units(max(_size(old or {}), _size(new or {})), WRITE_UNIT_BYTES)
        if new is None:
            table.pop(call.key, None)
        else:
            table[call.key] = new
        allowed = ("ALL_OLD",) if call.operation == "DeleteItem" else ("ALL_OLD", "ALL_NEW")
        returned = _given(request, "ReturnValues", "NONE", *allowed)
        seen = {"ALL_OLD": old, "ALL_NEW": new}.get(returned)
        return {"Attributes": to_attributes(seen)} if seen else {}

    def _new_item(self, call: Call, old: Item | None, terms: Terms) -> Item | None:
        """Return the item after a write; None for a deletion."""
        if call.operation == "DeleteItem":
            return None
        if call.operation == "ConditionCheckItem":
            return old
        key = dict(zip(KEYS[call.table], call.key, strict=True))
        if call.operation == "PutItem":
            new = from_attributes(call.request["Item"])
        else:
            new = expressions.updated(call.request["UpdateExpression"], old if old is not None else key, terms)
            if any(new.get(name) != value for name, value in key.items()):
                raise ValidationError("an update cannot change the key")
        if any(value == frozenset() for value in new.values()):
            raise ValidationError("a set may not be empty")
        if _size(new) > MAX_ITEM_BYTES:
            raise ValidationError("item size has exceeded the maximum allowed size")
        return new

    def _query(self, call: Call) -> Item:
        _check_consistent(call)
        request, keys = call.request, tuple(KEYS[call.table])
        terms = _terms(request)
        partition, bounds = expressions.key_range(request["KeyConditionExpression"], keys, terms)
        only = (
            expressions.projected(request["ProjectionExpression"], terms) if "ProjectionExpression" in request else None
        )
        terms.check_used()
        found = [
            key
            for key in self._tables[call.table]
            if key[0] == partition and (bounds is None or bounds[0] <= key[1] <= bounds[1])
        ]
        forward = request.get("ScanIndexForward", True)
        found.sort(reverse=not forward)
        start = request.get("ExclusiveStartKey")
        if start is not None:
            last = _key(call.table, from_attributes(start))
            found = [key for key in found if (key > last if forward else key < last)]
        page: list[Item] = []
        size = 0
        is_cut = False
        for key in found:
            item = self._tables[call.table][key]
            if len(page) == request.get("Limit") or (page and size + _size(item) > PAGE_BYTES):
                is_cut = True
                break
            page.append(item)
            size += _size(item)
        call.read += _units(size, READ_UNIT_BYTES)
        answer: Item = {"Items": [to_attributes(_part(item, only)) for item in page], "Count": len(page)}
        # A page of exactly Limit items has a LastEvaluatedKey even if nothing follows.
        if is_cut or (page and len(page) == request.get("Limit")):
            answer["LastEvaluatedKey"] = to_attributes({name: page[-1][name] for name in keys})
        return answer


def _key(table: str, item: Mapping[str, Any]) -> Key:
    """Return an item's key. Raises ValidationError if it is incomplete, empty or not a string."""
    values = [item.get(name) for name in KEYS[table]]
    key = tuple(value for value in values if isinstance(value, str) and value)
    if len(key) != len(values):
        raise ValidationError(f"{values} is not a key of {table}")
    return key


def _check_parameters(operation: str, request: Item) -> None:
    known = _PARAMETERS[operation]
    if operation in _WRITES:
        known = known | _PLACEHOLDERS | _CONDITIONAL
    elif operation == "Query":
        known = known | _PLACEHOLDERS
    if unknown := request.keys() - known:
        raise ValidationError(f"{operation}: {sorted(unknown)} is not supported by the fake")


def _called(operation: str, request: Item) -> tuple[str, Key]:
    """Return the table and the key of a call."""
    if operation == "BatchGetItem":
        (table,) = request["RequestItems"]
        return table, ()
    if operation == "TransactWriteItems":
        (table,) = {each["TableName"] for part in request["TransactItems"] for each in part.values()}
        return table, ()
    table = request["TableName"]
    if operation == "Query":
        keys = tuple(KEYS[table])
        return table, (expressions.key_range(request["KeyConditionExpression"], keys, _terms(request))[0],)
    if operation == "PutItem":
        return table, _key(table, from_attributes(request["Item"]))
    given = from_attributes(request["Key"])
    if given.keys() != KEYS[table].keys():
        raise ValidationError(f"{sorted(given)} is not the key of {table}")
    return table, _key(table, given)


def _terms(request: Item) -> Terms:
    return Terms(
        names=request.get("ExpressionAttributeNames", {}),
        values=from_attributes(request.get("ExpressionAttributeValues", {})),
    )


def _given(request: Item, parameter: str, *known: str) -> str:
    value = request.get(parameter, known[0])
    if value not in known:
        raise ValidationError(f"{parameter} {value} is not supported by the fake")
    return value


def _check_consistent(call: Call) -> None:
    if call.request.get("ConsistentRead") is not True:
        raise ValidationError(f"{call.operation} on {call.table}: every read must be consistent")


def _part(item: Item, only: list[str] | None) -> Item:
    return item if only is None else {name: item[name] for name in only if name in item}


def _units(size: int, of_bytes: int) -> int:
    return max(1, -(-size // of_bytes))


def _size(item: Item) -> int:
    """Return an item's size in bytes: names and values; a number takes a byte per two digits, plus one."""
    return sum(len(name.encode()) + _value_size(value) for name, value in item.items())


def _value_size(value: Any) -> int:
    if isinstance(value, bool):
        return 1
    if isinstance(value, int):
        return -(-len(str(abs(value))) // 2) + 1
    if isinstance(value, frozenset):
        return sum(len(each.encode()) for each in value)
    return len(value.encode())
