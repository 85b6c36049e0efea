"""A blank page that can import the page's modules, and beside them the tests that are written in JavaScript."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.files import modules_page


@pytest.fixture(scope="module")
def modules(browser: Browser) -> Iterator[Page]:
    """One page for all tests of a file: each makes what it needs anew."""
    with modules_page(browser) as page:
        yield page
