"""A pool of keep-alive connections to one endpoint."""

import math
import ssl
from collections import deque
from typing import Final

from chat.push.connection import Connection
from chat.push.network import Address, Network

MAX_CONNECTIONS: Final = 800
"""Lambda allows 1,024 file descriptors (Lambda quotas)."""

_MIN_MOVING: Final = 8
_MAX_MOVING: Final = 256  # enough for 8,000 posts a second at 30 ms; at 10 ms, more than a CPU can do
_MAX_CONNECTING: Final = 32
_HANDSHAKE_SECONDS: Final = 0.0005  # of CPU, measured: docs/benchmarks.md
_INITIAL_LATENCY_SECONDS: Final = 0.01
_SEND_SECONDS: Final = 0.5
_STALLED_SECONDS: Final = 0.1
_ADDRESS_SECONDS: Final = 30.0

SWEEP_SECONDS: Final = _STALLED_SECONDS / 4
"""How often `sweep` is worth calling."""


class ConnectionPool:
    """Connections to `host`, encrypted if `tls` is given. Requests time out after `answer_seconds`."""

    def __init__(
        self, network: Network, host: str, port: int, *, tls: ssl.SSLContext | None, answer_seconds: float
    ) -> None:
        self._network = network
        self._host = host
        self._port = port
        self._tls = tls
        self._answer_seconds = answer_seconds
        self._selector = network.selector()
        self._idle: list[Connection] = []
        self._busy: dict[Connection, None] = {}  # ordered by the start of their requests
        self._connecting: list[Connection] = []
        self._stalled: set[Connection] = set()
        self._latency = _INITIAL_LATENCY_SECONDS
        self._answered = 0
        self._addresses: deque[Address] = deque()
        self._resolved_at = -math.inf

    def __repr__(self) -> str:
        return f"<ConnectionPool {len(self._busy)} busy, {len(self._idle)} idle>"

    @property
    def connections(self) -> list[Connection]:
        """All open connections."""
        return [*self._busy, *self._idle]

    def has_idle(self) -> bool:
        """Return whether a request can be sent without opening a connection."""
        return bool(self._idle)

    def has_busy(self) -> bool:
        """Return whether any request is in flight."""
        return bool(self._busy)

    def all_sent(self, now: float) -> bool:
        """Return whether every request in flight has been handed to the network, or has taken too long to wait for."""
        return all(one.is_sent() or now - one.started > _SEND_SECONDS for one in self._busy)

    def may_open(self, posts: int) -> bool:
        """Return whether another connection is worth its handshake, for a frame with `posts` posts and none idle.

        n posts over k connections take n / k * latency plus k handshakes of CPU time; the minimum is at
        k = sqrt(n * latency / handshake). Connections that wait for slow peers don't count, because they delay no
        others. Few connect at once, so the open ones are served in between. When the token bucket is the limit,
        connections are idle and no more are needed.
        """
        worth_opening = math.sqrt(posts * self._latency / _HANDSHAKE_SECONDS)
        moving = len(self._busy) - len(self._stalled)
        if len(self._busy) >= MAX_CONNECTIONS or moving >= max(_MIN_MOVING, min(worth_opening, _MAX_MOVING)):
            return False
        self._connecting = [connection for connection in self._connecting if connection.is_connecting()]
        return len(self._connecting) < _MAX_CONNECTING

    def start(self, recipient: str, request: bytes, now: float, *, fresh: bool) -> None:
        """Send a request over an idle connection, or over a new one if none is idle or `fresh` is set.

        Raises ConnectionBrokenError if the connection breaks, and OSError if none can be opened.
        """
        connection = self._open() if fresh or not self._idle else self._idle.pop()
        connection.start(recipient, request, now, self._answered)
        self._busy[connection] = None

    def ready(self, wait_seconds: float) -> list[Connection]:
        """Wait for connections that can continue and return them. Close idle ones that the peer closed."""
        ready: list[Connection] = []
        for key, _ in self._selector.select(wait_seconds):
            connection: Connection = key.data
            if connection.is_idle():  # readable while idle: the peer closed it
                self._idle.remove(connection)
                connection.close()
            else:
                ready.append(connection)
        return ready

    def release(self, connection: Connection, now: float) -> None:
        """Return a connection to the pool after a complete response."""
        self._forget(connection)
        self._answered += 1
        if connection.responses > 1:  # the first response includes the handshake
            self._update_latency(now - connection.started)
        if connection.is_idle():
            self._idle.append(connection)

    def discard(self, connection: Connection) -> None:
        """Close a connection and abandon its request."""
        self._forget(connection)
        connection.close()

    def sweep(self, now: float) -> list[str]:
        """Mark connections that wait for slow peers; close those that timed out and return their recipients."""
        unanswered = [one for one in self._busy if now - one.started > self._answer_seconds]
        for connection in unanswered:
            self.discard(connection)
        patience = max(_STALLED_SECONDS, 4 * self._latency)
        overtaken = self._answered - 2 * len(self._busy)
        self._stalled = {
            connection
            for connection in self._busy
            if connection.is_stalled(now, patience, overtaken=connection.answered_before < overtaken)
        }
        return [connection.recipient for connection in unanswered]

    def drop_stale(self) -> None:
        """Close idle connections that have expired or that the peer has closed."""
        now = self._network.time()
        for connection in self._idle:
            if connection.has_expired(now):
                connection.close()
        self._idle = [connection for connection in self._idle if not connection.is_closed()]
        self.ready(0)

    def abandon_busy(self) -> list[str]:
        """Close every connection with a request in flight; return the recipients."""
        recipients = [connection.recipient for connection in self._busy]
        for connection in list(self._busy):
            self.discard(connection)
        return recipients

    def close(self) -> None:
        """Close every connection and the selector."""
        for connection in self.connections:
            connection.close()
        self._selector.close()

    def _open(self) -> Connection:
        stream = self._network.connect(self._next_address(), self._host, self._tls)
        connection = Connection(self._network, self._selector, stream)
        self._connecting.append(connection)
        return connection

    def _forget(self, connection: Connection) -> None:
        del self._busy[connection]
        self._stalled.discard(connection)

    def _next_address(self) -> Address:
        """Return the host's addresses in turn, so posts that fail at a dead one are retried at the next."""
        now = self._network.time()
        if abs(now - self._resolved_at) > _ADDRESS_SECONDS:
            self._addresses = deque(self._network.resolve(self._host, self._port))
            self._resolved_at = now
        self._addresses.rotate()
        return self._addresses[0]

    def _update_latency(self, seconds: float) -> None:
        """Step towards the lower quartile, which excludes the delays of slow peers and a busy CPU."""
        step = 0.997 if seconds < self._latency else 1.001
        self._latency = min(self._latency * step, _STALLED_SECONDS)
