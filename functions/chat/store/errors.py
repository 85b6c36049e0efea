"""Errors of the store."""

from collections.abc import Mapping
from typing import Any


class StoreError(Exception):
    """Base of the store's errors. botocore's errors (throttling, time-outs) pass through."""


class ConditionFailedError(StoreError):
    """A write's condition failed. `item` is the existing item; empty if there is none."""

    def __init__(self, item: dict[str, Any]) -> None:
        super().__init__("condition failed")
        self.item = item


class TransactionFailedError(StoreError):
    """Conditions of a transaction failed. `failed` has the existing items by the writes' numbers, from 0."""

    def __init__(self, failed: Mapping[int, dict[str, Any]]) -> None:
        super().__init__("conditions of a transaction failed")
        self.failed = failed


class ConflictError(StoreError):
    """DynamoDB did not carry out a request in several tries: other writes of its items, or throttling."""

    def __init__(self) -> None:
        super().__init__("not carried out")


class BusyError(StoreError):
    """A message found no free place in its room's log because other senders took each one first."""
