"""The errors of the store."""

from typing import Any


class StoreError(Exception):
    """Base of the store's own errors. Those of botocore (throttling, time-outs) pass through."""


class ConditionFailedError(StoreError):
    """A write was refused by its own condition. `item` is what stands there; empty if there is nothing."""

    def __init__(self, item: dict[str, Any]) -> None:
        super().__init__("condition failed")
        self.item = item


class BusyError(StoreError):
    """A message found no free place in its room's log, because others took each one first."""
