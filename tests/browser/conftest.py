"""Fixtures: a real Chromium, pages whose consoles must stay clean, and a chat server."""

from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect

from tests.browser.controls import box
from tests.browser.fake_login import LOGIN
from tests.browser.fake_server import FakeServer, Frame
from tests.browser.files import SITE, modules_page, serve

DEADLINE_MS = 10_000

WORKER_BLOCKED = "Service Worker registration blocked by Playwright"
"""What Playwright itself writes: these pages have no worker, whose fetches it could not route (see test_offline)."""

expect.set_options(timeout=DEADLINE_MS)


@pytest.fixture
def site_url() -> str:
    """Return the page's URL for tests with a fake server."""
    return SITE


@pytest.fixture(scope="session")
def stack_url(stack: Any) -> str:
    """Return the page's URL on the local stack."""
    return str(stack.site_url).rstrip("/") + "/"


@pytest.fixture
def room() -> str:
    return f"room-{uuid4().hex[:8]}"


@pytest.fixture
def new_page(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Create pages, each for a separate person; an error in a page's console fails the test."""
    complaints: list[str] = []
    contexts = []

    def listen(said: ConsoleMessage) -> None:
        # Chromium itself reports a connection that cannot be made; some tests are about that.
        is_of_the_test = said.text == WORKER_BLOCKED or "WebSocket connection to" in said.text
        is_of_the_test |= said.location["url"].startswith(LOGIN)  # refuses, or cannot be reached
        if said.type in {"error", "warning"} and not is_of_the_test:
            complaints.append(said.text)

    def make(*, name: str | None = "Bo", **options: Any) -> Page:
        defaults: dict[str, Any] = {
            "viewport": {"width": 1280, "height": 720},
            "locale": "en-GB",
            "service_workers": "block",
        }
        context = browser.new_context(**{**defaults, **options})
        contexts.append(context)
        context.set_default_timeout(DEADLINE_MS)
        serve(context)
        if name:
            context.add_init_script(f"if (location.host) localStorage['chat.name'] ??= '\"{name}\"'")
        context.on("console", listen)
        context.on("weberror", lambda error: complaints.append(str(error.error)))
        return context.new_page()

    yield make
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture
def page(new_page: Callable[..., Page]) -> Page:
    return new_page()


@pytest.fixture(scope="session")
def server_host(browser: Browser) -> Iterator[Page]:
    """Open the page in which the fake servers run."""
    with modules_page(browser) as page:
        yield page


@pytest.fixture
def new_server(server_host: Page) -> Callable[..., FakeServer]:
    """Create servers, each for one page or all pages of a browser."""

    def make(page: Page, messages: list[Frame] | None = None) -> FakeServer:
        server = FakeServer(server_host, messages or [])
        server.serve(page.context)
        return server

    return make


@pytest.fixture
def server(page: Page, site_url: str, new_server: Callable[..., FakeServer]) -> FakeServer:
    """Return the server of an empty lobby, for a page that has opened it."""
    made = new_server(page)
    page.goto(site_url)
    expect(box(page)).to_be_enabled()
    return made
