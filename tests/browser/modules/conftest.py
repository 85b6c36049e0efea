"""A blank page that can import the page's modules, and beside them the tests that are written in JavaScript."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route

TESTS = Path(__file__).parent
FRONTEND = TESTS.parents[2] / "frontend"
ORIGIN = "http://modules.test"


def _fulfil(route: Route) -> None:
    name = route.request.url.removeprefix(ORIGIN + "/")
    if not name:
        route.fulfill(content_type="text/html", body="<!doctype html><title>Modules</title>")
        return
    folder = TESTS if (TESTS / name).is_file() else FRONTEND
    route.fulfill(content_type="text/javascript", body=(folder / name).read_text())


@pytest.fixture(scope="module")
def modules(browser: Browser) -> Iterator[Page]:
    """One page for all tests of a file: each makes what it needs anew."""
    context = browser.new_context()
    page = context.new_page()
    page.route(f"{ORIGIN}/**", _fulfil)
    page.goto(ORIGIN)
    yield page
    context.close()
