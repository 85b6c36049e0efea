"""How often a connection may act: the generic cell rate algorithm (GCRA, ITU-T I.371).

A limit's whole state is one number, the theoretical arrival time (`tat`) in milliseconds since 1970: when the
connection will have used up nothing any more.
"""

from typing import NamedTuple

from chat.store.dynamodb import Expression

BYTES_PER_UNIT = 1024
"""A message costs one unit of its allowance, and one more for each so many bytes."""

_CLOCK_MARGIN_MS = 60_000
"""By how much clocks may differ. A state beyond that and the limit's own reach comes from a clock since set back."""

_MAX_COST = 16
"""Units that one action costs at most: a message of 4,000 characters of 4 bytes."""


class RateLimit(NamedTuple):
    """`burst` actions at once, then one each `interval_ms`. `attribute` of an item holds the state.

    `sharing` is by how much more the connections of one address may act together than the deployment sets for all
    limits.
    """

    attribute: str
    burst: int
    interval_ms: int
    sharing: int = 1

    @property
    def tolerance_ms(self) -> int:
        """How far ahead of the clock the state may run before an action."""
        return (self.burst - 1) * self.interval_ms

    def times(self, factor: int) -> "RateLimit":
        """Return the limit of an address whose connections may act so many times as often as one alone."""
        factor *= self.sharing
        return self._replace(burst=self.burst * factor, interval_ms=max(1, round(self.interval_ms / factor)))

    def wait_ms(self, tat: int, now_ms: int) -> int:
        """Return how long to wait before the next action; 0 if it may be done now."""
        return 0 if self._is_void(tat, now_ms) else max(0, tat - self.tolerance_ms - now_ms)

    def charge(  # noqa: PLR0913 - where it is kept, and what it costs
        self,
        expression: Expression,
        tat: int,
        now_ms: int,
        *,
        cost: int = 1,
        attribute: str | None = None,
        alias: str = "",
    ) -> tuple[str, str]:
        """Return the assignment that counts one action of a cost, and the condition under which it is exact.

        `tat` is the state that was read. The two forms keep two actions at once exact: if the state runs ahead of the
        clock, counting adds to it; if it lags behind, counting begins at now. What costs more than is left is allowed,
        and the next action waits for longer. `attribute` and `alias` are for an item with several states.
        """
        name = expression.name(self.attribute) if attribute is None else expression.name(attribute, alias)
        charged_ms = self.interval_ms * cost
        if self._is_void(tat, now_ms):
            following = expression.value(f"{alias}following", now_ms + charged_ms)
            return f"{name} = {following}", f"{name} > {expression.value(f'{alias}reach', self._reach_ms(now_ms))}"
        now = expression.value(f"{alias}now", now_ms)
        if tat > now_ms:
            charged = expression.value(f"{alias}charged", charged_ms)
            bound = expression.value(f"{alias}bound", now_ms + self.tolerance_ms)
            return f"{name} = {name} + {charged}", f"{name} > {now} AND {name} <= {bound}"
        following = expression.value(f"{alias}following", now_ms + charged_ms)
        return f"{name} = {following}", f"(attribute_not_exists({name}) OR {name} <= {now})"

    def _is_void(self, tat: int, now_ms: int) -> bool:
        return tat > self._reach_ms(now_ms)

    def _reach_ms(self, now_ms: int) -> int:
        return now_ms + (self.burst + _MAX_COST) * self.interval_ms + _CLOCK_MARGIN_MS


JOINS = RateLimit("joinTat", burst=10, interval_ms=500)
"""`join` and `leave`; counted on the connection's row."""

HISTORY = RateLimit("historyTat", burst=40, interval_ms=250)
TYPING = RateLimit("typingTat", burst=3, interval_ms=1500)

PINGS = RateLimit("pingTat", burst=10, interval_ms=1000, sharing=4)
"""A page asks every 8 to 9 s who is there, so that 170 of them behind one address come to 20 pings a second."""

CONNECTS = RateLimit("connectTat", burst=12, interval_ms=50_000)
"""New connections; counted for an address only: 60 at once, then one each 10 s, if it has 5 allowances."""


def messages(burst: int, per_second: float) -> RateLimit:
    """Return the limit of `sendmessage`, which the deployment sets."""
    return RateLimit("messageTat", burst=burst, interval_ms=max(1, round(1000 / per_second)))


def message_cost(text: str) -> int:
    """Return how many units of its allowance a message costs: what it takes to store and to carry grows with it."""
    return 1 + len(text.encode()) // BYTES_PER_UNIT
