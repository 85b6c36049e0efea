"""What axe finds in each state of the page, and what a keyboard alone can do."""

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.controls import box, button, hide_tab, log, rows, send, status, url_field
from tests.browser.fake_server import FakeServer, Frame, conversation, message

pytestmark = pytest.mark.browser
AXE = Axe()


def assert_accessible(page: Page) -> None:
    results = AXE.run(page)
    assert results.violations_count == 0, results.generate_report()


def refuse(server: FakeServer) -> Callable[[Frame], bool]:
    def answer(frame: Frame) -> bool:
        if frame["action"] != "sendmessage":
            return False
        error = {"code": "bad_request", "error": "That is not allowed here"}
        server.say({"type": "error", "messageId": frame["messageId"], **error})
        return True

    return answer


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1440])
def test_axe_finds_nothing_in_an_empty_a_busy_and_a_failing_room(
    new_page: Callable[..., Page], site_url: str, scheme: str, width: int
) -> None:
    page = new_page(name=None, color_scheme=scheme, viewport={"width": width, "height": 740})
    server = FakeServer(page)
    page.goto(site_url)
    expect(page.get_by_text("Nothing said here yet")).to_be_visible()
    assert_accessible(page)

    for frame in conversation(8):
        server.say(frame)
    server.say({"type": "typing", "room": "lobby", "connectionId": "ada", "name": "Ada"})
    hide_tab(page)
    server.say(message(9, "See https://example.com/ while you are away"))
    expect(page).to_have_title("(1) #lobby · Chat")
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
def test_axe_finds_nothing_in_the_drawers_of_a_phone(new_page: Callable[..., Page], site_url: str, scheme: str) -> None:
    page = new_page(color_scheme=scheme, viewport={"width": 360, "height": 740})
    FakeServer(page, conversation(3))
    page.goto(site_url)
    expect(rows(page)).to_have_count(3)
    button(page, "Rooms").click()
    page.get_by_label("Open a room").fill("!!!")
    page.keyboard.press("Enter")
    assert_accessible(page)
    page.keyboard.press("Escape")
    button(page, "1 here").click()
    assert_accessible(page)
    button(page, "Change my name").click()
    page.get_by_label("Your name").fill("")
    page.keyboard.press("Enter")
    assert_accessible(page)
    button(page, "Server").click()
    button(page, "Disconnect").click()
    url_field(page).fill("https://example.com")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert").filter(has_text="must begin with wss://")).to_be_visible()
    assert_accessible(page)


def test_everything_can_be_reached_by_the_tab_key_and_shows_its_focus(page: Page, site_url: str) -> None:
    FakeServer(page, conversation(3))
    page.goto(site_url)
    expect(box(page)).to_be_focused()
    reached, unseen = [], []
    for _ in range(20):
        page.keyboard.press("Tab")
        name, outline = page.evaluate("""() => {
            const at = document.activeElement;
            const style = getComputedStyle(at);
            const name = at === document.body ? "" : at.id || at.textContent.trim();
            return [name, style.outlineStyle === "none" ? "" : style.outlineWidth];
        }""")
        reached.append(name)
        if not outline and name not in {"sound", "notify", ""}:
            unseen.append(name)
    assert {"disconnect", "newRoom", "sound", "notify", "share", "log", "rename", "message", "send"} <= set(reached)
    assert unseen == []


def test_a_drawer_opens_and_closes_by_keyboard_and_gives_the_focus_back(
    new_page: Callable[..., Page], site_url: str
) -> None:
    page = new_page(viewport={"width": 360, "height": 740})
    FakeServer(page)
    page.goto(site_url)
    expect(box(page)).to_be_enabled()
    button(page, "Rooms").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Open a room")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_label("Open a room")).to_be_hidden()
    expect(button(page, "Rooms")).to_be_focused()


def test_the_conversation_can_be_scrolled_by_keyboard(page: Page, site_url: str) -> None:
    FakeServer(page, conversation(50))
    page.goto(site_url)
    expect(rows(page)).to_have_count(50)
    log(page).focus()
    page.keyboard.press("Home")
    expect(rows(page).first).to_be_in_viewport()


def test_a_list_of_rooms_that_changes_keeps_the_focus(page: Page, site_url: str) -> None:
    server = FakeServer(page)
    page.goto(site_url)
    expect(status(page)).to_have_text("Connected")
    link = page.get_by_role("navigation", name="Rooms").get_by_role("link", name="lobby")
    link.focus()
    page.evaluate("Object.defineProperty(document, 'hidden', { value: true, configurable: true })")
    server.say(message(1, "News"))
    expect(page.get_by_role("link", name="lobby 1 new")).to_be_focused()


def test_a_page_without_a_server_shows_its_field_on_a_phone_too(new_page: Callable[..., Page], site_url: str) -> None:
    page = new_page(viewport={"width": 360, "height": 740})
    page.route("**/config.json", lambda route: route.fulfill(status=200, json={}))
    page.goto(site_url)
    expect(url_field(page)).to_be_focused()
    expect(page.get_by_role("alert").filter(has_text="enter the WebSocket URL")).to_be_visible()
