"""AWS Signature Version 4 for many requests that differ only in their paths.

The key is derived once a day and the shared parts are built once a second, which leaves two digests per request.
Source: "Create a signed AWS API request" (IAM user guide).
"""

import hashlib
import hmac
import time
from dataclasses import dataclass, field

_ALGORITHM = "AWS4-HMAC-SHA256"


@dataclass(frozen=True, slots=True)
class Credentials:
    """Credentials of a role (with a session token) or of a user."""

    access_key: str
    secret_key: str = field(repr=False)
    token: str | None = field(default=None, repr=False)


class Signer:
    """Signs requests to one host."""

    def __init__(self, credentials: Credentials, region: str, host: str, service: str = "execute-api") -> None:
        self.credentials = credentials
        self._region = region
        self._host = host
        self._service = service
        self._second = -1
        self._payload_hash = ""
        self._day = ""
        self._key = b""

    def headers(self, twice_encoded_path: str, payload_hash: str, at: float, method: str = "POST") -> str:
        """Return the header lines that sign a request, each ending in CR LF.

        Services other than S3 sign the path percent-encoded once more than it is sent. `payload_hash` is the body's
        SHA-256 in hexadecimal, `at` the time in seconds since 1970.
        """
        if int(at) != self._second or payload_hash != self._payload_hash:
            self._prepare(int(at), payload_hash)
        canonical = f"{method}\n{twice_encoded_path}{self._canonical_rest}"
        digest = hashlib.sha256(canonical.encode()).hexdigest()
        signature = hmac.digest(self._key, f"{self._to_sign}{digest}".encode(), "sha256").hex()
        return f"{self._header_start}{signature}\r\n"

    def _prepare(self, second: int, payload_hash: str) -> None:
        """Build the parts that all requests with this body share in this second."""
        credentials = self.credentials
        stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(second))
        day = stamp[:8]
        scope = f"{day}/{self._region}/{self._service}/aws4_request"
        names = "host;x-amz-date"
        lines = f"host:{self._host}\nx-amz-date:{stamp}\n"
        token_line = ""
        if credentials.token is not None:
            names += ";x-amz-security-token"
            lines += f"x-amz-security-token:{credentials.token}\n"
            token_line = f"X-Amz-Security-Token: {credentials.token}\r\n"
        self._canonical_rest = f"\n\n{lines}\n{names}\n{payload_hash}"
        self._to_sign = f"{_ALGORITHM}\n{stamp}\n{scope}\n"
        self._header_start = (
            f"X-Amz-Date: {stamp}\r\n{token_line}"
            f"Authorization: {_ALGORITHM} Credential={credentials.access_key}/{scope}, "
            f"SignedHeaders={names}, Signature="
        )
        if day != self._day:
            self._key = _derive_key(credentials.secret_key, day, self._region, self._service)
            self._day = day
        self._second = second
        self._payload_hash = payload_hash


def _derive_key(secret: str, *scope: str) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in (*scope, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key
