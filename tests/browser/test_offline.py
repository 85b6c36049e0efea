"""Caching of the page's files: the requests of a second visit, and the service worker's caches.

The server is real, on this machine, where browsers allow service workers. It stores files as StaticSite does.
"""

import hashlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from chat_stack.page import FIXED_FILES, TOOL_FILES
from components.static_site import SiteFolder, site_files
from tests.browser.files import FRONTEND
from tests.browser.test_budgets import ON_DEMAND

pytestmark = pytest.mark.browser
DEADLINE_S = 15.0
LIMIT_S = 3.0
"""How long the worker waits for the server before it uses its cache."""
SOCKET_URL = "wss://server.test/production"
CONFIG = json.dumps({"websocketUrl": SOCKET_URL})


class SiteServer:
    """Serves deployed folders like an S3 website, each under a path."""

    def __init__(self) -> None:
        self.objects: dict[str, tuple[bytes, str, str]] = {}
        """Path → content, content type, Cache-Control."""
        self.asked: list[str] = []
        """Method and path of each request."""
        self.is_reachable = True
        self.cut = ""
        """Suffix of paths whose requests are aborted."""
        self.fails = False
        self.answers = threading.Event()
        self.answers.set()
        server = self
        self._deployed: dict[str, set[str]] = {}

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                path = self.path.partition("?")[0]
                if not server.is_reachable or (server.cut and path.endswith(server.cut)):
                    self.close_connection = True
                    return
                server.asked.append(f"{self.command} {path}")
                server.answers.wait(DEADLINE_S)
                found = server.objects.get(path + "index.html" if path.endswith("/") else path)
                content, type_, caching = found or server.objects["/index.html"]
                etag = f'"{hashlib.md5(content, usedforsecurity=False).hexdigest()}"'
                if server.fails:
                    status, content = 503, b"Slow down"
                elif found is None:
                    status = 404
                else:
                    status = 304 if self.headers["If-None-Match"] == etag else 200
                self.send_response(status)
                self.send_header("Content-Type", type_)
                self.send_header("Cache-Control", caching)
                self.send_header("ETag", etag)
                if status != 304:
                    self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                if status != 304:
                    self.wfile.write(content)

            def do_POST(self) -> None:
                self.do_GET()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the signature of the base class
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def deploy(self, folder: Path, *, versioned: bool = True, at: str = "/", **options: Any) -> None:
        """Deploy a folder to a path, deleting the objects of the earlier version."""
        for path in self._deployed.get(at, ()):
            del self.objects[path]
        files = site_files(SiteFolder(path=folder, versioned=versioned, fixed=FIXED_FILES[:1], **options))
        deployed = {at + file.key: (file.content(), file.content_type, file.cache_control) for file in files}
        deployed[f"{at}config.json"] = (CONFIG.encode(), "application/json", "max-age=300")
        self._deployed[at] = set(deployed)
        self.objects |= deployed

    def close(self) -> None:
        self.answers.set()
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def site() -> Iterator[SiteServer]:
    server = SiteServer()
    yield server
    server.close()


@pytest.fixture
def new_context(browser: Browser) -> Iterator[Callable[..., BrowserContext]]:
    contexts = []

    def make(**options: Any) -> BrowserContext:
        contexts.append(browser.new_context(**options))
        contexts[-1].route_web_socket(SOCKET_URL, lambda _: None)  # it opens, and nothing comes
        return contexts[-1]

    yield make
    for context in contexts:
        context.close()


@pytest.fixture
def context(new_context: Callable[..., BrowserContext]) -> BrowserContext:
    return new_context()


def visit(context: BrowserContext, url: str) -> Page:
    page = context.new_page()
    page.goto(url)
    return page


def until(true: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not true():
        assert time.monotonic() < deadline, f"not within {DEADLINE_S} s: {what}"
        time.sleep(0.05)


def kept(page: Page) -> dict[str, list[str]]:
    """Return the cached paths by cache name."""
    return page.evaluate(
        """async () => {
            const found = {};
            for (const name of await caches.keys()) {
                const requests = await (await caches.open(name)).keys();
                found[name] = requests.map(({ url }) => new URL(url).pathname);
            }
            return found;
        }"""
    )


def clear_http_cache(page: Page) -> None:
    """Disable the HTTP cache, so only the worker's caches remain."""
    page.context.new_cdp_session(page).send("Network.clearBrowserCache")


def take_away(site: SiteServer, page: Page) -> None:
    clear_http_cache(page)
    site.is_reachable = False


def until_kept(page: Page, text: str = "", scope: str = "/") -> None:
    """Wait until a page's worker is active and has cached HTML that contains a text."""
    page.evaluate("async () => { await navigator.serviceWorker.ready; }")
    has = """async ([scope, text]) => {
        for (const cacheName of await caches.keys()) {
            const found = await caches.match(scope, { cacheName });
            if (found && (await found.text()).includes(text)) return true;
        }
        return false;
    }"""
    until(lambda: page.evaluate(has, [scope, text]), f"{scope} is kept, with {text!r}")


# The chat's own page.


def deploy_chat(site: SiteServer, *, versioned: bool) -> None:
    site.deploy(FRONTEND, versioned=versioned, exclude=TOOL_FILES)


def has_started(page: Page) -> None:
    expect(page.locator("#startup")).to_have_count(0)
    expect(page.get_by_role("textbox", name="Message")).to_be_visible()


def test_a_second_visit_requests_only_the_page(site: SiteServer, new_context: Callable[..., BrowserContext]) -> None:
    """On a plain S3 website, which has no worker."""
    deploy_chat(site, versioned=True)
    context = new_context(service_workers="block")
    has_started(visit(context, site.url))
    site.asked.clear()
    has_started(visit(context, site.url))
    assert site.asked == ["GET /"]


def test_with_the_worker_a_second_visit_waits_only_for_the_page(site: SiteServer, context: BrowserContext) -> None:
    deploy_chat(site, versioned=True)
    first = visit(context, site.url)
    has_started(first)
    until_kept(first)
    site.asked.clear()
    has_started(visit(context, site.url))
    assert "GET /" in site.asked
    assert set(site.asked) <= {"GET /", "GET /sw.js", "GET /manifest.webmanifest"}


@pytest.mark.parametrize("versioned", [True, False], ids=["versioned", "as in the folder"])
def test_after_one_visit_the_chat_opens_without_its_server(
    site: SiteServer, context: BrowserContext, *, versioned: bool
) -> None:
    deploy_chat(site, versioned=versioned)
    page = visit(context, f"{site.url}/#tea")
    has_started(page)
    until_kept(page)
    take_away(site, page)
    page.reload()
    has_started(page)
    expect(page.get_by_role("heading", name="#tea", exact=True)).to_be_visible()


def test_an_unknown_path_offers_the_start_page(site: SiteServer, context: BrowserContext) -> None:
    """The error document is the page, whose relative links do not work on that path."""
    deploy_chat(site, versioned=True)
    page = visit(context, f"{site.url}/no/such/page")
    expect(page.locator("#startup")).to_be_visible()
    page.locator("#startup").get_by_role("link").click()
    has_started(page)


@pytest.mark.parametrize("has_accounts", [True, False])
def test_all_files_of_the_page_are_cached(site: SiteServer, context: BrowserContext, has_accounts: bool) -> None:
    """Including modules imported on demand. Only the icons that only the manifest names are left out, and what only a
    page with sign-in needs."""
    deploy_chat(site, versioned=True)
    if has_accounts:
        sign_in = {"mode": "optional", "clientId": "page", "loginUrl": "https://login.test"}
        config = json.dumps({**json.loads(CONFIG), "signIn": sign_in}).encode()
        site.objects["/config.json"] = (config, "application/json", "max-age=300")
    page = visit(context, site.url)
    until_kept(page)
    (paths,) = kept(page).values()
    left_out = {path.removesuffix("index.html") for path in site.objects} - set(paths)
    names = {path.rpartition("/")[2] for path in left_out} - {"sw.js", "icon-maskable.svg", "icon-192.png"}
    if has_accounts:
        assert names == set()
    else:
        assert {"account.js", "account.css", "account-menu.js", "sign-in.js"} <= names
        assert not names & {name.rpartition("/")[2] for name in ON_DEMAND}


# A site of a few files, with the chat's worker.

PAGE = """<!doctype html><title>Site</title><link rel="icon" href="icon.svg">
<script type="module" src="app.js"></script><p>Version VERSION</p><a href="/">start</a>"""
APP = """import { part } from "./parts/part.js";
window.late = async () => (await import("./parts/late.js")).late;
document.body.append(part);
await navigator.serviceWorker.register("sw.js");
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in {
        "icon.svg": '<svg xmlns="http://www.w3.org/2000/svg"/>',
        "app.js": APP,
        "sw.js": (FRONTEND / "sw.js").read_text(encoding="utf-8"),
    }.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    save(tmp_path, 1)
    return tmp_path


def save(folder: Path, version: int) -> None:
    """Write a version into the folder, with its number in the page, in a module, and in an on-demand module."""
    (folder / "parts").mkdir(exist_ok=True)
    for name, text in {
        "index.html": PAGE.replace("VERSION", str(version)),
        "parts/part.js": f'export const part = "part {version}";',
        "parts/late.js": f'export const late = "late {version}";',
    }.items():
        (folder / name).write_text(text, encoding="utf-8")


def shows(page: Page, version: int) -> None:
    expect(page.locator("body")).to_contain_text(f"Version {version}")
    expect(page.locator("body")).to_contain_text(f"part {version}")


@pytest.mark.parametrize("versioned", [True, False], ids=["versioned", "as in the folder"])
def test_a_new_version_is_shown_on_the_next_load_and_cached(
    site: SiteServer, context: BrowserContext, folder: Path, *, versioned: bool
) -> None:
    site.deploy(folder, versioned=versioned)
    page = visit(context, site.url)
    until_kept(page)
    save(folder, 2)
    site.deploy(folder, versioned=versioned)
    page.reload()
    shows(page, 2)
    until_kept(page, "Version 2")
    take_away(site, page)
    page.reload()
    shows(page, 2)
    assert page.evaluate("late()") == "late 2"


def test_only_the_last_old_version_is_kept(site: SiteServer, context: BrowserContext, folder: Path) -> None:
    for version in (1, 2, 3):
        save(folder, version)
        site.deploy(folder)
        page = visit(context, site.url)
        until_kept(page, f"Version {version}")
        if version == 1:
            (first,) = kept(page)
    until(lambda: first not in kept(page), "the first version is deleted")
    assert len(kept(page)) == 2


def test_a_version_deployed_again_is_the_newest(site: SiteServer, context: BrowserContext, folder: Path) -> None:
    for version in (1, 2, 1):
        save(folder, version)
        site.deploy(folder)
        page = visit(context, site.url)
        shows(page, version)
        until_kept(page, f"Version {version}")
    until(lambda: list(kept(page))[-1:] != list(kept(page))[:1], "both are kept")
    newest = "async () => (await (await caches.match('/', { cacheName: (await caches.keys()).at(-1) }))?.text()) ?? ''"
    until(lambda: "Version 1" in page.evaluate(newest), "version 1 is kept anew")
    take_away(site, page)
    page.reload()
    shows(page, 1)


def test_a_page_that_was_open_during_a_deployment_can_still_import_its_modules(
    site: SiteServer, context: BrowserContext, folder: Path
) -> None:
    site.deploy(folder)
    open_page = visit(context, site.url)
    until_kept(open_page)
    save(folder, 2)
    site.deploy(folder)
    until_kept(visit(context, site.url), "Version 2")
    clear_http_cache(open_page)
    assert open_page.evaluate("late()") == "late 1"


def test_a_server_that_does_not_answer_delays_the_page_only_up_to_the_limit(
    site: SiteServer, context: BrowserContext, folder: Path
) -> None:
    site.deploy(folder)
    page = visit(context, site.url)
    until_kept(page)
    site.answers.clear()
    began = time.monotonic()
    page.reload()
    shows(page, 1)
    assert LIMIT_S <= time.monotonic() - began < DEADLINE_S


def test_a_failing_server_counts_as_offline(site: SiteServer, context: BrowserContext, folder: Path) -> None:
    site.deploy(folder)
    page = visit(context, site.url)
    until_kept(page)
    site.fails = True
    page.reload()
    shows(page, 1)


def test_the_config_comes_from_the_server_or_else_from_the_last_visit(
    site: SiteServer, context: BrowserContext, folder: Path
) -> None:
    read = "async () => (await fetch('config.json', { cache: 'reload' })).text()"
    site.deploy(folder)
    page = visit(context, site.url)
    until_kept(page)
    page.reload()
    site.objects["/config.json"] = (b'{"websocketUrl":"changed"}', "application/json", "max-age=300")
    assert page.evaluate(read) == '{"websocketUrl":"changed"}'
    kept_config = "async () => (await caches.match('/config.json')).text()"
    until(lambda: "changed" in page.evaluate(kept_config), "the new config is kept")
    site.is_reachable = False
    assert page.evaluate(read) == '{"websocketUrl":"changed"}'


def test_nothing_else_is_cached_or_served(site: SiteServer, context: BrowserContext, folder: Path) -> None:
    site.deploy(folder)
    page = visit(context, site.url)
    until_kept(page)
    page.reload()
    before = kept(page)
    site.objects["/data.json"] = (b"{}", "application/json", "no-cache")
    for asked in ("fetch('data.json')", "fetch('config.json', { method: 'POST', body: 'x' })", "fetch('nothing')"):
        page.evaluate(f"async () => (await {asked}).text()")
    answer = page.goto(f"{site.url}/no/such/page")
    assert answer is not None
    assert answer.status == 404
    page.goto(site.url)
    assert kept(page) == before
    site.is_reachable = False
    assert page.evaluate("() => fetch('data.json').then(() => 'answered', () => 'refused')") == "refused"


def test_sites_on_different_paths_of_an_origin_are_independent(
    site: SiteServer, context: BrowserContext, folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    for at in ("/", "/one/", "/other/"):
        site.deploy(folder, at=at)
        until_kept(visit(context, site.url + at), scope=at)
    for version in (2, 3):
        save(folder, version)
        site.deploy(folder, at="/one/")
        page = visit(context, f"{site.url}/one/")
        until_kept(page, f"Version {version}", "/one/")
    assert sorted(name.split()[1].removeprefix(site.url) for name in kept(page)) == ["/", "/one/", "/one/", "/other/"]
    assert all(path.startswith("/one/") for name, paths in kept(page).items() if "/one/" in name for path in paths)
    take_away(site, page)
    for at, version in (("/", 1), ("/one/", 3), ("/other/", 1)):
        shows(visit(context, site.url + at), version)


def test_a_missing_file_does_not_prevent_caching_the_others(
    site: SiteServer, context: BrowserContext, folder: Path
) -> None:
    site.deploy(folder)
    del site.objects["/config.json"]
    page = visit(context, site.url)
    until_kept(page)
    (paths,) = kept(page).values()
    assert "/config.json" not in paths
    site.objects["/config.json"] = (b"{}", "application/json", "no-cache")


def test_an_interrupted_installation_caches_nothing_and_the_next_visit_retries(
    site: SiteServer, context: BrowserContext, folder: Path
) -> None:
    site.deploy(folder)
    site.cut = "late.js"
    page = visit(context, site.url)
    gone = "async () => { const one = await navigator.serviceWorker.getRegistration(); return !one?.installing; }"
    until(lambda: page.evaluate("document.body.textContent").endswith("part 1"), "the worker is registered")
    until(lambda: page.evaluate(gone), "the installation has ended")
    assert kept(page) == {}
    site.cut = ""
    page.reload()
    until_kept(page)
    take_away(site, page)
    page.reload()
    shows(page, 1)
