"""Posting one frame to many connections: one thread, many keep-alive sockets. It knows no room and no table.

Why not boto3, threads or more functions: docs/decisions/0005. A post whose socket broke before any answer is sent once
more over a fresh one, so a peer may see a frame twice; clients drop doubles by their seq.
"""

import contextlib
import hashlib
import heapq
import math
import os
import random
import selectors
import socket
import ssl
import time
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from urllib.parse import quote, urlsplit

from chat.link import Link, LinkBroken
from chat.pace import Pace
from chat.signing import Credentials, Signer

MAX_LINKS = 800
"""A function may hold 1,024 file descriptors (Lambda quotas)."""

BURST_SECONDS = 0.5
"""The ceiling's burst, in seconds of its rate: as the account's 5,000 are to its 10,000 a second."""

ANSWER_SECONDS = 5.0
"""A peer that has not answered for so long is given up."""

RETRY_BUDGET_SECONDS = 4.0
"""For how long a throttled or failed post is tried again, at the most."""

IDLE_SECONDS = 30.0
"""A link unused for longer is not trusted: whoever closed it may have done so while the function was frozen."""

_MAX_TRIES = 6
_FIRST_RETRY_SECONDS = 0.05
_LOOKAHEAD = 512
_MIN_LINKS = 8
_MAX_MOVING = 256  # 8,000 posts a second at 30 ms; at 10 ms more than a CPU can do
_MAX_OPENING = 32
_HANDSHAKE_SECONDS = 0.0005  # of CPU, measured: docs/benchmarks.md
_LATENCY_SECONDS = 0.01  # until it is seen
_STALLED_SECONDS, _SURELY_STALLED_SECONDS = 0.1, 0.5
_ADDRESS_SECONDS = 30.0
_GONE, _THROTTLED = 410, 429
_OK, _SERVER_ERROR = range(200, 300), 500


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a frame: how many have it, and who has not, by reason."""

    delivered: int
    gone: list[str]
    throttled: list[str]
    failed: list[str]
    cut_short: bool = False
    """The deadline came before all ids were read; those left are in none of the lists."""


@dataclass(slots=True)
class _Work:
    """What is still to be posted of one frame."""

    ids: Iterator[str]
    deadline: float
    read: int = 0
    exhausted: bool = False
    unreadable: Exception | None = None
    queue: deque[str] = field(default_factory=deque)
    retries: list[tuple[float, str]] = field(default_factory=list)
    tries: dict[str, int] = field(default_factory=dict)
    resent: set[str] = field(default_factory=set)
    first_failed: dict[str, float] = field(default_factory=dict)
    delivered: int = 0
    gone: list[str] = field(default_factory=list)
    throttled: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    def refill(self) -> None:
        """Read ids ahead, so that the first are posted while the last are still being listed."""
        try:
            while not self.exhausted and len(self.queue) < _LOOKAHEAD:
                connection_id = next(self.ids, None)
                if connection_id is None:
                    self.exhausted = True
                else:
                    self.queue.append(connection_id)
                    self.read += 1
        except Exception as error:  # noqa: BLE001 - whatever the list's owner raises; told once the rest is posted
            self.unreadable = error
            self.exhausted = True

    def refill_due(self, now: float) -> None:
        """Queue the posts whose time to be tried again has come."""
        while self.retries and self.retries[0][0] <= now:
            self.queue.append(heapq.heappop(self.retries)[1])

    @property
    def nothing_left(self) -> bool:
        """Tell whether all has been handed to a link."""
        return self.exhausted and not self.queue and not self.retries


class FanOut:
    """The container's poster: its sockets, its signing key and its ceiling live as long as the container.

    `callback_url` is the @connections endpoint without the id, http or https. `posts_per_second` is the ceiling; the
    account's limit is 10,000 (API Gateway quotas). `tls` replaces the system's certificates (tests).
    """

    def __init__(
        self,
        callback_url: str,
        *,
        posts_per_second: float = 8000,
        answer_seconds: float = ANSWER_SECONDS,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        url = urlsplit(callback_url)
        if url.scheme not in ("http", "https") or not url.hostname:
            raise ValueError(f"CALLBACK_URL must be an http or https address, not {callback_url!r}")
        secure = url.scheme == "https"
        self._host = url.hostname
        self._port = url.port or (443 if secure else 80)
        self._netloc = url.netloc
        self._base_path = quote(url.path.rstrip("/"), safe="/~") + "/@connections/"
        self._signed_base_path = quote(self._base_path, safe="/~")
        self._tls = (tls or ssl.create_default_context(cafile=os.environ.get("AWS_CA_BUNDLE"))) if secure else None
        self._pace = Pace(posts_per_second, posts_per_second * BURST_SECONDS)
        self._answer_seconds = answer_seconds
        self._latency = _LATENCY_SECONDS
        self._answers = 0
        self._selector = selectors.DefaultSelector()
        self._idle: list[Link] = []
        self._busy: dict[int, Link] = {}
        self._signer: Signer | None = None
        self._addresses: deque[tuple[socket.AddressFamily, tuple]] = deque()
        self._addresses_until = 0.0

    def post(self, connection_ids: Iterable[str], frame: bytes, *, deadline: float) -> Outcome:
        """Post a frame to each connection until `deadline` (seconds of time.monotonic).

        The ids are read while posts are under way. Nothing that a peer or the network does is raised; what the ids'
        own iterator raises is, once everybody read before has been posted to.
        """
        work = _Work(iter(connection_ids), deadline)
        self._renew_signer()
        payload_hash = hashlib.sha256(frame).hexdigest()
        tail = f"Content-Length: {len(frame)}\r\n\r\n".encode() + frame
        self._drop_stale()
        self._poll(work, 0)  # drops what the other side closed since the last time
        try:
            self._run(work, payload_hash, tail)
        finally:
            self._give_up_busy(work)
        if work.unreadable is not None:
            raise work.unreadable
        work.failed += [*work.queue, *(connection_id for _, connection_id in work.retries)]
        return Outcome(work.delivered, work.gone, work.throttled, work.failed, cut_short=not work.exhausted)

    def close(self) -> None:
        """Close every socket."""
        for link in [*self._idle, *self._busy.values()]:
            self._drop(link)
        self._idle.clear()
        self._busy.clear()
        self._selector.close()

    def _run(self, work: _Work, payload_hash: str, tail: bytes) -> None:
        next_sweep = 0.0
        while True:
            now = time.monotonic()
            if now >= work.deadline:
                return
            if len(work.queue) < _LOOKAHEAD // 2:
                work.refill()
            if not work.queue:  # nobody's second try takes the place of somebody's first
                work.refill_due(now)
            wait = self._start(work, now, payload_hash, tail)
            if work.nothing_left and not self._busy:
                return
            if work.retries and not work.queue:
                wait = min(wait, work.retries[0][0] - now)
            self._poll(work, max(0.0, min(wait, work.deadline - now, 0.05)))
            if now >= next_sweep:
                self._sweep(work, now)
                next_sweep = now + _STALLED_SECONDS / 4

    def _start(self, work: _Work, now: float, payload_hash: str, tail: bytes) -> float:
        """Hand posts to links while there are links and the ceiling allows; return how long to wait, in seconds."""
        while work.queue:
            if not self._idle and not self._may_open(work):
                return 1.0
            if not self._pace.take(now):
                return self._pace.wait()
            connection_id = work.queue.popleft()
            fresh = connection_id in work.resent or not self._idle
            link = self._open(work, connection_id, now) if fresh else self._idle.pop()
            if link is None:
                return 0.0
            try:
                link.begin(connection_id, self._request(connection_id, payload_hash, tail), now, self._answers)
            except LinkBroken as broken:
                self._drop(link)
                self._after_break(work, link, broken, now)
                continue
            self._busy[link.fd] = link
            self._watch(link)
        return 1.0

    def _may_open(self, work: _Work) -> bool:
        """Tell whether one more link would be worth its handshake.

        n posts over k links take n / k * latency, and k handshakes of CPU: least at k = sqrt(n * latency / handshake).
        A link that waits for a slow peer does not count: it holds up nobody else. Few handshakes go on at once, so that
        the links which stand are served in between. Where the ceiling is what limits, links are idle, and none is asked
        for.
        """
        links = self._busy.values()
        total = len(links) + len(self._idle)
        if total >= MAX_LINKS or sum(link.opening for link in links) >= _MAX_OPENING:
            return False
        moving = total - sum(link.stalled for link in links)
        for_work = math.sqrt(work.read * self._latency / _HANDSHAKE_SECONDS)
        return moving < max(_MIN_LINKS, min(for_work, _MAX_MOVING))

    def _open(self, work: _Work, connection_id: str, now: float) -> Link | None:
        try:
            return Link(self._next_address(now), self._tls, self._host)
        except (OSError, LinkBroken):
            self._retry(work, connection_id, now, work.failed)
            return None

    def _next_address(self, now: float) -> tuple[socket.AddressFamily, tuple]:
        """Return the host's addresses in turn: a dead one breaks some posts, which are tried again at the next."""
        if not self._addresses or self._addresses_until < now:
            found = socket.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)
            family = found[0][0]  # the best the machine can reach; it may have no way to the others
            self._addresses = deque((family, one[4]) for one in found if one[0] == family)
            self._addresses_until = now + _ADDRESS_SECONDS
        self._addresses.rotate()
        return self._addresses[0]

    def _request(self, connection_id: str, payload_hash: str, tail: bytes) -> bytes:
        if self._signer is None:
            raise RuntimeError("a request before its signer")
        encoded = quote(connection_id, safe="~")
        # What is encoded holds nothing else that a second encoding changes.
        signed_path = self._signed_base_path + encoded.replace("%", "%25")
        signed = self._signer.headers(signed_path, payload_hash, time.time())
        return f"POST {self._base_path}{encoded} HTTP/1.1\r\nHost: {self._netloc}\r\n{signed}".encode() + tail

    def _renew_signer(self) -> None:
        """Take the role's present credentials; the key is derived anew only when they have changed."""
        credentials = Credentials.from_environment()
        if self._signer is None or self._signer.credentials != credentials:
            region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or "us-east-1"
            self._signer = Signer(credentials, region, self._netloc)

    def _poll(self, work: _Work, wait: float) -> None:
        """Let every link whose socket is ready go on."""
        for key, _ in self._selector.select(wait):
            link: Link = key.data
            now = time.monotonic()
            if link.fd not in self._busy:  # an idle one only ever becomes ready by its end
                self._idle.remove(link)
                self._drop(link)
                continue
            try:
                status = link.advance()
            except LinkBroken as broken:
                del self._busy[link.fd]
                self._drop(link)
                self._after_break(work, link, broken, now)
                continue
            if status is None:
                self._watch(link)
                continue
            del self._busy[link.fd]
            self._answers += 1
            if link.used > 1:  # the first response waited for the handshake, too
                self._note_latency(now - link.started)
            if link.keep_alive:
                self._watch(link)
                link.idle_since = time.time()
                self._idle.append(link)
            else:
                self._drop(link)
            self._settle(work, link.connection_id, status, now)

    def _note_latency(self, seconds: float) -> None:
        """Step towards the lower quartile: what slow peers and a busy CPU add is not the network's doing."""
        step = 0.997 if seconds < self._latency else 1.001
        self._latency = min(self._latency * step, _STALLED_SECONDS)

    def _settle(self, work: _Work, connection_id: str, status: int, now: float) -> None:
        """Act on a response's status (API Gateway Management API, PostToConnection)."""
        if status in _OK:
            work.delivered += 1
        elif status == _GONE:
            work.gone.append(connection_id)
        elif status == _THROTTLED:
            self._retry(work, connection_id, now, work.throttled)
        elif status >= _SERVER_ERROR:
            self._retry(work, connection_id, now, work.failed)
        else:
            work.failed.append(connection_id)

    def _after_break(self, work: _Work, link: Link, broken: LinkBroken, now: float) -> None:
        """Send again, once and at once, what went into a socket that the other side had closed meanwhile."""
        connection_id = link.connection_id
        if link.used and not broken.answer_begun and connection_id not in work.resent:
            work.resent.add(connection_id)
            work.queue.appendleft(connection_id)
        else:
            self._retry(work, connection_id, now, work.failed)

    def _retry(self, work: _Work, connection_id: str, now: float, otherwise: list[str]) -> None:
        """Try again later, with jitter; after the budget of tries and time it counts as `otherwise`."""
        tries = work.tries[connection_id] = work.tries.get(connection_id, 0) + 1
        since = work.first_failed.setdefault(connection_id, now)
        at = now + random.uniform(0.5, 1) * _FIRST_RETRY_SECONDS * 2 ** (tries - 1)  # noqa: S311 - jitter
        if tries >= _MAX_TRIES or at > min(work.deadline, since + RETRY_BUDGET_SECONDS):
            otherwise.append(connection_id)
        else:
            heapq.heappush(work.retries, (at, connection_id))

    def _sweep(self, work: _Work, now: float) -> None:
        """Mark links that wait for a slow peer, and give up those whose peer does not answer at all.

        A peer is slow that others overtake. Where all are late, the network or this CPU is busy: more links would only
        make it busier.
        """
        for link in list(self._busy.values()):
            waited = now - link.started
            overtaken = self._answers - link.began_at > 2 * len(self._busy)
            link.stalled = (
                link.awaits_answer
                and waited > max(_STALLED_SECONDS, 4 * self._latency)
                and (overtaken or waited > _SURELY_STALLED_SECONDS)
            )
            if waited > self._answer_seconds:
                del self._busy[link.fd]
                self._drop(link)
                work.failed.append(link.connection_id)

    def _drop_stale(self) -> None:
        """Close what has been idle for long, by the wall clock: the monotonic one may stand still in a freeze."""
        oldest = time.time() - IDLE_SECONDS
        for link in [link for link in self._idle if link.idle_since < oldest]:
            self._idle.remove(link)
            self._drop(link)

    def _give_up_busy(self, work: _Work) -> None:
        for link in self._busy.values():
            self._drop(link)
            work.failed.append(link.connection_id)
        self._busy.clear()

    def _watch(self, link: Link) -> None:
        """Register what a link waits for, if that has changed."""
        if link.registered == link.wants:
            return
        if link.registered:
            self._selector.modify(link.fd, link.wants, link)
        else:
            self._selector.register(link.fd, link.wants, link)
        link.registered = link.wants

    def _drop(self, link: Link) -> None:
        if link.registered:
            with contextlib.suppress(KeyError, ValueError):
                self._selector.unregister(link.fd)
        link.close()
