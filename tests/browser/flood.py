"""A room in which many messages arrive at once, with the tests' server inside the page itself.

`python -m tests.browser.flood ADDRESS` measures the whole 10,000 messages at 200 a second.
"""

import argparse
import json
from dataclasses import dataclass

from playwright.sync_api import Page, sync_playwright

from tests.browser.chromium import ARGUMENTS, executable
from tests.browser.files import MODULES

PER_SECOND = 200

SERVER = (MODULES / "server.js").read_text(encoding="utf-8").replace("export ", "")
SOCKET = """
window.flood = { longest: 0, sent: 0, server: new FakeServer() };
new PerformanceObserver(list => {
    for (const { duration } of list.getEntries()) flood.longest = Math.max(flood.longest, duration);
}).observe({ type: "longtask" });
window.WebSocket = class {
    readyState = 0;
    constructor() {
        const hear = frame => setTimeout(() => this.onmessage?.({ data: JSON.stringify(frame) }));
        setTimeout(() => {
            this.readyState = 1;
            this.peer = flood.server.connect("me", hear);
            this.onopen?.();
        });
    }
    send(text) { flood.server.take(this.peer, JSON.parse(text)); }
    close() {}
};
flood.start = (count, perSecond) => new Promise(resolve => {
    flood.longest = 0;
    const begin = performance.now();
    const timer = setInterval(() => {
        const due = Math.min(count, (performance.now() - begin) * perSecond / 1000);
        while (flood.sent < due) {
            const seq = flood.sent += 1;
            const name = `Person ${seq % 7}`;
            const text = `Message ${seq} of the flood`;
            flood.server.post("lobby", flood.server.store("lobby", text, { connectionId: name, name, sender: name }));
        }
        if (flood.sent >= count) { clearInterval(timer); setTimeout(resolve, 500); }
    }, 5);
});
"""


@dataclass(frozen=True)
class Measured:
    """Measurements of the page during a flood."""

    messages: int
    longest_task_ms: float
    rows: int


def flood(page: Page, address: str, messages: int) -> Measured:
    """Send `messages` at 200 a second."""
    page.add_init_script(f"{{ {SERVER} {SOCKET} }}")
    page.goto(address)
    page.wait_for_function("() => !document.querySelector('textarea').disabled")
    page.evaluate("([count, rate]) => flood.start(count, rate)", [messages, PER_SECOND])
    longest, rows = page.evaluate("() => [flood.longest, document.querySelector('[role=log]').children.length]")
    return Measured(messages, longest, rows)


def main() -> None:
    """Measure and print one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("address", help="where the page is served")
    parser.add_argument("--messages", type=int, default=10_000)
    options = parser.parse_args()
    path = executable()  # may start its own Playwright, and two cannot run at once
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        page = browser.new_page()
        page.set_default_timeout(120_000)
        print(json.dumps(vars(flood(page, options.address, options.messages))))  # noqa: T201 - its output
        browser.close()


if __name__ == "__main__":
    main()
