"""Serves a bucket as an S3 website endpoint or as CloudFront, which MiniStack does not.

A website's objects are read without credentials, as by a browser, so a bucket policy that forbids this shows.
"""

import gzip
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from local.emulator import HOST, listening_socket

_PASSED_ON = ("Content-Type", "Cache-Control", "ETag")
_COMPRESSED = {
    "application/json",
    "application/wasm",
    "application/xml",
    "image/svg+xml",
    "text/css",
    "text/html",
    "text/javascript",
    "text/plain",
}
"""Types, of those used here, that CloudFront compresses (CloudFront developer guide, "Serve compressed files")."""
_COMPRESSED_BYTES = range(1_000, 10_000_001)
"""Sizes in bytes that CloudFront compresses."""

Read = Callable[[str], tuple[int, dict[str, str], bytes]]
"""Key → status, headers, body."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore errors: browsers drop connections at any time."""


class Site:
    """A server for one bucket, on a port or the next free one. It answers 503 until `serve`."""

    def __init__(self, port: int) -> None:
        self._read: Read = lambda _: (503, {}, b"Not deployed yet.\n")
        self._headers: dict[str, str] = {}
        self._compresses = False
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
        """Serve what `read` returns as a website, or as a distribution that adds `headers` and compresses."""
        self._headers = headers or {}
        self._compresses = headers is not None
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
                if status in (HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND):  # the index is the error document
                    _, headers, body = site._read(site._index)
                    status = HTTPStatus.NOT_FOUND
                if site._compresses:
                    headers, body = _compressed(headers, body, self.headers.get("Accept-Encoding", ""))
                if status == HTTPStatus.OK and _names(self.headers.get("If-None-Match", ""), headers.get("ETag")):
                    status, body = HTTPStatus.NOT_MODIFIED, b""
                self.send_response(status)
                for name, value in {**headers, **site._headers}.items():
                    self.send_header(name, value)
                if status != HTTPStatus.NOT_MODIFIED:
                    self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(body)

            do_HEAD = do_GET

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the signature of the base class
                pass

        return Handler


def _compressed(headers: dict[str, str], body: bytes, accepted: str) -> tuple[dict[str, str], bytes]:
    """Return headers and body as CloudFront sends them to a browser; `accepted` is its Accept-Encoding."""
    type_ = headers.get("Content-Type", "").partition(";")[0]
    if type_ not in _COMPRESSED or len(body) not in _COMPRESSED_BYTES:
        return headers, body
    headers = {**headers, "Vary": "Accept-Encoding"}
    if "gzip" not in {one.partition(";")[0].strip() for one in accepted.split(",")}:
        return headers, body
    headers["Content-Encoding"] = "gzip"
    if headers.get("ETag", "").startswith('"'):
        headers["ETag"] = f"W/{headers['ETag']}"  # same content, other bytes
    return headers, gzip.compress(body, mtime=0)


def _names(if_none_match: str, etag: str | None) -> bool:
    """Return whether If-None-Match contains a tag, by weak comparison (RFC 9110, 13.1.2)."""
    known = {one.strip().removeprefix("W/") for one in if_none_match.split(",")}
    return etag is not None and etag.removeprefix("W/") in known


def read_publicly(bucket_url: str) -> Read:
    """Return a reader of a public bucket that uses no credentials."""

    def read(key: str) -> tuple[int, dict[str, str], bytes]:
        request = urllib.request.Request(f"{bucket_url}/{quote(key)}")
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                headers = {name: answer.headers[name] for name in _PASSED_ON if answer.headers[name]}
                return answer.status, headers, answer.read()
        except urllib.error.HTTPError as refused:
            with refused:
                return refused.code, {"Content-Type": "text/plain"}, refused.read()
        except OSError:
            return 502, {"Content-Type": "text/plain"}, b"The emulator does not answer.\n"

    return read


def read_as_distribution(s3: Any, bucket: str) -> Read:
    """Return a reader of a private bucket that uses credentials, as CloudFront does with origin access control."""

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
    """Return the headers that CloudFront adds, given the inputs of a response headers policy."""
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
