"""A local stack for the pictures, with pages in a browser and clients without one."""

import io
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from PIL import Image
from playwright.sync_api import Browser, Page, WebSocketRoute, expect

from chat_client.websocket import ChatSocket
from docgen.browser import chromium
from local.process import Stack, running_stack
from tests.browser.controls import box, hide_tab

DEADLINE_MS = 15_000
DESKTOP = {"width": 1200, "height": 740}
"""Wide enough to show rooms, conversation and people side by side."""
PHONE = {"width": 390, "height": 760}


def look(page: Page) -> Image.Image:
    """Return a screenshot."""
    return Image.open(io.BytesIO(page.screenshot(animations="disabled"))).convert("RGB")


class PageConnection:
    """A page's WebSocket, which can be cut and restored."""

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
        """Close the connection, and refuse new ones until `restore`."""
        self._is_cut = True
        while self._open:
            self._open.pop().close(code=1012)

    def restore(self) -> None:
        """Let the page connect again."""
        self._is_cut = False


class DemoStack:
    """A running stack and a browser."""

    def __init__(self, stack: Stack, browser: Browser, opened: ExitStack) -> None:
        self.stack = stack
        self.browser = browser
        self._opened = opened
        self._connections: dict[Page, PageConnection] = {}
        self.site = stack.site_url.rstrip("/") + "/"

    def person(self, name: str | None, room: str, *, can_cut: bool = False, **options: Any) -> Page:
        """Return a person's page in a room; without a name, the page asks for it.

        With `can_cut`, `connection_of` can cut its connection.
        """
        options = {
            "viewport": DESKTOP,
            "locale": "en-GB",
            "reduced_motion": "reduce",
            "service_workers": "block",
            **options,
        }
        context = self.browser.new_context(**options)
        self._opened.callback(context.close)
        context.set_default_timeout(DEADLINE_MS)
        if name:
            context.add_init_script(f"localStorage['chat.name'] ??= '\"{name}\"'")
        page = context.new_page()
        if can_cut:
            self._connections[page] = PageConnection(page)
        return self.tab(page, room)

    def connection_of(self, page: Page) -> PageConnection:
        """Return a page's connection."""
        return self._connections[page]

    def tab(self, page: Page, room: str) -> Page:
        """Open a room in a page and wait until the message box is enabled."""
        page.goto(f"{self.site}#{room}")
        expect(box(page)).to_be_enabled()
        hide_tab(page, hidden=False)  # side by side, both are visible
        return page

    def client(self, name: str, room: str) -> ChatSocket:
        """Return a client in a room that is not a browser, such as wscat."""
        client = self._opened.enter_context(ChatSocket(self.stack.websocket_url))
        client.join(room, name=name)
        return client


@contextmanager
def demo_stack(*options: str) -> Iterator[DemoStack]:
    """Run a local stack, with further options of `python -m local`, and a browser."""
    expect.set_options(timeout=DEADLINE_MS)
    with running_stack("--no-watch", *options) as stack, chromium() as browser, ExitStack() as opened:
        yield DemoStack(stack, browser, opened)
