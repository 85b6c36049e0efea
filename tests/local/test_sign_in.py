"""Sign-in on this machine: two accounts, the emulator's login pages over HTTP, and tokens that are truly signed."""

import base64
import hashlib
import json
import os
import re
import secrets
import signal
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from botocore.exceptions import ClientError
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers
from cryptography.hazmat.primitives.hashes import SHA256
from playwright.sync_api import Browser

from chat_client.websocket import ChatSocket
from smoke.errors import CheckFailedError
from smoke.sign_in import TestAccount, access_token
from tests.conftest import Stack
from tests.local.conftest import emulator_of


@pytest.fixture
def stack(accounts_stack: Stack) -> Stack:
    return accounts_stack


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    redirect_request: Any = lambda *_: None


@dataclass(frozen=True)
class Response:
    status: int
    headers: dict[str, str]
    text: str


def ask(url: str, form: dict[str, str] | None = None, **headers: str) -> Response:
    """Request a URL without following redirects: GET, or POST of a form."""
    data = urlencode(form).encode() if form is not None else None
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    try:
        answered = urllib.request.build_opener(_NoRedirects).open(urllib.request.Request(url, data, given), timeout=10)
    except urllib.error.HTTPError as refused:
        answered = refused
    with answered:
        names = {name.lower(): value for name, value in answered.headers.items()}
        return Response(answered.status or 0, names, answered.read().decode())


def hidden(page: Response) -> dict[str, str]:
    """Return the hidden fields of a login page."""
    return dict(re.findall(r'name="([^"]+)" value="([^"]*)"', page.text))


class Visitor:
    """Somebody who signs in with their browser."""

    def __init__(self, stack: Stack, who: int = 0) -> None:
        self.login = stack.outputs["login_url"]
        self.page = f"{stack.site_url}/"
        self.origin = stack.site_url
        self.client = stack.outputs["sign_in_client_id"]
        self.account = stack.outputs["accounts"][who]
        self.verifier = secrets.token_urlsafe(32)
        self.state, self.nonce = secrets.token_urlsafe(8), secrets.token_urlsafe(8)

    def authorize(self, **changed: str) -> Response:
        """Open the login page."""
        return ask(self.login_page(**changed))

    def login_page(self, **changed: str) -> str:
        digest = hashlib.sha256(self.verifier.encode()).digest()
        asked = {
            "response_type": "code",
            "client_id": self.client,
            "redirect_uri": self.page,
            "scope": "openid",
            "state": self.state,
            "nonce": self.nonce,
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
            **changed,
        }
        return f"{self.login}/oauth2/authorize?{urlencode(asked)}"

    def enter(self, password: str) -> Response:
        """Fill in both login pages."""
        first = {**hidden(self.authorize()), "username": self.account["username"]}
        second = ask(f"{self.login}/login", first, Origin=self.login)
        return ask(f"{self.login}/login", {**hidden(second), "password": password}, Origin=self.login)

    def code(self) -> str:
        """Sign in; return the code with which the browser comes back."""
        answered = self.enter(self.account["password"])
        assert answered.status == 302, answered
        url = urlsplit(answered.headers["location"])
        assert f"{url.scheme}://{url.netloc}{url.path}" == self.page
        found = {name: value for name, (value,) in parse_qs(url.query).items()}
        assert found["state"] == self.state
        return found["code"]

    def exchange(self, code: str, **changed: str) -> Response:
        form = {"code": code, "redirect_uri": self.page, "code_verifier": self.verifier, **changed}
        return self.post("token", grant_type="authorization_code", **form)

    def post(self, path: str, **form: str) -> Response:
        """Post a form as the page does."""
        return ask(f"{self.login}/oauth2/{path}", {"client_id": self.client, **form}, Origin=self.origin)


def decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def number(part: str) -> int:
    return int.from_bytes(decoded(part), "big")


def verified(stack: Stack, token: str) -> dict[str, Any]:
    """Return a token's claims. Raises InvalidSignature unless a published key signed it."""
    header, claims, signature = token.split(".")
    variables = stack.client("lambda").get_function_configuration(FunctionName="ChatAppSignIn")["Environment"]
    published = json.loads(ask(variables["Variables"]["SIGN_IN_KEYS_URL"]).text)["keys"]
    (key,) = [one for one in published if one["kid"] == json.loads(decoded(header))["kid"]]
    public = RSAPublicNumbers(number(key["e"]), number(key["n"])).public_key()
    public.verify(decoded(signature), f"{header}.{claims}".encode(), PKCS1v15(), SHA256())
    return json.loads(decoded(claims))


def test_there_are_two_accounts_with_passwords_of_this_run(stack: Stack) -> None:
    accounts = stack.outputs["accounts"]
    assert [one["username"] for one in accounts] == ["ada@example.org", "ben@example.org"]
    assert len({one["password"] for one in accounts}) == 2
    assert all(len(one["password"]) >= 12 for one in accounts)


def test_signing_in_gives_signed_tokens_of_the_person(stack: Stack) -> None:
    visitor = Visitor(stack, who=1)
    answered = visitor.exchange(visitor.code())
    assert answered.status == 200
    assert answered.headers["access-control-allow-origin"] in ("*", visitor.origin)
    tokens = json.loads(answered.text)
    access, identity = verified(stack, tokens["access_token"]), verified(stack, tokens["id_token"])
    issuer = f"https://cognito-idp.us-east-1.amazonaws.com/{stack.outputs['user_pool_id']}"
    assert access["iss"] == identity["iss"] == issuer
    assert (access["token_use"], access["client_id"]) == ("access", visitor.client)
    assert (identity["token_use"], identity["aud"], identity["nonce"]) == ("id", visitor.client, visitor.nonce)
    assert access["sub"] == identity["sub"]
    assert identity["email"] == "ben@example.org"
    assert access["exp"] - access["iat"] == 3600
    assert abs(access["iat"] - time.time()) < 60
    header, claims, signature = tokens["access_token"].split(".")
    forged = (
        base64.urlsafe_b64encode(decoded(claims).replace(access["sub"].encode(), b"somebody-else"))
        .rstrip(b"=")
        .decode()
    )
    with pytest.raises(InvalidSignature):
        verified(stack, f"{header}.{forged}.{signature}")


def test_a_wrong_password_signs_nobody_in(stack: Stack) -> None:
    answered = Visitor(stack).enter("guessed-by-me")
    assert (answered.status, answered.headers.get("location")) == (200, None)
    assert "Incorrect username or password." in answered.text


def test_a_code_is_worth_nothing_without_the_verifier_and_nothing_twice(stack: Stack) -> None:
    visitor = Visitor(stack)
    code = visitor.code()
    for changed in ({"code_verifier": "x" * 43}, {"redirect_uri": "http://127.0.0.1:1/"}, {"client_id": "other"}):
        assert json.loads(visitor.exchange(code, **changed).text)["error"] == "invalid_grant"
    assert visitor.exchange(code).status == 200
    assert json.loads(visitor.exchange(code).text)["error"] == "invalid_grant"


@pytest.mark.parametrize("page", ["http://127.0.0.1:1/", "https://evil.example/", "index.html", "?a=b"])
def test_people_return_only_to_the_page(stack: Stack, page: str) -> None:
    visitor = Visitor(stack)
    elsewhere = page if "://" in page else visitor.page + page
    assert visitor.authorize(redirect_uri=elsewhere).status == 400
    assert visitor.authorize(redirect_uri=visitor.page.replace("127.0.0.1", "localhost")).status == 200


def test_only_the_page_exchanges_codes(stack: Stack) -> None:
    visitor = Visitor(stack)
    code = visitor.code()
    visitor.origin = "http://127.0.0.1:1"
    assert visitor.exchange(code).status == 403
    visitor.origin = stack.site_url.replace("127.0.0.1", "localhost")
    assert visitor.exchange(code).status == 200


def test_signing_out_revokes_the_refresh_token(stack: Stack) -> None:
    visitor = Visitor(stack)
    tokens = json.loads(visitor.exchange(visitor.code()).text)
    refresh = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    refreshed = json.loads(visitor.post("token", **refresh).text)
    assert verified(stack, refreshed["access_token"])["sub"] == verified(stack, tokens["access_token"])["sub"]
    assert "refresh_token" not in refreshed
    assert json.loads(visitor.post("revoke").text) == {"error": "invalid_request"}
    assert json.loads(visitor.post("revoke", token=tokens["access_token"]).text) == {"error": "unsupported_token_type"}
    assert visitor.post("revoke", token=tokens["refresh_token"], client_id="other").status == 401
    assert visitor.post("token", **refresh).status == 200
    answered = visitor.post("revoke", token=tokens["refresh_token"])
    assert (answered.status, answered.text, answered.headers["access-control-allow-origin"]) == (200, "", "*")
    assert json.loads(visitor.post("token", **refresh).text)["error"] == "invalid_grant"


def test_signing_out_leads_back_to_the_page(stack: Stack) -> None:
    visitor = Visitor(stack)
    query = {"client_id": visitor.client, "logout_uri": visitor.page}
    assert ask(f"{visitor.login}/logout?{urlencode(query)}").headers["location"] == visitor.page
    assert ask(f"{visitor.login}/logout?{urlencode({**query, 'logout_uri': 'https://evil.example/'})}").status == 400


def test_a_program_signs_in_with_a_password_only_with_credentials(stack: Stack) -> None:
    account = TestAccount(**stack.outputs["accounts"][0])
    token = access_token(stack.outputs, stack.client("cognito-idp"), account)
    assert verified(stack, token)["client_id"] == stack.outputs["sign_in_client_id"]
    with pytest.raises(CheckFailedError, match="Incorrect username or password") as refused:
        access_token(stack.outputs, stack.client("cognito-idp"), replace(account, password="guessed-by-me"))
    assert "guessed-by-me" not in str(refused.value)
    given = {"USERNAME": account.username, "PASSWORD": account.password}
    with pytest.raises(ClientError, match="The request is not signed"):
        stack.client("cognito-idp").initiate_auth(
            AuthFlow="USER_PASSWORD_AUTH", ClientId=stack.outputs["sign_in_client_id"], AuthParameters=given
        )


def test_an_account_can_be_added_as_the_documentation_says(stack: Stack) -> None:
    cognito, pool = stack.client("cognito-idp"), stack.outputs["user_pool_id"]
    account = TestAccount("cy@example.org", "a long password")
    cognito.admin_create_user(
        UserPoolId=pool,
        Username=account.username,
        MessageAction="SUPPRESS",
        UserAttributes=[{"Name": "email_verified", "Value": "true"}],
    )
    cognito.admin_set_user_password(
        UserPoolId=pool, Username=account.username, Password=account.password, Permanent=True
    )
    assert verified(stack, access_token(stack.outputs, cognito, account))["sub"]


def test_the_page_is_told_where_to_sign_in_and_may_connect_there(stack: Stack) -> None:
    told = json.loads(ask(f"{stack.site_url}/config.json").text)["signIn"]
    assert told == {
        "mode": "optional",
        "clientId": stack.outputs["sign_in_client_id"],
        "loginUrl": stack.outputs["login_url"],
    }
    assert f"connect-src 'self' wss: ws: {told['loginUrl']};" in ask(f"{stack.site_url}/").text


def test_the_functions_read_the_keys_and_know_who_it_is(stack: Stack) -> None:
    visitor = Visitor(stack, who=1)
    token = json.loads(visitor.exchange(visitor.code()).text)["access_token"]
    with ChatSocket(stack.websocket_url) as client:
        signed_in = client.sign_in(token)
        assert signed_in["userId"] == verified(stack, token)["sub"]
        assert "@" not in json.dumps(signed_in), "the address is nobody else's business"
        client.send("signin", token=token[:-4])
        assert client.wait_for("error")["code"] == "invalid_token"


FRAME = """url => new Promise(done => {
    const frame = document.createElement("iframe"); frame.onload = () => done(); frame.src = url;
    document.body.append(frame);
})"""
EXCHANGE = """([url, form]) => fetch(url, {method: "POST", credentials: "omit", body: new URLSearchParams(form)})
    .then(answered => answered.status, () => "failed")"""


def test_no_other_page_frames_the_login_pages_or_gets_tokens(stack: Stack, browser: Browser, elsewhere: int) -> None:
    visitor = Visitor(stack)
    with browser.new_context() as context:
        page = context.new_page()
        seen: list[int] = []
        page.on("response", lambda one: seen.append(one.status) if one.url.startswith(visitor.login) else None)
        page.goto(f"http://127.0.0.1:{elsewhere}/")
        page.evaluate(FRAME, visitor.login_page())
        assert seen == [403]
        form = {"grant_type": "authorization_code", "client_id": visitor.client, "code": visitor.code()}
        assert page.evaluate(EXCHANGE, [f"{visitor.login}/oauth2/token", form]) == "failed"
        page.goto(visitor.login_page())
        assert page.get_by_label("Username").is_visible()


def test_accounts_and_keys_survive_a_restart_of_the_emulator(stack: Stack, accounts_folder: Path) -> None:
    visitor = Visitor(stack)
    before = json.loads(visitor.exchange(visitor.code()).text)["access_token"]
    os.kill(emulator_of(accounts_folder), signal.SIGKILL)
    stack.wait_for_output("The emulator is running again")
    assert verified(stack, before)["client_id"] == visitor.client
    assert visitor.exchange(visitor.code()).status == 200
