"""Starts a Chromium for pictures and recordings."""

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

from tests.browser.chromium import ARGUMENTS, executable


@contextmanager
def chromium() -> Iterator[Browser]:
    """Run a Chromium."""
    path = executable()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()
