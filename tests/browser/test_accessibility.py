"""Accessibility: axe in each state of the page, and keyboard-only use."""

import re
from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.controls import (
    alert,
    box,
    button,
    connect,
    disconnect,
    hide_tab,
    log,
    name_field,
    open_room,
    open_server,
    rooms,
    rows,
    send,
    server_button,
    status,
    url_field,
)
from tests.browser.fake_server import FakeServer, Frame, conversation, message, person

pytestmark = pytest.mark.browser
AXE = Axe()


def assert_accessible(page: Page) -> None:
    results = AXE.run(page)
    assert results.violations_count == 0, results.generate_report()


def refuse(server: FakeServer) -> Callable[[Frame], bool]:
    def answer(frame: Frame) -> bool:
        if frame["action"] != "sendmessage":
            return False
        server.refuse(frame, code="bad_request", error="That is not allowed here")
        return True

    return answer


@pytest.mark.parametrize(("scheme", "width"), [("dark", 360), ("light", 1440)])
def test_axe_finds_nothing_in_an_empty_a_busy_and_a_failing_room(
    new_page: Callable[..., Page], site_url: str, scheme: str, width: int, new_server: Callable[..., FakeServer]
) -> None:
    page = new_page(name=None, color_scheme=scheme, viewport={"width": width, "height": 740})
    server = new_server(page)
    page.goto(site_url)
    expect(page.get_by_text("No messages yet")).to_be_visible()
    assert_accessible(page)

    server.say(*conversation(8), {"type": "typing", "room": "lobby", **person("Ada")})
    hide_tab(page)
    server.say(message(9, "See https://example.com/ while you are away"))
    expect(page).to_have_title(re.compile(r"^\(\d\) #lobby · Chat$"))
    hide_tab(page, hidden=False)
    box(page).fill("x" * 3990)
    assert_accessible(page)

    server.answers = refuse(server)
    send(page, "Refused")
    expect(button(page, "Retry")).to_be_visible()
    server.drop()
    expect(button(page, "Try now")).to_be_visible()
    assert_accessible(page)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_the_drawers_of_a_phone(
    new_page: Callable[..., Page], site_url: str, scheme: str, new_server: Callable[..., FakeServer]
) -> None:
    page = new_page(color_scheme=scheme, viewport={"width": 360, "height": 740})
    new_server(page, conversation(3))
    page.goto(site_url)
    expect(rows(page)).to_have_count(3)
    button(page, "Rooms").click()
    open_room(page, "日" * 41)
    assert_accessible(page)
    page.keyboard.press("Escape")
    button(page, "1 here").click()
    assert_accessible(page)
    button(page, "Change name").click()
    name_field(page).fill("")
    page.keyboard.press("Enter")
    assert_accessible(page)
    page.keyboard.press("Escape")
    disconnect(page)
    connect(page, "https://example.com")
    expect(alert(page, "must start with wss://")).to_be_visible()
    assert_accessible(page)


def test_every_control_can_be_reached_with_tab_and_shows_its_focus(
    page: Page, site_url: str, new_server: Callable[..., FakeServer]
) -> None:
    new_server(page, conversation(3))
    page.goto(site_url)
    expect(box(page)).to_be_focused()
    reached, unseen = [], []
    for _ in range(30):
        page.keyboard.press("Tab")
        name, outline = page.evaluate("""() => {
            const at = document.activeElement;
            const style = getComputedStyle(at);
            const name = at === document.body ? "" : at.id || at.ariaLabel || at.textContent.trim();
            return [name, style.outlineStyle === "none" ? "" : style.outlineWidth];
        }""")
        reached.append(name)
        if not outline and name:
            unseen.append(name)
        if name == "message":
            break
    assert {
        "roomButton",
        "serverButton",
        "searchButton",
        "share",
        "newRoom",
        "settingsButton",
        "log",
        "Change name",
        "message",
    } <= set(reached)
    assert unseen == []
    box(page).fill("x")
    page.keyboard.press("Tab")
    expect(button(page, "Send")).to_be_focused()


def test_a_drawer_opens_and_closes_by_keyboard_and_returns_the_focus(
    new_page: Callable[..., Page], site_url: str, new_server: Callable[..., FakeServer]
) -> None:
    page = new_page(viewport={"width": 360, "height": 740})
    new_server(page)
    page.goto(site_url)
    expect(box(page)).to_be_enabled()
    button(page, "Rooms").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Open a room")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_label("Open a room")).to_be_hidden()
    expect(button(page, "Rooms")).to_be_focused()


@pytest.mark.parametrize("opener", ["Rooms", "1 here"])
def test_the_tab_key_stays_in_an_open_drawer(
    new_page: Callable[..., Page], site_url: str, new_server: Callable[..., FakeServer], opener: str
) -> None:
    page = new_page(viewport={"width": 360, "height": 740})
    new_server(page)
    page.goto(site_url)
    expect(box(page)).to_be_enabled()
    button(page, opener).focus()
    page.keyboard.press("Enter")
    page.wait_for_function("() => document.activeElement.matches(':popover-open')")
    for _ in range(12):
        page.keyboard.press("Tab")
        assert page.evaluate(
            "document.activeElement === document.body || !!document.activeElement.closest('[popover]')"
        )
    page.keyboard.press("Escape")
    expect(box(page)).to_be_enabled()
    assert not page.evaluate("document.querySelector('#log').inert")


@pytest.mark.parametrize("panel", ["server", "room", "menu"])
def test_leaving_a_panel_with_tab_closes_it(
    new_page: Callable[..., Page], site_url: str, new_server: Callable[..., FakeServer], panel: str
) -> None:
    page = new_page(viewport={"width": 360, "height": 740})
    new_server(page, conversation(3))
    page.goto(site_url)
    expect(box(page)).to_be_enabled()
    if panel == "menu":
        rows(page).last.focus()
        button(page, "Message menu").last.click()
    else:
        opener = (
            server_button(page) if panel == "server" else page.get_by_role("heading", level=1).get_by_role("button")
        )
        opener.focus()
        page.keyboard.press("Enter")
    expect(page.locator(":popover-open")).to_have_count(1)
    for _ in range(12):
        page.keyboard.press("Tab")
        assert page.evaluate("""() => {
            const [open, at] = [document.querySelector(":popover-open"), document.activeElement];
            return !open || open.contains(at) || at === document.body;
        }""")
        if not page.locator(":popover-open").count():
            break
    expect(page.locator(":popover-open")).to_have_count(0)


@pytest.mark.parametrize(("width", "height"), [(320, 180), (320, 640), (360, 300)])
def test_when_zoomed_in_or_above_a_keyboard_everything_is_reachable(
    new_page: Callable[..., Page], site_url: str, new_server: Callable[..., FakeServer], width: int, height: int
) -> None:
    page = new_page(name=None, viewport={"width": width, "height": height})
    new_server(page, conversation(20))
    page.goto(site_url)
    expect(rows(page)).to_have_count(20)
    assert log(page).evaluate("log => log.clientHeight") > 80
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    open_server(page)
    expect(url_field(page)).to_be_in_viewport()
    page.keyboard.press("Escape")
    box(page).fill("Hello")
    expect(box(page)).to_be_in_viewport()


def test_the_conversation_can_be_scrolled_by_keyboard(
    page: Page, site_url: str, new_server: Callable[..., FakeServer]
) -> None:
    new_server(page, conversation(50))
    page.goto(site_url)
    expect(rows(page)).to_have_count(50)
    log(page).focus()
    page.keyboard.press("Home")
    expect(rows(page).first).to_be_in_viewport()


def test_a_changing_list_of_rooms_keeps_the_focus(
    page: Page, site_url: str, new_server: Callable[..., FakeServer]
) -> None:
    server = new_server(page)
    page.goto(site_url)
    expect(status(page)).to_have_text("Connected")
    link = rooms(page).get_by_role("link", name="lobby")
    link.focus()
    page.evaluate("Object.defineProperty(document, 'hidden', { value: true, configurable: true })")
    server.say(message(1, "News"))
    expect(page.get_by_role("link", name="lobby 1 new")).to_be_focused()


def test_a_page_without_a_server_shows_its_field_on_a_phone_too(new_page: Callable[..., Page], site_url: str) -> None:
    page = new_page(viewport={"width": 360, "height": 740})
    page.route("**/config.json", lambda route: route.fulfill(status=200, json={}))
    page.goto(site_url)
    expect(url_field(page)).to_be_focused()
    expect(alert(page, "Enter a WebSocket URL.")).to_be_visible()
