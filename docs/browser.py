"""The browser that shows the page, and the page's controls by role and name."""

import os
import shutil
from pathlib import Path

from playwright.sync_api import Browser, Locator, Page, Playwright

_ARGUMENTS = [
    "--no-sandbox",  # it may run as root in a container
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-backgrounding-occluded-windows",
]


def launch(playwright: Playwright) -> Browser:
    """Start a Chromium: the one that CHROMIUM names, the installed one, or Playwright's own."""
    named = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    downloaded = Path(playwright.chromium.executable_path)
    path = named or (str(downloaded) if downloaded.is_file() else None)
    return playwright.chromium.launch(executable_path=path, args=_ARGUMENTS)


def box(page: Page) -> Locator:
    """Return the box in which a message is written."""
    return page.get_by_role("textbox", name="Message", exact=True)


def log(page: Page) -> Locator:
    """Return the list of messages."""
    return page.get_by_role("log")


def rows(page: Page) -> Locator:
    """Return the messages in it."""
    return log(page).get_by_role("article")


def button(page: Page, name: str) -> Locator:
    """Return a button."""
    return page.get_by_role("button", name=name, exact=True)


def send(page: Page, text: str) -> None:
    """Write a message and send it."""
    box(page).fill(text)
    box(page).press("Enter")


def hide_tab(page: Page, *, hidden: bool = True) -> None:
    """Make the page believe that another tab is in front of it; Chromium has no switch for it when headless."""
    page.evaluate(
        """hidden => {
            Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
            document.hasFocus = () => !hidden;
            document.dispatchEvent(new Event("visibilitychange"));
        }""",
        hidden,
    )
