"""A scripted @connections endpoint, for the fake network and for real sockets."""

from collections.abc import Callable, Sequence
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
    """A request: its connection (from 0), its position on it, its content, and when it was complete."""

    connection: int
    nth: int
    method: str
    path: str
    fields: dict[str, str]
    body: bytes
    at: float

    @property
    def connection_id(self) -> str:
        return unquote(self.path.rpartition("/")[2])


class Close:
    """Close the connection."""


class Hang:
    """Send nothing until the peer hangs up."""


@dataclass(frozen=True)
class Pause:
    """Wait before sending the next piece."""

    seconds: float


CLOSE, HANG = Close(), Hang()
Piece = bytes | Close | Hang | Pause
Behaviour = Callable[[Received], Sequence[Piece] | bytes]


def always_ok(_: Received) -> bytes:
    return OK


def pieces(answer: Sequence[Piece] | bytes) -> Sequence[Piece]:
    return [answer] if isinstance(answer, bytes) else answer


class RequestParser:
    """Splits what one connection sends into requests."""

    def __init__(self, connection: int) -> None:
        self._connection = connection
        self._buffer = b""
        self._count = 0

    def feed(self, data: bytes, at: float) -> Received | None:
        """Add received bytes; return the request that they complete, if any."""
        self._buffer += data
        head, end, rest = self._buffer.partition(b"\r\n\r\n")
        if not end:
            return None
        lines = head.decode().split("\r\n")
        fields = {key.lower(): value for key, value in (line.split(": ", 1) for line in lines[1:])}
        length = int(fields["content-length"])
        if len(rest) < length:
            return None
        body, self._buffer = rest[:length], rest[length:]
        nth, self._count = self._count, self._count + 1
        method, path, _ = lines[0].split(" ")
        return Received(self._connection, nth, method, path, fields, body, at)


class ScriptedEndpoint:
    """Follows `behaviour` and records the requests it receives."""

    def __init__(self, behaviour: Behaviour = always_ok) -> None:
        self.behaviour = behaviour
        self.received: list[Received] = []
        self.accepted = 0
        """Number of connections opened."""

    def ids(self) -> list[str]:
        """Return the connection ids posted to, in order of arrival."""
        return [one.connection_id for one in self.received]

    def count(self, connection_id: str) -> int:
        """Return the number of posts received for a connection."""
        return self.ids().count(connection_id)

    @classmethod
    def answering(cls, **codes: int) -> Self:
        """Return an endpoint that answers the given connection ids (without their "=") with the given statuses."""
        return cls(lambda request: status(codes.get(request.connection_id.rstrip("="), 200)))
