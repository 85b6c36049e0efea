"""In a real browser on this machine, a foreign page cannot use the emulator."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from chat_client.websocket import ChatSocket
from tests.browser.chromium import ARGUMENTS, executable
from tests.conftest import Stack

SEND = "([url, init]) => fetch(url, {mode: 'no-cors', ...init}).then(() => 'sent', () => 'failed')"
EMBED = """url => new Promise(done => {
    const image = new Image(); image.onload = image.onerror = () => done(); image.src = url;
})"""
CONNECT = """url => new Promise(done => {
    const socket = new WebSocket(url); socket.onopen = () => done('open'); socket.onclose = () => done('closed');
})"""


@pytest.fixture(params=["127.0.0.1", "localhost"])
def foreign(browser: Browser, elsewhere: int, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A page of another origin: on the emulator's site, and on another site."""
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(f"http://{request.param}:{elsewhere}/")
        yield page


def statuses(page: Page, stack: Stack) -> list[int]:
    """Return a list that will receive the status of each response of the emulator."""
    seen: list[int] = []
    page.on("response", lambda one: seen.append(one.status) if one.url.startswith(stack.endpoint_url) else None)
    return seen


def signed(stack: Stack) -> str:
    """Return a URL, presigned with this run's credentials, that lists the page's bucket."""
    client: Any = stack.client("s3")
    return client.generate_presigned_url("list_objects_v2", Params={"Bucket": stack.outputs["site_bucket"]})


@pytest.mark.parametrize("path", ["/_ministack/reset", "/_local/save", "/2015-03-31/functions", "/"])
def test_its_posts_are_refused(stack: Stack, foreign: Page, path: str) -> None:
    seen = statuses(foreign, stack)
    assert foreign.evaluate(SEND, [stack.endpoint_url + path, {"method": "POST", "body": "Action=ListUsers"}]) == "sent"
    assert seen == [403]
    with ChatSocket(stack.websocket_url) as client:
        assert client.ping()["type"] == "pong"


def test_its_embedded_resources_are_refused_even_if_signed_by_this_run(stack: Stack, foreign: Page) -> None:
    seen = statuses(foreign, stack)
    foreign.evaluate(EMBED, signed(stack))
    foreign.evaluate(EMBED, f"{stack.endpoint_url}/{stack.outputs['site_bucket']}/index.html")
    assert seen == [403, 403]


def test_its_cors_requests_fail(stack: Stack, foreign: Page) -> None:
    assert foreign.evaluate(SEND, [signed(stack), {"mode": "cors", "headers": {"x-amz-target": "a"}}]) == "failed"


def test_it_cannot_connect(stack: Stack, foreign: Page) -> None:
    assert foreign.evaluate(CONNECT, stack.websocket_url) == "closed"
    assert foreign.evaluate(CONNECT, stack.endpoint_url.replace("http", "ws") + "/mqtt") == "closed"


def test_a_foreign_name_that_resolves_to_this_machine_is_refused(stack: Stack, browser: Browser) -> None:
    """DNS rebinding: the browser then takes page and emulator for one origin."""
    rules = "--host-resolver-rules=MAP evil.example 127.0.0.1"
    rebound = browser.browser_type.launch(executable_path=executable(), args=[*ARGUMENTS, rules])
    try:
        page = rebound.new_page()
        for url in (stack.endpoint_url, stack.site_url):
            answer = page.goto(url.replace("127.0.0.1", "evil.example"))
            assert answer
            assert answer.status == 403
    finally:
        rebound.close()


def test_the_runs_own_page_connects(stack: Stack, browser: Browser) -> None:
    with browser.new_context() as context:
        page = context.new_page()
        for host in ("127.0.0.1", "localhost"):
            page.goto(stack.site_url.replace("127.0.0.1", host))
            assert page.evaluate(CONNECT, stack.websocket_url) == "open"
