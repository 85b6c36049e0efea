"""The server URL, Connect and Disconnect, the status, and the page without a connection."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.controls import (
    alert,
    box,
    button,
    connect,
    disconnect,
    log,
    open_server,
    rows,
    send,
    server_panel,
    status,
    url_field,
)
from tests.browser.fake_server import FakeServer, conversation, message
from tests.browser.files import SOCKET_URL, serve

pytestmark = pytest.mark.browser


def test_an_invalid_url_is_reported_at_its_field(
    page: Page, site_url: str, new_server: Callable[..., FakeServer]
) -> None:
    new_server(page)
    page.goto(site_url)
    expect(status(page)).to_have_text("Connected")
    disconnect(page)
    connect(page, "https://chat.example.com")
    expect(alert(page, "must start with wss://")).to_be_visible()
    expect(url_field(page)).to_be_focused()
    expect(url_field(page)).to_have_attribute("aria-invalid", "true")
    expect(status(page)).to_have_text("Disconnected")


def test_another_url_is_saved_and_the_default_is_one_click_away(
    page: Page, site_url: str, new_server: Callable[..., FakeServer]
) -> None:
    server = new_server(page)
    page.goto(site_url)
    expect(box(page)).to_be_enabled()
    own = url_field(page).input_value()
    disconnect(page)
    connect(page, "wss://elsewhere.example.com/production")
    expect(server_panel(page)).to_be_hidden()
    expect(box(page)).to_be_enabled()
    server.accepts = False
    page.reload()
    expect(url_field(page)).to_have_value("wss://elsewhere.example.com/production")
    expect(alert(page, "Cannot reach wss://elsewhere.example.com/production")).to_be_visible()
    server.accepts = True
    button(page, "Use the default server").click()
    expect(box(page)).to_be_enabled()
    expect(url_field(page)).to_have_value(own)
    page.reload()
    expect(url_field(page)).to_have_value(own)


def test_a_lost_connection_is_shown_with_a_countdown_and_a_try_now(
    page: Page, site_url: str, new_server: Callable[..., FakeServer]
) -> None:
    server = new_server(page)
    page.goto(site_url)
    expect(box(page)).to_be_enabled()
    box(page).fill("Half a thought")
    server.drop()
    expect(status(page)).to_have_text("Disconnected")
    expect(alert(page, "Connection lost.")).to_be_visible()
    expect(page.get_by_text(re.compile(r"Retrying in \d+ s"))).to_be_visible()
    expect(box(page)).to_have_value("Half a thought")
    server.accepts = True
    button(page, "Try now").click()
    expect(status(page)).to_have_text("Connected")
    expect(page.get_by_text("Retrying in")).to_be_hidden()
    expect(box(page)).to_be_focused()


def test_writing_continues_while_the_connection_is_lost(
    page: Page, site_url: str, new_server: Callable[..., FakeServer]
) -> None:
    server = new_server(page)
    page.goto(site_url)
    expect(box(page)).to_be_enabled()
    box(page).press_sequentially("Half a ")
    server.drop()
    expect(status(page)).to_have_text("Disconnected")
    expect(box(page)).to_be_focused()
    page.keyboard.type("thought")
    page.keyboard.press("Enter")
    expect(box(page)).to_be_focused()
    page.keyboard.type("Another")
    expect(rows(page)).to_contain_text(["Half a thought"])
    assert server.texts("lobby") == []
    server.accepts = True
    page.evaluate("dispatchEvent(new Event('online'))")
    expect(rows(page)).not_to_contain_text(["Sending…"])
    expect(box(page)).to_have_value("Another")
    assert server.texts("lobby") == ["Half a thought"]
    disconnect(page)
    expect(box(page)).to_be_disabled()
    expect(button(page, "Send")).to_be_disabled()


def test_missed_messages_start_below_a_line(page: Page, site_url: str, new_server: Callable[..., FakeServer]) -> None:
    server = new_server(page, conversation(3))
    page.goto(site_url)
    expect(rows(page)).to_have_count(3)
    server.drop()
    expect(status(page)).to_have_text("Disconnected")
    server.store(message(4, "Missed one"), message(5, "Missed two"))
    server.accepts = True
    button(page, "Try now").click()
    expect(rows(page)).to_have_count(5)
    expect(rows(page).filter(has_text="Missed one")).to_contain_text("New")
    expect(log(page).get_by_text("New", exact=True)).to_have_count(1)


def test_expired_messages_are_reported(page: Page, site_url: str, new_server: Callable[..., FakeServer]) -> None:
    server = new_server(page, conversation(3))
    page.goto(site_url)
    expect(rows(page)).to_have_count(3)
    server.drop()
    server.store(message(9, "All that is left"))
    server.accepts = True
    button(page, "Try now").click()
    expect(rows(page)).to_have_count(4)
    expect(log(page)).to_contain_text("Some messages sent while you were away have expired.")


def test_a_page_without_a_server_asks_for_one(page: Page, site_url: str) -> None:
    page.route("**/config.json", lambda route: route.fulfill(status=200, json={}))
    page.goto(site_url)
    expect(alert(page, "No server configured. Enter a WebSocket URL.")).to_be_visible()
    expect(status(page)).to_have_text("Disconnected")
    expect(box(page)).to_be_disabled()


def test_a_config_that_does_not_load_is_reported(page: Page, site_url: str) -> None:
    page.route("**/config.json", lambda _route: None)
    page.goto(site_url)
    expect(alert(page, "Could not load the server configuration. Reload")).to_be_visible()
    expect(page.get_by_text("Still loading")).to_have_count(0)


@pytest.mark.parametrize("missing", ["**/order.js", "**/*.{js,css}"])
def test_a_page_that_cannot_start_says_so(browser: Browser, site_url: str, missing: str) -> None:
    """A module may be missing; on an unknown path the error document finds none of its files."""
    context = browser.new_context()
    serve(context)
    page = context.new_page()
    page.route(missing, lambda route: route.fulfill(status=404))
    page.goto(site_url)
    expect(page.get_by_text("reload the page or open the start page")).to_be_visible()
    expect(page.get_by_role("link", name="open the start page")).to_have_attribute("href", "/")
    context.close()


def test_connect_and_disconnect_are_enabled_only_when_they_do_something(
    page: Page, site_url: str, new_server: Callable[..., FakeServer]
) -> None:
    new_server(page)
    page.goto(site_url)
    expect(status(page)).to_have_text("Connected")
    open_server(page)
    expect(button(page, "Connect")).to_be_disabled()
    button(page, "Disconnect").click()
    expect(button(page, "Disconnect")).to_be_disabled()
    expect(button(page, "Connect")).to_be_enabled()
    expect(server_panel(page)).to_contain_text("You are not connected.")


def test_pressing_the_status_opens_the_server_panel_which_says_why_it_is_not_connected(
    page: Page, site_url: str, new_server: Callable[..., FakeServer]
) -> None:
    server = new_server(page)
    page.goto(site_url)
    expect(status(page)).to_have_text("Connected")
    server.drop()
    expect(status(page)).to_have_text("Disconnected")
    status(page).click()
    expect(server_panel(page)).to_contain_text("Connection lost.")
    expect(url_field(page)).to_have_value(SOCKET_URL)


def test_connection_events_are_not_part_of_the_conversation(
    page: Page, site_url: str, new_server: Callable[..., FakeServer]
) -> None:
    server = new_server(page, conversation(3))
    page.goto(site_url)
    expect(rows(page)).to_have_count(3)
    server.drop()
    expect(status(page)).to_have_text("Disconnected")
    server.accepts = True
    button(page, "Try now").click()
    expect(status(page)).to_have_text("Connected")
    disconnect(page)
    expect(status(page)).to_have_text("Disconnected")
    expect(log(page).locator("> *")).to_have_count(3)


def test_five_quiet_minutes_are_bridged_by_a_ping(
    page: Page, site_url: str, new_server: Callable[..., FakeServer]
) -> None:
    server = new_server(page)
    page.clock.install()
    page.goto(site_url)
    expect(box(page)).to_be_enabled()
    before = len(server.sent("ping"))
    page.clock.fast_forward(timedelta(minutes=5, seconds=5).seconds * 1000)
    send(page, "So that the test hears what came before")
    expect(rows(page)).to_have_count(1)
    assert len(server.sent("ping")) > before


def test_people_can_write_while_a_known_server_cannot_be_reached(
    page: Page, site_url: str, new_server: Callable[..., FakeServer]
) -> None:
    """Also after a reload without a network: the page is cached, and messages wait in the outbox."""
    server = new_server(page, [message(1, "Hello")])
    page.goto(site_url)
    expect(rows(page)).to_have_count(1)
    expect(box(page)).to_be_enabled()
    page.goto("about:blank")  # the page saves what it has
    server.drop()
    page.goto(site_url)
    expect(alert(page, "Cannot reach the server. Your messages will be sent")).to_be_visible()
    expect(rows(page)).to_have_text([re.compile("Hello")])
    send(page, "Written offline")
    expect(rows(page)).to_have_count(2)
    server.accepts = True
    button(page, "Try now").click()
    expect(page.locator("article.stored")).to_have_count(2)
    assert server.texts("lobby") == ["Hello", "Written offline"]


def test_an_unreachable_server_is_named_and_takes_no_messages(
    page: Page, site_url: str, new_server: Callable[..., FakeServer]
) -> None:
    new_server(page).accepts = False
    page.goto(site_url)
    expect(alert(page, "Cannot reach wss://server.test/production. Check the URL.")).to_be_visible()
    expect(box(page)).to_be_disabled()
