"""Keyboard shortcuts, moving through the conversation, and when shortcuts are disabled."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.controls import below_view, box, button, log, rows, scroll_up, send
from tests.browser.fake_server import FakeServer, conversation, message

pytestmark = pytest.mark.browser
ROOMS = ["alpha", "beta", "gamma", "lobby"]


@pytest.fixture
def server(page: Page, site_url: str, new_server: Callable[..., FakeServer]) -> FakeServer:
    """Return a server for a page that has visited four rooms, the lobby last."""
    seqs = {room: 60 if room == "lobby" else 0 for room in ROOMS}
    visited = json.dumps(
        [{"room": room, "at": n, "last": seq, "read": seq} for n, (room, seq) in enumerate(seqs.items())]
    )
    page.add_init_script(f"if (location.host) localStorage['chat.rooms'] ??= JSON.stringify({visited})")
    made = new_server(page, conversation(60))
    page.goto(site_url)
    expect(rows(page).last).to_contain_text("Line 60")
    expect(box(page)).to_be_focused()
    return made


def heading(page: Page) -> Locator:
    return page.get_by_role("heading", level=1)


def switcher(page: Page) -> Locator:
    return page.get_by_role("dialog", name="Go to a room")


@pytest.mark.usefixtures("server")
def test_control_k_goes_to_a_room_by_its_first_letters(page: Page) -> None:
    page.keyboard.press("Control+k")
    field = switcher(page).get_by_role("combobox", name="Room")
    options = switcher(page).get_by_role("option")
    expect(field).to_be_focused()
    expect(options).to_have_count(4)
    field.press_sequentially("a")
    expect(options.filter(has_text="#alpha")).to_have_count(1)
    field.fill("ga")
    expect(options.first).to_contain_text("#gamma")
    page.keyboard.press("Enter")
    expect(heading(page)).to_have_text("#gamma")
    expect(switcher(page)).to_be_hidden()
    expect(box(page)).to_be_focused()


@pytest.mark.usefixtures("server")
def test_arrows_choose_in_the_switcher_and_set_the_active_descendant(page: Page) -> None:
    page.keyboard.press("Control+k")
    field = switcher(page).get_by_role("combobox", name="Room")
    expect(field).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    active = page.locator(f"#{field.get_attribute('aria-activedescendant')}")
    expect(active).to_have_attribute("aria-selected", "true")
    name = str(active.locator("bdi").text_content())
    page.keyboard.press("Enter")
    expect(heading(page)).to_have_text(name)


@pytest.mark.usefixtures("server")
def test_the_switcher_opens_a_new_room_and_escape_changes_nothing(page: Page) -> None:
    box(page).press_sequentially("A draft")
    page.keyboard.press("Control+k")
    expect(switcher(page)).to_be_visible()
    page.keyboard.type("be")
    page.keyboard.press("Escape")
    expect(switcher(page)).to_be_hidden()
    expect(heading(page)).to_have_text("#lobby")
    expect(box(page)).to_be_focused()
    page.keyboard.press("Control+k")
    expect(switcher(page)).to_be_visible()
    page.keyboard.type("Tea Time")
    page.keyboard.press("Enter")
    expect(heading(page)).to_have_text("#tea-time")


@pytest.mark.usefixtures("server")
def test_input_method_keys_choose_nothing_in_the_switcher(page: Page) -> None:
    page.keyboard.press("Control+k")
    field = switcher(page).get_by_role("combobox", name="Room")
    for fields in ("isComposing: true", "keyCode: 229"):
        field.evaluate(
            f"each => each.dispatchEvent(new KeyboardEvent('keydown', {{ key: 'Enter', bubbles: true, {fields} }}))"
        )
    expect(switcher(page)).to_be_visible()


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize("key", ["Alt+ArrowDown", "Alt+ArrowUp"])
def test_alt_and_an_arrow_step_through_all_rooms(page: Page, key: str) -> None:
    seen = []
    for _ in ROOMS:
        before = heading(page).text_content()
        page.keyboard.press(key)
        expect(heading(page)).not_to_have_text(str(before))
        seen.append(heading(page).text_content())
    assert sorted(map(str, seen)) == [f"#{room}" for room in ROOMS]
    assert seen[-1] == "#lobby"


def test_alt_shift_and_an_arrow_go_to_unread_rooms_only(page: Page, server: FakeServer) -> None:
    server.say(message(1, "News", room="beta"))
    expect(page.get_by_role("link", name="beta 1 new")).to_be_visible()
    page.keyboard.press("Alt+Shift+ArrowDown")
    expect(heading(page)).to_have_text("#beta")
    expect(rows(page)).to_have_count(1)
    expect(page).to_have_title("#beta · Chat")
    page.keyboard.press("Alt+Shift+ArrowUp")
    page.evaluate("() => new Promise(requestAnimationFrame)")
    expect(heading(page)).to_have_text("#beta")


def test_up_in_an_empty_box_goes_to_the_last_own_message(page: Page, server: FakeServer) -> None:
    send(page, "Mine")
    expect(rows(page).filter(has_text="Mine")).to_have_count(1)
    server.say(message(62, "Theirs"))
    expect(rows(page).last).to_contain_text("Theirs")
    box(page).press("ArrowUp")
    expect(rows(page).filter(has_text="Mine")).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(rows(page).filter(has_text="Theirs")).to_be_focused()
    page.keyboard.press("x")
    expect(box(page)).to_have_value("x")
    box(page).press("ArrowUp")
    expect(box(page)).to_be_focused()


@pytest.mark.usefixtures("server")
def test_arrows_move_between_rows_and_tab_to_a_rows_controls(page: Page) -> None:
    log(page).focus()
    page.keyboard.press("ArrowUp")
    expect(rows(page).last).to_be_focused()
    page.keyboard.press("ArrowUp")
    before_last = rows(page).nth(rows(page).count() - 2)
    expect(before_last).to_be_focused()
    page.keyboard.press("Tab")
    expect(before_last.get_by_role("link")).to_be_focused()
    shown = before_last.get_by_role("link").bounding_box()
    assert shown
    assert min(shown["width"], shown["height"]) >= 24
    assert before_last.get_by_role("link").evaluate(
        "link => document.elementFromPoint(...['x', 'y'].map((at, n) => { const r = link.getBoundingClientRect();"
        " return n ? r.y + r.height / 2 : r.x + r.width / 2 })).closest('a') === link"
    )
    page.keyboard.press("Tab")
    expect(before_last.get_by_role("button", name="Message menu")).to_be_focused()
    page.keyboard.press("Enter")
    expect(button(page, "Copy text")).to_be_focused()
    page.keyboard.press("Escape")
    expect(before_last.get_by_role("button", name="Message menu")).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(rows(page).last).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(log(page)).to_be_focused()
    page.keyboard.press("Tab")
    expect(box(page)).to_be_focused()


def test_escape_goes_to_the_newest_and_marks_the_room_as_read(page: Page, server: FakeServer) -> None:
    scroll_up(page)
    server.say(message(61, "News"))
    expect(page).to_have_title("(1) #lobby · Chat")
    log(page).focus()
    page.keyboard.press("Escape")
    expect(page).to_have_title("#lobby · Chat")
    expect(box(page)).to_be_focused()
    assert below_view(page) < 2


@pytest.mark.parametrize(
    "opened", ["suggestions", "row menu", "server panel", "room panel", "settings", "search", "shortcuts"]
)
def test_escape_first_closes_open_panels(page: Page, server: FakeServer, opened: str) -> None:
    scroll_up(page)
    server.say(message(61, "News"))
    expect(page).to_have_title("(1) #lobby · Chat")
    server.fill("lobby", ["Grace"])
    open_part(page, opened)
    page.keyboard.press("Escape")
    expect(page.locator("dialog[open], :popover-open, [role=listbox]:not([hidden])")).to_have_count(0)
    expect(page).to_have_title("(1) #lobby · Chat")
    page.keyboard.press("Escape")
    expect(page).to_have_title("#lobby · Chat")


def open_part(page: Page, opened: str) -> None:
    """Open a part of the page."""
    if opened == "suggestions":
        box(page).press_sequentially("/")
        expect(page.get_by_role("listbox", name="Suggestions")).to_be_visible()
    elif opened == "row menu":
        rows(page).nth(3).hover()
        rows(page).nth(3).get_by_role("button", name="Message menu").click()
    elif opened == "search":
        page.keyboard.press("Control+Shift+F")
        page.get_by_label("Search this room").fill("tea")
    elif opened == "shortcuts":
        log(page).focus()
        page.keyboard.press("?")
    else:
        name = {"server panel": "Server: Connected", "room panel": "#lobby", "settings": "Settings"}[opened]
        button(page, name).click()
    if opened != "suggestions":
        expect(page.locator("dialog[open], :popover-open")).to_have_count(1)


@pytest.mark.usefixtures("server")
def test_a_question_mark_lists_the_shortcuts_except_while_typing(page: Page) -> None:
    dialog = page.get_by_role("dialog", name="Keyboard shortcuts")
    box(page).press("?")
    expect(box(page)).to_have_value("?")
    expect(dialog).to_be_hidden()
    log(page).focus()
    page.keyboard.press("?")
    expect(dialog).to_be_visible()
    expect(dialog).to_contain_text("Go to a room")
    expect(dialog).to_contain_text("/join room")
    button(page, "Close").click()
    expect(dialog).to_be_hidden()
    expect(log(page)).to_be_focused()


@pytest.mark.usefixtures("server")
def test_typing_a_letter_focuses_the_message_box_from_anywhere(page: Page) -> None:
    log(page).focus()
    page.keyboard.type("hi")
    expect(box(page)).to_have_value("hi")
    expect(box(page)).to_be_focused()


KEYS: list[dict[str, Any]] = [
    {"key": "k", "ctrlKey": True},
    {"key": "F", "ctrlKey": True, "shiftKey": True},
    {"key": "ArrowDown", "altKey": True},
    {"key": "?"},
    {"key": "x"},
    {"key": "Escape"},
]


def press_all(page: Page, **fields: Any) -> None:
    for keys in KEYS:
        page.evaluate(
            "init => document.activeElement.dispatchEvent(new KeyboardEvent('keydown', init))",
            {"bubbles": True, "cancelable": True, **keys, **fields},
        )


@pytest.mark.usefixtures("server")
def test_no_shortcut_works_while_a_dialog_is_open(page: Page) -> None:
    button(page, "Settings").click()
    dialog = page.get_by_role("dialog", name="Settings")
    expect(dialog).to_be_visible()
    press_all(page)
    page.evaluate("() => new Promise(requestAnimationFrame)")
    expect(page.get_by_role("dialog")).to_have_count(1)
    expect(dialog).to_be_visible()
    expect(heading(page)).to_have_text("#lobby")
    assert page.evaluate("document.activeElement.closest('dialog') !== null")


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize("fields", [{"isComposing": True}, {"keyCode": 229}])
def test_no_shortcut_works_while_an_input_method_composes(page: Page, fields: dict[str, Any]) -> None:
    log(page).focus()
    press_all(page, **fields)
    page.evaluate("() => new Promise(requestAnimationFrame)")
    expect(page.locator("dialog[open], :popover-open")).to_have_count(0)
    expect(heading(page)).to_have_text("#lobby")
    expect(log(page)).to_be_focused()


@pytest.mark.usefixtures("server")
def test_the_search_and_switch_shortcuts_work_with_a_panel_open(page: Page) -> None:
    button(page, "#lobby").click()
    page.keyboard.press("Control+Shift+F")
    expect(page.get_by_label("Search this room")).to_be_focused()
    page.keyboard.press("Control+k")
    expect(switcher(page)).to_be_visible()
    expect(page.get_by_label("Search this room")).to_be_hidden()


def test_escape_in_the_name_form_closes_it_and_marks_nothing_as_read(page: Page, server: FakeServer) -> None:
    scroll_up(page)
    server.say(message(61, "News"))
    expect(page).to_have_title(re.compile(r"^\(1\)"))
    button(page, "Change name").click()
    expect(page.get_by_label("Your name")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_label("Your name")).to_be_hidden()
    expect(box(page)).to_be_focused()
    expect(page).to_have_title(re.compile(r"^\(1\)"))
