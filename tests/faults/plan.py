"""Which call, which frame and which link fails, drawn from the run's seed."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random

from botocore.exceptions import EndpointConnectionError


class Killed(BaseException):
    """The function ended at this very call: out of time, out of memory, its machine gone."""


class Injected(EndpointConnectionError):
    """A call that failed, or whose answer was lost."""

    def __init__(self) -> None:
        super().__init__(endpoint_url="dynamodb")


@dataclass
class Faults:
    """`share` scales how often each kind happens; 0: never."""

    draw: Random
    share: float = 1.0
    counts: Counter[str] = field(default_factory=Counter)

    def strikes(self, kind: str, probability: float) -> bool:
        """Tell whether a fault happens now, and count it."""
        if self.draw.random() >= probability * self.share:
            return False
        self.counts[kind] += 1
        return True

    @contextmanager
    def around(self, operation: str) -> Iterator[None]:
        """Let a call fail before it is done, or after; or let its function end there."""
        if self.strikes(f"{operation} failed", 0.01):
            raise Injected
        if self.strikes("function ended before a call", 0.004):
            raise Killed
        yield
        if self.strikes(f"{operation} answer lost", 0.01):
            raise Injected
        if self.strikes("function ended after a call", 0.004):
            raise Killed
