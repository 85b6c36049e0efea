"""Serves the page's files and the test modules to a browser without a network."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Page, Route

from components.static_site import CONTENT_TYPES

FRONTEND = Path(__file__).resolve().parents[2] / "frontend"
MODULES = Path(__file__).parent / "modules"

SITE = "https://chat.test/"
"""A secure context, as with CloudFront."""
PLAIN_SITE = "http://chat.test/"
"""Plain HTTP, as on an S3 website: no locks, clipboard or notifications."""
MODULES_SITE = "https://modules.test/"
"""A blank page that can import the page's and the tests' modules."""

SOCKET_URL = "wss://server.test/production"
CONFIG = json.dumps({"websocketUrl": SOCKET_URL})


def serve(context: BrowserContext) -> None:
    """Serve the page under both origins, and the modules under theirs."""
    for origin in (SITE, PLAIN_SITE):
        context.route(f"{origin}**", _page)
    context.route(f"{MODULES_SITE}**", _module)


@contextmanager
def modules_page(browser: Browser) -> Iterator[Page]:
    """Open the blank page that can import modules."""
    context = browser.new_context()
    serve(context)
    page = context.new_page()
    page.goto(MODULES_SITE)
    yield page
    context.close()


def _page(route: Route) -> None:
    name = route.request.url.split("/", 3)[3] or "index.html"
    file = FRONTEND / name
    if name == "config.json":
        route.fulfill(content_type="application/json", body=CONFIG)
    elif file.is_file() and file.suffix in CONTENT_TYPES:
        route.fulfill(content_type=CONTENT_TYPES[file.suffix], body=file.read_bytes())
    else:
        route.fulfill(status=404)


def _module(route: Route) -> None:
    name = route.request.url.removeprefix(MODULES_SITE)
    if not name:
        route.fulfill(content_type="text/html", body="<!doctype html><title>Modules</title>")
        return
    file = next((folder / name for folder in (MODULES, FRONTEND) if (folder / name).is_file()), None)
    if file is None:
        route.fulfill(status=404)  # an answer: without one the import would wait for ever
    else:
        route.fulfill(content_type="text/javascript", body=file.read_text(encoding="utf-8"))
