"""Decides which requests reach the emulator: those of this run's page and functions, and those signed with its keys.

The emulator listens only on this machine, but any web page open in a local browser can send requests to it, and so can
other users of the machine.
"""

import hmac
import json
import re
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

SAVE_PATH = "/_local/save"
REVOKE_PATH = "/oauth2/revoke"
AUTHORIZATION_HEADER = "X-Local-Token"
"""Header with the token that authorizes a request to SAVE_PATH."""

_HTTP_PORT = 80
_HOSTS = ("127.0.0.1", "localhost", "[::1]", "000000000000.localhost")
"""The last is for S3 Control: SDKs put the account id before the host."""
_LOGIN_PAGES = {("GET", "/oauth2/authorize"), ("POST", "/login"), ("GET", "/logout")}
"""Method and path of what people open to sign in and out."""
_TOKEN_PATHS = ("/oauth2/token", REVOKE_PATH)
"""Paths that the page's scripts use: unlike any other, they serve a page of another origin."""
_TOKEN_METHODS = ("POST", "OPTIONS")
_KEYS = re.compile(r"/(?P<pool>[a-z0-9-]+_[0-9A-Za-z]+)/\.well-known/jwks\.json")
_API = re.compile(r"/_aws/execute-api/(?P<api>[a-z0-9]+)/(?P<stage>[^/]+)(?P<below>/.*)?")
_SIGNED_BY = re.compile(r"AWS4-HMAC-SHA256 Credential=([^/, ]+)/")

Asgi = Callable[[Any, Any, Any], Awaitable[None]]


@dataclass(frozen=True)
class Refusal:
    """Why a request is refused."""

    reason: str
    """One sentence."""
    code: str = "AccessDeniedException"
    """Error code for an AWS SDK."""


class Headers:
    """A request's headers, case-insensitive."""

    def __init__(self, pairs: Iterable[tuple[bytes, bytes]]) -> None:
        self._pairs = [(name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in pairs]

    def all(self, name: str) -> list[str]:
        """Return every value of a header; `name` is in lower case."""
        return [value.strip() for known, value in self._pairs if known == name]


@dataclass(frozen=True, kw_only=True)
class Gate:
    """The rules for one run of the emulator."""

    port: int
    """Port of the emulator."""
    token: str
    """Token that a request to SAVE_PATH must carry."""
    is_known_key: Callable[[str], bool]
    """Whether this run issued an access key id."""
    is_bucket: Callable[[str], bool]
    """Whether a bucket of this name exists."""
    has_stage: Callable[[str, str], bool]
    """Whether an API (by id) has a stage (by name)."""
    has_pool: Callable[[str], bool]
    """Whether a user pool (by id) exists."""
    pages: Callable[[], set[str]]
    """Origins of the pages to which people return after signing in. Without any, nobody can sign in."""

    def refusal(self, kind: str, method: str, path: str, query: str, headers: Headers) -> Refusal | None:
        """Return why a request is refused, or None. `kind` is `http` or `websocket`."""
        if headers.all("host") not in [[host] for host in self._hosts()]:
            return Refusal("The emulator answers only to 127.0.0.1 and localhost.")
        api = _API.fullmatch(path)
        if api and not self.has_stage(api["api"], api["stage"]):
            return Refusal("Forbidden")  # as API Gateway does
        if kind == "websocket":
            return self._refusal_of_socket(api, headers)
        if (method, path) in _LOGIN_PAGES and self.pages():
            return self._refusal_of_embedding(method, headers)
        if path in _TOKEN_PATHS and method in _TOKEN_METHODS and self.pages():
            return self._refusal_of_token(headers)
        return self._refusal_of_foreign_page(headers) or self._refusal_of_request(method, path, query, headers)

    def _hosts(self) -> list[str]:
        return [f"{name}:{self.port}" for name in _HOSTS] + [*(_HOSTS if self.port == _HTTP_PORT else ())]

    def _refusal_of_foreign_page(self, headers: Headers) -> Refusal | None:
        """Refuse what a browser sends for a page of another origin."""
        own = [f"http://{host}" for host in self._hosts()]
        foreign = any(origin not in own for origin in headers.all("origin"))
        if foreign or any(site not in ("same-origin", "none") for site in headers.all("sec-fetch-site")):
            return Refusal("The emulator serves no web page of another origin.")
        return None

    def _refusal_of_embedding(self, method: str, headers: Headers) -> Refusal | None:
        """Refuse a login page that is not opened in a tab: any page may link to it, and none may frame it."""
        if method == "POST":
            return self._refusal_of_foreign_page(headers)
        if headers.all("origin") or any(
            given not in ([], [wanted])
            for given, wanted in (
                (headers.all("sec-fetch-mode"), "navigate"),
                (headers.all("sec-fetch-dest"), "document"),
            )
        ):
            return Refusal("The login pages can only be opened in a tab.")
        return None

    def _refusal_of_token(self, headers: Headers) -> Refusal | None:
        """Refuse every page but those to which people return. A client that is no browser sends no Origin."""
        if origins := headers.all("origin"):
            return None if self.pages() >= {*origins} else Refusal("The emulator gives tokens to no other page.")
        return self._refusal_of_foreign_page(headers)

    def _refusal_of_socket(self, api: re.Match[str] | None, headers: Headers) -> Refusal | None:
        if api is None or api["below"] not in (None, "/"):
            return Refusal("Forbidden")
        # As on AWS, $connect decides which origins may connect. A browser always sends one.
        return None if headers.all("origin") else self._refusal_of_foreign_page(headers)

    def _refusal_of_request(self, method: str, path: str, query: str, headers: Headers) -> Refusal | None:
        if path == SAVE_PATH:
            given = headers.all(AUTHORIZATION_HEADER.lower())
            is_ours = len(given) == 1 and hmac.compare_digest(given[0].encode(), self.token.encode())
            return None if is_ours and method == "POST" else Refusal("Only the local run may use this path.")
        if path.startswith(("/_", "/health")) and not path.startswith("/_aws/execute-api/"):
            return Refusal("The emulator's internal paths are not served.")
        if not (signature := _signature(query, headers)):
            is_open = self._is_public(method, path)
            return None if is_open else Refusal("The request is not signed.", "MissingAuthenticationTokenException")
        if not self.is_known_key(signature):
            return Refusal("The security token included in the request is invalid.", "UnrecognizedClientException")
        return None

    def _is_public(self, method: str, path: str) -> bool:
        """Return whether a request reads a website or a user pool's keys."""
        keys = _KEYS.fullmatch(path)
        return method in ("GET", "HEAD") and (
            self.is_bucket(path.split("/")[1]) or (keys is not None and self.has_pool(keys["pool"]))
        )


def guarded(app: Asgi, gate: Gate) -> Asgi:
    """Wrap an app: requests that the gate refuses get 403 and never reach it."""

    async def guarded_app(scope: Any, receive: Any, send: Any) -> None:
        refusal = None
        if scope["type"] in ("http", "websocket"):
            query = scope["query_string"].decode("latin-1")
            refusal = gate.refusal(
                scope["type"], scope.get("method", "GET"), scope["path"], query, Headers(scope["headers"])
            )
        if refusal is None:
            await app(scope, receive, send)
        else:
            await _refuse(scope, send, refusal)

    return guarded_app


async def _refuse(scope: Any, send: Any, refusal: Refusal) -> None:
    prefix = "websocket.http" if scope["type"] == "websocket" else "http"
    if any(name.lower() == b"x-amz-target" for name, _ in scope["headers"]):  # AWS's JSON protocol
        body = json.dumps({"__type": refusal.code, "message": refusal.reason})
    else:
        error = f"<Error><Code>{refusal.code}</Code><Message>{refusal.reason}</Message></Error>"
        body = f"<ErrorResponse>{error}</ErrorResponse>"
    headers = [
        (b"content-type", b"text/plain"),
        (b"content-length", str(len(body)).encode()),
        (b"x-amzn-errortype", refusal.code.encode()),
    ]
    await send({"type": f"{prefix}.response.start", "status": 403, "headers": headers})
    await send({"type": f"{prefix}.response.body", "body": b"" if scope.get("method") == "HEAD" else body.encode()})


def _signature(query: str, headers: Headers) -> str:
    """Return the access key id of a request's signature, in its header or presigned query; "" if there is none."""
    if authorization := headers.all("authorization"):
        signed = _SIGNED_BY.match(authorization[0]) if len(authorization) == 1 else None
        return signed[1] if signed else ""
    credential = parse_qs(query).get("X-Amz-Credential", [])
    return credential[0].split("/")[0] if len(credential) == 1 else ""
