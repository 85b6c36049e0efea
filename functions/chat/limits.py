"""How often a connection may act: the generic cell rate algorithm, on numbers alone. It knows no store.

A limit's whole state is one number, the theoretical arrival time (`tat`) in milliseconds: when the connection will have
used up nothing again. (ITU-T I.371; the name is the algorithm's.)
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limit:
    """`burst` actions at once, then one each `interval_ms`; `attribute` holds the state in the connection's row."""

    attribute: str
    burst: int
    interval_ms: int

    @property
    def tolerance_ms(self) -> int:
        """How far ahead of the clock the state may run."""
        return (self.burst - 1) * self.interval_ms

    def wait_ms(self, tat: int, now_ms: int) -> int:
        """Return how long to wait before the next action; 0: it may be done now."""
        return max(0, tat - self.tolerance_ms - now_ms)


PINGS = Limit("tatPing", burst=10, interval_ms=1000)
TYPING = Limit("tatTyping", burst=3, interval_ms=1500)
JOINS = Limit("tatJoin", burst=10, interval_ms=500)
HISTORY = Limit("tatHistory", burst=40, interval_ms=250)


def messages(burst: int, per_second: float) -> Limit:
    """Return the limit for messages, which a deployment sets."""
    return Limit("tatMessage", burst=burst, interval_ms=max(1, round(1000 / per_second)))
