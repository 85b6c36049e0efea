"""Waiting out other writers of the same item. It knows no table.

While a transaction holds an item, DynamoDB refuses other writes of it with TransactionConflictException. botocore does
not try that again, and moto never answers it.
"""

import random
import time
from collections.abc import Callable
from typing import TypeVar

from chat.clients import error_code

Answer = TypeVar("Answer")
TRIES = 8


def pause(attempt: int) -> None:
    """Wait up to 20 ms, doubled with each attempt (from 0), at most a second: full jitter."""
    time.sleep(random.uniform(0, min(1, 0.02 * 2**attempt)))  # noqa: S311 - jitter is no secret


def insist(write: Callable[[], Answer]) -> Answer:
    """Return the answer of a write, tried again while a transaction holds its item."""
    for attempt in range(TRIES - 1):
        try:
            return write()
        except Exception as error:
            if error_code(error) != "TransactionConflictException":
                raise
        pause(attempt)
    return write()
