"""Searching a room's history, and jumping to a date."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.controls import button, log, rows
from tests.browser.fake_server import FakeServer, Frame, message

pytestmark = pytest.mark.browser
LAST = 500
NAMES = ("Ada", "Grace", "Linus")
TEA = (1, 121, 241, 361)
PER_DAY = 40
START = datetime.now(UTC).replace(hour=12, minute=0) - timedelta(days=14)


def history() -> list[Frame]:
    """Return 12 days of messages; four are about tea, one is in German."""
    return [
        message(
            seq,
            f"Line {seq}: the Tea is ready" if seq in TEA else "Schöne Grüße" if seq == 350 else f"Line {seq}",
            name=NAMES[seq % 3],
            at=START + timedelta(days=seq // PER_DAY, minutes=seq % PER_DAY),
        )
        for seq in range(1, LAST + 1)
    ]


@pytest.fixture
def server(page: Page, site_url: str, new_server: Callable[..., FakeServer]) -> FakeServer:
    made = new_server(page, history())
    page.goto(site_url)
    expect(rows(page).last).to_contain_text(f"Line {LAST}")
    return made


def results(page: Page) -> Locator:
    return panel(page).get_by_role("listitem")


def panel(page: Page) -> Locator:
    return page.get_by_role("complementary", name="Search")


def search(page: Page, query: str) -> None:
    if not panel(page).is_visible():
        button(page, "Search").first.click()
    page.get_by_label("Search this room").fill(query)
    page.keyboard.press("Enter")


@pytest.mark.usefixtures("server")
def test_it_finds_messages_across_pages_newest_first_and_highlights_matches(page: Page) -> None:
    search(page, "tea")
    expect(results(page)).to_have_count(4)
    expect(results(page)).to_contain_text(["Line 361", "Line 241", "Line 121", "Line 1:"])
    expect(results(page).first.locator("mark")).to_have_text("Tea")
    expect(panel(page).get_by_text("4 messages found.")).to_be_visible()
    expect(button(page, "Search older messages")).to_be_hidden()


@pytest.mark.usefixtures("server")
def test_it_searches_older_messages_on_request(page: Page) -> None:
    search(page, "line")
    expect(panel(page).get_by_text(re.compile(r"^50 messages found since "))).to_be_visible()
    button(page, "Search older messages").click()
    expect(panel(page).get_by_text(re.compile(r"^100 messages found since "))).to_be_visible()
    expect(results(page)).to_have_count(100)
    assert len({each.split(":")[0] for each in results(page).locator("a").evaluate_all("a => a.map(a => a.href)")}) == 1
    numbers = [int(re.findall(r"Line (\d+)", text)[0]) for text in results(page).all_text_contents()]
    assert numbers == list(range(LAST, LAST - 100, -1))


@pytest.mark.usefixtures("server")
def test_after_opening_a_result_the_search_continues_where_it_was(page: Page) -> None:
    search(page, "line")
    expect(results(page)).to_have_count(50)
    results(page).first.get_by_role("link").click()
    expect(panel(page)).to_be_hidden()
    button(page, "Search").first.click()
    expect(results(page)).to_have_count(50)
    button(page, "Search older messages").click()
    expect(results(page)).to_have_count(100)


@pytest.mark.usefixtures("server")
def test_a_search_can_name_a_sender_and_ignores_accents(page: Page) -> None:
    search(page, "from:grace tea")
    expect(results(page)).to_contain_text(["Grace"])
    expect(results(page)).to_have_count(len([seq for seq in TEA if seq % 3 == 1]))
    search(page, "schone grusse")
    expect(results(page)).to_have_count(1)
    expect(results(page).locator("mark")).to_have_text(["Schöne", "Grüße"])


@pytest.mark.usefixtures("server")
def test_a_result_opens_the_message(page: Page, site_url: str) -> None:
    search(page, "tea")
    results(page).nth(2).get_by_role("link").click()
    expect(panel(page)).to_be_hidden()
    expect(page).to_have_url(f"{site_url}#lobby/121")
    expect(rows(page).filter(has_text="Line 121")).to_be_in_viewport()
    expect(rows(page).filter(has_text="Line 121")).to_be_focused()


@pytest.mark.usefixtures("server")
def test_the_same_result_opens_again(page: Page) -> None:
    for _ in range(2):
        search(page, "tea")
        expect(results(page)).to_have_count(4)
        results(page).nth(2).get_by_role("link").click()
        expect(rows(page).filter(has_text="Line 121")).to_be_in_viewport()
        log(page).evaluate("log => { log.scrollTop = 0 }")


def test_closing_the_panel_stops_the_search(page: Page, server: FakeServer) -> None:
    held: list[Frame] = []
    server.answers = lambda frame: frame["action"] == "history" and not held.append(frame)
    search(page, "nothing of the kind")
    expect(panel(page).get_by_text("Searching…")).to_be_visible()
    page.keyboard.press("Escape")
    expect(panel(page)).to_be_hidden()
    server.answers = lambda _frame: False
    for frame in held:
        server.answer(frame)
    button(page, "Search").first.click()
    expect(panel(page).get_by_text("Search stopped.")).to_be_visible()
    search(page, "tea")
    expect(panel(page).get_by_text("4 messages found.")).to_be_visible()
    assert len([frame for frame in server.sent("history") if frame.get("limit") == 100]) < 30


@pytest.mark.usefixtures("server")
def test_no_match_is_reported(page: Page) -> None:
    search(page, '"')
    expect(panel(page).get_by_text("No messages found.")).to_be_visible()
    search(page, "zzz")
    expect(panel(page).get_by_text(re.compile("^No messages found"))).to_be_visible()


def test_a_search_of_one_room_shows_nothing_in_another(page: Page, server: FakeServer, site_url: str) -> None:
    held: list[Frame] = []
    server.answers = lambda frame: frame["action"] == "history" and not held.append(frame)
    search(page, "tea")
    expect(panel(page).get_by_text("Searching…")).to_be_visible()
    page.evaluate("location.hash = 'tea-time'")
    expect(panel(page)).to_be_hidden()
    server.answers = lambda _frame: False
    for frame in held:
        server.answer(frame)
    button(page, "Search").first.click()
    expect(results(page)).to_have_count(0)
    expect(panel(page).get_by_role("heading", name="#tea-time")).to_be_visible()
    search(page, "tea")
    expect(panel(page).get_by_text("No messages found.")).to_be_visible()


def test_a_search_without_a_connection_says_so_and_continues_later(page: Page, server: FakeServer) -> None:
    server.drop()
    expect(button(page, "Try now")).to_be_visible()
    search(page, "tea")
    expect(panel(page).get_by_text("Search interrupted. Try again when you are connected.")).to_be_visible()
    server.accepts = True
    page.keyboard.press("Escape")
    button(page, "Try now").click()
    expect(page.get_by_role("status")).to_have_text("Connected")
    button(page, "Search").first.click()
    button(page, "Search older messages").click()
    expect(results(page)).to_have_count(4)


@pytest.mark.usefixtures("server")
def test_pressing_the_shortcut_again_focuses_the_field(page: Page) -> None:
    for _ in range(2):
        page.keyboard.press("Control+Shift+F")
        expect(page.get_by_label("Search this room")).to_be_focused()


def jump_to(page: Page, day: datetime) -> None:
    button(page, "#lobby").click()
    button(page, "Jump to a date").click()
    expect(page.get_by_label("Jump to a date")).to_be_focused()
    page.get_by_label("Jump to a date").fill(f"{day:%Y-%m-%d}")
    page.keyboard.press("Enter")


@pytest.mark.usefixtures("server")
def test_a_date_leads_to_the_first_message_of_that_day(page: Page) -> None:
    jump_to(page, START + timedelta(days=5))
    expect(panel(page)).to_be_hidden()
    expect(rows(page).filter(has_text=re.compile(r"Line 200(?!\d)"))).to_be_in_viewport()
    expect(rows(page).filter(has_text=re.compile(r"Line 200(?!\d)"))).to_be_focused()
    button(page, "Jump to newest ↓").click()
    expect(rows(page).last).to_contain_text(f"Line {LAST}")


@pytest.mark.usefixtures("server")
def test_a_date_after_the_last_message_is_reported(page: Page) -> None:
    jump_to(page, datetime.now(UTC) + timedelta(days=30))
    expect(page.get_by_text("There are no messages from that day or later.")).to_be_visible()
    expect(rows(page).last).to_contain_text(f"Line {LAST}")
