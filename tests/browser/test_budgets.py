"""Budgets for bytes, requests, layout shifts and DOM size."""

import gzip
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.controls import box, open_room_panel, rows
from tests.browser.fake_server import FakeServer, conversation
from tests.browser.files import CONFIG, FRONTEND
from tests.browser.flood import flood

pytestmark = pytest.mark.browser
MAX_COMPRESSED_BYTES = 94 * 1024
"""Of a first visit, with each file compressed by gzip -6, as a CDN does."""
MAX_REQUESTS = 72
ON_DEMAND = {
    "model/emoji-data.js",
    "model/past.js",
    "model/search.js",
    "model/shortcuts.js",
    "views/dialog.js",
    "views/room-switcher.js",
    "views/search-panel.js",
    "views/shortcuts-dialog.js",
}
"""Modules that are imported on demand."""
MAX_ROWS = 400
MAX_SHIFT = 0.01
MAX_TASK_MS = 500
"""Ten times the budget of 50 ms, because the test machine is busy."""


def first_visit(page: Page, site_url: str) -> list[str]:
    """Open the page and return the requested URLs, including those that only a headed browser requests."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(site_url)
    expect(box(page)).to_be_enabled()
    expect(rows(page)).to_have_count(3)
    return [*asked, *(f"{site_url}{name}" for name in ("manifest.webmanifest",) if f"{site_url}{name}" not in asked)]


def test_a_first_visit_transfers_at_most_94_kb_compressed(
    page: Page, site_url: str, new_server: Callable[..., FakeServer]
) -> None:
    new_server(page, conversation(3))
    asked = {address.removeprefix(site_url) or "index.html" for address in first_visit(page, site_url)}
    assert {"styles.css", "app.js", "client/session.js"} < asked
    compressed = {name: len(gzip.compress((FRONTEND / name).read_bytes(), 6)) for name in asked - {"config.json"}}
    assert sum(compressed.values()) + len(CONFIG) <= MAX_COMPRESSED_BYTES, compressed


def test_a_first_visit_makes_at_most_72_requests_all_to_its_own_origin(
    page: Page, site_url: str, new_server: Callable[..., FakeServer]
) -> None:
    new_server(page, conversation(3))
    asked = first_visit(page, site_url)
    assert {f"{site_url}config.json", f"{site_url}icon.svg"} <= set(asked)
    assert all(address.startswith(site_url) for address in asked)
    twice = {address for address in asked if asked.count(address) > 1}
    assert twice <= {f"{site_url}icon.svg"}  # of the tab and in the bar, which Chromium takes from its cache
    assert len(asked) <= MAX_REQUESTS, asked


def test_on_demand_modules_are_loaded_on_demand_and_not_on_a_first_visit(
    page: Page, site_url: str, new_server: Callable[..., FakeServer]
) -> None:
    new_server(page, conversation(3))
    asked = first_visit(page, site_url)
    on_demand = {f"{site_url}{name}" for name in ON_DEMAND}
    assert not on_demand & set(asked)
    page.on("request", lambda request: asked.append(request.url))
    box(page).press_sequentially(":tad")
    expect(page.get_by_role("option", name=":tada:")).to_be_visible()
    box(page).fill("")
    page.keyboard.press("Control+k")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    rows(page).first.focus()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    page.keyboard.press("Escape")
    open_room_panel(page).get_by_role("button", name="Jump to a date").click()
    expect(page.get_by_label("Jump to a date")).to_be_visible()
    page.keyboard.press("Escape")
    page.evaluate("location.hash = 'lobby/999'")
    expect(page.get_by_text("This message has expired or never existed.")).to_be_visible()
    assert on_demand <= set(asked)


def test_every_module_is_preloaded(page: Page, site_url: str, new_server: Callable[..., FakeServer]) -> None:
    new_server(page)
    page.goto(site_url)
    expect(box(page)).to_be_enabled()
    named = page.evaluate(
        "() => [...document.querySelectorAll('link[rel=modulepreload], script')].map(each => each.href || each.src)"
    )
    loaded = page.evaluate(
        "() => performance.getEntriesByType('resource').map(each => each.name).filter(name => name.endsWith('.js'))"
    )
    assert sorted(loaded) == sorted(named)


@pytest.mark.parametrize("width", [360, 1440])
@pytest.mark.parametrize("name", [None, "Bo"])
def test_nothing_moves_while_the_page_fills(
    new_page: Callable[..., Page], site_url: str, width: int, name: str | None, new_server: Callable[..., FakeServer]
) -> None:
    page = new_page(name=name, viewport={"width": width, "height": 740})
    page.add_init_script("""
        const rooms = ["lobby", "tea"].map(room => ({ room, at: 1, last: 3, read: 1 }));
        if (location.host) localStorage["chat.rooms"] ??= JSON.stringify(rooms);
        window.shift = 0;
        new PerformanceObserver(list => {
            for (const { value } of list.getEntries()) window.shift += value;
        }).observe({ type: "layout-shift", buffered: true });
    """)
    server = new_server(page, conversation(60))
    server.fill("lobby", ["Ada"])
    page.goto(site_url)
    expect(rows(page)).to_have_count(50)
    expect(box(page)).to_be_enabled()
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    assert page.evaluate("window.shift") < MAX_SHIFT


def test_a_flood_of_messages_leaves_the_page_usable(page: Page, site_url: str) -> None:
    measured = flood(page, site_url, 1000)
    assert measured.rows == MAX_ROWS
    assert measured.longest_task_ms < MAX_TASK_MS
    expect(rows(page).last).to_contain_text("Message 1000 of the flood")
    expect(rows(page).last).to_be_in_viewport()
