"""A @connections endpoint on real sockets that misbehaves as it is told to. It knows nothing of the engine."""

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Self
from urllib.parse import unquote

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


def status(code: int, body: bytes = b"", *fields: str) -> bytes:
    """Return a response."""
    lines = [f"HTTP/1.1 {code} Reason", f"Content-Length: {len(body)}", *fields, "", ""]
    return "\r\n".join(lines).encode() + body


@dataclass(frozen=True)
class Received:
    """A request: over which socket (counted from 0), the how manieth on it, and what it said."""

    link: int
    nth: int
    path: str
    fields: dict[str, str]
    body: bytes
    at: float

    @property
    def connection_id(self) -> str:
        return unquote(self.path.rpartition("/")[2])


class Close:
    """Close the socket."""


class Hang:
    """Answer nothing until the other side hangs up."""


CLOSE, HANG = Close(), Hang()
Piece = bytes | Close | Hang
Behaviour = Callable[[Received], Iterable[Piece] | bytes]


def always_ok(_: Received) -> bytes:
    return OK


class CallbackServer:
    """Serves each socket in a thread of its own, as `behaviour` says."""

    def __init__(self, behaviour: Behaviour = always_ok, tls: ssl.SSLContext | None = None) -> None:
        self.behaviour = behaviour
        self._tls = tls
        self.received: list[Received] = []
        self.links = 0
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port = self._listener.getsockname()[1]
        self._accepting = threading.Thread(target=self._accept, daemon=True)

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}/production"

    def __enter__(self) -> Self:
        self._accepting.start()
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._accepting.join(5)
        self.hang_up()
        for thread in self._threads:
            thread.join(5)

    def hang_up(self) -> None:
        """Close every socket, as an idle limit does."""
        with self._lock:
            for one in self._open:
                with contextlib.suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)
        deadline = time.monotonic() + 5
        while self._open and time.monotonic() < deadline:
            time.sleep(0.001)  # a poll, bounded by the deadline

    def ids(self) -> list[str]:
        """Return to whom was posted, in the order of coming."""
        return [one.connection_id for one in self.received]

    def _accept(self) -> None:
        while True:
            try:
                plain, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                number, self.links = self.links, self.links + 1
                self._open.add(plain)
            thread = threading.Thread(target=self._serve, args=(plain, number), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, plain: socket.socket, number: int) -> None:
        one = plain
        try:
            if self._tls:
                one = self._tls.wrap_socket(plain, server_side=True)
                with self._lock:
                    self._open.add(one)
            self._talk(one, number)
        except OSError:
            pass
        finally:
            one.close()
            plain.close()
            with self._lock:
                self._open -= {one, plain}

    def _talk(self, one: socket.socket, number: int) -> None:
        buffer = b""
        nth = 0
        while True:
            while b"\r\n\r\n" not in buffer:
                data = one.recv(65536)
                if not data:
                    return
                buffer += data
            head, _, buffer = buffer.partition(b"\r\n\r\n")
            lines = head.decode().split("\r\n")
            fields = {key.lower(): value for key, value in (line.split(": ", 1) for line in lines[1:])}
            length = int(fields["content-length"])
            while len(buffer) < length:
                buffer += one.recv(65536)
            body, buffer = buffer[:length], buffer[length:]
            request = Received(number, nth, lines[0].split(" ")[1], fields, body, time.monotonic())
            nth += 1
            with self._lock:
                self.received.append(request)
            answer = self.behaviour(request)
            for piece in [answer] if isinstance(answer, bytes) else answer:
                if isinstance(piece, Close):
                    return
                if isinstance(piece, Hang):
                    while one.recv(65536):
                        pass
                    return
                one.sendall(piece)
