"""The signed HTTP requests that post one frame to many recipients, or close their connections."""

import hashlib
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Self
from urllib.parse import quote, urlsplit

from chat.push.sigv4 import Signer

_RESERVED: Final = re.compile(r"[^A-Za-z0-9_.~-]+")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The @connections endpoint of a stage."""

    host: str
    port: int
    is_secure: bool
    authority: str
    """Host header; includes the port only if the URL does."""
    path: str
    """Percent-encoded, up to and including the slash before the connection id."""

    @classmethod
    def parse(cls, callback_url: str) -> Self:
        """Parse a URL such as https://api.example/production. Raises ValueError."""
        url = urlsplit(callback_url)
        if url.scheme not in ("http", "https") or not url.hostname:
            raise ValueError(f"The callback URL must be an http or https URL, not {callback_url!r}")
        is_secure = url.scheme == "https"
        return cls(
            host=url.hostname,
            port=url.port or (443 if is_secure else 80),
            is_secure=is_secure,
            authority=url.netloc,
            path=quote(url.path.rstrip("/"), safe="/~") + "/@connections/",
        )


class PostRequests:
    """Builds the requests for one frame, which differ only in recipient and signature.

    With the method DELETE and no frame they close the connections.
    """

    def __init__(self, endpoint: Endpoint, signer: Signer, frame: bytes, method: str = "POST") -> None:
        self._signer = signer
        self._method = method
        self._payload_hash = hashlib.sha256(frame).hexdigest()
        self._signed_path = quote(endpoint.path, safe="/~")
        self._start = f"{method} {endpoint.path}"
        self._middle = f" HTTP/1.1\r\nHost: {endpoint.authority}\r\n"
        self._end = f"Content-Length: {len(frame)}\r\n\r\n".encode() + frame

    def to(self, connection_id: str, at: float) -> bytes:
        """Return the request for a connection, signed at `at` (seconds since 1970)."""
        encoded = _RESERVED.sub(_encode, connection_id)  # quote() on the whole id takes three times as long
        # Encoding an encoded path again changes only "%".
        signed_path = self._signed_path + encoded.replace("%", "%25")
        signed_headers = self._signer.headers(signed_path, self._payload_hash, at, self._method)
        return f"{self._start}{encoded}{self._middle}{signed_headers}".encode() + self._end


def _encode(found: re.Match[str]) -> str:
    return _quote_all(found[0])


@lru_cache(maxsize=64)
def _quote_all(reserved: str) -> str:
    return quote(reserved, safe="")
