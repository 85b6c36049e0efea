"""A keep-alive connection to the endpoint: sends requests and reads responses without blocking."""

import ssl
from collections.abc import Callable
from enum import Enum
from selectors import EVENT_READ, EVENT_WRITE
from typing import Final

from chat.push.errors import ConnectionBrokenError, MalformedResponseError
from chat.push.network import Network, Selector, Stream
from chat.push.response import ResponseReader

IDLE_SECONDS: Final = 30.0
"""How long an idle connection is trusted: a frozen function does not notice when the peer closes it."""

_READ_BYTES: Final = 65536
_SURELY_STALLED_SECONDS: Final = 0.5


class State(Enum):
    """State of a connection."""

    CONNECTING = "connecting"
    """Opening, with its first request waiting."""
    ACTIVE = "active"
    """Sending a request or waiting for its response."""
    IDLE = "idle"
    """Open and ready for the next request."""
    CLOSED = "closed"


_CONNECTING, _ACTIVE, _IDLE, _CLOSED = State  # Enum attribute access takes 0.1 µs, six times a post


class Connection:
    """Owns its stream, its registration with the selector and its state."""

    __slots__ = (
        "_network", "_reader", "_registered", "_selector", "_stream", "_unsent", "answered_before", "idle_since",
        "recipient", "responses", "started", "state",
    )  # fmt: skip

    def __init__(self, network: Network, selector: Selector, stream: Stream) -> None:
        self._network = network
        self._selector = selector
        self._stream = stream
        self._registered = 0
        self._unsent = b""
        self._reader = ResponseReader()
        self.state = _CONNECTING
        self.recipient = ""
        """Connection id that the current request posts to."""
        self.started = 0.0
        """Start of the current request, in seconds of the monotonic clock."""
        self.answered_before = 0
        """Responses that the pool had received by then."""
        self.idle_since = 0.0
        """End of the last response, in seconds since 1970."""
        self.responses = 0
        self._watch(EVENT_WRITE)

    def __repr__(self) -> str:
        return f"<Connection {self.state.name}, {self.responses} responses>"

    def is_connecting(self) -> bool:
        """Return whether the stream is still opening."""
        return self.state is _CONNECTING

    def is_idle(self) -> bool:
        """Return whether the next request may be sent."""
        return self.state is _IDLE

    def is_closed(self) -> bool:
        """Return whether the stream is closed."""
        return self.state is _CLOSED

    def has_expired(self, now: float) -> bool:
        """Return whether it has been idle for too long to be trusted; `now` is in seconds since 1970.

        Uses the wall clock because the monotonic one may stop while the function is frozen.
        """
        return self.state is _IDLE and abs(now - self.idle_since) > IDLE_SECONDS

    def is_sent(self) -> bool:
        """Return whether the whole current request has been handed to the network."""
        return not self._unsent

    def is_stalled(self, now: float, patience: float, *, overtaken: bool) -> bool:
        """Return whether the current request has waited for a slow peer for more than `patience` seconds.

        A peer is slow if others overtake it. If all are late, the network or this CPU is busy and more connections
        would make it worse, so only a very long wait counts.
        """
        waited = now - self.started
        return waited > patience and self.is_sent() and (overtaken or waited > _SURELY_STALLED_SECONDS)

    def start(self, recipient: str, request: bytes, now: float, answered: int) -> None:
        """Send a request once the stream is open. Raises ConnectionBrokenError."""
        self.recipient = recipient
        self.started = now
        self.answered_before = answered
        self._unsent = request
        self._reader = ResponseReader()
        if self.state is not _CONNECTING:
            self.state = _ACTIVE
            self._run(self._send)

    def advance(self) -> int | None:
        """Continue the current request; return the status once the response is complete.

        The connection is then idle, or closed if it cannot be reused. Raises ConnectionBrokenError.
        """
        return self._run(self._continue)

    def close(self) -> None:
        """Close the stream."""
        if self.state is not _CLOSED:
            self.state = _CLOSED
            self._selector.unregister(self._stream.fileno())
            self._stream.close()

    def _run(self, step: Callable[[], int | None]) -> int | None:
        try:
            return step()
        except (BlockingIOError, ssl.SSLWantReadError):
            self._watch(EVENT_READ)
        except ssl.SSLWantWriteError:
            self._watch(EVENT_WRITE)
        except (OSError, MalformedResponseError):  # ssl.SSLError is an OSError
            self.close()
            raise ConnectionBrokenError(was_stale=bool(self.responses) and not self._reader.has_begun) from None
        return None

    def _continue(self) -> int | None:
        if self.state is _CONNECTING:
            self._stream.open()
            self.state = _ACTIVE
        if self._unsent:
            self._send()
            if self._unsent:
                return None
        return self._receive()

    def _send(self) -> None:
        while self._unsent:
            try:
                sent = self._stream.send(self._unsent)
            except BlockingIOError:
                self._watch(EVENT_WRITE)
                return
            self._unsent = self._unsent[sent:]
        self._watch(EVENT_READ)

    def _receive(self) -> int | None:
        while True:
            data = self._stream.recv(_READ_BYTES)
            if not data:
                if self._reader.end():
                    break
                raise ConnectionResetError
            if self._reader.feed(data):
                break
        self.responses += 1
        if self._reader.keep_alive:
            self.state = _IDLE
            self.idle_since = self._network.time()
        else:
            self.close()
        return self._reader.status

    def _watch(self, events: int) -> None:
        """Register the awaited events if they have changed."""
        if events == self._registered:
            return
        if self._registered:
            self._selector.modify(self._stream.fileno(), events, self)
        else:
            self._selector.register(self._stream.fileno(), events, self)
        self._registered = events
