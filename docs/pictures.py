"""Screenshots of the page while people talk."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from playwright.sync_api import Page, expect

from chat_client.websocket import ChatSocket
from docs.browser import box, button, hide_tab, rows, send
from docs.demo_stack import PHONE, DemoStack, look
from docs.drawing import side_by_side

PICTURES = Path(__file__).resolve().parent / "pictures"
ROOM = "saturday-hike"
TALK = (
    ("Mira", "Morning! The forecast says dry until four ☀️"),
    ("Mira", "So I'd take the ridge path up and the forest down"),
    ("Jonas", "Ridge it is. Train at 8:40, platform 3?"),
    ("Ada", "Works for me. I'll bring the big thermos"),
    ("Bo", "The thermos gets my vote ☕"),
    ("Priya", "Both huts are marked here: https://example.org/ridge-map"),
    ("Bo", "Perfect, thank you! Who has the first-aid kit?"),
    ("Jonas", "I do. And a spare rain jacket, just in case"),
    ("Ada", "Then only the cake is missing. Lemon or walnut?"),
    ("Priya", "Lemon 🍋"),
    ("Bo", "Lemon. Unanimously."),
)


def make_pictures(stack: DemoStack) -> None:
    """Make every screenshot in docs/pictures/."""
    mira, jonas, priya = (stack.client(name, ROOM) for name in ("Mira", "Jonas", "Priya"))
    ada = stack.person("Ada", ROOM, device_scale_factor=2)
    bo = stack.person("Bo", ROOM)
    talk({"Ada": ada, "Bo": bo, "Mira": mira, "Jonas": jonas, "Priya": priya}, TALK)
    _elsewhere(stack, ada)
    mira.send("typing")
    expect(ada.get_by_text("is typing")).to_be_visible()
    shoot(ada, "page-light.png")
    ada.emulate_media(color_scheme="dark")
    mira.send("typing")
    expect(ada.get_by_text("is typing")).to_be_visible()
    shoot(ada, "page-dark.png")
    _two_tabs(stack)
    _phone(stack)
    _offline(stack)


def shoot(page: Page, name: str) -> None:
    """Keep what a page shows, at the resolution of its context."""
    page.screenshot(path=PICTURES / name, animations="disabled")


def talk(people: Mapping[str, Page | ChatSocket], lines: Iterable[tuple[str, str]]) -> None:
    """Let people speak in turn, each once the one before was read by all who have a page."""
    pages = [one for one in people.values() if isinstance(one, Page)]
    for who, text in lines:
        speaker = people[who]
        if isinstance(speaker, Page):
            send(speaker, text)
        else:
            speaker.send_message(text)
        for page in pages:
            expect(rows(page).last).to_contain_text(text)
            expect(rows(page).last).not_to_contain_text("Sending")


def _elsewhere(stack: DemoStack, page: Page) -> None:
    """Let other rooms go on in other tabs of the same person, one of them unread."""
    for room, said in (("lobby", ()), ("book-club", ("Chapter nine, anyone?", "I am two chapters behind …"))):
        tab = stack.tab(page.context.new_page(), room)
        hide_tab(tab)
        client = stack.client("Jonas", room)
        for text in said:
            client.send_message(text)
            expect(tab.get_by_role("log")).to_contain_text(text)
    expect(page.get_by_role("navigation", name="Rooms")).to_contain_text("2")
    page.bring_to_front()
    box(page).focus()


def _two_tabs(stack: DemoStack) -> None:
    room = "two-tabs"
    options = {"viewport": {"width": 620, "height": 640}}
    left = stack.person("Ada", room, **options)
    right = stack.person("Bo", room, **options, color_scheme="dark")
    talk(
        {"Ada": left, "Bo": right},
        (
            ("Ada", "Hello Bo, can you read this?"),
            ("Bo", "At once. And you?"),
            ("Ada", "Likewise. The same lines in the same order, on both sides."),
        ),
    )
    box(right).press_sequentially("Then let us tal", delay=300)  # one typing notice in 3 s
    expect(left.get_by_text("is typing")).to_be_visible()
    both = side_by_side([look(left), look(right)], ["Tab 1: Ada", "Tab 2: Bo"])
    both.save(PICTURES / "two-tabs.png", optimize=True)


def _phone(stack: DemoStack) -> None:
    page = stack.person("Noor", ROOM, viewport=PHONE, is_mobile=True, has_touch=True, device_scale_factor=2)
    shoot(page, "phone-light.png")
    page.emulate_media(color_scheme="dark")
    shoot(page, "phone-dark.png")
    page.context.close()


def _offline(stack: DemoStack) -> None:
    page = stack.person("Bo", "two-tabs", can_cut=True, viewport={"width": 900, "height": 520})
    expect(rows(page)).to_have_count(3)
    box(page).fill("The train leaves in")
    stack.connection_of(page).cut()
    expect(button(page, "Try now")).to_be_visible()
    shoot(page, "offline.png")
    page.context.close()
