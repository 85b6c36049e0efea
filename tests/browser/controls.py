"""The page's controls as a person finds them: by role and name. The one place that knows how they are called."""

from playwright.sync_api import Locator, Page


def box(page: Page) -> Locator:
    return page.get_by_role("textbox", name="Message", exact=True)


def log(page: Page) -> Locator:
    return page.get_by_role("log")


def rows(page: Page) -> Locator:
    return log(page).get_by_role("article")


def status(page: Page) -> Locator:
    return page.get_by_role("status")


def url_field(page: Page) -> Locator:
    return page.get_by_label("WebSocket URL")


def button(page: Page, name: str) -> Locator:
    return page.get_by_role("button", name=name, exact=True)


def send(page: Page, text: str) -> None:
    box(page).fill(text)
    box(page).press("Enter")


def scroll_up(page: Page) -> None:
    """Go to the top of what is shown, as with the Home key."""
    log(page).evaluate("log => { log.scrollTop = 0 }")


def scroll_top(page: Page) -> float:
    return float(log(page).evaluate("log => log.scrollTop"))


def below_view(page: Page) -> float:
    """Return how many pixels of the conversation lie below what is seen."""
    return float(log(page).evaluate("log => log.scrollHeight - log.clientHeight - log.scrollTop"))


def hide_tab(page: Page, *, hidden: bool = True) -> None:
    """Make the page believe that another tab is in front of it; Chromium has no switch for it when headless."""
    page.evaluate(
        """hidden => {
            Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
            document.hasFocus = () => !hidden;
            document.dispatchEvent(new Event("visibilitychange"));
        }""",
        hidden,
    )
