"""Rooms: the address, the list of those visited, unread marks, switching, drafts."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.controls import box, button, log, rows, send
from tests.browser.fake_server import FakeServer, conversation, message

pytestmark = pytest.mark.browser


def rooms(page: Page) -> Locator:
    return page.get_by_role("navigation", name="Rooms")


@pytest.fixture
def server(page: Page, site_url: str) -> FakeServer:
    made = FakeServer(page, conversation(3, room="tea"), room="tea")
    page.goto(f"{site_url}#tea")
    expect(rows(page)).to_have_count(3)
    return made


def test_the_room_comes_from_the_address(page: Page, server: FakeServer) -> None:
    expect(page.get_by_role("heading", level=1)).to_have_text("#tea")
    expect(page).to_have_title("#tea · Chat")
    assert server.sent("join")[0]["room"] == "tea"


def test_a_room_is_made_by_typing_its_name(page: Page, server: FakeServer) -> None:
    page.evaluate("window.sameDocument = true")
    page.get_by_label("Open a room").fill("  Café & Garden! ")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("#cafe-garden")
    expect(page).to_have_url(re.compile("#cafe-garden$"))
    expect(rooms(page).get_by_role("link")).to_have_text(["tea", "cafe-garden"])
    expect(rooms(page).get_by_role("link", name="cafe-garden")).to_have_attribute("aria-current", "page")
    expect(rows(page)).to_have_count(0)
    expect(page.get_by_text("Nothing said here yet")).to_be_visible()
    assert page.evaluate("window.sameDocument")
    assert server.room == "cafe-garden"


def test_a_name_that_no_room_can_have_is_refused_at_its_field(page: Page, server: FakeServer) -> None:
    page.get_by_label("Open a room").fill("!!!")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert").filter(has_text="needs letters")).to_be_visible()
    assert server.room == "tea"


def test_switching_goes_by_link_and_by_the_back_button(page: Page, server: FakeServer) -> None:
    server.rooms["garden"] = [message(1, "Roses", room="garden")]
    page.get_by_label("Open a room").fill("garden")
    page.keyboard.press("Enter")
    expect(rows(page)).to_contain_text(["Roses"])
    rooms(page).get_by_role("link", name="tea").click()
    expect(rows(page)).to_have_count(3)
    page.go_back()
    expect(rows(page)).to_contain_text(["Roses"])
    expect(rows(page)).to_have_count(1)


def test_what_came_since_the_last_visit_stands_below_a_line(page: Page, server: FakeServer) -> None:
    page.get_by_label("Open a room").fill("garden")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Nothing said here yet")).to_be_visible()
    server.rooms["tea"].append(message(4, "Said meanwhile", room="tea"))
    rooms(page).get_by_role("link", name="tea").click()
    expect(rows(page)).to_have_count(4)
    expect(rows(page).last).to_contain_text("New")
    expect(log(page).get_by_text("New", exact=True)).to_have_count(1)


def test_another_tab_of_the_same_browser_marks_its_room_as_unread(
    page: Page, server: FakeServer, site_url: str
) -> None:
    other = page.context.new_page()
    garden = FakeServer(other, room="garden")
    other.goto(f"{site_url}#garden")
    expect(box(other)).to_be_enabled()
    expect(rooms(page).get_by_role("link", name="garden")).to_be_visible()
    other.evaluate("""() => {
        Object.defineProperty(document, "hidden", { value: true, configurable: true });
        document.dispatchEvent(new Event("visibilitychange"));
    }""")
    garden.say(message(1, "Psst", room="garden"))
    garden.say(message(2, "Over here", room="garden"))
    expect(rooms(page).get_by_role("link", name="garden 2 new")).to_be_visible()
    assert server.room == "tea"


def test_a_visited_room_can_be_forgotten(page: Page, server: FakeServer) -> None:
    page.get_by_label("Open a room").fill("garden")
    page.keyboard.press("Enter")
    button(page, "Forget tea").click()
    expect(rooms(page).get_by_role("link")).to_have_text(["garden"])
    page.reload()
    expect(box(page)).to_be_enabled()
    expect(rooms(page).get_by_role("link")).to_have_text(["garden"])
    assert server.room == "garden"


def test_share_copies_the_room_s_address(page: Page, server: FakeServer, site_url: str) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    button(page, "Share").click()
    expect(log(page)).to_contain_text("This room's address is copied")
    assert page.evaluate("navigator.clipboard.readText()") == f"{site_url}#tea"
    assert server.room == "tea"


def test_where_nothing_can_be_copied_the_address_is_said(page: Page, server: FakeServer, site_url: str) -> None:
    page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(new Error('not here')) }")
    button(page, "Share").click()
    expect(log(page)).to_contain_text(f"{site_url}#tea")
    assert server.room == "tea"


def test_drafts_belong_to_their_room_and_survive_a_reload(page: Page, server: FakeServer) -> None:
    box(page).fill("About tea")
    page.get_by_label("Open a room").fill("garden")
    page.keyboard.press("Enter")
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
    assert server.room == "tea"


def test_the_last_room_joined_is_the_one_shown_after_quick_switching(page: Page, server: FakeServer) -> None:
    for name in ("one", "two", "three"):
        server.rooms[name] = [message(1, f"In {name}", room=name)]
    page.evaluate("for (const room of ['one', 'two', 'three']) location.hash = room")
    expect(rows(page)).to_contain_text(["In three"])
    expect(rows(page)).to_have_count(1)


def test_a_stranger_s_address_makes_no_wrong_room(new_page: Callable[..., Page], site_url: str) -> None:
    page = new_page()
    server = FakeServer(page)
    page.goto(f"{site_url}#%3Cb%3E%%%")
    expect(box(page)).to_be_enabled()
    assert re.fullmatch(r"[a-z0-9][a-z0-9-]{0,63}", server.room)


def test_a_room_with_a_long_name_fits_a_phone(new_page: Callable[..., Page], site_url: str) -> None:
    page = new_page(is_mobile=True, has_touch=True, viewport={"width": 360, "height": 740})
    FakeServer(page)
    page.goto(f"{site_url}#a-room-with-quite-a-long-name")
    expect(box(page)).to_be_enabled()
    for control in ("Send", "1 here"):
        place = button(page, control).bounding_box()
        assert place is not None
        assert place["x"] + place["width"] <= 360, f"{control} ends beyond the screen"
