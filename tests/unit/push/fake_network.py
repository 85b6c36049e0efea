"""A network without sockets: scripted peers, a virtual clock, and streams that are ready when the script says so."""

import random
import selectors
import socket
import ssl
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from chat.push.network import Address
from tests.fakes.clock import VirtualClock
from tests.unit.push.peers import Close, Hang, Pause, RequestParser, ScriptedEndpoint, pieces

STEP = 1e-5
"""Time of a system call, so a loop that never waits still reaches its deadline."""


class FakeNetwork:
    """Implements `chat.push.network.Network`.

    A connection opens `opening_seconds` after it was started, and the first piece of an answer arrives
    `latency_seconds` after its request. Both clocks move only in `select` and `sleep`.
    """

    def __init__(self, endpoint: ScriptedEndpoint | None = None) -> None:
        self.endpoint = endpoint or ScriptedEndpoint()
        self.opening_seconds = 0.002
        self.latency_seconds = 0.010
        self.addresses: list[str] = ["10.0.0.1"]
        self.refusing: set[str] = set()
        """Addresses that refuse connections."""
        self.silent: set[str] = set()
        """Addresses that never answer connection attempts."""
        self.send_limit: int | None = None
        """Bytes that a stream takes at once; it takes more a millisecond later."""
        self.resolved = 0
        """How often the host name was resolved."""
        self.streams: list[FakeStream] = []
        """All connections ever started, in order, including closed ones."""
        self.selectors: list[FakeSelector] = []
        self.peak_opening = 0
        """Peak number of opening connections."""
        self.peak_open = 0
        """Peak number of unclosed connections."""
        self.rng = random.Random(11)
        self._clock = VirtualClock()

    def monotonic(self) -> float:
        return self._clock.monotonic()

    def time(self) -> float:
        return self._clock.now_ms() / 1000

    def sleep(self, seconds: float) -> None:
        """Advance the clocks."""
        self._clock.sleep(seconds)

    def freeze(self, seconds: float) -> None:
        """Freeze the function: only the wall clock advances."""
        self._clock.set_back(-seconds)

    def resolve(self, host: str, port: int) -> Sequence[Address]:
        self.resolved += 1
        self.sleep(0.02)
        if not self.addresses:
            raise socket.gaierror(socket.EAI_NONAME, f"{host}:{port}")
        return [(socket.AF_INET, (address, port)) for address in self.addresses]

    def default_tls(self) -> ssl.SSLContext:
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)

    def connect(self, address: Address, host: str, tls: ssl.SSLContext | None) -> "FakeStream":
        stream = FakeStream(self, len(self.streams), address[1][0])
        self.streams.append(stream)
        self.peak_opening = max(self.peak_opening, sum(not one.is_closed and not one.is_open for one in self.streams))
        self.peak_open = max(self.peak_open, len(self.open_streams()))
        return stream

    def selector(self) -> "FakeSelector":
        self.selectors.append(FakeSelector(self))
        return self.selectors[-1]

    def open_streams(self) -> list["FakeStream"]:
        return [stream for stream in self.streams if not stream.is_closed]

    def hang_up(self) -> None:
        """Let the peer close every connection."""
        for stream in self.open_streams():
            stream.inbound.append((self.monotonic(), b""))

    def lose(self, error: OSError | None = None) -> None:
        """Cut every connection silently: sends raise `error` or are lost."""
        for stream in self.open_streams():
            stream.is_lost, stream.send_error = True, error


class FakeStream:
    """Implements `chat.push.network.Stream`."""

    def __init__(self, network: FakeNetwork, number: int, address: str) -> None:
        self.address = address
        self.is_open = False
        self.is_closed = False
        self.is_lost = False
        self.send_error: OSError | None = None
        self.inbound: deque[tuple[float, bytes]] = deque()
        """Data by arrival time; b"" is the end."""
        self._network = network
        self._number = number
        self._parser: RequestParser | None = None
        self._opens_at = network.monotonic() + network.opening_seconds
        self._sends_at = self._opens_at

    def fileno(self) -> int:
        return 1000 + self._number

    def open(self) -> None:
        if self.address in self._network.refusing:
            raise ConnectionRefusedError
        assert self._network.monotonic() >= self.writable_at(), "opened before it was writable"
        self.is_open = True
        self._parser = RequestParser(self._network.endpoint.accepted)
        self._network.endpoint.accepted += 1

    def send(self, data: bytes) -> int:
        assert self.is_open
        assert not self.is_closed
        if self.send_error:
            raise self.send_error
        now = self._network.monotonic()
        if now < self._sends_at:
            raise BlockingIOError
        taken = data[: self._network.send_limit]
        if len(taken) < len(data):
            self._sends_at = now + 0.001
        if not self.is_lost:
            self._receive(taken, now)
        return len(taken)

    def recv(self, size: int) -> bytes:
        assert self.is_open
        assert not self.is_closed
        if not self.inbound or self.inbound[0][0] > self._network.monotonic():
            raise BlockingIOError
        due, data = self.inbound.popleft()
        if not data or len(data) > size:
            self.inbound.appendleft((due, data[size:]))
        return data[:size]

    def close(self) -> None:
        self.is_closed = True

    def readable_at(self) -> float:
        return self.inbound[0][0] if self.inbound else float("inf")

    def writable_at(self) -> float:
        if self.address in self._network.silent:
            return float("inf")
        return self._sends_at if self.is_open else self._opens_at

    def _receive(self, data: bytes, now: float) -> None:
        assert self._parser
        request = self._parser.feed(data, now)
        if request is None:
            return
        self._network.endpoint.received.append(request)
        at = now + self._network.latency_seconds
        for piece in pieces(self._network.endpoint.behaviour(request)):
            if isinstance(piece, Hang):
                return
            if isinstance(piece, Pause):
                at += piece.seconds
            else:
                self.inbound.append((at, b"" if isinstance(piece, Close) else piece))
                at += STEP * 10


@dataclass
class FakeSelector:
    """Implements `chat.push.network.Selector`; `select` advances the clock until something is ready."""

    network: FakeNetwork
    watched: dict[int, selectors.SelectorKey] = field(default_factory=dict)
    changes: int = 0
    """How often a registration was made or changed."""
    is_closed: bool = False

    def register(self, fileobj: int, events: int, data: Any = None) -> None:
        assert fileobj not in self.watched
        self.changes += 1
        self.watched[fileobj] = selectors.SelectorKey(fileobj, fileobj, events, data)

    def modify(self, fileobj: int, events: int, data: Any = None) -> None:
        assert fileobj in self.watched
        self.changes += 1
        self.watched[fileobj] = selectors.SelectorKey(fileobj, fileobj, events, data)

    def unregister(self, fileobj: int) -> None:
        del self.watched[fileobj]

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        assert timeout is not None, "it would wait forever"
        due = {fd: self._ready_at(key) for fd, key in self.watched.items()}
        now = self.network.monotonic()
        wake = max(now, min([now + timeout, *due.values()]))
        self.network.sleep(wake - now + STEP)
        return [(self.watched[fd], self.watched[fd].events) for fd, at in due.items() if at <= wake]

    def close(self) -> None:
        assert not self.watched
        self.is_closed = True

    def _ready_at(self, key: selectors.SelectorKey) -> float:
        stream = self.network.streams[key.fd - 1000]
        assert not stream.is_closed
        return stream.writable_at() if key.events & selectors.EVENT_WRITE else stream.readable_at()
