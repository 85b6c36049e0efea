"""What DynamoDB counts for a request: the rules of its developer guide, on the requests as they are sent.

Item sizes: names and values in UTF-8 bytes, about half a byte a digit of a number. A read unit is 4 KB, half of it when
eventually consistent; a write unit is 1 KB, twice that in a transaction. An index costs a write of its own when one of
its attributes is written, and is read by the size of its own items.
"""

import math
from collections.abc import Iterable
from typing import Any

Item = dict[str, dict[str, Any]]

# What an index holds besides the key, as components/chat_tables.py makes it; None: all.
INDEXED: dict[str, tuple[str, ...] | None] = {
    "ActiveConnections": ("connectionId", "room", "name", "expiresAt"),
    "MessageHistory": None,
}


def item_bytes(item: Item) -> int:
    """Return an item's size."""
    return sum(len(name.encode()) + _value_bytes(value) for name, value in item.items())


def _value_bytes(value: dict[str, Any]) -> int:
    if "N" in value:
        return len(value["N"].lstrip("-")) // 2 + 2
    return len(value["S"].encode()) if "S" in value else 1


def in_index(table: str, item: Item) -> Item | None:
    """Return the item as the table's index holds it; None where it has none."""
    if table not in INDEXED or "room" not in item:
        return None
    kept = INDEXED[table]
    return item if kept is None else {name: item[name] for name in kept if name in item}


def read_units(size: int, *, consistent: bool) -> float:
    """Return the units of reading so many bytes at once: an item, or a page of a query or a scan."""
    return math.ceil(max(1, size) / 4096) * (1 if consistent else 0.5)


def write_units(size: int, *, transaction: bool = False) -> float:
    """Return the units of writing an item of so many bytes."""
    return math.ceil(max(1, size) / 1024) * (2 if transaction else 1)


def put_units(table: str, item: Item, *, transaction: bool = False) -> float:
    """Return the units of writing a new item, its index's included (which is written once, after the commit)."""
    indexed = in_index(table, item)
    return write_units(item_bytes(item), transaction=transaction) + (write_units(item_bytes(indexed)) if indexed else 0)


def page_units(items: Iterable[Item]) -> float:
    """Return the units of one page of a query or a scan, eventually consistent."""
    return read_units(sum(item_bytes(item) for item in items), consistent=False)
