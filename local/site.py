"""A stand-in for the S3 website endpoint and for CloudFront: serves a bucket's objects.

MiniStack stores objects and policies but serves neither websites nor distributions. A website is read without
credentials, as a browser reads it, so a bucket policy that forbids that shows.
"""

import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from local.emulator import HOST, listening_socket

_PASSED_ON = ("Content-Type", "Cache-Control", "ETag")

Read = Callable[[str], tuple[int, dict[str, str], bytes]]
"""Key → status, headers, body."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Print nothing: browsers hang up as they like."""


class Site:
    """A server for one bucket, on a port or the next free one. Until `serve` it answers 503."""

    def __init__(self, port: int) -> None:
        self._read: Read = lambda _: (503, {}, b"Not deployed yet.\n")
        self._headers: dict[str, str] = {}
        self._index = "index.html"
        listening = listening_socket(port)
        self.port: int = listening.getsockname()[1]
        self.url = f"http://{HOST}:{self.port}"
        self._hosts = [[f"{name}:{self.port}"] for name in (HOST, "localhost")]
        server = _Server((HOST, self.port), self._handler(), bind_and_activate=False)
        server.socket.close()
        server.socket = listening
        threading.Thread(target=server.serve_forever, daemon=True).start()

    def serve(self, read: Read, headers: dict[str, str] | None = None) -> None:
        """Serve what `read` returns, with `headers` added to each response."""
        self._headers = headers or {}
        self._read = read

    def _handler(site: "Site") -> type[BaseHTTPRequestHandler]:  # noqa: N805 - `self` is the handler below
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            server_version = "site"
            sys_version = ""

            def do_GET(self) -> None:
                if self.headers.get_all("Host") not in site._hosts:  # DNS rebinding
                    self.send_error(403)
                    return
                key = unquote(urlsplit(self.path).path).lstrip("/") or site._index
                status, headers, body = site._read(key)
                if status in (403, 404):  # both deliveries have the page as error document
                    _, headers, body = site._read(site._index)
                    status = 404
                if status == 200 and headers.get("ETag") and self.headers.get("If-None-Match") == headers["ETag"]:  # noqa: PLR2004
                    status, body = 304, b""
                self.send_response(status)
                for name, value in {**headers, **site._headers}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(body)

            do_HEAD = do_GET

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's signature
                pass

        return Handler


def read_publicly(bucket_url: str) -> Read:
    """Return a reader of a public bucket, without credentials."""

    def read(key: str) -> tuple[int, dict[str, str], bytes]:
        request = urllib.request.Request(f"{bucket_url}/{quote(key)}")  # noqa: S310 - our own address
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
                headers = {name: answer.headers[name] for name in _PASSED_ON if answer.headers[name]}
                return answer.status, headers, answer.read()
        except urllib.error.HTTPError as refused:
            with refused:
                return refused.code, {"Content-Type": "text/plain"}, refused.read()
        except OSError:
            return 502, {"Content-Type": "text/plain"}, b"The emulator does not answer.\n"

    return read


def read_as_distribution(s3: Any, bucket: str) -> Read:
    """Return a reader of a private bucket, with credentials, as CloudFront has by its origin access control."""

    def read(key: str) -> tuple[int, dict[str, str], bytes]:
        try:
            answer = s3.get_object(Bucket=bucket, Key=key)
        except s3.exceptions.ClientError as refused:
            return refused.response["ResponseMetadata"]["HTTPStatusCode"], {"Content-Type": "text/plain"}, b""
        headers = {
            "Content-Type": answer["ContentType"],
            "Cache-Control": answer.get("CacheControl", ""),
            "ETag": answer["ETag"],
        }
        return 200, headers, answer["Body"].read()

    return read


def headers_of_distribution(policy: dict[str, Any]) -> dict[str, str]:
    """Return the headers that CloudFront adds for a response headers policy, given its inputs."""
    security = policy["securityHeadersConfig"]
    transport = security["strictTransportSecurity"]
    headers = {
        "Content-Security-Policy": security["contentSecurityPolicy"]["contentSecurityPolicy"],
        "Strict-Transport-Security": f"max-age={int(transport['accessControlMaxAgeSec'])}; includeSubDomains",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": security["frameOptions"]["frameOption"],
        "Referrer-Policy": security["referrerPolicy"]["referrerPolicy"],
    }
    return headers | {item["header"]: item["value"] for item in policy["customHeadersConfig"]["items"]}
