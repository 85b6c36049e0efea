"""A real Chromium, and pages in it whose consoles must stay clean. Knows nothing of what is tested."""

from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect

DEADLINE_MS = 10_000

expect.set_options(timeout=DEADLINE_MS)


@pytest.fixture(scope="session")
def site_url(stack: Any) -> str:
    return str(stack.site_url).rstrip("/") + "/"


@pytest.fixture
def room() -> str:
    return f"room-{uuid4().hex[:8]}"


@pytest.fixture
def new_page(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Make pages, each of a person of their own; a page that wrote errors to its console fails the test."""
    complaints: list[str] = []
    contexts = []

    def listen(said: ConsoleMessage) -> None:
        # A link that cannot be made is Chromium's own line, and what some tests are about.
        if said.type in {"error", "warning"} and "WebSocket connection to" not in said.text:
            complaints.append(said.text)

    def make(*, name: str | None = "Bo", **options: Any) -> Page:
        defaults: dict[str, Any] = {"viewport": {"width": 1280, "height": 720}, "locale": "en-GB"}
        context = browser.new_context(**{**defaults, **options})
        contexts.append(context)
        context.set_default_timeout(DEADLINE_MS)
        if name:
            context.add_init_script(f"localStorage['chat.name'] ??= '\"{name}\"'")
        page = context.new_page()
        page.on("console", listen)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        return page

    yield make
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture
def page(new_page: Callable[..., Page]) -> Page:
    return new_page()
