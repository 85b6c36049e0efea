"""A scripted @connections endpoint on real sockets, with TLS if a context is given."""

import contextlib
import socket
import ssl
import threading
import time
from typing import Self

from tests.unit.push.peers import Behaviour, Close, Hang, Pause, RequestParser, ScriptedEndpoint, always_ok, pieces


class CallbackServer(ScriptedEndpoint):
    """Serves each connection in its own thread."""

    def __init__(self, behaviour: Behaviour = always_ok, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(behaviour)
        self._tls = tls
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
        """Close every connection, like an idle time-out."""
        with self._lock:
            for one in self._open:
                with contextlib.suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)
        deadline = time.monotonic() + 5
        while self._open and time.monotonic() < deadline:
            time.sleep(0.001)  # a poll, bounded by the deadline

    def _accept(self) -> None:
        while True:
            try:
                plain, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                number, self.accepted = self.accepted, self.accepted + 1
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
        parser = RequestParser(number)
        while data := one.recv(65536):
            request = parser.feed(data, time.monotonic())
            if request is None:
                continue
            with self._lock:
                self.received.append(request)
            for piece in pieces(self.behaviour(request)):
                if isinstance(piece, Close):
                    return
                if isinstance(piece, Hang):
                    while one.recv(65536):
                        pass
                    return
                if isinstance(piece, Pause):
                    time.sleep(piece.seconds)
                else:
                    one.sendall(piece)
