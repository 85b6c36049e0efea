"""Appearance: rows, folded text, copying, printing, forced colours, sizes; and axe in every part."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.controls import box, button, log, rows, send, status
from tests.browser.fake_server import FakeServer, Frame, conversation, message, person
from tests.browser.files import serve
from tests.browser.test_accessibility import assert_accessible

pytestmark = pytest.mark.browser
PHONE = {"width": 360, "height": 740}
WIDE = {"width": 1440, "height": 900}


# Rows.


def test_a_message_of_4000_lines_is_folded_below_two_screens_and_opens(page: Page, server: FakeServer) -> None:
    server.say(message(1, "Top" + "\n" * 3990 + "Bottom"), message(2, "After"))
    row = rows(page).first
    expect(row.get_by_role("button", name="Show more")).to_have_attribute("aria-expanded", "false")
    assert log(page).evaluate("log => log.scrollHeight < 2 * log.clientHeight")
    row.get_by_role("button", name="Show more").click()
    assert log(page).evaluate("log => log.scrollHeight > 20 * log.clientHeight")
    row.get_by_role("button", name="Show less").click()
    assert log(page).evaluate("log => log.scrollHeight < 2 * log.clientHeight")


@pytest.mark.parametrize("text", ["x" * 4000, "\n".join("> line" for _ in range(500)), "```\n" + "y\n" * 1500 + "```"])
def test_long_lines_quotes_and_blocks_are_folded_too(page: Page, server: FakeServer, text: str) -> None:
    server.say(message(1, text))
    expect(button(page, "Show more")).to_be_visible()
    assert log(page).evaluate("log => log.scrollHeight < 2 * log.clientHeight")


def test_a_pending_message_is_pale_with_a_clock_and_then_gets_a_tick(page: Page, server: FakeServer) -> None:
    held: list[Frame] = []
    server.answers = lambda frame: frame["action"] == "sendmessage" and not held.append(frame)
    send(page, "Hello")
    text, meta = rows(page).locator(".text"), rows(page).locator(".meta")
    expect(text).to_have_css("opacity", "0.6")
    expect(rows(page)).to_contain_text(["Sending…"])
    assert meta.evaluate("meta => getComputedStyle(meta, '::after').borderRadius") == "50%"
    place = text.bounding_box()
    server.answer(held[0])
    expect(text).to_have_css("opacity", "1")
    assert "✓" in meta.evaluate("meta => getComputedStyle(meta, '::after').content")
    assert text.bounding_box() == place


def test_a_short_id_is_shown_where_two_people_share_a_name(page: Page, server: FakeServer) -> None:
    server.say(message(1, "One"), {**message(2, "Two", name="Grace"), "sender": "another", "connectionId": "zzzzzzzzz"})
    expect(rows(page)).to_have_count(2)
    expect(rows(page).first).not_to_contain_text("[")
    join(server, "one", "Ada")
    join(server, "two", "Ada")
    expect(rows(page).first).to_contain_text("[ada00000...]")
    expect(rows(page).last).not_to_contain_text("[")


def join(server: FakeServer, sender: str, name: str) -> None:
    connection = {"connectionId": f"connection-{sender}", "name": name, "sender": sender}
    server.say({"type": "presence", "room": "lobby", "event": "join", "memberCount": 9, **connection})


def people(page: Page) -> Locator:
    return page.get_by_role("complementary", name="People")


def test_a_person_with_three_tabs_is_listed_once_and_you_come_first(
    new_page: Callable[..., Page], new_server: Callable[..., FakeServer], site_url: str
) -> None:
    page = new_page(name="Zoe")
    server = new_server(page)
    server.fill("lobby", ["Ada", "Grace"])
    page.goto(site_url)
    for _ in range(2):
        page.context.new_page().goto(site_url)
    expect(status(page)).to_have_text("Connected")
    expect(people(page).get_by_role("listitem")).to_contain_text(["Zoe", "Ada", "Grace"])
    expect(people(page).get_by_role("heading")).to_have_text("People 3")
    expect(people(page).get_by_role("listitem").first).to_contain_text("you")
    expect(people(page).get_by_role("listitem").first.get_by_role("button", name="Change name")).to_be_visible()
    expect(button(page, "Change name")).to_have_count(1)
    expect(people(page).get_by_role("listitem").nth(1)).to_contain_text("[ada00000...]")


def test_nothing_moves_when_someone_types(page: Page, server: FakeServer) -> None:
    server.say(*conversation(5))
    expect(rows(page)).to_have_count(5)
    page.evaluate("""() => {
        window.shift = 0;
        new PerformanceObserver(list => { for (const { value } of list.getEntries()) window.shift += value; })
            .observe({ type: "layout-shift" });
    }""")
    places = [row.bounding_box() for row in rows(page).all()]
    server.say({"type": "typing", "room": "lobby", **person("Grace")})
    expect(page.get_by_text("is typing…")).to_be_visible()
    assert [row.bounding_box() for row in rows(page).all()] == places
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    assert page.evaluate("window.shift") == 0


def test_code_quotes_rooms_and_links_are_elements(page: Page, server: FakeServer) -> None:
    server.say(
        message(1, "> quoted `x`\nSee #tea-time, www.example.com and `code`\n```\n<b>block</b>\n```"),
        message(2, "<img src=x onerror=alert(1)> &amp;"),
    )
    row = rows(page).first
    expect(row.get_by_role("blockquote")).to_have_text("quoted x")
    expect(row.get_by_role("code")).to_have_text(["x", "code"])
    expect(row.locator("pre")).to_have_text("<b>block</b>")
    expect(row.get_by_role("link", name="#tea-time")).to_have_attribute("href", "#tea-time")
    expect(row.get_by_role("link", name="www.example.com")).to_have_attribute("href", "https://www.example.com")
    expect(rows(page).last.locator(".text")).to_have_text("<img src=x onerror=alert(1)> &amp;")
    expect(rows(page).locator("img, b")).to_have_count(0)
    row.get_by_role("link", name="#tea-time").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("#tea-time")


# Copying.

COPY = """([from, to]) => {
    const texts = [...document.querySelectorAll("[role=log] article .text")];
    getSelection().setBaseAndExtent(texts[from].firstChild, 0, texts[to], texts[to].childNodes.length);
    const clipboardData = new DataTransfer();
    texts[from].dispatchEvent(new ClipboardEvent("copy", { clipboardData, bubbles: true, cancelable: true }));
    return clipboardData.getData("text/plain");
}"""


def test_copying_several_rows_copies_one_line_each(
    new_page: Callable[..., Page], new_server: Callable[..., FakeServer], site_url: str
) -> None:
    page = new_page(locale="en-US", timezone_id="UTC")
    at = datetime.now(UTC).replace(hour=13, minute=49) - timedelta(days=1)
    server = new_server(
        page,
        [
            message(1, "Hello\nthere", at=at),
            message(2, "Again", at=at),
            message(3, "> Again\nWhat?", name="Grace", at=at + timedelta(hours=1)),
        ],
    )
    page.goto(site_url)
    expect(rows(page)).to_have_count(3)
    copied = page.evaluate(COPY, [0, 2]).replace("\u202f", " ")
    assert copied == "Ada, 1:49 PM: Hello\nthere\nAda, 1:49 PM: Again\nGrace, 2:49 PM: Again\nWhat?"
    assert page.evaluate(COPY, [1, 1]) == ""
    send(page, "Mine")
    expect(rows(page)).to_have_count(4)
    lines = page.evaluate(COPY, [2, 3]).replace("\u202f", " ").split("\n")
    assert lines[0] == f"{at:%B} {at.day}, {at.year}"
    assert lines[1] == "Grace, 2:49 PM: Again"
    assert re.fullmatch(r"\w+ \d+, \d{4}", lines[3])
    assert re.fullmatch(r"Bo, \d+:\d\d [AP]M: Mine", lines[4])
    assert server.texts("lobby")[-1] == "Mine"


# Paper, forced colours, motion.


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_printout_has_only_the_conversation_complete_and_in_black(
    page: Page, site_url: str, new_server: Callable[..., FakeServer], theme: str
) -> None:
    page.add_init_script(f"if (location.host) localStorage['chat.theme'] = '\"{theme}\"'")
    new_server(page, [message(1, "\n".join(f"line {n}" for n in range(100))), *conversation(40)[1:]])
    page.goto(site_url)
    expect(rows(page)).to_have_count(40)
    page.emulate_media(media="print")
    for name in ("button", "textbox", "navigation", "complementary"):
        expect(page.get_by_role(name).filter(visible=True)).to_have_count(0 if name != "button" else 1)
    expect(page.get_by_role("heading", level=1)).to_be_visible()  # the room's name, which is a button on screen
    text = rows(page).first.locator(".text")
    assert text.evaluate("text => text.scrollHeight - text.clientHeight") <= 1
    assert log(page).evaluate("log => log.scrollHeight - log.clientHeight") <= 1
    assert rows(page).first.evaluate("row => document.documentElement.scrollHeight >= row.offsetHeight + 1000")
    for part in (".text", "bdi", "time", ".meta"):
        colour = rows(page).first.locator(part).first.evaluate("each => getComputedStyle(each).color")
        assert max(map(int, re.findall(r"\d+", colour)[:3])) < 130, part


def test_in_forced_colours_focus_and_choice_stay_visible(page: Page, server: FakeServer) -> None:
    server.fill("lobby", ["Grace", "Gwen"])
    server.say(message(1, "Hello"))
    page.reload()
    expect(box(page)).to_be_enabled()
    page.emulate_media(forced_colors="active")
    assert outline(page.get_by_role("link", name="lobby")) >= 2
    box(page).press_sequentially("@g")
    options = page.get_by_role("option")
    expect(options).to_have_count(2)
    assert [outline(each) >= 2 for each in options.all()] == [True, False]
    box(page).fill("")
    for control in (box(page), button(page, "Share"), button(page, "Settings"), button(page, "Send")):
        page.keyboard.press("Tab")
        control.focus()
        assert outline(control) >= 2
    log(page).focus()
    page.keyboard.press("ArrowUp")
    assert outline(rows(page).last) >= 2


def outline(control: Locator) -> float:
    """Return the width of a control's outline in pixels."""
    return float(
        control.evaluate("""each => {
            const { outlineStyle, outlineWidth } = getComputedStyle(each);
            return outlineStyle === "none" ? 0 : parseFloat(outlineWidth);
        }""")
    )


def test_with_reduced_motion_nothing_has_a_transition(
    new_page: Callable[..., Page], new_server: Callable[..., FakeServer], site_url: str
) -> None:
    page = new_page(reduced_motion="reduce", viewport=PHONE)
    new_server(page, conversation(3))
    page.goto(site_url)
    expect(rows(page)).to_have_count(3)
    for opener in ("Rooms", "1 here", "Server: Connected"):
        button(page, opener).click()
        moving = page.evaluate("""() => [...document.querySelectorAll("*")].filter(each => {
            const { transitionDuration, animationDuration, animationName } = getComputedStyle(each);
            const isAnimated = animationName !== "none" && parseFloat(animationDuration) > 0;
            return isAnimated || transitionDuration.split(", ").some(one => parseFloat(one) > 0);
        }).map(each => each.id || each.className)""")
        assert moving == []
        page.keyboard.press("Escape")


def test_without_scripts_the_page_says_what_it_needs(browser: Browser, site_url: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    serve(context)
    page = context.new_page()
    page.goto(site_url)
    words, height = page.locator("#startup").evaluate("notice => [notice.innerText, notice.offsetHeight]")
    assert words == "This chat needs JavaScript. Turn it on for this site, then reload the page."
    assert height > 20
    context.close()


# What it says.


def test_the_counter_is_announced_at_its_thresholds_only(page: Page, server: FakeServer) -> None:
    assert server.joined
    page.evaluate("""() => {
        window.said = [];
        const live = [...document.querySelectorAll("[aria-live=polite], [role=alert], [role=status]")]
            .filter(each => each.role !== "log");
        for (const each of live) new MutationObserver(() => window.said.push(each.textContent))
            .observe(each, { childList: true, characterData: true, subtree: true });
    }""")
    for length in (3599, 3600, 3601, 3998, 3999, 4000, 4001, 4002, 4003, 3990, 3500):
        box(page).fill("x" * length)
    page.evaluate("() => new Promise(requestAnimationFrame)")
    said = [words for words in page.evaluate("window.said") if "character" in words]
    assert said == [
        "400 characters left",
        "1 character over the limit. Shorten or split your message.",
        "10 characters left",
    ]


def test_the_server_panel_says_why_it_is_not_connected(page: Page, server: FakeServer) -> None:
    panel = page.get_by_role("form", name="Server")
    button(page, "Server: Connected").click()
    server.drop()
    expect(panel.get_by_text("Connection lost. Your messages will be sent when you reconnect.")).to_be_visible()
    expect(page.get_by_text("You are offline")).to_have_count(0)
    button(page, "Disconnect").click()
    expect(panel.get_by_text("You are not connected.")).to_be_visible()


def test_only_a_browser_that_is_offline_is_called_offline(page: Page, server: FakeServer) -> None:
    page.evaluate("Object.defineProperty(navigator, 'onLine', { value: false, configurable: true })")
    server.drop()
    expect(
        page.get_by_text("You are offline. Your messages will be sent when you are back online.").first
    ).to_be_attached()
    expect(status(page)).to_have_text("Disconnected")


def test_an_unreachable_server_is_named(page: Page, site_url: str, new_server: Callable[..., FakeServer]) -> None:
    server = new_server(page)
    server.accepts = False
    page.goto(site_url)
    expect(page.get_by_role("alert").filter(has_text="Cannot reach wss://server.test/production.")).to_be_visible()


# Sizes and axe.

SMALL = """() => [...document.querySelectorAll("button, a, input, textarea, select")].filter(each => {
    if (!each.checkVisibility({ visibilityProperty: true }) || each.closest(".text")) return false;
    const label = ["checkbox", "radio"].includes(each.type) && each.closest("label");
    const { width, height } = (label || each).getBoundingClientRect();
    return width > 1 && (width < 24 || height < 24);
}).map(each => [each.id || each.ariaLabel || each.className || each.tagName, each.offsetWidth, each.offsetHeight])"""


def first_visit(page: Page) -> None:
    expect(page.get_by_label("Your name")).to_be_visible()


def drawer(page: Page) -> None:
    if button(page, "Rooms").is_visible():
        button(page, "Rooms").click()


def settings(page: Page) -> None:
    drawer(page)
    button(page, "Settings").click()
    expect(page.get_by_role("dialog", name="Settings")).to_be_visible()


def people_list(page: Page) -> None:
    if not people(page).is_visible():
        button(page, "4 here").click()
    expect(people(page)).to_be_visible()


def shortcuts(page: Page) -> None:
    log(page).focus()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()


def search(page: Page) -> None:
    page.keyboard.press("Control+Shift+F")
    page.get_by_label("Search this room").fill("line")
    page.keyboard.press("Enter")
    expect(page.get_by_text(re.compile(r"messages found"))).to_be_visible()


def switcher(page: Page) -> None:
    page.keyboard.press("Control+k")
    page.keyboard.type("o")
    expect(page.get_by_role("dialog", name="Go to a room")).to_be_visible()


def suggestions(page: Page) -> None:
    box(page).press_sequentially("@")
    expect(page.get_by_role("option")).to_have_count(3)


def row_menu(page: Page) -> None:
    row = rows(page).filter(has_text="Line 28")
    row.focus()
    row.get_by_role("button", name="Message menu").click()
    expect(button(page, "Copy text")).to_be_visible()


def row_focus(page: Page) -> None:
    """Focus a row that continues a group."""
    log(page).focus()
    page.keyboard.press("ArrowUp")
    expect(rows(page).last).to_be_focused()


def name_form(page: Page) -> None:
    people_list(page)
    button(page, "Change name").click()
    page.get_by_label("Your name").fill("")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert").filter(has_text="Enter a name")).to_be_visible()


def toast(page: Page) -> None:
    page.evaluate("location.hash = 'lobby/nothing'")
    expect(page.get_by_text("There is no message “nothing”.")).to_be_visible()


def permalink(page: Page) -> None:
    page.evaluate("location.hash = 'lobby/10'")
    expect(button(page, "Jump to newest ↓")).to_be_visible()


STATES: dict[str, Callable[[Page], None]] = {
    "first visit": first_visit,
    "rooms": drawer,
    "people": people_list,
    "server panel": lambda page: button(page, "Server: Connected").click(),
    "room panel": lambda page: button(page, "#lobby").click(),
    "settings": settings,
    "shortcuts": shortcuts,
    "search": search,
    "switcher": switcher,
    "suggestions": suggestions,
    "row menu": row_menu,
    "row in focus": row_focus,
    "name form": name_form,
    "toast": toast,
    "permalink": permalink,
}


# Contrast depends on the theme, layout on the width: two pages see all four. test_accessibility.py has the other two.
@pytest.mark.parametrize(("scheme", "width"), [("light", 360), ("dark", 1440)])
def test_every_part_passes_axe_and_has_no_control_below_24_pixels(
    new_page: Callable[..., Page], new_server: Callable[..., FakeServer], site_url: str, width: int, scheme: str
) -> None:
    faults: dict[str, Any] = {}
    for state, show in STATES.items():
        is_first = state == "first visit"
        size = PHONE if width < 500 else WIDE
        page = new_page(name=None if is_first else "Bo", color_scheme=scheme, viewport=size, reduced_motion="reduce")
        visited = json.dumps([{"room": f"room-{n}", "at": n, "last": 0, "read": 0} for n in range(12)])
        if not is_first:
            page.add_init_script(f"if (location.host) localStorage['chat.rooms'] ??= JSON.stringify({visited})")
        long = message(31, "\n".join("line" for _ in range(40)))
        server = new_server(page, [*conversation(30), long, message(32, "Hello, @Bo")])
        server.fill("lobby", ["Ada", "Grace", "Linus"])
        page.goto(site_url)
        expect(rows(page).last).to_contain_text("Hello")
        expect(box(page)).to_be_enabled()
        if not is_first:
            server.say(message(1, "News", room="room-11"))
        show(page)
        try:
            assert_accessible(page)
        except AssertionError as error:
            faults[f"{state}: axe"] = str(error)[:1500]
        if small := page.evaluate(SMALL):
            faults[f"{state}: small"] = small
        page.context.close()
    assert faults == {}
