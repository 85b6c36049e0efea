"""DynamoDB's units for a request, by the rules of its developer guide.

Item sizes: names and values in UTF-8 bytes, about half a byte a digit of a number. A read unit is 4 KB, and half a unit
when eventually consistent; a write unit is 1 KB.
"""

import math
from collections.abc import Iterable
from typing import Any

Item = dict[str, dict[str, Any]]


def item_bytes(item: Item) -> int:
    """Return an item's size."""
    return sum(len(name.encode()) + _value_bytes(value) for name, value in item.items())


def _value_bytes(value: dict[str, Any]) -> int:
    if "N" in value:
        return len(value["N"].lstrip("-")) // 2 + 2
    if "SS" in value:
        return sum(len(one.encode()) for one in value["SS"])
    return len(value["S"].encode()) if "S" in value else 1


def read_units(size: int, *, consistent: bool) -> float:
    """Return the units of reading so many bytes at once: an item, or a page of a query or a scan."""
    return math.ceil(max(1, size) / 4096) * (1 if consistent else 0.5)


def write_units(size: int) -> float:
    """Return the units of writing an item of so many bytes."""
    return float(math.ceil(max(1, size) / 1024))


def page_units(items: Iterable[Item], *, consistent: bool) -> float:
    """Return the units of one page of a query or a scan."""
    return read_units(sum(item_bytes(item) for item in items), consistent=consistent)
