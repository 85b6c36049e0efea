"""Message links, which open a window onto the history, and the menu of a message."""

import json
import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.controls import box, button, log, rows, scroll_up, status
from tests.browser.fake_server import FakeServer, Frame, conversation, message

pytestmark = pytest.mark.browser
PAST = 600


def row(page: Page, seq: int) -> Locator:
    """Return the row of a message from `conversation`."""
    return rows(page).filter(has_text=re.compile(rf"Line {seq}(?!\d)"))


def shown(page: Page) -> list[int]:
    """Return the numbers of the shown messages, in order."""
    return [int(re.findall(r"Line (\d+)", text)[0]) for text in rows(page).all_text_contents() if "Line " in text]


def read_up_to(page: Page, read: int, last: int) -> None:
    rooms = json.dumps([{"room": "lobby", "at": 1, "last": last, "read": read}])
    page.add_init_script(f"if (location.host) localStorage['chat.rooms'] ??= JSON.stringify({rooms})")


@pytest.fixture
def server(page: Page, new_server: Callable[..., FakeServer]) -> FakeServer:
    return new_server(page, conversation(PAST))


def scroll_down(page: Page) -> None:
    log(page).evaluate("log => { log.scrollTop = log.scrollHeight }")


def test_the_time_of_a_message_links_to_it(page: Page, server: FakeServer, site_url: str) -> None:
    page.goto(site_url)
    link = row(page, 580).get_by_role("link")
    expect(link).to_have_attribute("href", "#lobby/580")
    row(page, 580).hover()
    link.click()
    expect(page).to_have_url(f"{site_url}#lobby/580")
    expect(row(page, 580)).to_be_focused()
    expect(row(page, 580)).to_have_css("position", "relative")
    assert highlighted(page) == [580]
    assert server.sent("history") == []


def highlighted(page: Page) -> list[int]:
    """Return the numbers of the highlighted messages."""
    found = rows(page).evaluate_all(
        "rows => rows.filter(row => getComputedStyle(row, '::before').content !== 'none').map(row => row.textContent)"
    )
    return [int(re.findall(r"Line (\d+)", text)[0]) for text in found]


def test_a_message_link_opens_there_and_marks_only_seen_messages_as_read(
    page: Page, server: FakeServer, site_url: str
) -> None:
    read_up_to(page, 590, PAST)
    held: list[Frame] = []
    server.answers = lambda frame: frame["action"] == "history" and not held.append(frame)
    page.goto(f"{site_url}#lobby/40")
    expect(status(page)).to_have_text("Connected")
    expect(page).to_have_title("(10) #lobby · Chat")
    page.wait_for_function("() => document.querySelectorAll('[role=log] article').length > 0")
    server.answers = lambda _frame: False
    for frame in held:
        server.answer(frame)
    expect(row(page, 40)).to_be_in_viewport()
    expect(row(page, 40)).to_be_focused()
    assert highlighted(page) == [40]
    expect(page).to_have_title("(10) #lobby · Chat")
    page.reload()
    expect(row(page, 40)).to_be_in_viewport()
    expect(page).to_have_title("(10) #lobby · Chat")


@pytest.mark.usefixtures("server")
def test_a_message_of_the_newest_page_opens_without_reading_those_after_it(page: Page, site_url: str) -> None:
    read_up_to(page, 595, PAST)
    page.goto(f"{site_url}#lobby/560")
    expect(row(page, 560)).to_be_in_viewport()
    expect(row(page, 560)).to_be_focused()
    expect(page).to_have_title("(5) #lobby · Chat")


def test_the_window_grows_at_both_ends_and_reaches_the_newest_without_duplicates(
    page: Page, server: FakeServer, site_url: str
) -> None:
    page.goto(f"{site_url}#lobby/100")
    expect(row(page, 100)).to_be_in_viewport()
    first, last = shown(page)[0], shown(page)[-1]
    assert last < 200
    scroll_up(page)
    expect(row(page, first - 1)).to_have_count(1)
    for _ in range(40):
        last = shown(page)[-1]
        if last == PAST:
            break
        scroll_down(page)
        page.wait_for_function(
            "last => !document.querySelector('[role=log] article:last-of-type').textContent.includes(`Line ${last}`)",
            arg=last,
        )
    seqs = shown(page)
    assert seqs == list(range(seqs[0], PAST + 1))
    scroll_down(page)
    expect(button(page, "Jump to newest ↓")).to_be_hidden()
    server.say(message(PAST + 1, "Live again"))
    expect(rows(page).last).to_contain_text("Live again")
    expect(rows(page).last).to_be_in_viewport()


def test_reaching_the_live_messages_does_not_scroll(page: Page, server: FakeServer, site_url: str) -> None:
    page.goto(f"{site_url}#lobby/500")
    expect(row(page, 500)).to_be_in_viewport()
    held: list[Frame] = []
    server.answers = lambda frame: frame["action"] == "history" and not held.append(frame)
    last = shown(page)[-1]
    scroll_down(page)
    while not held:
        page.evaluate("() => new Promise(requestAnimationFrame)")
    top = row(page, last).bounding_box()
    server.answers = lambda _frame: False
    server.answer(held[0])
    expect(row(page, last + 1)).to_have_count(1)
    expect(row(page, PAST)).to_have_count(1)
    assert row(page, last).bounding_box() == top


def test_live_messages_do_not_enter_the_window_and_are_not_lost(page: Page, server: FakeServer, site_url: str) -> None:
    page.goto(f"{site_url}#lobby/100")
    expect(row(page, 100)).to_be_in_viewport()
    server.say(message(PAST + 1, "While reading the past"), message(PAST + 2, "And more"))
    expect(page).to_have_title("(2) #lobby · Chat")
    expect(rows(page).filter(has_text="While reading")).to_have_count(0)
    button(page, "Jump to newest ↓").click()
    expect(rows(page).filter(has_text="While reading")).to_be_in_viewport()
    expect(rows(page).filter(has_text="While reading")).to_contain_text("New")
    expect(row(page, 100)).to_have_count(0)
    expect(page).to_have_title("#lobby · Chat")
    expect(page).to_have_url(f"{site_url}#lobby")


def test_a_link_still_works_after_a_jump_to_the_newest(page: Page, server: FakeServer, site_url: str) -> None:
    server.say(message(PAST + 1, "See the notes"))
    page.goto(f"{site_url}#lobby/590")
    expect(row(page, 590)).to_be_focused()
    log(page).evaluate("log => { log.scrollTop = 0 }")
    link = row(page, 590).get_by_role("link")
    link.evaluate("link => link.click()")
    expect(row(page, 590)).to_be_in_viewport()
    page.keyboard.press("Escape")
    expect(page).to_have_url(f"{site_url}#lobby")
    expect(box(page)).to_be_focused()
    expect(rows(page).last).to_be_in_viewport()
    assert highlighted(page) == []


@pytest.mark.parametrize("address", ["#lobby/9999", "#lobby/601"])
def test_a_missing_message_is_reported(page: Page, server: FakeServer, site_url: str, address: str) -> None:
    page.goto(site_url + address)
    expect(page.get_by_text("This message has expired or never existed.")).to_be_visible()
    expect(row(page, PAST)).to_be_in_viewport()
    expect(page).to_have_title("#lobby · Chat")
    assert server.sent("history")


def test_an_expired_message_leads_to_the_next_one(
    new_page: Callable[..., Page], new_server: Callable[..., FakeServer], site_url: str
) -> None:
    page = new_page()
    new_server(page, conversation(PAST)[100:])
    page.goto(f"{site_url}#lobby/12")
    expect(page.get_by_text("This message has expired. Showing the next one.")).to_be_visible()
    expect(row(page, 101)).to_be_focused()


@pytest.mark.usefixtures("server")
def test_a_link_without_a_valid_message_says_so(page: Page, site_url: str) -> None:
    page.goto(site_url)
    expect(row(page, PAST)).to_be_in_viewport()
    page.evaluate("location.hash = 'lobby/twelve'")
    expect(page.get_by_text("There is no message “twelve”.")).to_be_visible()
    expect(row(page, PAST)).to_be_in_viewport()


@pytest.mark.usefixtures("server")
def test_the_back_button_leaves_the_message(page: Page, site_url: str) -> None:
    page.goto(f"{site_url}#lobby")
    expect(row(page, PAST)).to_be_in_viewport()
    page.evaluate("location.hash = 'lobby/100'")
    expect(row(page, 100)).to_be_focused()
    page.evaluate("location.hash = 'lobby/300'")
    expect(row(page, 300)).to_be_focused()
    page.go_back()
    expect(row(page, 100)).to_be_focused()
    page.go_back()
    expect(row(page, PAST)).to_be_in_viewport()
    expect(button(page, "Jump to newest ↓")).to_be_hidden()


def test_a_jump_does_not_take_the_focus_from_a_writer(page: Page, server: FakeServer, site_url: str) -> None:
    held: list[Frame] = []
    server.answers = lambda frame: frame["action"] == "history" and not held.append(frame)
    page.goto(f"{site_url}#lobby/100")
    expect(box(page)).to_be_focused()
    box(page).press_sequentially("Half a sen")
    server.answers = lambda _frame: False
    for frame in held:
        server.answer(frame)
    expect(row(page, 100)).to_be_in_viewport()
    expect(box(page)).to_be_focused()


def test_a_superseded_opening_changes_nothing(page: Page, server: FakeServer, site_url: str) -> None:
    page.goto(site_url)
    expect(row(page, PAST)).to_be_in_viewport()
    held: list[Frame] = []
    server.answers = lambda frame: frame["action"] == "history" and not held.append(frame)
    page.evaluate("location.hash = 'lobby/100'")
    page.wait_for_function("() => location.hash === '#lobby/100'")
    page.keyboard.press("Escape")
    expect(page).to_have_url(f"{site_url}#lobby")
    server.answers = lambda _frame: False
    for frame in held:
        server.answer(frame)
    server.say(message(PAST + 1, "Still here"))
    expect(rows(page).last).to_contain_text("Still here")
    expect(rows(page).last).to_be_in_viewport()
    expect(row(page, 100)).to_have_count(0)


def open_menu(page: Page, text: str) -> None:
    target = rows(page).filter(has_text=text)
    target.hover()
    target.get_by_role("button", name="Message menu").click()


def test_the_menu_of_a_message_copies_its_text_and_its_link(
    new_page: Callable[..., Page], new_server: Callable[..., FakeServer], site_url: str
) -> None:
    page = new_page(permissions=["clipboard-read", "clipboard-write"])
    new_server(page, [message(1, "First"), message(2, "> quoted\n`code` & <b>more</b>", name="Grace")])
    page.goto(site_url)
    open_menu(page, "quoted")
    button(page, "Copy text").click()
    expect(page.get_by_text("Text copied.")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == "> quoted\n`code` & <b>more</b>"
    open_menu(page, "quoted")
    button(page, "Copy link").click()
    expect(page.get_by_text("Message link copied.")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == f"{site_url}#lobby/2"


def test_mention_inserts_the_name_as_a_word(page: Page, new_server: Callable[..., FakeServer], site_url: str) -> None:
    new_server(page, [message(1, "First", name="Grace Hopper")])
    page.goto(site_url)
    expect(box(page)).to_be_enabled()
    box(page).press_sequentially("Thanks")
    open_menu(page, "First")
    button(page, "Mention").click()
    expect(box(page)).to_have_value("Thanks @Grace Hopper ")
    expect(box(page)).to_be_focused()
    page.keyboard.type("!")
    expect(box(page)).to_have_value("Thanks @Grace Hopper !")


def test_an_own_message_offers_no_mention_and_an_unsent_one_no_link(
    page: Page, new_server: Callable[..., FakeServer], site_url: str
) -> None:
    server = new_server(page)
    page.goto(site_url)
    expect(box(page)).to_be_enabled()
    server.answers = lambda frame: frame["action"] == "sendmessage"
    box(page).fill("On its way")
    box(page).press("Enter")
    open_menu(page, "On its way")
    expect(button(page, "Copy text")).to_be_focused()
    expect(button(page, "Copy link")).to_be_hidden()
    expect(button(page, "Mention")).to_be_hidden()
    page.keyboard.press("Escape")
    expect(button(page, "Copy text")).to_be_hidden()
