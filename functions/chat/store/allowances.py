"""Rate limits per connection and per source address.

All connections of an address share one item of ChatRooms, so twenty sockets do not get twenty allowances. For each
limit it holds a shared state and one state per connection (`<limit>` and `<limit>#<connection id>`). One conditional
write counts both and removes lapsed states of other connections. The item is not read first: the container caches the
states that its last write returned. If they are out of date, the condition fails and returns the current ones.
"""

import hashlib
import ipaddress
from collections.abc import Callable, Mapping, MutableMapping
from types import MappingProxyType
from typing import NamedTuple

from chat.protocol import errors
from chat.schema import ACCOUNT_PREFIX
from chat.store.dynamodb import EXPIRY, Expression, Item, Table
from chat.store.errors import ConditionFailedError
from chat.store.rate_limit import RateLimit

_ITEM = "limits"
_CONNECTION_PREFIX = "connection#"
_MAX_TRIES = 5
_LIFETIME_SECONDS = 3600
_DIGEST_CHARACTERS = 24
_IPV6_PREFIX = 64
_MAX_REMOVED = 20
_MAX_SEEN = 1000
_FRESH_MS = 1000
_LAPSED_MS = 60_000


class Actor(NamedTuple):
    """Whose limits an action counts against: an address's or account's, and a connection's."""

    key: str
    """Key of the address's item, see `allowance_key`, or of the account's."""
    connection_id: str | None
    """None to count for the address only."""


class Seen(NamedTuple):
    """An address's cached states: theoretical arrival times in milliseconds, by attribute."""

    at_ms: int = 0
    tats: Mapping[str, int] = MappingProxyType({})


def allowance_key(address: str | None, connection_id: str) -> str:
    """Return the key of an address's item: a digest, so addresses are not stored in clear.

    IPv6 addresses count by /64, the size of one subscriber's network. A connection whose address is unknown or
    loopback (as in local runs) counts on its own.
    """
    network = _network(address) if address else None
    if network is None:
        return f"{_CONNECTION_PREFIX}{connection_id}"
    return f"address#{hashlib.sha256(network.encode()).hexdigest()[:_DIGEST_CHARACTERS]}"


def account_actor(user_id: str, connection_id: str) -> Actor:
    """Return whose limits a frame counts against that only accounts may send: its connection's and its account's."""
    return Actor(f"{ACCOUNT_PREFIX}{user_id}", connection_id)


def _network(address: str) -> str | None:
    """Return the network that an address counts as; None if it is loopback or not an address."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return None
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is None:
            if parsed.is_loopback:
                return None
            return str(ipaddress.ip_network((parsed.packed, _IPV6_PREFIX), strict=False))
        parsed = parsed.ipv4_mapped
    return None if parsed.is_loopback else str(parsed)


class Allowances:
    """The allowance items of ChatRooms.

    An address has `shared` times the allowance of one connection. `seen` is the container's cache of states.
    """

    def __init__(self, table: Table, now_ms: Callable[[], int], shared: int, seen: MutableMapping[str, Seen]) -> None:
        self._table = table
        self._now_ms = now_ms
        self._shared = shared
        self._seen = seen

    def count(self, actor: Actor, limit: RateLimit, cost: int = 1) -> None:
        """Count an action. Raises FrameError `rate_limited` without a write."""
        for _ in range(_MAX_TRIES):
            if self.attempt(actor, limit, cost):
                return
        raise errors.rate_limited(limit.interval_ms)  # so many concurrent frames are too many

    def attempt(self, actor: Actor, limit: RateLimit, cost: int = 1) -> bool:
        """Count an action in one write; return False if the cached states were out of date, and refresh them.

        Raises FrameError `rate_limited`.
        """
        states = self._states(actor, limit)
        if not states:
            return True
        now, seen = self._now_ms(), self._seen.get(actor.key, Seen())
        _check(states, seen, now)
        expression = Expression()
        sets, conditions, removed = [], [], []
        for alias, (attribute, state_limit) in zip(("shared", "own"), states.items(), strict=False):
            assignment, condition = state_limit.charge(
                expression, seen.tats.get(attribute, 0), now, cost=cost, attribute=attribute, alias=alias
            )
            sets.append(assignment)
            conditions.append(condition)
        for number, attribute in enumerate(_lapsed(seen, now, states)):
            name, bound = expression.name(attribute, f"lapsed{number}"), expression.value("lapsed", now)
            conditions.append(f"(attribute_not_exists({name}) OR {name} <= {bound})")
            removed.append(name)
        sets.append(f"{expression.name(EXPIRY)} = {expression.value('expiry', now // 1000 + _LIFETIME_SECONDS)}")
        update = f"SET {', '.join(sets)}" + (f" REMOVE {', '.join(removed)}" if removed else "")
        try:
            item = self._table.update(
                {"room": actor.key, "item": _ITEM}, update, expression, condition=" AND ".join(conditions)
            )
        except ConditionFailedError as failed:
            _check(states, self._remember(actor.key, failed.item, now), now)
            return False
        self._remember(actor.key, item, now)
        return True

    def _states(self, actor: Actor, limit: RateLimit) -> dict[str, RateLimit]:
        """Return the limits that an action counts against, by attribute."""
        states: dict[str, RateLimit] = {}
        if not actor.key.startswith(_CONNECTION_PREFIX):
            states[limit.attribute] = limit.times(self._shared)
        if actor.connection_id is not None:
            states[f"{limit.attribute}#{actor.connection_id}"] = limit
        return states

    def _remember(self, key: str, item: Item, now: int) -> Seen:
        if len(self._seen) >= _MAX_SEEN:
            self._seen.clear()
        tats = {name: value for name, value in item.items() if isinstance(value, int) and name != EXPIRY}
        seen = self._seen[key] = Seen(now, tats)
        return seen


def _check(states: Mapping[str, RateLimit], seen: Seen, now: int) -> None:
    """Raise FrameError `rate_limited` if a state forbids an action now. States never fall, so cached ones suffice."""
    wait_ms = max(limit.wait_ms(seen.tats.get(attribute, 0), now) for attribute, limit in states.items())
    if wait_ms:
        raise errors.rate_limited(wait_ms)


def _lapsed(seen: Seen, now: int, changed: Mapping[str, RateLimit]) -> list[str]:
    """Return other connections' states that lie in the past and have probably not changed since they were cached."""
    is_fresh = now - seen.at_ms <= _FRESH_MS
    lapsed = [
        attribute
        for attribute, tat in seen.tats.items()
        if "#" in attribute and attribute not in changed and tat <= (now if is_fresh else seen.at_ms - _LAPSED_MS)
    ]
    return lapsed[:_MAX_REMOVED]
