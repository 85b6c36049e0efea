"""What the emulator serves and what it refuses, before it has looked at it."""

import pytest

from local.gate import SAVE_PATH, Gate, Headers

PORT = 4566
HOST = f"127.0.0.1:{PORT}"
SIGNED = "AWS4-HMAC-SHA256 Credential={}/20261125/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0"
CHAT = "/_aws/execute-api/chat/production"

GATE = Gate(
    port=PORT,
    token="drawn",
    is_known_key=lambda key: key == "AKIAKNOWN",
    is_bucket=lambda name: name == "site",
    has_stage=lambda api, stage: (api, stage) == ("chat", "production"),
)


def is_let_in(
    path: str = "/",
    *,
    kind: str = "http",
    method: str = "POST",
    query: str = "",
    key: str = "AKIAKNOWN",
    **headers: str,
) -> bool:
    """Return whether a request is let in that is signed by a key, unless this is empty."""
    given = {"host": HOST, **({"authorization": SIGNED.format(key)} if key else {}), **headers}
    pairs = [(name.replace("_", "-").title().encode(), value.encode()) for name, value in given.items()]
    return GATE.refusal(kind, method, path, query, Headers(pairs)) is None


def test_what_is_signed_with_this_runs_credentials_is_let_in() -> None:
    assert is_let_in()
    assert is_let_in("/site/index.html", method="GET", query=f"X-Amz-Credential=AKIAKNOWN/{HOST}", key="")


@pytest.mark.parametrize("key", ["test", "000000000000", "AKIAIOSFODNN7EXAMPLE", ""])
def test_other_users_of_this_machine_are_refused(key: str) -> None:
    """MiniStack takes the first two for its root user, and anything unsigned for some services."""
    assert not is_let_in(key=key)


@pytest.mark.parametrize(
    "authorization",
    ["Bearer AKIAKNOWN", "AWS AKIAKNOWN:signature", f"{SIGNED.format('test')} {SIGNED.format('AKIAKNOWN')}"],
)
def test_only_signatures_that_are_checked_are_let_in(authorization: str) -> None:
    assert not is_let_in(authorization=authorization)
    assert not is_let_in(authorization=authorization, query="X-Amz-Credential=AKIAKNOWN/20261125")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
def test_this_machines_own_names_are_served(host: str) -> None:
    assert is_let_in(host=f"{host}:{PORT}")


@pytest.mark.parametrize(
    "host", ["evil.example:4566", "127.0.0.1", "localhost:1", "127.0.0.1:4566.evil.example", "0.0.0.0:4566", ""]
)
@pytest.mark.parametrize("kind", ["http", "websocket"])
def test_a_name_that_somebody_else_may_have_pointed_here_is_refused(kind: str, host: str) -> None:
    """DNS rebinding: the browser takes the page and the emulator for one origin."""
    assert not is_let_in(CHAT, kind=kind, host=host)


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:5566", f"https://{HOST}"])
def test_a_request_of_another_origins_page_is_refused_whatever_it_is_signed_by(origin: str) -> None:
    assert not is_let_in(origin=origin)
    assert not is_let_in("/site/index.html", method="GET", key="", origin=origin)


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_what_another_origins_page_embeds_is_refused(site: str) -> None:
    assert not is_let_in("/site/app.js", method="GET", key="", sec_fetch_site=site)
    assert not is_let_in(CHAT, kind="websocket", key="", sec_fetch_site=site)


@pytest.mark.parametrize("site", ["same-origin", "none"])
def test_a_page_in_a_public_bucket_can_be_opened(site: str) -> None:
    assert is_let_in("/site/index.html", method="GET", key="", sec_fetch_site=site)
    assert not is_let_in("/2015-03-31/functions", method="GET", key="", sec_fetch_site=site)
    assert not is_let_in("/site/index.html", method="PUT", key="")


@pytest.mark.parametrize(
    "path",
    ["/_ministack/reset", "/_ministack/config", "/_localstack/health", "/health", "/_local/save/", "/_aws/ses"],
)
def test_the_emulators_own_paths_are_not_served(path: str) -> None:
    assert not is_let_in(path)


def test_only_the_run_may_have_it_save() -> None:
    assert is_let_in(SAVE_PATH, x_local_token="drawn")
    assert not is_let_in(SAVE_PATH)
    assert not is_let_in(SAVE_PATH, x_local_token="guessed")
    assert not is_let_in(SAVE_PATH, x_local_token="drawn", origin="https://evil.example")


@pytest.mark.parametrize("below", ["", "/"])
def test_which_pages_may_connect_is_for_the_chat_to_decide(below: str) -> None:
    for origin in ("http://127.0.0.1:5566", "https://friend.example"):
        assert is_let_in(CHAT + below, kind="websocket", key="", origin=origin, sec_fetch_site="cross-site")
    assert is_let_in(CHAT + below, kind="websocket", key="")


@pytest.mark.parametrize(
    "path",
    ["/_aws/execute-api/chat/dev", "/_aws/execute-api/chat", "/_aws/execute-api/other/production", f"{CHAT}/extra"],
)
def test_as_on_aws_only_the_stage_itself_can_be_connected_to(path: str) -> None:
    assert not is_let_in(path, kind="websocket", key="")


@pytest.mark.parametrize("path", ["/", "/mqtt", "/restapis/chat/production/_user_request_"])
def test_no_other_socket_of_the_emulator_is_served(path: str) -> None:
    assert not is_let_in(path, kind="websocket", key="")


def test_posts_to_connections_go_by_the_stage_that_exists() -> None:
    assert is_let_in(f"{CHAT}/@connections/abc=")
    assert not is_let_in("/_aws/execute-api/chat/dev/@connections/abc=")
