"""Screenshots of a private room, its invitation dialog and an unread direct message: two people with accounts."""

import re

from playwright.sync_api import Locator, Page, expect

from docgen import PICTURES
from docgen.demo_stack import DemoStack, look
from docgen.drawing import in_palette
from docgen.pictures import talk
from tests.browser.controls import box, button, people, rooms, rows, send, status

OPTIONS = ("--config", "sign_in=optional")
"""Options of the local run that turn accounts on."""
TITLE = "Mira's birthday"
OTHER_TITLE = "Choir tour"
TALK = (
    ("Ada", "So this room is only for us. Mira must not hear a word 🤫"),
    ("Ben", "She won't hear one from me. Saturday or Sunday?"),
    ("Ada", "Saturday at seven. She thinks she's helping me move a bookshelf"),
    ("Ben", "Poor Mira 😄 Is there a bookshelf?"),
    ("Ada", "There is now. I had to buy one"),
    ("Ben", "Then I'll bring the lights and a speaker. And a screwdriver"),
    ("Ada", "Perfect. Jonas knows about cakes, so I'll invite him too"),
)
OTHER_TALK = ("The bus leaves at nine, from the north door", "I've put your case on the list")
DIRECT = "Shall we go halves on her present?"


def make_account_pictures(stack: DemoStack) -> None:
    """Write the screenshots of accounts in docs/pictures/; the stack runs with OPTIONS."""
    ada = _signed_in(stack, 0, "Ada", scale=2)
    ben = _signed_in(stack, 1, "Ben")
    for title in (OTHER_TITLE, TITLE):
        _create_room(ada, title)
        ben.evaluate("link => { location.href = link; }", _invitation_link(ada))
        ada.keyboard.press("Escape")
        button(ben, "Join").click()
        _wait_for_room(ben, title)
    expect(people(ada).get_by_role("listitem")).to_have_count(2)
    talk({"Ada": ada, "Ben": ben}, TALK)
    _leave_unread(ben)
    _wait_for_room(ada, TITLE)
    expect(rooms(ada).get_by_role("link", name=f"{OTHER_TITLE} {len(OTHER_TALK)} new")).to_be_visible()
    expect(rooms(ada).get_by_role("link", name="Ben 1 new")).to_be_visible()
    ada.mouse.move(0, 0)
    box(ada).focus()
    _shoot(ada, "private-room-light.png")
    ada.emulate_media(color_scheme="dark")
    _shoot(ada, "private-room-dark.png")
    ada.emulate_media(color_scheme="light")
    _invitation_link(ada, name="Jonas")
    ada.mouse.move(0, 0)
    _shoot(ada, "invitation.png")


def _shoot(page: Page, name: str) -> None:
    """Save a screenshot in 256 colours, which is a third of the size."""
    in_palette(look(page)).save(PICTURES / name, optimize=True)


def _signed_in(stack: DemoStack, index: int, name: str, scale: float = 1) -> Page:
    """Return a page that has signed in with an account of the local run; it takes the guest's name."""
    page = stack.person(name, "lobby", device_scale_factor=scale)
    account = stack.stack.outputs["accounts"][index]
    page.get_by_role("banner").get_by_role("button", name="Sign in", exact=True).click()
    page.get_by_label("Username").fill(account["username"])
    button(page, "Next").click()
    page.get_by_label("Password").fill(account["password"])
    button(page, "Sign in").click()
    expect(button(page, f"Account: {name}")).to_be_visible()
    expect(box(page)).to_be_enabled()
    return page


def _heading(page: Page) -> Locator:
    return page.get_by_role("heading", level=1)


def _wait_for_room(page: Page, title: str) -> None:
    expect(_heading(page)).to_have_text(title)
    expect(status(page)).to_have_text("Connected")
    expect(box(page)).to_be_enabled()


def _create_room(page: Page, title: str) -> None:
    button(page, "New private room").click()
    page.get_by_role("textbox", name="Title").fill(title)
    page.keyboard.press("Enter")
    _wait_for_room(page, title)


def _invitation_link(page: Page, *, name: str = "") -> str:
    """Open the invitation dialog of the current room, enter a name without inviting it, and create a link."""
    _heading(page).get_by_role("button").click()
    page.locator("#room").get_by_role("button", name="Invite people").click()
    page.get_by_label("Invite by name").fill(name)
    button(page, "Create link").click()
    link = page.get_by_label("Invitation link")
    expect(link).to_have_value(re.compile("#invite="))
    expect(page.get_by_role("button", name="Revoke link")).not_to_have_count(0)
    return link.input_value()


def _leave_unread(ben: Page) -> None:
    """Write to Ada where she is not looking: in the other room, and directly."""
    rooms(ben).get_by_role("link", name=OTHER_TITLE).click()
    _wait_for_room(ben, OTHER_TITLE)
    for text in OTHER_TALK:
        send(ben, text)
        expect(rows(ben).last).to_contain_text(text)
        expect(rows(ben).last).not_to_contain_text("Sending")
    people(ben).get_by_role("button", name=re.compile("actions$")).click()
    button(ben, "Message Ada").click()
    _wait_for_room(ben, "Ada")
    send(ben, DIRECT)
    expect(rows(ben).last).not_to_contain_text("Sending")
