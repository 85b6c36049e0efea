"""A WebSocket proxy that loses, duplicates and cuts off frames, as networks do.

It speaks WebSocket on both sides to drop or duplicate whole frames, and uses the raw socket to cut one in the middle.
"""

import contextlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum
from typing import Any

from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.sync.client import connect
from websockets.sync.server import ServerConnection, serve

Direction = str
TO_SERVER, TO_CLIENT = "to server", "to client"
SECONDS = 5.0


class Fate(Enum):
    """What happens to a frame."""

    PASSES = "passes"
    LOST = "lost"
    DUPLICATED = "duplicated"
    CUT_BEFORE = "the connection is cut before it"
    CUT_HALFWAY = "the connection is cut in the middle of it"
    CUT_AFTER = "the connection is cut after it"
    STALLS = "the connection goes silent but stays open"


class Proxy:
    """A running proxy. `decide` is called for each frame of each connection."""

    def __init__(self, upstream: str, decide: Callable[[Direction, str], Fate]) -> None:
        self._upstream, self._decide = upstream, decide
        self._server = serve(self._carry, "127.0.0.1", 0, compression=None, ping_interval=None, close_timeout=1)
        self.url = f"ws://127.0.0.1:{self._server.socket.getsockname()[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()

    def _carry(self, client: ServerConnection) -> None:
        try:
            server: Any = connect(
                self._upstream,
                legacy=True,
                compression=None,
                ping_interval=None,
                proxy=None,
                open_timeout=SECONDS,
                close_timeout=1,
            )
        except (OSError, WebSocketException):  # the emulator is down
            _break(client)
            return
        silent = threading.Event()
        threading.Thread(target=self._pump, args=(server, client, TO_CLIENT, silent), daemon=True).start()
        self._pump(client, server, TO_SERVER, silent)

    def _pump(self, source: Any, target: Any, direction: Direction, silent: threading.Event) -> None:
        with contextlib.suppress(ConnectionClosed, OSError):
            for text in source:
                if silent.is_set():
                    continue
                fate = self._decide(direction, text)
                if fate is Fate.STALLS:
                    silent.set()
                elif fate is Fate.CUT_HALFWAY:
                    client = target if direction == TO_CLIENT else source
                    server = source if direction == TO_CLIENT else target
                    _send_half(target, text)
                    _break(client)
                    _break(server)
                    return
                elif fate is Fate.CUT_BEFORE:
                    break
                elif fate is not Fate.LOST:
                    target.send(text)
                    if fate is Fate.DUPLICATED:
                        target.send(text)
                    if fate is Fate.CUT_AFTER:
                        break
        _break(target)
        _break(source)


def _send_half(connection: Any, text: str) -> None:
    """Send the first half of a text frame (RFC 6455, 5.2), unmasked: the receiver never gets the rest."""
    payload = text.encode()
    header = b"\x81" + (bytes([len(payload)]) if len(payload) < 126 else b"\x7e" + len(payload).to_bytes(2, "big"))
    with contextlib.suppress(OSError):
        connection.socket.sendall(header + payload[: len(payload) // 2])


def _break(connection: Any) -> None:
    """Close the raw socket without a WebSocket close frame."""
    with contextlib.suppress(OSError):
        connection.socket.shutdown(2)
    with contextlib.suppress(OSError):
        connection.socket.close()


@contextmanager
def proxied(upstream: str, decide: Callable[[Direction, str], Fate]) -> Iterator[Proxy]:
    """Start a proxy and stop it on exit."""
    proxy = Proxy(upstream, decide)
    try:
        yield proxy
    finally:
        proxy.close()
