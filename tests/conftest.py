"""What all tests share: the local stack and a browser, each started once, and rooms of a test's own."""

import socket
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from playwright.sync_api import Browser, sync_playwright

from local.process import ROOT, Stack, running_stack, start_stack
from tests.browser.chromium import ARGUMENTS, executable

__all__ = ["ROOT", "Stack", "free_port", "fresh_room", "running_stack", "start_stack", "wait_until"]

# A busy machine is no bug of the code under test.
settings.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy")


def free_port() -> int:
    """Return a port on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until(condition: Callable[[], object], description: str, seconds: float = 60.0) -> None:
    """Wait for a condition, with a deadline."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {description}"
        time.sleep(0.02)


def fresh_room() -> str:
    """Return a room that no other test is in."""
    return f"room-{uuid.uuid4().hex[:12]}"


def is_quick(item: pytest.Item) -> bool:
    """Return whether `make check` runs a test."""
    folder = item.path.relative_to(ROOT / "tests").parts[0]
    return folder in ("unit", "stack") and item.get_closest_marker("slow") is None


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """The deployed program, started when the first test asks for it."""
    with running_stack("--no-watch") as running:
        yield running


@pytest.fixture(scope="session")
def accounts_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder for temporary files of `accounts_stack`."""
    return tmp_path_factory.mktemp("accounts")


@pytest.fixture(scope="session")
def accounts_stack(accounts_folder: Path) -> Iterator[Stack]:
    """The deployed program with sign-in, and two accounts."""
    with running_stack("--no-watch", "--config", "sign_in=optional", temporary=accounts_folder) as running:
        yield running


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = executable()  # may start its own Playwright, and two cannot run at once
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield launched
        launched.close()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--after-check", action="store_true", help="leave out the quick tests, which `make check` has run")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put the files that need a browser last, in any order: Playwright's event loop then stays in the thread."""
    if config.getoption("--after-check"):
        quick = [item for item in items if is_quick(item)]
        config.hook.pytest_deselected(items=quick)
        items[:] = [item for item in items if not is_quick(item)]
    files = {item.path for item in items if "browser" in getattr(item, "fixturenames", ())}
    items.sort(key=lambda item: item.path in files)
