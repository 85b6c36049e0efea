"""Settings: theme, sound, notifications; and the list of rooms."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.controls import box, button, hide_tab, rows
from tests.browser.fake_server import FakeServer, message

pytestmark = pytest.mark.browser


def choose(page: Page, theme: str) -> None:
    button(page, "Settings").click()
    page.get_by_role("radio", name=theme).check()
    page.keyboard.press("Escape")


def background(page: Page) -> int:
    """Return the page's lightness, from 0 to 255."""
    colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
    return int(re.findall(r"\d+", colour)[0])


@pytest.mark.usefixtures("server")
def test_a_theme_is_saved_and_applied_in_every_tab(page: Page, site_url: str) -> None:
    other = page.context.new_page()
    other.goto(site_url)
    expect(box(other)).to_be_enabled()
    assert background(page) > 200
    choose(page, "Dark")
    assert background(page) < 60
    assert page.evaluate("getComputedStyle(document.documentElement).colorScheme") == "dark"
    other.wait_for_function("() => getComputedStyle(document.documentElement).colorScheme === 'dark'")
    assert background(other) < 60
    page.reload()
    expect(box(page)).to_be_enabled()
    assert background(page) < 60
    button(page, "Settings").click()
    expect(page.get_by_role("radio", name="Dark")).to_be_checked()
    page.get_by_role("radio", name="Same as system").check()
    assert background(page) > 200
    page.emulate_media(color_scheme="dark")
    assert background(page) < 60


@pytest.mark.usefixtures("server")
def test_a_light_page_stays_light_on_a_dark_system(page: Page) -> None:
    choose(page, "Light")
    page.emulate_media(color_scheme="dark")
    assert background(page) > 200


@pytest.mark.usefixtures("server")
def test_sound_and_notifications_are_saved_and_applied_in_every_tab(page: Page, site_url: str) -> None:
    other = page.context.new_page()
    other.goto(site_url)
    button(page, "Settings").click()
    page.get_by_label("Play a sound").check()
    button(other, "Settings").click()
    expect(other.get_by_label("Play a sound")).to_be_checked()
    other.get_by_label("Play a sound").uncheck()
    expect(page.get_by_label("Play a sound")).not_to_be_checked()


@pytest.mark.usefixtures("server")
def test_the_dialog_closes_by_its_button_and_by_a_click_outside(page: Page) -> None:
    dialog = page.get_by_role("dialog", name="Settings")
    button(page, "Settings").click()
    dialog.get_by_role("button", name="Close").click()
    expect(dialog).to_be_hidden()
    button(page, "Settings").click()
    page.mouse.click(5, 700)
    expect(dialog).to_be_hidden()
    expect(button(page, "Settings")).to_be_focused()


@pytest.mark.usefixtures("server")
def test_the_shortcuts_are_listed_from_the_settings(page: Page) -> None:
    button(page, "Settings").click()
    button(page, "Keyboard shortcuts").click()
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    expect(page.get_by_role("dialog")).to_have_count(1)


# The list of rooms.


def visit(page: Page, rooms: list[dict[str, Any]]) -> None:
    page.add_init_script(f"if (location.host) localStorage['chat.rooms'] ??= JSON.stringify({json.dumps(rooms)})")


def links(page: Page) -> Locator:
    return page.get_by_role("navigation", name="Rooms").get_by_role("link")


def test_unread_rooms_come_first_then_the_most_recent_and_big_counts_are_cut(
    page: Page, site_url: str, new_server: Callable[..., FakeServer]
) -> None:
    visit(
        page,
        [
            {"room": "long-ago", "at": 1, "last": 0, "read": 0},
            {"room": "busy", "at": 2, "last": 150, "read": 0},
            {"room": "recent", "at": 4, "last": 0, "read": 0},
            {"room": "quiet", "at": 3, "last": 0, "read": 0},
        ],
    )
    server = new_server(page, [message(n, f"Line {n}", room="busy") for n in range(1, 151)])
    page.goto(site_url)
    expect(links(page).first).to_have_accessible_name("busy 150 new")
    expect(links(page).first).to_contain_text("99+")
    labels = links(page).locator(".label")
    expect(labels).to_have_text(["busy", "lobby", "recent", "quiet", "long-ago"])
    weights = [int(each.evaluate("label => getComputedStyle(label).fontWeight")) for each in labels.all()]
    assert weights[0] >= 650
    assert max(weights[2:]) < 500
    server.say(message(1, "News", room="long-ago"))
    expect(labels.nth(1)).to_have_text("long-ago")
    expect(page).to_have_title("(151) #lobby · Chat")
    button(page, "Mark all as read").click()
    expect(page).to_have_title("#lobby · Chat")
    expect(page.get_by_role("link", name=re.compile("new$"))).to_have_count(0)
    expect(button(page, "Mark all as read")).to_be_hidden()
    page.reload()
    expect(box(page)).to_be_enabled()
    expect(page).to_have_title("#lobby · Chat")


def test_ten_rooms_have_a_filter_but_nine_do_not(
    page: Page, site_url: str, new_server: Callable[..., FakeServer]
) -> None:
    visit(page, [{"room": f"room-{n}", "at": n, "last": 0, "read": 0} for n in range(1, 9)])
    new_server(page)
    page.goto(site_url)
    expect(links(page)).to_have_count(9)
    field = page.get_by_role("searchbox", name="Filter rooms")
    expect(field).to_be_hidden()
    page.get_by_label("Open a room").fill("tea-time")
    page.keyboard.press("Enter")
    expect(field).to_be_visible()
    field.fill("TEA")
    expect(links(page)).to_have_text([re.compile("tea-time")])
    field.fill("nothing")
    expect(links(page)).to_have_count(0)
    field.fill("")
    expect(links(page)).to_have_count(10)


def test_the_cross_that_leaves_a_room_shows_on_hover_and_focus(
    page: Page, site_url: str, new_server: Callable[..., FakeServer]
) -> None:
    visit(page, [{"room": name, "at": 1, "last": 0, "read": 0} for name in ("tea-time", "coffee")])
    new_server(page)
    page.goto(site_url)
    expect(box(page)).to_be_enabled()
    cross = button(page, "Leave tea-time")
    expect(cross).to_have_css("opacity", "0")
    page.get_by_role("link", name="tea-time").hover()
    expect(cross).to_have_css("opacity", "1")
    page.mouse.move(700, 300)
    expect(cross).to_have_css("opacity", "0")
    page.get_by_role("link", name="tea-time").focus()
    expect(cross).to_have_css("opacity", "1")
    page.keyboard.press("Tab")
    expect(cross).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="tea-time")).to_have_count(0)
    assert page.evaluate("document.activeElement !== document.body")


def test_a_room_is_left_from_its_panel(page: Page, server: FakeServer) -> None:
    button(page, "#lobby").click()
    expect(button(page, "Leave this room")).to_be_hidden()
    page.keyboard.press("Escape")
    page.evaluate("location.hash = 'tea-time'")
    button(page, "#tea-time").click()
    button(page, "Leave this room").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("#lobby")
    expect(page.get_by_role("link", name="tea-time")).to_have_count(0)
    page.wait_for_function("() => !localStorage['chat.rooms'].includes('tea-time')")
    assert "tea-time" in server.joined


def test_each_room_has_its_own_saved_level(page: Page, server: FakeServer) -> None:
    button(page, "#lobby").click()
    page.get_by_role("radio", name="Mentions of me").check()
    page.keyboard.press("Escape")
    page.evaluate("location.hash = 'tea-time'")
    button(page, "#tea-time").click()
    expect(page.get_by_role("radio", name="All messages")).to_be_checked()
    page.keyboard.press("Escape")
    page.go_back()
    page.reload()
    expect(box(page)).to_be_enabled()
    button(page, "#lobby").click()
    expect(page.get_by_role("radio", name="Mentions of me")).to_be_checked()
    assert server.joined


def test_marking_all_as_read_clears_the_unread_count_of_the_current_room(page: Page, server: FakeServer) -> None:
    hide_tab(page)
    server.say(message(1, "One"), message(2, "Two"))
    expect(page).to_have_title("(2) #lobby · Chat")
    button(page, "Mark all as read").evaluate("button => button.click()")
    expect(page).to_have_title("#lobby · Chat")
    expect(rows(page)).to_have_count(2)
