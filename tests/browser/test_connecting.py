"""The server's address, Connect and Disconnect, the status, and what is said while there is no link."""

import re
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from tests.browser.controls import box, button, log, rows, send, status, url_field
from tests.browser.fake_server import FakeServer, conversation, message

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("", "must begin with wss://"),
        ("chat.example.com", "must begin with wss://"),
        ("https://chat.example.com", "must begin with wss://"),
        ("ws://chat.example.com/production", "Only a server on this machine"),
        ("wss://", "must begin with wss://"),
    ],
)
def test_a_wrong_url_is_said_at_its_field(page: Page, site_url: str, address: str, said: str) -> None:
    FakeServer(page)
    page.goto(site_url)
    expect(status(page)).to_have_text("Connected")
    button(page, "Disconnect").click()
    url_field(page).fill(address)
    button(page, "Connect").click()
    expect(page.get_by_role("alert").filter(has_text=said)).to_be_visible()
    expect(url_field(page)).to_be_focused()
    expect(url_field(page)).to_have_attribute("aria-invalid", "true")
    expect(status(page)).to_have_text("Disconnected")


def test_another_url_is_kept_and_the_page_s_own_is_one_press_away(page: Page, site_url: str) -> None:
    server = FakeServer(page)
    page.goto(site_url)
    expect(box(page)).to_be_enabled()
    own = url_field(page).input_value()
    button(page, "Disconnect").click()
    url_field(page).fill("wss://elsewhere.example.com/production")
    button(page, "Connect").click()
    expect(box(page)).to_be_enabled()
    server.accepts = False
    page.reload()
    expect(url_field(page)).to_have_value("wss://elsewhere.example.com/production")
    expect(page.get_by_text("No answer from wss://elsewhere.example.com/production")).to_be_visible()
    server.accepts = True
    button(page, "Use this page’s own server").click()
    expect(box(page)).to_be_enabled()
    expect(url_field(page)).to_have_value(own)
    page.reload()
    expect(url_field(page)).to_have_value(own)


def test_a_lost_link_is_said_with_a_countdown_and_a_try_now(page: Page, site_url: str) -> None:
    server = FakeServer(page)
    page.goto(site_url)
    expect(box(page)).to_be_enabled()
    box(page).fill("Half a thought")
    server.drop()
    expect(status(page)).to_have_text("Disconnected")
    expect(page.get_by_text("You are offline")).to_be_visible()
    expect(page.get_by_text(re.compile(r"Next try in \d+ s"))).to_be_visible()
    expect(box(page)).to_be_disabled()
    expect(box(page)).to_have_value("Half a thought")
    server.accepts = True
    button(page, "Try now").click()
    expect(status(page)).to_have_text("Connected")
    expect(page.get_by_text("You are offline")).to_be_hidden()
    expect(box(page)).to_be_focused()


def test_what_was_said_while_the_link_was_lost_comes_below_a_line(page: Page, site_url: str) -> None:
    server = FakeServer(page, conversation(3))
    page.goto(site_url)
    expect(rows(page)).to_have_count(3)
    server.drop()
    expect(status(page)).to_have_text("Disconnected")
    server.rooms["lobby"] += [message(4, "Missed one"), message(5, "Missed two")]
    server.accepts = True
    button(page, "Try now").click()
    expect(rows(page)).to_have_count(5)
    expect(rows(page).filter(has_text="Missed one")).to_contain_text("New")
    expect(log(page).get_by_text("New", exact=True)).to_have_count(1)


def test_lost_history_is_said(page: Page, site_url: str) -> None:
    server = FakeServer(page, conversation(3))
    page.goto(site_url)
    expect(rows(page)).to_have_count(3)
    server.drop()
    server.accepts = True

    def lost(frame: dict[str, object]) -> bool:
        if frame["action"] != "join":
            return False
        server.say({**server._join({**frame, "after": 3}), "lost": True, "lastSeq": 3})
        return True

    server.answers = lost
    button(page, "Try now").click()
    expect(log(page)).to_contain_text("no longer kept")


def test_a_page_without_a_server_asks_for_one(page: Page, site_url: str) -> None:
    page.route("**/config.json", lambda route: route.fulfill(status=200, json={}))
    page.goto(site_url)
    expect(page.get_by_role("alert").filter(has_text="enter the WebSocket URL")).to_be_visible()
    expect(status(page)).to_have_text("Disconnected")
    expect(box(page)).to_be_disabled()


def test_connect_and_disconnect_are_each_on_only_when_they_do_something(page: Page, site_url: str) -> None:
    FakeServer(page)
    page.goto(site_url)
    expect(status(page)).to_have_text("Connected")
    expect(button(page, "Connect")).to_be_disabled()
    button(page, "Disconnect").click()
    expect(button(page, "Disconnect")).to_be_disabled()
    expect(button(page, "Connect")).to_be_enabled()


def test_five_quiet_minutes_are_bridged_by_a_ping(page: Page, site_url: str) -> None:
    server = FakeServer(page)
    page.clock.install()
    page.goto(site_url)
    expect(box(page)).to_be_enabled()
    before = len(server.sent("ping"))
    page.clock.fast_forward(timedelta(minutes=5, seconds=5).seconds * 1000)
    send(page, "So that the test hears what came before")
    expect(rows(page)).to_have_count(1)
    assert len(server.sent("ping")) > before
