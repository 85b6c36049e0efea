"""One keep-alive connection to the @connections endpoint, never blocking: a request in, its response's status out."""

import selectors
import socket
import ssl

from chat.http_response import BadResponse, ResponseReader

_READ_BYTES = 65536


class LinkBroken(Exception):  # noqa: N818 - what happened, not whose fault it is
    """The connection cannot be used any more; `answer_begun` tells whether part of a response had come."""

    def __init__(self, *, answer_begun: bool) -> None:
        super().__init__("link broken")
        self.answer_begun = answer_begun


class Link:
    """A socket with TLS where `tls` is given. `wants` are the selector's events that it waits for."""

    __slots__ = (
        "_connecting", "_out", "_reader", "_socket", "_tls_host", "began_at", "connection_id",
        "fd", "idle_since", "opening", "registered", "stalled", "started", "tls", "used", "wants",
    )  # fmt: skip

    def __init__(self, address: tuple[socket.AddressFamily, tuple], tls: ssl.SSLContext | None, host: str) -> None:
        family, peer = address
        self._socket: socket.socket = socket.socket(family, socket.SOCK_STREAM)
        self._socket.settimeout(0)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._connecting = True
        self._out = b""
        self._reader = ResponseReader()
        self._tls_host = host
        self.tls = tls
        self.opening = True
        """Whether the connection, with its handshake, does not stand yet."""
        self.fd = self._socket.fileno()
        self.wants = selectors.EVENT_WRITE
        self.registered = 0
        self.connection_id = ""
        """The recipient of the request under way."""
        self.started = 0.0
        self.began_at = 0
        """How many answers had come over all links when the request began."""
        self.stalled = False
        self.idle_since = 0.0
        """When the last response came, in seconds since 1970."""
        self.used = 0
        """How many responses have come: a link that was used before may have been closed meanwhile."""
        try:
            self._socket.connect(peer)
        except BlockingIOError:
            pass
        except OSError:
            self._socket.close()
            raise LinkBroken(answer_begun=False) from None

    def begin(self, connection_id: str, request: bytes, now: float, answers: int) -> None:
        """Start a request; at once if the connection stands. Raises LinkBroken."""
        self.connection_id = connection_id
        self.started = now
        self.began_at = answers
        self.stalled = False
        self._out = request
        self._reader = ResponseReader()
        if not self.opening:
            self._guarded(self._send)

    def advance(self) -> int | None:
        """Do what the socket is ready for; return the status once the response is whole. Raises LinkBroken."""
        return self._guarded(self._step)

    @property
    def keep_alive(self) -> bool:
        """Tell whether the next request may go over this link."""
        return self._reader.keep_alive

    @property
    def awaits_answer(self) -> bool:
        """Tell whether the whole request has been sent."""
        return not (self.opening or self._out)

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def _guarded(self, step):  # noqa: ANN001, ANN202 - the step's own type
        try:
            return step()
        except (BlockingIOError, ssl.SSLWantReadError):
            self.wants = selectors.EVENT_READ
        except ssl.SSLWantWriteError:
            self.wants = selectors.EVENT_WRITE
        except (OSError, BadResponse):  # ssl.SSLError is an OSError
            raise LinkBroken(answer_begun=self._reader.begun) from None
        return None

    def _step(self) -> int | None:
        if self.opening:
            self._open()
        if self._out:
            self._send()
            if self._out:
                return None
        return self._receive()

    def _open(self) -> None:
        if self._connecting:
            error = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if error:
                raise OSError(error, "connect")
            self._connecting = False
            if self.tls is not None:
                self._socket = self.tls.wrap_socket(
                    self._socket, server_hostname=self._tls_host, do_handshake_on_connect=False
                )
        if isinstance(self._socket, ssl.SSLSocket):
            self._socket.do_handshake()
        self.opening = False

    def _send(self) -> None:
        self.wants = selectors.EVENT_READ
        while self._out:
            try:
                sent = self._socket.send(self._out)
            except BlockingIOError:
                self.wants = selectors.EVENT_WRITE
                return
            self._out = self._out[sent:]

    def _receive(self) -> int | None:
        while True:
            data = self._socket.recv(_READ_BYTES)
            if not data:
                if self._reader.end():
                    break
                raise ConnectionResetError
            if self._reader.feed(data):
                break
        self.used += 1
        return self._reader.status
