"""Screenshots of the page during conversations."""

from collections.abc import Iterable, Mapping

from playwright.sync_api import Page, expect

from chat_client.websocket import ChatSocket
from docgen import PICTURES
from docgen.demo_stack import PHONE, DemoStack, look
from docgen.drawing import side_by_side, terminal, terminal_height
from docgen.tables_and_logs import logs_command, scan_command
from tests.browser.controls import box, button, hide_tab, open_server, rows, send

ROOM = "saturday-hike"
LOG_LINES = 6
TERMINAL_WIDTH = 1200
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
    """Write the screenshots in docs/pictures/."""
    mira, jonas, priya = (stack.client(name, ROOM) for name in ("Mira", "Jonas", "Priya"))
    ada = stack.person("Ada", ROOM, device_scale_factor=2)
    bo = stack.person("Bo", ROOM)
    talk({"Ada": ada, "Bo": bo, "Mira": mira, "Jonas": jonas, "Priya": priya}, TALK)
    _leave_unread(stack, ada)
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
    make_terminals(stack)
    _status(stack)


def shoot(page: Page, name: str) -> None:
    """Save a screenshot, at the resolution of the page's context."""
    page.screenshot(path=PICTURES / name, animations="disabled")


def talk(people: Mapping[str, Page | ChatSocket], lines: Iterable[tuple[str, str]]) -> None:
    """Send messages in turn, each once every page shows the one before."""
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


def _leave_unread(stack: DemoStack, page: Page) -> None:
    """Open other rooms in further tabs of the same person, and leave messages unread in one."""
    for room, messages in (("lobby", ()), ("book-club", ("Chapter nine, anyone?", "I am two chapters behind …"))):
        tab = stack.tab(page.context.new_page(), room)
        hide_tab(tab)
        client = stack.client("Jonas", room)
        for text in messages:
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
            ("Bo", "Yes, at once. And you?"),
            ("Ada", "Me too. Same messages, same order, in both tabs."),
        ),
    )
    box(right).press_sequentially("So let us tal", delay=300)  # one typing notice in 3 s
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


def _status(stack: DemoStack) -> None:
    page = stack.person("Cleo", "two-tabs", viewport={"width": 900, "height": 460})
    open_server(page)
    shoot(page, "status.png")
    page.context.close()


def make_terminals(stack: DemoStack) -> None:
    """Save pictures of the tables and a log in docs/pictures/; the room `two-tabs` has messages."""
    tables = "\n\n".join(
        scan_command(stack.stack, table, columns)
        for table, columns in (
            ("ActiveConnections", ("connectionId", "timestamp", "room", "name")),
            ("MessageHistory", ("timestamp", "room", "name", "message")),
        )
    )
    for name, text, title in (
        ("tables.png", tables, "The tables"),
        ("logs.png", logs_command(stack.stack, "ChatAppSendMessage", LOG_LINES), "The log of a function"),
    ):
        size = (TERMINAL_WIDTH, terminal_height(TERMINAL_WIDTH, text))
        window = side_by_side([terminal(size, text)], [title])
        window.save(PICTURES / name, optimize=True)
