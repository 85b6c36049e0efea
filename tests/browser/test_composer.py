"""The message box, the name form and the settings: problems are shown where they occur."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.controls import (
    alert,
    box,
    button,
    hide_tab,
    log,
    name_field,
    notifications,
    open_settings,
    people,
    rows,
    send,
    sound,
)
from tests.browser.fake_server import FakeServer, Frame, message, person

pytestmark = pytest.mark.browser


def arrive(server: FakeServer, *names: str, count: int = 2) -> None:
    for more, name in enumerate(names):
        fields = {"room": "lobby", "memberCount": count + more, **person(name)}
        server.say({"type": "presence", "event": "join", **fields})


def test_shift_enter_makes_a_new_line(page: Page, server: FakeServer) -> None:
    box(page).press_sequentially("One")
    box(page).press("Shift+Enter")
    box(page).press_sequentially("Two")
    box(page).press("Enter")
    expect(rows(page)).to_have_count(1)
    assert server.sent("sendmessage")[0]["message"] == "One\nTwo"


def test_on_touch_screens_enter_makes_a_new_line(
    new_page: Callable[..., Page], site_url: str, new_server: Callable[..., FakeServer]
) -> None:
    page = new_page(has_touch=True, is_mobile=True, viewport={"width": 360, "height": 740})
    server = new_server(page)
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
    # Safari reports the key after the composition's end.
    box(page).evaluate(
        """box => box.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", keyCode: 229, bubbles: true }))"""
    )
    expect(box(page)).to_have_value("かな")
    box(page).press("Enter")
    expect(rows(page)).to_have_count(1)
    assert len(server.sent("sendmessage")) == 1


def test_a_counter_appears_near_the_limit_and_too_long_is_not_sent(page: Page, server: FakeServer) -> None:
    said = page.get_by_role("main").get_by_text("character")
    box(page).fill("x" * 3000)
    expect(said).to_have_count(0)
    box(page).fill("x" * 3990)
    expect(said).to_be_visible()
    expect(box(page)).to_have_accessible_description("10 characters left")
    send(page, "x" * 4002)
    expect(box(page)).to_have_accessible_description("2 characters over the limit. Shorten or split your message.")
    expect(box(page)).to_have_value("x" * 4002)
    send(page, "🙂" * 4000)
    expect(rows(page)).to_have_count(1)
    assert len(server.sent("sendmessage")) == 1


def test_the_limit_is_announced_once_not_for_each_character(page: Page, server: FakeServer) -> None:
    page.evaluate("""() => {
        window.spoken = [];
        const said = new MutationObserver(changes => {
            for (const { target } of changes) if (target.textContent) spoken.push(target.textContent);
        });
        for (const region of document.querySelectorAll("[aria-live], [role=status], [role=alert]")) {
            said.observe(region, { childList: true });
        }
    }""")
    box(page).fill("x" * 3998)
    box(page).press_sequentially("xx")
    expect(box(page)).to_have_accessible_description("0 characters left")
    box(page).press_sequentially("xx")
    expect(box(page)).to_have_accessible_description(re.compile("^2 characters over the limit"))
    assert page.evaluate("spoken") == [
        "2 characters left",
        "1 character over the limit. Shorten or split your message.",
    ]
    assert server.sent("sendmessage") == []


def test_typing_is_sent_once_in_three_seconds_at_most(page: Page, server: FakeServer) -> None:
    box(page).press_sequentially("Hello there")
    send(page, "Hello there")
    expect(rows(page)).to_have_count(1)
    assert len(server.sent("typing")) == 1


def test_typing_is_shown_for_five_seconds(page: Page, site_url: str, new_server: Callable[..., FakeServer]) -> None:
    server = new_server(page)
    page.clock.install()
    page.goto(site_url)
    expect(box(page)).to_be_enabled()
    server.say(*[{"type": "typing", "room": "lobby", **person(name)} for name in ("Ada", "Grace")])
    typing = page.get_by_text("are typing…")
    expect(typing).to_have_text("\u2068Ada\u2069 and \u2068Grace\u2069 are typing…")
    page.clock.fast_forward(5100)
    expect(typing).to_have_count(0)


def test_a_refused_name_is_reported_at_its_field_and_not_saved(page: Page, server: FakeServer) -> None:
    def refuse(frame: Frame) -> bool:
        if frame.get("name") != "admin":
            return False
        server.refuse(frame, code="invalid_name", error="This name is not allowed")
        return True

    server.answers = refuse
    button(page, "Change name").click()
    name_field(page).fill("admin")
    page.keyboard.press("Enter")
    expect(alert(page, "This name is not allowed.")).to_be_visible()
    expect(name_field(page)).to_be_visible()
    page.reload()
    expect(box(page)).to_be_enabled()
    assert [frame["name"] for frame in server.sent("join")] == ["Bo", "admin", "Bo"]


def test_an_invalid_name_is_refused_before_it_is_sent(page: Page, server: FakeServer) -> None:
    button(page, "Change name").click()
    name_field(page).fill("Ad\u202ea")
    button(page, "Save").click()
    expect(alert(page, "invisible characters")).to_be_visible()
    expect(name_field(page)).to_be_focused()
    assert all(frame["name"] == "Bo" for frame in server.sent("join"))


def test_a_rate_limit_says_when_sending_continues_and_it_does(page: Page, server: FakeServer) -> None:
    def limit(frame: Frame) -> bool:
        if frame["action"] != "sendmessage" or len(server.sent("sendmessage")) > 1:
            return False
        server.refuse(frame, code="rate_limited", error="Too many requests", retryAfterMs=1400)
        return True

    server.answers = limit
    send(page, "Too soon")
    said = alert(page, "You are sending too fast. The rest will be sent in 2 s.")
    expect(said).to_be_visible()
    expect(rows(page)).to_contain_text(["Sending…"])
    expect(said).to_have_count(0)
    expect(rows(page)).not_to_contain_text(["Sending…"])


def test_sound_is_off_by_default_and_plays_in_a_hidden_tab_once_enabled(
    page: Page, site_url: str, new_server: Callable[..., FakeServer]
) -> None:
    page.add_init_script("""
        window.notes = 0;
        const start = OscillatorNode.prototype.start;
        OscillatorNode.prototype.start = function (...when) { window.notes += 1; start.apply(this, when); };
    """)
    server = new_server(page)
    page.goto(site_url)
    expect(box(page)).to_be_enabled()
    hide_tab(page)
    server.say(message(1, "Unheard"))
    expect(page).to_have_title("(1) #lobby · Chat")
    assert page.evaluate("window.notes") == 0
    open_settings(page)
    sound(page).check()
    page.wait_for_function("() => window.notes > 0")
    server.say(message(2, "Heard"))
    expect(page).to_have_title("(2) #lobby · Chat")
    page.wait_for_function("() => window.notes > 1")
    page.reload()
    open_settings(page)
    expect(sound(page)).to_be_checked()


def test_missed_chimes_are_not_played_after_audio_resumes(
    page: Page, site_url: str, new_server: Callable[..., FakeServer]
) -> None:
    page.add_init_script("""
        window.notes = 0;
        localStorage["chat.sound"] = "true";
        OscillatorNode.prototype.start = () => { window.notes += 1; };
        OscillatorNode.prototype.stop = () => {};
        const waiting = [];
        let suspended = true;
        AudioContext.prototype.resume = () => new Promise(done => suspended ? waiting.push(done) : done());
        window.allowSound = () => { suspended = false; for (const done of waiting) done(); };
        const now = performance.now.bind(performance);
        performance.now = () => now() + (suspended ? 0 : 5000);
    """)
    server = new_server(page)
    page.goto(site_url)
    expect(box(page)).to_be_enabled()
    hide_tab(page)
    server.say(*[message(seq, "Unheard") for seq in (1, 2, 3)])
    expect(page).to_have_title("(3) #lobby · Chat")
    page.evaluate("allowSound()")
    server.say(message(4, "Heard"))
    page.wait_for_function("() => window.notes > 0")
    assert page.evaluate("window.notes") == 1


def test_notifications_are_off_by_default_and_name_the_author(
    page: Page, site_url: str, new_server: Callable[..., FakeServer]
) -> None:
    page.add_init_script("""
        window.shown = [];
        window.Notification = class {
            static permission = "default";
            static requestPermission() { this.permission = "granted"; return Promise.resolve("granted"); }
            constructor(title, { body, renotify, tag }) { window.shown.push([title, body, renotify && !!tag]); }
        };
    """)
    server = new_server(page)
    page.goto(site_url)
    expect(box(page)).to_be_enabled()
    hide_tab(page)
    server.say(message(1, "Unseen"))
    expect(page).to_have_title("(1) #lobby · Chat")
    open_settings(page)
    notifications(page).check()
    server.say(message(2, "Seen", name="Grace"))
    expect(page).to_have_title("(2) #lobby · Chat")
    assert page.evaluate("window.shown") == [["\u2068Grace\u2069 in #lobby", "Seen", True]]


def test_blocked_notifications_are_explained(page: Page, site_url: str, new_server: Callable[..., FakeServer]) -> None:
    page.add_init_script("Notification.requestPermission = () => Promise.resolve('denied')")
    new_server(page)
    page.goto(site_url)
    expect(box(page)).to_be_enabled()
    open_settings(page)
    notifications(page).click()
    expect(alert(page, "Your browser blocks notifications")).to_be_visible()
    expect(notifications(page)).not_to_be_checked()


def test_a_large_room_shows_its_count_but_no_joins_and_leaves(
    page: Page, site_url: str, new_server: Callable[..., FakeServer]
) -> None:
    server = new_server(page)
    server.fill("lobby", [f"Guest {n:03}" for n in range(99)])
    page.goto(site_url)
    expect(people(page).get_by_role("listitem")).to_have_count(100)
    server.say({"type": "presence", "room": "lobby", "event": "count", "memberCount": 250})
    expect(people(page)).to_contain_text("People 250")
    expect(log(page)).not_to_contain_text("joined")


def test_joins_and_leaves_close_together_share_one_line(page: Page, server: FakeServer) -> None:
    came = log(page).get_by_text("joined")
    arrive(server, "Ada", "Grace")
    expect(came).to_have_text("\u2068Ada\u2069 and \u2068Grace\u2069 joined")
    arrive(server, "Linus", count=4)
    expect(came).to_have_text("3 people joined")


def test_reloading_a_page_shows_no_join_or_leave(page: Page, server: FakeServer) -> None:
    arrive(server, "Ada")
    expect(log(page)).to_contain_text("Ada\u2069 joined")
    server.say({"type": "presence", "room": "lobby", "event": "leave", **person("Ada"), "memberCount": 1})
    arrive(server, "Ada")
    arrive(server, "Grace", count=3)
    expect(log(page)).to_contain_text("\u2068Ada\u2069 and \u2068Grace\u2069 joined")
    expect(log(page)).not_to_contain_text("left")


def test_the_name_can_be_skipped(
    new_page: Callable[..., Page], site_url: str, new_server: Callable[..., FakeServer]
) -> None:
    page = new_page(name=None)
    new_server(page)
    page.goto(site_url)
    button(page, "Not now").click()
    expect(name_field(page)).to_be_hidden()
    expect(box(page)).to_be_focused()
    page.reload()
    expect(box(page)).to_be_enabled()
    expect(name_field(page)).to_be_hidden()
