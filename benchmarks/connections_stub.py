"""A stub of @connections in its own process, with latency, the account's limit and bad peers.

The first letter of a connection id is its kind: `h`ealthy, `g`one (410), `s`low, or `t`hrottled (429 for a while after
its first post).
"""

import json
import sys
import time
from dataclasses import dataclass, field
from typing import Any

from benchmarks.server import Server, response

OK, GONE, LIMIT = response(200), response(410, b'{"message":"GoneException"}'), response(429, b'{"message":null}')
MESSAGE = b'"type":"message"'
"""Only posts of messages are counted, not the presence frames that follow."""


@dataclass
class Limit:
    """The account's limit as a token bucket; 0 per second: no limit.

    API Gateway quotas: 10,000 per second, burst 5,000.
    """

    per_second: float = 0
    burst: float = 0
    tokens: float = 0
    at: float = 0

    def take(self, now: float) -> bool:
        """Count a request; return whether it is within the limit."""
        if not self.per_second:
            return True
        self.tokens = min(self.burst, self.tokens + (now - self.at) * self.per_second)
        self.at = now
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True


@dataclass
class Endpoint:
    """Decides each response and counts."""

    latency: float = 0.01
    slow: float = 2.0
    throttled_for: float = 0.3
    limit: Limit = field(default_factory=Limit)
    delivered: int = 0
    healthy: int = 0
    gone: int = 0
    limited: int = 0
    first: float = 0
    last_healthy: float = 0
    seen: dict[bytes, float] = field(default_factory=dict)

    def answer(self, path: bytes, body: bytes, now: float) -> tuple[bytes, float]:
        """Return the response to a post and its delay in seconds."""
        kind = path[path.rfind(b"/") + 1 :][:1]
        if not self.limit.take(now):
            self.limited += 1
            return LIMIT, self.latency
        if kind == b"g":
            self.gone += 1
            return GONE, self.latency
        if kind == b"t" and now - self.seen.setdefault(path, now) < self.throttled_for:
            self.limited += 1
            return LIMIT, self.latency
        delay = self.slow if kind == b"s" else self.latency
        if MESSAGE in body:
            self.delivered += 1
            self.first = self.first or now + delay
            if kind == b"h":
                self.healthy += 1
                self.last_healthy = now + delay
        return OK, delay

    def counts(self) -> dict[str, Any]:
        """Return the counts; times are of the monotonic clock, which all processes share."""
        return {
            name: getattr(self, name) for name in ("delivered", "healthy", "gone", "limited", "first", "last_healthy")
        } | {"cpu": time.process_time()}


def endpoint_of(settings: dict[str, Any]) -> Endpoint:
    """Return a new endpoint."""
    limit = Limit(settings.pop("per_second", 0), settings.pop("burst", 0))
    limit.tokens, limit.at = limit.burst, time.monotonic()
    return Endpoint(limit=limit, **settings)


def main() -> None:
    """Serve. An order contains settings to restart with, or is empty to get the counts."""
    start = json.loads(sys.argv[1])
    endpoint = Endpoint()

    def order(settings: dict[str, Any]) -> dict[str, Any]:
        nonlocal endpoint
        if settings:
            endpoint = endpoint_of(settings)
        return endpoint.counts()

    Server(lambda path, _, body: endpoint.answer(path, body, time.monotonic()), order, start.get("certificate")).run()


if __name__ == "__main__":
    main()
