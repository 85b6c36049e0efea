"""Counts DynamoDB capacity units by the rules of its developer guide.

Item sizes are names and values in UTF-8; a number takes about half a byte per digit. A read unit covers 4 KB, or 8 KB
if eventually consistent; a write unit covers 1 KB.
"""

import math
from typing import Any

Item = dict[str, dict[str, Any]]


def item_bytes(item: Item) -> int:
    """Return an item's size in bytes."""
    return sum(len(name.encode()) + _value_bytes(value) for name, value in item.items())


def _value_bytes(value: dict[str, Any]) -> int:
    if "N" in value:
        return len(value["N"].lstrip("-")) // 2 + 2
    if "SS" in value:
        return sum(len(one.encode()) for one in value["SS"])
    return len(value["S"].encode()) if "S" in value else 1


def read_units(size: int, *, consistent: bool) -> float:
    """Return the units for reading `size` bytes: an item, or a page of a query or a scan."""
    return math.ceil(max(1, size) / 4096) * (1 if consistent else 0.5)


def write_units(size: int) -> float:
    """Return the units for writing an item of `size` bytes."""
    return float(math.ceil(max(1, size) / 1024))
