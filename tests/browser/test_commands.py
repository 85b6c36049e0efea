"""Slash commands, and emoji names."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.controls import box, button, log, rows, send
from tests.browser.fake_server import FakeServer, message

pytestmark = pytest.mark.browser


def options(page: Page) -> Locator:
    return page.get_by_role("listbox", name="Suggestions").get_by_role("option")


def texts(server: FakeServer) -> list[str]:
    """Return what was sent."""
    return [frame["message"] for frame in server.sent("sendmessage")]


def heading(page: Page) -> Locator:
    return page.get_by_role("heading", level=1)


def test_nick_changes_the_name(page: Page, server: FakeServer) -> None:
    send(page, "/nick Beatrice  B")
    expect(page.get_by_role("complementary", name="People").get_by_text("Beatrice B")).to_be_visible()
    expect(box(page)).to_have_value("")
    assert server.sent("join")[-1]["name"] == "Beatrice B"
    assert texts(server) == []


def test_nick_on_a_first_visit_closes_the_card(
    new_page: Callable[..., Page], new_server: Callable[..., FakeServer], site_url: str
) -> None:
    page = new_page(name=None)
    new_server(page)
    page.goto(site_url)
    expect(page.get_by_label("Your name")).to_be_visible()
    send(page, "/nick Bea")
    expect(page.get_by_label("Your name")).to_be_hidden()
    expect(page.get_by_role("complementary", name="People").get_by_text("Bea")).to_be_visible()


def test_join_opens_a_room_and_leave_leaves_it_permanently(page: Page, server: FakeServer, site_url: str) -> None:
    send(page, "/join Tea Time")
    expect(heading(page)).to_have_text("#tea-time")
    expect(page).to_have_url(f"{site_url}#tea-time")
    expect(box(page)).to_have_value("")
    expect(box(page)).to_be_focused()
    send(page, "/leave")
    expect(heading(page)).to_have_text("#lobby")
    expect(page.get_by_role("link", name="tea-time")).to_have_count(0)
    assert texts(server) == []
    page.wait_for_function("() => !localStorage['chat.rooms'].includes('tea-time')")
    button(page, "#lobby").click()
    expect(button(page, "Leave this room")).to_be_hidden()


@pytest.mark.usefixtures("server")
def test_join_keeps_the_name_of_a_room_in_another_script(page: Page) -> None:
    send(page, "/join 日本")
    expect(heading(page)).to_have_text("日本")


@pytest.mark.usefixtures("server")
def test_a_command_leaves_no_draft_behind(page: Page) -> None:
    send(page, "/join tea-time")
    expect(heading(page)).to_have_text("#tea-time")
    page.go_back()
    expect(heading(page)).to_have_text("#lobby")
    expect(box(page)).to_have_value("")


@pytest.mark.usefixtures("server")
def test_the_only_room_cannot_be_left(page: Page) -> None:
    send(page, "/leave")
    expect(page.get_by_text("This is your only room. Open another one first.")).to_be_visible()
    expect(heading(page)).to_have_text("#lobby")
    expect(page.get_by_role("link", name="lobby")).to_have_count(1)


@pytest.mark.usefixtures("server")
def test_help_lists_the_commands(page: Page) -> None:
    send(page, "/help")
    dialog = page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(dialog.get_by_text("/nick name")).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(box(page)).to_be_focused()
    expect(box(page)).to_have_value("")


@pytest.mark.parametrize(
    ("typed", "problem"),
    [
        ("/frobnicate now", "There is no /frobnicate command. Type /help for the list."),
        ("/nick", "Enter a name after /nick, such as /nick Ada."),
        ("/join", "Enter a room after /join, such as /join tea-time."),
        ("/leave tea", "/leave takes no room name. It leaves the current room."),
    ],
)
def test_an_invalid_command_is_not_sent_and_stays_in_the_box(
    page: Page, server: FakeServer, typed: str, problem: str
) -> None:
    send(page, typed)
    expect(page.get_by_role("alert").filter(has_text=problem)).to_be_visible()
    expect(box(page)).to_have_value(typed)
    assert texts(server) == []
    send(page, "All right")
    expect(page.get_by_role("alert").filter(has_text=problem)).to_have_count(0)


def test_two_slashes_and_paths_are_messages(page: Page, server: FakeServer) -> None:
    for typed in ("//nick is a command", "/etc/hosts", "//", "/ alone"):
        send(page, typed)
    expect(rows(page)).to_have_count(4)
    assert texts(server) == ["/nick is a command", "/etc/hosts", "//", "/ alone"]


def test_commands_are_suggested_after_a_slash(page: Page, server: FakeServer) -> None:
    box(page).press_sequentially("/")
    expect(options(page)).to_have_count(4)
    expect(options(page).first).to_contain_text("Show the commands and shortcuts")
    box(page).press_sequentially("n")
    expect(options(page)).to_contain_text(["/nick name"])
    box(page).press("Tab")
    expect(box(page)).to_have_value("/nick ")
    box(page).press_sequentially("Bea")
    box(page).press("Enter")
    expect(page.get_by_role("complementary", name="People").get_by_text("Bea")).to_be_visible()
    assert texts(server) == []


@pytest.mark.usefixtures("server")
def test_a_slash_inside_the_text_suggests_nothing(page: Page) -> None:
    box(page).press_sequentially("see /n")
    expect(options(page)).to_have_count(0)


def test_the_emoji_table_is_loaded_when_a_name_is_typed(page: Page, server: FakeServer) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    send(page, "At 12:30, see a:b")
    expect(rows(page)).to_have_count(1)
    assert not any("emoji-data" in url for url in asked)
    box(page).press_sequentially("Done :tad")
    expect(options(page).first).to_contain_text("🎉")
    assert any("emoji-data" in url for url in asked)
    box(page).press("Enter")
    expect(box(page)).to_have_value("Done 🎉 ")
    box(page).press("Enter")
    expect(rows(page)).to_have_count(2)
    assert texts(server)[-1] == "Done 🎉"


def test_a_name_typed_in_full_becomes_its_emoji_when_it_is_sent(page: Page, server: FakeServer) -> None:
    with page.expect_response("**/emoji-data.js"):
        box(page).press_sequentially("Done :tada: `:tada:` https://example.com/:tada:")
    page.evaluate("import('/model/emoji.js').then(({ loadEmoji }) => loadEmoji())")
    box(page).press("Enter")
    expect(rows(page)).to_have_count(1)
    assert texts(server) == ["Done 🎉 `:tada:` https://example.com/:tada:"]


def test_pasting_a_name_also_loads_the_table(page: Page, server: FakeServer) -> None:
    with page.expect_response("**/emoji-data.js"):
        box(page).fill(":+1: from me")
    page.evaluate("import('/model/emoji.js').then(({ loadEmoji }) => loadEmoji())")
    box(page).press("Enter")
    expect(rows(page)).to_have_count(1)
    assert texts(server) == ["👍 from me"]


def test_without_the_table_the_text_is_sent_as_it_is(page: Page, server: FakeServer) -> None:
    page.route("**/emoji-data.js", lambda route: route.fulfill(content_type="text/javascript", body=""))
    send(page, ":tada: and :notanemoji:")
    expect(rows(page)).to_have_count(1)
    assert texts(server) == [":tada: and :notanemoji:"]


def test_messages_of_only_emoji_are_large(page: Page, server: FakeServer) -> None:
    server.say(message(1, "🎉🎉"), message(2, "🎉 party"))
    expect(rows(page)).to_have_count(2)
    sizes = (
        log(page).locator(".text").evaluate_all("all => all.map(each => parseFloat(getComputedStyle(each).fontSize))")
    )
    assert sizes[0] >= 2 * sizes[1]
