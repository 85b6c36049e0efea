"""Private rooms on the local stack: two accounts, a link, messages, a direct conversation, a removal."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from local.process import Stack
from tests.browser.controls import box, button, people, rows, send, status
from tests.browser.test_private_rooms import dialog, heading, listed, member
from tests.browser.test_sign_in import sign_in_button
from tests.browser.test_sign_in_local import log_in, take_name

pytestmark = pytest.mark.browser


def signed_in(page: Page, stack: Stack, index: int, name: str) -> Page:
    """Sign in, and take a name."""
    page.goto(stack.site_url)
    expect(status(page)).to_have_text("Connected")
    sign_in_button(page).click()
    log_in(page, stack, index)
    take_name(page, name)
    return page


def test_two_people_meet_in_a_private_room_until_one_is_removed(
    new_page: Callable[..., Page], accounts_stack: Stack, room: str
) -> None:
    ada, ben = (
        signed_in(new_page(name=None), accounts_stack, index, f"{name} {room}")
        for index, name in enumerate(("Ada", "Ben"))
    )
    button(ada, "New private room").click()
    ada.get_by_role("textbox", name="Title").fill(f"Team {room}")
    ada.keyboard.press("Enter")
    expect(heading(ada)).to_have_text(f"Team {room}")
    expect(box(ada)).to_be_enabled()
    send(ada, "Before Ben")
    expect(rows(ada)).to_have_count(1)
    heading(ada).get_by_role("button").click()
    ada.locator("#room").get_by_role("button", name="Invite people").click()
    button(ada, "Create link").click()
    expect(ada.get_by_label("Invitation link")).to_have_value(re.compile(r"#invite=~[a-z2-7]{26}\.[\w-]+$"))
    link = ada.get_by_label("Invitation link").input_value()
    ada.keyboard.press("Escape")

    ben.evaluate("link => { location.href = link; }", link)
    button(ben, "Join").click()
    expect(heading(ben)).to_have_text(f"Team {room}")
    expect(people(ben).get_by_role("listitem")).to_have_count(2)
    expect(people(ada).get_by_role("listitem")).to_have_count(2)
    send(ada, "Welcome")
    expect(rows(ben)).to_contain_text(["Welcome"])
    expect(rows(ben)).to_have_count(1)

    people(ben).get_by_role("button", name=re.compile("actions$")).click()
    button(ben, f"Message Ada {room}").click()
    expect(heading(ben)).to_have_text(f"Ada {room}")
    expect(box(ben)).to_be_enabled()
    send(ben, "Only for you")
    direct = ada.get_by_role("link", name=f"Ben {room} 1 new")
    expect(direct).to_be_visible()
    listed(ben, "Private rooms").filter(has_text=room).click()

    heading(ada).get_by_role("button").click()
    ada.locator("#room").get_by_role("button", name="Room settings").click()
    member(ada, f"Ben {room}").get_by_role("button", name=re.compile("actions$")).click()
    button(ada, "Ban").click()
    dialog(ada, f"Ban Ben {room}?").get_by_role("button", name="Ban").click()
    expect(dialog(ben, "This room is closed")).to_contain_text("You are no longer a member")
    button(ben, "OK").click()
    expect(listed(ben, "Private rooms").filter(has_text=room)).to_have_count(0)
    expect(button(ada, f"Unban Ben {room}")).to_be_visible()
    ada.keyboard.press("Escape")
    direct.click()
    expect(rows(ada)).to_contain_text(["Only for you"])
