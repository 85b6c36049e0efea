"""Checks of accounts: the login pages, a token of a test account, and a private room that others cannot see."""

import base64
import hashlib
import json
import secrets
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Self
from urllib.error import HTTPError
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit

from botocore.exceptions import ClientError

from chat_client.errors import RefusedError
from chat_client.websocket import ChatSocket, Frame
from smoke.check import Check
from smoke.conversation import TIMEOUT_SECONDS
from smoke.errors import CheckFailedError, CheckSkippedError
from smoke.page import fetch, read_config

USERNAME, PASSWORD = "SMOKE_USERNAME", "SMOKE_PASSWORD"
WITHOUT_ACCOUNT = f"no account is given: set {USERNAME} and {PASSWORD} to those of a test account, see docs/testing.md"
WITHOUT_CREDENTIALS = "signing in with a password takes AWS credentials"

_PASSWORD_FLOW = "ADMIN_USER_PASSWORD_AUTH"  # noqa: S105 - the name of a flow
_UNKNOWN_ROOM = "~" + "a" * 26
_CLOSED = ("no_such_room", "sign_in_required")


@dataclass(frozen=True)
class TestAccount:
    """An account of the stack's user pool. Its password is never printed."""

    __test__ = False  # no class of tests

    username: str
    password: str = field(repr=False)


def read_account(environment: Mapping[str, str], outputs: Mapping[str, Any]) -> TestAccount | None:
    """Return the account in the environment, or else the first of a local run's outputs; None without one."""
    username, password = environment.get(USERNAME), environment.get(PASSWORD)
    if username and password:
        return TestAccount(username, password)
    return next((TestAccount(one["username"], one["password"]) for one in outputs.get("accounts", [])), None)


def access_token(outputs: Mapping[str, Any], cognito: Any, account: TestAccount) -> str:
    """Sign an account in and return its access token. `cognito` is a boto3 client. Raises CheckFailedError."""
    given = {"USERNAME": account.username, "PASSWORD": account.password}
    try:
        answer = cognito.admin_initiate_auth(
            UserPoolId=outputs["user_pool_id"],
            ClientId=outputs["sign_in_client_id"],
            AuthFlow=_PASSWORD_FLOW,
            AuthParameters=given,
        )
    except ClientError as refused:
        error = refused.response["Error"]
        raise CheckFailedError(f"Cognito refused the test account: {error['Code']}, {error['Message']}") from None
    if "AuthenticationResult" not in answer:
        raise CheckFailedError(
            f"Cognito asks for more ({answer['ChallengeName']}): give the test account a permanent password"
        )
    return answer["AuthenticationResult"]["AccessToken"]


def sign_in_mode(outputs: Mapping[str, Any]) -> str:
    """Return `off`, `optional` or `required`, as the page is told. If it cannot be read, its own check says so."""
    if not outputs.get("sign_in_client_id"):
        return "off"
    try:
        return read_config(outputs["site_url"])["signIn"]["mode"]
    except (CheckFailedError, OSError, KeyError, TypeError):
        return "optional"


class TokenSource:
    """Signs the test account in when a check first asks for its token. `cognito` is None without AWS credentials."""

    def __init__(self, outputs: Mapping[str, Any], account: TestAccount | None, cognito: Any) -> None:
        self._outputs = outputs
        self._account = account
        self._cognito = cognito
        self._token = ""

    def __call__(self) -> str:
        """Return the token. Raises CheckSkippedError, or CheckFailedError if Cognito refuses the account."""
        if self._account is None:
            raise CheckSkippedError(WITHOUT_ACCOUNT)
        if self._cognito is None:
            raise CheckSkippedError(WITHOUT_CREDENTIALS)
        self._token = self._token or access_token(self._outputs, self._cognito, self._account)
        return self._token


class SignInPageChecks:
    """The checks of the page's way to the login pages."""

    def __init__(self, outputs: Mapping[str, Any], mode: str) -> None:
        self._site_url: str = outputs["site_url"]
        self._client_id: str = outputs["sign_in_client_id"]
        self._login_url: str = outputs["login_url"]
        self._mode = mode

    def all(self) -> Iterator[Check]:
        """Yield each check."""
        yield Check("the page knows where to sign in", self.page)
        yield Check("the login page opens", self.login_page)

    def page(self) -> str:
        """Compare the page's config, and its Content-Security-Policy, with the stack."""
        told = read_config(self._site_url).get("signIn")
        expected = {"mode": self._mode, "clientId": self._client_id, "loginUrl": self._login_url}
        if told != expected:
            raise CheckFailedError(f"config.json has signIn {told} instead of {expected}: run `pulumi up` again")
        headers, body = fetch(self._site_url)
        policies = [headers.get("Content-Security-Policy"), body.decode()]
        for policy in filter(None, policies):
            allowed = policy.partition("connect-src ")[2].partition(";")[0].split()
            if self._login_url not in allowed:
                raise CheckFailedError(f"its Content-Security-Policy does not allow {self._login_url}: run `pulumi up`")
        return f"{self._mode}, at {self._login_url}"

    def login_page(self) -> str:
        """Open the login page as the page does."""
        challenge = base64.urlsafe_b64encode(hashlib.sha256(secrets.token_bytes(32)).digest()).rstrip(b"=")
        query = {
            "response_type": "code",
            "client_id": self._client_id,
            "redirect_uri": urljoin(self._site_url, "./"),
            "scope": "openid",
            "state": secrets.token_urlsafe(16),
            "nonce": secrets.token_urlsafe(16),
            "code_challenge": challenge.decode(),
            "code_challenge_method": "S256",
        }
        status, location = _without_redirect(f"{self._login_url}/oauth2/authorize?{urlencode(query)}")
        url = urlsplit(urljoin(self._login_url, location))
        if status == HTTPStatus.FOUND and url.netloc == urlsplit(self._login_url).netloc and url.path != "/error":
            return f"{self._login_url}{url.path}"
        if status == HTTPStatus.OK:  # an emulator shows it at once
            return self._login_url
        error = " ".join(parse_qs(url.query).get("error", []))
        raise CheckFailedError(
            f"/oauth2/authorize returned {status} {error}".rstrip()
            + f": is {query['redirect_uri']} a callback URL of the client?"
        )


class AccountChatChecks:
    """The checks of signing in over the WebSocket, and of a private room. Its sockets are closed on exit.

    `token` returns the test account's access token, or raises CheckSkippedError or CheckFailedError.
    """

    def __init__(self, outputs: Mapping[str, Any], mode: str, token: Callable[[], str]) -> None:
        self._url: str = outputs["websocket_url"]
        self._mode = mode
        self._token = token
        self._opened = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._opened.close()

    def all(self) -> Iterator[Check]:
        """Yield each check."""
        yield Check("a guest may do what the mode says", self.guest)
        yield Check("an account signs in", self.account)
        yield Check("a forged token is refused", self.forged_token)
        yield Check("a private room is closed to others", self.private_room)

    def guest(self) -> str:
        """Send as a guest what guests may never do, and what only `required` forbids them."""
        guest = self._connect()
        if (code := _code(guest, "rooms", "rooms")) != "sign_in_required":
            raise CheckFailedError(f"a guest's `rooms` gets {code} instead of sign_in_required")
        code = _code(guest, "history", "history")
        if (code == "sign_in_required") != (self._mode == "required"):
            raise CheckFailedError(f"sign_in is {self._mode}, but a guest's `history` gets {code}: run `pulumi up`")
        return "no private rooms" if self._mode == "optional" else "nothing"

    def account(self) -> str:
        """Sign in with a token, whose claims the server must have understood."""
        token = self._token()
        signed_in = self._connect().sign_in(token)
        claims = _claims(token)
        if signed_in["userId"] != claims["sub"]:
            raise CheckFailedError("the server takes the account for another one: see the log of ChatAppSignIn")
        return f"until {signed_in['until']}"

    def forged_token(self) -> str:
        """Sign in with a token that somebody has prolonged."""
        header, _, signature = self._token().split(".")
        claims = {**_claims(self._token()), "exp": _claims(self._token())["exp"] + 3600}
        body = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
        code = _code(self._connect(), "signin", "signedin", token=f"{header}.{body}.{signature}")
        if code != "invalid_token":
            raise CheckFailedError(f"it gets {code} instead of invalid_token: look at SIGN_IN_… of ChatAppSignIn")
        return code

    def private_room(self) -> str:
        """Write in a new private room: the account's other connection hears it, a guest does not know the room."""
        token = self._token()
        here, there, guest = (self._connect() for _ in range(3))
        for client in (here, there):
            client.sign_in(token)
        room = here.ask("createroom", "room", title="make smoke")["room"]
        try:
            message = here.send_message("Hello from make smoke", to=room)
            if there.wait_for("message", messageId=message["messageId"]) != message:
                raise CheckFailedError("the account's two connections got different copies of the message")
            seen = [_refusal(guest, "join", "joined", room=key) for key in (room, _UNKNOWN_ROOM)]
            if seen[0].get("code") not in _CLOSED:
                raise CheckFailedError(f"a guest who knows its key gets {seen[0].get('code', 'joined')}")
            told = [
                json.dumps(answer).replace(key, "") for answer, key in zip(seen, (room, _UNKNOWN_ROOM), strict=True)
            ]
            if told[0] != told[1]:
                raise CheckFailedError("a guest gets different answers for a private room and for none")
        finally:
            here.ask("quit", "removed", room=room)
        if (code := _code(here, "join", "joined", room=room)) != "no_such_room":
            raise CheckFailedError(f"after leaving it for good, joining it gets {code}")
        return f"{seen[0]['code']} for a guest, as for a room that does not exist"

    def _connect(self) -> ChatSocket:
        return self._opened.enter_context(ChatSocket(self._url, timeout_seconds=TIMEOUT_SECONDS))


def _refusal(client: ChatSocket, action: str, answer: str, **fields: Any) -> Frame:
    """Return the error that a frame gets, or `answer`, the frame that would grant it."""
    try:
        return client.ask(action, answer, **fields)
    except RefusedError as refused:
        return refused.frame


def _code(client: ChatSocket, action: str, answer: str, **fields: Any) -> str:
    """Return the code of the error that a frame gets, or `answer`."""
    return _refusal(client, action, answer, **fields).get("code", answer)


def _claims(token: str) -> dict[str, Any]:
    body = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    redirect_request: Any = lambda *_: None


def _without_redirect(url: str) -> tuple[int, str]:
    """Return the status of a URL, and where it redirects to."""
    try:
        with urllib.request.build_opener(_NoRedirects).open(url, timeout=TIMEOUT_SECONDS) as answer:
            return answer.status, ""
    except HTTPError as refused:
        with refused:
            return refused.code, refused.headers.get("Location", "")
