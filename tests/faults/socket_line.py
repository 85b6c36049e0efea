"""A client's way over a real socket: one thread that is the client, and one each for connecting and reading."""

import contextlib
import json
import queue
import threading
import time
from collections.abc import Callable
from random import Random
from typing import Any

from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.sync.client import ClientConnection, connect

from tests.faults.client import Client, Frame

SECONDS = 10.0
TICK_SECONDS = 0.02


class SocketLine:
    """Does what the client asks of its line. What comes is handed on to the client's own thread."""

    def __init__(self, url: str, hand_on: Callable[[Callable[[], None]], None]) -> None:
        self._url, self._hand_on = url, hand_on
        self._attempt = 0
        self._socket: ClientConnection | None = None
        self.client: Client | None = None

    def open(self) -> None:
        self.close()
        attempt = self._attempt
        threading.Thread(target=self._read, args=(attempt,), daemon=True).start()

    def send(self, frame: Frame) -> None:
        if self._socket is not None:
            with contextlib.suppress(ConnectionClosed, OSError):
                self._socket.send(json.dumps(frame))

    def close(self) -> None:
        self._attempt += 1
        socket, self._socket = self._socket, None
        if socket is not None:
            with contextlib.suppress(OSError):
                socket.socket.shutdown(2)

    def _read(self, attempt: int) -> None:
        try:
            with connect(
                self._url, compression=None, ping_interval=None, proxy=None, open_timeout=SECONDS, close_timeout=0.2
            ) as socket:
                self._hand_on(lambda: self._opened(attempt, socket))
                for text in socket:
                    frame = json.loads(text)
                    self._hand_on(lambda frame=frame: self._took(attempt, frame))
        except (OSError, ConnectionClosed, InvalidHandshake, EOFError):
            pass
        self._hand_on(lambda: self._closed(attempt))

    def _opened(self, attempt: int, socket: ClientConnection) -> None:
        if attempt == self._attempt and self.client is not None:
            self._socket = socket
            self.client.opened()
        else:
            with contextlib.suppress(OSError):
                socket.socket.shutdown(2)

    def _took(self, attempt: int, frame: Frame) -> None:
        if attempt == self._attempt and self.client is not None and "type" in frame:
            self.client.take(frame)

    def _closed(self, attempt: int) -> None:
        if attempt == self._attempt and self.client is not None:
            self.client.cut()


class Person:
    """A client with its thread. Whatever is done to the client is done there, one thing after the other."""

    def __init__(self, url: str, name: str, room: str, seed: int) -> None:
        self._to_do: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        line = SocketLine(url, self._to_do.put)
        draw = Random(f"{room} {seed}")  # noqa: S311 - a room is fresh, and so are the ids of its messages
        self.client = Client(name, room, line, time.monotonic, draw)
        line.client = self.client
        self._line = line
        self._thread = threading.Thread(target=self._live, daemon=True)
        self._thread.start()

    def does(self, act: Callable[[Client], object]) -> None:
        """Let the client do something."""
        self._to_do.put(lambda: _ignore(act(self.client)))

    def ends(self) -> None:
        self._to_do.put(None)
        self._thread.join(SECONDS)
        self._line.close()

    def _live(self) -> None:
        self.client.connect()
        while True:
            try:
                act = self._to_do.get(timeout=TICK_SECONDS)
            except queue.Empty:
                act = _ignore
            if act is None:
                return
            act()
            self.client.tick()


def _ignore(*_: Any) -> None:
    pass
