"""Decides from the run's seed which calls, frames and sockets fail."""

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random

from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError

from tests.fakes.dynamodb import Call, Interceptor, Item, KilledError, carry_out, throttle
from tests.faults.simulation import Simulation

INJECTED = (EndpointConnectionError.__name__, ReadTimeoutError.__name__)
"""Names of the errors that faults raise in the functions."""


@dataclass
class Faults:
    """`share` scales the probability of every fault; 0: none. `defect` alters calls before faults do."""

    simulation: Simulation
    share: float = 1.0
    counts: Counter[str] = field(default_factory=Counter)
    defect: Interceptor = carry_out

    @property
    def draw(self) -> Random:
        """The run's source of randomness."""
        return self.simulation.random

    def strikes(self, kind: str, probability: float) -> bool:
        """Return whether a fault happens now, and count it."""
        if self.draw.random() >= probability * self.share:
            return False
        self.counts[kind] += 1
        return True

    def call_seconds(self) -> float:
        """Return how long a DynamoDB call takes."""
        slow = self.strikes("call slow", 0.005)
        return self.draw.uniform(0.5, 4) if slow else self.draw.expovariate(1 / 0.008)

    def intercept(self, call: Call, send: Callable[[], Item]) -> Item:
        """Make a call fail before or after it takes effect, happen twice or late, or kill its function."""
        operation = call.operation
        if self.strikes(f"{operation} never arrived", 0.007):
            raise EndpointConnectionError(endpoint_url="dynamodb")
        if self.strikes(f"{operation} throttled", 0.003):
            return throttle(call, send)
        if self.strikes("function killed before a call", 0.004):
            raise KilledError
        if self.strikes(f"{operation} sent twice", 0.01):
            with suppress(ClientError):
                self.defect(call, send)
            self.simulation.sleep(self.draw.uniform(0.05, 3))
        elif "ConditionExpression" in call.request and self.strikes(f"{operation} repeated late", 0.01):
            self.simulation.after(self.draw.uniform(0.05, 10), lambda: self._repeat(call, send))
        answer = self.defect(call, send)
        if self.strikes(f"{operation} response lost", 0.01):
            raise ReadTimeoutError(endpoint_url="dynamodb")
        if self.strikes("function killed after a call", 0.004):
            raise KilledError
        return answer

    def _repeat(self, call: Call, send: Callable[[], Item]) -> None:
        with suppress(ClientError):
            self.defect(call, send)
