"""Faulty connections: messages are stored and shown once, and missed ones are fetched."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, WebSocketRoute, expect

from tests.browser.controls import alert, box, rows, send
from tests.browser.fake_server import FakeServer, conversation

pytestmark = pytest.mark.browser
DEAD_CONNECTION_SECONDS = 30
"""A dead connection is detected after 5 s without a pong; the rest is for a busy machine."""


class Proxy:
    """A proxy between a page and the real server that fails on command."""

    def __init__(self, page: Page) -> None:
        self.cuts_at: Callable[[str, dict[str, Any]], bool] = lambda _way, _frame: False
        """Called with `up` or `down` and each frame; if it returns true, the connection is cut and the frame lost."""
        self.swallows = False
        self.made = 0
        page.route_web_socket(re.compile("^wss?://"), self._join)

    def _join(self, page: WebSocketRoute) -> None:
        self.made += 1
        number = self.made
        server = page.connect_to_server()

        def carry(way: str, there: WebSocketRoute) -> Callable[[str | bytes], None]:
            def pass_on(data: str | bytes) -> None:
                if self.swallows and number == 1:
                    return
                if self.cuts_at(way, json.loads(data)):
                    page.close(code=1012)
                    server.close()
                else:
                    there.send(data)

            return pass_on

        page.on_message(carry("up", server))
        server.on_message(carry("down", page))


def entered(page: Page, address: str) -> Page:
    page.goto(address)
    expect(box(page)).to_be_enabled()
    return page


def stored(stack: Any, room: str) -> list[str]:
    items = stack.client("dynamodb").scan(TableName=stack.outputs["messages_table"], ConsistentRead=True)["Items"]
    return sorted(item["message"]["S"] for item in items if item["room"]["S"] == room)


@pytest.mark.parametrize("way", ["up", "down"])
def test_a_message_in_flight_when_the_connection_breaks_is_stored_and_shown_once(
    page: Page, stack: Any, stack_url: str, room: str, way: str
) -> None:
    proxy = Proxy(page)
    entered(page, f"{stack_url}#{room}")
    proxy.cuts_at = lambda at, frame: proxy.made == 1 and at == way and frame.get("message") == "Under way"
    send(page, "Under way")
    expect(rows(page)).to_have_text([re.compile(r"\d\d:\d\d\s+Under way\s*$")])
    assert proxy.made == 2
    page.reload()
    expect(rows(page)).to_have_text([re.compile(r"\d\d:\d\d\s+Under way\s*$")])
    assert stored(stack, room) == ["Under way"]


def test_missed_messages_arrive_when_the_network_returns_though_the_old_connection_never_closed(
    new_page: Callable[..., Page], stack_url: str, room: str
) -> None:
    page = new_page()
    proxy = Proxy(page)
    entered(page, f"{stack_url}#{room}")
    ada = entered(new_page(name="Ada"), f"{stack_url}#{room}")
    send(ada, "Before")
    expect(rows(page)).to_contain_text(["Before"])
    proxy.swallows = True
    page.context.set_offline(True)
    for text in ("Missed one", "Missed two"):
        send(ada, text)
    send(page, "Written offline")
    expect(rows(ada)).to_have_count(3)
    page.context.set_offline(False)
    for each in (page, ada):
        expect(rows(each)).to_contain_text(
            ["Before", "Missed one", "Missed two", "Written offline"], timeout=DEAD_CONNECTION_SECONDS * 1000
        )
    assert proxy.made == 2


def test_a_reload_during_a_send_shows_the_earlier_messages(
    page: Page, site_url: str, new_server: Callable[..., FakeServer]
) -> None:
    server = new_server(page, conversation(3))
    server.answers = lambda frame: frame["action"] == "sendmessage"
    entered(page, site_url)
    send(page, "Under way")
    expect(rows(page)).to_have_count(4)
    page.reload()
    expect(rows(page)).to_contain_text(["Line 1", "Line 2", "Line 3", "Under way"])


def test_a_message_that_does_not_fit_the_outbox_stays_in_the_box(
    page: Page, site_url: str, new_server: Callable[..., FakeServer]
) -> None:
    server = new_server(page)
    server.answers = lambda frame: frame["action"] == "sendmessage"
    page.add_init_script("""
        for (let n = 100; location.host && n < 200; n += 1) {
            const messageId = `00000${n}-0000-4000-8000-000000000000`;
            const unsent = { messageId, room: "lobby", text: "?", at: Date.now() };
            localStorage[`chat.outbox.${messageId}`] = JSON.stringify(unsent);
        }
    """)
    entered(page, site_url)
    send(page, "One more")
    expect(alert(page, "Too many unsent messages")).to_be_visible()
    expect(box(page)).to_have_value("One more")
