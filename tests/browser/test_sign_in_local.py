"""Signing in and out on the local stack, at the login pages of the emulator, with its two accounts."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from local.process import Stack
from tests.browser.controls import box, button, name_field, rows, send, status
from tests.browser.test_sign_in import account_button, card, marks, menu, sign_in_button

pytestmark = pytest.mark.browser


@pytest.fixture
def new_person(new_page: Callable[..., Page], accounts_stack: Stack, room: str) -> Callable[[], Page]:
    """Create people who have opened one room of the stack with sign-in."""

    def make() -> Page:
        page = new_page()
        page.goto(f"{accounts_stack.site_url.rstrip('/')}/#{room}")
        expect(status(page)).to_have_text("Connected")
        expect(box(page)).to_be_enabled()
        return page

    return make


def log_in(page: Page, stack: Stack, index: int) -> None:
    """Fill in the login pages."""
    account = stack.outputs["accounts"][index]
    page.get_by_label("Username").fill(account["username"])
    button(page, "Next").click()
    page.get_by_label("Password").fill(account["password"])
    button(page, "Sign in").click()
    expect(page.get_by_role("button", name="Account: ")).to_be_visible()
    expect(box(page)).to_be_enabled()


def take_name(page: Page, name: str) -> None:
    """Change the account's name."""
    page.get_by_role("button", name="Account: ").click()
    menu(page).get_by_role("button", name="Change name").click()
    name_field(page).fill(name)
    button(page, "Save").click()
    expect(account_button(page, name)).to_be_visible()


def test_a_guest_signs_in_stays_the_author_and_is_known_by_the_badge(
    new_person: Callable[[], Page], accounts_stack: Stack, room: str
) -> None:
    ada, guest = new_person(), new_person()
    send(ada, "Written as a guest")
    expect(rows(guest)).to_have_count(1)
    sign_in_button(ada).click()
    button(ada, "Continue to sign in").click()
    log_in(ada, accounts_stack, 0)
    assert ada.url == f"{accounts_stack.site_url.rstrip('/')}/#{room}"
    take_name(ada, f"Ada of {room}")
    send(ada, "Written with an account")
    expect(rows(ada).locator("xpath=self::*[contains(@class, 'own')]")).to_have_count(2)
    expect(rows(guest)).to_have_count(2)
    expect(marks(rows(guest))).to_have_text([f"Ada of {room}"])
    assert "access" not in str(ada.evaluate("Object.entries(localStorage)"))

    account_button(ada, f"Ada of {room}").click()
    menu(ada).get_by_role("button", name="Sign out everywhere").click()
    expect(sign_in_button(ada)).to_be_visible()
    expect(box(ada)).to_be_enabled()
    assert ada.evaluate("sessionStorage.length") == 0
    assert not [key for key in ada.evaluate("Object.keys(localStorage)") if "@" in key]


def test_two_accounts_meet_and_signing_out_everywhere_reaches_another_browser(
    new_person: Callable[[], Page], accounts_stack: Stack
) -> None:
    one, other = new_person(), new_person()
    for page in (one, other):
        sign_in_button(page).click()
        log_in(page, accounts_stack, 1)
    one.get_by_role("button", name="Account: ").click()
    menu(one).get_by_role("button", name="Sign out everywhere").click()
    expect(sign_in_button(one)).to_be_visible()
    expect(card(other)).to_contain_text("You were signed out everywhere.")
    expect(sign_in_button(other)).to_be_visible()
