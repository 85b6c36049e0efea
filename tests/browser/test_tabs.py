"""Several tabs of one browser: one person, one outbox, one draft per room; with Web Locks and over plain HTTP."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.controls import box, disconnect, people, rows, send
from tests.browser.fake_server import FakeServer, message
from tests.browser.files import PLAIN_SITE, SITE

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("site", [SITE, PLAIN_SITE])]


@pytest.fixture
def server(page: Page, new_server: Callable[..., FakeServer]) -> FakeServer:
    return new_server(page)


def tab(page: Page, site: str) -> Page:
    """Open another tab of the same browser."""
    opened = page.context.new_page()
    opened.goto(site)
    expect(box(opened)).to_be_enabled()
    return opened


def test_only_a_page_from_https_has_locks(page: Page, server: FakeServer, site: str) -> None:
    page.goto(site)
    expect(box(page)).to_be_enabled()
    assert page.evaluate("!!navigator.locks") is (site == SITE)
    assert len(server.sent("join")[0]["secret"]) >= 32


def test_own_messages_are_recognised_in_another_tab_and_after_a_reload(
    page: Page, server: FakeServer, site: str
) -> None:
    page.goto(site)
    other = tab(page, site)
    send(page, "Mine")
    server.say(message(2, "Yours"))
    other.reload()
    for each in (page, other):
        expect(rows(each)).to_contain_text(["Mine", "Yours"])
        expect(rows(each).and_(each.locator(".own"))).to_have_text(re.compile("Mine"))
        expect(people(each).get_by_role("heading")).to_have_text("People 1")
        expect(people(each).get_by_role("listitem")).to_have_text(re.compile("Bo you"))


def test_a_closed_tabs_unsent_messages_are_sent_by_another_one_in_order_and_once(
    page: Page, server: FakeServer, site: str
) -> None:
    page.goto(site)
    other = tab(page, site)
    server.answers = lambda frame: frame["action"] == "sendmessage"
    for text in ("One", "Two", "Three"):
        send(page, text)
    expect(rows(other)).to_contain_text(["One", "Two", "Three"])
    server.answers = lambda _frame: False
    page.close()
    expect(rows(other)).not_to_contain_text(["Sending…"], timeout=20_000)
    expect(rows(other)).to_contain_text(["One", "Two", "Three"])
    assert server.texts("lobby") == ["One", "Two", "Three"]


def test_messages_unsent_when_the_last_tab_closed_are_sent_by_the_next_one(
    page: Page, server: FakeServer, site: str
) -> None:
    page.goto(site)
    expect(box(page)).to_be_enabled()
    server.answers = lambda frame: frame["action"] == "sendmessage"
    send(page, "Under way")
    box(page).fill("Half a thought")
    page.context.new_page()
    page.close(run_before_unload=True)
    server.answers = lambda _frame: False
    other = tab(page, site)
    expect(rows(other)).to_contain_text(["Under way"])
    expect(rows(other)).not_to_contain_text(["Sending…"], timeout=20_000)
    expect(box(other)).to_have_value("Half a thought")
    assert server.texts("lobby") == ["Under way"]


def test_a_draft_sent_in_one_tab_disappears_in_the_other(page: Page, server: FakeServer, site: str) -> None:
    page.goto(site)
    other = tab(page, site)
    box(page).fill("Half a thought")
    expect(box(other)).to_have_value("Half a thought")
    send(other, "A whole thought")
    expect(box(page)).to_have_value("")
    expect(rows(page)).to_contain_text(["A whole thought"])
    assert server.texts("lobby") == ["A whole thought"]


def test_a_disconnected_tab_leaves_its_messages_to_a_connected_one(page: Page, server: FakeServer, site: str) -> None:
    page.goto(site)
    other = tab(page, site)
    server.answers = lambda frame: frame["action"] == "sendmessage"
    send(page, "Before I go")
    expect(rows(other)).to_contain_text(["Before I go"])
    server.answers = lambda _frame: False
    disconnect(page)
    expect(rows(other)).not_to_contain_text(["Sending…"], timeout=20_000)
    assert server.texts("lobby") == ["Before I go"]
