"""The box to write in, the name, the choices: each refusal is said where it happens."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.controls import box, button, hide_tab, log, rows, send
from tests.browser.fake_server import FakeServer, Frame, message

pytestmark = pytest.mark.browser


@pytest.fixture
def server(page: Page, site_url: str) -> FakeServer:
    made = FakeServer(page)
    page.goto(site_url)
    expect(box(page)).to_be_enabled()
    return made


def test_shift_enter_makes_a_new_line(page: Page, server: FakeServer) -> None:
    box(page).press_sequentially("One")
    box(page).press("Shift+Enter")
    box(page).press_sequentially("Two")
    box(page).press("Enter")
    expect(rows(page)).to_have_count(1)
    assert server.sent("sendmessage")[0]["message"] == "One\nTwo"


def test_on_touch_enter_is_a_new_line(new_page: Callable[..., Page], site_url: str) -> None:
    page = new_page(has_touch=True, is_mobile=True, viewport={"width": 360, "height": 740})
    server = FakeServer(page)
    page.goto(site_url)
    box(page).fill("One")
    box(page).press("Enter")
    expect(box(page)).to_have_value("One\n")
    button(page, "Send").tap()
    expect(rows(page)).to_have_count(1)
    assert server.sent("sendmessage")[0]["message"] == "One"


def test_enter_that_ends_an_input_method_s_composition_sends_nothing(page: Page, server: FakeServer) -> None:
    box(page).fill("かな")
    box(page).dispatch_event("keydown", {"key": "Enter", "isComposing": True, "bubbles": True})
    expect(box(page)).to_have_value("かな")
    box(page).press("Enter")
    expect(rows(page)).to_have_count(1)
    assert len(server.sent("sendmessage")) == 1


def test_a_counter_appears_near_the_limit_and_too_long_is_not_sent(page: Page, server: FakeServer) -> None:
    box(page).fill("x" * 3000)
    expect(page.get_by_text("Characters left")).to_have_count(0)
    box(page).fill("x" * 3990)
    expect(page.get_by_text("Characters left: 10")).to_be_visible()
    send(page, "x" * 4002)
    expect(page.get_by_text("Characters too many: 2. Shorten it")).to_be_visible()
    expect(box(page)).to_have_value("x" * 4002)
    send(page, "🙂" * 4000)
    expect(rows(page)).to_have_count(1)
    assert len(server.sent("sendmessage")) == 1


def test_typing_is_told_once_in_three_seconds_at_most(page: Page, server: FakeServer) -> None:
    box(page).press_sequentially("Hello there")
    send(page, "Hello there")
    expect(rows(page)).to_have_count(1)
    assert len(server.sent("typing")) == 1


def test_who_types_is_shown_for_five_seconds(page: Page, site_url: str) -> None:
    server = FakeServer(page)
    page.clock.install()
    page.goto(site_url)
    expect(box(page)).to_be_enabled()
    for name in ("Ada", "Grace"):
        server.say({"type": "typing", "room": "lobby", "connectionId": name, "name": name})
    typing = page.get_by_text("are typing…")
    expect(typing).to_have_text("\u2068Ada\u2069 and \u2068Grace\u2069 are typing…")
    page.clock.fast_forward(5100)
    expect(typing).to_have_count(0)


def test_a_refused_name_is_said_at_its_field(page: Page, server: FakeServer) -> None:
    def refuse(frame: Frame) -> bool:
        if frame.get("name") != "admin":
            return False
        server.say({"type": "error", "code": "invalid_name", "error": "This name is not allowed"})
        return True

    server.answers = refuse
    button(page, "Change my name").click()
    page.get_by_label("Your name").fill("admin")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert").filter(has_text="This name is not allowed.")).to_be_visible()
    expect(page.get_by_label("Your name")).to_be_visible()


@pytest.mark.parametrize(
    ("name", "said"),
    [("", "Enter a name"), ("x" * 41, "1 to 40 characters"), ("Ad\u202ea", "invisible characters")],
)
def test_a_name_that_cannot_be_is_said_before_it_is_sent(page: Page, server: FakeServer, name: str, said: str) -> None:
    button(page, "Change my name").click()
    page.get_by_label("Your name").fill(name)
    button(page, "Save").click()
    expect(page.get_by_role("alert").filter(has_text=said)).to_be_visible()
    expect(page.get_by_label("Your name")).to_be_focused()
    assert all(frame["name"] == "Bo" for frame in server.sent("join"))


def test_a_rate_limit_says_when_it_goes_on_and_it_does(page: Page, server: FakeServer) -> None:
    def limit(frame: Frame) -> bool:
        if frame["action"] != "sendmessage" or len(server.sent("sendmessage")) > 1:
            return False
        error = {"code": "rate_limited", "error": "Too many requests", "retryAfterMs": 1400}
        server.say({"type": "error", "messageId": frame["messageId"], **error})
        return True

    server.answers = limit
    send(page, "Too soon")
    said = page.get_by_role("alert").filter(has_text="Too much at once: the rest is sent in 2 s.")
    expect(said).to_be_visible()
    expect(rows(page)).to_contain_text(["Sending…"])
    expect(said).to_have_count(0)
    expect(rows(page)).not_to_contain_text(["Sending…"])


def test_sound_is_off_until_chosen_and_then_plays_for_a_hidden_tab(page: Page, site_url: str) -> None:
    page.add_init_script("""
        window.notes = 0;
        const start = OscillatorNode.prototype.start;
        OscillatorNode.prototype.start = function (...when) { window.notes += 1; start.apply(this, when); };
    """)
    server = FakeServer(page)
    page.goto(site_url)
    expect(box(page)).to_be_enabled()
    hide_tab(page)
    server.say(message(1, "Unheard"))
    expect(page).to_have_title("(1) #lobby · Chat")
    assert page.evaluate("window.notes") == 0
    page.get_by_label("Sound").check()
    played = page.evaluate("window.notes")
    server.say(message(2, "Heard"))
    expect(page).to_have_title("(2) #lobby · Chat")
    assert page.evaluate("window.notes") > played > 0
    page.reload()
    expect(page.get_by_label("Sound")).to_be_checked()


def test_notifications_are_off_until_chosen_and_name_who_spoke(page: Page, site_url: str) -> None:
    page.add_init_script("""
        window.shown = [];
        window.Notification = class {
            static permission = "default";
            static requestPermission() { this.permission = "granted"; return Promise.resolve("granted"); }
            constructor(title, { body }) { window.shown.push([title, body]); }
        };
    """)
    server = FakeServer(page)
    page.goto(site_url)
    expect(box(page)).to_be_enabled()
    hide_tab(page)
    server.say(message(1, "Unseen"))
    expect(page).to_have_title("(1) #lobby · Chat")
    page.get_by_label("Notifications").check()
    server.say(message(2, "Seen", name="Grace"))
    expect(page).to_have_title("(2) #lobby · Chat")
    assert page.evaluate("window.shown") == [["Grace in #lobby", "Seen"]]


def test_blocked_notifications_are_explained(page: Page, site_url: str) -> None:
    page.add_init_script("Notification.requestPermission = () => Promise.resolve('denied')")
    FakeServer(page)
    page.goto(site_url)
    expect(box(page)).to_be_enabled()
    page.get_by_label("Notifications").click()
    expect(page.get_by_role("alert").filter(has_text="The browser blocks them")).to_be_visible()
    expect(page.get_by_label("Notifications")).not_to_be_checked()


def test_a_big_room_shows_its_count_and_no_comings_and_goings(page: Page, site_url: str) -> None:
    server = FakeServer(page)
    server.members = [{"connectionId": f"c{n:011}", "name": f"Guest {n}"} for n in range(99)]
    page.goto(site_url)
    people = page.get_by_role("complementary", name="People")
    expect(people.get_by_role("listitem")).to_have_count(100)
    server.say({"type": "presence", "room": "lobby", "event": "count", "memberCount": 250})
    expect(people).to_contain_text("People 250")
    expect(log(page)).not_to_contain_text("joined")


def test_comings_and_goings_close_together_share_one_line(page: Page, server: FakeServer) -> None:
    for event, count in (("join", 2), ("leave", 1), ("join", 2)):
        presence = {"event": event, "connectionId": "ada000000000", "name": "Ada", "memberCount": count}
        server.say({"type": "presence", "room": "lobby", **presence})
    expect(log(page).get_by_text("joined")).to_have_text("\u2068Ada\u2069 left · \u2068Ada\u2069 joined")


def test_the_name_can_wait(new_page: Callable[..., Page], site_url: str) -> None:
    page = new_page(name=None)
    FakeServer(page)
    page.goto(site_url)
    button(page, "Not now").click()
    expect(page.get_by_label("Your name")).to_be_hidden()
    expect(box(page)).to_be_focused()
    page.reload()
    expect(box(page)).to_be_enabled()
    expect(page.get_by_label("Your name")).to_be_hidden()
