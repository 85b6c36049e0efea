"""HTTP/1.1 transport for botocore over plain keep-alive sockets.

It replaces urllib3 and http.client, which take a third of a request's CPU (docs/benchmarks.md). botocore still builds,
signs, retries and parses requests. A connection serves one request at a time.
"""

import select
import socket
import ssl
from collections.abc import Iterator
from typing import Any, BinaryIO
from urllib.parse import SplitResult, urlsplit

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.exceptions import ConnectionClosedError, ConnectTimeoutError, EndpointConnectionError, ReadTimeoutError


class Transport:
    """Sends requests to one endpoint, encrypted if `tls` is given. Thread-safe.

    Timeouts are in seconds.
    """

    def __init__(self, tls: ssl.SSLContext | None, *, connect_timeout: float, read_timeout: float) -> None:
        self._tls = tls
        self._connect_timeout = connect_timeout
        self._read_timeout = read_timeout
        self._idle: list[_Connection] = []

    def send(self, request: AWSPreparedRequest) -> AWSResponse:
        """Send a request and return its response, like botocore's HTTP session.

        Raises botocore's exceptions, which decide whether it retries.
        """
        connection = self._idle_connection() or self._open(request.url)
        try:
            status, headers, body = connection.exchange(request)
        except TimeoutError as error:
            connection.close()
            raise ReadTimeoutError(endpoint_url=request.url, error=error) from error
        except (OSError, ValueError) as error:  # ValueError: the response is not HTTP
            connection.close()
            raise ConnectionClosedError(endpoint_url=request.url, request=request, error=error) from error
        if headers["connection"].lower() == "close":
            connection.close()
        else:
            self._idle.append(connection)
        return AWSResponse(request.url, status, headers, _Body(body))  # type: ignore[arg-type] - any mapping will do

    def _idle_connection(self) -> "_Connection | None":
        while self._idle:
            try:
                connection = self._idle.pop()
            except IndexError:  # another thread took the last one
                return None
            if not connection.is_stale():
                return connection
            connection.close()
        return None

    def _open(self, url: str) -> "_Connection":
        parts = urlsplit(url)
        host = parts.hostname or ""
        try:
            port = parts.port or (80 if self._tls is None else 443)
            opened = socket.create_connection((host, port), self._connect_timeout)
            if self._tls is not None:
                opened = self._tls.wrap_socket(opened, server_hostname=host)
        except TimeoutError as error:
            raise ConnectTimeoutError(endpoint_url=url, error=error) from error
        except OSError as error:
            raise EndpointConnectionError(endpoint_url=url, error=error) from error
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        opened.settimeout(self._read_timeout)
        return _Connection(opened, parts)


class _Connection:
    """An open connection to the endpoint."""

    def __init__(self, opened: socket.socket, url: SplitResult) -> None:
        self._socket = opened
        self._file: BinaryIO = opened.makefile("rb")
        self._start = f"POST {url.path or '/'} HTTP/1.1\r\nHost: {url.netloc}\r\n"

    def is_stale(self) -> bool:
        """Return whether the peer has closed it: nothing else makes an idle connection readable."""
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        return bool(poll.poll(0))

    def exchange(self, request: AWSPreparedRequest) -> tuple[int, dict[str, str], bytes]:
        """Send a request; return the status, the headers by lower-case name, and the body."""
        fields = "".join(f"{name}: {_text(value)}\r\n" for name, value in request.headers.items())
        given: Any = request.body
        body: bytes = given.encode() if isinstance(given, str) else given
        self._socket.sendall(f"{self._start}{fields}\r\n".encode("latin-1") + body)
        version, _, status = self._line().partition(b" ")
        headers = {"connection": "keep-alive" if version == b"HTTP/1.1" else "close"}
        while line := self._line():
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.lower()] = value.strip()
        if headers.get("transfer-encoding", "").lower() == "chunked":
            content = b"".join(self._chunks())
        elif "content-length" in headers:
            content = self._read(int(headers["content-length"]))
        else:
            content = self._file.read()
            headers["connection"] = "close"
        return int(status[:3]), headers, content

    def close(self) -> None:
        """Close the connection."""
        self._file.close()
        self._socket.close()

    def _line(self) -> bytes:
        line = self._file.readline()
        if not line.endswith(b"\n"):
            raise ConnectionResetError("closed within a response")
        return line.rstrip(b"\r\n")

    def _read(self, length: int) -> bytes:
        data = self._file.read(length)
        if len(data) < length:
            raise ConnectionResetError("closed within a response")
        return data

    def _chunks(self) -> Iterator[bytes]:
        while size := int(self._line().split(b";")[0], 16):
            yield self._read(size)
            self._line()
        while self._line():
            pass


class _Body:
    """A response body with the interface that AWSResponse reads."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self, *_: object, **__: object) -> Iterator[bytes]:
        """Yield the whole body."""
        yield self._content


def _text(value: bytes | str) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value
