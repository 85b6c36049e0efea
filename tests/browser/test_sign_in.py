"""Signing in and out, what of a person stays in the browser, and the badge of accounts."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

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
    toast,
)
from tests.browser.fake_login import LOGIN, FakeLogin, user_id
from tests.browser.fake_server import FakeServer, Frame, conversation, message, person
from tests.browser.files import CONFIG, SITE
from tests.browser.test_accessibility import assert_accessible

pytestmark = pytest.mark.browser
ACCOUNT_PARTS = re.compile(r"account|sign-in|private")
AT_REST = "() => document.getAnimations().length === 0"
UNANSWERED: Callable[[Frame], bool] = lambda frame: frame["action"] == "sendmessage"  # noqa: E731


@dataclass
class Chat:
    """A page with sign-in, its server and its login host."""

    page: Page
    server: FakeServer
    login: FakeLogin

    def open(self, fragment: str = "") -> None:
        self.page.goto(f"{SITE}{fragment}")
        expect(status(self.page)).to_have_text("Connected")

    def sign_in(self, name: str = "Ada") -> None:
        """Press Sign in and choose a person at the login page."""
        sign_in_button(self.page).click()
        self.page.get_by_role("link", name=name, exact=True).click()
        expect(account_button(self.page, name)).to_be_visible()
        expect(box(self.page)).to_be_enabled()

    def choose(self, item: str) -> None:
        """Choose an item of the account menu."""
        self.page.get_by_role("button", name=re.compile("^Account: ")).click()
        menu(self.page).get_by_role("button", name=item, exact=True).click()


def sign_in_button(page: Page) -> Locator:
    return page.get_by_role("banner").get_by_role("button", name="Sign in", exact=True)


def account_button(page: Page, name: str) -> Locator:
    return button(page, f"Account: {name}")


def menu(page: Page) -> Locator:
    return page.get_by_role("region", name="Account")


def marks(part: Locator) -> Locator:
    """Return what bears an account's badge."""
    return part.locator(".account")


def card(page: Page) -> Locator:
    return page.get_by_role("region", name="Sign in")


def kept(page: Page, area: str = "localStorage") -> dict[str, Any]:
    return {key: json.loads(value) for key, value in page.evaluate(f"Object.entries({area})")}


@pytest.fixture
def new_chat(new_page: Callable[..., Page], new_server: Callable[..., FakeServer]) -> Callable[..., Chat]:
    def make(*, messages: list[Frame] | None = None, mode: str = "optional", **options: Any) -> Chat:
        page = new_page(**options)
        server = new_server(page, messages)
        login = FakeLogin(server, mode=mode)
        login.serve(page.context)
        return Chat(page, server, login)

    return make


@pytest.fixture
def chat(new_chat: Callable[..., Chat]) -> Chat:
    return new_chat()


# Signing in.


def test_signing_in_returns_to_the_room_with_nothing_in_the_address_and_signs_in_before_it_joins(chat: Chat) -> None:
    chat.open("#tea")
    heard = len(chat.server.heard)
    chat.sign_in("Ada")
    assert chat.page.url == f"{SITE}#tea"
    assert chat.page.evaluate("history.state") is None
    first, *rest = chat.server.heard[heard:]
    second = next(frame for frame in rest if frame["action"] == "join")
    assert (first["action"], second["room"]) == ("signin", "tea")
    assert first["token"].startswith("access-")
    assert not {"name", "secret"} & set(second)
    assert "secret" not in first  # the guest has written nothing


def test_tokens_are_in_session_storage_alone_and_in_no_address(chat: Chat) -> None:
    asked: list[str] = []
    chat.page.on("request", lambda request: asked.append(request.url))
    chat.open()
    chat.sign_in()
    assert kept(chat.page, "sessionStorage")["chat.account"]["refresh"].startswith("refresh-")
    assert "sign-in" not in " ".join(kept(chat.page, "sessionStorage"))
    for secret in ("access-", "refresh-"):
        assert secret not in json.dumps(kept(chat.page))
        assert not [url for url in asked if secret in url]


def test_an_answer_that_this_tab_did_not_ask_for_is_not_used_and_leaves_the_address(chat: Chat) -> None:
    chat.open("#tea")
    sign_in_button(chat.page).click()
    href = chat.page.get_by_role("link", name="Ada", exact=True).get_attribute("href") or ""
    chat.page.goto(re.sub("state=.*", "state=wrong", href))
    expect(card(chat.page)).to_contain_text("This sign-in was not started in this tab")
    assert chat.page.url == f"{SITE}#tea"
    for query in (href.removeprefix(SITE), "?code=stolen", "?error=access_denied&state=wrong"):
        chat.page.goto(f"{SITE}{query}")
        expect(card(chat.page)).to_contain_text("This sign-in was not started in this tab")
        assert chat.page.url == SITE
    expect(sign_in_button(chat.page)).to_be_visible()
    assert chat.login.posted == []


def test_a_cancelled_sign_in_says_so_and_goes_on_as_a_guest(chat: Chat) -> None:
    chat.open("#tea")
    sign_in_button(chat.page).click()
    chat.page.get_by_role("link", name="Cancel").click()
    expect(card(chat.page)).to_contain_text("Sign-in was cancelled.")
    expect(box(chat.page)).to_be_enabled()
    assert chat.page.url == f"{SITE}#tea"
    card(chat.page).get_by_role("button", name="Close").click()
    expect(card(chat.page)).to_be_hidden()


@pytest.mark.parametrize("keeps", [True, False])
def test_a_guest_who_has_written_chooses_whether_the_messages_stay_theirs(chat: Chat, keeps: bool) -> None:
    chat.open()
    send(chat.page, "Written as a guest")
    expect(rows(chat.page)).to_contain_text(["Written as a guest"])
    secret = kept(chat.page)["chat.secret"]
    sign_in_button(chat.page).click()
    choice = chat.page.get_by_label("Keep my messages as mine").last
    expect(choice).to_be_checked()
    choice.set_checked(keeps)
    button(chat.page, "Continue to sign in").click()
    chat.page.get_by_role("link", name="Ada", exact=True).click()
    expect(account_button(chat.page, "Ada")).to_be_visible()
    expect(rows(chat.page)).to_have_class(re.compile(r"\bown\b") if keeps else re.compile(r"^(?!.*\bown\b)"))
    (signed_in,) = chat.server.sent("signin")
    assert signed_in.get("secret") == (secret if keeps else None)
    assert kept(chat.page).get("chat.secret") == (None if keeps else secret)


def test_a_second_tab_starts_as_a_guest(chat: Chat) -> None:
    chat.open()
    chat.sign_in()
    other = chat.page.context.new_page()
    other.goto(SITE)
    expect(box(other)).to_be_enabled()
    expect(sign_in_button(other)).to_be_visible()
    assert "secret" in chat.server.heard[-1]


def test_a_required_sign_in_takes_the_place_of_the_message_box(new_chat: Callable[..., Chat]) -> None:
    chat = new_chat(mode="required", name=None)
    chat.server.require_sign_in()
    chat.page.goto(f"{SITE}#tea")
    expect(card(chat.page)).to_contain_text("This chat is for people with an account.")
    expect(box(chat.page)).to_be_hidden()
    expect(name_field(chat.page)).to_be_hidden()
    assert chat.server.heard == []
    assert_accessible(chat.page)
    card(chat.page).get_by_role("button", name="Sign in").click()
    chat.page.get_by_role("link", name="Ben", exact=True).click()
    expect(box(chat.page)).to_be_enabled()
    expect(card(chat.page)).to_be_hidden()
    expect(name_field(chat.page)).to_be_hidden()
    send(chat.page, "Here I am")
    expect(rows(chat.page)).to_contain_text(["Here I am"])


# Staying signed in.


def test_a_token_is_renewed_on_the_open_connection(chat: Chat) -> None:
    chat.login.life = 2.5
    chat.open()
    chat.sign_in()
    with chat.page.expect_request(lambda request: "refresh_token" in (request.post_data or "")):
        chat.login.life = 3600
    expect(box(chat.page)).to_be_enabled()
    chat.page.wait_for_function("() => JSON.parse(sessionStorage['chat.account']).expiresAt > Date.now() + 60_000")
    tokens = [frame["token"] for frame in chat.server.sent("signin")]
    assert len(tokens) == len(set(tokens)) == 2
    assert len(chat.server.sent("join")) == 2  # as a guest, and signed in: not again


def test_a_sign_in_that_lapsed_is_renewed_and_loses_nothing(chat: Chat) -> None:
    chat.open()
    chat.sign_in()
    chat.server.expire_sign_ins()
    send(chat.page, "After a long sleep")
    expect(rows(chat.page)).to_have_class(re.compile(r"\bstored\b"))
    assert chat.server.texts("lobby") == ["After a long sleep"]
    expect(card(chat.page)).to_be_hidden()


def test_a_renewal_that_is_refused_signs_out_with_a_sentence(chat: Chat) -> None:
    chat.open("#tea")
    chat.sign_in()
    chat.login.refuses_renewal = True
    chat.server.expire_sign_ins()
    send(chat.page, "Too late")
    expect(card(chat.page)).to_contain_text("Your sign-in has ended. Sign in again.")
    expect(sign_in_button(chat.page)).to_be_visible()
    assert not [key for key in kept(chat.page) if "@" in key]


def test_a_token_that_the_server_refuses_signs_out_with_a_sentence(chat: Chat) -> None:
    chat.open()
    chat.sign_in()
    chat.server.expire_sign_ins()
    chat.page.reload()
    expect(card(chat.page)).to_contain_text("Your sign-in has ended. Sign in again.")
    expect(sign_in_button(chat.page)).to_be_visible()


def test_without_the_login_host_an_expired_sign_in_says_so_and_goes_on_when_it_is_back(chat: Chat) -> None:
    chat.login.life = 2
    chat.open()
    chat.sign_in()
    chat.login.is_reachable = False
    expect(card(chat.page)).to_contain_text("Your sign-in has expired and could not be renewed yet.")
    expect(box(chat.page)).to_be_hidden()
    chat.login.life = 3600
    chat.login.is_reachable = True
    expect(box(chat.page)).to_be_enabled()
    expect(card(chat.page)).to_be_hidden()


def test_a_server_typed_by_hand_is_given_no_token(chat: Chat) -> None:
    chat.open()
    chat.sign_in()
    disconnect(chat.page)
    signed_in = len(chat.server.sent("signin"))
    connect(chat.page, "wss://elsewhere.test/production")
    expect(box(chat.page)).to_be_enabled()
    assert len(chat.server.sent("signin")) == signed_in
    assert "access-" not in json.dumps(chat.server.heard[-3:])


# The profile.


def test_the_name_is_the_accounts_and_a_taken_one_is_refused(chat: Chat) -> None:
    chat.server.add_account("x", {"userId": "x", "name": "Grace", "sender": "x", "senders": ["x"]})
    chat.open()
    chat.sign_in()
    chat.choose("Change name")
    expect(name_field(chat.page)).to_have_value("Ada")
    name_field(chat.page).fill("Grace")
    button(chat.page, "Save").click()
    expect(chat.page.get_by_text("This name belongs to another account.")).to_be_visible()
    name_field(chat.page).fill("Ada L.")
    button(chat.page, "Save").click()
    expect(account_button(chat.page, "Ada L.")).to_be_visible()
    assert [frame["name"] for frame in chat.server.sent("profile")] == ["Grace", "Ada L."]
    assert len(chat.server.sent("join")) == 2


def test_a_new_account_is_asked_for_a_name(chat: Chat) -> None:
    chat.login.creates_accounts = True
    chat.open()
    sign_in_button(chat.page).click()
    chat.page.get_by_role("link", name="Ada", exact=True).click()
    expect(name_field(chat.page)).to_have_value("Ada")
    expect(name_field(chat.page)).to_be_focused()


# Signing out.


def test_signing_out_revokes_tells_the_server_ends_the_login_and_leaves_nothing(chat: Chat) -> None:
    chat.open()
    chat.page.evaluate("localStorage['chat.theme'] = '\"dark\"'")
    chat.sign_in()
    chat.page.goto(f"{SITE}#tea")
    send(chat.page, "Mine")
    expect(rows(chat.page)).to_have_count(1)
    box(chat.page).fill("A draft")
    chat.choose("Sign out")
    expect(sign_in_button(chat.page)).to_be_visible()
    expect(status(chat.page)).to_have_text("Connected")
    assert chat.page.url == SITE
    assert len(chat.login.revoked) == 1
    assert [frame["everywhere"] for frame in chat.server.sent("signout")] == [False]
    assert "/logout?" in chat.login.visited[-1]
    left = json.dumps(kept(chat.page)) + json.dumps(kept(chat.page, "sessionStorage"))
    for trace in ("@", "tea", "A draft", "Mine", "Ada", "access-", "refresh-"):
        assert trace not in left
    assert kept(chat.page)["chat.theme"] == "dark"


def test_signing_out_warns_of_unsent_messages_and_drops_them(chat: Chat) -> None:
    chat.open()
    chat.sign_in()
    chat.server.answers = UNANSWERED
    send(chat.page, "Unsent")
    account_button(chat.page, "Ada").click()
    expect(chat.page.get_by_text("1 unsent message will be deleted when you sign out.")).to_be_visible()
    button(chat.page, "Sign out").click()
    expect(sign_in_button(chat.page)).to_be_visible()
    chat.server.answers = lambda _frame: False
    chat.sign_in("Ben")
    expect(rows(chat.page)).to_have_count(0)
    assert chat.server.texts("lobby") == []


@pytest.mark.parametrize("everywhere", [True, False])
def test_other_tabs_of_the_account_are_signed_out_too(chat: Chat, everywhere: bool) -> None:
    chat.open()
    chat.sign_in()
    other = Chat(chat.page.context.new_page(), chat.server, chat.login)
    other.open("#tea")
    other.sign_in()
    chat.page.bring_to_front()  # hidden pages are slow to draw the menu
    chat.choose("Sign out everywhere" if everywhere else "Sign out")
    expect(card(other.page)).to_contain_text(re.compile("You were signed out (everywhere|in another tab)"))
    expect(sign_in_button(other.page)).to_be_visible()
    expect(sign_in_button(chat.page)).to_be_visible()
    assert other.page.url == SITE
    assert not [key for key in kept(other.page) if "@" in key]


def test_signing_out_everywhere_needs_the_server(chat: Chat) -> None:
    chat.open()
    chat.sign_in()
    disconnect(chat.page)
    chat.choose("Sign out everywhere")
    expect(toast(chat.page)).to_contain_text("Could not sign out everywhere.")
    expect(account_button(chat.page, "Ada")).to_be_visible()


def test_another_account_finds_nothing_of_the_one_before(chat: Chat) -> None:
    chat.open()
    chat.sign_in("Ada")
    box(chat.page).fill("Half a thought")
    chat.page.evaluate("sessionStorage.clear()")  # as in a new tab
    chat.page.goto(SITE)
    chat.page.reload()
    expect(box(chat.page)).to_be_enabled()
    expect(box(chat.page)).to_have_value("")
    chat.sign_in("Ben")
    expect(box(chat.page)).to_have_value("")
    assert not [key for key in kept(chat.page) if key.startswith(f"chat.@{user_id('Ada')}")]


# The badge.


def test_accounts_have_a_badge_and_guests_none(new_chat: Callable[..., Chat]) -> None:
    account = {"userId": "user-ada"}
    first = {**message(1, "From an account", name="Ada"), **account}
    chat = new_chat(messages=[first, message(2, "From a guest", name="Ada")])
    chat.server.fill("lobby", ["Ada"])
    chat.open()
    first_row = rows(chat.page).first
    expect(rows(chat.page)).to_have_count(2)
    expect(marks(rows(chat.page))).to_have_count(1)
    expect(marks(first_row)).to_have_text("Ada")
    mark = marks(first_row).evaluate("name => getComputedStyle(name, '::after').content")
    assert mark == '"\u2060✓" / "Account"'  # drawn, and read out
    expect(marks(people(chat.page))).to_have_count(0)
    chat.server.say({"type": "typing", "room": "lobby", **person("Ada"), **account})
    chat.server.say({"type": "typing", "room": "lobby", **person("Bo")})
    typing = chat.page.locator("#typing")
    expect(typing).to_contain_text(re.compile("Ada.* and .*Bo.* are typing"))
    expect(marks(typing)).to_have_count(1)
    chat.sign_in("Ben")
    expect(marks(people(chat.page))).to_have_text(["Ben"])


# The look, and the page without sign-in.


@pytest.mark.parametrize(("scheme", "width"), [("dark", 360), ("light", 1440)])
def test_axe_finds_nothing_in_the_account_menu(new_chat: Callable[..., Chat], scheme: str, width: int) -> None:
    chat = new_chat(messages=conversation(3), color_scheme=scheme, viewport={"width": width, "height": 740})
    chat.open()
    assert_accessible(chat.page)
    send(chat.page, "Hello")
    expect(rows(chat.page)).to_have_count(4)
    sign_in_button(chat.page).click()
    expect(button(chat.page, "Continue to sign in")).to_be_visible()
    chat.page.wait_for_function(AT_REST)
    assert_accessible(chat.page)
    button(chat.page, "Continue to sign in").click()
    chat.page.get_by_role("link", name="Ada", exact=True).click()
    account_button(chat.page, "Ada").focus()
    chat.page.keyboard.press("Enter")
    expect(button(chat.page, "Sign out")).to_be_visible()
    chat.page.wait_for_function(AT_REST)
    assert_accessible(chat.page)
    chat.page.keyboard.press("Tab")
    expect(menu(chat.page).get_by_role("button", name="Change name")).to_be_focused()
    chat.page.keyboard.press("Escape")
    expect(button(chat.page, "Sign out")).to_be_hidden()


def test_without_sign_in_in_the_configuration_nothing_of_it_is_loaded(page: Page, server: FakeServer) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.reload()
    expect(box(page)).to_be_enabled()
    expect(log(page)).to_be_visible()
    assert "signIn" not in CONFIG
    assert [url for url in asked if url.endswith("config.json")]
    assert not [url for url in asked if ACCOUNT_PARTS.search(url) or url.startswith(LOGIN)]
    expect(sign_in_button(page)).to_have_count(0)
    assert server.sent("signin") == []
