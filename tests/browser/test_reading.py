"""Reading: following the end, scrolled up, in another tab; and the rows in the DOM."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.controls import (
    assert_icon,
    below_view,
    box,
    button,
    hide_tab,
    log,
    rows,
    scroll_top,
    scroll_up,
    send,
)
from tests.browser.fake_server import FakeServer, Frame, conversation, message

pytestmark = pytest.mark.browser
MAX_ROWS = 400
SPOKEN = """
    window.spoken = 0;
    addEventListener("DOMContentLoaded", () => {
        const log = document.querySelector("[role=log]");
        new MutationObserver(changes => changes.forEach(({ addedNodes }) => {
            const rows = [...addedNodes].filter(each => each.matches("article"));
            if (log.ariaLive !== "off") window.spoken += rows.length;
        })).observe(log, { childList: true });
    });
"""


@pytest.fixture
def server(page: Page, site_url: str, new_server: Callable[..., FakeServer]) -> FakeServer:
    """Return a server whose room has 300 messages."""
    made = new_server(page, conversation(300))
    page.goto(site_url)
    expect(rows(page)).to_have_count(50)
    return made


def test_the_newest_message_is_in_view_and_stays_so(page: Page, server: FakeServer) -> None:
    expect(rows(page).last).to_be_in_viewport()
    server.say(message(301, "News"))
    expect(rows(page).filter(has_text="News")).to_be_in_viewport()
    expect(button(page, "Jump to newest ↓")).to_be_hidden()


def test_a_reader_who_scrolled_up_stays_there_and_sees_the_unread_count(page: Page, server: FakeServer) -> None:
    page.evaluate("document.querySelector('[role=log]').scrollTop -= 900")
    expect(button(page, "Jump to newest ↓")).to_be_visible()
    before = scroll_top(page)
    server.say(message(301, "News one"))
    server.say(message(302, "News two"))
    jump = button(page, "2 new ↓")
    expect(jump).to_be_visible()
    assert scroll_top(page) == before
    expect(page).to_have_title("(2) #lobby · Chat")
    jump.click()
    expect(rows(page).filter(has_text="News two")).to_be_in_viewport()
    expect(rows(page).filter(has_text="News one")).to_contain_text("New")
    expect(jump).to_be_hidden()
    expect(page).to_have_title("#lobby · Chat")


def test_older_history_loads_on_scroll_without_a_jump(page: Page, server: FakeServer) -> None:
    first = rows(page).first
    expect(first).to_contain_text("Line 251")
    scroll_up(page)
    line = rows(page).filter(has_text="Line 251")
    expect(rows(page)).to_have_count(100)
    expect(line).to_be_in_viewport()
    for _ in range(8):
        scroll_up(page)
        page.wait_for_function(
            "() => document.querySelector('[role=log]').scrollTop > 0 || "
            "document.querySelector('[role=log]').dataset.state === 'beginning'"
        )
    expect(rows(page).first).to_contain_text("Line 1 ")
    expect(rows(page)).to_have_count(300)
    shown = rows(page).all_text_contents()
    assert [text.split("Line ")[1].strip() for text in shown] == [str(n) for n in range(1, 301)]


def test_at_most_400_rows_exist_and_older_ones_return(page: Page, server: FakeServer) -> None:
    server.say(*[message(seq, f"Line {seq}") for seq in range(301, 901)])
    expect(rows(page).last).to_contain_text("Line 900")
    assert log(page).evaluate("log => log.children.length") <= MAX_ROWS
    expect(rows(page).filter(has_text="Line 260")).to_have_count(0)
    for _ in range(30):
        if rows(page).filter(has_text="Line 252").count():
            break
        before = rows(page).first.get_attribute("data-id")
        scroll_up(page)
        page.wait_for_function("key => document.querySelector('[role=log] article').dataset.id !== key", arg=before)
        assert log(page).evaluate("log => log.children.length") <= MAX_ROWS
    expect(rows(page).filter(has_text="Line 252")).to_have_count(1)
    page.get_by_role("button", name=re.compile("↓$")).click()
    expect(rows(page).last).to_contain_text("Line 900")
    assert log(page).evaluate("log => log.children.length") <= MAX_ROWS
    assert below_view(page) < 2


def test_scrolling_down_again_restores_removed_rows(page: Page, server: FakeServer) -> None:
    server.say(*[message(seq, f"Line {seq}") for seq in range(301, 751)])
    expect(rows(page).last).to_contain_text("Line 750")
    for _ in range(4):
        before = rows(page).first.get_attribute("data-id")
        scroll_up(page)
        page.wait_for_function("key => document.querySelector('[role=log] article').dataset.id !== key", arg=before)
    expect(rows(page).filter(has_text="Line 750")).to_have_count(0)
    for _ in range(10):
        if rows(page).filter(has_text="Line 750").count():
            break
        before = rows(page).last.get_attribute("data-id")
        page.evaluate("document.querySelector('[role=log]').scrollTop = 1e9")
        page.wait_for_function(
            "key => [...document.querySelectorAll('[role=log] article')].at(-1).dataset.id !== key", arg=before
        )
    expect(rows(page).last).to_contain_text("Line 750")


def test_a_hidden_tab_shows_unread_messages_in_title_and_favicon_and_a_line(page: Page, server: FakeServer) -> None:
    hide_tab(page)
    server.say(message(301, "While away"))
    server.say(message(302, "While still away"))
    expect(page).to_have_title("(2) #lobby · Chat")
    assert_icon(page, "icon-unread.svg")
    hide_tab(page, hidden=False)
    expect(page).to_have_title("#lobby · Chat")
    assert_icon(page, "icon.svg")
    expect(rows(page).filter(has_text="While away")).to_contain_text("New")
    expect(log(page).get_by_text("New", exact=True)).to_have_count(1)
    send(page, "I have read it")
    expect(log(page).get_by_text("New", exact=True)).to_have_count(0)


def came_back(page: Page, site_url: str, new_server: Callable[..., FakeServer], *, read: int, last: int) -> FakeServer:
    """Open a room that was read up to a seq and has newer messages."""
    page.add_init_script(f"""
        const rooms = [{{ room: "lobby", at: 1, last: {read}, read: {read} }}];
        if (location.host) localStorage["chat.rooms"] ??= JSON.stringify(rooms);
    """)
    made = new_server(page, conversation(last))
    page.goto(site_url)
    expect(box(page)).to_be_enabled()
    return made


def test_a_room_opens_at_its_first_unread_message(
    page: Page, site_url: str, new_server: Callable[..., FakeServer]
) -> None:
    came_back(page, site_url, new_server, read=70, last=100)
    expect(rows(page).filter(has_text="Line 71")).to_be_in_viewport()
    expect(rows(page).filter(has_text="Line 71")).to_contain_text("New")
    expect(rows(page).last).not_to_be_in_viewport()
    expect(page).to_have_title(re.compile(r"^\(\d+\) "))
    page.mouse.move(640, 300)
    for _ in range(20):
        page.mouse.wheel(0, 150)
        page.evaluate("() => new Promise(requestAnimationFrame)")
    expect(page).to_have_title("#lobby · Chat")


def test_195_unread_messages_are_offered_and_not_marked_as_read(
    page: Page, site_url: str, new_server: Callable[..., FakeServer]
) -> None:
    came_back(page, site_url, new_server, read=5, last=200)
    expect(rows(page).last).to_be_in_viewport()
    expect(page).to_have_title("(195) #lobby · Chat")
    expect(log(page).get_by_text("New", exact=True)).to_have_count(0)
    button(page, "195 new ↑").click()
    expect(rows(page).filter(has_text=re.compile(r"Line 6\s*$"))).to_be_in_viewport()
    expect(rows(page).filter(has_text=re.compile(r"Line 6\s*$"))).to_contain_text("New")
    expect(page).to_have_title(re.compile(r"^\(1[78]\d\) "))
    page.reload()
    button(page, "Mark as read").click()
    expect(page).to_have_title("#lobby · Chat")
    expect(button(page, "Mark as read")).to_be_hidden()


def test_a_visible_window_without_focus_marks_nothing_as_read(page: Page, server: FakeServer) -> None:
    page.evaluate("document.hasFocus = () => false; dispatchEvent(new Event('blur'))")
    server.say(*[message(seq, f"Line {seq}") for seq in (301, 302, 303)])
    expect(page).to_have_title("(3) #lobby · Chat")
    expect(rows(page).filter(has_text="Line 301")).to_contain_text("New")
    page.evaluate("document.hasFocus = () => true; dispatchEvent(new Event('focus'))")
    expect(page).to_have_title("#lobby · Chat")


def test_sending_goes_to_the_newest(page: Page, server: FakeServer) -> None:
    scroll_up(page)
    expect(button(page, "Jump to newest ↓")).to_be_visible()
    send(page, "Here I am")
    expect(rows(page).filter(has_text="Here I am")).to_be_in_viewport()
    assert server.sent("sendmessage")


@pytest.mark.usefixtures("server")
def test_a_growing_composer_does_not_hide_the_newest_row(page: Page) -> None:
    expect(rows(page).last).to_be_in_viewport()
    box(page).fill("\n".join("one more line" for _ in range(12)))
    expect(rows(page).last).to_be_in_viewport(ratio=0.9)


def test_a_slow_join_does_not_read_history_aloud(
    page: Page, site_url: str, new_server: Callable[..., FakeServer]
) -> None:
    server = new_server(page, conversation(34))
    held: list[Frame] = []
    server.answers = lambda frame: frame["action"] == "join" and not held and not held.append(frame)
    page.add_init_script(SPOKEN)
    page.goto(site_url)
    page.wait_for_function("() => performance.now() > 1500")
    server.answer(held[0])
    expect(rows(page)).to_have_count(34)
    expect(log(page)).to_have_attribute("aria-live", "polite")
    assert page.evaluate("window.spoken") == 0
    server.say(message(35, "News"))
    expect(rows(page)).to_have_count(35)
    assert page.evaluate("window.spoken") == 1


def test_older_rows_are_not_read_aloud(page: Page, server: FakeServer) -> None:
    expect(log(page)).to_have_attribute("aria-live", "polite")
    page.evaluate("""() => {
        const log = document.querySelector('[role=log]');
        window.spoken = 0;
        new MutationObserver(changes => changes.forEach(({ addedNodes }) => {
            if (log.ariaLive === 'polite') window.spoken += addedNodes.length;
        })).observe(log, { childList: true });
    }""")
    scroll_up(page)
    expect(rows(page)).to_have_count(100)
    assert page.evaluate("window.spoken") == 0
    expect(log(page)).to_have_attribute("aria-live", "polite")
    assert server.sent("history")
