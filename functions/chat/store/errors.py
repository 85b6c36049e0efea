"""Errors of the store."""

from typing import Any


class StoreError(Exception):
    """Base of the store's errors. botocore's errors (throttling, time-outs) pass through."""


class ConditionFailedError(StoreError):
    """A write's condition failed. `item` is the existing item; empty if there is none."""

    def __init__(self, item: dict[str, Any]) -> None:
        super().__init__("condition failed")
        self.item = item


class BusyError(StoreError):
    """A message found no free place in its room's log because other senders took each one first."""
