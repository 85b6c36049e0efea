"""WebSocket transport: a blocking client, and sessions on real sockets."""

import contextlib
import json
import socket
import threading
import time
import uuid
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any, Generic, Protocol, Self, TypeAlias, TypeVar
from urllib.parse import urlsplit

from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from chat_client.errors import NoAnswerError, RefusedError

Frame: TypeAlias = dict[str, Any]

DEFAULT_TIMEOUT_SECONDS = 10.0
CLOSE_SECONDS = 1.0
"""How long the server may take to close its side."""
TICK_SECONDS = 0.02

_LOOPBACK = ("127.0.0.1", "localhost", "::1")


class ChatSocket:
    """One WebSocket to the chat, used by one thread.

    Each wait ends after `timeout_seconds`. Frames that arrive before the expected one stay in `unread`, in order.
    Raises OSError or InvalidHandshake of `websockets` if the connection fails.
    """

    def __init__(
        self, url: str, *, origin: str | None = None, timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS
    ) -> None:
        self._timeout_seconds = timeout_seconds
        self._open = ExitStack()
        self._socket = self._open.enter_context(_connect(url, origin, timeout_seconds))
        self.unread: list[Frame] = []
        self.connection_id = ""
        """Known after the first `join`."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the WebSocket."""
        self._open.close()

    def drop(self) -> None:
        """Break the connection without a closing handshake, like a lost network or a killed client."""
        _drop(self._socket)
        self._open.close()

    def send(self, action: str, **fields: Any) -> None:
        """Send a frame; fields that are None are left out."""
        given = {name: value for name, value in fields.items() if value is not None}
        self.send_raw(json.dumps({"action": action, **given}))

    def send_raw(self, data: str | bytes, *, as_text: bool | None = None) -> None:
        """Send data unchanged: a str as a text frame, bytes as a binary frame unless `as_text`."""
        self._socket.send(data, text=as_text)

    def wait_for(self, frame_type: str, **fields: Any) -> Frame:
        """Return the first frame of a type with these fields. Raises NoAnswerError."""
        return self.wait_until(
            lambda frame: _matches(frame, frame_type, fields), f"{frame_type} {fields or ''}".strip()
        )

    def wait_until(self, wanted: Callable[[Frame], bool], description: str) -> Frame:
        """Return the first frame that is `wanted`. Raises NoAnswerError, which names the `description`."""
        for place, frame in enumerate(self.unread):
            if wanted(frame):
                return self.unread.pop(place)
        deadline = time.monotonic() + self._timeout_seconds
        while True:
            try:
                frame = parse(self._socket.recv(timeout=max(0.0, deadline - time.monotonic())))
            except TimeoutError:
                raise NoAnswerError(self._nothing_but(description)) from None
            if wanted(frame):
                return frame
            self.unread.append(frame)

    def wait_until_closed(self) -> int | None:
        """Return the server's close code, or None if it closes without one. Raises NoAnswerError."""
        try:
            self.wait_until(lambda _: False, "close")
        except ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd else None
        raise AssertionError("a wait for nothing returned")

    def ask(self, action: str, frame_type: str, **fields: Any) -> Frame:
        """Send a frame and return its answer. Raises RefusedError or NoAnswerError, like every request below."""
        self.send(action, **fields)
        return self._answer(action, frame_type)

    def sign_in(self, token: str, *, name: str | None = None) -> Frame:
        """Sign in with an access token and return `signedin`. `name` is that of a new account."""
        return self.ask("signin", "signedin", token=token, name=name)

    def join(self, room: str, *, name: str | None = None, secret: str | None = None, after: int | None = None) -> Frame:
        """Join a room and return `joined`."""
        self.send("join", room=room, name=name, secret=secret, after=after)
        joined = self._answer("join", "joined", room=room)
        self.connection_id = joined["connectionId"]
        return joined

    def leave(self, room: str) -> Frame:
        """Leave a room and return `left`."""
        self.send("leave", room=room)
        return self._answer("leave", "left", room=room)

    def send_message(self, text: str, *, to: str | None = None, message_id: str | None = None) -> Frame:
        """Send a message, generating an id if not given, and return the sender's copy: the message is then stored."""
        message_id = message_id or str(uuid.uuid4())
        self.send("sendmessage", message=text, messageId=message_id, to=to)
        return self.acknowledgement(message_id)

    def acknowledgement(self, message_id: str) -> Frame:
        """Return the sender's copy of a message that was sent."""
        return self._answer("sendmessage", "message", messageId=message_id.lower())

    def history(self, **asked: Any) -> Frame:
        """Ask for a page (`room`, `before`, `after`, `limit`) and return `history`."""
        self.send("history", **asked)
        repeated = {name: asked[name] for name in ("room", "before", "after") if asked.get(name) is not None}
        return self._answer("history", "history", **repeated)

    def history_since(self, after: int, *, room: str | None = None) -> list[Frame]:
        """Return all messages after a seq, page by page."""
        messages: list[Frame] = []
        while True:
            page = self.history(room=room, after=after, limit=100)
            messages += page["messages"]
            if page["complete"]:
                return messages
            after = messages[-1]["seq"]

    def ping(self) -> Frame:
        """Ping and return `pong`; by then the emulator has handled every earlier frame of this socket."""
        self.send("ping")
        return self._answer("ping", "pong")

    def _answer(self, action: str, frame_type: str, **fields: Any) -> Frame:
        """Return the answer to a request. Raises RefusedError if it is an `error` frame."""

        def answers(frame: Frame) -> bool:
            if _matches(frame, "error", {"action": action}):  # it repeats the request's well-formed fields
                return all(frame.get(name, value) == value for name, value in fields.items())
            return _matches(frame, frame_type, fields)

        frame = self.wait_until(answers, f"answer to {action}")
        if frame["type"] == "error":
            raise RefusedError(frame)
        return frame

    def _nothing_but(self, description: str) -> str:
        """Return why a wait failed, with the frames received instead."""
        came = ", ".join(f"{frame.get('type', frame)} {frame.get('error', '')}".strip() for frame in self.unread)
        return f"no {description} within {self._timeout_seconds:g} s, {f'only {came}' if came else 'nothing came'}"


def parse(data: str | bytes) -> Frame:
    """Parse a frame from the server. Anything but a JSON object, such as a gateway's message, is returned as `raw`."""
    try:
        frame = json.loads(data)
    except ValueError:
        frame = None
    return frame if isinstance(frame, dict) else {"raw": data}


def _matches(frame: Frame, frame_type: str, fields: Frame) -> bool:
    return frame.get("type") == frame_type and all(frame.get(name) == value for name, value in fields.items())


def _connect(url: str, origin: str | None = None, timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS) -> Any:
    """Return a WebSocket that is open within its context. Connections to this machine never use a proxy."""
    return connect(
        url,
        origin=Origin(origin) if origin else None,
        open_timeout=timeout_seconds,
        close_timeout=CLOSE_SECONDS,
        compression=None,
        ping_interval=None,
        max_queue=None,
        proxy=None if urlsplit(url).hostname in _LOOPBACK else True,
    )


def _drop(connection: ClientConnection) -> None:
    with contextlib.suppress(OSError):
        connection.socket.shutdown(socket.SHUT_RDWR)


class Session(Protocol):
    """A client without I/O, driven by SessionTransport."""

    def opened(self) -> None:
        """Handle that the transport has connected."""
        ...

    def received(self, frame: Frame) -> None:
        """Handle a frame from the server."""
        ...

    def closed(self) -> None:
        """Handle that the transport has closed or could not connect."""
        ...

    def tick(self) -> None:
        """Run the actions that are due."""
        ...


SessionT = TypeVar("SessionT", bound=Session)


class SessionTransport(Generic[SessionT]):
    """A session on real sockets. Each `open` is an attempt, with a thread that connects and then reads.

    All calls to the session hold one lock. `on_frame` gets each frame first, without the lock.
    """

    def __init__(
        self,
        url: str,
        make_session: Callable[["SessionTransport[SessionT]"], SessionT],
        on_frame: Callable[[Frame], None] = lambda _: None,
    ) -> None:
        self._url = url
        self._on_frame = on_frame
        self._lock = threading.RLock()
        self._attempt = 0
        self._connection: ClientConnection | None = None
        self.last_error: Exception | None = None
        """Why the last connection ended or failed."""
        self.session = make_session(self)

    def open(self) -> None:
        """Start connecting; the session's `opened` or `closed` follows."""
        self.close()
        threading.Thread(target=self._run, args=(self._attempt,), daemon=True).start()

    def send(self, frame: Frame) -> None:
        """Send a frame. It is lost if the connection is closed or breaks."""
        if self._connection is not None:
            with contextlib.suppress(ConnectionClosed, OSError):
                self._connection.send(json.dumps(frame))

    def close(self) -> None:
        """Drop the connection without a closing handshake. The session gets no more calls from it."""
        self._attempt += 1
        connection, self._connection = self._connection, None
        if connection is not None:
            _drop(connection)

    def do(self, act: Callable[[SessionT], Any]) -> Any:
        """Call `act` with the session, under the lock; return its result."""
        with self._lock:
            return act(self.session)

    def _run(self, attempt: int) -> None:
        """Connect, then pass frames on until the connection ends."""
        try:
            with _connect(self._url) as opened:
                if not self._use(attempt, opened):
                    _drop(opened)
                for data in opened:
                    frame = parse(data)
                    self._on_frame(frame)
                    self._call(attempt, lambda session, frame=frame: session.received(frame))
        except (OSError, EOFError, ConnectionClosed, InvalidHandshake) as error:
            self.last_error = error
        self._call(attempt, lambda session: session.closed())

    def _use(self, attempt: int, connection: ClientConnection) -> bool:
        """Make this the current connection, unless the attempt was abandoned."""
        with self._lock:
            if attempt != self._attempt:
                return False
            self._connection = connection
            self.session.opened()
            return True

    def _call(self, attempt: int, act: Callable[[SessionT], None]) -> None:
        with self._lock:
            if attempt == self._attempt:
                act(self.session)


class SessionTransports(Generic[SessionT]):
    """Sessions on real sockets, and one thread that ticks them all until the context ends."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._running: list[SessionTransport[SessionT]] = []
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._tick, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._thread.join()
        for transport in self._running:
            transport.do(lambda _, transport=transport: transport.close())

    def add(
        self,
        make_session: Callable[[SessionTransport[SessionT]], SessionT],
        on_frame: Callable[[Frame], None] = lambda _: None,
    ) -> SessionTransport[SessionT]:
        """Create and add a session on a new transport."""
        transport = SessionTransport(self._url, make_session, on_frame)
        self._running.append(transport)
        return transport

    def _tick(self) -> None:
        while not self._is_over.wait(TICK_SECONDS):
            for transport in list(self._running):
                transport.do(lambda session: session.tick())
