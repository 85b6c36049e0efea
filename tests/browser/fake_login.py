"""A fake login host for browser tests: the pages and endpoints of a Cognito domain that the chat's page uses."""

import json
import re
from base64 import urlsafe_b64encode
from hashlib import sha256
from html import escape
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from playwright.sync_api import BrowserContext, Route

from tests.browser.fake_server import FakeServer
from tests.browser.files import FRONTEND, SITE, SOCKET_URL

LOGIN = "https://login.test"
CLIENT_ID = "client-of-the-page"
CSP = "connect-src 'self' wss:"
"""What a deployment with sign-in adds the login host to."""


class FakeLogin:
    """Signs in Ada and Ben, who choose themselves on its page."""

    def __init__(self, server: FakeServer, *, mode: str = "optional") -> None:
        self._server = server
        self._codes: dict[str, tuple[str, dict[str, str]]] = {}
        self._refresh: dict[str, str] = {}
        self._made = 0
        self.mode = mode
        self.life = 3600.0
        """How long an access token is valid, in seconds."""
        self.nonce: str | None = None
        """A nonce to give back instead of the page's."""
        self.creates_accounts = False
        """Whether the chat has not seen these people before."""
        self.is_reachable = True
        self.refuses_renewal = False
        self.visited: list[str] = []
        """The URLs of its pages that browsers opened."""
        self.posted: list[tuple[str, dict[str, str]]] = []
        """Path and fields of each POST."""

    def serve(self, context: BrowserContext) -> None:
        """Serve the login host, and the page as it is deployed with sign-in."""
        context.route(re.compile(rf"^{re.escape(SITE)}(\?.*)?$"), self._page)
        context.route(f"{SITE}config.json", self._config)
        context.route(f"{LOGIN}/**", self._answer)

    def grants(self, kind: str) -> list[dict[str, str]]:
        """Return the fields of the token requests of one grant_type."""
        return [fields for path, fields in self.posted if path == "/oauth2/token" and fields["grant_type"] == kind]

    @property
    def revoked(self) -> list[str]:
        """The revoked refresh tokens."""
        return [fields["token"] for path, fields in self.posted if path == "/oauth2/revoke"]

    def _page(self, route: Route) -> None:
        html = (FRONTEND / "index.html").read_text(encoding="utf-8")
        assert CSP in html
        route.fulfill(content_type="text/html", body=html.replace(CSP, f"{CSP} {LOGIN}"))

    def _config(self, route: Route) -> None:
        sign_in = {"mode": self.mode, "clientId": CLIENT_ID, "loginUrl": LOGIN}
        route.fulfill(content_type="application/json", body=json.dumps({"websocketUrl": SOCKET_URL, "signIn": sign_in}))

    def _answer(self, route: Route) -> None:
        url = urlsplit(route.request.url)
        given = _single(url.query if route.request.method == "GET" else route.request.post_data or "")
        if not self.is_reachable:
            route.abort()
        elif url.path == "/oauth2/token":
            self.posted.append((url.path, given))
            status, answer = self._token(given)
            _reply(route, status, json.dumps(answer))
        elif url.path == "/oauth2/revoke":
            self.posted.append((url.path, given))
            self._refresh.pop(given["token"], None)
            _reply(route, 200, "")
        elif url.path == "/logout":
            self.visited.append(route.request.url)
            assert given == {"client_id": CLIENT_ID, "logout_uri": SITE}
            # Not a redirect: Playwright does not route where those lead.
            route.fulfill(content_type="text/html", body=f'<meta http-equiv="refresh" content="0; url={SITE}">')
        else:
            self.visited.append(route.request.url)
            route.fulfill(content_type="text/html", body=self._login_page(given))

    def _login_page(self, asked: dict[str, str]) -> str:
        assert asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256"
        assert (asked["client_id"], asked["redirect_uri"], asked["scope"]) == (CLIENT_ID, SITE, "openid")
        links = {"Cancel": {"error": "access_denied", "state": asked["state"]}}
        for name in ("Ada", "Ben"):
            self._made += 1
            self._codes[f"code-{self._made}"] = (name, asked)
            links[name] = {"code": f"code-{self._made}", "state": asked["state"]}
        anchors = [f'<a href="{escape(f"{SITE}?{urlencode(query)}")}">{name}</a>' for name, query in links.items()]
        return f"<!doctype html><title>Log in</title><h1>Log in</h1>{' '.join(anchors)}"

    def _token(self, given: dict[str, str]) -> tuple[int, dict[str, Any]]:
        refused = (400, {"error": "invalid_grant"})
        if given["client_id"] != CLIENT_ID:
            return refused
        if given["grant_type"] == "refresh_token":
            name = self._refresh.get(given["refresh_token"])
            return refused if name is None or self.refuses_renewal else (200, self._access(name))
        name, asked = self._codes.pop(given["code"], ("", {}))
        challenge = urlsafe_b64encode(sha256(given["code_verifier"].encode()).digest()).rstrip(b"=").decode()
        if not name or challenge != asked["code_challenge"] or given["redirect_uri"] != asked["redirect_uri"]:
            return refused
        answer = self._access(name)
        refresh = f"refresh-{self._made}"
        self._refresh[refresh] = name
        claims = {"sub": user_id(name), "nonce": self.nonce or asked["nonce"], "aud": CLIENT_ID}
        return 200, {**answer, "refresh_token": refresh, "id_token": _unsigned(claims)}

    def _access(self, name: str) -> dict[str, Any]:
        self._made += 1
        token = f"access-{self._made}"
        sender = f"sender-of-account-{name.lower()}"
        account = {"userId": user_id(name), "name": name, "sender": sender, "senders": [sender]}
        self._server.add_account(token, account | ({"isNew": True} if self.creates_accounts else {}))
        return {"access_token": token, "token_type": "Bearer", "expires_in": self.life}


def user_id(name: str) -> str:
    """Return the account of a person."""
    return f"user-{name.lower()}"


def _single(query: str) -> dict[str, str]:
    return {field: values[0] for field, values in parse_qs(query).items()}


def _reply(route: Route, status: int, body: str) -> None:
    route.fulfill(
        status=status, headers={"Access-Control-Allow-Origin": "*"}, content_type="application/json", body=body
    )


def _unsigned(claims: dict[str, str]) -> str:
    parts = ({"alg": "RS256"}, claims)
    return ".".join(urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts) + ".c2ln"
