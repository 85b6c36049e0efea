"""A small, fast HTTP server for the stubs: one thread, epoll, delayed responses.

Its speed limits what the benchmarks can measure, so it parses only a request's path, length and body. Orders arrive as
lines of JSON on standard input and are answered with lines of JSON on standard output.
"""

import heapq
import json
import select
import socket
import ssl
import sys
import time
from collections.abc import Callable
from typing import Any

_READ_BYTES = 65536
_WAITS = (BlockingIOError, ssl.SSLWantReadError)
READ, WRITE = select.EPOLLIN, select.EPOLLOUT

Answer = Callable[[bytes, bytes, bytes], tuple[bytes, float]]
"""A request's path, head and body → the response and its delay in seconds."""

Order = Callable[[dict[str, Any]], dict[str, Any]]


def response(status: int, body: bytes = b"") -> bytes:
    """Return an HTTP response."""
    return b"HTTP/1.1 %d X\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % (status, len(body)) + body


class _Peer:
    __slots__ = ("buffer", "handshaking", "out", "socket", "waits_for")

    def __init__(self, plain: socket.socket, tls: ssl.SSLContext | None) -> None:
        plain.settimeout(0)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket: Any = plain
        self.handshaking = tls is not None
        if tls is not None:
            self.socket = tls.wrap_socket(plain, server_side=True, do_handshake_on_connect=False)
        self.buffer = b""
        self.out = b""
        self.waits_for = READ


class Server:
    """Serves until standard input is closed."""

    def __init__(self, answer: Answer, order: Order, certificate: list[str] | None = None) -> None:
        self._answer = answer
        self._order = order
        self._tls = None
        if certificate:
            self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._tls.load_cert_chain(*certificate)
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
        self._listener.settimeout(0)
        self.port = self._listener.getsockname()[1]
        self.accepted = 0
        self._peers: dict[int, _Peer] = {}
        self._due: list[tuple[float, int, _Peer, bytes]] = []
        self._count = 0

    def run(self) -> None:
        """Print the port, then serve."""
        poll = self._poll = select.epoll()
        listening, orders = self._listener.fileno(), sys.stdin.fileno()
        poll.register(listening, READ)
        poll.register(orders, READ)
        _say({"port": self.port})
        while True:
            wait = max(0.0, self._due[0][0] - time.monotonic()) if self._due else -1
            for fd, _ in poll.poll(wait):
                if fd == listening:
                    self._accept()
                elif fd == orders:
                    line = sys.stdin.buffer.readline()  # the parent sends one whole line, then waits
                    if not line:
                        return
                    _say(self._order(json.loads(line)) | {"accepted": self.accepted})
                elif fd in self._peers:
                    self._guarded(self._peers[fd])
            now = time.monotonic()
            while self._due and self._due[0][0] <= now:
                _, _, peer, data = heapq.heappop(self._due)
                peer.out = data
                self._guarded(peer)

    def _accept(self) -> None:
        while True:
            try:
                plain, _ = self._listener.accept()
            except BlockingIOError:
                return
            self.accepted += 1
            peer = _Peer(plain, self._tls)
            self._peers[peer.socket.fileno()] = peer
            self._poll.register(peer.socket.fileno(), READ)

    def _guarded(self, peer: _Peer) -> None:
        """Handle a peer as far as possible without blocking."""
        wants = READ
        try:
            self._advance(peer)
        except _WAITS:
            pass
        except (ssl.SSLWantWriteError, InterruptedError):
            wants = WRITE
        except OSError:  # hung up
            fd = peer.socket.fileno()
            if fd >= 0:
                self._peers.pop(fd, None)
                peer.socket.close()
            return
        if peer.out:
            wants = WRITE
        if wants != peer.waits_for:
            peer.waits_for = wants
            self._poll.modify(peer.socket.fileno(), wants)

    def _advance(self, peer: _Peer) -> None:
        if peer.handshaking:
            peer.socket.do_handshake()
            peer.handshaking = False
        if peer.out:
            peer.out = peer.out[peer.socket.send(peer.out) :]
            return
        data = peer.socket.recv(_READ_BYTES)
        if not data:
            raise ConnectionResetError
        buffer = peer.buffer + data if peer.buffer else data
        end = buffer.find(b"\r\n\r\n")
        length = _length(buffer[:end]) if end >= 0 else 0
        if end < 0 or len(buffer) < end + 4 + length:
            peer.buffer = buffer
            if peer.socket.__class__ is ssl.SSLSocket and peer.socket.pending():
                self._advance(peer)
            return
        peer.buffer = b""
        head, body = buffer[:end], buffer[end + 4 :]
        if b"100-continue" in head and not body:  # botocore sends this before some puts
            raise OSError("unexpected")
        data, delay = self._answer(head.split(b" ", 2)[1], head, body)
        if delay <= 0:
            sent = peer.socket.send(data)
            peer.out = data[sent:]
            return
        self._count += 1
        heapq.heappush(self._due, (time.monotonic() + delay, self._count, peer, data))


def _length(head: bytes) -> int:
    lower = head.lower()
    at = lower.find(b"\r\ncontent-length:")
    return int(lower[at + 17 :].split(b"\r\n", 1)[0]) if at >= 0 else 0


def _say(answer: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()
