"""Sending and showing messages: pending, stored, failed; links, groups, days, unusual text."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.controls import box, button, log, rows, send
from tests.browser.fake_server import FakeServer, Frame, message, person
from tests.browser.files import serve

pytestmark = pytest.mark.browser
MAX_BACKOFF_MS = 20_000


def refusing(server: FakeServer, **error: object) -> Callable[[Frame], bool]:
    def refuse(frame: Frame) -> bool:
        if frame["action"] != "sendmessage":
            return False
        server.refuse(frame, **error)
        return True

    return refuse


def test_a_sent_message_shows_at_once_and_its_row_stays_when_it_is_stored(page: Page, server: FakeServer) -> None:
    held: list[Frame] = []
    server.answers = lambda frame: frame["action"] == "sendmessage" and not held.append(frame)
    send(page, "Am I there yet?")
    expect(rows(page)).to_contain_text(["Sending…"])
    rows(page).evaluate("row => { row.marked = true }")
    server.answer(held[0])
    expect(rows(page)).not_to_contain_text(["Sending…"])
    assert rows(page).evaluate("row => row.marked")


def test_the_box_is_cleared_and_keeps_the_focus(page: Page, server: FakeServer) -> None:
    send(page, "One")
    expect(box(page)).to_have_value("")
    expect(box(page)).to_be_focused()
    box(page).fill("Two")
    button(page, "Send").click()
    expect(box(page)).to_have_value("")
    expect(box(page)).to_be_focused()
    expect(rows(page)).to_have_count(2)
    assert [frame["message"] for frame in server.sent("sendmessage")] == ["One", "Two"]


def test_blank_text_is_not_sent(page: Page, server: FakeServer) -> None:
    send(page, "  \n ")
    send(page, "Real")
    expect(rows(page)).to_have_count(1)
    assert [frame["message"] for frame in server.sent("sendmessage")] == ["Real"]


def test_a_refused_message_can_be_retried_under_its_own_id(page: Page, server: FakeServer) -> None:
    server.answers = refusing(server, code="internal", error="Internal error.")
    send(page, "Try me")
    expect(rows(page)).to_contain_text(
        ["Not sent. Something went wrong on the server. Try again in a moment."], timeout=MAX_BACKOFF_MS
    )
    server.answers = lambda _frame: False
    button(page, "Retry").click()
    expect(button(page, "Retry")).to_have_count(0)
    expect(rows(page)).to_have_count(1)
    assert len({frame["messageId"] for frame in server.sent("sendmessage")}) == 1


def test_a_refused_message_can_be_deleted(page: Page, server: FakeServer) -> None:
    server.answers = refusing(server, code="bad_request", error="That is not allowed here")
    send(page, "Oh no")
    expect(rows(page)).to_contain_text(["Not sent. That is not allowed here."])
    button(page, "Delete").click()
    expect(rows(page)).to_have_count(0)
    expect(box(page)).to_be_focused()


def test_links_are_anchors_only_for_http_and_https(page: Page, server: FakeServer) -> None:
    server.say(message(1, "See https://example.com/a?b=(c), javascript:alert(1) and data:text/html,x."))
    link = rows(page).get_by_text("See").get_by_role("link")
    expect(link).to_have_count(1)
    expect(link).to_have_attribute("href", "https://example.com/a?b=(c)")
    expect(link).to_have_attribute("rel", "noopener noreferrer nofollow")
    expect(link).to_have_attribute("target", "_blank")


def test_messages_of_one_person_within_five_minutes_form_a_group(page: Page, server: FakeServer) -> None:
    noon = datetime.now(UTC).replace(hour=12)
    minutes = (0, 4, 8, 14)
    for seq, minute in enumerate(minutes, start=1):
        server.say(message(seq, f"At {minute}", at=noon + timedelta(minutes=minute)))
    server.say(message(5, "Another", name="Grace", at=noon + timedelta(minutes=15)))
    expect(rows(page)).to_have_count(5)
    shown = rows(page).locator(".meta").evaluate_all("all => all.map(each => each.offsetHeight > 1)")
    assert shown == [True, False, False, True, True]


def test_the_short_id_is_shown_only_where_the_name_is_ambiguous(
    page: Page, site_url: str, new_server: Callable[..., FakeServer]
) -> None:
    server = new_server(page)
    twins = [{**person("Ada"), "sender": "one"}, {**person("Ada"), "sender": "two", "connectionId": "twin56789012"}]
    unnamed = {"connectionId": "wscat5678901", "name": "wscat567", "sender": "wscat5678901"}
    page.goto(site_url)
    expect(box(page)).to_be_enabled()
    server.say({**message(1, "Hello"), **unnamed}, message(2, "Hi", name="Grace"))
    server.say({**message(3, "Hey"), **twins[0]})
    ids = rows(page).locator(".id")
    expect(ids).to_have_text(["[wscat567...]", "", ""])
    for count, twin in enumerate(twins, start=2):
        server.say({"type": "presence", "room": "lobby", "event": "join", "memberCount": count, **twin})
    expect(ids).to_have_text(["[wscat567...]", "", "[ada00000...]"])


def test_a_line_separates_days(page: Page, server: FakeServer) -> None:
    now = datetime.now(UTC)
    for seq, days in enumerate((400, 1, 0), start=1):
        server.say(message(seq, f"{days} days ago", at=now - timedelta(days=days)))
    expect(rows(page).nth(0)).to_contain_text(str((now - timedelta(days=400)).year))
    expect(rows(page).nth(1)).to_contain_text("Yesterday")
    expect(log(page).get_by_text("Today", exact=True)).to_have_count(1)


def test_messages_are_ordered_by_seq_however_they_arrive(page: Page, server: FakeServer) -> None:
    for seq in (1, 2, 4, 3):
        server.say(message(seq, f"Number {seq}"))
    expect(rows(page)).to_contain_text([f"Number {seq}" for seq in (1, 2, 3, 4)])


@pytest.mark.parametrize("text", ["x" * 4000, "https://example.com/" + "y" * 3900, "\u202eabc" * 500])
def test_long_and_odd_text_does_not_break_the_layout(page: Page, server: FakeServer, text: str) -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    server.say(message(1, text, name="W" * 40))
    expect(rows(page)).to_have_count(1)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert log(page).evaluate("log => log.scrollWidth <= log.clientWidth")


def test_text_of_the_other_direction_is_isolated(page: Page, server: FakeServer) -> None:
    server.say(message(1, "مرحبا بالجميع", name="مريم"))
    text = rows(page).get_by_text("مرحبا بالجميع")
    expect(text).to_have_attribute("dir", "auto")
    assert text.evaluate("each => getComputedStyle(each).direction") == "rtl"
    assert text.evaluate("each => getComputedStyle(each).unicodeBidi") == "isolate"
    assert rows(page).locator("bdi").text_content() == "مريم"


def test_new_messages_are_appended_to_the_log_and_nothing_is_announced_twice(page: Page, server: FakeServer) -> None:
    server.say(message(1, "First"))
    expect(rows(page)).to_have_count(1)
    page.evaluate("""() => {
        window.touched = [];
        new MutationObserver(changes => changes.forEach(({ addedNodes }) =>
            addedNodes.forEach(node => window.touched.push(node.textContent))
        )).observe(document.querySelector('[role="log"]'), { childList: true });
    }""")
    server.say(message(2, "Second"))
    server.say(message(3, "Third"))
    expect(rows(page)).to_have_count(3)
    expect(log(page)).to_have_attribute("aria-live", "polite")
    touched = page.evaluate("window.touched")
    assert [text.split()[-1] for text in touched] == ["Second", "Third"]


def test_the_browser_itself_refuses_html_made_of_text_and_scripts_from_elsewhere(
    browser: Browser, site_url: str
) -> None:
    context = browser.new_context()
    serve(context)
    page = context.new_page()
    page.goto(site_url)
    refused = page.evaluate("""() => {
        try { document.body.innerHTML = "<b>bold</b>"; } catch (error) { return error.name; }
    }""")
    blocked = page.evaluate("""() => new Promise(told => {
        document.addEventListener("securitypolicyviolation", event => told(event.effectiveDirective));
        const image = document.createElement("img");
        image.src = "https://example.com/pixel.png";
        document.body.append(image);
    })""")
    context.close()
    assert (refused, blocked) == ("TypeError", "img-src")
