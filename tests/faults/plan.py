"""Which call, which frame and which socket fails, drawn from the run's seed."""

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random

from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError

from tests.fakes.dynamodb import Call, Interceptor, Item, KilledError, carry_out, throttle
from tests.faults.simulation import Simulation

INJECTED = (EndpointConnectionError.__name__, ReadTimeoutError.__name__)
"""Errors that the functions may meet: those that a fault here raises."""


@dataclass
class Faults:
    """`share` scales how often each kind happens; 0: never. `defect` alters the calls before any fault does."""

    simulation: Simulation
    share: float = 1.0
    counts: Counter[str] = field(default_factory=Counter)
    defect: Interceptor = carry_out

    @property
    def draw(self) -> Random:
        """The run's chance."""
        return self.simulation.random

    def strikes(self, kind: str, probability: float) -> bool:
        """Tell whether a fault happens now, and count it."""
        if self.draw.random() >= probability * self.share:
            return False
        self.counts[kind] += 1
        return True

    def call_seconds(self) -> float:
        """Return how long a call of DynamoDB takes."""
        slow = self.strikes("call slow", 0.005)
        return self.draw.uniform(0.5, 4) if slow else self.draw.expovariate(1 / 0.008)

    def intercept(self, call: Call, send: Callable[[], Item]) -> Item:
        """Let a call fail before it is carried out, or after; twice; late; or let its function end there."""
        operation = call.operation
        if self.strikes(f"{operation} never arrived", 0.007):
            raise EndpointConnectionError(endpoint_url="dynamodb")
        if self.strikes(f"{operation} throttled", 0.003):
            return throttle(call, send)
        if self.strikes("function ended before a call", 0.004):
            raise KilledError
        if self.strikes(f"{operation} sent twice", 0.01):
            with suppress(ClientError):
                self.defect(call, send)
            self.simulation.sleep(self.draw.uniform(0.05, 3))
        elif "ConditionExpression" in call.request and self.strikes(f"{operation} came again late", 0.01):
            self.simulation.after(self.draw.uniform(0.05, 10), lambda: self._again(call, send))
        answer = self.defect(call, send)
        if self.strikes(f"{operation} answer lost", 0.01):
            raise ReadTimeoutError(endpoint_url="dynamodb")
        if self.strikes("function ended after a call", 0.004):
            raise KilledError
        return answer

    def _again(self, call: Call, send: Callable[[], Item]) -> None:
        with suppress(ClientError):
            self.defect(call, send)
