"""A blank page that can import the page's modules, and beside them the tests that are written in JavaScript."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.files import MODULES_SITE, serve


@pytest.fixture(scope="module")
def modules(browser: Browser) -> Iterator[Page]:
    """One page for all tests of a file: each makes what it needs anew."""
    context = browser.new_context()
    serve(context)
    page = context.new_page()
    page.goto(MODULES_SITE)
    yield page
    context.close()
