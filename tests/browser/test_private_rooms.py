"""Private rooms and direct conversations in the page: lists, invitations, members, leaving and being removed."""

import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.controls import (
    alert,
    assert_icon,
    box,
    button,
    hide_tab,
    log,
    people,
    room_panel,
    rooms,
    rows,
    send,
    status,
    toast,
)
from tests.browser.fake_login import FakeLogin, user_id
from tests.browser.fake_server import FakeServer, Frame, conversation
from tests.browser.files import SITE
from tests.browser.test_accessibility import assert_accessible

pytestmark = pytest.mark.browser
NAMES = ("Ada", "Ben", "Grace")
NOBODY = "~aaaaaaaaaaaaaaaaaaaaaaaaaa"
"""The key of a room that does not exist."""


@dataclass
class Chat:
    """Ada's page, signed in, and a server that Ben and Grace use too."""

    page: Page
    server: FakeServer

    def open(self, fragment: str = "") -> None:
        self.page.goto(f"{SITE}{fragment}")
        expect(status(self.page)).to_have_text("Connected")
        expect(box(self.page)).to_be_enabled()

    def act(self, who: str, action: str, /, **fields: object) -> list[Frame]:
        """Do something as somebody who has no page, and return the answers."""
        return self.server.act(user_id(who), action=action, **fields)

    def room(self, title: str, *members: str, owner: str = "Ben", **fields: object) -> str:
        """Create a private room, and return its key."""
        key = str(self.act(owner, "createroom", title=title, **fields)[0]["room"])
        for name in members:
            token = self.link(key, owner=owner)
            self.act(name, "accept", room=key, token=token)
        return key

    def link(self, room: str, *, owner: str = "Ben", **fields: object) -> str:
        """Create an invitation link, and return its token."""
        return str(self.act(owner, "createinvite", room=room, **fields)[0]["token"])

    def direct(self, name: str, text: str = "") -> str:
        """Begin a direct conversation with Ada, and return its key."""
        key = str(self.act(name, "direct", userId=user_id("Ada"))[0]["room"])
        if text:
            self.say(name, key, text)
        return key

    def say(self, name: str, room: str, text: str) -> None:
        self.act(name, "sendmessage", to=room, message=text, messageId=f"{name}: {text}")

    def choose(self, item: str) -> None:
        """Choose an item of the room's panel."""
        heading(self.page).get_by_role("button").click()
        self.page.locator("#room").get_by_role("button", name=item, exact=True).click()


def heading(page: Page) -> Locator:
    return page.get_by_role("heading", level=1)


def listed(page: Page, group: str) -> Locator:
    return page.get_by_role("list", name=group).get_by_role("link")


def dialog(page: Page, name: str) -> Locator:
    return page.get_by_role("dialog", name=name)


def member(page: Page, name: str) -> Locator:
    return dialog(page, "Room settings").get_by_role("listitem").filter(has_text=name)


def sign_in(page: Page, server: FakeServer, name: str) -> None:
    """Let the pages of a browser be signed in from the start."""
    account = {"access": f"access-{name}", "refresh": "refresh", "userId": user_id(name), "name": name}
    now = time.time() * 1000
    account |= {"renewAt": now + 3_000_000, "expiresAt": now + 3_600_000}
    FakeLogin(server).serve(page.context)
    page.context.add_init_script(
        f"if (location.host) sessionStorage['chat.account'] ??= {json.dumps(json.dumps(account))}"
    )


def wait_for_read(chat: Chat, room: str, seq: int) -> None:
    """Wait until the page has reported one room as read, once."""
    deadline = time.monotonic() + 10
    while not chat.server.sent("read") and time.monotonic() < deadline:
        chat.page.wait_for_timeout(50)
    assert [(each["room"], each["seq"]) for each in chat.server.sent("read")] == [(room, seq)]


@pytest.fixture
def new_chat(new_page: Callable[..., Page], new_server: Callable[..., FakeServer]) -> Callable[..., Chat]:
    def make(**options: object) -> Chat:
        page = new_page(**options)
        server = new_server(page, conversation(3))
        for name in NAMES:
            sender = f"sender-of-account-{name.lower()}"
            account = {"userId": user_id(name), "name": name, "sender": sender, "senders": [sender]}
            server.add_account(f"access-{name}", account)
        sign_in(page, server, "Ada")
        return Chat(page, server)

    return make


@pytest.fixture
def chat(new_chat: Callable[..., Chat]) -> Chat:
    return new_chat()


# The lists.


def test_private_rooms_and_direct_messages_are_listed_apart_with_their_unread_messages(chat: Chat) -> None:
    team = chat.room("Team", "Ada")
    chat.room("Lunch", "Ada")
    chat.say("Ben", team, "One")
    chat.say("Ben", team, "Two")
    chat.direct("Grace", "Hello")
    chat.open()
    expect(listed(chat.page, "Private rooms")).to_have_text(["Team 2", "Lunch"])
    expect(listed(chat.page, "Direct messages")).to_have_text([re.compile("Grace 1")])
    expect(rooms(chat.page).get_by_role("link", name="Team 2 new")).to_have_attribute("href", f"#{team}")
    expect(chat.page).to_have_title("(3) #lobby · Chat")
    assert_icon(chat.page, "icon-unread.svg")


def test_a_list_that_is_refused_for_now_is_asked_for_again(chat: Chat) -> None:
    chat.room("Team", "Ada")

    def refuse_once(frame: Frame) -> bool:
        if frame["action"] != "rooms" or len(chat.server.sent("rooms")) > 1:
            return False
        chat.server.refuse(frame, code="rate_limited", error="Too many at once; try again in 1 s", retryAfterMs=100)
        return True

    chat.server.answers = refuse_once
    chat.open()
    expect(listed(chat.page, "Private rooms")).to_have_text(["Team"])


def test_a_message_in_a_room_that_is_not_open_counts_and_notifies_wherever_one_looks(chat: Chat) -> None:
    team = chat.room("Team", "Ada")
    chat.page.add_init_script("""
        localStorage["chat.notify"] = "true";
        window.shown = [];
        window.Notification = class { constructor(title, { body }) { shown.push([title, body]); } };
    """)
    chat.open()
    expect(listed(chat.page, "Private rooms")).to_have_text(["Team"])
    chat.say("Ben", team, "Are you there?")
    expect(listed(chat.page, "Private rooms")).to_have_text(["Team 1"])
    expect(chat.page).to_have_title("(1) #lobby · Chat")
    key = chat.direct("Grace", "Psst")
    expect(listed(chat.page, "Direct messages")).to_have_text([re.compile("Grace 1")])
    shown = [[text.strip("\u2068\u2069") for text in one] for one in chat.page.evaluate("shown")]
    assert shown == [["Ben\u2069 in Team", "Are you there?"], ["Grace", "Psst"]]
    assert {team, key} & set(chat.server.joined) == set()
    listed(chat.page, "Private rooms").click()
    expect(rows(chat.page)).to_have_count(1)
    chat.page.go_back()
    chat.say("Ben", team, "Still there?")
    expect(listed(chat.page, "Private rooms")).to_have_text(["Team 1"])
    assert [text for _, text in chat.page.evaluate("shown")] == ["Are you there?", "Psst", "Still there?"]


def test_what_was_displayed_is_reported_as_read_and_counts_no_more_on_another_device(
    chat: Chat, new_page: Callable[..., Page]
) -> None:
    team = chat.room("Team", "Ada")
    for text in ("One", "Two", "Three"):
        chat.say("Ben", team, text)
    chat.open()
    listed(chat.page, "Private rooms").first.click()
    expect(rows(chat.page)).to_have_count(3)
    expect(listed(chat.page, "Private rooms")).to_have_text(["Team"])
    other = new_page()
    chat.server.serve(other)
    sign_in(other, chat.server, "Ada")
    wait_for_read(chat, team, 3)
    other.goto(SITE)
    expect(listed(other, "Private rooms")).to_have_text(["Team"])


def test_a_hidden_tab_reports_nothing_as_read(chat: Chat) -> None:
    team = chat.room("Team", "Ada")
    chat.page.clock.install()
    chat.open(f"#{team}")
    hide_tab(chat.page)
    chat.say("Ben", team, "Unseen")
    expect(chat.page).to_have_title("(1) Team · Chat")
    chat.page.clock.run_for(5000)
    assert chat.server.sent("read") == []
    hide_tab(chat.page, hidden=False)
    expect(chat.page).to_have_title("Team · Chat")
    chat.page.clock.run_for(2000)
    wait_for_read(chat, team, 1)


def test_a_room_opens_by_its_key_and_shows_its_title_and_is_written_in_like_any_other(chat: Chat) -> None:
    team = chat.room("Team", "Ada")
    chat.say("Ben", team, "Hello Ada")
    chat.open(f"#{team}")
    expect(heading(chat.page)).to_have_text("Team")
    expect(chat.page).to_have_title("Team · Chat")
    expect(box(chat.page)).to_have_attribute("placeholder", "Message Team")
    expect(people(chat.page).get_by_role("listitem")).to_contain_text(["Ada", "Ben"])
    send(chat.page, "Hello Ben")
    expect(rows(chat.page)).to_contain_text(["Hello Ada", "Hello Ben"])
    chat.act("Ben", "typing", room=team)
    expect(chat.page.locator("#typing")).to_contain_text("Ben")
    chat.choose("Search")
    chat.page.get_by_label("Search this room").fill("hello")
    chat.page.keyboard.press("Enter")
    expect(chat.page.locator("#search").get_by_role("link")).to_have_count(2)
    assert chat.server.texts(team) == ["Hello Ada", "Hello Ben"]
    assert "Team" not in chat.page.url


def test_the_switcher_and_the_back_button_reach_private_rooms(chat: Chat) -> None:
    chat.room("Team", "Ada")
    chat.open()
    expect(listed(chat.page, "Private rooms")).to_have_count(1)
    chat.page.keyboard.press("Control+k")
    expect(dialog(chat.page, "Go to a room")).to_be_visible()
    chat.page.keyboard.type("tea")
    chat.page.keyboard.press("Enter")
    expect(heading(chat.page)).to_have_text("Team")
    chat.page.go_back()
    expect(heading(chat.page)).to_have_text("#lobby")
    expect(button(chat.page, "Share")).to_be_visible()


# Making a room, inviting.


def test_a_new_room_is_made_with_the_keyboard_and_opens(chat: Chat) -> None:
    chat.open()
    button(chat.page, "New private room").press("Enter")
    chat.page.keyboard.press("Enter")
    expect(alert(chat.page, "Enter a title")).to_be_visible()
    chat.page.keyboard.type("Book club")
    chat.page.keyboard.press("Enter")
    expect(heading(chat.page)).to_have_text("Book club")
    expect(listed(chat.page, "Private rooms")).to_have_text(["Book club"])
    expect(log(chat.page).or_(chat.page.locator("#empty")).get_by_text("Only members can read")).to_be_visible()
    assert chat.server.sent("createroom") == [{"action": "createroom", "title": "Book club", "sharesHistory": False}]


def test_inviting_by_name_never_tells_whether_there_is_such_an_account(chat: Chat) -> None:
    key = chat.room("Team", owner="Ada")
    chat.open(f"#{key}")
    chat.choose("Invite people")
    for name in ("Ben", "Nobody at all"):
        chat.page.get_by_label("Invite by name").fill(name)
        chat.page.keyboard.press("Enter")
        expect(dialog(chat.page, "Invite people").get_by_role("status")).to_have_text(
            "If an account with this name exists, it has been invited."
        )
        expect(chat.page.get_by_label("Invite by name")).to_have_value("")
    assert chat.act("Ben", "accept", room=key)[-1]["title"] == "Team"
    chat.page.keyboard.press("Escape")
    expect(log(chat.page)).to_contain_text("Ben\u2069 joined the room")
    expect(people(chat.page).get_by_role("listitem")).to_contain_text(["Ada", "Ben"])


def test_a_link_is_made_shown_once_and_revoked(chat: Chat) -> None:
    key = chat.room("Team", owner="Ada")
    chat.open(f"#{key}")
    chat.choose("Invite people")
    chat.page.get_by_label("People", exact=True).fill("0")
    button(chat.page, "Create link").click()
    expect(alert(chat.page, "Enter a number of people from 1 to 100.")).to_be_visible()
    chat.page.get_by_label("People", exact=True).fill("5")
    chat.page.get_by_label("Valid for").select_option("1 day")
    button(chat.page, "Create link").click()
    field = chat.page.get_by_label("Invitation link")
    expect(field).to_have_value(re.compile(rf"^{re.escape(SITE)}#invite={key}\.[\w-]{{16,}}$"))
    assert (chat.server.sent("createinvite")[0]["uses"], chat.server.sent("createinvite")[0]["hours"]) == (5, 24)
    token = field.input_value().split(".")[-1]
    button(chat.page, "Revoke link 1").click()
    expect(button(chat.page, "Revoke link 1")).to_be_hidden()
    expect(field).to_be_hidden()
    assert chat.act("Ben", "accept", room=key, token=token)[0]["code"] == "no_such_invitation"


def test_a_link_leaves_the_address_at_once_and_lets_one_join(chat: Chat) -> None:
    team = chat.room("Team", sharesHistory=True)
    chat.say("Ben", team, "Welcome")
    chat.open(f"#invite={team}.{chat.link(team)}")
    assert chat.page.url == SITE
    card = chat.page.get_by_role("region", name="Invitation")
    expect(card).to_contain_text("You have been invited to a private room")
    button(chat.page, "Join").press("Enter")
    expect(heading(chat.page)).to_have_text("Team")
    expect(rows(chat.page)).to_contain_text(["Welcome"])
    expect(card).to_be_hidden()
    assert "token" not in json.dumps(chat.page.evaluate("[{...sessionStorage}, {...localStorage}, history.state]"))


def test_a_link_that_is_used_up_says_so_in_one_sentence(chat: Chat) -> None:
    team = chat.room("Team")
    token = chat.link(team)
    chat.act("Grace", "accept", room=team, token=token)
    chat.open()
    chat.page.evaluate(f"location.hash = 'invite={team}.{token}'")
    button(chat.page, "Join").click()
    expect(alert(chat.page, "This invitation is no longer valid. Ask for a new one.")).to_be_visible()
    button(chat.page, "Not now").click()
    expect(chat.page.get_by_role("region", name="Invitation")).to_be_hidden()
    expect(chat.page).to_have_url(f"{SITE}#lobby")


def test_a_guest_signs_in_first_and_is_then_invited(
    new_page: Callable[..., Page], new_server: Callable[..., FakeServer], new_chat: Callable[..., Chat]
) -> None:
    host = new_chat()
    team = host.room("Team")
    guest = new_page(name=None)
    host.server.serve(guest)
    FakeLogin(host.server).serve(guest.context)
    guest.goto(f"{SITE}#{team}")
    card = guest.get_by_role("region", name="Sign in")
    expect(card).to_contain_text("This room is only for people with an account.")
    guest.evaluate(f"location.hash = 'invite={team}.{host.link(team)}'")
    expect(card).to_contain_text("You have been invited to a private room. Sign in to join it.")
    assert "invite" not in guest.url
    card.get_by_role("button", name="Sign in").click()
    guest.get_by_role("link", name="Ada", exact=True).click()
    button(guest, "Join").click()
    expect(heading(guest)).to_have_text("Team")


def test_an_invitation_by_name_is_a_card_in_the_list_to_accept_or_decline(chat: Chat) -> None:
    team, club = chat.room("Team"), chat.room("Club", owner="Grace")
    chat.act("Ben", "invite", room=team, name="Ada")
    chat.open()
    card = rooms(chat.page).get_by_role("article")
    expect(card).to_contain_text("Ben invites you to a private room.")
    chat.act("Grace", "invite", room=club, name="Ada")
    expect(card).to_have_count(2)
    card.filter(has_text="Grace").get_by_role("button", name="Decline").click()
    expect(card).to_have_count(1)
    card.get_by_role("button", name="Accept").click()
    expect(heading(chat.page)).to_have_text("Team")
    expect(card).to_have_count(0)
    expect(listed(chat.page, "Private rooms")).to_have_text(["Team"])


# Members and roles.


def test_an_owner_changes_roles_hands_over_and_removes(chat: Chat) -> None:
    team = chat.room("Team", "Ben", "Grace", owner="Ada")
    chat.open(f"#{team}")
    chat.choose("Room settings")
    expect(member(chat.page, "Ada")).to_contain_text("Owner, you")
    member(chat.page, "Ben").get_by_role("button", name="Ben: actions").click()
    button(chat.page, "Make moderator").click()
    expect(member(chat.page, "Ben")).to_contain_text("Moderator")
    member(chat.page, "Ben").get_by_role("button", name="Ben: actions").click()
    button(chat.page, "Make owner").click()
    expect(member(chat.page, "Ben")).to_contain_text("Owner")
    member(chat.page, "Grace").get_by_role("button", name="Grace: actions").click()
    button(chat.page, "Ban").click()
    dialog(chat.page, "Ban Grace?").get_by_role("button", name="Ban").click()
    expect(dialog(chat.page, "Room settings").get_by_role("heading", name="2 members")).to_be_visible()
    button(chat.page, "Unban Grace").click()
    expect(button(chat.page, "Unban Grace")).to_be_hidden()
    chat.page.get_by_label("Title").fill("Crew")
    button(chat.page, "Save").click()
    expect(dialog(chat.page, "Room settings").get_by_role("status")).to_have_text("Saved.")
    member(chat.page, "Ada").get_by_role("button", name="Ada: actions").click()
    button(chat.page, "Give up ownership").click()
    expect(button(chat.page, "Save")).to_be_hidden()
    chat.page.keyboard.press("Escape")
    expect(heading(chat.page)).to_have_text("Crew")
    notes = [
        "Ben\u2069 is now a moderator",
        "Ben\u2069 is now an owner",
        "Grace\u2069 was removed",
        "You are now a member",
    ]
    for note in notes:
        expect(log(chat.page)).to_contain_text(note)


def test_a_member_is_offered_nothing_that_the_role_does_not_allow(chat: Chat) -> None:
    team = chat.room("Team", "Ada", "Grace")
    chat.open(f"#{team}")
    heading(chat.page).get_by_role("button").click()
    expect(button(chat.page, "Room settings")).to_be_visible()
    expect(button(chat.page, "Invite people")).to_have_count(0)
    expect(button(chat.page, "Copy room link")).to_have_count(0)
    button(chat.page, "Room settings").click()
    member(chat.page, "Grace").get_by_role("button", name="Grace: actions").click()
    expect(dialog(chat.page, "Room settings").locator(".popup").get_by_role("button")).to_have_text(["Message Grace"])
    chat.page.keyboard.press("Escape")
    expect(button(chat.page, "Save")).to_have_count(0)
    chat.act("Ben", "setrole", room=team, userId=user_id("Ada"), role="moderator")
    expect(dialog(chat.page, "Room settings").get_by_role("button", name="Invite people")).to_be_visible()
    member(chat.page, "Grace").get_by_role("button", name="Grace: actions").click()
    expect(button(chat.page, "Remove")).to_be_visible()
    chat.page.keyboard.press("Escape")
    member(chat.page, "Ben").get_by_role("button", name="Ben: actions").click()
    expect(button(chat.page, "Remove")).to_have_count(0)


def test_the_last_owner_hands_over_before_leaving(chat: Chat) -> None:
    team = chat.room("Team", "Ben", owner="Ada")
    chat.open(f"#{team}")
    chat.choose("Leave this room")
    expect(chat.page.get_by_role("dialog")).to_contain_text("Make another member owner first")
    button(chat.page, "OK").click()
    assert chat.server.sent("quit") == []
    chat.act("Ada", "setrole", room=team, userId=user_id("Ben"), role="owner")
    chat.choose("Leave this room")
    chat.page.get_by_role("dialog").get_by_role("button", name="Leave room").click()
    expect(toast(chat.page)).to_contain_text("You have left")
    expect(heading(chat.page)).to_have_text("#lobby")
    expect(listed(chat.page, "Private rooms")).to_have_count(0)


# The end of a membership.


def test_a_removed_member_keeps_nothing_of_the_room_and_is_offered_what_was_not_sent(chat: Chat) -> None:
    team = chat.room("Team", "Ada")
    chat.say("Ben", team, "Nothing for strangers")
    chat.open(f"#{team}")
    expect(rows(chat.page)).to_have_count(1)
    chat.server.answers = lambda frame: frame["action"] == "sendmessage"
    send(chat.page, "Not sent yet")
    box(chat.page).fill("A draft")
    chat.act("Ben", "remove", room=team, userId=user_id("Ada"))
    closed = dialog(chat.page, "This room is closed")
    expect(closed).to_contain_text("You are no longer a member of “\u2068Team\u2069”.")
    expect(closed.get_by_label("Not sent: 2 messages")).to_have_value("Not sent yet\n\nA draft")
    closed.get_by_role("button", name="OK").click()
    expect(heading(chat.page)).to_have_text("#lobby")
    expect(listed(chat.page, "Private rooms")).to_have_count(0)
    chat.page.evaluate("() => window.dispatchEvent(new Event('pagehide'))")
    left = chat.page.evaluate("[document.body.outerHTML, {...localStorage}]")
    for trace in ("Nothing for strangers", "Not sent yet", "A draft", team):
        assert trace not in json.dumps(left)
    assert chat.page.url == f"{SITE}#lobby"
    chat.act("Ada", "accept", room=team, token=chat.link(team))
    chat.say("Ben", team, "Here you are again")
    listed(chat.page, "Private rooms").click()
    expect(rows(chat.page)).to_have_text([re.compile("Here you are again")])


def test_a_membership_that_ended_while_the_page_was_away_is_found_out_when_it_returns(chat: Chat) -> None:
    team, lunch = chat.room("Team", "Ada"), chat.room("Lunch", "Ada")
    chat.open(f"#{team}")
    chat.server.drop()
    expect(button(chat.page, "Try now")).to_be_visible()
    for room in (team, lunch):
        chat.act("Ben", "remove", room=room, userId=user_id("Ada"))
    chat.server.accepts = True
    button(chat.page, "Try now").click()
    expect(dialog(chat.page, "This room is closed")).to_be_visible()
    button(chat.page, "OK").click()
    expect(listed(chat.page, "Private rooms")).to_have_count(0)
    expect(heading(chat.page)).to_have_text("#lobby")


def test_a_key_of_nobodys_room_opens_the_last_room_and_says_one_sentence(chat: Chat) -> None:
    chat.open()
    chat.page.evaluate(f"location.hash = '{NOBODY}'")
    expect(toast(chat.page)).to_have_text("There is no such room, or you are not a member.")
    expect(heading(chat.page)).to_have_text("#lobby")
    expect(box(chat.page)).to_be_enabled()


# Direct messages.


def test_a_person_with_a_badge_is_written_to_from_the_list_and_from_a_message(chat: Chat) -> None:
    team = chat.room("Team", "Ada")
    chat.say("Ben", team, "Write to me")
    chat.open(f"#{team}")
    people(chat.page).get_by_role("button", name="Ben: actions").click()
    button(chat.page, "Message Ben").click()
    expect(heading(chat.page)).to_have_text("Ben")
    expect(chat.page).to_have_url(re.compile(r"#@[a-z2-7]{26}$"))
    send(chat.page, "Here I am")
    expect(listed(chat.page, "Direct messages")).to_have_text([re.compile("Ben")])
    chat.page.go_back()
    rows(chat.page).first.focus()
    rows(chat.page).first.get_by_role("button", name="Message menu").click()
    button(chat.page, "Message Ben").click()
    expect(rows(chat.page)).to_contain_text(["Here I am"])


def test_a_blocked_person_is_listed_in_the_account_menu_and_can_be_unblocked(chat: Chat) -> None:
    key = chat.direct("Ben", "Buy now!")
    chat.open(f"#{key}")
    chat.choose("Block Ben")
    dialog(chat.page, "Block Ben?").get_by_role("button", name="Block").click()
    expect(toast(chat.page)).to_have_text("Ben is blocked.")
    assert chat.act("Ben", "direct", userId=user_id("Ada"))[0]["code"] == "no_such_room"
    button(chat.page, "Account: Ada").click()
    button(chat.page, "Blocked people").click()
    button(chat.page, "Unblock Ben").click()
    expect(dialog(chat.page, "Blocked people")).to_contain_text("You have blocked nobody.")


# Everyone.


@pytest.mark.parametrize(("scheme", "width"), [("dark", 360), ("light", 1440)])
def test_axe_finds_nothing_and_the_focus_returns(new_chat: Callable[..., Chat], scheme: str, width: int) -> None:
    chat = new_chat(color_scheme=scheme, reduced_motion="reduce", viewport={"width": width, "height": 740})
    team = chat.room("Team", "Ben", "Grace", owner="Ada")
    chat.act("Ada", "remove", room=team, userId=user_id("Grace"), ban=True)
    chat.direct("Ben", "Hello")
    chat.act("Ben", "invite", room=chat.room("Club"), name="Ada")
    chat.open(f"#{team}")
    expect(people(chat.page) if width > 1000 else heading(chat.page)).to_be_visible()
    assert_accessible(chat.page)
    if width < 1000:
        button(chat.page, "Rooms").click()
    expect(rooms(chat.page).get_by_role("article")).to_be_visible()
    assert_accessible(chat.page)
    button(chat.page, "New private room").click()
    assert_accessible(chat.page)
    chat.page.keyboard.press("Escape")
    for item, name in (("Room settings", "Room settings"), ("Invite people", "Invite people")):
        chat.choose(item)
        expect(dialog(chat.page, name)).to_be_visible()
        expect(
            dialog(chat.page, name).get_by_role("listitem").or_(dialog(chat.page, name).locator("select")).first
        ).to_be_visible()
        assert_accessible(chat.page)
        small = chat.page.evaluate("""() => [...document.querySelectorAll("dialog[open] :is(button, input, select)")]
            .filter(each => each.checkVisibility() && each.type !== "checkbox")
            .map(each => each.getBoundingClientRect())
            .filter(({ width, height }) => Math.min(width, height) < 24).length""")
        assert small == 0
        chat.page.keyboard.press("Escape")
        expect(heading(chat.page).get_by_role("button")).to_be_focused()
    assert chat.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_signing_out_leaves_nothing_of_the_private_rooms(chat: Chat) -> None:
    team = chat.room("Team", "Ada")
    chat.say("Ben", team, "Nothing for strangers")
    chat.open(f"#{team}")
    expect(rows(chat.page)).to_have_count(1)
    chat.page.add_init_script("delete sessionStorage['chat.account']")
    button(chat.page, "Account: Ada").click()
    button(chat.page, "Sign out").click()
    expect(chat.page.get_by_role("banner").get_by_role("button", name="Sign in")).to_be_visible()
    kept = json.dumps(chat.page.evaluate("[{...localStorage}, {...sessionStorage}, document.body.outerHTML]"))
    for trace in ("Nothing for strangers", "Team", team):
        assert trace not in kept
    expect(room_panel(chat.page)).to_be_hidden()
