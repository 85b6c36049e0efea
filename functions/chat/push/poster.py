"""Posts one frame to many connections: one thread, many keep-alive sockets.

Why not boto3, threads or more functions: docs/decisions/0005. A post whose connection breaks before any byte of the
response is resent once over a fresh one, so a peer may receive a frame twice; clients drop duplicates by seq.
"""

import ssl
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from chat.push.backlog import Backlog
from chat.push.errors import ConnectionBrokenError
from chat.push.network import Network, SystemNetwork
from chat.push.pool import SWEEP_SECONDS, ConnectionPool
from chat.push.request import Endpoint, PostRequests
from chat.push.retry import RetryPolicy
from chat.push.sigv4 import Credentials, Signer
from chat.push.token_bucket import TokenBucket

BURST_SECONDS: Final = 0.5
"""Burst as seconds of the rate; the account's burst is 5,000 at 10,000 a second (API Gateway quotas)."""

_MAX_WAIT_SECONDS: Final = 0.05


@dataclass(frozen=True, slots=True)
class Outcome:
    """How many connections received the frame, and which did not, by reason."""

    delivered: int
    gone: list[str]
    """Answered with 410: permanently closed."""
    throttled: list[str]
    """Answered with 429 on the last try."""
    failed: list[str]
    """All others: broken, timed out, refused, or unfinished at the deadline."""
    cut_short: bool = False
    """Whether the deadline came before all ids were read; unread ids are in none of the lists."""


class Poster:
    """Keeps connections, signing key and token bucket between frames. Not thread-safe.

    `callback_url` is the @connections URL without the connection id, http or https; others raise ValueError.
    `credentials` is called once a frame. `posts_per_second` is a ceiling below the account's 10,000 (API Gateway
    quotas). Posts time out after `answer_seconds`. `tls` replaces the system's certificate authorities.
    """

    def __init__(  # noqa: PLR0913 - settings, most with defaults
        self,
        callback_url: str,
        *,
        credentials: Callable[[], Credentials],
        region: str,
        posts_per_second: float = 8000,
        answer_seconds: float = 5.0,
        tls: ssl.SSLContext | None = None,
        network: Network | None = None,
    ) -> None:
        network = network or SystemNetwork()
        self._endpoint = Endpoint.parse(callback_url)
        self._credentials = credentials
        self._region = region
        self._signer: Signer | None = None
        self._network = network
        self._bucket = TokenBucket(posts_per_second, posts_per_second * BURST_SECONDS)
        self._retry_policy = RetryPolicy(network.rng)
        self._pool = ConnectionPool(
            network,
            self._endpoint.host,
            self._endpoint.port,
            tls=(tls or network.default_tls()) if self._endpoint.is_secure else None,
            answer_seconds=answer_seconds,
        )

    def post(self, connection_ids: Iterable[str], frame: bytes, *, deadline: float) -> Outcome:
        """Post a frame to each connection until `deadline`, in seconds of the monotonic clock.

        The first post is sent before the second id is read; the other ids are read while posts are in flight. Peer and
        network errors are not raised. An error of the ids' iterator is raised after the ids before it are served.
        """
        return self._request_each(connection_ids, PostRequests(self._endpoint, self._current_signer(), frame), deadline)

    def close_sockets(self, connection_ids: Iterable[str], *, deadline: float) -> Outcome:
        """Close connections as `post` posts to them; those that are closed already count as gone."""
        requests = PostRequests(self._endpoint, self._current_signer(), b"", "DELETE")
        return self._request_each(connection_ids, requests, deadline)

    def close(self) -> None:
        """Close every connection of the pool."""
        self._pool.close()

    def _request_each(self, connection_ids: Iterable[str], requests: PostRequests, deadline: float) -> Outcome:
        backlog = Backlog(connection_ids, deadline, self._retry_policy)
        self._pool.drop_stale()
        try:
            self._run(backlog, requests)
        finally:
            backlog.give_up(self._pool.abandon_busy())
        if backlog.read_error is not None:
            raise backlog.read_error
        return Outcome(
            backlog.delivered, backlog.gone, backlog.throttled, backlog.failed, cut_short=not backlog.exhausted
        )

    def _run(self, backlog: Backlog, requests: PostRequests) -> None:
        next_sweep = 0.0
        while (now := self._network.monotonic()) < backlog.deadline:
            if self._should_read(backlog, now):
                backlog.read_ahead()
                continue  # reading may have blocked on a query
            if not backlog.queue:  # retries come after first tries
                backlog.queue_due(now)
            wait = self._start_posts(backlog, requests, now)
            if backlog.is_empty() and not self._pool.has_busy():
                return
            if self._should_read(backlog, now):
                wait = 0.0
            elif not backlog.queue:
                wait = min(wait, backlog.seconds_until_retry(now))
            self._continue_posts(backlog, max(0.0, min(wait, backlog.deadline - now)))
            if now >= next_sweep:
                backlog.failed += self._pool.sweep(now)
                next_sweep = now + SWEEP_SECONDS

    def _should_read(self, backlog: Backlog, now: float) -> bool:
        """Return whether to read ids. The iterator may block after the first one, so that post is sent first."""
        return backlog.is_low() and (backlog.read != 1 or (not backlog.queue and self._pool.all_sent(now)))

    def _start_posts(self, backlog: Backlog, requests: PostRequests, now: float) -> float:
        """Start posts while there are connections and tokens; return the longest wait in seconds."""
        queue = backlog.queue
        while queue:
            if not self._pool.has_idle() and not self._pool.may_open(backlog.read):
                break
            if not self._bucket.take(now):
                return min(self._bucket.wait_seconds(), _MAX_WAIT_SECONDS)
            recipient = queue.popleft()
            request = requests.to(recipient, self._network.time())
            try:
                self._pool.start(recipient, request, now, fresh=backlog.needs_fresh_connection(recipient))
            except ConnectionBrokenError as error:
                backlog.after_break(recipient, now, was_stale=error.was_stale)
            except OSError:
                backlog.retry(recipient, now)
                return 0.0  # resolving the name took time: check the clock
        return _MAX_WAIT_SECONDS

    def _continue_posts(self, backlog: Backlog, wait_seconds: float) -> None:
        """Wait for connections that can continue, and advance them."""
        for connection in self._pool.ready(wait_seconds):
            try:
                status = connection.advance()
            except ConnectionBrokenError as error:
                self._pool.discard(connection)
                backlog.after_break(connection.recipient, self._network.monotonic(), was_stale=error.was_stale)
                continue
            if status is not None:
                now = self._network.monotonic()
                self._pool.release(connection, now)
                backlog.settle(connection.recipient, status, now)

    def _current_signer(self) -> Signer:
        """Return a signer for the current credentials; create one only if they have changed."""
        credentials = self._credentials()
        if self._signer is None or self._signer.credentials != credentials:
            self._signer = Signer(credentials, self._region, self._endpoint.authority)
        return self._signer
