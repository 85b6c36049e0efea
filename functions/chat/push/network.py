"""The engine's interface to the system: streams, readiness, name resolution, clocks and randomness.

Tests pass a Network with scripted peers and a virtual clock.
"""

import random
import selectors
import socket
import ssl
import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol

Address = tuple[int, Any]
"""An address family and an address in it."""


class Stream(Protocol):
    """A non-blocking byte stream to the endpoint.

    `open`, `send` and `recv` raise BlockingIOError, ssl.SSLWantReadError or ssl.SSLWantWriteError if they would block,
    and any other OSError once the stream is broken.
    """

    def fileno(self) -> int:
        """Return the file descriptor, which stays the same until `close`."""
        ...

    def open(self) -> None:
        """Continue connecting; return once data may be sent. First called when the stream is writable."""
        ...

    @property
    def send(self) -> Callable[[bytes], int]:
        """Send some of the data; return the number of bytes sent."""
        ...

    @property
    def recv(self) -> Callable[[int], bytes]:
        """Receive up to the given number of bytes; empty at the end of the stream."""
        ...

    def close(self) -> None:
        """Close the stream."""
        ...


class Selector(Protocol):
    """The part of selectors.BaseSelector that the engine uses."""

    def register(self, fileobj: int, events: int, data: Any = None) -> Any:
        """Start watching a file descriptor."""
        ...

    def modify(self, fileobj: int, events: int, data: Any = None) -> Any:
        """Change the events of a file descriptor."""
        ...

    def unregister(self, fileobj: int) -> Any:
        """Stop watching a file descriptor."""
        ...

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Wait for at most `timeout` seconds; return what is ready."""
        ...

    def close(self) -> None:
        """Close the selector."""
        ...


class Network(Protocol):
    """Everything the engine needs from the system."""

    rng: random.Random

    def monotonic(self) -> float:
        """Return the seconds of the monotonic clock, which may stop while the function is frozen."""
        ...

    def time(self) -> float:
        """Return the seconds since 1970."""
        ...

    def resolve(self, host: str, port: int) -> Sequence[Address]:
        """Return the addresses of a host. Raises OSError if there are none."""
        ...

    def default_tls(self) -> ssl.SSLContext:
        """Return a context that trusts the system's certificate authorities."""
        ...

    def connect(self, address: Address, host: str, tls: ssl.SSLContext | None) -> Stream:
        """Begin to open a stream, encrypted if `tls` is given. Raises OSError."""
        ...

    def selector(self) -> Selector:
        """Return a selector for this network's streams."""
        ...


class SocketStream:
    """A TCP socket, with TLS if a context is given."""

    __slots__ = ("_connecting", "_host", "_socket", "_tls", "recv", "send")

    def __init__(self, address: Address, host: str, tls: ssl.SSLContext | None) -> None:
        family, peer = address
        self._socket: socket.socket = socket.socket(family, socket.SOCK_STREAM)
        self._socket.settimeout(0)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._connecting = True
        self._host = host
        self._tls = tls
        # The socket's own methods: a Python wrapper would cost as much as the signature.
        self.send: Callable[[bytes], int] = self._socket.send
        self.recv: Callable[[int], bytes] = self._socket.recv
        try:
            self._socket.connect(peer)
        except BlockingIOError:
            pass
        except OSError:
            self._socket.close()
            raise

    def fileno(self) -> int:
        """Return the file descriptor, which the TLS socket keeps."""
        return self._socket.fileno()

    def open(self) -> None:
        """Finish the TCP connection and then the TLS handshake."""
        if self._connecting:
            error = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if error:
                raise OSError(error, "connect")
            self._connecting = False
            if self._tls is not None:
                self._socket = self._tls.wrap_socket(
                    self._socket, server_hostname=self._host, do_handshake_on_connect=False
                )
                self.send, self.recv = self._socket.send, self._socket.recv
        if isinstance(self._socket, ssl.SSLSocket):
            self._socket.do_handshake()

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()


class SystemNetwork:
    """The operating system's network and clocks."""

    def __init__(self) -> None:
        self.rng = random.Random()  # noqa: S311 - jitter

    monotonic = staticmethod(time.monotonic)
    time = staticmethod(time.time)
    default_tls = staticmethod(ssl.create_default_context)

    def resolve(self, host: str, port: int) -> Sequence[Address]:
        """Return the addresses of the resolver's preferred family; the others may be unroutable."""
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        preferred = found[0][0]
        return [(family, address) for family, _, _, _, address in found if family == preferred]

    def connect(self, address: Address, host: str, tls: ssl.SSLContext | None) -> Stream:
        """Begin to open a socket. Raises OSError."""
        return SocketStream(address, host, tls)

    def selector(self) -> Selector:
        """Return the system's best selector: epoll on Lambda."""
        return selectors.DefaultSelector()
