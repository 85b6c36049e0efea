"""A sans-I/O parser for one HTTP/1.1 response."""

from typing import Final

from chat.push.errors import MalformedResponseError

_MAX_HEAD_BYTES: Final = 64 * 1024
_MAX_LENGTH_DIGITS: Final = 18  # int() raises ValueError above a few thousand digits


class ResponseReader:
    """Collects a response. `status` is set once it is complete; `keep_alive` allows reuse of the connection."""

    __slots__ = ("_buffer", "_chunked", "_head_end", "_length", "keep_alive", "status")

    def __init__(self) -> None:
        self.status: int | None = None
        self.keep_alive = True
        self._buffer = b""
        self._head_end = -1
        self._length: int | None = 0  # None after the head: the body ends with the stream
        self._chunked = False

    @property
    def has_begun(self) -> bool:
        """Return whether any byte of the response has arrived."""
        return bool(self._buffer)

    def feed(self, data: bytes) -> bool:
        """Add received bytes; return whether the response is complete. Raises MalformedResponseError."""
        self._buffer = self._buffer + data if self._buffer else data
        if self._head_end < 0 and not self._read_head():
            return False
        end = self._chunked_end() if self._chunked else self._counted_end()
        if end is None or len(self._buffer) < end:
            return False
        # After extra bytes, requests and responses no longer match.
        self.keep_alive = self.keep_alive and len(self._buffer) == end
        self.status = int(self._buffer[9:12])
        return True

    def end(self) -> bool:
        """Handle the end of the stream; return whether it completes the response."""
        self.keep_alive = False
        if self._length is None and not self._chunked:
            self.status = int(self._buffer[9:12])
        return self.status is not None

    def _read_head(self) -> bool:
        while True:
            end = self._buffer.find(b"\r\n\r\n")
            if end < 0:
                if len(self._buffer) > _MAX_HEAD_BYTES:
                    raise MalformedResponseError
                return False
            head = self._buffer[:end].lower()
            status = head[9:12]
            if not head.startswith(b"http/1.") or not status.isdigit():
                raise MalformedResponseError
            if not status.startswith(b"1"):
                break
            self._buffer = self._buffer[end + 4 :]  # an interim response: the final one follows
        self._head_end = end + 4
        self._length = None
        self.keep_alive = not head.startswith(b"http/1.0")
        self._read_fields(head)
        if status in (b"204", b"304"):
            self._length, self._chunked = 0, False
        return True

    def _read_fields(self, head: bytes) -> None:
        for line in head.split(b"\r\n")[1:]:
            name, _, value = line.partition(b":")
            value = value.strip()
            if name == b"content-length":
                if not value.isdigit() or len(value) > _MAX_LENGTH_DIGITS:
                    raise MalformedResponseError
                self._length = int(value)
            elif name == b"transfer-encoding":
                self._chunked = value.endswith(b"chunked")
            elif name == b"connection":
                self.keep_alive = b"close" not in value and (self.keep_alive or b"keep-alive" in value)

    def _counted_end(self) -> int | None:
        return None if self._length is None else self._head_end + self._length

    def _chunked_end(self) -> int | None:
        """Return the end of a chunked body (RFC 9112, section 7.1), or None while it is incomplete."""
        at = self._head_end
        while True:
            line_end = self._buffer.find(b"\r\n", at)
            if line_end < 0:
                return None
            try:
                size = int(self._buffer[at:line_end].split(b";")[0], 16)
            except ValueError:
                raise MalformedResponseError from None
            if size < 0:
                raise MalformedResponseError
            if size == 0:
                end = self._buffer.find(b"\r\n\r\n", line_end)  # after any trailer fields
                return None if end < 0 else end + 4
            at = line_end + 2 + size + 2
