"""DynamoDB as far as the functions use it, where everything that AWS leaves open happens: indexes lag, transactions
take time and hold their items, answers are lost.

The conditions and updates are those of the functions, evaluated by a small reader of expressions; what it does not know
is an error.
"""

import itertools
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from chat.clients import from_attributes, to_attributes
from tests.faults.plan import Faults
from tests.faults.simulation import Simulation

Item = dict[str, Any]
Key = tuple[str, ...]

_KEYS = {"ActiveConnections": ("connectionId",), "MessageHistory": ("messageId", "timestamp"), "ChatRooms": ("room",)}
_INDEXES = {"ActiveConnections": ("room", "connectionId"), "MessageHistory": ("room", "seq")}
_PROJECTED = {"ActiveConnections": ("room", "connectionId", "name", "expiresAt")}


def refusal(code: str, operation: str, **more: Any) -> ClientError:
    """Return what botocore raises for a service's error."""
    response: Any = {"Error": {"Code": code, "Message": ""}, **more}
    return ClientError(response, operation)


@dataclass
class Units:
    """On-demand request units, as AWS counts them: a consistent read and a write cost one each 4 KB and 1 KB."""

    read: float = 0
    written: float = 0
    calls: list[str] = field(default_factory=list)

    def reads(self, item: Item | None, *, consistent: bool = True) -> None:
        self.read += max(1, -(-_size(item) // 4096)) * (1 if consistent else 0.5)

    def writes(self, *items: Item | None, transactional: bool = False) -> None:
        self.written += max(1, *(-(-_size(item) // 1024) for item in items)) * (2 if transactional else 1)


def _size(item: Item | None) -> int:
    """Return an item's bytes: names and values, a number by its digits (DynamoDB, item sizes)."""
    return sum(len(name) + len(str(value).encode()) for name, value in (item or {}).items())


class Table:
    """Items by their key, and an index that learns of each write a while later."""

    def __init__(self, name: str, lag: Callable[[], float], clock: Simulation) -> None:
        self.keys = _KEYS[name]
        self.items: dict[Key, Item] = {}
        self._index, self._projected = _INDEXES.get(name), _PROJECTED.get(name)
        self.units = Units()
        self._lag, self._clock = lag, clock
        self._shown: dict[Any, dict[Key, Item]] = defaultdict(dict)
        self._where: dict[Key, Any] = {}
        self._coming: dict[Key, list[tuple[float, Item | None]]] = {}

    def key(self, item: Item) -> Key:
        """Return an item's key."""
        return tuple(item[name] for name in self.keys)

    def put(self, key: Key, item: Item | None) -> None:
        """Put an item in place, or take it away."""
        before = self.items.get(key)
        if item is None:
            self.items.pop(key, None)
        else:
            self.items[key] = item
        if self._index is not None:
            self._count_index(before, item)
            coming = self._coming.setdefault(key, [])
            seen_at = max(coming[-1][0] if coming else 0, self._clock.now + self._lag())
            coming.append((seen_at, item))

    def _count_index(self, before: Item | None, after: Item | None) -> None:
        """Count what an index costs: nothing where it shows the same, two where the item moves within it."""
        old, new = self._entry(before), self._entry(after)
        if old != new:
            for entry in (old, new) if old and new and self._place(old) != self._place(new) else (new or old,):
                self.units.writes(entry)

    def _entry(self, item: Item | None) -> Item | None:
        if item is None or self._index is None or any(name not in item for name in self._index):
            return None
        return item if self._projected is None else {name: item[name] for name in self._projected if name in item}

    def _place(self, entry: Item) -> list[Any]:
        return [entry[name] for name in self._index or ()]

    def shown(self, partition: Any) -> list[Item]:
        """Return what the index shows of a partition by now, in order."""
        for key, coming in list(self._coming.items()):
            while coming and coming[0][0] <= self._clock.now:
                self._show(key, coming.pop(0)[1])
            if not coming:
                del self._coming[key]
        order = self._index or ("", "")
        return sorted(self._shown[partition].values(), key=lambda item: item[order[1]])

    def _show(self, key: Key, item: Item | None) -> None:
        self._shown[self._where.pop(key, None)].pop(key, None)
        if item is not None and self._index is not None and all(name in item for name in self._index):
            self._where[key] = item[self._index[0]]
            self._shown[self._where[key]][key] = item


class Store:
    """Stands in for botocore's client. Each call takes its time, and fails where the plan says so."""

    def __init__(self, simulation: Simulation, faults: Faults) -> None:
        self._clock = simulation
        self._faults = faults
        self._held: dict[tuple[str, Key], int] = {}
        self._transactions = itertools.count(1)
        self.tables = {name: Table(name, self._lag, simulation) for name in _KEYS}
        self.units = Units()
        for table in self.tables.values():
            table.units = self.units
        self.altered: Callable[[list[Item]], list[Item]] = lambda parts: parts
        """Alters the parts of a transaction: a defect made on purpose."""

    def _lag(self) -> float:
        draw = self._clock.random
        return draw.expovariate(1 / 0.03) if draw.random() < 0.95 else draw.uniform(0, 1.5)

    def _takes(self) -> None:
        slow = self._faults.strikes("call slow", 0.005)
        draw = self._clock.random
        self._clock.sleep(draw.uniform(0.5, 4) if slow else draw.expovariate(1 / 0.004))

    def _call(self, operation: str, act: Callable[[], Item]) -> Item:
        self.units.calls.append(operation)
        self._takes()
        with self._faults.around(operation):
            answer = act()
            self._takes()
        return answer

    def get_item(self, **given: Any) -> Item:
        table = self.tables[given["TableName"]]

        def read() -> Item:
            item = table.items.get(table.key(from_attributes(given["Key"])))
            self.units.reads(item)
            return {"Item": to_attributes(item)} if item else {}

        return self._call("GetItem", read)

    def batch_get_item(self, **given: Any) -> Item:
        def read() -> Item:
            found: Item = {}
            for name, wanted in given["RequestItems"].items():
                table = self.tables[name]
                assert wanted["ConsistentRead"]
                assert len({str(key) for key in wanted["Keys"]}) == len(wanted["Keys"]) <= 100
                items = [table.items.get(table.key(from_attributes(key))) for key in wanted["Keys"]]
                for item in items:
                    self.units.reads(item)
                found[name] = [to_attributes(item) for item in items if item]
            return {"Responses": found, "UnprocessedKeys": {}}

        return self._call("BatchGetItem", read)

    def query(self, **given: Any) -> Item:
        table = self.tables[given["TableName"]]
        values = from_attributes(given["ExpressionAttributeValues"])

        def read() -> Item:
            rows = table.shown(values[":room"])
            if ":first" in values:
                rows = [row for row in rows if values[":first"] <= row["seq"] <= values[":last"]]
            rows = rows if given.get("ScanIndexForward", True) else rows[::-1]
            rows = rows[: given.get("Limit")]
            self.units.reads({str(place): row for place, row in enumerate(rows)}, consistent=False)
            return {"Items": [to_attributes(row) for row in rows]}

        return self._call("Query", read)

    def put_item(self, **given: Any) -> Item:
        return self._write("PutItem", given)

    def update_item(self, **given: Any) -> Item:
        return self._write("UpdateItem", given)

    def delete_item(self, **given: Any) -> Item:
        return self._write("DeleteItem", given)

    def _write(self, operation: str, given: Item) -> Item:
        def write() -> Item:
            table, key, old, new = self._changed(given)
            if (given["TableName"], key) in self._held:
                raise refusal("TransactionConflictException", operation)
            if not _holds(given, old):
                raise refusal("ConditionalCheckFailedException", operation, **_shown(given, old))
            self.units.writes(old, new)
            table.put(key, new)
            seen = {"ALL_OLD": old, "ALL_NEW": new}.get(given.get("ReturnValues", ""))
            return {"Attributes": to_attributes(seen)} if seen else {}

        return self._call(operation, write)

    def transact_write_items(self, **given: Any) -> Item:
        parts = [next(iter(part.values())) for part in self.altered(given["TransactItems"])]

        def write() -> Item:
            places = [(part["TableName"], self._changed(part)[1]) for part in parts]
            reasons = [{"Code": "TransactionConflict" if place in self._held else "None"} for place in places]
            if any(reason["Code"] != "None" for reason in reasons):
                raise _cancelled(reasons)
            number = next(self._transactions)
            self._held.update(dict.fromkeys(places, number))
            self._clock.sleep(self._clock.random.expovariate(1 / 0.004))
            for place in places:
                del self._held[place]
            changed = [self._changed(part) for part in parts]
            reasons = [
                {"Code": "None"} if _holds(part, old) else {"Code": "ConditionalCheckFailed", **_shown(part, old)}
                for part, (_, _, old, _) in zip(parts, changed, strict=True)
            ]
            if any(reason["Code"] != "None" for reason in reasons):
                raise _cancelled(reasons)
            for table, key, old, new in changed:
                self.units.writes(old, new, transactional=True)
                table.put(key, new)
            return {}

        return self._call("TransactWriteItems", write)

    def _changed(self, given: Item) -> tuple[Table, Key, Item | None, Item | None]:
        """Return where a write goes, what is there, and what it would leave there."""
        table = self.tables[given["TableName"]]
        if "Item" in given:
            new = from_attributes(given["Item"])
            key = table.key(new)
            return table, key, table.items.get(key), new
        named = from_attributes(given["Key"])
        key = table.key(named)
        old = table.items.get(key)
        return table, key, old, _updated(given, old or named) if "UpdateExpression" in given else None


def _shown(given: Item, old: Item | None) -> Item:
    """Return what a refused write shows of what is there."""
    return {"Item": to_attributes(old)} if old and "ReturnValuesOnConditionCheckFailure" in given else {}


def _cancelled(reasons: list[Item]) -> ClientError:
    return refusal("TransactionCanceledException", "TransactWriteItems", CancellationReasons=reasons)


def _operand(text: str, given: Item, item: Item) -> Any:
    """Return the value of `:value`, `name`, `#name` or `name + :value`."""
    left, plus, right = text.partition(" + ")
    if plus:
        before = _operand(left, given, item)
        return None if before is None else before + _operand(right, given, item)
    if text.startswith(":"):
        return from_attributes({text: given["ExpressionAttributeValues"][text]})[text]
    return item.get(_name(text, given))


def _name(text: str, given: Item) -> str:
    return given["ExpressionAttributeNames"][text] if text.startswith("#") else text


_COMPARED: dict[str, Callable[[Any, Any], bool]] = {
    "<=": lambda left, right: left <= right,
    ">": lambda left, right: left > right,
}


def _holds(given: Item, old: Item | None) -> bool:
    """Tell whether a write's condition holds for what is there."""
    condition = given.get("ConditionExpression")
    if condition is None:
        return True
    item = old or {}

    def term(text: str) -> bool:
        absent = re.fullmatch(r"attribute_not_exists\((.+)\)", text)
        if absent:
            return _name(absent[1], given) not in item
        left, sign, right = text.split(" ")
        value = _operand(left, given, item)
        return value is not None and _COMPARED[sign](value, _operand(right, given, item))

    return any(all(term(one) for one in either.split(" AND ")) for either in condition.split(" OR "))


def _assignments(text: str) -> Iterator[tuple[str, str]]:
    for one in re.split(r", (?![^(]*\))", text):
        name, _, value = one.partition(" = ")
        yield name, value


def _updated(given: Item, item: Item) -> Item:
    """Return an item with an update carried out."""
    sets, _, adds = given["UpdateExpression"].removeprefix("SET ").partition(" ADD ")
    new = dict(item)
    for name, value in _assignments(sets):
        absent = re.fullmatch(r"if_not_exists\((.+), (.+)\)", value)
        if absent is None:
            new[_name(name, given)] = _operand(value, given, item)
        elif _name(absent[1], given) not in item:
            new[_name(name, given)] = _operand(absent[2], given, item)
    if adds:
        name, value = adds.split(" ")
        new[name] = item.get(name, 0) + _operand(value, given, item)
    return new
