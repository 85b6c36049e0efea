"""The page's controls, found by role and name. The only place with their names."""

import re

from playwright.sync_api import Locator, Page, expect


def box(page: Page) -> Locator:
    return page.get_by_role("textbox", name="Message", exact=True)


def log(page: Page) -> Locator:
    return page.get_by_role("log")


def rows(page: Page) -> Locator:
    return log(page).get_by_role("article")


def status(page: Page) -> Locator:
    return page.get_by_role("status")


def button(page: Page, name: str) -> Locator:
    return page.get_by_role("button", name=name, exact=True)


def alert(page: Page, text: str) -> Locator:
    """Return an alert with a text."""
    return page.get_by_role("alert").filter(has_text=text)


def toast(page: Page) -> Locator:
    """Return the toast."""
    return page.locator("#toast")


def server_button(page: Page) -> Locator:
    """Return the status pill's button, which opens the server's panel."""
    return page.get_by_role("button", name=re.compile("^Server:"))


def server_panel(page: Page) -> Locator:
    return page.get_by_role("form", name="Server")


def url_field(page: Page) -> Locator:
    return page.get_by_label("WebSocket URL")


def open_server(page: Page) -> Locator:
    """Open the server's panel, if it is not open."""
    if not server_panel(page).is_visible():
        server_button(page).click()
    expect(server_panel(page)).to_be_visible()
    return server_panel(page)


def connect(page: Page, url: str | None = None) -> None:
    """Press Connect in the server panel, optionally with another URL; the panel then closes."""
    open_server(page)
    if url is not None:
        url_field(page).fill(url)
    button(page, "Connect").click()


def disconnect(page: Page) -> None:
    open_server(page)
    button(page, "Disconnect").click()
    page.keyboard.press("Escape")
    expect(server_panel(page)).to_be_hidden()


def rooms(page: Page) -> Locator:
    return page.get_by_role("navigation", name="Rooms")


def people(page: Page) -> Locator:
    return page.get_by_role("complementary", name="People")


def open_room(page: Page, name: str) -> None:
    """Open a room by typing its name."""
    page.get_by_label("Open a room").fill(name)
    page.keyboard.press("Enter")


def room_panel(page: Page) -> Locator:
    return page.get_by_role("region", name="#")


def open_room_panel(page: Page) -> Locator:
    """Open the panel of the current room by its title."""
    page.get_by_role("heading", level=1).get_by_role("button").click()
    expect(room_panel(page)).to_be_visible()
    return room_panel(page)


def open_settings(page: Page) -> Locator:
    """Open the settings; on a phone they are in the rooms drawer."""
    if not button(page, "Settings").is_visible():
        button(page, "Rooms").click()
    button(page, "Settings").click()
    dialog = page.get_by_role("dialog", name="Settings")
    expect(dialog).to_be_visible()
    return dialog


def sound(page: Page) -> Locator:
    return page.get_by_label("Play a sound")


def notifications(page: Page) -> Locator:
    return page.get_by_label("Show notifications")


def name_field(page: Page) -> Locator:
    return page.get_by_label("Your name")


def assert_icon(page: Page, name: str) -> None:
    """Wait until the tab has an icon."""
    expect(page.locator("link[rel=icon]")).to_have_attribute("href", re.compile(rf"(^|/){re.escape(name)}$"))


def send(page: Page, text: str) -> None:
    box(page).fill(text)
    box(page).press("Enter")


def scroll_up(page: Page) -> None:
    """Scroll to the top, like the Home key."""
    log(page).evaluate("log => { log.scrollTop = 0 }")


def scroll_top(page: Page) -> float:
    return float(log(page).evaluate("log => log.scrollTop"))


def below_view(page: Page) -> float:
    """Return how many pixels of the conversation are below the viewport."""
    return float(log(page).evaluate("log => log.scrollHeight - log.clientHeight - log.scrollTop"))


def hide_tab(page: Page, *, hidden: bool = True) -> None:
    """Make the page believe that its tab is in the background, which headless Chromium cannot do."""
    page.evaluate(
        """hidden => {
            Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
            document.hasFocus = () => !hidden;
            document.dispatchEvent(new Event("visibilitychange"));
        }""",
        hidden,
    )
