"""What stands in for the S3 website endpoint or CloudFront: it serves the bucket's objects. It knows no socket.

MiniStack stores objects and their policies, but serves them neither at a website's root nor through a distribution.
A public website is read without credentials here, as a browser would: a bucket policy that forbids it shows.
"""

import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from local.emulator import HOST

_PASSED_ON = ("Content-Type", "Cache-Control", "ETag")


class Site:
    """A server for one bucket, on a port of its own."""

    def __init__(self, port: int) -> None:
        self.read: Callable[[str], tuple[int, dict[str, str], bytes]] = lambda _: (503, {}, b"Not deployed yet\n")
        """Key → status, headers, body."""
        self.index = "index.html"
        self.headers: dict[str, str] = {}
        """What CloudFront's response headers policy adds."""
        self._server = ThreadingHTTPServer((HOST, port), self._handler())
        self._server.daemon_threads = True
        self.url = f"http://{HOST}:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()

    def _handler(site: "Site") -> type[BaseHTTPRequestHandler]:  # noqa: N805 - `self` is the handler below
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            server_version = "site"
            sys_version = ""

            def do_GET(self) -> None:
                key = unquote(urlsplit(self.path).path).lstrip("/") or site.index
                status, headers, body = site.read(key)
                if status in (403, 404):  # the error document, as both deliveries name it
                    _, headers, body = site.read(site.index)
                    status = 404
                if status == 200 and headers.get("ETag") and self.headers.get("If-None-Match") == headers["ETag"]:  # noqa: PLR2004
                    status, body = 304, b""
                self.send_response(status)
                for name, value in {**headers, **site.headers}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(body)

            do_HEAD = do_GET

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's signature
                pass

        return Handler


def read_publicly(bucket_url: str) -> Callable[[str], tuple[int, dict[str, str], bytes]]:
    """Return a reader of a public bucket: no credentials."""

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
            return 502, {"Content-Type": "text/plain"}, b"The emulator does not answer\n"

    return read


def read_as_distribution(s3: Any, bucket: str) -> Callable[[str], tuple[int, dict[str, str], bytes]]:
    """Return a reader of a private bucket with credentials, as CloudFront's origin access control has them."""

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
