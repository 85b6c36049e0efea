"""Which requests reach the emulator."""

from dataclasses import replace
from typing import Any

import pytest

from local.gate import SAVE_PATH, Gate, Headers

PORT = 4566
HOST = f"127.0.0.1:{PORT}"
SIGNED = "AWS4-HMAC-SHA256 Credential={}/20261125/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0"
PAGE = "http://127.0.0.1:5566"
CHAT = "/_aws/execute-api/chat/production"

GATE = Gate(
    port=PORT,
    token="token",
    is_known_key=lambda key: key == "AKIAKNOWN",
    is_bucket=lambda name: name == "site",
    has_stage=lambda api, stage: (api, stage) == ("chat", "production"),
    has_pool=lambda pool: pool == "us-east-1_Abc123",
    pages=lambda: {PAGE},
)
WITHOUT_SIGN_IN = replace(GATE, has_pool=lambda _: False, pages=set)


def is_accepted(  # noqa: PLR0913 - a request, and all have defaults
    path: str = "/",
    *,
    kind: str = "http",
    method: str = "POST",
    query: str = "",
    key: str = "AKIAKNOWN",
    gate: Gate = GATE,
    **headers: str,
) -> bool:
    """Return whether the gate accepts a request, signed with `key` unless that is empty."""
    given = {"host": HOST, **({"authorization": SIGNED.format(key)} if key else {}), **headers}
    pairs = [(name.replace("_", "-").title().encode(), value.encode()) for name, value in given.items()]
    return gate.refusal(kind, method, path, query, Headers(pairs)) is None


def test_requests_signed_with_this_runs_credentials_are_accepted() -> None:
    assert is_accepted()
    assert is_accepted("/site/index.html", method="GET", query=f"X-Amz-Credential=AKIAKNOWN/{HOST}", key="")


@pytest.mark.parametrize("key", ["test", "000000000000", "AKIAIOSFODNN7EXAMPLE", ""])
def test_other_users_of_this_machine_are_refused(key: str) -> None:
    """MiniStack accepts the first two as its root user, and unsigned requests for some services."""
    assert not is_accepted(key=key)


@pytest.mark.parametrize(
    "authorization",
    ["Bearer AKIAKNOWN", "AWS AKIAKNOWN:signature", f"{SIGNED.format('test')} {SIGNED.format('AKIAKNOWN')}"],
)
def test_only_signatures_that_the_emulator_checks_are_accepted(authorization: str) -> None:
    assert not is_accepted(authorization=authorization)
    assert not is_accepted(authorization=authorization, query="X-Amz-Credential=AKIAKNOWN/20261125")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
def test_local_host_names_are_accepted(host: str) -> None:
    assert is_accepted(host=f"{host}:{PORT}")


@pytest.mark.parametrize(
    "host", ["evil.example:4566", "127.0.0.1", "localhost:1", "127.0.0.1:4566.evil.example", "0.0.0.0:4566", ""]
)
@pytest.mark.parametrize("kind", ["http", "websocket"])
def test_other_host_names_are_refused(kind: str, host: str) -> None:
    """Against DNS rebinding, where the browser takes page and emulator for one origin."""
    assert not is_accepted(CHAT, kind=kind, host=host)


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:5566", f"https://{HOST}"])
def test_a_request_from_another_origin_is_refused_even_if_signed(origin: str) -> None:
    assert not is_accepted(origin=origin)
    assert not is_accepted("/site/index.html", method="GET", key="", origin=origin)


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_resources_embedded_by_another_origin_are_refused(site: str) -> None:
    assert not is_accepted("/site/app.js", method="GET", key="", sec_fetch_site=site)
    assert not is_accepted(CHAT, kind="websocket", key="", sec_fetch_site=site)


@pytest.mark.parametrize("site", ["same-origin", "none"])
def test_a_page_in_a_public_bucket_can_be_opened(site: str) -> None:
    assert is_accepted("/site/index.html", method="GET", key="", sec_fetch_site=site)
    assert not is_accepted("/2015-03-31/functions", method="GET", key="", sec_fetch_site=site)
    assert not is_accepted("/site/index.html", method="PUT", key="")


@pytest.mark.parametrize(
    "path",
    ["/_ministack/reset", "/_ministack/config", "/_localstack/health", "/health", "/_local/save/", "/_aws/ses"],
)
def test_the_emulators_internal_paths_are_refused(path: str) -> None:
    assert not is_accepted(path)


def test_only_the_local_run_may_save() -> None:
    assert is_accepted(SAVE_PATH, x_local_token="token")
    assert not is_accepted(SAVE_PATH)
    assert not is_accepted(SAVE_PATH, x_local_token="guessed")
    assert not is_accepted(SAVE_PATH, x_local_token="token", origin="https://evil.example")


@pytest.mark.parametrize("below", ["", "/"])
def test_sockets_from_any_origin_reach_the_chat_which_decides(below: str) -> None:
    for origin in ("http://127.0.0.1:5566", "https://friend.example"):
        assert is_accepted(CHAT + below, kind="websocket", key="", origin=origin, sec_fetch_site="cross-site")
    assert is_accepted(CHAT + below, kind="websocket", key="")


@pytest.mark.parametrize(
    "path",
    ["/_aws/execute-api/chat/dev", "/_aws/execute-api/chat", "/_aws/execute-api/other/production", f"{CHAT}/extra"],
)
def test_as_on_aws_sockets_are_refused_beside_the_stage(path: str) -> None:
    assert not is_accepted(path, kind="websocket", key="")


@pytest.mark.parametrize("path", ["/", "/mqtt", "/restapis/chat/production/_user_request_"])
def test_the_emulators_other_sockets_are_refused(path: str) -> None:
    assert not is_accepted(path, kind="websocket", key="")


def test_connections_can_only_be_posted_to_at_an_existing_stage() -> None:
    assert is_accepted(f"{CHAT}/@connections/abc=")
    assert not is_accepted("/_aws/execute-api/chat/dev/@connections/abc=")


LOGIN_PAGES = [("GET", "/oauth2/authorize"), ("GET", "/logout")]
OPENED: dict[str, Any] = {"sec_fetch_mode": "navigate", "sec_fetch_dest": "document"}
TOKENS = ["/oauth2/token", "/oauth2/revoke"]
KEYS = "/us-east-1_Abc123/.well-known/jwks.json"


@pytest.mark.parametrize("site", ["none", "same-origin", "same-site", "cross-site"])
@pytest.mark.parametrize(("method", "path"), LOGIN_PAGES)
def test_a_login_page_can_be_opened_from_any_page(method: str, path: str, site: str) -> None:
    assert is_accepted(path, method=method, key="", sec_fetch_site=site, **OPENED)
    assert not is_accepted(path, method=method, key="", sec_fetch_site=site, gate=WITHOUT_SIGN_IN, **OPENED)


@pytest.mark.parametrize("changed", [{"sec_fetch_dest": "iframe"}, {"sec_fetch_mode": "no-cors"}, {"origin": PAGE}])
@pytest.mark.parametrize(("method", "path"), LOGIN_PAGES)
def test_a_login_page_can_be_neither_framed_nor_read(method: str, path: str, changed: dict[str, Any]) -> None:
    """A framed one could be clicked through, a read one tells whether somebody is signed in."""
    assert not is_accepted(path, method=method, key="", sec_fetch_site="same-site", **{**OPENED, **changed})


def test_only_the_login_page_itself_sends_names_and_passwords() -> None:
    given: dict[str, Any] = {"method": "POST", "key": "", **OPENED}
    assert is_accepted("/login", origin=f"http://{HOST}", sec_fetch_site="same-origin", **given)
    for origin in (PAGE, "https://evil.example", "null"):
        assert not is_accepted("/login", origin=origin, sec_fetch_site="same-site", **given)
    assert not is_accepted("/login", origin=f"http://{HOST}", gate=WITHOUT_SIGN_IN, **given)


@pytest.mark.parametrize("method", ["POST", "OPTIONS"])
@pytest.mark.parametrize("path", TOKENS)
def test_only_pages_to_which_people_return_get_tokens(path: str, method: str) -> None:
    given: dict[str, Any] = {"method": method, "key": "", "sec_fetch_site": "same-site"}
    assert is_accepted(path, origin=PAGE, **given)
    for origin in ("http://127.0.0.1:5567", "http://localhost:5566", "https://evil.example", "null"):
        assert not is_accepted(path, origin=origin, **given)
    assert not is_accepted(path, **given), "an embedded resource sends no Origin"
    assert not is_accepted(path, origin=PAGE, gate=WITHOUT_SIGN_IN, **given)
    assert not is_accepted(path, origin=PAGE, key="", method="GET")


@pytest.mark.parametrize("path", TOKENS)
def test_a_client_that_is_no_browser_exchanges_its_code(path: str) -> None:
    assert is_accepted(path, key="")


def test_functions_read_the_keys_of_a_user_pool_and_only_those() -> None:
    assert is_accepted(KEYS, method="GET", key="")
    assert not is_accepted(KEYS, method="POST", key="")
    assert not is_accepted(KEYS.replace("Abc", "Xyz"), method="GET", key="")
    assert not is_accepted("/us-east-1_Abc123/.well-known/openid-configuration", method="GET", key="")
    assert not is_accepted(KEYS, method="GET", key="", gate=WITHOUT_SIGN_IN)


def test_no_request_about_accounts_is_accepted_unsigned() -> None:
    """SDKs do not sign InitiateAuth, but the pool's client allows passwords only to AdminInitiateAuth."""
    for action in ("InitiateAuth", "AdminInitiateAuth", "SignUp", "AdminCreateUser", "ListUsers"):
        assert not is_accepted(key="", x_amz_target=f"AWSCognitoIdentityProviderService.{action}")
        assert is_accepted(x_amz_target=f"AWSCognitoIdentityProviderService.{action}")
