"""Rooms: links, the list of visited rooms, several at once with unread counts, switching, drafts."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.controls import (
    alert,
    assert_icon,
    box,
    button,
    hide_tab,
    log,
    notifications,
    open_room,
    open_settings,
    rooms,
    rows,
    send,
    sound,
    toast,
)
from tests.browser.fake_server import FakeServer, conversation, message
from tests.browser.files import PLAIN_SITE

pytestmark = pytest.mark.browser


@pytest.fixture
def server(page: Page, site_url: str, new_server: Callable[..., FakeServer]) -> FakeServer:
    made = new_server(page, conversation(3, room="tea"))
    page.goto(f"{site_url}#tea")
    expect(rows(page)).to_have_count(3)
    return made


def test_the_room_comes_from_the_url(page: Page, server: FakeServer) -> None:
    expect(page.get_by_role("heading", level=1)).to_have_text("#tea")
    expect(page).to_have_title("#tea · Chat")
    assert server.joined == ["tea"]


def test_a_room_is_opened_by_typing_its_name(page: Page, server: FakeServer) -> None:
    page.evaluate("window.sameDocument = true")
    open_room(page, "  Café & Garden! ")
    expect(page.get_by_role("heading", level=1)).to_have_text("#cafe-garden")
    expect(page).to_have_url(re.compile("#cafe-garden$"))
    expect(rooms(page).get_by_role("link")).to_have_text(["cafe-garden", "tea"])
    expect(rooms(page).get_by_role("link", name="cafe-garden")).to_have_attribute("aria-current", "page")
    expect(rows(page)).to_have_count(0)
    expect(page.get_by_text("No messages yet")).to_be_visible()
    assert page.evaluate("window.sameDocument")
    assert server.joined == ["tea", "cafe-garden"]


def test_an_invalid_room_name_is_reported_at_its_field(page: Page, server: FakeServer) -> None:
    open_room(page, "x" * 41 + "日本")
    expect(alert(page, "Enter a room name of 1 to 40 visible characters.")).to_be_visible()
    assert server.joined == ["tea"]


def test_a_room_named_in_another_script_has_a_title_and_a_plain_link(
    page: Page, server: FakeServer, new_page: Callable[..., Page], new_server: Callable[..., FakeServer]
) -> None:
    open_room(page, "日本 🍵")
    expect(page.get_by_role("heading", level=1)).to_have_text("日本 🍵")
    expect(page).to_have_title("日本 🍵 · Chat")
    expect(rooms(page).get_by_role("link", name="日本 🍵")).to_have_attribute("aria-current", "page")
    room = server.joined[-1]
    assert re.fullmatch(r"room-[a-z0-9]+", room)
    guest = new_page()
    new_server(guest)
    guest.goto(page.url)
    expect(guest.get_by_role("heading", level=1)).to_have_text("日本 🍵")
    guest.goto("about:blank")
    guest.goto(page.url.partition("#")[0] + "#" + room + "=Something%20else")
    expect(guest.get_by_role("heading", level=1)).to_have_text("日本 🍵")


@pytest.mark.usefixtures("server")
def test_a_link_cannot_rename_a_room(page: Page) -> None:
    page.evaluate("location.hash = 'garden=Your%20bank'")
    expect(page.get_by_role("heading", level=1)).to_have_text("#garden")


def test_rooms_are_switched_by_link_and_by_the_back_button(page: Page, server: FakeServer) -> None:
    server.store(message(1, "Roses", room="garden"))
    open_room(page, "garden")
    expect(rows(page)).to_contain_text(["Roses"])
    rooms(page).get_by_role("link", name="tea").click()
    expect(rows(page)).to_have_count(3)
    page.go_back()
    expect(rows(page)).to_contain_text(["Roses"])
    expect(rows(page)).to_have_count(1)


def test_messages_in_another_room_raise_its_badge_and_the_title_and_start_below_a_line(
    page: Page, server: FakeServer
) -> None:
    open_room(page, "garden")
    expect(page.get_by_text("No messages yet")).to_be_visible()
    server.say(message(4, "Psst", room="tea"), message(5, "Over here", room="tea"))
    expect(rooms(page).get_by_role("link", name="tea 2 new")).to_be_visible()
    expect(page).to_have_title("(2) #garden · Chat")
    assert_icon(page, "icon-unread.svg")
    rooms(page).get_by_role("link", name="tea").click()
    expect(rows(page)).to_have_count(5)
    expect(rows(page).filter(has_text="Psst")).to_contain_text("New")
    expect(log(page).get_by_text("New", exact=True)).to_have_count(1)
    expect(page).to_have_title("#tea · Chat")
    assert server.joined == ["tea", "garden"]


def test_a_link_without_a_valid_room_says_what_was_opened(
    page: Page, site_url: str, new_server: Callable[..., FakeServer]
) -> None:
    new_server(page)
    page.goto(f"{site_url}#日本")
    expect(toast(page)).to_have_text("Room links contain only a–z, 0–9 and hyphens. Opened #lobby instead.")


def test_messages_in_another_room_sound_and_notify_even_while_the_page_is_read(
    page: Page, site_url: str, new_server: Callable[..., FakeServer]
) -> None:
    page.add_init_script("""
        window.heard = [];
        const { start } = OscillatorNode.prototype;
        OscillatorNode.prototype.start = function (...when) { window.heard.push("sound"); start.apply(this, when); };
        window.Notification = class {
            static requestPermission() { return Promise.resolve("granted"); }
            constructor(title, { body }) { window.heard.push([title, body]); }
        };
    """)
    server = new_server(page, [message(1, "Before", room="tea")])
    page.goto(f"{site_url}#tea")
    expect(rows(page)).to_have_count(1)
    open_room(page, "garden")
    open_settings(page)
    sound(page).check()
    notifications(page).check()
    page.keyboard.press("Escape")
    page.evaluate("window.heard = []")
    server.say(message(1, "Looked at", room="garden"))
    expect(rows(page)).to_have_count(1)
    server.say(message(2, "Psst", room="tea", name="Grace"))
    expect(page).to_have_title("(1) #garden · Chat")
    page.wait_for_function("() => window.heard.length === 2")
    assert "sound" in page.evaluate("window.heard")
    assert ["\u2068Grace\u2069 in #tea", "Psst"] in page.evaluate("window.heard")
    page.reload()
    expect(page).to_have_title("(1) #garden · Chat")
    expect(box(page)).to_be_enabled()
    assert page.evaluate("window.heard") == []


def test_after_a_reload_all_rooms_are_rejoined_and_missed_messages_counted(page: Page, server: FakeServer) -> None:
    for name in ("garden", "hall"):
        open_room(page, name)
        expect(page.get_by_role("heading", level=1)).to_have_text(f"#{name}")
        expect(page.get_by_role("heading", name="People 1")).to_be_visible()
    page.goto("about:blank")
    server.store(message(4, "Said while the page was closed", room="tea"))
    page.go_back()
    expect(rooms(page).get_by_role("link", name="tea 1 new")).to_be_visible()
    assert server.joined[-3:] == ["hall", "garden", "tea"]


def test_of_many_rooms_the_ten_most_recent_are_joined(
    page: Page, site_url: str, new_server: Callable[..., FakeServer]
) -> None:
    page.add_init_script("""
        const visited = Array.from({ length: 20 }, (_, at) => ({ room: `room-${at}`, at, last: 0, read: 0 }));
        if (location.host) localStorage["chat.rooms"] ??= JSON.stringify(visited);
    """)
    server = new_server(page)
    page.goto(f"{site_url}#room-3")
    expect(rooms(page).get_by_role("link")).to_have_count(20)
    server.say(message(1, "Hello", room="room-11"))
    expect(rooms(page).get_by_role("link", name="room-11 1 new")).to_be_visible()
    assert server.joined == ["room-3", *[f"room-{n}" for n in range(19, 10, -1)]]


def test_messages_read_in_one_tab_are_read_in_the_other(page: Page, server: FakeServer, site_url: str) -> None:
    other = page.context.new_page()
    other.goto(f"{site_url}#garden")
    expect(box(other)).to_be_enabled()
    expect(rooms(page).get_by_role("link", name="garden")).to_be_visible()
    hide_tab(other)
    server.say(message(1, "Psst", room="garden"))
    expect(rooms(page).get_by_role("link", name="garden 1 new")).to_be_visible()
    hide_tab(other, hidden=False)
    expect(rooms(page).get_by_role("link", name="garden 1 new")).to_have_count(0)
    expect(page).to_have_title("#tea · Chat")


def test_a_visited_room_can_be_left_from_the_list(page: Page, server: FakeServer) -> None:
    open_room(page, "garden")
    button(page, "Leave tea").click()
    expect(rooms(page).get_by_role("link")).to_have_text(["garden"])
    page.reload()
    expect(box(page)).to_be_enabled()
    expect(rooms(page).get_by_role("link")).to_have_text(["garden"])
    assert [frame["room"] for frame in server.sent("leave")] == ["tea"]


@pytest.mark.usefixtures("server")
def test_share_copies_the_room_link(page: Page, site_url: str) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    button(page, "Share").click()
    expect(toast(page)).to_have_text("Room link copied.")
    assert page.evaluate("navigator.clipboard.readText()") == f"{site_url}#tea"


def test_a_page_over_plain_http_shows_the_link_instead(page: Page, new_server: Callable[..., FakeServer]) -> None:
    new_server(page)
    page.goto(f"{PLAIN_SITE}#tea")
    expect(box(page)).to_be_enabled()
    button(page, "Share").click()
    expect(toast(page)).to_contain_text(f"Copy it from here: {PLAIN_SITE}#tea")


@pytest.mark.usefixtures("server")
def test_drafts_belong_to_their_room_and_survive_a_reload(page: Page) -> None:
    box(page).fill("About tea")
    open_room(page, "garden")
    expect(box(page)).to_have_value("")
    box(page).fill("About roses")
    rooms(page).get_by_role("link", name="tea").click()
    expect(box(page)).to_have_value("About tea")
    page.reload()
    expect(box(page)).to_have_value("About tea")
    expect(box(page)).to_be_enabled()
    send(page, "About tea, sent")
    expect(rows(page)).to_have_count(4)
    page.reload()
    expect(box(page)).to_have_value("")


def test_the_last_room_joined_is_the_one_shown_after_quick_switching(page: Page, server: FakeServer) -> None:
    server.store(*[message(1, f"In {name}", room=name) for name in ("one", "two", "three")])
    page.evaluate("for (const room of ['one', 'two', 'three']) location.hash = room")
    expect(rows(page)).to_contain_text(["In three"])
    expect(rows(page)).to_have_count(1)


def test_a_malformed_link_opens_no_wrong_room(
    new_page: Callable[..., Page], site_url: str, new_server: Callable[..., FakeServer]
) -> None:
    page = new_page()
    server = new_server(page)
    page.goto(f"{site_url}#%3Cb%3E%%%")
    expect(box(page)).to_be_enabled()
    assert re.fullmatch(r"[a-z0-9][a-z0-9-]{0,63}", server.joined[0])


def test_a_room_with_a_long_name_fits_a_phone(
    new_page: Callable[..., Page], site_url: str, new_server: Callable[..., FakeServer]
) -> None:
    page = new_page(is_mobile=True, has_touch=True, viewport={"width": 360, "height": 740})
    new_server(page)
    page.goto(f"{site_url}#a-room-with-quite-a-long-name")
    expect(box(page)).to_be_enabled()
    for control in ("Send", "1 here"):
        place = button(page, control).bounding_box()
        assert place is not None
        assert place["x"] + place["width"] <= 360, f"{control} ends beyond the screen"
