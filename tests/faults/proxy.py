"""A proxy between a client and the chat that does to frames what networks do.

It speaks WebSocket on both sides, so that it can swallow or double a whole frame, and uses the socket below to break
off in the middle of one.
"""

import contextlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect
from websockets.sync.server import ServerConnection, serve

Direction = str
TO_SERVER, TO_CLIENT = "to server", "to client"
SECONDS = 5.0


class Fate(Enum):
    """What becomes of a frame."""

    PASSES = "passes"
    SWALLOWED = "swallowed"
    DOUBLED = "doubled"
    CUT_BEFORE = "the connection is cut before it"
    CUT_HALFWAY = "the connection is cut in the middle of it"
    CUT_AFTER = "the connection is cut after it"
    STALLS = "the connection goes silent, and stays open"


class Proxy:
    """A running proxy. `decide` is asked for each frame; connections share nothing."""

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
        except (OSError, TimeoutError, ConnectionClosed, Exception):  # noqa: BLE001 - not there: the client hears it
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
                elif fate is not Fate.SWALLOWED:
                    target.send(text)
                    if fate is Fate.DOUBLED:
                        target.send(text)
                    if fate is Fate.CUT_AFTER:
                        break
        _break(target)
        _break(source)


def _send_half(connection: Any, text: str) -> None:
    """Send the first half of a text frame (RFC 6455, 5.2), unmasked: the other side never gets to its end."""
    payload = text.encode()
    header = b"\x81" + (bytes([len(payload)]) if len(payload) < 126 else b"\x7e" + len(payload).to_bytes(2, "big"))
    with contextlib.suppress(OSError):
        connection.socket.sendall(header + payload[: len(payload) // 2])


def _break(connection: Any) -> None:
    """Close the socket below, without a word of WebSocket."""
    with contextlib.suppress(OSError):
        connection.socket.shutdown(2)
    with contextlib.suppress(OSError):
        connection.socket.close()


@contextmanager
def proxied(upstream: str, decide: Callable[[Direction, str], Fate]) -> Iterator[Proxy]:
    """Run a proxy for a while."""
    proxy = Proxy(upstream, decide)
    try:
        yield proxy
    finally:
        proxy.close()
