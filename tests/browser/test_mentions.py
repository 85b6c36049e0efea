"""Mentions: suggested while typing, highlighted, and notified as the room's level allows."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.controls import box, button, hide_tab, log, rows, send
from tests.browser.fake_server import FakeServer, message

pytestmark = pytest.mark.browser
NOTIFIES = """
    window.notified = [];
    window.Notification = class {
        static permission = "granted";
        static requestPermission = async () => "granted";
        constructor(title, options) { window.notified.push([title.replace(/[\\u2068\\u2069]/g, ""), options.body]); }
        close() {}
    };
    if (location.host) localStorage["chat.notify"] ??= "true";
"""


@pytest.fixture
def server(page: Page, site_url: str, new_server: Callable[..., FakeServer]) -> FakeServer:
    """Return a server whose lobby has people, for a page whose notifications are recorded."""
    page.add_init_script(NOTIFIES)
    made = new_server(page)
    made.fill("lobby", ["Ada", "Grace", "Grace Hopper", "Grégoire"])
    page.goto(site_url)
    expect(box(page)).to_be_enabled()
    return made


def suggestions(page: Page) -> Locator:
    return page.get_by_role("listbox", name="Suggestions")


def options(page: Page) -> Locator:
    return suggestions(page).get_by_role("option")


def selected(page: Page) -> str:
    """Return the text of the active option, as a screen reader announces it."""
    return str(
        box(page).evaluate("""box => {
            const option = document.getElementById(box.getAttribute("aria-activedescendant"));
            return option?.ariaSelected === "true" ? option.querySelector("bdi").textContent : "";
        }""")
    )


def notified(page: Page) -> list[list[str]]:
    return list(page.evaluate("window.notified"))


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize("key", ["Enter", "Tab"])
def test_a_suggested_name_can_be_chosen_by_key(page: Page, server: FakeServer, key: str) -> None:
    box(page).press_sequentially("hi @gr")
    expect(options(page)).to_have_text(
        [re.compile("Grace$|Grace "), re.compile("Grace Hopper"), re.compile("Grégoire")]
    )
    box(page).press(key)
    expect(box(page)).to_have_value("hi @Grace ")
    expect(box(page)).to_be_focused()
    expect(suggestions(page)).to_be_hidden()
    assert server.sent("sendmessage") == []
    box(page).press("Enter")
    expect(rows(page)).to_contain_text(["hi @Grace"])
    assert [frame["message"] for frame in server.sent("sendmessage")] == ["hi @Grace"]


@pytest.mark.usefixtures("server")
def test_a_click_chooses_too(page: Page) -> None:
    box(page).press_sequentially("@gr")
    options(page).nth(1).click()
    expect(box(page)).to_have_value("@Grace Hopper ")
    expect(box(page)).to_be_focused()
    page.keyboard.type("!")
    expect(box(page)).to_have_value("@Grace Hopper !")


@pytest.mark.usefixtures("server")
def test_arrow_keys_cycle_through_the_options_and_escape_only_closes(page: Page) -> None:
    box(page).press_sequentially("@gr")
    expect(options(page)).to_have_count(3)
    assert selected(page) == "Grace"
    box(page).press("ArrowDown")
    assert selected(page) == "Grace Hopper"
    box(page).press("ArrowUp")
    box(page).press("ArrowUp")
    assert selected(page) == "Grégoire"
    box(page).press("ArrowDown")
    assert selected(page) == "Grace"
    box(page).press("Escape")
    expect(suggestions(page)).to_be_hidden()
    expect(box(page)).to_have_value("@gr")
    expect(box(page)).not_to_have_attribute("aria-activedescendant", re.compile("."))
    box(page).press("ArrowLeft")
    expect(suggestions(page)).to_be_hidden()
    box(page).press("End")
    box(page).press("e")
    expect(options(page)).to_have_text([re.compile("Grégoire")])


@pytest.mark.usefixtures("server")
def test_shift_enter_makes_a_new_line_while_suggestions_are_open(page: Page) -> None:
    box(page).press_sequentially("@gr")
    expect(options(page)).to_have_count(3)
    box(page).press("Shift+Enter")
    expect(box(page)).to_have_value("@gr\n")


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize("fields", ["isComposing: true", "keyCode: 229"])
def test_input_method_keys_choose_nothing(page: Page, fields: str) -> None:
    box(page).press_sequentially("@gr")
    expect(options(page)).to_have_count(3)
    for key in ("Enter", "Tab", "ArrowDown", "Escape"):
        box(page).evaluate(
            f"(box, key) => box.dispatchEvent(new KeyboardEvent('keydown', {{ key, bubbles: true, {fields} }}))", key
        )
    expect(box(page)).to_have_value("@gr")
    expect(options(page)).to_have_count(3)
    assert selected(page) == "Grace"


@pytest.mark.usefixtures("server")
def test_your_own_name_is_not_suggested_and_an_email_address_is_not_a_mention(page: Page) -> None:
    box(page).press_sequentially("@b")
    expect(suggestions(page)).to_be_hidden()
    box(page).fill("")
    box(page).press_sequentially("ada@gr")
    expect(suggestions(page)).to_be_hidden()


def test_a_message_that_mentions_me_is_highlighted(page: Page, server: FakeServer) -> None:
    server.say(
        message(1, "Hello, @bo!"), message(2, "Hello, Bo"), message(3, "Hello, @Bob"), message(4, "> @Bo\nsaid Grace")
    )
    expect(rows(page)).to_have_count(4)
    plain, marked = (rows(page).nth(n).locator(".text") for n in (1, 0))
    colours = [
        row.locator(".text").evaluate("text => getComputedStyle(text).backgroundColor") for row in rows(page).all()
    ]
    assert colours[0] != colours[1]
    assert colours[1:] == [colours[1]] * 3
    expect(marked.locator("mark")).to_have_text("@bo")
    expect(plain.locator("mark")).to_have_count(0)


def test_a_mention_notification_names_the_author_and_the_room(page: Page, server: FakeServer) -> None:
    hide_tab(page)
    server.say(message(1, "@Bo, are you there?"), message(2, "Hello?"))
    expect(page).to_have_title("(2) #lobby · Chat")
    assert notified(page) == [["Ada mentioned you in #lobby", "@Bo, are you there?"], ["Ada in #lobby", "Hello?"]]


def set_level(page: Page, level: str, room: str = "#lobby") -> None:
    button(page, room).click()
    page.get_by_role("radio", name=level).check()
    page.keyboard.press("Escape")


def test_with_mentions_only_nothing_else_notifies(page: Page, server: FakeServer) -> None:
    set_level(page, "Mentions of me")
    hide_tab(page)
    server.say(message(1, "Just talk"), message(2, "And @Bo"), message(3, "More talk, `@Bo` in code"))
    expect(page).to_have_title("(3) #lobby · Chat")
    assert notified(page) == [["Ada mentioned you in #lobby", "And @Bo"]]


def test_a_room_without_notifications_is_muted_and_not_counted(page: Page, server: FakeServer, site_url: str) -> None:
    set_level(page, "Nothing")
    page.evaluate("location.hash = 'tea-time'")
    expect(button(page, "#tea-time")).to_be_visible()
    expect(box(page)).to_be_enabled()
    server.say(message(1, "And @Bo"), message(2, "Talk"))
    link = page.get_by_role("link", name="lobby 2 new")
    expect(link).to_be_visible()
    expect(page).to_have_title("#tea-time · Chat")
    assert notified(page) == []
    assert weight(link) < 600
    expect(page.locator("link[rel=icon]")).to_have_attribute("href", "icon.svg")
    link.click()
    set_level(page, "All messages")
    page.evaluate("location.hash = 'tea-time'")
    expect(button(page, "#tea-time")).to_be_visible()
    server.say(message(3, "Again"))
    expect(page.get_by_role("link", name="lobby 1 new")).to_be_visible()
    expect(page).to_have_title("(1) #tea-time · Chat")
    assert notified(page) == [["Ada in #lobby", "Again"]]
    assert weight(page.get_by_role("link", name="lobby 1 new")) > 600


def weight(link: Locator) -> int:
    """Return the font weight of a room's name."""
    return int(link.locator(".label").evaluate("label => getComputedStyle(label).fontWeight"))


def test_muting_a_room_removes_it_from_the_title_at_once(page: Page, server: FakeServer) -> None:
    server.say(message(1, "One"))
    expect(rows(page)).to_have_count(1)
    page.evaluate("document.hasFocus = () => false; dispatchEvent(new Event('blur'))")
    server.say(message(2, "Two"))
    expect(page).to_have_title("(1) #lobby · Chat")
    set_level(page, "Nothing")
    expect(page).to_have_title("#lobby · Chat")


def test_own_messages_never_notify(page: Page, server: FakeServer, site_url: str) -> None:
    other = page.context.new_page()
    other.goto(site_url)
    expect(box(other)).to_be_enabled()
    hide_tab(page)
    send(other, "Note to @Bo, that is me")
    expect(rows(page)).to_have_count(1)
    hide_tab(other)  # else it would read what comes
    server.say(message(2, "A stranger"))
    expect(page).to_have_title("(1) #lobby · Chat")
    assert notified(page) == [["Ada in #lobby", "A stranger"]]


def test_right_to_left_names_do_not_reverse_the_title(page: Page, server: FakeServer) -> None:
    page.evaluate("""() => {
        window.titles = [];
        const Shown = window.Notification;
        window.Notification = class extends Shown {
            constructor(title, options) { super(title, options); window.titles.push(title); }
        };
    }""")
    hide_tab(page)
    server.say(message(1, "@Bo", name="مريم"))
    expect(page).to_have_title("(1) #lobby · Chat")
    assert page.evaluate("window.titles") == ["\u2068مريم\u2069 mentioned you in #lobby"]


def test_a_notification_opens_the_message(page: Page, server: FakeServer, site_url: str) -> None:
    page.evaluate("""() => {
        const Shown = window.Notification;
        window.Notification = class extends Shown {
            constructor(title, options) { super(title, options); window.last = this; }
        };
    }""")
    page.evaluate("location.hash = 'tea-time'")
    expect(button(page, "#tea-time")).to_be_visible()
    expect(box(page)).to_be_enabled()
    server.say(message(1, "@Bo, look"))
    page.wait_for_function("() => window.last")
    page.evaluate("window.last.onclick()")
    expect(page).to_have_url(f"{site_url}#lobby/1")
    expect(rows(page).filter(has_text="@Bo, look")).to_be_focused()


def test_a_mention_among_several_missed_messages_is_notified(page: Page, server: FakeServer) -> None:
    set_level(page, "Mentions of me")
    server.say(message(1, "Before"))
    expect(rows(page)).to_have_count(1)
    hide_tab(page)
    server.drop()
    server.store(message(2, "@Bo, did you see it?"), message(3, "Anyway"))
    server.accepts = True
    page.evaluate("dispatchEvent(new Event('online'))")
    expect(rows(page)).to_have_count(3)
    assert notified(page) == [["Ada mentioned you in #lobby", "@Bo, did you see it?"]]


@pytest.mark.usefixtures("server")
def test_the_list_of_suggestions_stays_in_view_on_a_phone(page: Page, server: FakeServer) -> None:
    page.set_viewport_size({"width": 360, "height": 400})
    server.fill("lobby", [f"Person {n}" for n in range(30)])
    page.reload()
    expect(box(page)).to_be_enabled()
    box(page).press_sequentially("@p")
    expect(suggestions(page)).to_be_in_viewport(ratio=1)
    box(page).press("ArrowUp")
    expect(options(page).last).to_be_in_viewport()
    assert log(page).is_visible()
