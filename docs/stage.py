"""The local stack with people in it: browsers that are looked at, and voices that only speak. It draws nothing."""

import io
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from PIL import Image
from playwright.sync_api import Browser, Page, WebSocketRoute, expect, sync_playwright

from tests.browser.chromium import ARGUMENTS, executable
from tests.browser.controls import box, hide_tab
from tests.conftest import Stack, start_stack
from tests.end_to_end.chatter import Chatter

DEADLINE_MS = 15_000
DESKTOP = {"width": 1120, "height": 700}
PHONE = {"width": 390, "height": 760}


def look(page: Page) -> Image.Image:
    """Return what a page shows."""
    return Image.open(io.BytesIO(page.screenshot(animations="disabled"))).convert("RGB")


class Link:
    """One page's way to the server, which can be cut and mended."""

    def __init__(self, page: Page) -> None:
        self._is_cut = False
        self._open: list[WebSocketRoute] = []
        page.route_web_socket(re.compile("^wss?://"), self._carry)

    def _carry(self, socket: WebSocketRoute) -> None:
        if self._is_cut:
            socket.close(code=1012)
            return
        self._open.append(socket)
        server = socket.connect_to_server()
        self._open.append(server)

    def cut(self) -> None:
        """Close what is open, and let nothing through until it is mended."""
        self._is_cut = True
        while self._open:
            self._open.pop().close(code=1012)

    def mend(self) -> None:
        """Let the next try through."""
        self._is_cut = False


class Stage:
    """A running stack and a browser."""

    def __init__(self, stack: Stack, browser: Browser, opened: ExitStack) -> None:
        self.stack = stack
        self.browser = browser
        self._opened = opened
        self._links: dict[Page, Link] = {}
        self.site = stack.site_url.rstrip("/") + "/"

    def person(self, name: str | None, room: str, *, link: bool = False, **options: Any) -> Page:
        """Return the page of somebody in a room; without a name they are still asked for it.

        With `link` the page's way to the server can be cut: see `link_of`.
        """
        options = {"viewport": DESKTOP, "locale": "en-GB", "reduced_motion": "reduce", **options}
        context = self.browser.new_context(**options)
        self._opened.callback(context.close)
        context.set_default_timeout(DEADLINE_MS)
        if name:
            context.add_init_script(f"localStorage['chat.name'] ??= '\"{name}\"'")
        page = context.new_page()
        if link:
            self._links[page] = Link(page)
        return self.tab(page, room)

    def link_of(self, page: Page) -> Link:
        """Return a page's way to the server."""
        return self._links[page]

    def tab(self, page: Page, room: str) -> Page:
        """Open a room in a page and wait until one can write there."""
        page.goto(f"{self.site}#{room}")
        expect(box(page)).to_be_enabled()
        hide_tab(page, hidden=False)  # side by side, both are looked at
        return page

    def voice(self, name: str, room: str) -> Chatter:
        """Return somebody who is there without a browser, as from wscat."""
        chatter = self._opened.enter_context(Chatter(self.stack.websocket_url))
        chatter.joins(room, name)
        return chatter


@contextmanager
def stage() -> Iterator[Stage]:
    """Start the local stack and a browser; end both."""
    expect.set_options(timeout=DEADLINE_MS)
    stack = start_stack("--no-watch")
    try:
        with sync_playwright() as playwright, ExitStack() as opened:
            browser = playwright.chromium.launch(executable_path=executable(), args=ARGUMENTS)
            opened.callback(browser.close)
            yield Stage(stack, browser, opened)
    finally:
        stack.stop()
        stack.log.unlink()
