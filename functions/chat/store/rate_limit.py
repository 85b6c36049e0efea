"""Rate limits by the generic cell rate algorithm (GCRA, ITU-T I.371).

The state of a limit is one number, the theoretical arrival time (`tat`) in milliseconds since 1970: when the full burst
will be available again.
"""

from typing import NamedTuple

from chat.store.dynamodb import Expression

BYTES_PER_UNIT = 1024
"""A message costs one unit of the allowance, plus one per this many bytes."""

_CLOCK_MARGIN_MS = 60_000
"""Largest clock skew. A state beyond this and the limit's own reach comes from a clock that has been set back."""

_MAX_COST = 16
"""Largest cost of one action in units: a message of 4,000 characters of 4 bytes."""


class RateLimit(NamedTuple):
    """`burst` actions at once, then one per `interval_ms`. The item's `attribute` holds the state.

    `sharing` multiplies the deployment's allowance for all connections of one address.
    """

    attribute: str
    burst: int
    interval_ms: int
    sharing: int = 1

    @property
    def tolerance_ms(self) -> int:
        """How far ahead of the clock the state may be before an action."""
        return (self.burst - 1) * self.interval_ms

    def times(self, factor: int) -> "RateLimit":
        """Return the limit of an address with `factor` times the allowance of one connection."""
        factor *= self.sharing
        return self._replace(burst=self.burst * factor, interval_ms=max(1, round(self.interval_ms / factor)))

    def wait_ms(self, tat: int, now_ms: int) -> int:
        """Return how long to wait before the next action, in milliseconds; 0 if it is allowed now."""
        return 0 if self._is_void(tat, now_ms) else max(0, tat - self.tolerance_ms - now_ms)

    def charge(  # noqa: PLR0913 - the state, its attribute and the cost
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

        `tat` is the state that was read. Concurrent actions stay exact: a state ahead of the clock is increased, and a
        state in the past is replaced by one that starts now. An action that costs more than is left is allowed, and
        the next one waits longer. `attribute` and `alias` are for an item with several states.
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
"""Limit of `join` and `leave`; its state is on the connection's row."""

HISTORY = RateLimit("historyTat", burst=40, interval_ms=250)
TYPING = RateLimit("typingTat", burst=3, interval_ms=1500)

PINGS = RateLimit("pingTat", burst=10, interval_ms=1000, sharing=4)
"""Each page pings every 7.5 to 8.5 s, so 170 pages behind one address send 20 pings a second."""

SIGN_INS = RateLimit("signInTat", burst=6, interval_ms=10_000, sharing=4)
"""Limit of `signin` and `signout`. A page signs in once a connection and once an hour; an office may be
behind one address: 120 at once, then two a second, at 5 allowances per address."""

CONNECTS = RateLimit("connectTat", burst=12, interval_ms=50_000)
"""Limit of new connections, per address only: 60 at once, then one per 10 s, at 5 allowances per address."""


OPENS = RateLimit("openTat", burst=20, interval_ms=1000)
"""Limit of `join` and `leave` of private rooms, counted before the room is looked up."""

LISTS = RateLimit("listTat", burst=20, interval_ms=5000)
"""Limit of `members`, which reads the names of up to 100 accounts."""

ROOM_LISTS = RateLimit("roomListTat", burst=10, interval_ms=20_000)
"""Limit of `rooms`, and of `decline` and `block`, which it answers too: it reads up to 100 rooms."""

RENAMES = RateLimit("renameTat", burst=3, interval_ms=60_000)
"""Limit of `profile`, which writes to all connections of the account and to all their rooms."""

READS = RateLimit("readTat", burst=20, interval_ms=500)
CHANGES = RateLimit("changeTat", burst=20, interval_ms=1000)
"""Limit of the frames that change a private room or its members."""

CREATIONS = RateLimit("createTat", burst=10, interval_ms=5000)
"""Limit of new private rooms and of `direct`."""

INVITATIONS = RateLimit("inviteTat", burst=10, interval_ms=6000)
"""Limit of invitations, by name and by link: 10 a minute."""

ACCEPTANCES = RateLimit("acceptTat", burst=10, interval_ms=10_000)
"""Limit of `accept`: of the frames that an outsider can send, the one that costs the most, a failing transaction."""


def messages(burst: int, per_second: float) -> RateLimit:
    """Return the limit of `sendmessage`, which the deployment configures."""
    return RateLimit("messageTat", burst=burst, interval_ms=max(1, round(1000 / per_second)))


def message_cost(text: str) -> int:
    """Return the cost of a message in units, which grows with its size as storage and delivery do."""
    return 1 + len(text.encode()) // BYTES_PER_UNIT
