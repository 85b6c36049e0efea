"""One HTTP/1.1 response, put together from whatever pieces the network gives. It knows no socket."""

from typing import Final

_MAX_HEAD_BYTES: Final = 64 * 1024


class BadResponse(Exception):  # noqa: N818 - the peer's fault, named for what it is
    """What came is no HTTP response."""


class ResponseReader:
    """Collects a response; `status` is set once it is whole. `keep_alive`: the socket may be used again."""

    __slots__ = ("_buffer", "_chunked", "_head_end", "_length", "keep_alive", "status")

    def __init__(self) -> None:
        self.status: int | None = None
        self.keep_alive = True
        self._buffer = b""
        self._head_end = -1
        self._length: int | None = 0
        self._chunked = False

    @property
    def begun(self) -> bool:
        """Tell whether anything has come."""
        return bool(self._buffer)

    def feed(self, data: bytes) -> bool:
        """Take what has come; return whether the response is whole. Raises BadResponse."""
        self._buffer = self._buffer + data if self._buffer else data
        if self._head_end < 0 and not self._read_head():
            return False
        end = self._chunked_end() if self._chunked else self._counted_end()
        if end is None or len(self._buffer) < end:
            return False
        self.keep_alive = self.keep_alive and len(self._buffer) == end  # more than asked for: no longer in step
        self.status = int(self._buffer[9:12])
        return True

    def end(self) -> bool:
        """Take the end of the stream; return whether that makes the response whole."""
        self.keep_alive = False
        if self._head_end >= 0 and self._length is None and not self._chunked:
            self.status = int(self._buffer[9:12])
        return self.status is not None

    def _read_head(self) -> bool:
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            if len(self._buffer) > _MAX_HEAD_BYTES:
                raise BadResponse
            return False
        head = self._buffer[:end].lower()
        status = head[9:12]
        if not head.startswith(b"http/1.") or not status.isdigit():
            raise BadResponse
        if status.startswith(b"1"):  # an interim response: the real one follows
            self._buffer = self._buffer[end + 4 :]
            return bool(self._buffer) and self._read_head()
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
                if not value.isdigit():
                    raise BadResponse
                self._length = int(value)
            elif name == b"transfer-encoding":
                self._chunked = value.endswith(b"chunked")
            elif name == b"connection":
                self.keep_alive = b"close" not in value and (self.keep_alive or b"keep-alive" in value)

    def _counted_end(self) -> int | None:
        return None if self._length is None else self._head_end + self._length

    def _chunked_end(self) -> int | None:
        """Return where a chunked body ends (RFC 9112, 7.1), or None while it goes on."""
        at = self._head_end
        while True:
            line_end = self._buffer.find(b"\r\n", at)
            if line_end < 0:
                return None
            try:
                size = int(self._buffer[at:line_end].split(b";")[0], 16)
            except ValueError:
                raise BadResponse from None
            if size < 0:
                raise BadResponse
            if size == 0:
                return self._trailer_end(line_end + 2)
            at = line_end + 2 + size + 2

    def _trailer_end(self, at: int) -> int | None:
        if self._buffer.startswith(b"\r\n", at):
            return at + 2
        end = self._buffer.find(b"\r\n\r\n", at)
        return None if end < 0 else end + 4
