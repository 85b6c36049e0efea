"""Two people in two browsers, end to end."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.controls import (
    box,
    button,
    connect,
    disconnect,
    log,
    name_field,
    people,
    rows,
    send,
    status,
    url_field,
)

pytestmark = pytest.mark.browser
SHORT_ID = re.compile(r"\[[^\]]{8}\.\.\.\]")


@pytest.fixture
def ada(new_page: Callable[..., Page], stack_url: str, room: str) -> Page:
    return entered(new_page(name="Ada"), f"{stack_url}#{room}")


@pytest.fixture
def bo(new_page: Callable[..., Page], stack_url: str, room: str) -> Page:
    return entered(new_page(name="Bo"), f"{stack_url}#{room}")


def entered(page: Page, address: str) -> Page:
    page.goto(address)
    expect(box(page)).to_be_enabled()
    return page


def test_two_people_read_each_other_at_once(ada: Page, bo: Page) -> None:
    send(ada, "Is anybody here?")
    expect(rows(bo)).to_contain_text(["Is anybody here?"])
    send(bo, "I am")
    for page in (ada, bo):
        expect(rows(page)).to_have_text([re.compile("Is anybody here"), re.compile("I am")])


def test_a_row_shows_name_time_and_message_and_on_hover_date_and_connection(ada: Page, bo: Page) -> None:
    send(ada, "Hello")
    row = rows(bo).filter(has_text="Hello")
    expect(row).to_have_text(re.compile(r"Ada\s+\d\d:\d\d\s+Hello\s*$"))
    connection = SHORT_ID.search(people(bo).get_by_role("listitem").filter(has_text="Ada").inner_text())
    assert connection is not None
    beginning = re.escape(connection[0][1:9])
    expect(row.locator("time")).to_have_attribute("title", re.compile(rf"\d{{4}} at \d.* {beginning}"))


def test_both_see_who_is_here_and_who_joins_and_leaves(ada: Page, bo: Page) -> None:
    here = people(ada)
    expect(here.get_by_role("listitem")).to_have_count(2)
    expect(here).to_contain_text("Bo")
    expect(here.get_by_role("heading")).to_have_text("People 2")
    expect(log(ada)).to_contain_text("Bo\u2069 joined")
    bo.context.close()
    expect(here.get_by_role("listitem")).to_have_count(1)
    expect(log(ada)).not_to_contain_text("Bo\u2069 joined")  # who only looked in is not worth a line


def test_people_with_the_same_name_have_their_short_ids_shown(
    ada: Page, new_page: Callable[..., Page], stack_url: str, room: str
) -> None:
    other = entered(new_page(name="Ada"), f"{stack_url}#{room}")
    adas = people(ada).get_by_role("listitem").filter(has_text="Ada")
    expect(adas).to_have_count(2)
    shown = [found.group() for found in map(SHORT_ID.search, adas.all_text_contents()) if found]
    assert len(set(shown)) == 2
    send(other, "Which Ada is this?")
    ids = rows(ada).locator(".id")
    expect(ids).to_have_count(1)
    assert ids.inner_text() in shown


def test_typing_is_shown_by_name_until_the_message_arrives(ada: Page, bo: Page) -> None:
    expect(log(ada)).to_contain_text("joined")
    box(ada).press_sequentially("Hel")
    expect(bo.get_by_text("Ada\u2069 is typing…")).to_be_visible()
    box(ada).press("Enter")
    expect(bo.get_by_text("is typing…")).to_have_count(0)


def test_disconnecting_and_reconnecting_misses_nothing(ada: Page, bo: Page) -> None:
    disconnect(bo)
    expect(status(bo)).to_have_text("Disconnected")
    expect(box(bo)).to_be_disabled()
    expect(button(bo, "Send")).to_be_disabled()
    expect(box(bo)).to_have_attribute("placeholder", "Not connected")
    send(ada, "Said while Bo was away")
    expect(rows(ada)).to_have_count(1)
    connect(bo)
    expect(status(bo)).to_have_text("Connected")
    expect(rows(bo)).to_contain_text(["Said while Bo was away"])


def test_latecomers_can_read_the_history(ada: Page, new_page: Callable[..., Page], stack_url: str, room: str) -> None:
    send(ada, "The first word")
    expect(rows(ada)).to_have_count(1)
    late = entered(new_page(name="Late"), f"{stack_url}#{room}")
    expect(rows(late)).to_contain_text(["The first word"])


def test_html_in_a_message_is_shown_as_text(ada: Page, bo: Page) -> None:
    attack = "<img src=x onerror=\"document.title='owned'\"><script>alert(1)</script>&amp;"
    send(ada, attack)
    for page in (ada, bo):
        expect(rows(page)).to_contain_text([attack])
        expect(log(page).locator("img, script")).to_have_count(0)
        expect(page).not_to_have_title("owned")


def test_the_page_is_configured_with_its_server_and_connects_automatically(ada: Page, stack: object) -> None:
    expect(status(ada)).to_have_text("Connected")
    expect(url_field(ada)).to_have_value(str(getattr(stack, "websocket_url", "")))


def test_a_newcomer_needs_two_actions_to_chat(new_page: Callable[..., Page], stack_url: str, room: str) -> None:
    page = new_page(name=None)
    page.goto(f"{stack_url}#{room}")
    expect(box(page)).to_be_focused()
    name_field(page).fill("Nia")
    page.keyboard.press("Enter")
    expect(box(page)).to_be_focused()
    page.keyboard.type("Hello from Nia")
    page.keyboard.press("Enter")
    expect(rows(page)).to_have_text([re.compile(r"\d\d:\d\d\s+Hello from Nia")])


def test_a_new_name_is_shown_to_the_others(ada: Page, bo: Page) -> None:
    expect(log(ada)).to_contain_text("joined")
    button(bo, "Change name").click()
    name_field(bo).fill("Bob")
    bo.keyboard.press("Enter")
    expect(log(ada)).to_contain_text("Bo\u2069 is now \u2068Bob")
    expect(people(ada)).to_contain_text("Bob")


def test_the_name_is_requested_once(new_page: Callable[..., Page], stack_url: str, room: str) -> None:
    page = new_page(name=None)
    page.goto(f"{stack_url}#{room}")
    name_field(page).fill("Nia")
    page.keyboard.press("Enter")
    page.reload()
    expect(box(page)).to_be_enabled()
    expect(name_field(page)).to_be_hidden()
    expect(people(page)).to_contain_text("Nia")
